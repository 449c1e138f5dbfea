"""Real programs are used on the page as in a terminal."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page

from roost.testing.server import RunningServer
from tests.ui.conftest import Visitor
from tests.ui.views import expect_on_screen, rows, type_into_terminal
from tests.waiting import until

PASTE = """text => {
  const clipboardData = new DataTransfer()
  clipboardData.setData('text/plain', text)
  document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }))
}"""
VIM = ["vim", "--clean", "-n", "-i", "NONE", "--cmd", "set nomore noshowcmd"]


def paste(page: Page, text: str) -> None:
    page.evaluate(PASTE, text)


def scrolled_up(page: Page) -> list[str]:
    page.mouse.wheel(0, -800)
    return rows(page)


@pytest.mark.skipif(shutil.which("vim") is None, reason="needs vim")
def test_vim_is_typed_and_pasted_into_resized_and_found_again(
    visitor: Visitor, server: RunningServer, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("".join(f"line {number} 漢字 🙂 end\n" for number in range(1, 101)))
    server.start_agent("vim", *VIM, "text.txt", cwd=str(tmp_path))
    page = visitor.open(server, "/agents/vim")
    expect_on_screen(page, "^line 20 漢字 🙂 end")
    type_into_terminal(page, ":set autoindent\no")
    paste(page, "if a:\n    b\n        c\nd")
    expect_on_screen(page, "^d")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    page.keyboard.type("!")
    page.keyboard.press("Escape")
    expect_on_screen(page, "^        c!")
    page.set_viewport_size({"width": 900, "height": 500})
    until(lambda: server.agent("vim")["cols"] < 100)
    page.keyboard.type(":1\n")
    expect_on_screen(page, "^line 1 漢字 🙂 end")
    page.keyboard.type(":echo 'set' 'tled'\n")
    expect_on_screen(page, "^set tled")
    before = rows(page)
    page.reload()
    expect_on_screen(page, "^set tled")
    assert rows(page) == before
    type_into_terminal(page, ":wq\n")
    until(lambda: server.agent("vim")["state"] == "exited")
    assert (tmp_path / "text.txt").read_text().startswith("line 1 漢字 🙂 end\nif a:\n    b\n        c!\nd\nline 2")


def test_python_is_edited_interrupted_and_scrolled_back(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("python", "python3", "-i", "-q")
    page = visitor.open(server, "/agents/python")
    expect_on_screen(page, "^>>>")
    type_into_terminal(page, "sum(range(10)) + 100\n")
    expect_on_screen(page, r"^145\s*$")
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft", "9", "Enter"):
        page.keyboard.press(key)
    expect_on_screen(page, r"^9145\s*$")
    page.keyboard.type("import time; print('be', 'gun'); time.sleep(1000)\n")
    expect_on_screen(page, "^be gun")
    page.keyboard.press("Control+c")
    expect_on_screen(page, "^KeyboardInterrupt")
    page.keyboard.type("for each in range(100): print('row', each)\n\n")
    expect_on_screen(page, r"^row 99\s*$")
    page.reload()
    expect_on_screen(page, r"^row 99\s*$")
    page.locator(".xterm-screen").hover()
    until(lambda: "9145" in scrolled_up(page), what="what scrolled away is seen again")


def test_what_follows_an_emoji_stands_where_the_program_put_it(visitor: Visitor, server: RunningServer) -> None:
    server.start_agent("emoji", "sh", "-c", r"printf 'a🙂b\r\033[3CB\n'; exec sleep 1000")
    page = visitor.open(server, "/agents/emoji")
    expect_on_screen(page, r"^a🙂B\s*$")
