"""One conversation of a scripted Claude Code: who it is, what it has used, what it leaves on disk."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from roost.testing.agents import claude_lines as lines
from roost.testing.agents.claude_flags import VERSION
from roost.testing.agents.claude_permissions import Permissions
from roost.testing.agents.claude_usage import Usage
from roost.testing.agents.flags import Flags
from roost.testing.agents.sessions import Transcript, newest, state_directory

Json = dict[str, Any]
DEFAULT_MODEL = "claude-opus-5-5"


class NoSession(Exception):
    """There is no conversation of that id; the message is the id."""


class SessionInUse(Exception):
    """A new conversation was to have the id of another; the message is the id."""


class Session:
    """What holds from turn to turn. `results` counts the results of this process."""

    def __init__(self, flags: Flags, cwd: Path) -> None:
        self.flags = flags
        self.cwd = cwd
        self.model = flags.one("--model", DEFAULT_MODEL)
        self.permissions = Permissions(flags, cwd)
        self.usage = Usage()
        self.results = 0
        self.id = self._identify()
        self._parent: str | None = None

    def init(self) -> Json:
        """The line that begins a turn."""
        tools = self.permissions.tools()
        return lines.init(self.id, cwd=str(self.cwd), tools=tools, model=self.model, mode=self.permissions.mode)

    def clear(self) -> None:
        """Begin a new conversation in the same process."""
        self.id = lines.new_id()
        self.usage = Usage()
        self._parent = None

    def remember_prompt(self, text: str) -> None:
        """Put a prompt into the transcript."""
        when = lines.now()
        queued = {"type": "queue-operation", "operation": "enqueue", "timestamp": when, "sessionId": self.id}
        prompt = {"type": "user", "promptId": lines.new_id(), "message": {"role": "user", "content": text}}
        source = {"permissionMode": self.permissions.mode, "promptSource": "sdk", "turnOrigin": "sdk"}
        self._transcript().append({**queued, "content": text})
        self._keep({**prompt, "uuid": lines.new_id(), "timestamp": when, **source}, is_side=False)

    def remember(self, line: Json) -> None:
        """Put an `assistant` or `user` line into the transcript; echoes are there already."""
        if line.get("isReplay"):
            return
        kept = {name: line[name] for name in ("type", "message", "uuid", "timestamp")}
        if line["type"] == "assistant":
            block = line["message"]["content"][0]["type"]
            reason = "tool_use" if block == "tool_use" else "end_turn"
            kept |= {"message": {**line["message"], "stop_reason": reason}, "requestId": line.get("request_id")}
        if "tool_use_result" in line:
            kept["toolUseResult"] = line["tool_use_result"]
        self._keep(kept, is_side=line["parent_tool_use_id"] is not None)

    def _keep(self, line: Json, *, is_side: bool) -> None:
        known = {"userType": "external", "entrypoint": "sdk-cli", "cwd": str(self.cwd), "sessionId": self.id}
        self._transcript().append(
            {"parentUuid": self._parent, "isSidechain": is_side, **line, **known, "version": VERSION}
        )
        self._parent = line["uuid"]

    def remember_cost(self) -> None:
        """Put what the session has cost into the transcript, where a later resume finds it."""
        state = {"type": "cost-state", "sessionId": self.id, "modelUsage": self.usage.models}
        self._transcript().append(state)

    def _identify(self) -> str:
        flags = self.flags
        if flags.is_on("--resume") or flags.is_on("--continue"):
            found = self._find(flags.one("--resume"))
            own = flags.one("--session-id") or (lines.new_id() if flags.is_on("--fork-session") else found.stem)
            self._take_over(found, own)
            return own
        own = flags.one("--session-id") or lines.new_id()
        if list(_projects().glob(f"*/{own}.jsonl")):
            raise SessionInUse(own)
        return own

    def _find(self, session_id: str) -> Path:
        if session_id:
            found = newest(list(_projects().glob(f"*/{session_id}.jsonl")))
        else:
            found = newest(list((_projects() / _slug(self.cwd)).glob("*.jsonl")))
        if found is None:
            raise NoSession(session_id)
        return found

    def _take_over(self, found: Path, own: str) -> None:
        for line in Transcript(found).lines():
            if line["type"] == "cost-state":
                self.usage.models = line["modelUsage"]
            elif "message" in line:
                self.usage.heard(str(line["message"]["content"]))
        target = _projects() / _slug(self.cwd) / f"{own}.jsonl"
        if target != found and not self.flags.is_on("--no-session-persistence"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)

    def _transcript(self) -> Transcript:
        is_kept = not self.flags.is_on("--no-session-persistence")
        return Transcript(_projects() / _slug(self.cwd) / f"{self.id}.jsonl", is_kept=is_kept)


def _projects() -> Path:
    return state_directory("claude", "CLAUDE_CONFIG_DIR") / "projects"


def _slug(cwd: Path) -> str:
    return re.sub(r"[^a-zA-Z0-9]", "-", str(cwd))
