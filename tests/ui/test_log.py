"""The live log of an agent on pipes."""

from playwright.sync_api import Page, expect

from roost.testing.server import RunningServer
from tests.ui.conftest import Visitor
from tests.ui.views import button, lines
from tests.waiting import until


def test_both_streams_are_shown_and_told_apart(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("both", "bash", "-c", "echo fine; echo wrong >&2; sleep 1000", driver="lines")
    page = visitor.open(server, "/agents/both")
    expect(page.locator(".line.stdout")).to_have_text("fine")
    expect(page.locator(".line.stderr")).to_have_text("wrong")


def test_a_line_can_be_sent_to_the_agent(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("echoing", "bash", "-c", "while read line; do echo got $line; done", driver="lines")
    page = visitor.open(server, "/agents/echoing")
    page.get_by_label("A line of input for echoing").fill("hello")
    page.keyboard.press("Enter")
    expect(page.locator(".line").last).to_have_text("got hello")


def test_a_finished_agents_lines_and_end_are_shown(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("finished", "bash", "-c", "seq 3; exit 4", driver="lines")
    until(lambda: server.agent("finished")["state"] == "failed")
    page = visitor.open(server, "/agents/finished")
    expect(page.locator(".line").last).to_have_text("Ended with exit code 4.")
    assert lines(page)[:3] == ["1", "2", "3"]


def test_scrolling_up_stands_still_and_says_so_and_follow_goes_on(visitor: Visitor, server: RunningServer) -> None:
    command = "for i in $(seq 300); do echo line $i; done; while read line; do echo $line; done"
    server.start_agent("scrolled", "bash", "-c", command, driver="lines")
    page = visitor.open(server, "/agents/scrolled")
    expect(page.locator(".line").last).to_have_text("line 300")
    page.get_by_role("log").hover()
    page.mouse.wheel(0, -300)
    expect(page.get_by_text("Standing still while output goes on")).to_be_visible()
    server.call("POST", "/api/agents/scrolled/input", {"input": "newest\n"})
    expect(button(page, "Follow (+1 new)")).to_be_visible()
    assert "newest" not in lines(page)
    assert "line 1" in lines(page)
    button(page, "Follow (+1 new)").click()
    expect(page.locator(".line").last).to_have_text("newest")


def test_a_flood_shows_its_end_and_keeps_a_bounded_page(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("flood", "bash", "-c", "read; seq 30000; sleep 1000", driver="lines")
    page = visitor.open(server, "/agents/flood")
    expect(page.get_by_text("No output yet.")).to_be_visible()
    server.call("POST", "/api/agents/flood/input", {"input": "\n"})
    expect(page.locator(".line").last).to_have_text("30000")
    expect(page.get_by_text("earlier lines:")).to_be_visible()
    button(page, "Stop following").click()
    expect(page.get_by_role("log", name="Earlier lines")).to_be_visible()
    assert numbers(page) == list(range(30001 - len(numbers(page)), 30001))


def numbers(page: Page) -> list[int]:
    return [int(line) for line in lines(page)]


FAST = "while :; do for i in 1 2 3 4 5 6 7 8 9 10; do echo a line of a busy build; done; sleep 0.01; done"
COUNT_BLANK_FRAMES = """async (frames) => {
  const box = document.querySelector('.lines')
  const covered = () => [...box.querySelectorAll('.line')].reduce((sum, line) => sum + line.offsetHeight, 0)
  let blank = 0
  for (let frame = 0; frame < frames; frame += 1) {
    await new Promise(requestAnimationFrame)
    if (covered() < box.clientHeight * 0.9) blank += 1
  }
  return blank
}"""


def test_no_frame_is_blank_while_lines_rush_by(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("rushing", "bash", "-c", FAST, driver="lines")
    page = visitor.open(server, "/agents/rushing")
    until(lambda: len(lines(page)) > 30)
    assert page.evaluate(COUNT_BLANK_FRAMES, 120) == 0
    server.call("POST", "/api/agents/rushing/kill")
