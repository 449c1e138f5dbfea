"""Terminal output becomes lines."""

import json

import pytest

from roost.core.text import Cleaner, Line, Lines, ScreenMode


def lines(data: bytes, columns: int = 40, rows: int = 6, max_line: int = 1 << 20) -> list[str]:
    """All lines of a whole output."""
    cleaner = Cleaner(max_line, columns=columns, rows=rows)
    pieces = cleaner.feed(data, 1) + cleaner.finish(2)
    return [piece.text for piece in pieces if isinstance(piece, Line)]


def piped(data: bytes) -> list[str]:
    """The lines of a pipe."""
    return lines(data, columns=0)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\r\r\ntwo", ["one", "two"]),
        (b"\r\n\r\nx\r\n", ["", "", "x"]),
        (b"trailing   \r\n", ["trailing"]),
        (b"\x1b[31mred\x1b[0m \x1b[38;2;1;2;3mx\x1b[m\r\n", ["red x"]),
        (b"\x1b[38:2::1:2:3;4:3mcurly\x1b[0m\r\n", ["curly"]),
        (b"\x1b[01;31m\x1b[Kmatch\x1b[m\x1b[K rest\r\n", ["match rest"]),
        (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\r\n", ["alink"]),
        (b"\x1bPq#1\x1b\\a\x1b_Gx\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\d\r\n", ["abcd"]),
        (b"\x1b(B\x1b)Ba\x1b=\x1b>\x1b%Gb\x1b[2 q\x1b[!pc\r\n", ["abc"]),
        (b"a\x00b\x07c\x7f\x05d\r\n", ["abcd"]),
        (b"\xc2\x9b31mred\xc2\x9bm\xc2\x9d0;t\xc2\x9cx\r\n", ["redx"]),
        (b"a\xc2\x85b\r\n", ["a", "b"]),
        (b"a\xff\xfeb\xe4\xbd\r\n", ["a\ufffd\ufffdb\ufffd"]),
        (b"\xe4", ["\ufffd"]),
        (b"\x1b[12\x18a\x1b[3\x1ab\x1b]x\x18c\r\n", ["abc"]),
        (b"\x1b[3\x1b[0mx\r\n", ["x"]),
        (b"cut here \x1b[3\r\n\x1b[0mnext\r\n", ["cut here", "next"]),
        (b"\x1b[3\r\n1mx\r\n", ["", "x"]),
        (b"\x1b\r\n[1mx\r\n", ["", "x"]),
        (b"\x1b[" + b"1" * 2000 + b"mx\r\n", ["1" * 2000 + "mx"]),
        ("\x1b  \x01é\r\n".encode(), ["é"]),
    ],
)
def test_sequences_leave_no_trace(data: bytes, expected: list[str]) -> None:
    assert lines(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b" 10%\r 50%\r100% done\r\n", ["100% done"]),
        (b"long text\rab\r\n", ["abng text"]),
        (b"long text\rab\x1b[K\r\n", ["ab"]),
        (b"spin |\b/\b-\b \b\r\n", ["spin"]),
        (b"abc\b\b\b\bX\r\n", ["Xbc"]),
        (b"a\tb\r\n", ["a       b"]),
        ("世\tb\r\n".encode(), ["世      b"]),
        (b"12345678\t9\r\n", ["12345678        9"]),
        (b"x" * 38 + b"\ty\r\n", ["x" * 38 + " y"]),
        ("世界\rX\r\n".encode(), ["X 界"]),
        ("世界\b\bX\r\n".encode(), ["世X"]),
        ("e\u0301x\r\x1b[Cy\r\n".encode(), ["e\u0301y"]),
        ("\u0301x\r\x1b[Cy\r\n".encode(), ["\u0301xy"]),
        ("x\t\u0301\rz\r\n".encode(), ["z      \u0020\u0301"]),
        (b"abcdef\x1b[3D\x1b[2P\r\n", ["abcf"]),
        (b"abcdef\x1b[3D\x1b[2@\r\n", ["abc  def"]),
        (b"abcdef\x1b[4D\x1b[2X\r\n", ["ab  ef"]),
        (b"abcdef\x1b[3D\x1b[1K\r\n", ["    ef"]),
        (b"abcdef\x1b[2Kx\r\n", ["      x"]),
        (b"abc\x1b[10Gx\x1b[2`y\r\n", ["ayc      x"]),
        (b"abc\x1b[5Cd\x1b[3ae\r\n", ["abc     d   e"]),
        (b"a\x1b[3bc\r\n", ["aaaac"]),
        (b"\x1b[3bc\r\n", ["c"]),
        (b"a\x1b[2Ib\x1b[Zc\r\n", ["a" + " " * 15 + "c"]),
        (b"abc\r\x1b[4hXY\x1b[4l\r\n", ["XYabc"]),
        (b"\x1b(0lqk\x1b(B lqk\r\n", ["┌─┐ lqk"]),
        (b"\x1b)0a\x0eqq\x0fq\r\n", ["a──q"]),
        (b"a\x0eb\x0f\r\n", ["ab"]),
        (b"abc\x1b7def\x1b8X\r\n", ["abcXef"]),
        (b"abc\x1b[sdef\x1b[uX\r\n", ["abcXef"]),
        (b"abc\x1b[?1048hdef\x1b[?1048lX\r\n", ["abcXef"]),
        (b"a\x1b[99999999999Cb\r\n", ["a" + " " * 38 + "b"]),
        (b"a\x1b[?5Kb\x1b[?7$p\x1b[5;ic\r\n", ["abc"]),
    ],
)
def test_the_cursor_moves_within_a_line(data: bytes, expected: list[str]) -> None:
    assert lines(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"one\ntwo\r\n", ["one", "   two"]),
        (b"one\vtwo\fthree\r\n", ["one", "   two", "      three"]),
        (b"one\x1bDtwo\x1bEthree\r\n", ["one", "   two", "three"]),
        (b"a\r\n\nb\r\n", ["a", "", "b"]),
        (b"l1\r\nl2\r\n\x1b[2Anew1\x1b[B\rnew2\r\n", ["l1", "l2", "new1", "new2"]),
        (b"l1\r\nl2\r\n\x1b[2Al1\x1b[B\rl2\r\n", ["l1", "l2"]),
        (b"l1\r\nl2\r\n\x1b[F\x1b[2Kx\x1b[Ey\r\n", ["l1", "l2", "x", "y"]),
        (b"l1\r\nl2\r\n\x1b[1A\x1b[J", ["l1", "l2"]),
        (b"l1\r\nl2\x1b[1J\r\nl3\r\n", ["l1", "", "l3"]),
        (b"l1\r\n\x1bM\x1bMtop\r\n", ["l1", "top"]),
        (b"a\r\n\x1b[H\x1b[2Jb\r\nc\r\n", ["a", "b", "c"]),
        (b"a\r\n\x1b[H\x1b[Jb\r\n", ["a", "b"]),
        (b"a\r\nb\x1bcx\r\n", ["a", "x"]),
        (b"a\r\nb\r\n\x1b[1;1H\x1b[Lnew\r\n", ["a", "b", "new"]),
        (b"a\r\nb\r\n\x1b[1d\x1b[M", ["a", "b"]),
        (b"\x1b[3;1Hthird\r\n", ["", "third"]),
    ],
)
def test_the_cursor_moves_between_lines(data: bytes, expected: list[str]) -> None:
    assert lines(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"x" * 100 + b"\r\nnext\r\n", ["x" * 100, "next"]),
        (b"x" * 40 + b"\r\nnext\r\n", ["x" * 40, "next"]),
        (b"x" * 45 + b"\rY\r\n", ["x" * 40 + "Yxxxx"]),
        (b"x" * 400 + b"\rY\r\n", ["x" * 360 + "Y" + "x" * 39]),
        (b"x" * 45 + b"\x1b[A\rY\x1b[B\r\n", ["Y" + "x" * 44]),
        (b"x" * 45 + b"\x1b[A\r\x1b[K\x1b[B\r\n", ["", "xxxxx"]),
        (("x" * 39 + "世y").encode() + b"\b\bz\r\n", ["x" * 39 + "  zy"]),
        (b"\x1b[?7l" + b"x" * 45 + b"y\r\n\x1b[?7h", ["x" * 39 + "y"]),
        (("\x1b[?7l" + "x" * 45 + "世\r\n").encode(), ["x" * 38 + "世"]),
        (b"x" * 45 + b"\x1b[A\x1b[40G\x1b[XZ\r\n", ["x" * 39 + "Zxxxxx"]),
    ],
)
def test_soft_wrapped_rows_are_one_line(data: bytes, expected: list[str]) -> None:
    assert lines(data) == expected


