"""`codex exec --json`: one turn, written down as flat lines. Nobody is asked anything."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Any

from roost.testing.agents.codex_items import PLAN_STATUS
from roost.testing.agents.codex_thread import NoThread, Thread, snake
from roost.testing.agents.codex_voice import CodexVoice
from roost.testing.agents.flags import MANY, MAYBE, ON, ONE, BadFlag, Flags, read_flags
from roost.testing.agents.output import Output, complain, die, end
from roost.testing.agents.performing import Performance, TurnEnded, TurnFailed
from roost.testing.agents.prelude import prelude
from roost.testing.agents.stdin import wait_for
from roost.testing.agents.workshop import Tools
from roost.testing.models.script import Call, Fault, read_script

Json = dict[str, Any]
NOT_TRUSTED = "Not inside a trusted directory and --skip-git-repo-check was not specified."
KNOWN = {
    "--add-dir": ONE,
    "--approve-for-me": ON,
    "--cd -C": ONE,
    "--color": ONE,
    "--config -c": ONE,
    "--dangerously-bypass-approvals-and-sandbox --yolo": ON,
    "--dangerously-bypass-hook-trust": ON,
    "--disable": ONE,
    "--enable": ONE,
    "--ephemeral": ON,
    "--full-auto": ON,
    "--ignore-rules": ON,
    "--ignore-user-config": ON,
    "--image -i": MANY,
    "--json --experimental-json": ON,
    "--last": ON,
    "--local-provider": ONE,
    "--model -m": ONE,
    "--oss": ON,
    "--output-last-message -o": ONE,
    "--output-schema": ONE,
    "--profile -p": ONE,
    "--sandbox -s": ONE,
    "--skip-git-repo-check": ON,
    "--strict-config": ON,
    "--thread-source": ONE,
    "--trust": ON,
    "--worktree": ON,
    "--debug": MAYBE,
}
USAGE = "\n\nUsage: codex exec [OPTIONS] [PROMPT]\n\nFor more information, try '--help'."


def run_exec(arguments: list[str]) -> int:
    """Run with what follows `exec`; the exit code."""
    try:
        flags = read_flags(arguments, KNOWN)
    except BadFlag as exc:
        complain(f"error: unexpected argument '{exc}' found{USAGE}")
        return 2
    try:
        thread, prompt = _thread(flags)
    except NoThread as exc:
        complain(f"Error: thread/resume: thread/resume failed: no rollout found for thread id {exc} (code -32600)")
        return 1
    if not _is_trusted(flags, thread.cwd):
        complain(NOT_TRUSTED)
        return 1
    return _Run(flags, thread).turn(prompt)


def _thread(flags: Flags) -> tuple[Thread, str]:
    cwd = Path.cwd() / flags.one("--cd", ".")
    words = list(flags.words)
    verb = words.pop(0) if words and words[0] in ("resume", "fork") else ""
    if verb:
        known = "" if flags.is_on("--last") else words.pop(0)
        thread = Thread.resumed(known, cwd)
        thread = thread.fork() if verb == "fork" else thread
    else:
        thread = Thread(cwd, is_kept=not flags.is_on("--ephemeral"))
        thread.begin()
    thread.model = flags.one("--model", thread.model)
    return thread, _prompt(words)


def _prompt(words: list[str]) -> str:
    if words and words[0] != "-":
        return words[0]
    return sys.stdin.read().strip()


def _is_trusted(flags: Flags, cwd: Path) -> bool:
    free = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "--trust")
    return any(flags.is_on(name) for name in free) or any((one / ".git").exists() for one in (cwd, *cwd.parents))


class _Run:
    """The one turn, and where its items go."""

    def __init__(self, flags: Flags, thread: Thread) -> None:
        self._flags = flags
        self._thread = thread
        self._output = Output()
        self._is_json = flags.is_on("--json")
        self._numbers: dict[str, str] = {}
        self._list: Json | None = None
        self._tools = Tools(thread.cwd)

    def turn(self, prompt: str) -> int:
        """Run; the exit code."""
        signal.signal(signal.SIGINT, lambda *_: self._leave(1))
        signal.signal(signal.SIGTERM, lambda *_: self._leave(-signal.SIGTERM))
        self._send({"type": "thread.started", "thread_id": self._thread.id})
        self._send({"type": "turn.started"})
        self._thread.heard(prompt)
        self._thread.message("user", prompt)
        voice = CodexVoice(self._thread, self)
        failed = threading.Event()
        # Signals are heard by the main thread, which must not be the one that waits for a tool.
        worker = threading.Thread(target=self._perform, args=(voice, prompt, failed), daemon=True)
        worker.start()
        wait_for(worker)
        return self._end(voice, is_failed=failed.is_set())

    def _perform(self, voice: CodexVoice, prompt: str, failed: threading.Event) -> None:
        try:
            Performance(voice, self._tools).play([*prelude(), *read_script(prompt)])
        except TurnFailed:
            failed.set()
        except TurnEnded:
            return

    def _end(self, voice: CodexVoice, *, is_failed: bool) -> int:
        if is_failed:
            message = voice.error["message"] if voice.error else ""
            self._send({"type": "turn.failed", "error": {"message": message}})
            return 1
        if self._list is not None:
            self._send({"type": "item.completed", "item": self._list})
        self._send({"type": "turn.completed", "usage": snake(self._thread.total)})
        last = voice.messages[-1]["text"] if voice.messages else ""
        if not self._is_json:
            self._output.raw(last.encode() + b"\n")
        if target := self._flags.one("--output-last-message"):
            Path(target).write_text(last)
        return 0

    def _leave(self, code: int) -> None:
        self._tools.kill()
        if code < 0:
            die(signal.Signals(-code).name)
        end(code)

    def _send(self, line: Json) -> None:
        if self._is_json:
            self._output.send(line)

    # What becomes of the items

    def started(self, item: Json) -> None:
        if item["type"] in ("commandExecution", "fileChange", "mcpToolCall"):
            self._send({"type": "item.started", "item": self._flat(item)})

    def completed(self, item: Json) -> None:
        if item["type"] != "userMessage":
            self._send({"type": "item.completed", "item": self._flat(item)})

    def thought(self, item: Json, text: str) -> None:
        """Pieces are not shown."""

    def said(self, item: Json, text: str) -> None:
        """Pieces are not shown."""

    def printed(self, item: Json, text: str) -> None:
        """Pieces are not shown."""

    def plan(self, steps: list[Json]) -> None:
        done = PLAN_STATUS["completed"]
        todos = [{"text": step["step"], "completed": step["status"] == done} for step in steps]
        kind = "item.started" if self._list is None else "item.updated"
        self._list = {"id": self._number("plan"), "type": "todo_list", "items": todos}
        self._send({"type": kind, "item": self._list})

    def diff(self, text: str) -> None:
        """The whole difference is not shown."""

    def usage(self) -> None:
        """Counts come with the end of the turn."""

    def error(self, message: str, info: Any, *, will_retry: bool) -> None:
        self._send({"type": "error", "message": message})

    def approve(self, item: Json) -> str:
        return "accept"

    def ask(self, item_id: str, call: Call) -> str:
        return ""

    def fault(self, fault: Fault) -> None:
        self._output.fault(fault, {"type": "turn.started"})

    def steered(self) -> list[str]:
        return []

    def _number(self, item_id: str) -> str:
        return self._numbers.setdefault(item_id, f"item_{len(self._numbers)}")

    def _flat(self, item: Json) -> Json:
        number = self._number(item["id"])
        match item["type"]:
            case "agentMessage":
                return {"id": number, "type": "agent_message", "text": item["text"]}
            case "reasoning":
                return {"id": number, "type": "reasoning", "text": "\n".join(item["summary"])}
            case "commandExecution":
                known = {"command": item["command"], "aggregated_output": item["aggregatedOutput"] or ""}
                known |= {"exit_code": item["exitCode"], "status": _status(item)}
                return {"id": number, "type": "command_execution", **known}
            case "fileChange":
                changes = [{"path": one["path"], "kind": one["kind"]["type"]} for one in item["changes"]]
                return {"id": number, "type": "file_change", "changes": changes, "status": _status(item)}
            case "plan":
                return {"id": number, "type": "plan", "text": item["text"]}
            case _:
                return {"id": number, "type": "mcp_tool_call", **_tool_call(item)}


def _status(item: Json) -> str:
    return "in_progress" if item["status"] == "inProgress" else str(item["status"])


def _tool_call(item: Json) -> Json:
    result = item["result"] and {"content": item["result"]["content"], "structured_content": None}
    known = {"server": item["server"], "tool": item["tool"], "arguments": item["arguments"]}
    return {**known, "result": result, "error": item["error"], "status": _status(item)}
