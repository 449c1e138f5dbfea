"""Signing in, losing the server, and finding it again."""

import re

from playwright.sync_api import Page, expect

from roost.testing.server import RunningServer, run_server
from tests.ui.conftest import Visitor
from tests.ui.views import button, expect_on_screen, lines, row, status, type_into_terminal
from tests.waiting import until

COUNTING = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"


def sign_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    button(page, "Sign in").click()


def test_without_a_cookie_the_page_asks_for_the_token(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("behind", "sleep", "1000")
    page = visitor.open(server, "/agents/behind", token=None)
    expect(page.get_by_text("roost open")).to_be_visible()
    sign_in(page, "not-the-token-at-all")
    expect(page.get_by_role("alert")).to_have_text("That is not the token of this server.")
    sign_in(page, server.token)
    expect(page.get_by_role("heading", name="behind", level=1)).to_be_visible()
    expect(status(page)).to_have_text("Live")


def test_a_ticket_in_the_address_signs_in_and_leaves_the_address(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("by-ticket", "sleep", "1000")
    ticket = server.call("POST", "/api/tickets")["ticket"]
    page = visitor.open(server, f"/login?ticket={ticket}", token=None)
    expect(row(page, "by-ticket")).to_be_visible()
    assert "ticket" not in page.url


def test_a_server_that_goes_is_said_and_found_again_and_nothing_is_lost_or_doubled(visitor: Visitor) -> None:
    with run_server() as server:
        server.start_agent("count", "bash", "-c", COUNTING, driver="lines")
        page = visitor.open(server, "/agents/count")
        expect(page.get_by_text(re.compile(r"^20$"))).to_be_visible()
        server.kill9()
        expect(status(page)).to_contain_text("trying again")
        server.restart()
        expect(status(page)).to_have_text("Live")
        last = int(lines(page)[-1])
        until(lambda: int(lines(page)[-1]) >= last + 20, what="output goes on")
        button(page, "Stop following").click()
        expect(page.get_by_role("log", name="Earlier lines")).to_be_visible()
        seen = [int(line) for line in lines(page)]
        assert seen == list(range(1, len(seen) + 1))


def test_a_terminal_comes_back_after_the_server_did(visitor: Visitor) -> None:
    with run_server() as server:
        server.start_agent("survivor", "bash", "--norc", "--noprofile", env={"PS1": "ready> "})
        page = visitor.open(server, "/agents/survivor")
        type_into_terminal(page, "echo before\n")
        expect_on_screen(page, r"^before\s*$")
        server.kill9()
        expect(page.get_by_text("Connection lost. Trying again…")).to_be_visible()
        server.restart()
        expect(page.get_by_text("Connection lost. Trying again…")).to_have_count(0)
        type_into_terminal(page, "echo after\n")
        expect_on_screen(page, r"^before\s*$")
        expect_on_screen(page, r"^after\s*$")


def test_a_cookie_that_is_void_leads_to_the_sign_in(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server)
    expect(status(page)).to_have_text("Live")
    page.context.clear_cookies()
    expect(page.get_by_label("Token")).to_be_visible()


def test_what_is_typed_while_the_server_is_killed_is_typed_once_and_in_order(visitor: Visitor) -> None:
    with run_server() as server:
        server.start_agent("typed", "sh", "-c", "stty -echo; echo ready; exec cat")
        page = visitor.open(server, "/agents/typed")
        expect_on_screen(page, r"^ready\s*$")
        type_into_terminal(page, "line 0\n")
        for number in range(1, 12):
            page.keyboard.type(f"line {number}\n")
            if number == 4:
                server.kill9()
            if number == 8:
                server.restart()
        expect_on_screen(page, r"^line 11\s*$")
        told = server.call("GET", "/api/agents/typed/logs?tail=100")["lines"]
        assert [line["line"] for line in told] == ["ready", *(f"line {number}" for number in range(12))]