def test_a_pipe_has_endless_rows_and_a_line_feed_returns() -> None:
    assert piped(b"one\ntwo\r\n" + b"x" * 3000 + b"\rY\n") == ["one", "two", "Y" + "x" * 2999]
    assert piped(b"a\nb\n\x1b[2Ac\x1b[1B\x1b[2000C\x1b[@x") == ["a", "b", "c", "b" + " " * 2000 + "x"]


def test_insert_mode_is_for_terminals() -> None:
    assert piped(b"abc\r\x1b[4hXY\n") == ["XYc"]


def test_lines_come_at_their_line_feed() -> None:
    cleaner = Cleaner(columns=80, rows=24)
    assert cleaner.feed(b"one\r\ntw", 1) == [Line("one", 1)]
    assert cleaner.partial == "tw"
    assert cleaner.feed(b"o\r", 2) == []
    assert not cleaner.whole
    assert cleaner.feed(b"\n50%\r70%", 3) == [Line("two", 3)]
    assert cleaner.whole
    assert cleaner.partial == "70%"
    assert cleaner.finish(4) == [Line("70%", 3)]


def test_a_progress_display_is_held_until_it_rests() -> None:
    cleaner = Cleaner(columns=80, rows=24)
    cleaner.feed(b"a: 0\r\nb: 0\r\n", 1)
    assert cleaner.feed(b"\x1b[2Aa: 1\r\nb: 1\r\n\x1b[2Aa: 2\r\nb: 2\r\n", 2) == []
    assert cleaner.quiet(3) == [Line("a: 2", 2), Line("b: 2", 2)]
    assert cleaner.quiet(4) == []
    assert cleaner.feed(b"plain\r\n", 5) == [Line("plain", 5)]


