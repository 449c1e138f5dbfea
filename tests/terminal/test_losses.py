"""Who uses a full-screen program is disturbed by nothing: lost servers, other viewers, other sizes."""

import re
from pathlib import Path

from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.terminal.conftest import Machine, detach, needs
from tests.terminal.test_programs import VIM
from tests.terminal.tmux import Window, tmux
from tests.waiting import until

pytestmark = needs("vim")


def above_the_last_row(window: Window) -> str:
    """Vim's text; below it stands what it said last, which a change of size takes away."""
    return window.text.rpartition("\n")[0]


def test_vim_is_used_on_while_the_server_is_killed_and_started(own_server: RunningServer, tmp_path: Path) -> None:
    with tmux() as terminals:
        machine = Machine(terminals, tmp_path)
        twins = machine.twins(*VIM, "text.txt")
        twins.show("line 29")
        own_server.kill9()
        twins.type("ino server ")
        twins.show("no server line 1")
        twins.press("Down", "End")
        own_server.start()
        twins.type("one again")
        twins.press("Escape")
        twins.show("one again")
        own_server.restart()
        twins.press("C-f", "Down")
        twins.show("line 50")
        twins.type(":set mouse=\r:q!\r")
        assert twins.local.ends() == twins.ours.ends() == 0
        twins.are_same()


def test_two_at_one_vim_see_the_same_in_the_size_of_who_typed_last(machine: Machine) -> None:
    small = machine.local(*VIM, "text.txt", cols=80, rows=24)
    left = machine.roost("run", "one", "--", *VIM, "text.txt")
    left.shows("line 29")
    right = machine.roost("attach", "one", cols=80, rows=24)
    right.shows("line 10")
    for window in (small, right):
        window.type(":set number\r")
    small.shows(" 10 line 10")
    until(lambda: above_the_last_row(right) == above_the_last_row(small))
    left.type(":set nonumber\r")
    left.shows("line 29")
    left.shows("\nline 10")
    detach(left)
    right.type(":set number\r")
    until(lambda: above_the_last_row(right) == above_the_last_row(small))
    right.type(":q\r")
    assert right.ends() == 0


def test_nothing_that_a_terminal_answers_is_typed_into_the_program(machine: Machine) -> None:
    """Both windows would answer; so would the server."""
    asks = r"stty -icanon -echo; printf '\033[c\033[>c\033[6n\033[5n'; exec cat -v"
    first = machine.roost("run", "one", "--", "sh", "-c", "printf 'go? '; read -r _; " + asks)
    first.shows("go?")
    second = machine.roost("attach", "one")
    second.shows("go?")
    second.press("Enter")
    first.shows("^[[0n")
    first.type("end")
    first.shows("end")
    answers = first.text.strip().removesuffix("end")
    second.shows(answers + "end")
    assert re.fullmatch(r"go\?\s*\^\[\[\?[\d;]+c\^\[\[>[\d;]+c\^\[\[\d+;1R\^\[\[0n", answers), answers
    detach(second)
    first.press("C-c")
    assert first.ends() == 130


def test_the_command_of_the_tutorial_types_text_and_enter(data: DataDirectory, tmp_path: Path) -> None:
    with tmux() as terminals:
        machine = Machine(terminals, tmp_path)
        window = machine.roost("run", "one", "--", "python3", "-i", "-q")
        window.shows(">>>")
        sent = machine.roost("send", "one", "--enter", "print('a' * 3)\nprint('b' * 3)")
        assert sent.ends() == 0
        window.shows("bbb")
        assert machine.roost("send", "--enter", "one", "exit(5)").ends() == 0
        assert window.ends() == 5
