"""What an agent set in the local terminal is set back, and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from roost.client.modes import Modes


def after(*pieces: bytes) -> Modes:
    modes = Modes()
    for piece in pieces:
        modes.feed(piece)
    return modes


def test_plain_output_needs_only_its_colours_off():
    assert after(b"hello\r\n\x1b[31mred").restore() == b"\x1b[0m"


def test_the_alternate_screen_is_left_last():
    restored = after(b"\x1b[?1049h\x1b[?2004h\x1b[?25l").restore()
    assert restored.endswith(b"\x1b[?1049l")
    assert b"\x1b[?2004l" in restored
    assert b"\x1b[?25h" in restored


def test_what_the_program_set_back_itself_is_let_be():
    assert after(b"\x1b[?1049h\x1b[?1002;1006h\x1b[?1002;1006l\x1b[?1049l").restore() == b"\x1b[0m"


def test_mouse_focus_and_cursor_keys_are_turned_off():
    restored = after(b"\x1b[?1h\x1b=\x1b[?1000h\x1b[?1004h\x1b[?1006h").restore()
    for code in (b"\x1b[?1l", b"\x1b>", b"\x1b[?1000l", b"\x1b[?1004l", b"\x1b[?1006l"):
        assert code in restored


def test_keyboard_protocols_are_left():
    assert b"\x1b[<2u" in after(b"\x1b[>1u\x1b[>5u").restore()
    assert b"u" not in after(b"\x1b[>1u\x1b[<u").restore()
    assert b"u" not in after(b"\x1b[>1u\x1b[>5u\x1b[<2u").restore()
    assert b"\x1b[=0;1u" in after(b"\x1b[=5;1u").restore()
    assert b"\x1b[>4m" in after(b"\x1b[>4;2m").restore()


def test_each_screen_has_its_keyboard():
    both = after(b"\x1b[>7u\x1b[?1049h\x1b[>7u\x1b[>3u").restore()
    assert both == b"\x1b[0m\x1b[<2u\x1b[?1049l\x1b[<1u"
    assert after(b"\x1b[?1049h\x1b[>7u\x1b[?1049l").restore() == b"\x1b[0m"


def test_margins_charset_and_cursor_style_are_set_back():
    restored = after(b"\x1b[2;10r\x1b(0\x1b[5 q").restore()
    for code in (b"\x1b7\x1b[r\x1b8", b"\x1b(B", b"\x1b[0 q"):
        assert code in restored


def test_a_shape_that_is_given_up_is_let_be():
    assert after(b"\x1b[5 q\x1b[0 q").restore() == b"\x1b[0m"
    assert after(b"\x1b[5 q\x1b[ q").restore() == b"\x1b[0m"


def test_tab_stops_are_set_back():
    assert b"\x1b[?5W" in after(b"\x1b[3g").restore()
    assert b"\x1b[?5W" in after(b"\x1b[9G\x1bH").restore()
    assert after(b"\x1b[3g\x1bH\x1b[?5W").restore() == b"\x1b[0m"


def test_colours_are_set_back_where_they_were_set():
    restored = after(b"\x1b]4;1;#f00\x07\x1b]10;red\x1b\\\x1b]12;red\x07").restore()
    for code in (b"\x1b]104\x1b\\", b"\x1b]110\x1b\\", b"\x1b]112\x1b\\"):
        assert code in restored
    assert b"\x1b]111" not in restored
    assert after(b"\x1b]11;?\x07\x1b]4;7;?\x1b\\").restore() == b"\x1b[0m"
    assert after(b"\x1b]4;1;#f00\x07\x1b]11;#fff\x07\x1b]104\x07\x1b]111\x1b\\").restore() == b"\x1b[0m"


def test_a_reset_forgets_all():
    assert after(b"\x1b[?1049h\x1b[?2004h\x1bc").restore() == b"\x1b[0m"


def test_a_soft_reset_forgets_what_it_sets_back_and_leaves_no_screen():
    assert after(b"\x1b[?1;25;7l\x1b[?6;66h\x1b=\x1b(0\x1b[2;3r\x1b[!p").restore() == b"\x1b[0m"
    assert after(b"\x1b[?1049;2004h\x1b[!p").restore() == b"\x1b[0m\x1b[?2004l\x1b[?1049l"


def test_what_input_depends_on_is_known():
    modes = after(b"\x1b[?2004h\x1b[?1h\x1b[?1049h")
    assert (modes.bracketed_paste, modes.application_cursor, modes.alternate) == (True, True, True)
    modes.feed(b"\x1b[?2004;1l\x1b[?1049l")
    assert (modes.bracketed_paste, modes.application_cursor, modes.alternate) == (False, False, False)


@settings(deadline=None)
@given(st.data())
def test_cuts_make_no_difference(data):
    output = b"a\x1b[?1049h\x1b[?1;2004hb\x1b[>1u\x1b[>4;2m\x1b(0\x1b[5 q\x1b[3;9r\x1b="
    output += b"\x1b[0 q\x1b[3g\x1b]4;1;#f00\x07\x1b]11;?\x07\x1b]10;#fff\x07\x1b]110\x07"
    at = data.draw(st.integers(0, len(output)))
    assert after(output[:at], output[at:]).restore() == after(output).restore()
