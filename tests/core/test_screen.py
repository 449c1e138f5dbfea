"""One contract for every emulator: what is shown, what is answered, and that a snapshot redraws it."""

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.core.screen import Cursor, Modes, Run, Screen, Style
from roost.core.styled import apply_sgr, parse_rows, row_bytes, sgr
from tests.core.terminal_goldens import GOLDENS, read_cast
from tests.core.test_text_cuts import PARTS

EMULATORS = ["ghostty", "pyte"]
CASTS = sorted(GOLDENS.glob("*.cast"))
REFLOWS = {"ghostty"}


@pytest.fixture(params=EMULATORS)
def emulator(request: pytest.FixtureRequest) -> str:
    if request.param == "ghostty":
        pytest.importorskip("pyghostty")
    return str(request.param)


def screen_of(data: bytes, emulator: str, cols: int = 20, rows: int = 5) -> Screen:
    """A screen after `data`."""
    screen = Screen(cols, rows, emulator=emulator)
    screen.feed(data)
    return screen


def test_text_is_the_visible_rows(emulator: str) -> None:
    screen = screen_of(b"".join(b"line %d  \r\n" % n for n in range(9)) + b"\x1b[31mred\x1b[0m", emulator)
    assert screen.text() == "line 5\nline 6\nline 7\nline 8\nred"
    assert screen.emulator == emulator
    assert screen.size == (20, 5)


def test_empty_rows_at_the_end_are_left_out(emulator: str) -> None:
    assert screen_of(b"\r\nx\r\n\r\n", emulator).text() == "\nx"
    assert screen_of(b"", emulator).text() == ""


def test_cells_are_runs_of_one_style(emulator: str) -> None:
    data = "a\x1b[1;31mb\x1b[0;48;5;200mc\x1b[0;38;2;1;2;3;4md\x1b[0;7;3me\x1b[0;9mf\x1b[0m 你 \r\n".encode()
    first, *rest = screen_of(data, emulator).cells()
    colour = {"ghostty": 200, "pyte": "#ff00d7"}[emulator]
    assert first == [
        Run("a"),
        Run("b", Style(fg=1, bold=True)),
        Run("c", Style(bg=colour)),
        Run("d", Style(fg="#010203", underline=1)),
        Run("e", Style(italic=True, inverse=True)),
        Run("f", Style(strike=True)),
        Run(" 你"),
    ]
    assert rest == [[], [], [], []]


def test_the_cursor_is_told(emulator: str) -> None:
    screen = screen_of(b"abc\x1b[?25l", emulator)
    assert screen.cursor == Cursor(3, 0, False)
    screen.feed(b"\x1b[2;4H\x1b[?25h")
    assert screen.cursor == Cursor(3, 1, True)
    screen.feed(b"\x1b[1;1H" + b"x" * 20)
    assert screen.cursor == Cursor(19, 0, True)


def test_modes_are_told(emulator: str) -> None:
    screen = screen_of(b"", emulator)
    assert screen.modes == Modes(False, False, False, 0)
    screen.feed(b"\x1b[?1049;2004h\x1b[?1h\x1b[?1000h\x1b[?1006h")
    assert screen.modes == Modes(True, True, True, 1000)
    screen.feed(b"\x1b[?1003h\x1b[?1000l\x1b[?2004l")
    assert screen.modes == Modes(True, False, True, 1003)


def test_the_title_is_told(emulator: str) -> None:
    screen = screen_of("\x1b]2;héllo\x07x\x1b]0;other".encode(), emulator)
    assert screen.title == "héllo"
    screen.feed(b" one\x1b\\")
    assert screen.title == {"ghostty": "other one", "pyte": "héllo"}[emulator]


def test_the_alternate_screen_hides_the_main_one(emulator: str) -> None:
    screen = screen_of(b"main\x1b[?1049h\x1b[Halternate", emulator)
    assert screen.text() == "alternate"
    screen.feed(b"\x1b[?1049l")
    assert screen.text() == "main"
    assert screen.cursor == Cursor(4, 0, True)


