"""A coding agent in its own screen, whose conversation is read from where the agent keeps it."""

from __future__ import annotations

import json
from pathlib import Path

from roost.testing.server import RunningServer
from tests.cli.kit import roost
from tests.waiting import until

PROMPT = {"type": "user", "sessionId": "s", "message": {"role": "user", "content": "hello"}}
ANSWER = {
    "type": "assistant",
    "sessionId": "s",
    "message": {
        "id": "m",
        "model": "nobody-knows-its-price",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
}
CLAUDE = """\
#!/bin/sh
mkdir -p "{folder}"
for word in "$@"; do
    case "$word" in --session-id=*) cat {lines} > "{folder}/${{word#--session-id=}}.jsonl" ;; esac
done
exec sleep 60
"""


def own_screen(home: Path) -> str:
    """A program called `claude` that keeps a conversation of one turn where Claude Code does."""
    work, lines, program = home / "work", home / "lines", home / "claude"
    work.mkdir()
    folder = "".join(sign if sign.isalnum() else "-" for sign in str(work))
    lines.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (PROMPT, ANSWER)))
    program.write_text(CLAUDE.format(folder=home / ".claude" / "projects" / folder, lines=lines))
    program.chmod(0o755)
    return str(program)


def test_turns_and_usage_are_listed_although_it_takes_no_prompts(server: RunningServer, tmp_path: Path) -> None:
    claude, work = own_screen(tmp_path), str(tmp_path / "work")
    assert roost("run", "-d", "mine", "--cwd", work, "--env", f"HOME={tmp_path}", "--", claude).code == 0
    until(lambda: "completed" in roost("turns", "mine").out)
    assert roost("usage", "mine").out.splitlines()[-1].split() == ["total", "3", "2", "0", "0", "?"]
    assert roost("prompt", "mine", "hello").code != 0
