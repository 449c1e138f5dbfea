"""A live conversation with a coding agent: lines that are typed are prompts, or answers to what it asks.

What the agent does is told as in `roost logs`, above the line that is being typed. C-c ends the turn that runs. Where
standard input is no terminal, its lines are prompts, and the conversation is left when the last of them was answered.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.cli.answering import HOW, HOW_QUESTION, answer_to, choices_in_lines
from roost.cli.attached import Left
from roost.cli.line_editor import BRACKETED_PASTE, LineEditor
from roost.cli.output import visible
from roost.client.conversations import ENDS
from roost.client.keys import DetachKeys
from roost.core.readable import asked, readable
from roost.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from roost.cli.feed import Feed, News
    from roost.cli.terminal import LocalTerminal
    from roost.client.conversations import Conversations

    Json = dict[str, Any]

IDLE, WORKS, ASKS = "› ", "… ", "? "


class Way(NamedTuple):
    """How to converse: with whom, which keys leave, and whether anything may be typed."""

    name: str
    detach_keys: tuple[str, ...]
    read_only: bool = False


class Conversing:
    """One attachment to a conversation, from its beginning to its end.

    `talk` gives the server's conversations anew each time, because another server may answer by then.
    """

    def __init__(self, terminal: LocalTerminal, feed: Feed, talk: Callable[[], Conversations], way: Way) -> None:
        self._terminal = terminal
        self._feed = feed
        self._talk = talk
        self._way = way
        self._detach = DetachKeys(way.detach_keys)
        self._editor = LineEditor()
        self._asked: dict[str, Json] = {}
        self._unanswered: list[Json] = []
        self._running: str | None = None
        self._ours: set[str] = set()
        self._ended: dict[str, str] = {}
        self._asking = 0
        self._line = b""
        self._input_ended = False
        self._drawn = b""
        self.last_state = ""
        """How the last turn ended that was asked for here."""

    def begin(self, lines: list[str], view: Json, approvals: list[Json]) -> None:
        """Show what was before; `view` is the agent, `approvals` what it asks."""
        self._print(lines)
        running = (view.get("conversation") or {}).get("running")
        self._running = running["turn_id"] if running else None
        for one in approvals:
            self._asked[one["approval_id"]] = one
        self._show_choices()

    def prompt(self, text: str, *, interrupt: bool = False) -> None:
        """Give the agent a prompt."""
        body: Json = {"prompt": text} | ({"policy": "interrupt"} if interrupt else {})
        self._asking += 1
        self._feed.ask(lambda: self._talk().prompt(self._way.name, body))

    def run(self) -> Left:
        """Until the agent ends, the person leaves, or a signal ends us."""
        self._write(BRACKETED_PASTE[0] if self._terminal.is_terminal_in else b"")
        try:
            left = None
            while left is None:
                left = self._step()
            return left
        finally:
            self._erase()
            self._write(BRACKETED_PASTE[1] if self._terminal.is_terminal_in else b"")

    # What comes

    def _step(self) -> Left | None:
        if self._terminal.ended_by is not None:
            return Left(signal=self._terminal.ended_by)
        if self._input_ended and not self._asking and not self._ours:
            return Left(detached=True)
        self._draw()
        woken = self._terminal.wait(self._feed.fileno(), None)
        if woken.typed and self._take_typed(woken.typed):
            return Left(detached=True)
        if woken.input_ended:
            self._end_input()
        for news in self._feed.take() if woken.link_ready else ():
            if (left := self._take_news(news)) is not None:
                return left
        return None

    def _take_news(self, news: News) -> Left | None:
        if news.problem:
            self._print([news.problem])
        if news.answer is not None:
            self._take_answer(news.answer)
        elif news.body is not None:
            return self._take_event(news.body)
        return Left(detached=True) if news.over else None

    def _take_answer(self, answer: Json) -> None:
        """The server has done what was asked, or refused it. A turn may have ended before we are told of it."""
        self._asking -= 1
        while self._unanswered:
            view = self._unanswered.pop()
            self._asked[view["approval_id"]] = view
            self._show_choices()
        turn_id = answer.get("turn_id", "")
        if turn_id in self._ended:
            self.last_state = self._ended[turn_id]
        elif turn_id:
            self._ours.add(turn_id)

    def _take_event(self, body: Json) -> Left | None:
        kind, data = body["type"], body["data"]
        if kind == "turn":
            self._take_turn(data)
        elif kind == "permission":
            self._take_permission(data)
        self._print(readable(kind, data))
        if kind == "permission":
            self._show_choices()
        return Left(complete=data) if kind == "complete" else None

    def _take_turn(self, data: Json) -> None:
        turn_id, state = data["turn_id"], data["state"]
        if state == "started":
            self._running = turn_id
        elif state in ENDS:
            self._running = None if self._running == turn_id else self._running
            self._ended[turn_id] = state
            if turn_id in self._ours:
                self._ours.discard(turn_id)
                self.last_state = state

    def _take_permission(self, data: Json) -> None:
        if data.get("decision"):
            self._asked.pop(data["approval_id"], None)
        else:
            self._asked[data["approval_id"]] = data

    # What is typed

    def _take_typed(self, data: bytes) -> bool:
        """Take what was typed; true when it leaves the conversation."""
        if not self._terminal.is_terminal_in:
            self._take_lines(data)
            return False
        typed = self._editor.feed(self._detach.feed(data))
        if self._detach.detached or typed.ended:
            return True
        for line in typed.lines:
            self._take_line(line)
        if typed.interrupted:
            self._interrupt()
        return False

    def _take_lines(self, data: bytes) -> None:
        *whole, self._line = (self._line + data).split(b"\n")
        for line in whole:
            self._prompt_by(line)

    def _end_input(self) -> None:
        self._prompt_by(self._line)
        self._line, self._input_ended = b"", True

    def _prompt_by(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        if text and not self._way.read_only:
            self.prompt(text)

    def _take_line(self, line: str) -> None:
        if self._way.read_only:
            self._print(["roost: this is to look only; attach without --read-only to type"])
        elif self._asked:
            self._answer(line)
        else:
            self.prompt(line)

    def _answer(self, line: str) -> None:
        approval_id, view = next(iter(self._asked.items()))
        body = answer_to(view, line)
        if body is None:
            self._print([f"roost: {line!r} is no answer: {HOW_QUESTION if view['kind'] == 'question' else HOW}"])
            return
        # What is typed next is no answer to the same again, unless this one was refused.
        del self._asked[approval_id]
        self._asking += 1
        self._feed.ask(lambda: self._decide(view, body))

    def _decide(self, view: Json, body: Json) -> Json:
        """On the feed's thread."""
        try:
            return self._talk().decide(view["approval_id"], body)
        except InvalidRequest:
            self._unanswered.append(view)
            raise

    def _interrupt(self) -> None:
        if self._editor.text:
            self._editor.clear()
        elif self._running is None or self._way.read_only:
            self._print(["roost: no turn runs; C-d leaves, and the agent lives on"])
        else:
            self._asking += 1
            self._feed.ask(lambda: {"interrupted": self._talk().interrupt(self._way.name)})

    # What is seen

    def _show_choices(self) -> None:
        if not self._asked or self._way.read_only:
            return
        view = next(iter(self._asked.values()))
        if not self._terminal.is_terminal_in:
            self._print([f"  'roost approve {self._way.name}' or 'roost deny {self._way.name}' answers it"])
            return
        more = [f"? {asked(view)}"] if len(self._asked) > 1 else []
        self._print([*more, *choices_in_lines(view), f"  {HOW_QUESTION if view['kind'] == 'question' else HOW}"])

    def _print(self, lines: list[str]) -> None:
        if not lines:
            return
        self._erase()
        if self._terminal.is_terminal_out:
            lines = [visible(line) for line in lines]
        # A raw terminal takes a line feed alone for a step down.
        end = "\r\n" if self._terminal.is_terminal_in else "\n"
        self._write("".join(line + end for line in lines).encode("utf-8", "replace"))

    def _draw(self) -> None:
        """The line that is being typed, where it is not to be seen as it is."""
        if not self._is_interactive:
            return
        head = ASKS if self._asked else WORKS if self._running else IDLE
        shown, column = self._editor.shown(self._terminal.size[0] - len(head))
        row = f"\r\x1b[K{head}{visible(shown)}\r\x1b[{column + len(head)}C".encode()
        if row != self._drawn:
            self._write(row)
            self._drawn = row

    def _erase(self) -> None:
        if self._drawn:
            self._write(b"\r\x1b[K")
        self._drawn = b""

    @property
    def _is_interactive(self) -> bool:
        return self._terminal.is_terminal_in and self._terminal.is_terminal_out and not self._way.read_only

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._terminal.write(data)