@pytest.mark.parametrize(
    ("query", "reply"),
    [
        (b"\x1b[5n", b"\x1b[0n"),
        (b"ab\x1b[6n", b"\x1b[1;3R"),
        (b"\x1b[c", b"\x1b[?62;22c"),
        (b"\x1b[>c", b"\x1b[>1;0;0c"),
        (b"\x1b[?2004$p", b"\x1b[?2004;2$y"),
        (b"\x1b[?2004h\x1b[?2004$p", b"\x1b[?2004;1$y"),
        (b"\x1b[>q", b"\x1bP>|roost\x1b\\"),
    ],
)
def test_queries_are_answered(emulator: str, query: bytes, reply: bytes) -> None:
    replies: list[bytes] = []
    screen = Screen(20, 5, replies.append, emulator=emulator)
    for byte in query:
        screen.feed(bytes((byte,)))
    assert b"".join(replies) == reply


def test_nobody_needs_to_listen(emulator: str) -> None:
    assert screen_of(b"\x1b[5n\x1b[6n\x1b[c\x1b[>q\x1b[?1$p\x1b[4nx", emulator).text() == "x"


def test_more_is_answered_by_ghostty() -> None:
    pytest.importorskip("pyghostty")
    replies: list[bytes] = []
    screen = Screen(20, 5, replies.append, emulator="ghostty")
    screen.feed(b"\x1b[18t\x1b[14t\x1b]11;?\x1b\\\x1bP$qm\x1b\\")
    assert replies == [b"\x1b[8;5;20t", b"\x1b[4;80;160t", b"\x1b]11;rgb:1010/1010/1010\x1b\\", b"\x1bP1$r0m\x1b\\"]


def test_an_error_of_the_listener_is_the_feeders(emulator: str) -> None:
    def refuse(_: bytes) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        Screen(20, 5, refuse, emulator=emulator).feed(b"\x1b[5n")


def test_a_resize_keeps_the_text(emulator: str) -> None:
    screen = screen_of(b"0123456789abcdef\r\nx", emulator)
    screen.resize(10, 6)
    assert screen.size == (10, 6)
    assert screen.text() == ("0123456789\nabcdef\nx" if emulator in REFLOWS else "0123456789\nx")
    screen.feed(b"\x1b[?1049h")
    screen.resize(30, 4)
    screen.feed(b"\x1b[?1049l")
    assert screen.text().startswith("0123456789")


@pytest.mark.parametrize(("size", "bounded"), [((0, 0), (1, 1)), ((-5, 3), (1, 3)), ((100_000, 2), (4096, 2))])
def test_any_size_will_do(emulator: str, size: tuple[int, int], bounded: tuple[int, int]) -> None:
    screen = Screen(3, 3, emulator=emulator)
    screen.resize(*size)
    assert screen.size == bounded
    screen.feed(b"x")
    assert screen.text() == "x"


def test_history_is_bounded(emulator: str) -> None:
    screen = Screen(40, 5, emulator=emulator, scrollback_bytes=100_000)
    screen.feed(b"a line of text\r\n" * (30_000 if emulator == "ghostty" else 3000))
    assert len(screen.snapshot(1_000_000)) < 2_000_000


def test_a_closed_screen_is_gone(emulator: str) -> None:
    screen_of(b"x", emulator).close()


def test_pyte_stands_in_where_ghostty_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyghostty", None)
    monkeypatch.delitem(sys.modules, "roost.core.screen_ghostty", raising=False)
    assert Screen(10, 3).emulator == "pyte"
    with pytest.raises(ImportError):
        Screen(10, 3, emulator="ghostty")


def test_repeated_modes_and_sets_do_no_harm(emulator: str) -> None:
    data = b"\x1b[?1049h\x1b[?1049hx\x1b[?1049l\x1b[?1049l\x1b(0\x1b(B\x1b*By\x1b[99zz\x1bQ\x1b[4hab\x1b[D\x1b[4l"
    assert screen_of(data, emulator).text() == "yzab"