def test_rows_out_of_reach_are_given_at_once() -> None:
    cleaner = Cleaner(columns=80, rows=24)
    cleaner.feed(b"bar\r\n\x1b[A", 1)
    assert cleaner.feed(b"\x1b[2Kfirst log line\r\nbar 2\r\n", 2) == [Line("first log line", 2)]


def test_a_program_that_moves_up_no_more_gets_its_lines_at_once_again() -> None:
    cleaner = Cleaner(columns=80, rows=5)
    cleaner.feed(b"bar\r\n\x1b[A\x1b[2Kbar done\r\n", 1)
    texts = [
        piece.text for piece in cleaner.feed(b"".join(b"%d\r\n" % n for n in range(7)), 2) if isinstance(piece, Line)
    ]
    assert texts == ["bar done", "0", "1", "2", "3", "4", "5", "6"]


def test_rows_that_leave_the_screen_are_given() -> None:
    cleaner = Cleaner(columns=20, rows=3)
    cleaner.feed(b"\x1b[1;1Ha\x1b[3;1Hc\x1b[2;1Hb", 1)
    assert cleaner.feed(b"\x1b[3;1H\n\n", 2) == [Line("a", 1), Line("b", 1)]


def test_a_painted_screen_rests_until_it_scrolls() -> None:
    cleaner = Cleaner(columns=20, rows=4)
    cleaner.feed(b"x\r\n\x1b[1;1Hone\x1b[4;1Hfour", 1)
    assert cleaner.quiet(2) == []
    cleaner.feed(b"\r\n$ ", 3)
    assert cleaner.quiet(4) == [Line("four", 1)]
    assert cleaner.feed(b"ls\r\n", 5) == [Line("$ ls", 5)]


def test_a_saved_cursor_that_comes_back_holds_nothing() -> None:
    cleaner = Cleaner(columns=20, rows=4)
    cleaner.feed(b"one\r\ntwo\r\n\x1b7\x1b[r\x1b8", 1)
    assert cleaner.feed(b"three\r\n", 2) == [Line("three", 2)]


def test_a_status_row_below_the_margin_does_not_hold_lines_for_ever() -> None:
    cleaner = Cleaner(columns=30, rows=4)
    bar = b"\x1b7\x1b[4;1H\x1b[42mProgress: [%3d%%]\x1b[0m\x1b8"
    data = b"\r\n\x1b7\x1b[1;3r\x1b8\x1b[1A" + bar % 1
    data += b"".join(b"Unpacking %d\r\n" % n + bar % n for n in range(8)) + b"\x1b7\x1b[1;4r\x1b8\x1b[J"
    pieces = cleaner.feed(data, 1) + cleaner.finish(2)
    texts = [piece.text for piece in pieces if isinstance(piece, Line)]
    assert [text for text in texts if text.startswith("Unpacking")] == [f"Unpacking {n}" for n in range(8)]


