"""What became of turns, gathered from a session's events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from roost.core.wire import timestamp
from roost.model.views import ChangedFile, TurnError, TurnUsage, TurnView

TURN_EVENTS = ("turn", "usage", "file_change", "error")
"""The types that `gather` needs."""

ENDS = frozenset({"completed", "failed", "interrupted", "steered", "refused", "cancelled"})


class Told(NamedTuple):
    """An event as the store's index has it."""

    type: str
    time_ns: int
    data: dict[str, Any]


class _Gathering:
    """One turn, while its events are read."""

    def __init__(self, turn_id: str) -> None:
        self.turn_id = turn_id
        self.state = "queued"
        self.fields: dict[str, Any] = {}
        self.started = False
        self.usage: dict[str, TurnUsage] = {}
        self.files: dict[str, ChangedFile] = {}
        self.watched: set[str] = set()
        """Files of which only a watcher told."""
        self.errors: list[TurnError] = []

    def view(self, agent: str, session_id: str) -> TurnView:
        """The turn as clients see it."""
        costs = [one.cost_usd for one in self.usage.values() if one.cost_usd is not None]
        return TurnView(
            turn_id=self.turn_id,
            agent_name=agent,
            session_id=session_id,
            state=self.state,
            ended=self.state in ENDS,
            usage=list(self.usage.values()),
            cost_usd=round(sum(costs), 8) if costs else None,
            files=list(self.files.values()),
            errors=self.errors,
            **self.fields,
        )


def gather(events: Iterable[Told], agent: str, session_id: str) -> list[TurnView]:
    """The turns of a session, in the order in which they were asked for. Events are given in their order."""
    turns: dict[str, _Gathering] = {}
    running: _Gathering | None = None
    for event in events:
        if event.type == "turn":
            turn = turns.setdefault(event.data["turn_id"], _Gathering(event.data["turn_id"]))
            _take_turn(turn, event)
            if turn.state in ("sent", "started"):
                running = turn if running is None or running.state in ENDS else running
        elif running is not None:
            _TAKERS[event.type](running, event.data)
    return [turn.view(agent, session_id) for turn in turns.values()]


def _take_turn(turn: _Gathering, event: Told) -> None:
    turn.state = event.data["state"]
    when = {"queued": "queued_at", "started": "started_at"}.get(turn.state)
    if when is None and turn.state in ENDS:
        when = "ended_at"
    if when is not None:
        turn.fields[when] = timestamp(event.time_ns)
    for name in ("prompt", "by", "text", "reason", "duration_ms"):
        if event.data.get(name) is not None:
            turn.fields[name] = event.data[name]


def _take_usage(turn: _Gathering, data: dict[str, Any]) -> None:
    known = turn.usage.get(data["model"], TurnUsage(model=data["model"]))
    cost = data.get("cost_usd")
    turn.usage[known.model] = TurnUsage(
        model=known.model,
        input_tokens=known.input_tokens + data["input_tokens"],
        output_tokens=known.output_tokens + data["output_tokens"],
        cache_read_tokens=known.cache_read_tokens + data["cache_read_tokens"],
        cache_write_tokens=known.cache_write_tokens + data["cache_write_tokens"],
        cost_usd=known.cost_usd if cost is None else (known.cost_usd or 0.0) + cost,
    )


def _take_file(turn: _Gathering, data: dict[str, Any]) -> None:
    known = turn.files.get(data["path"])
    if known is not None and (data["source"] == "watcher") != (data["path"] in turn.watched):
        # The tool's own report counts; a watcher sees the same change, sooner or later.
        if data["source"] == "watcher":
            return
        known = None
    if data["source"] == "watcher":
        turn.watched.add(data["path"])
    else:
        turn.watched.discard(data["path"])
    created = known is not None and known.change == "created" and data["change"] == "modified"
    turn.files[data["path"]] = ChangedFile(
        path=data["path"],
        change="created" if created else data["change"],
        added=(known.added if known else 0) + (data.get("added") or 0),
        removed=(known.removed if known else 0) + (data.get("removed") or 0),
    )


def _take_error(turn: _Gathering, data: dict[str, Any]) -> None:
    turn.errors.append(TurnError(code=data["code"], message=data["message"]))


_TAKERS = {"usage": _take_usage, "file_change": _take_file, "error": _take_error}
