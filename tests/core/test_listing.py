"""Filters and pages of agents."""

from typing import Any

import msgspec
import pytest

from roost.core.listing import decode_cursor, encode_cursor, matches, page_of
from roost.errors import InvalidCursor
from roost.model.requests import AgentsQuery
from roost.model.views import AgentView

PLAIN = AgentView(
    name="a",
    state="running",
    reason=None,
    session_id="s",
    driver="terminal",
    command=["bash", "-c", "Echo"],
    cwd="/src/app",
    node="n1",
    labels={"team": "web", "tier": ""},
    role="reviewer",
    started_at="",
    uptime_s=0,
)


def agents(names: str) -> list[AgentView]:
    return [msgspec.structs.replace(PLAIN, name=name) for name in names]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"state": ["exited", "running"]},
        {"attention": ["waits", "works"]},
        {"node": "n1", "driver": "terminal"},
        {"label": ["team"]},
        {"label": ["team=web", "tier="]},
        {"q": "ECHO"},
        {"q": "/app"},
        {"q": "review"},
        {"q": "team=web"},
    ],
)
def test_what_holds_lets_pass(query: dict[str, Any]) -> None:
    assert matches(PLAIN, AgentsQuery(**query))


@pytest.mark.parametrize(
    "query",
    [
        {"state": ["exited"]},
        {"attention": ["idle"]},
        {"attention": ["needed"]},
        {"node": "n2"},
        {"driver": "lines"},
        {"label": ["team=ops"]},
        {"label": ["team", "other"]},
        {"q": "nothing"},
        {"state": ["running"], "node": "n2"},
    ],
)
def test_what_does_not_hold_keeps_out(query: dict[str, Any]) -> None:
    assert not matches(PLAIN, AgentsQuery(**query))


def test_pages_hold_everybody_once() -> None:
    found: list[str] = []
    cursor = None
    while True:
        page = page_of(agents("abcdefg"), AgentsQuery(limit=3, cursor=cursor))
        found += [agent.name for agent in page.agents]
        assert page.total == 7
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == list("abcdefg")


def test_a_page_stays_right_while_agents_come_and_go() -> None:
    first = page_of(agents("bdf"), AgentsQuery(limit=2))
    second = page_of(agents("aef"), AgentsQuery(limit=2, cursor=first.next_cursor))
    assert [agent.name for agent in second.agents] == ["e", "f"]


def test_a_full_last_page_has_no_cursor() -> None:
    assert page_of(agents("ab"), AgentsQuery(limit=2)).next_cursor is None


def test_cursors_are_read_back() -> None:
    assert decode_cursor(encode_cursor("a.b-c_d")) == "a.b-c_d"


@pytest.mark.parametrize("cursor", ["", "x", "é", "!!!!", "//8", encode_cursor("a")[2:], "a" * 200])
def test_foreign_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor)


def test_needed_are_all_that_need_somebody() -> None:
    asks = msgspec.structs.replace(PLAIN, attention="input: Password", attention_kind="waits")
    assert [page_of([PLAIN, asks], AgentsQuery(attention=[kind])).total for kind in ("needed", "works")] == [1, 1]
