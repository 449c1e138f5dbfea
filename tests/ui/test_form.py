"""What every page is held to: accessible, fits a phone, strict about scripts, small at first."""

import sys
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from roost.testing.server import RunningServer
from tests.ui.conftest import Visitor
from tests.ui.views import button, row
from tests.waiting import until

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WINDOWS = {"desktop": {}, "phone": PHONE}
PLACES = (
    "/",
    "/agents/term",
    "/agents/pipes",
    "/agents/ended",
    "/agents/talker",
    "/agents/nobody",
    "/approvals",
    "start",
    "kill",
    "login",
)
TALK = "@think Hm.\n@say Look.\n@plan x look | > write\n@read none.txt\n@bash echo one"


@pytest.fixture(scope="module")
def peopled(server: RunningServer) -> RunningServer:
    server.start_agent("term", "bash", "-c", "printf '\\e[30;40mdark\\e[0m \\e[93mbright\\e[0m\\n'; sleep 1000")
    server.start_agent("pipes", "bash", "-c", "echo out; echo err >&2; sleep 1000", driver="lines")
    server.start_agent("ended", "false", driver="lines")
    server.start_agent("talker", sys.executable, "-m", "roost.testing.agents.claude", driver="claude")
    server.call("POST", "/api/agents/talker/prompt", {"prompt": TALK})
    until(lambda: server.agent("ended")["state"] == "failed" and server.agent("talker")["state"] == "waiting")
    return server


def go(visitor: Visitor, server: RunningServer, place: str, **window: Any) -> Page:
    """A window at one of the places, with everything there to be seen."""
    if place == "login":
        page = visitor.open(server, token=None, **window)
        expect(page.get_by_label("Token")).to_be_visible()
        return page
    page = visitor.open(server, place if place.startswith("/") else "/agents/term", **window)
    if place == "/agents/nobody":
        expect(page.get_by_role("button", name="Show all agents")).to_be_visible()
    elif place in ("/approvals", "/agents/talker"):
        expect(page.get_by_role("article")).to_be_visible()
    elif place == "/":
        expect(row(page, "ended")).to_be_visible()
    else:
        expect(page.locator(".xterm-rows, .line").first).to_be_visible()
    if place in ("start", "kill"):
        page.get_by_role("button", name="Start" if place == "start" else "Kill").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
    return page


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    visitor: Visitor, peopled: RunningServer, place: str, scheme: str, window: str
) -> None:
    page = go(visitor, peopled, place, color_scheme=scheme, bypass_csp=True, **WINDOWS[window])
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_first_load_is_small_and_the_terminal_is_not_part_of_it(visitor: Visitor, peopled: RunningServer) -> None:
    page = visitor.open(peopled, token=None)
    got: list[Response] = []
    page.on("response", lambda each: got.append(each))  # noqa: PLW0108 -- playwright sets an attribute on it
    page.reload(wait_until="networkidle")
    files = [each for each in got if "/api/" not in each.url]
    sizes = [each.request.sizes()["responseBodySize"] for each in files]
    assert sum(sizes) <= 150 * 1024
    assert not any("Terminal" in each.url for each in files)


def test_no_script_is_allowed_but_the_pages_own_files(visitor: Visitor, peopled: RunningServer) -> None:
    page = visitor.open(peopled)
    answer = page.goto(peopled.url)
    assert answer is not None
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy.get("script-src", "'self'") == "'self'"
    assert policy["frame-ancestors"] == "'none'"


def test_every_control_of_a_pane_is_reached_by_the_tab_key(visitor: Visitor, peopled: RunningServer) -> None:
    page = go(visitor, peopled, "/agents/pipes")
    row(page, "term").focus()
    reached = set()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent || document.activeElement.ariaLabel"))
    assert {"Pause", "Restart", "Stop", "Kill", "Stop following", "Send"} <= reached


def test_the_dialog_keeps_the_focus_and_gives_it_back(visitor: Visitor, peopled: RunningServer) -> None:
    page = visitor.open(peopled)
    start = button(page, "Start an agent")
    start.click()
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(start).to_be_focused()