def test_a_snapshot_tells_history_too(emulator: str) -> None:
    screen = screen_of(b"".join(b"line %d\r\n" % n for n in range(20)) + b"$ ", emulator)
    other = screen_of(screen.snapshot(4), emulator)
    assert same(screen, other)
    assert [b"line 11" in other.snapshot(9), b"line 12" in other.snapshot(9)] == [False, True]
    assert b"line 15" not in screen.snapshot()


@pytest.mark.parametrize(
    "data",
    [
        b"\x1b[44m blue \x1b[K\r\nnext",
        b"\x1b[1;3;4;5;7;9;31mall\x1b[0m\r\n",
        b"\x1b[4:3mcurly\x1b[0m",
        b"x" * 50,
        b"x" * 20,
        b"\x1b[5;1H" + b"x" * 20,
        "你好\x1b[5;19H你".encode(),
        b"\x1b[2;4r\x1b[3;3Hhere",
        b"\x1b[?1049h\x1b[2;4r\x1b[?1h\x1b[3;3Hhere\x1b[31m",
        b"main text\r\n$ \x1b[?1047h\x1b[2Jalt",
        b"\x1b[?2004h\x1b[?1002h\x1b[?1006h\x1b[?25l\x1b]2;a title\x07",
        b"half a sequence \x1b[3",
        b"half a character \xe4\xbd",
        b"half a string \x1b]0;ti",
        b"\x1b[?7lxyz",
        b"\x1b[41m" + b"\r\n" * 8 + b"text" * 8,
    ],
)
def test_a_snapshot_redraws_the_screen(emulator: str, data: bytes) -> None:
    screen = screen_of(b"one\r\ntwo\r\n" * 4 + data, emulator)
    other = screen_of(b"what stood here \x1b[31m\x1b[?1049h before", emulator)
    other.feed(screen.snapshot(3))
    assert same(screen, other)
    for one in (screen, other):
        one.feed(b"1m\x07\xa0 goes on \x1b[?1049l and on")
    assert screen.text() == other.text()
    assert screen.cursor == other.cursor


@pytest.mark.parametrize("shape", [1, 2, 3, 4, 5, 6])
def test_a_snapshot_gives_the_cursor_its_shape(emulator: str, shape: int) -> None:
    assert b"\x1b[%d q" % shape in screen_of(b"\x1b[%d q" % shape, emulator).snapshot()


@pytest.mark.parametrize("data", [b"", b"\x1b[6 q\x1b[0 q", b"\x1b[6 q\x1b[ q", b"\x1b[3 q\x1bc"])
def test_a_cursor_of_no_shape_of_its_own_gets_none(emulator: str, data: bytes) -> None:
    shapes = re.findall(rb"\x1b\[(\d) q", screen_of(data, emulator).snapshot())
    assert shapes == [b"0"]


@pytest.mark.parametrize("data", [b"\x1b[3g\x1b[1;6H\x1bH\x1b[1;13H\x1bH\r", b"\x1b[4G\x1bH\x1b[?1049h", b"\x1b[3g\r"])
def test_a_snapshot_sets_the_tab_stops(emulator: str, data: bytes) -> None:
    screen = screen_of(data, emulator)
    other = screen_of(b"\x1b[2G\x1bH", emulator)
    other.feed(screen.snapshot())
    for one in (screen, other):
        one.feed(b"\r\x1b[Ka\tb\tc")
    assert screen.text() == other.text()


def test_usual_tab_stops_are_not_set_one_by_one(emulator: str) -> None:
    assert b"\x1bH" not in screen_of(b"", emulator).snapshot()


def test_a_snapshot_sets_the_colours_that_the_program_set() -> None:
    pytest.importorskip("pyghostty")
    screen = screen_of(b"\x1b]4;1;#ff0080\x07\x1b]10;#00ff00\x07\x1b]12;#123456\x07", "ghostty")
    colours = re.findall(rb"\x1b\]([^\x1b]*)\x1b\\", screen.snapshot())
    assert colours == [b"4;1;rgb:ff/00/80", b"10;rgb:00/ff/00", b"12;rgb:12/34/56"]
    screen.feed(b"\x1b]104\x07\x1b]110\x07\x1b]112\x07")
    assert b"\x1b]" not in screen.snapshot()


