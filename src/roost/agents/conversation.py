"""A structured session's conversation: turns, approvals, tool calls and what was spent, whatever the CLI.

A codec speaks one CLI's language; this holds what is the same for all of them. It is fed the session's frames in their
order and nothing else, so it comes out the same whenever the recording is read.

What people ask for comes as marks in the recording, made before anything is done about it: `prompt`, `cancel_prompt`,
`interrupt`, `decision`, `change`. What is to be written to the agent is numbered; that it was written is seen from the
recording's input frames. So each thing asked for is done once, also by a server that was killed in between.

Turns, by what happens (`TURNS` is the table):

    queued ──▶ sent ──▶ started ──▶ completed | failed | interrupted
       │         └────▶ steered, refused
       └──────────────▶ cancelled, refused
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from roost.agents.driver import (
    Busy,
    Codec,
    Decision,
    Finished,
    Image,
    Item,
    Opening,
    Ready,
    Refused,
    Stopped,
    Taken,
    Withdrawn,
    Write,
)
from roost.agents.lines_in import LineCutter
from roost.core.recording import Input
from roost.core.soundness import text_or_none
from roost.model.agents import Definition, State
from roost.model.conversations import (
    ConversationState,
    OpenApproval,
    OpenCall,
    Outgoing,
    PendingTurn,
    Spent,
    TurnResult,
)
from roost.model.events import (
    AnyEvent,
    Conversation,
    FileChange,
    Mark,
    Notice,
    Permission,
    Source,
    ToolCall,
    ToolResult,
    Turn,
    Usage,
)

INPUT_SOURCE = "conversation"
"""The source of the input frames that are ours."""

TURNS: dict[str, frozenset[str]] = {
    "queued": frozenset({"sent", "cancelled", "refused"}),
    "sent": frozenset({"started", "steered", "refused", "failed", "interrupted", "completed"}),
    "started": frozenset({"completed", "failed", "interrupted"}),
}
"""What a turn can become; every state that is not a key is an end."""

REMEMBERED_TURNS = 256
MAX_QUEUE = 1000
MAX_CALLS = 1000
MAX_CHANGED = 31
MAX_PROMPT = 1 << 19

Price = Callable[[Usage], float | None]


class _Prompted(Struct, array_like=True):
    """A prompt that has not ended, with what goes with it."""

    turn: PendingTurn
    policy: str
    images: list[Image]


class _Saved(Struct, array_like=True):
    state: ConversationState
    prompts: list[_Prompted]
    steering: list[PendingTurn]
    seen: list[str]
    asked: int
    number: int
    own_turns: int
    busy: bool
    started_ns: int
    line: bytes
    codec: Any


class ConversationDecoder:
    """The conversation of one session; `state` is kept up to date."""

    def __init__(
        self, session_id: str, codec: Codec, *, can_steer: bool, price: Price | None = None, source: Source = "protocol"
    ) -> None:
        self.state = ConversationState()
        self._session_id = session_id
        self._codec = codec
        self._can_steer = can_steer
        self._source: Source = source
        self._price = price
        self._cutter = LineCutter()
        self._prompts: list[_Prompted] = []
        self._steering: list[PendingTurn] = []
        self._seen: list[str] = []
        self._asked = 0
        self._number = 0
        self._own_turns = 0
        self._busy = False
        self._started_ns = 0
        self._now_ns = 0
        self._told: list[AnyEvent] = []

    # Feeding: each gives the events that follow, unnumbered

    def open(self, argv: list[str], definition: Definition, now_ns: int) -> list[AnyEvent]:
        """The session begins."""
        self._now_ns = now_ns
        model, mode = definition.options.model or definition.model, definition.options.permission_mode
        self.state = replace(self.state, conversation_id=definition.conversation_id, model=model, mode=mode)
        self._take(self._codec.open(Opening(argv=argv, definition=definition)))
        return self._drain()

    def output(self, data: bytes, now_ns: int) -> list[AnyEvent]:
        """Bytes of the agent's standard output."""
        self._now_ns = now_ns
        receive = self._codec.receive
        for line in self._cutter.feed(data):
            if line:
                self._take(receive(line, now_ns))
        return self._drain()

    def input(self, item: Input, now_ns: int) -> list[AnyEvent]:
        """Something was written to the agent."""
        self._now_ns = now_ns
        if item.source == INPUT_SOURCE:
            left = tuple([one for one in self.state.outgoing if one.number > item.seq])
            if len(left) != len(self.state.outgoing):
                self.state = replace(self.state, outgoing=left)
        return self._drain()

    def mark(self, name: str, data: dict[str, Any], now_ns: int) -> list[AnyEvent] | None:
        """Somebody asked for something; none where the mark is not about a conversation."""
        handler = _MARKS.get(name)
        if handler is None:
            return None
        self._now_ns = now_ns
        handler(self, data)
        return self._drain()

    def finish(self, now_ns: int, exit_code: int | None = None) -> list[AnyEvent]:
        """The process ended."""
        self._now_ns = now_ns
        if left := self._cutter.finish():
            self._take(self._codec.receive(left, now_ns))
        self._take(self._codec.finish(exit_code))
        for approval in self.state.approvals:
            self._close_approval(approval, "withdrawn", None, "the agent ended", {})
        running = self.state.running
        if running is not None and running.state == "sent":
            self.state = replace(self.state, running=None)
            self._tell_turn(running, "refused", reason="the agent ended before it took the prompt up")
        elif running is not None:
            self._end_turn(Finished("failed", reason="the agent ended before the turn did"))
        for turn in self._steering:
            self._tell_turn(turn, "refused", reason="the agent ended")
        for prompted in self._prompts:
            self._tell_turn(prompted.turn, "refused", reason="the agent ended")
        self._prompts, self._steering, self._busy = [], [], False
        self.state = replace(self.state, ready=False, queue=(), outgoing=(), calls=())
        return self._drain()

    @property
    def session_state(self) -> tuple[State, str | None]:
        """What the session does, as far as the conversation says."""
        state = self.state
        if state.approvals:
            return "waiting", state.approvals[0].title or f"{state.approvals[0].tool} asks"
        if state.problem:
            return "waiting", state.problem
        if state.running is not None or self._busy or not state.ready:
            return "running", None
        return "idle", None

    # Stopping and going on

    def save(self) -> bytes:
        """All that `load` needs."""
        return msgspec.msgpack.encode(
            _Saved(
                self.state,
                self._prompts,
                self._steering,
                self._seen,
                self._asked,
                self._number,
                self._own_turns,
                self._busy,
                self._started_ns,
                self._cutter.kept,
                self._codec.save(),
            )
        )

    def load(self, saved: bytes) -> None:
        """Go on from what `save` gave.

        Raises:
            ValueError: another release made it.
        """
        try:
            of = msgspec.msgpack.decode(saved, type=_Saved)
        except msgspec.DecodeError as exc:
            raise ValueError(f"not the state of a conversation: {exc}") from exc
        self.state, self._prompts, self._steering = of.state, of.prompts, of.steering
        self._seen, self._asked, self._number, self._own_turns = of.seen, of.asked, of.number, of.own_turns
        self._busy, self._started_ns = of.busy, of.started_ns
        self._cutter = LineCutter(of.line)
        self._codec.load(of.codec)

    # Marks

    def _mark_prompt(self, data: dict[str, Any]) -> None:
        turn_id, text = text_or_none(data.get("turn_id"), 64), text_or_none(data.get("prompt"), MAX_PROMPT)
        if not turn_id or text is None or turn_id in self._seen:
            return
        self._seen = [*self._seen[-REMEMBERED_TURNS:], turn_id]
        turn = PendingTurn(turn_id, text, text_or_none(data.get("by"), 255) or "", queued_ns=self._now_ns)
        self._told.append(Turn(0, 0, turn_id, "queued", prompt=text, by=turn.by))
        if len(self._prompts) >= MAX_QUEUE:
            self._tell_turn(turn, "refused", reason=f"{MAX_QUEUE} prompts wait already")
            return
        self._place(_Prompted(turn, text_or_none(data.get("policy"), 16) or "queue", _images(data.get("images"))))

    def _place(self, prompted: _Prompted) -> None:
        running = self.state.running
        if prompted.policy == "steer" and self._can_steer and running is not None:
            self._steering.append(prompted.turn)
            self._tell_turn(prompted.turn, "sent")
            self._take(self._codec.steer(prompted.turn, prompted.images))
            return
        if prompted.policy == "interrupt" and running is not None:
            self._prompts.insert(0, prompted)
            self._take(self._codec.interrupt())
        else:
            self._prompts.append(prompted)
        self._go_on()

    def _mark_cancel_prompt(self, data: dict[str, Any]) -> None:
        for prompted in [one for one in self._prompts if one.turn.turn_id == data.get("turn_id")]:
            self._prompts.remove(prompted)
            by = text_or_none(data.get("by"), 255)
            self._tell_turn(prompted.turn, "cancelled", reason=f"cancelled by {by}" if by else None)
        self._show_queue()

    def _mark_interrupt(self, data: dict[str, Any]) -> None:
        if self.state.running is None and not self._busy:
            return
        by = text_or_none(data.get("by"), 255) or ""
        self._told.append(Notice(0, 0, "INTERRUPTED", f"interrupted by {by}" if by else "interrupted"))
        self._take(self._codec.interrupt())

    def _mark_change(self, data: dict[str, Any]) -> None:
        what, value = data.get("what"), text_or_none(data.get("value"))
        if what in ("model", "mode") and value:
            self._take(self._codec.change(what, value))

    def _mark_decision(self, data: dict[str, Any]) -> None:
        """The first decision counts; later ones are told as marks, so that nothing asked for is silently gone."""
        approval = next((one for one in self.state.approvals if one.approval_id == data.get("approval_id")), None)
        if approval is None:
            self._told.append(Mark(0, 0, "decision_refused", data))
            return
        try:
            decision = msgspec.convert(data.get("decision"), Decision)
        except msgspec.ValidationError:
            self._told.append(Mark(0, 0, "decision_refused", data))
            return
        by = text_or_none(data.get("by"), 255)
        details: dict[str, Any] = {"decision_id": text_or_none(data.get("decision_id"), 64), "choice": decision.choice}
        if decision.input is not None:
            details["input"] = decision.input
        if decision.answers is not None:
            details["answers"] = decision.answers
        self._close_approval(approval, "allow" if decision.allow else "deny", by, decision.reason, details)
        self._take(self._codec.answer(replace(approval, approval_id=approval.native_id), decision))

    # What a codec gives

    def _take(self, items: Iterable[Item]) -> None:
        for item in items:
            handler = _ITEMS.get(type(item))
            if handler is not None:
                handler(self, item)
            else:
                self._told.append(item)  # type: ignore[arg-type]

    def _take_write(self, item: Write) -> None:
        self._number += 1
        self.state = replace(self.state, outgoing=(*self.state.outgoing, Outgoing(self._number, item.data)))

    def _take_ready(self, item: Ready) -> None:
        self.state = replace(self.state, ready=True)
        self._go_on()

    def _take_taken(self, item: Taken) -> None:
        running = self.state.running
        if item.turn_id is not None and (running is None or running.turn_id != item.turn_id):
            steered = next((turn for turn in self._steering if turn.turn_id == item.turn_id), None)
            if steered is not None:
                self._steering.remove(steered)
                self._absorb(steered, item)
                return
        if running is None:
            self._own_turns += 1
            by = "agent" if item.prompt is None else "terminal"
            turn = PendingTurn(f"own-{self._own_turns}", item.prompt or "", by, queued_ns=self._now_ns)
            self._begin(turn, item)
        elif running.state == "sent":
            self._begin(running, item)

    def _absorb(self, steered: PendingTurn, item: Taken) -> None:
        """A prompt meant for the turn that ran: part of it or, where that was over, a turn of its own."""
        if self.state.running is None:
            self._begin(steered, item)
        else:
            self._tell_turn(steered, "steered")

    def _begin(self, turn: PendingTurn, item: Taken) -> None:
        self._started_ns = self._now_ns
        self.state = replace(self.state, running=replace(turn, state="started", native_id=item.native_id))
        told = Turn(0, 0, turn.turn_id, "started", prompt=item.prompt, by=turn.by or None, source=self._source)
        self._told.append(told)

    def _take_finished(self, item: Finished) -> None:
        if self.state.running is None:
            self._take_taken(Taken())
        self._end_turn(item)
        self._go_on()

    def _end_turn(self, item: Finished) -> None:
        turn = self.state.running
        if turn is None:
            return
        duration_ms = max(0, self._now_ns - (self._started_ns or turn.queued_ns)) // 1_000_000
        result = TurnResult(turn.turn_id, item.state, item.text, item.reason, duration_ms, self._now_ns)
        self.state = replace(self.state, running=None, last=result, turns=self.state.turns + 1)
        ended = Turn(0, 0, turn.turn_id, item.state, text=item.text, reason=item.reason)  # type: ignore[arg-type]
        self._told.append(replace(ended, duration_ms=duration_ms, details=item.details or {}, source=self._source))

    def _take_refused(self, item: Refused) -> None:
        running = self.state.running
        if running is not None and item.turn_id in (None, running.turn_id):
            self.state = replace(self.state, running=None)
            self._tell_turn(running, "refused", reason=item.reason)
            self._go_on()
            return
        for turn in [one for one in self._steering if one.turn_id == item.turn_id]:
            self._steering.remove(turn)
            self._tell_turn(turn, "refused", reason=item.reason)

    def _take_busy(self, item: Busy) -> None:
        self._busy = item.busy

    def _take_stopped(self, item: Stopped) -> None:
        if item.problem != self.state.problem:
            self.state = replace(self.state, problem=item.problem)
            if item.problem:
                self._told.append(Notice(0, 0, f"WAITS_FOR_{item.problem.upper()}", item.message))

    def _take_withdrawn(self, item: Withdrawn) -> None:
        for approval in [one for one in self.state.approvals if one.native_id == item.approval_id]:
            self._close_approval(approval, "withdrawn", None, item.reason, {})

    def _take_conversation(self, event: Conversation) -> None:
        known = self.state
        self.state = replace(
            known,
            conversation_id=event.conversation_id or known.conversation_id,
            model=event.model or known.model,
            mode=event.mode or known.mode,
        )
        self._told.append(event)

    def _take_call(self, event: ToolCall) -> None:
        call = OpenCall(event.tool_use_id, event.tool, event.title, self._now_ns)
        self.state = replace(self.state, calls=(*self.state.calls[-MAX_CALLS:], call))
        self._told.append(event)

    def _take_result(self, event: ToolResult) -> None:
        call = next((one for one in self.state.calls if one.tool_use_id == event.tool_use_id), None)
        if call is not None:
            self.state = replace(self.state, calls=tuple([one for one in self.state.calls if one is not call]))
            took = event.duration_ms
            took = max(0, self._now_ns - call.started_ns) // 1_000_000 if took is None else took
            event = replace(event, tool=event.tool or call.tool, duration_ms=took)
        self._told.append(event)

    def _take_change(self, event: FileChange) -> None:
        self.state = replace(self.state, changed=(*self.state.changed[-MAX_CHANGED:], (event.path, self._now_ns)))
        self._told.append(event)

    def _take_permission(self, event: Permission) -> None:
        """What the agent calls its question may come again, in this session or another; what we call it does not."""
        if event.decision is None:
            self._asked += 1
            native, event = event.approval_id, replace(event, approval_id=f"{self._session_id}-{self._asked}")
            asked = OpenApproval(
                event.approval_id,
                event.tool,
                event.input,
                event.title,
                event.choices,
                event.kind,
                self._now_ns,
                event.tool_use_id,
                event.details,
                native,
            )
            self.state = replace(self.state, approvals=(*self.state.approvals, asked))
        self._told.append(event)

    def _take_usage(self, event: Usage) -> None:
        turn, spent = self.state.running, self.state.spent
        if event.cost_usd is None and self._price is not None:
            event = replace(event, cost_usd=self._price(event))
        total = spent.cost_usd if event.cost_usd is None else (spent.cost_usd or 0.0) + event.cost_usd
        event = replace(event, turn_id=event.turn_id or (turn.turn_id if turn else None), total_cost_usd=total)
        spent = Spent(
            spent.input_tokens + event.input_tokens,
            spent.output_tokens + event.output_tokens,
            spent.cache_read_tokens + event.cache_read_tokens,
            spent.cache_write_tokens + event.cache_write_tokens,
            total,
        )
        self.state = replace(self.state, spent=spent)
        self._told.append(event)

    # Inside

    def _go_on(self) -> None:
        """Give the agent the next prompt, if it can take one."""
        if self.state.ready and self.state.running is None and self._prompts:
            prompted = self._prompts.pop(0)
            sent = replace(prompted.turn, state="sent")
            self._started_ns = 0
            self.state = replace(self.state, running=sent)
            self._tell_turn(sent, "sent")
            self._take(self._codec.prompt(sent, prompted.images))
        self._show_queue()

    def _show_queue(self) -> None:
        self.state = replace(self.state, queue=tuple([prompted.turn for prompted in self._prompts]))

    def _close_approval(
        self, approval: OpenApproval, decision: str, by: str | None, reason: str | None, details: dict[str, Any]
    ) -> None:
        self.state = replace(self.state, approvals=tuple([one for one in self.state.approvals if one is not approval]))
        told = Permission(0, 0, approval.approval_id, approval.tool, title=approval.title, kind=approval.kind)
        self._told.append(
            replace(told, tool_use_id=approval.tool_use_id, decision=decision, by=by, reason=reason, details=details)
        )

    def _tell_turn(self, turn: PendingTurn, state: str, reason: str | None = None) -> None:
        self._told.append(Turn(0, 0, turn.turn_id, state, by=turn.by or None, reason=reason, source=self._source))  # type: ignore[arg-type]

    def _drain(self) -> list[AnyEvent]:
        told, self._told = self._told, []
        return told


