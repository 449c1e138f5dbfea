"""Slash commands that Claude Code runs itself when a prompt is one."""

from __future__ import annotations

from typing import Any

from roost.testing.agents import claude_lines as lines
from roost.testing.agents.claude_session import Session
from roost.testing.agents.output import Output

Json = dict[str, Any]


def run_slash(session: Session, output: Output, text: str) -> bool:
    """Run a prompt that is a command; whether there is such a command."""
    name = text[1:].split()[0] if text[1:].split() else ""
    if name == "clear":
        _clear(session, output)
    elif name == "compact":
        _compact(session, output)
    elif name in ("cost", "usage"):
        _say(session, output, name, f"Estimated cost:        ${session.usage.cost_usd:.4f}")
    elif name == "context":
        _say(session, output, name, f"## Context Usage\n\n**Tokens:** {session.usage.input_tokens()}")
    else:
        return False
    return True


def _clear(session: Session, output: Output) -> None:
    new_id = lines.new_id()
    line = {"type": "conversation_reset", "new_conversation_id": new_id, "uuid": new_id, "trigger": "clear"}
    output.send({**line, "user_message_uuid": lines.new_id(), "timestamp": lines.now(), "session_id": session.id})
    output.send(lines.system(session.id, "background_tasks_changed", tasks=[]))
    session.clear()
    output.send(session.init())
    _result(session, output, "clear", "")


def _compact(session: Session, output: Output) -> None:
    output.send(session.init())
    output.send(lines.system(session.id, "status", status="compacting"))
    output.send(lines.system(session.id, "status", status=None, compact_result="success"))
    metadata = {"trigger": "manual", "pre_tokens": session.usage.input_tokens(), "post_tokens": 2500}
    metadata |= {"cumulative_dropped_tokens": 100, "duration_ms": 1}
    boundary = {"compact_metadata": metadata, "logical_parent_uuid": lines.new_id()}
    output.send(lines.system(session.id, "compact_boundary", **boundary))
    summary = "This session is being continued from a previous conversation that ran out of context."
    output.send(lines.user(session.id, summary, isReplay=False, isSynthetic=True))
    _result(session, output, "compact", "")


def _say(session: Session, output: Output, name: str, text: str) -> None:
    output.send(session.init())
    known = {
        "local_command_source": f"<local-command-stdout>{text}</local-command-stdout>",
        "local_command_run": {"command": name, "args": ""},
    }
    output.send(lines.synthetic(session.id, text, **known))
    _result(session, output, name, text)


def _result(session: Session, output: Output, name: str, text: str) -> None:
    ending = {"is_error": False, "num_turns": 0, "stop_reason": None, "subtype": "success", "result": text}
    usage = session.usage.of_result()
    line = lines.result(session.id, duration_ms=1, **ending, **usage, permission_denials=[], local_command=name)
    output.send({**line, "duration_api_ms": 0, "result_index": session.results})
    session.results += 1
