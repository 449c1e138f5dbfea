"""Claude Code's language: lines of JSON both ways (`--input-format stream-json --output-format stream-json`)."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from roost.agents.claude_control import (
    answer_line,
    control_cancel_request,
    control_request,
    control_response,
    prompt_line,
    request_line,
)
from roost.agents.claude_lines import Line, read_in_part, read_line
from roost.agents.claude_messages import assistant, stream_event, user
from roost.agents.claude_notices import OTHER, other, system
from roost.agents.claude_results import result
from roost.agents.claude_state import State, remember
from roost.agents.driver import Decision, Image, Item, Opening, Write
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Unknown

_WITH_LINE = {
    "assistant": assistant,
    "user": user,
    "stream_event": stream_event,
    "control_cancel_request": control_cancel_request,
}
_WITH_DATA = {"result": result, "control_request": control_request, "control_response": control_response}
_WITH_BOTH = {"system": system} | dict.fromkeys(OTHER, other)


class ClaudeCodec:
    """One session's conversation with Claude Code."""

    def __init__(self) -> None:
        self._state = State()

    def open(self, opening: Opening) -> list[Item]:
        """The handshake; its answer says that prompts are taken."""
        state, definition = self._state, opening.definition
        state.cwd = definition.cwd
        state.resumed = any(word.startswith(("--resume", "--continue")) for word in opening.argv)
        state.one_shot = not takes_prompts(opening.argv)
        if state.one_shot:
            return []
        return [request_line(state, ["initialize"], {"subtype": "initialize", "hooks": None})]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line of standard output; the times that the CLI tells are not used."""
        try:
            told = read_line(line)
        except msgspec.ValidationError as error:
            return self._in_part(line, str(error))
        except msgspec.DecodeError:
            return _plain(line)
        return self._understood(told, line)

    def _understood(self, told: Line, line: bytes) -> list[Item]:
        kind = told.type
        if (with_line := _WITH_LINE.get(kind)) is not None:
            return with_line(self._state, told)
        try:
            if (with_both := _WITH_BOTH.get(kind)) is not None:
                return with_both(self._state, told, line)
            if (with_data := _WITH_DATA.get(kind)) is not None:
                return with_data(self._state, line)
        except msgspec.ValidationError as error:
            return [Unknown(0, 0, _text(line), str(error))]
        return [Unknown(0, 0, _text(line), f"a line of the type {kind!r}")]

    def _in_part(self, line: bytes, error: str) -> list[Item]:
        """What can be understood of a line of which something is other than expected, and the line as it is."""
        try:
            told = read_in_part(Line, line)
        except msgspec.DecodeError:
            return _plain(line)
        items = self._understood(told, line)
        return (
            items if any(isinstance(item, Unknown) for item in items) else [*items, Unknown(0, 0, _text(line), error)]
        )

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The next turn's prompt."""
        self._state.prompted = turn.turn_id
        return self.steer(turn, images)

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The CLI puts it between two tools' results of the running turn."""
        native, line = prompt_line(turn, images)
        remember(self._state.waiting, native, turn.turn_id)
        return [Write(line)]

    def interrupt(self) -> list[Item]:
        """The turn ends with a result, its tools are stopped, and the process stays."""
        return [] if self._state.one_shot else [request_line(self._state, ["interrupt"], {"subtype": "interrupt"})]

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """What was decided."""
        return [answer_line(approval, decision)]

    def change(self, what: str, value: str) -> list[Item]:
        """Another model or permission mode, from now on."""
        if self._state.one_shot:
            return []
        request = {"subtype": "set_model", "model": value}
        if what == "mode":
            request = {"subtype": "set_permission_mode", "mode": value}
        return [request_line(self._state, [what, value], request)]

    def finish(self) -> list[Item]:
        """Nothing is ever held back."""
        return []

    def save(self) -> Any:
        """The state as plain values."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """Go on from what `save` gave."""
        self._state = msgspec.convert(saved, State)


def takes_prompts(argv: list[str]) -> bool:
    """Whether Claude Code, started so, reads lines of JSON from its standard input."""
    after = dict(itertools.pairwise(argv))
    return after.get("--input-format") == "stream-json" or "--input-format=stream-json" in argv


def _plain(line: bytes) -> list[Item]:
    """A line that is no JSON object: other programs' words, or the answer where the user chose plain text."""
    text = _text(line)
    return [Unknown(0, 0, text, "no JSON object")] if text.strip() else []


def _text(line: bytes) -> str:
    return line.decode(errors="replace")
