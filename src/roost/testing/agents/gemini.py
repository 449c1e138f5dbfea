"""A Gemini CLI without a model: `python -m roost.testing.agents.gemini -p PROMPT -o stream-json`, or `--acp`."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from roost.testing.agents import acp
from roost.testing.agents.claude_lines import now
from roost.testing.agents.claude_usage import tokens_in
from roost.testing.agents.flags import MANY, MAYBE, ON, ONE, BadFlag, Flags, read_flags
from roost.testing.agents.output import Output, complain, end
from roost.testing.agents.performing import Asked, Performance, TurnFailed, Verdict
from roost.testing.agents.prelude import prelude
from roost.testing.agents.sessions import Transcript, newest, state_directory
from roost.testing.agents.stdin import wait_for
from roost.testing.agents.workshop import Outcome, Tools
from roost.testing.models.script import Call, Cut, Fail, Fault, Tokens, read_script
from roost.testing.models.toolnames import made

Json = dict[str, Any]
VERSION = "0.61.0"
DEFAULT_MODEL = "gemini-2.5-flash"
RETRIES = 3
RETRY_PAUSE_S = 0.01
CHANGES = ("bash", "write", "edit")
KNOWN = {
    "--acp --experimental-acp": ON,
    "--allowed-mcp-server-names": MANY,
    "--allowed-tools": MANY,
    "--approval-mode": ONE,
    "--debug -d": ON,
    "--delete-session": ONE,
    "--extensions -e": MANY,
    "--include-directories": MANY,
    "--list-extensions -l": ON,
    "--list-sessions": ON,
    "--model -m": ONE,
    "--output-format -o": ONE,
    "--policy": MANY,
    "--prompt -p": ONE,
    "--prompt-interactive -i": ONE,
    "--raw-output": ON,
    "--accept-raw-output-risk": ON,
    "--resume -r": MAYBE,
    "--sandbox -s": ON,
    "--screen-reader": ON,
    "--session-id": ONE,
    "--skip-trust": ON,
    "--version -v": ON,
    "--yolo -y": ON,
}


class GeminiVoice:
    """One run. `tokens_of` counts by model; `failure` is why it failed."""

    def __init__(self, flags: Flags, output: Output, cwd: Path) -> None:
        mode = flags.one("--approval-mode", "yolo" if flags.is_on("--yolo") else "default")
        self._may_write = mode in ("yolo", "auto_edit")
        self._may_run = mode == "yolo" or "run_shell_command" in flags.many("--allowed-tools")
        self.model = flags.one("--model", DEFAULT_MODEL)
        self._output = output
        self._cwd = cwd
        self._override: Tokens | None = None
        self._history = 150
        self._written = 0
        self.read = self.written = self.calls = 0
        self.failure: Json | None = None

    def send(self, kind: str, **fields: Any) -> None:
        """Write a line."""
        self._output.send({"type": kind, "timestamp": now(), **fields})

    def begin(self) -> None:
        self._written = 0

    def think(self, text: str) -> None:
        """Thoughts are not shown."""

    def say(self, text: str, pieces: Iterator[str]) -> None:
        for piece in pieces:
            self.send("message", role="assistant", content=piece, delta=True)
        self._written += tokens_in(text)

    def announce(self, call: Call) -> Asked:
        name, given = made(self._absolute(call), ("read_file",))
        call_id = f"{name}__{name}_{time.time_ns() // 1_000_000}_{self.calls}"
        self.calls += 1
        self._written += 20
        self.send("tool_use", tool_name=name, tool_id=call_id, parameters=given)
        return Asked(call_id, call)

    def stopped(self, reason: str) -> None:
        """Reasons are not shown."""

    def tokens(self, tokens: Tokens) -> None:
        self._override = tokens

    def finish(self) -> None:
        counts = self._override or Tokens(self._history, max(1, self._written))
        self._override = None
        self.read += counts.input
        self.written += counts.output
        self._history += self._written

    def permit(self, asked: Asked) -> Verdict:
        tool = asked.call.tool
        allowed = self._may_run if tool == "bash" else self._may_write or tool not in CHANGES
        return Verdict(asked.call) if allowed or asked.call.is_raw else Verdict(None, "not offered")

    def output(self, asked: Asked, text: str) -> None:
        """Output is shown when the command is done."""

    def result(self, asked: Asked, ran: Call, outcome: Outcome) -> None:
        self._history += tokens_in(outcome.text)
        # A command that fails is a success here, as it is with the real one.
        if outcome.is_error and outcome.exit_code is None:
            error = {"type": "execution_error", "message": outcome.text}
            self.send("tool_result", tool_id=asked.id, status="error", output=outcome.text, error=error)
            return
        shown = {"output": outcome.text.rstrip("\n")} if ran.tool == "bash" else {}
        self.send("tool_result", tool_id=asked.id, status="success", **shown)

    def refused(self, asked: Asked, verdict: Verdict) -> None:
        name, _ = made(asked.call, ("read_file",))
        text = f'Tool "{name}" not found. Did you mean one of: "read_file", "update_topic", "grep_search"?'
        error = {"type": "tool_not_registered", "message": text}
        self.send("tool_result", tool_id=asked.id, status="error", output=text, error=error)

    def fail(self, fail: Fail) -> None:
        if fail.model not in self.model:
            return
        if fail.status == 400 or fail.times > RETRIES:
            self._give_up(f"[API Error: {fail.status} scripted: no answer]", fail.status)
        time.sleep(RETRY_PAUSE_S)

    def cut(self, cut: Cut) -> None:
        self._give_up("[API Error: terminated]", 0)

    def fault(self, fault: Fault) -> None:
        self._output.fault(fault, {"type": "message", "role": "assistant", "content": "…"})

    def steered(self) -> list[str]:
        return []

    def _give_up(self, message: str, status: int) -> None:
        self.failure = {"type": "unknown", "message": message}
        raise TurnFailed(status)

    def _absolute(self, call: Call) -> Call:
        if "path" not in call.input or call.is_raw:
            return call
        return call._replace(input={**call.input, "path": str(self._cwd / call.input["path"])})


def main(arguments: list[str]) -> int:
    """Run with the arguments of the real program; its exit code."""
    try:
        flags = read_flags(arguments, KNOWN)
    except BadFlag as exc:
        complain(f"Unknown arguments: {str(exc).lstrip('-')}")
        return 1
    if flags.is_on("--version"):
        sys.stdout.write(f"{VERSION}\n")
        return 0
    if flags.is_on("--acp"):
        return acp.main(["--ask", "--client-files"])
    prompt = flags.one("--prompt") or (flags.words[0] if flags.words else sys.stdin.read().strip())
    return _Run(flags).turn(prompt)


def _as_text(message: Json) -> str:
    if message["type"] == "result":
        return "\n"
    return str(message["content"]) if message.get("role") == "assistant" else ""


def _as_json(message: Json) -> str:
    return json.dumps({"stats": message["stats"]}, indent=2) + "\n" if message["type"] == "result" else ""


class _Run:
    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._cwd = Path.cwd()
        self._output = Output({"stream-json": None, "json": _as_json}.get(flags.one("--output-format"), _as_text))
        self._tools = Tools(self._cwd)
        self._voice = GeminiVoice(flags, self._output, self._cwd)
        self._started = time.monotonic()

    def turn(self, prompt: str) -> int:
        """Run; the exit code."""
        # Whatever stops it, it says that all went well.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: end(0))
        transcript = self._transcript()
        self._voice.send("init", session_id=transcript.path.stem, model=self._voice.model)
        self._voice.send("message", role="user", content=prompt)
        transcript.append({"prompt": prompt})
        codes: list[int] = []
        worker = threading.Thread(target=lambda: codes.append(self._perform(prompt)), daemon=True)
        worker.start()
        wait_for(worker)
        return codes[0] if codes else 1

    def _perform(self, prompt: str) -> int:
        try:
            Performance(self._voice, self._tools).play([*prelude(), *read_script(prompt)])
        except TurnFailed as exc:
            self._result("error", error=self._voice.failure)
            return exc.status % 256 if exc.status == 400 else 1
        self._result("success")
        return 0

    def _result(self, status: str, **fields: Any) -> None:
        voice = self._voice
        counts = {
            "total_tokens": voice.read + voice.written,
            "input_tokens": voice.read,
            "output_tokens": voice.written,
        }
        counts |= {"cached": 0, "input": voice.read}
        took = {"duration_ms": int((time.monotonic() - self._started) * 1000), "tool_calls": voice.calls}
        voice.send("result", status=status, **fields, stats={**counts, **took, "models": {voice.model: counts}})

    def _transcript(self) -> Transcript:
        folder = state_directory("gemini")
        if self._flags.is_on("--resume"):
            named = self._flags.one("--resume", "latest")
            found = newest(list(folder.glob("*.jsonl" if named in ("latest", "1") else f"{named}.jsonl")))
            if found is None:
                complain("Error resuming session: No previous sessions found for this project.")
                end(1)
            else:
                return Transcript(found)
        return Transcript(folder / f"{self._flags.one('--session-id') or uuid.uuid4()}.jsonl")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
