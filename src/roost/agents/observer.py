"""What others saw an agent do: marks in the recording that somebody made who looked over its shoulder.

`file_changed` is from a watcher on the agent's directory. A change is credited to the tool call that made it: the only
one that runs, or, of several, the one whose title names the file; shortly after a call's end still to that call.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from roost.agents.claude_tools import call_title
from roost.agents.claude_transcript import ClaudeTranscript
from roost.agents.codex_rollout import CodexRollout
from roost.agents.conversation import ConversationDecoder, Price
from roost.agents.driver import Codec
from roost.core.soundness import MAX_INTEGER, integer_or_none, text_or_none
from roost.model.agents import Definition
from roost.model.attention import MAX_SUMMARY, Attention, AttentionKind, Wants
from roost.model.conversations import ConversationState, OpenCall
from roost.model.events import AnyEvent, FileChange, Notice, ToolResult, Turn, Usage

TRANSCRIPTS: dict[str, Callable[[], Codec]] = {"claude": ClaudeTranscript, "codex": CodexRollout}
"""Who can read the file in which a CLI keeps its conversation."""
API_REQUEST = "api_request"
"""Claude Code's record of a request to the model."""
CHANGES = ("created", "modified", "deleted", "renamed")
_GOES_ON: dict[str, AttentionKind] = {
    "PostToolUse": "works",
    "UserPromptSubmit": "works",
    "Stop": "idle",
    "SessionEnd": "idle",
}
"""Hooks that run when nothing is asked any more, and what the agent is then about."""
_WANTS: dict[str, Wants] = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}
AFTERWARDS_NS = 2_000_000_000
"""How long after a call's end a change may still be its doing: a watcher tells a little late."""


class _Saved(Struct, array_like=True):
    calls: list[OpenCall]
    seen_ns: int
    cli: str
    talk: bytes | None
    waits: bool = False


