"""The list of agents."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from roost.testing.server import RunningServer, run_server
from tests.ui.conftest import Visitor
from tests.ui.views import row, status
from tests.waiting import until


@pytest.fixture(scope="module")
def busy(server: RunningServer) -> Iterator[RunningServer]:
    """A server with a few agents in several states."""
    server.start_agent("worker-10", "sleep", "1000")
    server.start_agent("worker-9", "sleep", "1000")
    server.start_agent("broken", "bash", "-c", "exit 3", driver="lines")
    server.start_agent("done", "true", driver="lines")
    until(lambda: {server.agent("broken")["state"], server.agent("done")["state"]} == {"failed", "exited"})
    yield server


def test_without_agents_the_page_names_the_command_to_run(visitor: Visitor) -> None:
    with run_server() as empty:
        page = visitor.open(empty)
        expect(page.get_by_role("heading", name="No agents yet")).to_be_visible()
        expect(page.get_by_text("roost run demo -- bash")).to_be_visible()


def test_what_failed_comes_before_what_runs_and_the_ended_last(visitor: Visitor, busy: RunningServer) -> None:
    page = visitor.open(busy)
    expect(row(page, "done")).to_be_visible()
    names = page.locator("a.agent .name").all_inner_texts()
    assert [name for name in names if name in {"broken", "worker-9", "worker-10", "done"}] == [
        "broken",
        "worker-9",
        "worker-10",
        "done",
    ]


def test_a_row_says_state_and_exit_code(visitor: Visitor, busy: RunningServer) -> None:
    page = visitor.open(busy)
    expect(row(page, "broken")).to_contain_text("failed")
    expect(row(page, "broken")).to_contain_text("exit 3")
    expect(row(page, "worker-9")).to_contain_text("running")


def test_an_agent_that_starts_or_ends_is_seen_without_reloading(visitor: Visitor, busy: RunningServer) -> None:
    page = visitor.open(busy)
    expect(status(page)).to_have_text("Live")
    busy.start_agent("late", "bash", "-c", "read; exit 7")
    expect(row(page, "late")).to_contain_text("running")
    busy.call("POST", "/api/agents/late/input", {"input": "\n"})
    expect(row(page, "late")).to_contain_text("exit 7")


def test_slash_goes_to_the_filter_which_is_kept_in_the_address(visitor: Visitor, busy: RunningServer) -> None:
    page = visitor.open(busy)
    expect(row(page, "worker-9")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("worker-1")
    expect(row(page, "worker-9")).to_have_count(0)
    expect(row(page, "worker-10")).to_be_visible()
    page.reload()
    expect(row(page, "worker-10")).to_be_visible()
    assert row(page, "worker-9").count() == 0
    assert page.url.endswith("/?q=worker-1")


def test_a_filter_that_nothing_matches_says_so(visitor: Visitor, busy: RunningServer) -> None:
    page = visitor.open(busy, "/?q=nothing-like-it")
    expect(page.get_by_text("No agent matches “nothing-like-it”.")).to_be_visible()


def test_the_keyboard_is_enough_to_choose_an_agent_and_come_back(visitor: Visitor, busy: RunningServer) -> None:
    page = visitor.open(busy)
    expect(row(page, "worker-9")).to_be_visible()
    row(page, "broken").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(row(page, "broken")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="broken", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/agents/broken$"))
    page.go_back()
    expect(page.get_by_role("heading", name="broken", level=1)).to_have_count(0)


def test_an_unknown_agent_is_said_and_leads_back(visitor: Visitor, busy: RunningServer) -> None:
    page = visitor.open(busy, "/agents/nobody")
    expect(page.get_by_role("heading", name="No agent is called nobody")).to_be_visible()
    page.get_by_role("button", name="Show all agents").click()
    expect(row(page, "done")).to_be_visible()
