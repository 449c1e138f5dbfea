"""Turns of a scripted Claude Code, one after the other, and what ends them."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import Any

from roost.testing.agents import claude_lines as lines
from roost.testing.agents.claude_host import Host, text_of
from roost.testing.agents.claude_session import Session
from roost.testing.agents.claude_slash import run_slash
from roost.testing.agents.claude_tasks import Task
from roost.testing.agents.claude_voice import ClaudeVoice
from roost.testing.agents.output import Output, end
from roost.testing.agents.performing import Finished, Interrupted, Performance, TurnEnded, TurnFailed
from roost.testing.agents.prelude import prelude
from roost.testing.agents.workshop import Tools
from roost.testing.models.script import Answer, BadStep, Say, read_script

Json = dict[str, Any]


class Turns:
    """Works off the prompts that a host sends. `exit_code` is what the last result makes of it."""

    def __init__(self, session: Session, output: Output, host: Host) -> None:
        self._session = session
        self._output = output
        self._host = host
        own = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": session.id, "CLAUDE_PID": str(os.getpid())}
        self._tools = Tools(session.cwd, own)
        self._running: Performance | None = None
        self._is_leaving = threading.Event()
        self.exit_code = 0

    def serve(self) -> None:
        """Until there are no more prompts."""
        while (prompt := self._host.next_prompt()) is not None:
            self._host.state("running")
            self._host.lifecycle(prompt, "started")
            self._turn(prompt)
            self._host.lifecycle(prompt, "completed")
            self._host.state("idle")
            if self._is_leaving.is_set():
                end(0)

    def interrupt(self) -> None:
        """End the running turn, if there is one."""
        if self._running is not None:
            self._running.interrupt()

    def leave_after_interrupt(self) -> None:
        """What SIGINT does: the turn is interrupted, its result is still given, and the exit code is 0."""
        self._is_leaving.set()
        if self._running is None:
            end(0)
        self.interrupt()

    def kill_tools(self) -> None:
        """End what runs."""
        self._tools.kill()

    def _turn(self, prompt: Json) -> None:
        text = text_of(prompt)
        if text.startswith("/") and run_slash(self._session, self._output, text):
            return
        started = time.monotonic()
        self._session.usage.begin_turn(text)
        self._session.remember_prompt(text)
        voice = ClaudeVoice(self._session, self._output, self._host, prompt)
        performance = self._running = Performance(voice, self._tools, has_background=True)
        self._output.send(self._session.init())
        ending = self._perform(voice, performance, text)
        self._running = None
        self._result(voice, ending, started)
        for asked, later in performance.behind:
            self._finish_task(voice.tasks[asked.id], later)

    def _perform(self, voice: ClaudeVoice, performance: Performance, text: str) -> Json:
        try:
            self._play(performance, _answers(text))
        except Interrupted as exc:
            voice.interrupted(exc.pending)
            return _interrupted(bool(exc.pending), voice.stop_reason)
        except TurnFailed:
            return {"terminal_reason": "api_error", "is_error": True, "subtype": "success", **voice.failure}
        except TurnEnded:
            most = self._session.flags.one("--max-turns")
            text = f"Reached maximum number of turns ({most})"
            return {"terminal_reason": "max_turns", "is_error": True, "subtype": "error_max_turns", "errors": [text]}
        return {"terminal_reason": "completed", "is_error": False, "subtype": "success", "api_error_status": None}

    def _play(self, performance: Performance, answers: list[Answer]) -> None:
        performance.play(prelude())
        most = int(self._session.flags.one("--max-turns", "1000000"))
        performance.play(answers[:most])
        if len(answers) > most:
            raise TurnEnded

    def _result(self, voice: ClaudeVoice, ending: Json, started: float, **fields: Any) -> None:
        said = {"result": voice.text} if ending["subtype"] == "success" else {}
        line = lines.result(
            self._session.id,
            duration_ms=int((time.monotonic() - started) * 1000),
            stop_reason=voice.stop_reason,
            **self._session.usage.of_result(),
            permission_denials=voice.denials,
            **fields,
            **ending,
            num_turns=1 + voice.users,
            **said,
            **_timings(ending),
            result_index=self._session.results,
        )
        self._session.results += 1
        self._session.remember_cost()
        self.exit_code = int(bool(ending["is_error"]))
        self._output.send(line)

    def _finish_task(self, task: Task, later: queue.SimpleQueue[Finished]) -> None:
        """A task in the background ends: that makes a turn of its own."""
        session, output = self._session, self._output
        outcome = later.get().outcome
        text = self._sub_agent(task) if task.prompt else outcome.text
        output.send(lines.system(session.id, "task_updated", **task.updated(is_error=outcome.is_error)))
        told = task.notified(text, is_error=outcome.is_error)
        output.send(lines.system(session.id, "task_notification", **told))
        output.send(lines.system(session.id, "background_tasks_changed", tasks=[]))
        started = time.monotonic()
        session.usage.begin_turn(text)
        voice = ClaudeVoice(session, output, self._host, {})
        output.send(session.init())
        ending = self._perform(voice, Performance(voice, self._tools), "@say Done.")
        origin = {"kind": "task-notification", "producer": "session-task", "runId": task.run_id}
        self._result(voice, ending, started, origin=origin)

    def _sub_agent(self, task: Task) -> str:
        """A sub-agent does what its prompt says; its report."""
        voice = ClaudeVoice(self._session, self._output, self._host, {}, task)
        self._perform(voice, Performance(voice, self._tools), task.prompt)
        return voice.text


def _answers(text: str) -> list[Answer]:
    try:
        return read_script(text)
    except BadStep as exc:
        return [[Say(f"I do not understand: {exc}")]]


def _interrupted(in_tools: bool, stop_reason: str | None) -> Json:
    reason = "aborted_tools" if in_tools else "aborted_streaming"
    shown = stop_reason if stop_reason is not None else "null"
    text = f"[ede_diagnostic] result_type=user last_content_type=n/a stop_reason={shown}"
    return {"terminal_reason": reason, "is_error": True, "subtype": "error_during_execution", "errors": [text]}


def _timings(ending: Json) -> Json:
    if ending["terminal_reason"] != "completed":
        return {}
    return {"ttft_ms": 2, "ttft_stream_ms": 1, "time_to_request_ms": 1, "first_content_frame_ms": 2}