class SessionObserver:
    """Of one session; keeps the calls that last ran."""

    def __init__(self, definition: Definition, price: Price | None = None) -> None:
        self._definition = definition
        self._price = price
        self._calls: list[OpenCall] = []
        self._seen_ns = 0
        self._cli = ""
        self._reader: ConversationDecoder | None = None
        self._waits = False
        self._noticed: Attention | None = None

    @property
    def talk(self) -> ConversationState | None:
        """The conversation as the agent's own notes have it, where there are any."""
        return self._reader.state if self._reader else None

    def mark(
        self, name: str, data: dict[str, Any], talk: ConversationState | None, now_ns: int
    ) -> list[AnyEvent] | None:
        """The events of an observation; none where the mark is none."""
        handler = _MARKS.get(name)
        return None if handler is None else handler(self, data, talk, now_ns)

    def noticed(self) -> Attention | None:
        """What the last mark says the agent is about, where that is another than before."""
        found, self._noticed = self._noticed, None
        return found

    def finish(self, now_ns: int) -> list[AnyEvent]:
        """The process ended, and so did what it was about."""
        return self._reader.finish(now_ns) if self._reader else []

    def save(self) -> bytes:
        """What `load` needs."""
        return msgspec.msgpack.encode(
            _Saved(self._calls, self._seen_ns, self._cli, self._reader.save() if self._reader else None, self._waits)
        )

    def load(self, saved: bytes) -> None:
        """Go on from what `save` gave.

        Raises:
            ValueError: another release made it.
        """
        try:
            of = msgspec.msgpack.decode(saved, type=_Saved)
        except msgspec.DecodeError as exc:
            raise ValueError(f"not the state of an observer: {exc}") from exc
        self._calls, self._seen_ns, self._waits = of.calls, of.seen_ns, of.waits
        if of.talk is not None:
            self._reader = self._open(of.cli, self._seen_ns)
            self._reader.load(of.talk)

    def _file_changed(self, data: dict[str, Any], talk: ConversationState | None, now_ns: int) -> list[AnyEvent]:
        path, change = text_or_none(data.get("path")), data.get("change")
        if not path or change not in CHANGES or _is_told(path, talk, now_ns):
            return []
        call = self._author(path, talk, now_ns)
        return [
            FileChange(
                0,
                0,
                path,
                change,
                integer_or_none(data.get("bytes")),
                integer_or_none(data.get("added")),
                integer_or_none(data.get("removed")),
                call.tool_use_id if call else None,
                text_or_none(data.get("renamed_from")),
                source="watcher",
            )
        ]

    def _files_changed(self, data: dict[str, Any], talk: ConversationState | None, now_ns: int) -> list[AnyEvent]:
        count = integer_or_none(data.get("count")) or 0
        return [Notice(0, 0, "MANY_FILES_CHANGED", f"{count} more files changed", {"count": count}, source="watcher")]

    def _transcript(self, data: dict[str, Any], talk: ConversationState | None, now_ns: int) -> list[AnyEvent]:
        cli, file, lines = text_or_none(data.get("cli"), 64) or "", text_or_none(data.get("file")), data.get("lines")
        offset = integer_or_none(data.get("offset"))
        if cli not in TRANSCRIPTS or file is None or offset is None or not isinstance(lines, list):
            return []
        if self._reader is None:
            self._reader = self._open(cli, now_ns)
        read, events = dict(self._reader.state.read), []
        for line in lines:
            encoded = str(line).encode("utf-8", "surrogatepass") + b"\n"
            if offset >= read.get(file, 0):
                events += self._reader.output(encoded, now_ns)
                read[file] = offset + len(encoded)
            offset += len(encoded)
        self._reader.state = replace(self._reader.state, read=tuple(read.items()))
        if any(_is_answer(event) for event in events):
            self._go_on("works", "its transcript goes on", now_ns)
        return events

    def _hook(self, data: dict[str, Any], talk: ConversationState | None, now_ns: int) -> list[AnyEvent]:
        """A moment that the agent told of itself."""
        moment, message = (
            text_or_none(data.get("hook_event_name"), 64),
            text_or_none(data.get("message"), MAX_SUMMARY) or "",
        )
        kind = data.get("notification_type")
        if moment == "PermissionRequest":
            return self._ask(data, now_ns)
        if moment == "Notification" and kind == "permission_prompt":
            return [] if self._waits else self._ask({"message": message}, now_ns)
        if moment == "Notification":
            details = {"kind": kind} if isinstance(kind, str) else {}
            return [Notice(0, 0, "NOTIFICATION", message, details, source="hook")]
        if moment in _GOES_ON:
            self._go_on(_GOES_ON[moment], f"its hook {moment} ran", now_ns)
        return []

    def _ask(self, data: dict[str, Any], now_ns: int) -> list[AnyEvent]:
        tool, given = text_or_none(data.get("tool_name"), 255) or "", data.get("tool_input")
        given = given if isinstance(given, dict) else {}
        message = text_or_none(data.get("message"), MAX_SUMMARY) or ""
        shown = call_title(tool, given, self._definition.cwd) if tool else message
        self._waits = True
        self._noticed = Attention(
            kind="waits",
            wants=_WANTS.get(tool, "permission"),
            since_ns=now_ns,
            evidence=("it ran the hook that it runs when it asks",),
            source="hook",
            summary=shown[:MAX_SUMMARY],
        )
        details = {"tool": tool, "input": given} if tool else {}
        return [Notice(0, 0, "WAITS_FOR_PERMISSION", shown, details, source="hook")]

    def _go_on(self, kind: AttentionKind, evidence: str, now_ns: int) -> None:
        """What it asked is answered."""
        if self._waits:
            self._waits = False
            self._noticed = Attention(kind=kind, since_ns=now_ns, evidence=(evidence,), source="hook")

    def _telemetry(self, data: dict[str, Any], talk: ConversationState | None, now_ns: int) -> list[AnyEvent]:
        """Each record as it came; what requests cost counts only where nobody else tells of it."""
        told = data.get("records")
        events: list[AnyEvent] = []
        for record in told if isinstance(told, list) else ():
            if not isinstance(record, dict):
                continue
            name = text_or_none(record.pop("name", None), 255) or "record"
            events.append(Notice(0, 0, "TELEMETRY", name, record, source="telemetry"))
            given = record.get("attributes")
            if talk is None and name == API_REQUEST and isinstance(given, dict):
                events.append(_spent(given))
        return events

    def _open(self, cli: str, now_ns: int) -> ConversationDecoder:
        self._cli = cli
        reader = ConversationDecoder("", TRANSCRIPTS[cli](), can_steer=False, price=self._price, source="transcript")
        reader.open(self._definition.command, self._definition, now_ns)
        return reader

    def _author(self, path: str, talk: ConversationState | None, now_ns: int) -> OpenCall | None:
        if talk is not None and talk.calls:
            self._calls, self._seen_ns = list(talk.calls[-16:]), now_ns
        elif now_ns - self._seen_ns > AFTERWARDS_NS:
            self._calls = []
        if len(self._calls) == 1:
            return self._calls[0]
        name = posixpath.basename(path)
        named = [call for call in self._calls if name and name in call.title]
        return named[-1] if named else None


Handler = Callable[[SessionObserver, dict[str, Any], ConversationState | None, int], list[AnyEvent]]

_MARKS: dict[str, Handler] = {
    "file_changed": SessionObserver._file_changed,
    "files_changed": SessionObserver._files_changed,
    "transcript": SessionObserver._transcript,
    "telemetry": SessionObserver._telemetry,
    "hook": SessionObserver._hook,
}


def _is_answer(event: AnyEvent) -> bool:
    """Whether it tells that nothing is asked any more. A tool that was allowed tells so by a hook, and sooner."""
    if isinstance(event, ToolResult):
        return event.is_error
    return isinstance(event, Turn) and event.state != "started"


def _is_told(path: str, talk: ConversationState | None, now_ns: int) -> bool:
    """Whether the agent itself has just told of a change to this file, with more than a watcher knows."""
    return talk is not None and any(path == told and now_ns - at <= AFTERWARDS_NS for told, at in talk.changed)


def _spent(given: dict[str, Any]) -> Usage:
    """What a request to the model cost; numbers may come as text."""
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_creation_tokens")
    read, written, from_cache, to_cache = [int(_number(given.get(name))) for name in names]
    cost = _number(given["cost_usd"]) if "cost_usd" in given else None
    return Usage(0, 0, str(given.get("model", "")), read, written, from_cache, to_cache, cost, cost, source="telemetry")


def _number(value: object) -> float:
    try:
        found = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return 0.0
    return found if math.isfinite(found) and 0 <= found < MAX_INTEGER else 0.0
