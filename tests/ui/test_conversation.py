"""A conversation with a coding agent, and what agents ask."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from roost.testing.server import RunningServer
from tests.ui.conftest import Visitor
from tests.ui.views import button
from tests.waiting import until

CLAUDE = (sys.executable, "-m", "roost.testing.agents.claude")


@pytest.fixture
def agent(server: RunningServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A coding agent without a model, which does what its prompts say."""
    name = f"talk-{abs(hash(request.node.name)) % 10**8}"
    server.start_agent(name, *CLAUDE, driver="claude", cwd=str(tmp_path))
    yield name
    server.call("POST", f"/api/agents/{name}/kill")


def ask(page: Page, agent: str, *lines: str) -> None:
    box = page.get_by_label(f"A prompt for {agent}")
    for number, line in enumerate(lines):
        if number:
            box.press("Shift+Enter")
        box.press_sequentially(line)
    box.press("Enter")


def items(page: Page, kind: str = "") -> Locator:
    return page.locator(f".item{kind and f'.{kind}'}")


def approval(page: Page, title: str) -> Locator:
    return page.get_by_role("article", name=title)


def prompt(server: RunningServer, agent: str, text: str) -> None:
    server.call("POST", f"/api/agents/{agent}/prompt", {"prompt": text})


def test_a_prompt_its_answer_and_its_cost_are_shown(visitor: Visitor, server: RunningServer, agent: str) -> None:
    page = visitor.open(server, f"/agents/{agent}")
    ask(page, agent, "Fix the test.", "  It fails.")
    expect(items(page, "prompt")).to_have_text("Fix the test.\n  It fails.")
    expect(items(page, "said")).to_have_text("You said: Fix the test.\n  It fails.")
    expect(items(page, "end")).to_have_text(re.compile(r"Completed · .*s · \$0\.\d+"))
    expect(page.get_by_label(f"A prompt for {agent}")).to_have_value("")


def test_thinking_and_calls_unfold(visitor: Visitor, server: RunningServer, agent: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("what it says\n")
    page = visitor.open(server, f"/agents/{agent}")
    ask(page, agent, "@think Where is it?", "@read notes.txt", "@plan x look | > write", "@say Here.")
    expect(items(page, "end")).to_be_visible()
    expect(page.get_by_text("Where is it?", exact=True)).not_to_be_visible()
    page.get_by_text("Thinking", exact=True).click()
    expect(page.get_by_text("Where is it?", exact=True)).to_be_visible()
    page.get_by_text("Reading notes.txt").click()
    expect(page.locator(".result").first).to_contain_text("what it says")
    expect(page.get_by_text("Plan: 1 of 2 · write")).to_be_visible()


def test_what_is_asked_is_answered_where_it_is_asked(
    visitor: Visitor, server: RunningServer, agent: str, tmp_path: Path
) -> None:
    page = visitor.open(server, f"/agents/{agent}")
    ask(page, agent, "@write a.txt one", "@bash echo two", "@bash echo three")
    expect(page.get_by_text("asks first")).to_be_visible()
    approval(page, "Writing a.txt").get_by_role("button", name="Yes", exact=True).click()
    expect(page.get_by_text("+1")).to_be_visible()
    denied = approval(page, "Running echo two")
    denied.get_by_label("What to tell the agent with a no").fill("not that")
    denied.get_by_role("button", name="No", exact=True).click()
    expect(page.get_by_text("Denied by owner: not that")).to_be_visible()
    edited = approval(page, "Running echo three")
    edited.get_by_role("button", name="Edit").click()
    text = edited.get_by_label("The tool's input as JSON")
    text.fill("{")
    expect(button(page, "Allow with these changes")).to_be_disabled()
    text.fill('{"command": "echo FOUR"}')
    button(page, "Allow with these changes").click()
    expect(items(page, "end")).to_be_visible()
    page.get_by_text("Running echo three").click()
    expect(page.locator(".result").last).to_have_text(re.compile("FOUR"))
    assert (tmp_path / "a.txt").read_text() == "one"


def test_while_a_turn_runs_a_prompt_waits_or_the_turn_is_interrupted(
    visitor: Visitor, server: RunningServer, agent: str
) -> None:
    page = visitor.open(server, f"/agents/{agent}")
    ask(page, agent, "@wait 60")
    expect(page.get_by_text("Working…")).to_be_visible()
    ask(page, agent, "later")
    expect(page.get_by_text("waits for its turn")).to_be_visible()
    button(page, "Take back").click()
    expect(page.get_by_text("taken back", exact=True)).to_be_visible()
    page.get_by_role("combobox").select_option("interrupt")
    ask(page, agent, "now")
    expect(page.get_by_text("You said: now")).to_be_visible()
    expect(items(page, "end").filter(has_text="Interrupted")).to_be_visible()
    ask(page, agent, "@wait 60")
    button(page, "Interrupt").click()
    expect(items(page, "end").filter(has_text="Interrupted")).to_have_count(2)


def test_all_that_is_asked_stands_in_one_place_and_is_counted(
    visitor: Visitor, server: RunningServer, agent: str
) -> None:
    page = visitor.open(server, "/")
    link = page.get_by_role("link", name="Approvals")
    expect(link).to_have_text("Approvals ")
    prompt(server, agent, "@bash echo one\n@ask Which one? | Red | Green")
    expect(link).to_have_text("Approvals 1")
    link.click()
    expect(page).to_have_url(f"{server.url}/approvals")
    expect(page.get_by_role("link", name=agent)).to_be_visible()
    page.keyboard.press("j")
    expect(approval(page, "Running echo one")).to_be_focused()
    page.keyboard.press("y")
    page.get_by_role("button", name="Green").click()
    expect(page.get_by_text("No agent waits for an answer.")).to_be_visible()
    expect(link).to_have_text("Approvals ")
    until(lambda: server.agent(agent)["state"] == "idle")


def test_who_was_second_is_told(visitor: Visitor, server: RunningServer, agent: str) -> None:
    prompt(server, agent, "@bash echo one")
    page = visitor.open(server, "/approvals")
    yes = approval(page, "Running echo one").get_by_role("button", name="Yes", exact=True)
    expect(yes).to_be_visible()
    page.route("**/api/approvals?*", lambda route: route.abort())
    page.route("**/api/stream*", lambda route: route.abort())
    (asked,) = server.call("GET", "/api/approvals")["approvals"]
    page.route(
        f"**/api/approvals/{asked['approval_id']}",
        lambda route: route.fulfill(status=409, json={"error": _already(asked["approval_id"])}),
    )
    yes.click()
    expect(page.get_by_role("alert")).to_contain_text("was already settled")


def _already(approval_id: str) -> dict[str, object]:
    message = "the approval was already settled: deny by anna"
    return {"code": "ALREADY_DECIDED", "message": message, "details": {}, "request_id": approval_id}


def test_who_may_only_look_has_nothing_to_press(visitor: Visitor, server: RunningServer, agent: str) -> None:
    prompt(server, agent, "@bash echo one")
    until(lambda: server.call("GET", "/api/approvals")["approvals"])
    page = visitor.open(server, f"/agents/{agent}")
    page.route("**/api/login", lambda route: route.fulfill(json={"name": "guest", "role": "viewer"}))
    page.reload()
    expect(approval(page, "Running echo one")).to_be_visible()
    expect(approval(page, "Running echo one").get_by_role("button")).to_have_count(0)
    expect(page.get_by_label(f"A prompt for {agent}")).to_have_count(0)
