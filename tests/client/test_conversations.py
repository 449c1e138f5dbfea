"""Which approval is meant by what a person writes."""

import pytest

from roost.client.conversations import chosen, newest_of
from roost.errors import ApprovalNotFound, InvalidRequest


def view(number: int, agent: str = "web", **more: str) -> dict[str, str]:
    return {
        "approval_id": f"20261121-061500-1e240ab12-{number}",
        "agent_name": agent,
        "asked_at": f"2026-11-21T06:15:0{number}.000Z",
        **more,
    }


def test_an_approval_is_meant_by_its_id_a_part_of_it_or_its_agent():
    open_ones = [view(1), view(2, "docs")]
    for word in ("20261121-061500-1e240ab12-2", "1e240ab12-2", "docs"):
        assert chosen(open_ones, word) == open_ones[1]
    with pytest.raises(ApprovalNotFound):
        chosen(open_ones, "nobody")


def test_an_agent_that_asks_several_things_does_not_say_which():
    with pytest.raises(InvalidRequest, match="several"):
        chosen([view(1), view(2)], "web")


def test_who_comes_too_late_with_an_agents_name_means_what_was_answered_last():
    decided = [
        view(1, decided_at="2026-11-21T06:15:09.000Z"),
        view(2, decided_at="2026-11-21T06:15:08.000Z"),
        view(3, "docs"),
    ]
    assert chosen(newest_of(decided, "web"), "web") == decided[0]
    assert chosen(newest_of(decided, "docs"), "docs") == decided[2]
    assert chosen(newest_of(decided, "1e240ab12-2"), "1e240ab12-2") == decided[1]
