"""An opencode without a model: `python -m roost.testing.agents.opencode run --format json PROMPT`; `acp` speaks ACP."""

from __future__ import annotations

import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from roost.testing.agents import acp
from roost.testing.agents.claude_usage import tokens_in
from roost.testing.agents.flags import MANY, ON, ONE, BadFlag, Flags, read_flags
from roost.testing.agents.output import Output, complain, die
from roost.testing.agents.performing import Asked, Performance, TurnEnded, TurnFailed, Verdict
from roost.testing.agents.prelude import prelude
from roost.testing.agents.sessions import Transcript, newest, state_directory
from roost.testing.agents.stdin import wait_for
from roost.testing.agents.workshop import Outcome, Tools
from roost.testing.models.script import Call, Cut, Fail, Fault, Tokens, read_script
from roost.testing.models.toolnames import made

Json = dict[str, Any]
VERSION = "1.18.33"
RETRIES = 3
RETRY_PAUSE_S = 0.01
SNAPSHOT = "6831c41be56eba902f838774ff3a0eb2a8c4b290"
REJECTED = "The user rejected permission to use this specific tool call."
KNOWN = {
    "--agent": ONE,
    "--attach": ONE,
    "--auto": ON,
    "--command": ONE,
    "--continue -c": ON,
    "--dir": ONE,
    "--file -f": MANY,
    "--fork": ON,
    "--format": ONE,
    "--log-level": ONE,
    "--model -m": ONE,
    "--port": ONE,
    "--print-logs": ON,
    "--session -s": ONE,
    "--share": ON,
    "--thinking": ON,
    "--title": ONE,
    "--variant": ONE,
    "--ask": ON,
}


