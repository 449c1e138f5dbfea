"""Programs that fill the screen are used through roost as in a local terminal: with no server, and with one."""

from tests.terminal.conftest import Machine, detach, needs

VIM = ["vim", "--clean", "-n", "-i", "NONE", "--cmd", "set nomore noshowcmd"]


@needs("vim")
def test_vim_is_typed_into_and_resized(machine: Machine) -> None:
    twins = machine.twins(*VIM, "text.txt")
    twins.show("line 29")
    twins.type("iwide 漢字 ")
    twins.show("wide 漢字 line 1")
    twins.press("Down", "Down", "End")
    twins.type("!")
    twins.press("Escape", "C-d", "C-d")
    twins.show("line 45")
    twins.resize(80, 24)
    twins.are_same()
    twins.resize(100, 30)
    twins.type(":set number\r")
    twins.show(" 45 line 45")
    twins.press("C-c")
    twins.type("u")
    twins.are_same()
    twins.type(":wq! new.txt\r")
    assert twins.local.ends() == twins.ours.ends() == 0
    twins.are_same()


@needs("vim")
def test_vim_takes_a_paste_as_a_paste(machine: Machine) -> None:
    twins = machine.twins(*VIM, "new.txt")
    twins.show("All")
    twins.type(":set autoindent | startinsert\r")
    twins.show("-- INSERT --")
    twins.paste("if a:\n    b\n        c\n")
    twins.show("        c")
    twins.type("end")
    twins.show("end")


@needs("vim")
def test_vim_is_repainted_for_who_comes_back(machine: Machine) -> None:
    twins = machine.twins(*VIM, "text.txt")
    twins.show("line 29")
    twins.type(":set number\r")
    twins.press("Escape", "C-f", "Down", "Down")
    twins.show("line 50")
    twins = machine.reattached(twins)
    twins.show("line 50")
    twins.type("ohere")
    twins.press("Left", "Up", "Escape")
    twins.show("here")
    twins.type(":q!\r")
    assert twins.local.ends() == twins.ours.ends() == 0
    assert not twins.ours.state.alternate


@needs("less")
def test_less_is_scrolled_searched_and_left(machine: Machine) -> None:
    twins = machine.twins("less", "text.txt")
    twins.show("line 29")
    twins.press("Down", "Down", "PageDown")
    twins.show("line 60")
    twins.type("/line 150\r")
    twins.show("line 150")
    twins = machine.reattached(twins)
    twins.show("line 150")
    twins.resize(80, 24)
    twins.are_same()
    twins.press("Up")
    twins.show("line 149")
    twins.type("q")
    assert twins.local.ends() == twins.ours.ends() == 0
    assert not twins.ours.state.alternate


def test_python_is_edited_interrupted_and_asked_for_its_history(machine: Machine) -> None:
    twins = machine.twins("python3", "-i", "-q")
    twins.show(">>>")
    twins.type("sum(range(10)) + 100\r")
    twins.show("145")
    twins.press("Up", "Left", "Left", "Left")
    twins.type("9")
    twins.press("Enter")
    twins.show("9145")
    twins.type("import time; time.sleep(1000)\r")
    twins.press("C-c")
    twins.show("KeyboardInterrupt")
    twins.paste("for each in 'ab':\n    print(each * 3)\n\n")
    twins.show("bbb")
    twins = machine.reattached(twins)
    twins.do(lambda window: window.shows("9145"))
    twins.type("exit(7)\r")
    assert twins.local.ends() == twins.ours.ends() == 7


@needs("htop")
def test_htop_is_drawn_clicked_and_left(machine: Machine) -> None:
    window = machine.roost("run", "one", "--", "htop", "--delay", "100")
    window.shows("F10Quit")
    assert window.state.mouse
    window.press("F5")
    window.shows("F5List")
    detach(window)
    window = machine.roost("attach", "one", cols=80, rows=24)
    window.shows("F5List")
    assert window.state.mouse
    window.press("F5")
    window.shows("F5Tree")
    window.press("F10")
    assert window.ends() == 0
    assert not window.state.alternate
    assert not window.state.mouse
