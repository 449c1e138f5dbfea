"""A thread of a scripted Codex: who it is, what it has used, and the file that it leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from roost.testing.agents.claude_usage import tokens_in
from roost.testing.agents.codex_items import time_id
from roost.testing.agents.sessions import Transcript, newest, state_directory

Json = dict[str, Any]
VERSION = "0.169.0"
DEFAULT_MODEL = "gpt-5.5"
SYSTEM_TOKENS = 7000
CONTEXT_WINDOW = 258400


class NoThread(Exception):
    """There is no thread of that id; the message is the id."""


class Thread:
    """What holds from turn to turn. Token counts are cumulative, over resumes too."""

    def __init__(self, cwd: Path, *, thread_id: str = "", is_kept: bool = True) -> None:
        self.id = thread_id or time_id()
        self.cwd = cwd
        self.model = DEFAULT_MODEL
        self.approval_policy: Any = "on-request"
        self.sandbox = "workspace-write"
        self.granted: set[str] = set()
        self.preview = ""
        self.created_at = datetime.now(UTC)
        self.total = [0, 0]
        self.last = [0, 0]
        self._history = 0
        self._ordinal = 0
        self._transcript = Transcript(self._path(), is_kept=is_kept)

    @property
    def path(self) -> Path:
        """The file that it leaves."""
        return self._transcript.path

    @classmethod
    def resumed(cls, thread_id: str, cwd: Path) -> Thread:
        """A thread as its file tells it; the newest one without an id.

        Raises:
            NoThread: there is no such file.
        """
        found = newest(list(_sessions().rglob(f"rollout-*{thread_id}.jsonl")))
        if found is None:
            raise NoThread(thread_id)
        thread = cls(cwd, thread_id=thread_id or found.stem[-36:])
        thread._transcript = Transcript(found)
        for line in thread._transcript.lines():
            thread._recall(line)
        return thread

    def fork(self) -> Thread:
        """A new thread that begins where this one is."""
        forked = Thread(self.cwd)
        forked.total, forked._history, forked.preview = list(self.total), self._history, self.preview
        forked.begin()
        forked._count_token_line()
        return forked

    def begin(self) -> None:
        """Write the first line of the file."""
        payload = {"session_id": self.id, "id": self.id, "cwd": str(self.cwd), "cli_version": VERSION}
        self._write("session_meta", {**payload, "timestamp": _stamp(self.created_at), "originator": "scripted"})

    def heard(self, text: str) -> None:
        """Something that the next request to the model holds besides."""
        self.preview = self.preview or text
        self._history += tokens_in(text)

    def message(self, role: str, text: str) -> None:
        """Put something that was said into the file."""
        kind = "input_text" if role == "user" else "output_text"
        self._write("response_item", {"type": "message", "role": role, "content": [{"type": kind, "text": text}]})

    def answered(self, written: int, *, read: int = 0) -> None:
        """The model answered a request."""
        self.last = [read or SYSTEM_TOKENS + self._history, written]
        self.total = [whole + part for whole, part in zip(self.total, self.last, strict=True)]
        self._count_token_line()

    def usage(self) -> Json:
        """`tokenUsage`."""
        return {"total": _camel(self.total), "last": _camel(self.last), "modelContextWindow": CONTEXT_WINDOW}

    def _count_token_line(self) -> None:
        info = {"total_token_usage": snake(self.total), "last_token_usage": snake(self.last)}
        self._write("event_msg", {"type": "token_count", "info": info})

    def _recall(self, line: Json) -> None:
        payload = line["payload"]
        self._ordinal = line["ordinal"] + 1
        if payload.get("type") == "token_count":
            total = payload["info"]["total_token_usage"]
            self.total = [total["input_tokens"], total["output_tokens"]]
        elif payload.get("type") == "message":
            self.heard(str(payload["content"][0]["text"]))

    def _path(self) -> Path:
        day, second = self.created_at.strftime("%Y/%m/%d"), self.created_at.strftime("%Y-%m-%dT%H-%M-%S")
        return _sessions() / day / f"rollout-{second}-{self.id}.jsonl"

    def _write(self, kind: str, payload: Json) -> None:
        line = {"timestamp": _stamp(datetime.now(UTC)), "ordinal": self._ordinal, "type": kind, "payload": payload}
        self._ordinal += 1
        self._transcript.append(line)


def snake(counts: list[int]) -> Json:
    """Counts as `exec --json` and the file have them."""
    read, written = counts
    known = {"cached_input_tokens": 0, "cache_write_input_tokens": 0}
    return {"input_tokens": read, **known, "output_tokens": written, "reasoning_output_tokens": 0}


def _camel(counts: list[int]) -> Json:
    read, written = counts
    known = {"cachedInputTokens": 0, "cacheWriteInputTokens": 0}
    counted = {"totalTokens": read + written, "inputTokens": read, **known}
    return {**counted, "outputTokens": written, "reasoningOutputTokens": 0}


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sessions() -> Path:
    return state_directory("codex", "CODEX_HOME") / "sessions"
