"""An agent's live terminal on the page."""

import re
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from roost.core.typed import encode_typed
from roost.testing.server import RunningServer
from tests.ui.conftest import Visitor
from tests.ui.views import button, expect_on_screen, row, terminal, type_into_terminal
from tests.waiting import until

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def shell(server: RunningServer, name: str) -> str:
    """Start a shell without anybody's settings; the path of its page."""
    server.start_agent(name, "bash", "--norc", "--noprofile", env={"PS1": "ready> "})
    return f"/agents/{name}"


def test_typing_reaches_the_agent_and_its_output_comes_back(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server, shell(server, "typed"))
    type_into_terminal(page, "echo $((6 * 7))\n")
    expect_on_screen(page, r"^42\s*$")


def test_choosing_an_agent_in_the_list_lets_one_type_at_once(visitor: Visitor, server: RunningServer) -> None:
    shell(server, "chosen")
    page = visitor.open(server)
    row(page, "chosen").click()
    expect(page.get_by_role("textbox", name="Terminal input")).to_be_focused()
    expect_on_screen(page, "ready>")
    page.keyboard.type("echo a''b\n")
    expect_on_screen(page, r"^ab\s*$")


def test_coming_back_shows_the_screen_as_it_was(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server, shell(server, "kept"))
    type_into_terminal(page, "printf '\\e[31mr\\e[0med\\n'\n")
    expect_on_screen(page, r"^red\s*$")
    page.reload()
    expect_on_screen(page, r"^red\s*$")


def test_the_terminal_takes_the_size_of_the_window(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server, shell(server, "sized"))
    type_into_terminal(page, "stty size\n")
    expect_on_screen(page, r"^\d+ 1\d\d\s*$")
    page.set_viewport_size({"width": 1000, "height": 500})
    agent = until(lambda: (a := server.agent("sized"))["cols"] < 100 and a)
    type_into_terminal(page, "stty size\n")
    expect_on_screen(page, rf"^{agent['rows']} {agent['cols']}\s*$")


def test_two_windows_see_each_other_and_the_last_to_type_decides_the_size(
    visitor: Visitor, server: RunningServer
) -> None:
    path = shell(server, "shared")
    wide = visitor.open(server, path)
    type_into_terminal(wide, "echo one\n")
    narrow = visitor.open(server, path, viewport={"width": 900, "height": 600})
    expect(wide.locator(".foot")).to_contain_text("Also here: web page")
    expect(narrow.locator(".foot")).to_contain_text("sized by another viewer")
    expect_on_screen(narrow, r"^one\s*$")
    type_into_terminal(narrow, "echo two\n")
    expect(wide.locator(".foot")).to_contain_text("sized by another viewer")
    expect_on_screen(wide, r"^two\s*$")
    narrow.close()
    expect(wide.locator(".foot")).not_to_contain_text("Also here")


def test_a_terminal_wider_than_the_window_is_shown_whole(visitor: Visitor, server: RunningServer) -> None:
    path = shell(server, "wide")
    type_into_terminal(visitor.open(server, path), "echo\n")
    small = visitor.open(server, path, viewport={"width": 700, "height": 500})
    expect(small.locator(".foot")).to_contain_text("sized by another viewer")
    screen, box = small.locator(".xterm-screen"), small.locator(".screen")
    fits = lambda: (screen.bounding_box() or {})["width"] <= (box.bounding_box() or {})["width"] + 1  # noqa: E731
    until(fits, what="the terminal fits its box")


def test_shift_escape_leaves_the_terminal(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server, shell(server, "left"))
    type_into_terminal(page, "echo here\n")
    page.keyboard.press("Shift+Escape")
    expect(row(page, "left")).to_be_focused()


def test_the_page_never_answers_what_a_program_asks_its_terminal(visitor: Visitor, server: RunningServer) -> None:
    """The server leaves queries out; should one come through, the page keeps silent as well."""
    sent: list[bytes] = []
    queries = b"\x1bc\x1b[c\x1b[>c\x1b[=c\x1b[5n\x1b[6n\x1b[?6n\x1b[?25$p\x1b[20$p\x1b[>q\x1b[18t\x1b[14t"
    queries += b"\x1b]4;1;?\x1b\\\x1b]10;?\x07\x1b]11;?\x07\x1b]12;?\x07\x1bP$qm\x1b\\\x1bP+q544e\x1b\\\x1b[?1004hquiet"
    path = shell(server, "asked")

    def play_server(socket: WebSocketRoute) -> None:
        socket.on_message(lambda data: sent.append(data) if isinstance(data, bytes) else None)
        socket.send(ATTACHED)
        socket.send(queries)

    page = visitor.open(server)
    page.route_web_socket(re.compile("/ws/agents/asked"), play_server)
    page.goto(server.url + path)
    expect_on_screen(page, "quiet")
    page.get_by_role("textbox", name="Terminal input").focus()
    page.keyboard.press("x")
    until(lambda: sent, what="the key is sent")
    assert sent == [encode_typed(1, b"x")]


ATTACHED = (
    '{"type": "attached", "agent": "asked", "data": {"session_id": "s", "cols": 80, "rows": 24, "viewers": [],'
    ' "you": "me", "owner": null, "state": "running"}}'
)


def test_a_session_that_ends_keeps_its_screen_and_can_be_started_again(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server, shell(server, "again"))
    type_into_terminal(page, "echo last words; exit 5\n")
    expect(page.locator(".panehead")).to_contain_text("exit 5")
    expect_on_screen(page, "last words")
    button(page, "Start again").click()
    expect(page.locator(".panehead")).to_contain_text("running")
    type_into_terminal(page, "echo anew\n")
    expect_on_screen(page, r"^anew\s*$")


def test_an_ended_agents_last_screen_can_be_looked_at(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("over", "bash", "-c", "echo all done")
    until(lambda: server.agent("over")["state"] == "exited")
    page = visitor.open(server, "/agents/over")
    expect_on_screen(page, "all done")


def test_a_phone_has_the_keys_that_its_keyboard_lacks(visitor: Visitor, server: RunningServer) -> None:
    page = visitor.open(server, shell(server, "phone"), **PHONE)
    type_into_terminal(page, "cat\n")
    page.keyboard.type("held")
    expect_on_screen(page, "held")
    page.get_by_role("button", name="Control C").click()
    type_into_terminal(page, "echo free\n")
    expect_on_screen(page, r"^free\s*$")
    assert not scrolls_sideways(page)


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_full_screen_programs_are_drawn(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("pager", "bash", "-c", "seq 500 | less")
    page = visitor.open(server, "/agents/pager")
    expect_on_screen(page, r"^1\s*$")
    type_into_terminal(page, "G")
    expect_on_screen(page, r"^500\s*$")
    assert "(END)" in terminal(page).inner_text()


def test_a_flood_is_answered_by_a_fresh_screen(visitor: Visitor, server: RunningServer) -> None:
    path = shell(server, "flooded")
    attached = ATTACHED.replace("asked", "flooded")
    sockets: list[WebSocketRoute] = []

    def play_server(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.send(attached)
        socket.send(b"\x1bcfresh" if len(sockets) > 1 else b"\x1bcstale")
        if len(sockets) == 1:
            # In one piece: what came in many would be drawn as it comes where the machine is slow.
            socket.send(b"many words\r\n" * 1_600_000)

    page = visitor.open(server)
    page.route_web_socket(re.compile("/ws/agents/flooded"), play_server)
    page.goto(server.url + path)
    expect_on_screen(page, "^fresh", timeout_s=40)
    assert len(sockets) == 2
