"""Start, stop, kill, pause, resume from the page."""

import re
from pathlib import Path

from playwright.sync_api import expect

from roost.testing.server import RunningServer, run_server
from tests.ui.conftest import Visitor
from tests.ui.views import button, expect_on_screen, row


def test_an_agent_is_started_by_the_form_and_shown(visitor: Visitor, server: RunningServer, tmp_path: Path) -> None:
    page = visitor.open(server)
    button(page, "Start an agent").click()
    page.get_by_label("Name").fill("made")
    page.get_by_label("Command").fill("bash -c 'pwd; sleep 1000'")
    page.get_by_label("Directory").fill(str(tmp_path))
    button(page, "Start").click()
    expect(page).to_have_url(re.compile("/agents/made$"))
    expect_on_screen(page, re.escape(tmp_path.name))


def test_what_the_server_refuses_is_said_in_the_form(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server)
    button(page, "Start an agent").click()
    page.get_by_label("Name").fill("missing")
    page.get_by_label("Command").fill("no-such-program-anywhere")
    button(page, "Start").click()
    expect(page.get_by_role("alert")).to_contain_text("no-such-program-anywhere")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_pause_and_resume(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("paused", "sleep", "1000")
    page = visitor.open(server, "/agents/paused")
    button(page, "Pause").click()
    expect(row(page, "paused")).to_contain_text("paused")
    button(page, "Resume").click()
    expect(row(page, "paused")).to_contain_text("running")


def test_stop_lets_the_agent_finish(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("polite", "bash", "-c", "trap 'echo tidied; exit 0' TERM; while :; do sleep 0.05; done")
    page = visitor.open(server, "/agents/polite")
    button(page, "Stop").click()
    expect_on_screen(page, "tidied")
    expect(button(page, "Start again")).to_be_visible()


def test_kill_asks_first(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("stubborn", "bash", "-c", "trap '' TERM; while :; do sleep 0.05; done")
    page = visitor.open(server, "/agents/stubborn")
    button(page, "Kill").click()
    expect(page.get_by_role("dialog")).to_contain_text("Kill stubborn?")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(row(page, "stubborn")).to_contain_text("running")
    button(page, "Kill").click()
    page.get_by_role("dialog").get_by_role("button", name="Kill").click()
    expect(page.locator(".panehead")).to_contain_text("SIGKILL")


def test_a_viewer_sees_everything_and_can_steer_nothing(visitor: Visitor, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "tokens").write_text("viewer guest only-for-looking-around\n")
    (data / "tokens").chmod(0o600)
    with run_server(data) as server:
        server.start_agent("shown", "bash", "-c", "echo look; sleep 1000")
        page = visitor.open(server, "/agents/shown", token="only-for-looking-around")
        expect_on_screen(page, "look")
        expect(page.get_by_text("You may look, not steer")).to_be_visible()
        assert page.get_by_role("button", name=re.compile("Stop|Kill|Pause|Start")).count() == 0
        assert page.get_by_role("alert").count() == 0