def test_the_alternate_screen_gives_marks_and_no_lines() -> None:
    cleaner = Cleaner(columns=20, rows=4)
    data = b"before\r\n$ vi\r\n\x1b[?1049h\x1b[2Jtext\r\n\x1b[5n\x1b[?25l\x1b[?1049lafter\r\n"
    assert cleaner.feed(data, 1) == [
        Line("before", 1),
        Line("$ vi", 1),
        ScreenMode(True),
        ScreenMode(False),
        Line("after", 1),
    ]


@pytest.mark.parametrize("mode", [b"47", b"1047", b"1049", b"25;1049", b"1049;25"])
def test_every_alternate_mode_counts(mode: bytes) -> None:
    cleaner = Cleaner(columns=20, rows=4)
    assert cleaner.feed(b"\x1b[?" + mode + b"h", 1) == [ScreenMode(True)]
    assert cleaner.alternate
    assert cleaner.feed(b"x\r\n\x1b[?" + mode + b"h", 2) == []
    assert cleaner.feed(b"\x1bc", 3) == [ScreenMode(False)]


def test_held_rows_are_given_before_the_alternate_screen() -> None:
    cleaner = Cleaner(columns=20, rows=4)
    cleaner.feed(b"bar\r\n\x1b[A\x1b[2Kbar 2\r\n", 1)
    assert cleaner.feed(b"\x1b[?1049h", 2) == [Line("bar 2", 1), ScreenMode(True)]


def test_modes_alone_are_no_switch() -> None:
    cleaner = Cleaner(columns=20, rows=4)
    assert cleaner.feed(b"\x1b[?25l\x1b[?7l\x1b[?7h\x1b[?6h\x1b[?6lx\r\n", 1) == [Line("x", 1)]


def test_a_long_line_is_split_and_says_so() -> None:
    cleaner = Cleaner(10, columns=0)
    assert cleaner.feed(b"abcdefghijklmnopqrstuvwxyz\nshort\n", 1) == [
        Line("abcdefghij", 1, True),
        Line("klmnopqrst", 1, True),
        Line("uvwxyz", 1),
        Line("short", 1),
    ]


def test_a_long_line_on_a_terminal_is_split_at_the_same_places() -> None:
    cleaner = Cleaner(100, columns=20, rows=3)
    pieces = cleaner.feed(b"0123456789" * 35 + b"\r\nnext\r\n", 1)
    assert [(len(piece.text), piece.continues) for piece in pieces if isinstance(piece, Line)] == [
        (100, True),
        (100, True),
        (100, True),
        (50, False),
        (4, False),
    ]


def test_nothing_grows_without_end() -> None:
    cleaner = Cleaner(1000, columns=80, rows=24)
    for _ in range(200):
        cleaner.feed(b"\x1b]52;c;" + b"QUJD" * 100, 1)
    assert len(cleaner.state()) < 1000
    cleaner.feed(b"\x07" + b"x" * 100_000, 2)
    assert len(cleaner.state()) < 6000


def test_bulk_gives_lines_of_one_time_together() -> None:
    cleaner = Cleaner(columns=80, rows=24)
    assert cleaner.feed_bulk(b"a\r\nb\r\nc\bd\r\n\x08e\r\n", 7) == [Lines(["a", "b", "d", "e"], 7)]
    cleaner.feed_bulk(b"e", 8)
    assert cleaner.finish_bulk(9) == [Lines(["e"], 8)]


def test_a_resize_gives_out_what_is_held_and_keeps_the_line() -> None:
    cleaner = Cleaner(columns=20, rows=4)
    cleaner.feed(b"bar\r\n\x1b[A\x1b[2Kbar 2\r\n$ ", 1)
    cleaner.resize(40, 8)
    assert cleaner.partial == "$ "
    assert cleaner.feed(b"x" * 30 + b"\rY\r\n", 2) == [Line("bar 2", 1), Line("Y " + "x" * 30, 2)]


def test_a_resize_in_the_midst_of_a_long_line_keeps_its_beginning() -> None:
    cleaner = Cleaner(columns=10, rows=2)
    cleaner.feed(b"a" * 35 + b"\b", 1)
    cleaner.resize(80, 24)
    assert cleaner.feed(b"\r\n", 2)[0] == Line("a" * 35, 2)


