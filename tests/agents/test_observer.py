"""What watchers saw, and whose doing it was."""

from __future__ import annotations

import pytest

from roost.agents.observer import SessionObserver
from roost.model.agents import Definition
from roost.model.conversations import ConversationState, OpenCall
from roost.model.events import FileChange, Notice

SECOND = 1_000_000_000


def call(name: str, title: str = "") -> OpenCall:
    return OpenCall(name, "Write", title, SECOND)


def talk(*calls: OpenCall) -> ConversationState:
    return ConversationState(calls=calls)


class Watched:
    """An observer that is saved and loaded between any two marks."""

    def __init__(self) -> None:
        self._saved = SessionObserver(Definition(command=["c"])).save()

    def see(self, path: str, state: ConversationState | None = None, at: float = 1.0, **more: object) -> list:
        observer = SessionObserver(Definition(command=["c"]))
        observer.load(self._saved)
        data = {"path": path, "change": "modified"} | more
        found = observer.mark("file_changed", data, state, int(at * SECOND))
        self._saved = observer.save()
        assert found is not None
        return found


def test_a_change_is_told_as_it_was_seen() -> None:
    (event,) = Watched().see("a.txt", change="renamed", bytes=3, added=1, removed=2, renamed_from="b.txt")
    assert event == FileChange(0, 0, "a.txt", "renamed", 3, 1, 2, None, "b.txt", "watcher")


@pytest.mark.parametrize("data", [{"path": ""}, {"path": 7}, {"change": "eaten"}])
def test_what_makes_no_sense_is_not(data: dict) -> None:
    assert Watched().see(**{"path": "a.txt"} | data) == []


@pytest.mark.parametrize(
    ("calls", "author"),
    [
        ([], None),
        ([call("one")], "one"),
        ([call("one"), call("two")], None),
        ([call("one", "Writing a.txt"), call("two", "Writing b.txt")], "one"),
        ([call("one", "Writing a.txt"), call("two", "Editing src/a.txt")], "two"),
    ],
)
def test_the_call_that_made_it(calls: list[OpenCall], author: str | None) -> None:
    (event,) = Watched().see("src/a.txt", talk(*calls))
    assert event.tool_use_id == author


def test_a_change_that_is_seen_late_is_still_credited_but_not_for_ever() -> None:
    watched = Watched()
    watched.see("a.txt", talk(call("one")), at=1.0)
    assert [event.tool_use_id for event in watched.see("b.txt", talk(), at=2.5)] == ["one"]
    assert [event.tool_use_id for event in watched.see("b.txt", None, at=9.0)] == [None]


def test_what_the_agent_has_just_told_itself_is_not_told_again() -> None:
    state = ConversationState(changed=(("a.txt", SECOND),))
    assert Watched().see("a.txt", state, at=2.0) == []
    assert len(Watched().see("b.txt", state, at=2.0)) == 1
    assert len(Watched().see("a.txt", state, at=9.0)) == 1


def test_a_flood_of_changes_is_counted() -> None:
    observer = SessionObserver(Definition(command=["c"]))
    (notice,) = observer.mark("files_changed", {"count": 500}, None, SECOND) or []
    assert isinstance(notice, Notice)
    assert (notice.code, notice.details) == ("MANY_FILES_CHANGED", {"count": 500})


def test_other_marks_are_none_of_its_business() -> None:
    assert SessionObserver(Definition(command=["c"])).mark("note", {}, None, SECOND) is None


def test_what_another_release_saved_is_refused() -> None:
    with pytest.raises(ValueError, match="not the state"):
        SessionObserver(Definition(command=["c"])).load(b"\x90")


def telemetry(*records: object, state: ConversationState | None = None) -> list:
    observer = SessionObserver(Definition(command=["c"]))
    return observer.mark("telemetry", {"records": list(records)}, state, SECOND) or []


def test_what_an_agent_sends_of_itself_is_told() -> None:
    (notice,) = telemetry({"name": "tool_result", "kind": "log", "attributes": {"success": True}})
    assert (notice.code, notice.message, notice.source) == ("TELEMETRY", "tool_result", "telemetry")
    assert notice.details == {"kind": "log", "attributes": {"success": True}}


def test_requests_count_only_where_nobody_else_tells_of_them() -> None:
    given = {"model": "m", "input_tokens": "5", "output_tokens": 2, "cache_read_tokens": "x", "cost_usd": "0.25"}
    record = {"name": "api_request", "attributes": given}
    _, usage = telemetry(record)
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cost_usd) == (5, 2, 0, 0.25)
    assert len(telemetry(record, state=ConversationState())) == 1


def test_a_cost_that_is_none_is_not_made_up() -> None:
    assert [event.cost_usd for event in telemetry({"name": "api_request", "attributes": {}})[1:]] == [None]
    assert telemetry({"name": "api_request", "attributes": {"input_tokens": "inf"}})[1].input_tokens == 0


@pytest.mark.parametrize("records", [[7], [{"name": "api_request"}]])
def test_records_that_make_no_sense_cost_nothing(records: list) -> None:
    assert all(isinstance(event, Notice) for event in telemetry(*records))


def test_no_records_are_no_events() -> None:
    assert SessionObserver(Definition(command=["c"])).mark("telemetry", {"records": 7}, None, SECOND) == []
