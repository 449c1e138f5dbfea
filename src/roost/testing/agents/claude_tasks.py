"""What Claude Code runs in the background: commands and sub-agents, each a task with lines of its own."""

from __future__ import annotations

import time
import uuid
from typing import Any, NamedTuple

from roost.testing.models.script import Call

Json = dict[str, Any]
SUBAGENT = "general-purpose"


class Task(NamedTuple):
    """A task. `prompt` is a sub-agent's, empty for a command."""

    id: str
    run_id: str
    call_id: str
    title: str
    prompt: str

    @classmethod
    def of(cls, call_id: str, call: Call) -> Task:
        """The task that a call makes."""
        chance = uuid.uuid4().hex
        prompt = str(call.input.get("prompt", ""))
        title = "sub job" if prompt else str(call.input.get("command", ""))
        return cls(chance[:9], f"{chance[9:18]}-{chance[18:26]}", call_id, title, prompt)

    def described(self) -> Json:
        """The task in a list of tasks."""
        kind = {"task_type": "local_agent", "subagent_type": SUBAGENT} if self.prompt else {"task_type": "local_bash"}
        return {"task_id": self.id, "run_id": self.run_id, **kind, "description": self.title}

    def named(self) -> Json:
        """What every line about it begins with."""
        return {"task_id": self.id, "run_id": self.run_id, "tool_use_id": self.call_id}

    def started(self) -> Json:
        """`task_started`."""
        if not self.prompt:
            return {**self.named(), "description": self.title, "is_backgrounded": True, "task_type": "local_bash"}
        kind = {"subagent_type": SUBAGENT, "is_backgrounded": True, "spawn_depth": 1, "task_type": "local_agent"}
        return {**self.named(), "description": self.title, **kind, "prompt": self.prompt}

    def updated(self, *, is_error: bool) -> Json:
        """`task_updated` at its end."""
        patch = {"status": _status(is_error), "end_time": time.time_ns() // 1_000_000}
        return {"task_id": self.id, "run_id": self.run_id, "patch": patch}

    def notified(self, text: str, *, is_error: bool) -> Json:
        """`task_notification`: `text` is what a sub-agent reported."""
        summary = text if self.prompt else f'Background command "{self.title}" {_status(is_error)}'
        told: Json = {**self.named(), "status": _status(is_error), "output_file": "", "summary": summary}
        if self.prompt:
            told |= {"summary_is_report": True, "usage": {"total_tokens": 3000, "tool_uses": 1, "duration_ms": 1}}
        return told

    def of_lines(self) -> Json:
        """What the lines of a sub-agent have besides."""
        return {"agent_id": self.id, "subagent_type": SUBAGENT, "task_description": self.title}


def _status(is_error: bool) -> str:
    return "failed" if is_error else "completed"
