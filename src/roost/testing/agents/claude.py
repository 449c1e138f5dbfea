"""A Claude Code without a model: `python -m roost.testing.agents.claude -p PROMPT --output-format stream-json …`.

It takes the real program's flags, speaks its stream-json both ways with the control protocol, keeps sessions that can
be resumed, and does what the prompt says (`roost.testing.models.script`).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from roost.testing.agents import claude_control, claude_usage
from roost.testing.agents import claude_lines as lines
from roost.testing.agents.claude_flags import KNOWN, VERSION
from roost.testing.agents.claude_host import CANCELLED, Host
from roost.testing.agents.claude_session import NoSession, Session, SessionInUse
from roost.testing.agents.claude_turns import Turns
from roost.testing.agents.flags import BadFlag, Flags, read_flags
from roost.testing.agents.output import Output, complain, end
from roost.testing.agents.stdin import input_lines, wait_for

Json = dict[str, Any]
AS_ROOT = "--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons"
NO_PROMPT = "Error: Input must be provided either through stdin or as a prompt argument when using --print"
NOT_VERBOSE = "Error: When using --print, --output-format=stream-json requires --verbose"


def _as_text(message: Json) -> str:
    if message["type"] != "result":
        return ""
    return str(message.get("result") or "\n".join(message.get("errors", []))) + "\n"


def _as_json(message: Json) -> str:
    return lines.as_json(message) + "\n" if message["type"] == "result" else ""


# What is written of each line in the formats that are no stream.
SHOWN = {"text": _as_text, "json": _as_json}


class Refused(Exception):
    """The program cannot start; the message goes to standard error."""


def main(arguments: list[str]) -> int:
    """Run with the arguments of the real program; its exit code."""
    try:
        flags = _flags(arguments)
        if flags.is_on("--version"):
            sys.stdout.write(f"{VERSION} (Claude Code)\n")
            return 0
        _check(flags)
        session = Session(flags, Path.cwd())
    except NoSession as exc:
        return _no_session(str(exc))
    except SessionInUse as exc:
        complain(f"Error: Session ID {exc} is already in use.")
        return 1
    except Refused as exc:
        complain(str(exc))
        return 1
    return _run(session)


def _flags(arguments: list[str]) -> Flags:
    try:
        return read_flags(arguments, KNOWN)
    except BadFlag as exc:
        raise Refused(f"error: unknown option '{exc}'") from exc


def _check(flags: Flags) -> None:
    bypass = flags.is_on("--dangerously-skip-permissions")
    if bypass and os.geteuid() == 0 and not os.environ.get("IS_SANDBOX"):
        raise Refused(AS_ROOT)
    if flags.one("--output-format") == "stream-json" and not flags.is_on("--verbose"):
        raise Refused(NOT_VERBOSE)


def _no_session(session_id: str) -> int:
    text = f"No conversation found with session ID: {session_id}"
    complain(text)
    known = {"subtype": "error_during_execution", "is_error": True, "num_turns": 0, "stop_reason": None}
    usage = {"total_cost_usd": 0, "usage": claude_usage.Usage().turn(), "modelUsage": {}, "permission_denials": []}
    line = lines.result(session_id, duration_ms=0, **known, **usage, errors=[text], result_index=0)
    Output().send({name: value for name, value in line.items() if name not in lines.AFTER_A_TURN})
    return 1


def _run(session: Session) -> int:
    output = Output(SHOWN.get(session.flags.one("--output-format", "text")))
    host = Host(session, output)
    turns = Turns(session, output, host)
    _catch_signals(turns)
    worker = threading.Thread(target=turns.serve, daemon=True)
    if session.flags.one("--input-format") == "stream-json":
        worker.start()
        _Reader(session, output, host, turns).read()
    else:
        host.add(_message(_prompt(session.flags)))
        host.close()
        worker.start()
    wait_for(worker)
    return turns.exit_code


def _prompt(flags: Flags) -> str:
    piped = "" if sys.stdin.isatty() else sys.stdin.read().strip()
    text = "\n".join(part for part in (flags.words[0] if flags.words else "", piped) if part)
    if not text:
        complain(NO_PROMPT)
        end(1)
    return text


def _message(text: str) -> Json:
    return {"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": text}]}}


def _catch_signals(turns: Turns) -> None:
    def interrupted(*_: object) -> None:
        turns.leave_after_interrupt()

    def terminated(*_: object) -> None:
        turns.kill_tools()
        end(128 + signal.SIGTERM)

    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, terminated)


class _Reader:
    """What a host sends: user messages, control requests, answers to ours. Anything else is ignored, or is the end."""

    def __init__(self, session: Session, output: Output, host: Host, turns: Turns) -> None:
        self._session = session
        self._output = output
        self._host = host
        self._turns = turns
        self._is_over = False

    def read(self) -> None:
        """Until the end of input, or of the session."""
        for line in input_lines():
            self._take(line)
            if self._is_over:
                break
        self._host.close()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            complain(f"Error parsing streaming input line (type=unknown, {len(line)} chars): SyntaxError")
            self._give_up()
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "user":
            self._prompt(message)
        elif kind == "control_request":
            self._control(str(message.get("request_id")), message.get("request") or {})
        elif kind == "control_response":
            self._host.answer(message.get("response") or {})

    def _prompt(self, message: Json) -> None:
        role = (message.get("message") or {}).get("role")
        if role != "user":
            complain(f"Error: Expected message role 'user', got '{role}'")
            self._give_up()
        self._host.add(message)

    def _control(self, request_id: str, request: Json) -> None:
        if request.get("subtype") == "interrupt":
            self._interrupt(request_id)
        else:
            self._output.send(claude_control.answer(self._session, request_id, request))
        self._is_over = request.get("subtype") == "end_session"

    def _interrupt(self, request_id: str) -> None:
        waiting = self._host.cancel()
        self._output.send(lines.control_success(request_id, {"still_queued": []}))
        self._turns.interrupt()
        for answers in waiting:
            answers.put(CANCELLED)

    def _give_up(self) -> None:
        self._turns.kill_tools()
        end(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
