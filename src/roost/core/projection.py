"""From a session's frames to its events.

Rules:

1. Events are a function of the recording's bytes: not of how they were cut, when they were read, where a restart fell.
2. Time is the recording's own. Output is at rest when `REST_NS` passed since the last of it: the next frame tells, or,
   while nothing more comes, `rest`.
3. `state` and `restore` go on exactly where they stopped, at any border of two frames. What a full-screen program
   shows is not in the state: it is drawn again by `redraw`, from the frames behind `screen_seed`.
4. Nothing in a recording is believed: names, numbers and times are checked, what cannot be is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count as count_from
from itertools import repeat
from typing import Any

import msgspec
from msgspec import Struct

from roost.core.attention import MARK, from_mark, state_of, to_mark
from roost.core.decoding import Decoder, Makers, Observer
from roost.core.header import MAX_CELLS, MAX_WALL_NS, UNKNOWN_AGENT, apply_header, has_terminal
from roost.core.manifest import Sight
from roost.core.outcome import outcome
from roost.core.recording import Damage, Frame, Kind, decode_clock, decode_input, decode_json, decode_resize
from roost.core.runs import join, times, whole_lines
from roost.core.shown import ScreenSeed, ScreenState, ShownScreen
from roost.core.soundness import integer_or_none, sound_object, text_or_none
from roost.core.text import Bulk, Cleaner, Lines, ScreenMode
from roost.core.title import TitleWatch
from roost.model.agents import ENDED, Session, State
from roost.model.events import AnyEvent, Complete, Error, Log, Mark, ScreenShown, StateChange, Stream

REST_NS = 300_000_000
"""How long output pauses before what is unfinished is told."""

MAX_LINE = 65_536
"""Characters of a line; a longer one is cut."""

MAX_TIME_NS = 1 << 61
"""Time in a session beyond which a frame's time is not believed (73 years)."""

STATE_VERSION = 2


class _OutputState(Struct, array_like=True):
    lines: int
    cleaner: bytes | None


class _State(Struct, array_like=True):
    version: int
    base_ns: int
    last_ns: int
    last_output_ns: int
    resting: bool
    stopping: bool
    terminal: bool
    screen: ScreenState | None
    outputs: tuple[_OutputState, _OutputState]
    decoder: bytes | None
    observer: bytes | None


class _Output:
    """One stream of output: its name, how many lines it gave, and its cleaner once anything came."""

    __slots__ = ("cleaner", "lines", "name")

    def __init__(self, name: Stream) -> None:
        self.name: Stream = name
        self.lines = 0
        self.cleaner: Cleaner | None = None

    def save(self) -> _OutputState:
        return _OutputState(self.lines, self.cleaner.state() if self.cleaner else None)

    def load(self, saved: _OutputState) -> None:
        self.lines = saved.lines
        self.cleaner = None if saved.cleaner is None else Cleaner.restore(saved.cleaner)