def now_ms() -> int:
    """The time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def new_id(prefix: str) -> str:
    """`ses_…`, `msg_…`, `prt_…`."""
    return prefix + uuid.uuid4().hex[:26]


class OpencodeVoice:
    """One run. With `--ask`, which only the scripted one has, changes are rejected unless `--auto` allows them."""

    def __init__(self, flags: Flags, output: Output, session: str, cwd: Path) -> None:
        self._asks = flags.is_on("--ask") and not flags.is_on("--auto")
        self._shows_thoughts = flags.is_on("--thinking")
        self._output = output
        self._session = session
        self._cwd = cwd
        self._message = ""
        self._begun: dict[str, int] = {}
        self._named: dict[str, tuple[str, Json]] = {}
        self._override: Tokens | None = None
        self._history = 2400
        self._written = 0
        self._is_open = self._is_rejected = False

    def begin(self) -> None:
        self._message, self._written = new_id("msg_"), 0
        self._part("step_start", type="step-start", snapshot=SNAPSHOT)
        self._is_open = True

    def think(self, text: str) -> None:
        if self._shows_thoughts:
            self._part("reasoning", type="reasoning", text=text, time=_moment())
        self._written += tokens_in(text)

    def say(self, text: str, pieces: Iterator[str]) -> None:
        whole = "".join(pieces)
        self._part("text", type="text", text=whole, time=_moment())
        self._written += tokens_in(text)

    def announce(self, call: Call) -> Asked:
        call_id = new_id("call_")[:21]
        absolute = call
        if "path" in call.input and not call.is_raw:
            absolute = call._replace(input={**call.input, "path": str(self._cwd / call.input["path"])})
        self._named[call_id] = made(absolute, ("bash",))
        self._begun[call_id] = now_ms()
        self._written += 20
        return Asked(call_id, call)

    def stopped(self, reason: str) -> None:
        """Reasons are not shown."""

    def tokens(self, tokens: Tokens) -> None:
        self._override = tokens

    def finish(self) -> None:
        if not any(call in self._begun for call in self._named):
            self.close("stop")

    def permit(self, asked: Asked) -> Verdict:
        if self._asks and asked.call.tool in ("bash", "write", "edit"):
            complain(f"! permission requested: {self._named[asked.id][0]}; auto-rejecting")
            return Verdict(None, REJECTED, ends_turn=True)
        return Verdict(asked.call)

    def output(self, asked: Asked, text: str) -> None:
        """A call is shown when it is done."""

    def result(self, asked: Asked, ran: Call, outcome: Outcome) -> None:
        self._history += tokens_in(outcome.text)
        name, given = self._named[asked.id]
        if outcome.is_error and outcome.exit_code is None:
            self._tool(asked, {"status": "error", "input": given, "error": outcome.text})
        else:
            metadata: Json = {"truncated": False}
            if outcome.exit_code is not None:
                metadata = {"output": outcome.text, "exit": outcome.exit_code, "truncated": False}
            title = str(given.get("command") or Path(outcome.path).name or name)
            state = {"status": "completed", "input": given, "output": outcome.text, "metadata": metadata}
            self._tool(asked, {**state, "title": title})
        if not self._begun:
            self.close("tool-calls")

    def refused(self, asked: Asked, verdict: Verdict) -> None:
        _, given = self._named[asked.id]
        self._tool(asked, {"status": "error", "input": given, "error": verdict.reason})
        self.close("tool-calls")

    def fail(self, fail: Fail) -> None:
        if fail.status == 400 or fail.times > RETRIES:
            data: Json = {"message": "scripted: no answer", "statusCode": fail.status, "isRetryable": False}
            data |= {"responseHeaders": {}, "responseBody": "{}", "metadata": {}}
            self._line("error", error={"name": "APIError", "data": data})
            raise TurnFailed(fail.status)
        time.sleep(RETRY_PAUSE_S)

    def cut(self, cut: Cut) -> None:
        """It hangs, and tries again."""
        time.sleep(RETRY_PAUSE_S)

    def fault(self, fault: Fault) -> None:
        self._output.fault(fault, {"type": "text", "timestamp": now_ms(), "sessionID": self._session})

    def steered(self) -> list[str]:
        return []

    def close(self, reason: str) -> None:
        """End the step, if one is open."""
        if not self._is_open:
            return
        self._is_open = False
        counts = self._override or Tokens(self._history, max(1, self._written))
        self._override = None
        tokens: Json = {"total": counts.input + counts.output, "input": counts.input, "output": counts.output}
        tokens |= {"reasoning": 0, "cache": {"write": 0, "read": 0}}
        self._history += self._written
        self._part("step_finish", type="step-finish", reason=reason, snapshot=SNAPSHOT, tokens=tokens, cost=0)

    def _tool(self, asked: Asked, state: Json) -> None:
        name, _ = self._named.pop(asked.id)
        state["time"] = {"start": self._begun.pop(asked.id), "end": now_ms()}
        self._part("tool_use", type="tool", tool=name, callID=asked.id, state=state)

    def _part(self, kind: str, **fields: Any) -> None:
        part = {"id": new_id("prt_"), "messageID": self._message, "sessionID": self._session, **fields}
        self._line(kind, part=part)

    def _line(self, kind: str, **fields: Any) -> None:
        self._output.send({"type": kind, "timestamp": now_ms(), "sessionID": self._session, **fields})


def main(arguments: list[str]) -> int:
    """Run with the arguments of the real program; its exit code."""
    if arguments[:1] in (["--version"], ["-v"]):
        sys.stdout.write(f"{VERSION}\n")
        return 0
    if arguments[:1] == ["acp"]:
        return acp.main(["--ask", "--client-files"])
    if arguments[:1] != ["run"]:
        complain("the scripted agent has `run`, `acp` and `--version`")
        return 1
    try:
        flags = read_flags(arguments[1:], KNOWN)
    except BadFlag as exc:
        complain(f"Unknown argument: {str(exc).lstrip('-')}")
        return 1
    return _run(flags)


def _run(flags: Flags) -> int:
    cwd = Path.cwd() / flags.one("--dir", ".")
    transcript = _transcript(flags)
    if transcript is None:
        complain("Error: Session not found")
        return 1
    prompt = " ".join(flags.words)
    transcript.append({"prompt": prompt})
    tools, output = Tools(cwd), Output(None if flags.one("--format") == "json" else _as_text)
    for name in ("INT", "TERM"):
        signal.signal(signal.Signals["SIG" + name], lambda *_, name=name: die(name))
    voice = OpencodeVoice(flags, output, transcript.path.stem, cwd)
    codes: list[int] = []
    worker = threading.Thread(target=lambda: codes.append(_perform(voice, tools, prompt)), daemon=True)
    worker.start()
    wait_for(worker)
    return codes[0] if codes else 1


def _perform(voice: OpencodeVoice, tools: Tools, prompt: str) -> int:
    try:
        Performance(voice, tools).play([*prelude(), *read_script(prompt)])
    except TurnFailed:
        return 1
    except TurnEnded:
        return 0
    return 0


def _transcript(flags: Flags) -> Transcript | None:
    folder = state_directory("opencode")
    if flags.is_on("--continue") or flags.one("--session"):
        named = flags.one("--session")
        found = newest(list(folder.glob(f"{named}.jsonl" if named else "*.jsonl")))
        return Transcript(found) if found else None
    return Transcript(folder / f"{new_id('ses_')}.jsonl")


def _as_text(message: Json) -> str:
    return str(message["part"]["text"]) + "\n" if message["type"] == "text" else ""


def _moment() -> Json:
    return {"start": now_ms(), "end": now_ms()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