@pytest.mark.parametrize("path", CASTS, ids=lambda path: path.stem)
def test_snapshots_of_real_programs_redraw_them(emulator: str, path: Path) -> None:
    cast = read_cast(path)
    screen = Screen(cast.cols, cast.rows, emulator=emulator)
    step = 400 if emulator == "ghostty" else 3000
    for at in range(0, len(cast.data), step):
        screen.feed(cast.data[at : at + step])
        other = Screen(cast.cols, cast.rows, emulator=emulator)
        other.feed(screen.snapshot(5))
        assert same(screen, other)


@pytest.mark.parametrize("path", CASTS, ids=lambda path: path.stem)
def test_the_emulators_agree_on_real_programs(path: Path) -> None:
    pytest.importorskip("pyghostty")
    cast = read_cast(path)
    screens = [Screen(cast.cols, cast.rows, emulator=name) for name in EMULATORS]
    for at in range(0, len(cast.data), 2000):
        for screen in screens:
            screen.feed(cast.data[at : at + 2000])
        first, second = (screen.text() for screen in screens)
        assert first == second


@settings(max_examples=150, deadline=None)
@given(
    data=st.lists(st.sampled_from(PARTS) | st.binary(max_size=4), max_size=40).map(b"".join),
    name=st.sampled_from(EMULATORS),
)
def test_feeding_never_fails(data: bytes, name: str) -> None:
    screen = Screen(20, 5, emulator=name)
    screen.feed(data)
    screen.text()
    screen.cells()
    other = Screen(20, 5, emulator=name)
    other.feed(screen.snapshot(3))
    screen.close()


@given(
    st.builds(
        Style,
        fg=st.none() | st.integers(0, 255) | st.sampled_from(["#000000", "#12abef"]),
        bg=st.none() | st.integers(0, 255) | st.sampled_from(["#000000", "#12abef"]),
        bold=st.booleans(),
        faint=st.booleans(),
        italic=st.booleans(),
        underline=st.integers(0, 5),
        blink=st.booleans(),
        inverse=st.booleans(),
        invisible=st.booleans(),
        strike=st.booleans(),
    )
)
def test_a_style_is_written_and_read(style: Style) -> None:
    assert apply_sgr(Style(fg=3, blink=True), sgr(style)[2:-1].decode()) == style
    assert parse_rows([row_bytes([Run("x", style)])]) == [[Run("x", style)]]


@pytest.mark.parametrize(
    ("params", "style"),
    [
        ("1;2;3;5;7;8;9;21", Style()._replace(**dict.fromkeys(
            ("bold", "faint", "italic", "blink", "inverse", "invisible", "strike"), True), underline=2)),
        ("1;22;4;24;3;23;31;39;41;49", Style()),
        ("91;104", Style(fg=9, bg=12)),
        ("38;5", Style()),
        ("38;7;1", Style(bold=True)),
        ("58;5;3;1", Style(bold=True)),
        ("53;73;", Style()),
        ("38:2::1:2:3", Style(fg="#010203")),
    ],
)  # fmt: skip
def test_colour_sequences_are_understood(params: str, style: Style) -> None:
    assert apply_sgr(Style(), params) == style


def same(one: Screen, other: Screen) -> bool:
    """Whether two screens show the same and take input alike."""
    return (one.cells(), one.cursor, one.modes) == (other.cells(), other.cursor, other.modes)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"ab\x1b[3b", ["abbbb"]),
        (b"one\r\ntwo\x1b[T", ["", "one", "two"]),
        (b"one\r\ntwo\x1b[S", ["two"]),
    ],
)
def test_repeating_and_scrolling(data: bytes, rows: list[str], emulator: str) -> None:
    assert screen_of(data, emulator).text().split("\n")[: len(rows)] == rows


def test_underlines_and_colours_with_colons_are_understood(emulator: str) -> None:
    cells = screen_of(b"\x1b[4:3mA\x1b[4:0mB\x1b[38:2::1:2:3mC", emulator).cells()[0]
    assert [run.text for run in cells][:1] == ["A"]
    assert "".join(run.text for run in cells).rstrip() == "ABC"