def test_a_state_of_another_version_is_refused() -> None:
    value = json.loads(Cleaner().state())
    with pytest.raises(ValueError, match="version 999"):
        Cleaner.restore(json.dumps(value | {"version": 999}).encode())


def test_a_line_feed_after_a_restore_is_as_before() -> None:
    cleaner = Cleaner(columns=20, rows=4)
    cleaner.feed(b"abc\x1b7\x1b[3D\x1b[2;3r\x1b(0", 1)
    other = Cleaner.restore(cleaner.state())
    data = "qé\u0301\x1b8x\r\n世\x1b[A\r\n".encode()
    assert cleaner.feed(data, 2) == other.feed(data, 2)
    assert cleaner.finish(3) == other.finish(3)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("世\u0301界\r\x1b[C\x1b[C\u0302\r\n".encode(), ["世\u0301\u0302界"]),
        ("aé\u0301b\r\x1b[@x\r\n".encode(), ["xaé\u0301b"]),
        ("aé\u0301b\r\x1b[P\r\n".encode(), ["é\u0301b"]),
        (("x" * 37 + "\u0301世\r\x1b[2@\r\n").encode(), ["  " + "x" * 37 + "\u0301"]),
        (("x" * 36 + "世\u0301\r\x1b[3@\r\n").encode(), ["   " + "x" * 36]),
        (b"a\x1b[40G\x1b[40@\x1b[9P\x1b[9Xb\r\n", ["a" + " " * 38 + "b"]),
        ("\u0600\u1fae9\u0378\U0001fae9\r\x1b[5Gz\r\n".encode(), ["\u0600\u1fae9\u0378z"]),
        ("a\u0378\U0001fae9\rz\r\n".encode(), ["z\u0378\U0001fae9"]),
        (b"\x1b\x07  \x1b\r[0mx\r\n", ["x"]),
        (b"a\x1b[2;3r\x1b[H\x1bMb\x1b[Lc\x1b[9;9H\x1b[Md\x1b[5;2r\x1b[20hx\r\n", ["bc", "        dx"]),
        (b"a\rb\nc\r\n", ["b", " c"]),
        (b"\x1b[2;3r\x1b[3;1Hone\r\ntwo\r\nthree\x1b[r", ["one", "two", "three"]),
        (b"\x1b[2;3r\x1b[4;1Hbelow\n\x1b[6;1Hlast\n\nx\r\n\x1b[r", ["below", "lastx"]),
    ],
)
def test_rare_things(data: bytes, expected: list[str]) -> None:
    assert [line for line in lines(data) if line] == expected


def test_a_line_longer_than_the_screen_can_be_taken_up_again() -> None:
    cleaner = Cleaner(columns=10, rows=3)
    cleaner.feed(b"a" * 75, 1)
    assert cleaner.feed(b"\x1b[2A\rB\x1b[2B\r\n", 2) + cleaner.finish(3) == [Line("a" * 50 + "B" + "a" * 24, 2)]
    cleaner.feed(b"x" * 25 + b"\r\n" + b"y" * 45, 4)
    assert cleaner.partial == "y" * 45
    cleaner.feed(b"\b", 5)
    assert cleaner.partial == "y" * 25


def test_the_partial_line_is_whole_where_the_cursor_went_back() -> None:
    cleaner = Cleaner(columns=10, rows=4)
    cleaner.feed(b"x" * 25 + b"\x1b[2A", 1)
    assert cleaner.partial == "x" * 25


def test_a_size_alone_changes_no_line() -> None:
    cleaner = Cleaner(columns=10, rows=4)
    cleaner.feed(b"ab", 1)
    cleaner.resize(20, 8)
    assert cleaner.feed(b"c\r\n", 2) == [Line("abc", 2)]


def test_a_cursor_restored_above_held_rows_keeps_holding() -> None:
    cleaner = Cleaner(columns=20, rows=6)
    cleaner.feed(b"one\r\ntwo\r\n\x1b[2A\x1b7\x1b[2Bthree\x1b8", 1)
    assert cleaner.feed(b"ONE\r\n", 2) == []
    assert cleaner.finish(3) == [Line("ONE", 2), Line("three", 2)]


def test_a_row_written_behind_those_given_is_given_again() -> None:
    cleaner = Cleaner(columns=20, rows=6)
    cleaner.feed(b"one\r\ntwo\r\n\x1b[Atwo!\r\n\x1b[s\x1b[Athree\x1b[u", 1)
    assert cleaner.finish(2) == [Line("three", 1)]