class SessionProjection:
    """The events of one session, in the order of its frames; `session` is kept up to date with them."""

    def __init__(self, session_id: str, node: str = "", makers: Makers | None = None) -> None:
        self.session = Session(session_id=session_id, agent_name=UNKNOWN_AGENT, node=node)
        self._makers = makers
        self._observer: Observer | None = None
        self._decoder: Decoder | None = None
        self._events: list[AnyEvent] = []
        self._base_ns = 0
        self._last_ns = 0
        self._last_output_ns = 0
        self._resting = True
        self._stopping = False
        self._terminal = True
        self._screen: ShownScreen | None = None
        self._title = TitleWatch()
        self._stdout = _Output("stdout")
        self._stderr = _Output("stderr")

    # Feeding

    def feed(self, items: Iterable[Frame | Damage]) -> list[AnyEvent]:
        """The events of these frames and stretches of damage."""
        queue = items if isinstance(items, list) else list(items)
        at = 0
        while at < len(queue):
            run = whole_lines(queue, at, REST_NS)
            if not (run and self._take_run(run)):
                for item in run or (queue[at],):
                    self._take(item)
            at += len(run) or 1
        return self._drain()

    def rest(self) -> list[AnyEvent]:
        """Nothing more came for `REST_NS` after the last output: what is unfinished is told, once."""
        if self.unfinished:
            self._take_rest()
        return self._drain()

    def lose(self, reason: str) -> list[AnyEvent]:
        """Nobody saw how the session ended, and nothing more will come. An ended session is left as it is."""
        if not self.ended:
            self._end("lost", reason, Complete(0, 0, None, None, self._last_ns // 1_000_000, reason))
        return self._drain()

    def shortened(self, size: int, was: int) -> list[AnyEvent]:
        """The recording ends at `size`, before what was read of it: what is known stays, and that is said."""
        self.session.offset = size
        message = f"the recording is {was - size} bytes shorter than it was, as may be after a power cut"
        self._emit(Error(0, 0, "RECORDING_SHORTENED", message, {"offset": size, "length": was - size}))
        return self._drain()

    @property
    def ended(self) -> bool:
        """Whether `complete` was told."""
        return self.session.state in ENDED

    @property
    def unfinished(self) -> bool:
        """Whether `rest` has yet to be called for the last output."""
        return not self._resting

    # Stopping and going on

    def state(self) -> bytes:
        """All that is needed to go on, besides `session`."""
        return msgspec.msgpack.encode(
            _State(
                STATE_VERSION,
                self._base_ns,
                self._last_ns,
                self._last_output_ns,
                self._resting,
                self._stopping,
                self._terminal,
                self._screen.state() if self._screen else None,
                (self._stdout.save(), self._stderr.save()),
                self._decoder.save() if self._decoder else None,
                self._observer.save() if self._observer else None,
            )
        )

    @classmethod
    def restore(
        cls,
        session: Session,
        state: bytes,
        seed: ScreenSeed | None = None,
        makers: Makers | None = None,
    ) -> SessionProjection:
        """The projection whose `session`, `state()` and `screen_seed` these are.

        With a seed, `redraw` must be called with the frames from the seed's offset up to the session's.

        Raises:
            ValueError: another release made the state.
        """
        try:
            saved = msgspec.msgpack.decode(state, type=_State)
        except msgspec.DecodeError as exc:
            raise ValueError(f"not the state of a projection: {exc}") from exc
        if saved.version != STATE_VERSION:
            raise ValueError(f"the state of a projection of version {saved.version}, not {STATE_VERSION}")
        made = cls(session.session_id, makers=makers)
        made.session = session
        try:
            made._load(saved, seed)
        except (KeyError, TypeError, IndexError) as exc:
            raise ValueError(f"the state of a projection is incomplete: {exc!r}") from exc
        return made

    def _load(self, saved: _State, seed: ScreenSeed | None) -> None:
        of = self.session
        self._base_ns, self._last_ns, self._last_output_ns = saved.base_ns, saved.last_ns, saved.last_output_ns
        self._resting, self._stopping = saved.resting, saved.stopping
        self._terminal = saved.terminal
        if saved.screen is not None:
            self._screen = ShownScreen(seed or ScreenSeed(of.offset, of.cols, of.rows), saved.screen)
        self._stdout.load(saved.outputs[0])
        self._stderr.load(saved.outputs[1])
        if saved.decoder is not None:
            self._decoder = self._makers.decoder(of.session_id, of.definition) if self._makers else None
            if self._decoder is None:
                raise ValueError(f"nobody here speaks as {of.definition.driver} does")
            self._decoder.load(saved.decoder)
        if saved.observer is not None and self._makers is not None:
            self._observer = self._makers.observer(of.definition)
            self._observer.load(saved.observer)

    def adopt(self, session: Session) -> None:
        """Go on as the projection of `session`, whose own state is of no use.

        Feed frames of its recording first and drop what they give: best from the first on. Where the header was not
        among them, lines are numbered on from all there were.
        """
        if not self.session.started_ns:
            self._base_ns = session.started_ns
            self._terminal = session.definition.driver == "terminal"
            self._stdout.lines = session.lines
        self.session = session

    @property
    def title(self) -> str:
        """The title that the program gave its terminal since the projection was begun or taken up."""
        return self._title.text

    @property
    def painting(self) -> bool:
        """Whether a program paints its terminal, so that its output says little without a look at what is shown."""
        cleaner = self._stdout.cleaner
        return self._screen is not None or (cleaner is not None and cleaner.editing)

    def sight(self) -> Sight | None:
        """What is shown now, of a program that is not spoken to in a protocol; none before it said anything."""
        cleaner = self._stdout.cleaner
        if self._decoder is not None or cleaner is None:
            return None
        if self._screen is not None:
            return self._screen.sight()
        return Sight(self._title.text, tuple(cleaner.shown()), cleaner.partial)

    @property
    def screen_seed(self) -> ScreenSeed | None:
        """From what the screen can be drawn again, while a full-screen program runs. Changes seldom."""
        return self._screen.seed if self._screen else None

    def redraw(self, items: Iterable[Frame | Damage]) -> None:
        """Show again what these frames show. They have given their events already."""
        for item in items:
            if self._screen and type(item) is Frame:
                if item.kind == Kind.OUT:
                    self._screen.redraw(item.payload)
                elif item.kind == Kind.RESIZE:
                    self._screen.redraw_resize(item.payload)

    # Frames

    def _take_frame(self, frame: Frame) -> None:
        time_ns = min(frame.time_ns, MAX_TIME_NS)
        if not self._resting and time_ns - self._last_output_ns >= REST_NS:
            self._take_rest()
        self._last_ns = time_ns
        self.session.offset = frame.end
        kind = frame.kind
        if kind == Kind.OUT:
            self._take_output(self._stdout, frame, time_ns)
        elif kind == Kind.ERR:
            self._take_output(self._stderr, frame, time_ns)
        else:
            _HANDLERS[kind](self, frame.payload)

    def _take(self, item: Frame | Damage) -> None:
        if type(item) is Frame:
            self._take_frame(item)
        else:
            self._take_damage(item)  # type: ignore[arg-type]

    def _take_run(self, run: list[Frame]) -> bool:
        """Take frames at once that are nothing but whole lines, plain or coloured; false, and none is taken, if not."""
        output = self._stdout if run[0].kind == Kind.OUT else self._stderr
        if output.cleaner is None or self.session.state == "starting" or run[-1].time_ns > MAX_TIME_NS:
            return False
        if not self._resting and run[0].time_ns - self._last_output_ns >= REST_NS:
            self._take_rest()
        data = join(run)
        lines = output.cleaner.take_rows(data, run[0].time_ns, run[-1].time_ns)
        if lines is None:
            return False
        if output is self._stdout:
            self._title.feed(data)
        self._note_output(run[-1], len(data))
        self._log(output, lines, times(run, self._base_ns, len(lines)))
        return True

    def _note_output(self, last: Frame, length: int) -> None:
        session = self.session
        session.offset = last.end
        session.bytes += length
        session.last_output_ns = self._base_ns + last.time_ns
        self._last_ns = self._last_output_ns = last.time_ns
        self._resting = False

    def _take_output(self, output: _Output, frame: Frame, time_ns: int) -> None:
        session, data = self.session, frame.payload
        if session.state == "starting":
            self._change_state("running")
        session.bytes += len(data)
        session.last_output_ns = self._base_ns + time_ns
        self._last_output_ns = time_ns
        if self._decoder is not None and output is self._stdout:
            session.lines += data.count(b"\n")
            self._heed(self._decoder, self._decoder.output(data, self._wall_ns()))
            return
        self._resting = False
        cleaner = output.cleaner or self._open_cleaner(output)
        pieces = cleaner.feed_bulk(data, time_ns)
        if pieces:
            self._tell(output, pieces)
        if output is self._stdout and self._terminal:
            self._title.feed(data)
            if cleaner.alternate or self._screen:
                self._show(cleaner, pieces, frame)

    def _open_cleaner(self, output: _Output) -> Cleaner:
        columns = self.session.cols if self._terminal else 0
        output.cleaner = Cleaner(MAX_LINE, columns=columns, rows=self.session.rows)
        return output.cleaner

    def _tell(self, output: _Output, pieces: list[Bulk]) -> None:
        for piece in pieces:
            if type(piece) is Lines:
                self._log(output, piece.texts, repeat(self._base_ns + piece.time_ns))

    def _log(self, output: _Output, texts: list[str], times_ns: Iterable[int]) -> None:
        session, count = self.session, len(texts)
        seqs, numbers = count_from(session.last_seq + 1), count_from(output.lines + 1)
        self._events.extend(map(Log, seqs, times_ns, texts, numbers, repeat(output.name)))
        session.last_seq += count
        session.lines += count
        output.lines += count

    def _show(self, cleaner: Cleaner, pieces: list[Bulk], frame: Frame) -> None:
        """The frame falls into the time of a full-screen program, in part at least."""
        for piece in pieces:
            if type(piece) is ScreenMode:
                self._close_screen()
        if not cleaner.alternate:
            return
        if self._screen is None:
            seed = ScreenSeed(frame.offset, self.session.cols, self.session.rows)
            self._screen = ShownScreen.enter(seed, self._last_ns)
        self._screen.feed(frame.payload)
        if self._screen.is_due(self._last_ns):
            self._tell_screen(self._last_ns)
        if cleaner.whole:
            self._screen.sow(frame.end)

    def _tell_screen(self, time_ns: int) -> None:
        text = self._screen.tell(time_ns) if self._screen else None
        if self._screen and text is not None:
            session = self.session
            session.last_seq += 1
            wall_ns = self._base_ns + time_ns
            shown = ScreenShown(session.last_seq, wall_ns, text, session.cols, session.rows, self._screen.title)
            self._events.append(shown)

    def _close_screen(self) -> None:
        if self._screen:
            self._screen.close()
            self._screen = None

    def _take_rest(self) -> None:
        self._resting = True
        time_ns = self._last_output_ns + REST_NS
        for output in (self._stdout, self._stderr):
            if output.cleaner:
                self._tell(output, output.cleaner.quiet_bulk(time_ns))
        self._tell_screen(time_ns)

    def _take_header(self, payload: bytes) -> None:
        if self.session.started_ns:
            self._emit(Mark(0, 0, "header", sound_object(decode_json(payload))))
            return
        header = decode_json(payload)
        apply_header(self.session, header)
        self._terminal = has_terminal(header)
        self._base_ns = self.session.started_ns - self._last_ns
        self._emit(StateChange(0, 0, "starting"))
        definition = self.session.definition
        self._decoder = self._makers.decoder(self.session.session_id, definition) if self._makers else None
        if self._decoder is not None:
            argv = [str(word) for word in header.get("argv") or []]
            self._heed(self._decoder, self._decoder.open(argv, definition, self._wall_ns()))

    def _take_input(self, payload: bytes) -> None:
        """Input is in the recording, not among the events: it may hold what was typed at a password prompt."""
        if self._decoder is None:
            return
        try:
            item = decode_input(payload)
        except ValueError:
            return
        self._heed(self._decoder, self._decoder.input(item, self._wall_ns()))

    def _take_resize(self, payload: bytes) -> None:
        try:
            cols, rows = decode_resize(payload)
        except ValueError:
            return
        self.session.cols, self.session.rows = min(max(cols, 1), MAX_CELLS), min(max(rows, 1), MAX_CELLS)
        if self._stdout.cleaner and self._terminal:
            self._stdout.cleaner.resize(self.session.cols, self.session.rows)
        if self._screen:
            self._screen.resize(self.session.cols, self.session.rows)

    def _take_signal(self, payload: bytes) -> None:
        self._emit(Mark(0, 0, "signal", sound_object(decode_json(payload))))

    def _take_mark(self, payload: bytes) -> None:
        data = sound_object(decode_json(payload))
        name = str(data.pop("type", None) or "mark")
        change = _STATE_MARKS.get(name)
        if change is not None:
            if not self.ended:
                change(self, data)
            return
        told = None if self._decoder is None or self.ended else self._decoder.mark(name, data, self._wall_ns())
        if self._decoder is not None and told is not None:
            self._heed(self._decoder, told)
            return
        seen = self._observed(name, data)
        for event in [Mark(0, 0, name[:255], data)] if seen is None else seen:
            self._emit(event)

    def _take_clock(self, payload: bytes) -> None:
        try:
            wall_ns = decode_clock(payload)
        except ValueError:
            return
        self._base_ns = min(wall_ns, MAX_WALL_NS) - self._last_ns

    def _take_exit(self, payload: bytes) -> None:
        data = sound_object(decode_json(payload))
        if self.ended and self.session.state != "lost":
            self._emit(Mark(0, 0, "exit", data))
            return
        code = integer_or_none(data.get("code"), 0, 255)
        signal = text_or_none(data.get("signal"), 32)
        reason = text_or_none(data.get("reason"), 255)
        ended = outcome(code, signal, reason, asked=self._stopping)
        self.session.exit_code, self.session.signal = code, signal
        self._end(ended.state, ended.why, Complete(0, 0, code, signal, self._last_ns // 1_000_000, reason))

    def _take_damage(self, damage: Damage) -> None:
        self.session.damage += damage.length
        self.session.offset = damage.offset + damage.length
        details = {"offset": damage.offset, "length": damage.length, "reason": damage.reason}
        where = f"{damage.length} bytes at offset {damage.offset} of the recording cannot be read ({damage.reason})"
        self._emit(Error(0, 0, "RECORDING_DAMAGED", where, details))

    # Marks that change the state

    def _mark_started(self, data: dict[str, Any]) -> None:
        self.session.pid = integer_or_none(data.get("pid"), 1, (1 << 31) - 1)
        self._change_state("running")
        self._show_doing()

    def _mark_paused(self, data: dict[str, Any]) -> None:
        self._change_state("paused", _by("paused", data))

    def _mark_resumed(self, data: dict[str, Any]) -> None:
        self._change_state("stopping" if self._stopping else "running", _by("resumed", data))
        self._show_doing()

    def _mark_stopping(self, data: dict[str, Any]) -> None:
        self._stopping = True
        self._change_state("stopping", _by("stopped", data))

    def _mark_attention(self, data: dict[str, Any]) -> None:
        """Somebody who watches the session saw what it is about."""
        self._emit(Mark(0, 0, MARK, data))
        self.session.attention = from_mark(data, self._wall_ns()) or self.session.attention
        self._show_doing()

    # Conversations

    def _observed(self, name: str, data: dict[str, Any]) -> list[AnyEvent] | None:
        if self._observer is None and self._makers is not None:
            self._observer = self._makers.observer(self.session.definition)
        if self._observer is None:
            return None
        told = self._observer.mark(name, data, self.session.conversation, self._wall_ns())
        self._heed_observer(self._observer)
        if (found := self._observer.noticed()) is not None and self._decoder is None:
            told = [*(told or ()), Mark(0, 0, MARK, to_mark(found))]
            self.session.attention = found
            self._show_doing()
        return told

    def _heed_observer(self, observer: Observer) -> None:
        """Where nobody speaks to the agent, its own notes are all that is known of its conversation."""
        if self._decoder is None and observer.talk is not None:
            self.session.conversation = observer.talk

    def _heed(self, decoder: Decoder, told: list[AnyEvent]) -> None:
        """Tell what a decoder made of something."""
        for event in told:
            self._emit(event)
        self.session.conversation = decoder.state
        self._show_doing()

    def _show_doing(self) -> None:
        """A running session is as busy as its conversation says, or, without one, as was seen of it."""
        if self.session.state not in _DOING:
            return
        if self._decoder is not None:
            self._change_state(*self._decoder.session_state)
        elif (noted := self.session.attention) is not None:
            self._change_state(state_of(noted), noted.summary or None, anew=True)

    # Telling

    def _end(self, state: State, reason: str, complete: Complete) -> None:
        """Tell all that is left, then the last state, then `complete`, so that a stream may end with it."""
        for output in (self._stdout, self._stderr):
            if output.cleaner:
                self._tell(output, output.cleaner.finish_bulk(self._last_ns))
        if self._decoder is not None:
            self._heed(self._decoder, self._decoder.finish(self._wall_ns(), complete.exit_code))
        if self._observer is not None:
            for event in self._observer.finish(self._wall_ns()):
                self._emit(event)
            self._heed_observer(self._observer)
        self._tell_screen(self._last_ns)
        self._close_screen()
        self._resting = True
        self.session.ended_ns = self._wall_ns()
        self._change_state(state, reason)
        self._emit(complete)

    def _change_state(self, state: State, reason: str | None = None, *, anew: bool = False) -> None:
        """Tell the state if it is another; `anew` also where it waits for something else."""
        previous = self.session.state
        if state != previous or (state == "waiting" and anew and reason != self.session.reason):
            self.session.state, self.session.reason = state, reason
            self._emit(StateChange(0, 0, state, previous, reason))

    def _emit(self, event: AnyEvent) -> None:
        """Tell an event, numbered, as of now."""
        self.session.last_seq += 1
        numbered = {"seq": self.session.last_seq, "time_ns": self._wall_ns()}
        self._events.append(msgspec.structs.replace(event, **numbered))

    def _wall_ns(self) -> int:
        return max(0, self._base_ns + self._last_ns)

    def _drain(self) -> list[AnyEvent]:
        events, self._events = self._events, []
        return events


def _by(what: str, data: dict[str, Any]) -> str:
    by = text_or_none(data.get("by"), 255)
    return f"{what} by {by}" if by else what


_HANDLERS: dict[int, Callable[[SessionProjection, bytes], None]] = {
    Kind.HEADER: SessionProjection._take_header,
    Kind.IN: SessionProjection._take_input,
    Kind.RESIZE: SessionProjection._take_resize,
    Kind.SIGNAL: SessionProjection._take_signal,
    Kind.MARK: SessionProjection._take_mark,
    Kind.EXIT: SessionProjection._take_exit,
    Kind.CLOCK: SessionProjection._take_clock,
}

_DOING = frozenset({"running", "waiting", "idle"})

_STATE_MARKS: dict[str, Callable[[SessionProjection, dict[str, Any]], None]] = {
    "started": SessionProjection._mark_started,
    "paused": SessionProjection._mark_paused,
    "resumed": SessionProjection._mark_resumed,
    "stopping": SessionProjection._mark_stopping,
    MARK: SessionProjection._mark_attention,
}
