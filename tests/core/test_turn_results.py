"""What became of turns."""

from __future__ import annotations

from roost.core.turn_results import Told, gather
from roost.core.wire import event_data
from roost.model.events import AnyEvent, Error, FileChange, Turn, Usage, event_type

SECOND = 1_000_000_000


def told(*events: AnyEvent) -> list[Told]:
    return [Told(event_type(one), (at + 1) * SECOND, event_data(one)) for at, one in enumerate(events)]


def turn(turn_id: str, state: str, **more: object) -> Turn:
    return Turn(0, 0, turn_id, state, **more)


def test_a_turn_has_what_was_asked_and_what_came_of_it() -> None:
    (view,) = gather(
        told(
            turn("t1", "queued", prompt="do it", by="ann"),
            turn("t1", "sent"),
            turn("t1", "started"),
            turn("t1", "completed", text="done", duration_ms=7),
        ),
        "a",
        "s1",
    )
    assert (view.turn_id, view.agent_name, view.session_id) == ("t1", "a", "s1")
    assert (view.state, view.ended, view.prompt, view.by, view.text) == ("completed", True, "do it", "ann", "done")
    assert (view.queued_at, view.started_at, view.ended_at) == tuple(f"1970-01-01T00:00:0{n}.000Z" for n in (1, 3, 4))


def test_what_is_spent_is_summed_by_model() -> None:
    (view,) = gather(
        told(turn("t1", "sent"), Usage(0, 0, "m", 1, 2, 3, 4, 0.5), Usage(0, 0, "m", 1), Usage(0, 0, "n", 9)),
        "a",
        "s1",
    )
    m, n = view.usage
    assert (m.input_tokens, m.output_tokens, m.cache_read_tokens, m.cache_write_tokens) == (2, 2, 3, 4)
    assert (m.cost_usd, n.cost_usd, view.cost_usd) == (0.5, None, 0.5)


def test_a_file_that_was_made_and_then_changed_was_made() -> None:
    (view,) = gather(
        told(
            turn("t1", "sent"),
            FileChange(0, 0, "a", "created", added=3),
            FileChange(0, 0, "a", "modified", added=1, removed=2),
            FileChange(0, 0, "b", "deleted"),
        ),
        "a",
        "s1",
    )
    assert [(one.path, one.change, one.added, one.removed) for one in view.files] == [
        ("a", "created", 4, 2),
        ("b", "deleted", 0, 0),
    ]


def test_what_happens_belongs_to_the_turn_that_runs() -> None:
    error = Error(0, 0, "AGENT_ERROR", "broken", {})
    first, second, third = gather(
        told(
            error,
            turn("t1", "queued"),
            turn("t2", "queued"),
            turn("t1", "started"),
            error,
            turn("t1", "failed", reason="broken"),
            turn("t2", "sent"),
            turn("t3", "sent"),
            error,
            turn("t3", "steered"),
        ),
        "a",
        "s1",
    )
    assert (len(first.errors), len(second.errors), len(third.errors)) == (1, 1, 0)
    assert (first.reason, second.ended, third.state) == ("broken", False, "steered")


def test_the_tools_own_report_counts_more_than_what_a_watcher_saw() -> None:
    (view,) = gather(
        told(
            turn("t1", "sent"),
            FileChange(0, 0, "a", "modified", added=3, removed=3, source="watcher"),
            FileChange(0, 0, "a", "modified", added=1, removed=1),
            FileChange(0, 0, "a", "modified", added=9, removed=9, source="watcher"),
            FileChange(0, 0, "b", "created", added=2, source="watcher"),
            FileChange(0, 0, "b", "modified", added=1, source="watcher"),
        ),
        "a",
        "s1",
    )
    assert [(one.path, one.change, one.added, one.removed) for one in view.files] == [
        ("a", "modified", 1, 1),
        ("b", "created", 3, 0),
    ]
