"""What Claude Code writes about itself: the lines of its transcript (`projects/*/SESSION.jsonl`).

Its messages are those of the protocol; turns begin with a prompt and end with a message that stops for `end_turn`, and
tokens stand with each message, once for every block of it. What the file keeps for the CLI's own use is passed over.
Source: transcripts of release 2.1.
"""

from __future__ import annotations

from typing import Any

from roost.agents.claude_codec import ClaudeCodec
from roost.agents.driver import Finished, Item, Opening, Ready, Taken
from roost.agents.json_in import read_object, unknown, write_line
from roost.agents.reading import OnlyReads, seen
from roost.core.soundness import integer_or_none
from roost.model.events import Conversation, Unknown, Usage

MESSAGES = frozenset({"assistant", "user", "system"})
INTERRUPTED = "[Request interrupted by user"
TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
"""In the order of `Usage`."""
Json = dict[str, Any]


class ClaudeTranscript(OnlyReads):
    """A codec that only reads."""

    def __init__(self) -> None:
        self._inner = ClaudeCodec()
        self._session = ""
        self._model = ""
        self._running = False
        self._counted = ""
        """The message whose tokens were told last."""

    def open(self, opening: Opening) -> list[Item]:
        """Nothing is ever written; prompts are typed elsewhere."""
        self._inner.open(opening)
        return [Ready()]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line of the transcript."""
        told = read_object(line)
        if told is None:
            return [seen(unknown(line, "no JSON"))]
        kind = told.get("type")
        if not isinstance(kind, str) or kind not in MESSAGES or told.get("isSidechain"):
            return []
        items = [*self._conversation(told), *self._message(told, now_ns)]
        return [seen(item) for item in items]

    def save(self) -> Any:
        """The state as plain values."""
        return [self._inner.save(), self._session, self._model, self._running, self._counted]

    def load(self, saved: Any) -> None:
        """Go on from what `save` gave."""
        inner, self._session, self._model, self._running, self._counted = saved
        self._inner.load(inner)

    def _conversation(self, told: Json) -> list[Item]:
        session, message = told.get("sessionId"), told.get("message")
        model = message.get("model") if isinstance(message, dict) else None
        model = model if isinstance(model, str) and not model.startswith("<") else self._model
        if not isinstance(session, str) or (session, model) == (self._session, self._model):
            return []
        self._session, self._model = session, model
        details = {"version": told["version"]} if isinstance(told.get("version"), str) else {}
        return [Conversation(0, 0, session, model or None, details=details)]

    def _message(self, told: Json, now_ns: int) -> list[Item]:
        message = told.get("message")
        if told["type"] == "user" and isinstance(message, dict) and not _has_results(message):
            return self._prompt(told, _text(message))
        items: list[Item] = [
            item for item in self._inner.receive(_as_protocol(told), now_ns) if not isinstance(item, Unknown)
        ]
        if told["type"] == "assistant" and isinstance(message, dict):
            items += [*self._usage(message), *self._end(message)]
        return items

    def _prompt(self, told: Json, text: str) -> list[Item]:
        if told.get("isMeta") or not text:
            return []
        was_running, self._running = self._running, not text.startswith(INTERRUPTED)
        ended: list[Item] = [Finished("interrupted", reason="interrupted")] if was_running else []
        return [*ended, Taken(prompt=text)] if self._running else ended

    def _usage(self, message: Json) -> list[Item]:
        message_id, usage, model = message.get("id"), message.get("usage"), message.get("model")
        if not isinstance(usage, dict) or not isinstance(model, str) or message_id in (None, self._counted):
            return []
        self._counted = str(message_id)
        read, written, from_cache, to_cache = [integer_or_none(usage.get(name)) or 0 for name in TOKENS]
        return [Usage(0, 0, model, read, written, from_cache, to_cache)]

    def _end(self, message: Json) -> list[Item]:
        text = _text(message)
        if message.get("stop_reason") not in ("end_turn", "stop_sequence") or not text or not self._running:
            return []
        self._running = False
        return [Finished("completed", text)]


def _has_results(message: Json) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )


def _text(message: Json) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    return "\n".join([str(block.get("text") or "") for block in blocks if block.get("type") == "text"])


def _as_protocol(told: Json) -> bytes:
    """The line as the protocol would have it."""
    kept = {name: told.get(name) for name in ("type", "subtype", "message", "uuid", "error")}
    kept |= {"tool_use_result": told.get("toolUseResult"), "is_api_error_message": told.get("isApiErrorMessage")}
    return write_line({name: value for name, value in kept.items() if value is not None}).rstrip(b"\n")