def _images(value: object) -> list[Image]:
    try:
        return msgspec.convert(value, list[Image])
    except msgspec.ValidationError:
        return []


_MARKS: dict[str, Callable[[ConversationDecoder, dict[str, Any]], None]] = {
    "prompt": ConversationDecoder._mark_prompt,
    "cancel_prompt": ConversationDecoder._mark_cancel_prompt,
    "interrupt": ConversationDecoder._mark_interrupt,
    "decision": ConversationDecoder._mark_decision,
    "change": ConversationDecoder._mark_change,
}

_ITEMS: dict[type, Callable[[ConversationDecoder, Any], None]] = {
    Write: ConversationDecoder._take_write,
    Ready: ConversationDecoder._take_ready,
    Taken: ConversationDecoder._take_taken,
    Finished: ConversationDecoder._take_finished,
    Refused: ConversationDecoder._take_refused,
    Busy: ConversationDecoder._take_busy,
    Stopped: ConversationDecoder._take_stopped,
    Withdrawn: ConversationDecoder._take_withdrawn,
    Conversation: ConversationDecoder._take_conversation,
    ToolCall: ConversationDecoder._take_call,
    ToolResult: ConversationDecoder._take_result,
    FileChange: ConversationDecoder._take_change,
    Permission: ConversationDecoder._take_permission,
    Usage: ConversationDecoder._take_usage,
}
