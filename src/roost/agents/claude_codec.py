"""Claude Code's language: lines of JSON both ways (`--input-format stream-json --output-format stream-json`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
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
from roost.agents.claude_state import LONGEST_ANSWER, State, remember
from roost.agents.driver import Decision, Finished, Image, Item, Opening, Taken, Write
from roost.agents.json_in import read_object as read_mended
from roost.agents.json_in import unknown, write_line
from roost.agents.one_shot import NO_STDIN
from roost.agents.sound_items import sound_items
from roost.agents.titles import one_line
from roost.core.soundness import sound_text
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Output, Unknown

_LINES: dict[str, Callable[[State, Line, bytes], list[Item]]] = {
    "assistant": assistant,
    "user": user,
    "stream_event": stream_event,
    "system": system,
    "result": result,
    "control_request": control_request,
    "control_response": control_response,
    "control_cancel_request": control_cancel_request,
} | dict.fromkeys(OTHER, other)


class ClaudeCodec:
    """One session's conversation with Claude Code."""

    def __init__(self) -> None:
        self._state = State()

    def open(self, opening: Opening) -> list[Item]:
        """The handshake; its answer says that prompts are taken."""
        state, definition = self._state, opening.definition
        state.cwd = definition.cwd
        argv = opening.argv[len(NO_STDIN) :] if tuple(opening.argv[: len(NO_STDIN)]) == NO_STDIN else opening.argv
        state.resumed = goes_on(argv)
        state.one_shot = not takes_prompts(argv)
        state.plain = state.one_shot and value_of(argv, "--output-format") in (None, "text")
        if state.one_shot:
            return []
        return [request_line(state, ["initialize"], {"subtype": "initialize", "hooks": None})]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line of standard output; the times that the CLI tells are not used."""
        try:
            told = read_line(line)
        except msgspec.ValidationError as error:
            return self._in_part(line, str(error))
        except (ValueError, RecursionError):
            return self._mended(line)
        return self._handled(told, line)

    def _handled(self, told: Line, line: bytes) -> list[Item]:
        handler = _LINES.get(told.type)
        if handler is None:
            return [unknown(line, f"a line of the type {one_line(told.type, 64)!r}")]
        try:
            items = handler(self._state, told, line)
        except (ValueError, RecursionError) as error:
            return [unknown(line, str(error))]
        return sound_items(items, line) if items else items

    def _in_part(self, line: bytes, error: str) -> list[Item]:
        """What can be understood of a line of which something is other than expected, and the line as it is."""
        try:
            items = self._handled(read_in_part(Line, line), line)
        except (ValueError, RecursionError):
            return self._mended(line)
        return [*[item for item in items if not isinstance(item, Unknown)], unknown(line, error)]

    def _mended(self, line: bytes) -> list[Item]:
        """A line that is no sound JSON: with half a character in it, a plain answer, or another program's words."""
        mended = read_mended(line)
        if mended is not None:
            return self.receive(write_line(mended), 0)
        if self._state.plain:
            return self._answer(sound_text(line.decode(errors="replace")))
        return [unknown(line, "no JSON")] if line.strip() else []

    def _answer(self, text: str) -> list[Item]:
        """A line of a plain answer, to the one prompt that there is."""
        state = self._state
        items: list[Item] = [Output(0, 0, text)] if state.working else [Taken(), Output(0, 0, text)]
        state.working, state.answer = True, f"{state.answer}{text}\n"[:LONGEST_ANSWER]
        return items

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
        return [answer_line(self._state, approval, decision)]

    def change(self, what: str, value: str) -> list[Item]:
        """Another model or permission mode, from now on."""
        if self._state.one_shot:
            return []
        request = {"subtype": "set_model", "model": value}
        if what == "mode":
            request = {"subtype": "set_permission_mode", "mode": value}
        return [request_line(self._state, [what, value], request)]

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """Only a plain answer has no end but the process's."""
        if not self._state.plain or not self._state.working:
            return []
        answer = self._state.answer.rstrip()
        failed = Finished("failed", "", answer)
        return [Finished("completed", answer) if exit_code == 0 else failed]

    def save(self) -> Any:
        """The state as plain values."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """Go on from what `save` gave."""
        self._state = msgspec.convert(saved, State)


def takes_prompts(argv: list[str]) -> bool:
    """Whether Claude Code, started so, reads lines of JSON from its standard input."""
    return value_of(argv, "--input-format") == "stream-json"


def goes_on(argv: list[str]) -> bool:
    """Whether it goes on with a conversation."""
    return any(word in _GOING_ON or word.startswith("--resume=") for word in argv)


def value_of(argv: list[str], flag: str) -> str | None:
    """What stands behind a flag, in the next word or in the same."""
    after = dict(itertools.pairwise([*argv, ""]))
    joined = next((word for word in argv if word.startswith(flag + "=")), None)
    return after.get(flag) if joined is None else joined.partition("=")[2]


_GOING_ON = frozenset({"--resume", "-r", "--continue", "-c"})
