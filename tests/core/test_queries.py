"""Queries, replies and dangerous sequences are taken out; all else passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.queries import MAX_HELD, Neutraliser, QueryFilter, ReplyFilter, has_query, neutralise

QUERIES = [
    b"\x1b[c", b"\x1b[0c", b"\x1b[>c", b"\x1b[>0c", b"\x1b[=c", b"\x1bZ", b"\xc2\x9a",
    b"\x1b[5n", b"\x1b[6n", b"\x1b[?6n", b"\x1b[?15n", b"\x1b[?996n", b"\xc2\x9b6n",
    b"\x1b[?2004$p", b"\x1b[4$p", b"\x1bP$qm\x1b\\", b"\x1bP$q q\x1b\\", b"\xc2\x90$qr\xc2\x9c",
    b"\x1b[>q", b"\x1b[>0q", b"\x1bP+q544e\x1b\\", b"\x1b[?u", b"\x1b[?4m", b"\x1b[?1;1;0S",
    b"\x1b]10;?\x07", b"\x1b]11;?\x1b\\", b"\x1b]4;1;?\x07", b"\x1b]12;?\xc2\x9c", b"\x1b]4;0;?;1;?\x07",
    b"\x1b]52;c;?\x07", b"\x1b]21;foreground=?\x07", b"\x1b]22;?__current__\x07", b"\x1b]60\x07",
    b"\x1b]1337;ReportCellSize\x07", b"\x1b]5522;type=read\x07",
    b"\x1b[11t", b"\x1b[14t", b"\x1b[14;2t", b"\x1b[16t", b"\x1b[18t", b"\x1b[19t", b"\x1b[21t",
    b"\x1b[x", b"\x1b[1x", b"\x1b[1;1;1;1;1;1*y", b"\x1b[1$w", b"\x1b[&u", b'\x1b["v',
    b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\", b"\x05",
]  # fmt: skip

OTHERS = [
    b"plain", b"\x1b[0m\x1b[31;1m", b"\x1b[?25h", b"\x1b[2J\x1b[H", b"\x1b]0;what?\x07", b"\x1b]8;;http://x?y=?\x1b\\",
    b"\x1b[?2004h", b"\x1b[>1u", b"\x1b[<u", b"\x1b[=1;1u", b"\x1b[u", b"\x1b[s", b"\x1b[22;0t", b"\x1b[8;24;80t",
    b"\x1b[2 q", b"\x1b[!p", b"\x1b[>4;2m", b"\x1b]52;c;aGk=\x07", b"\x1b]4;1;rgb:00/00/00\x07",
    b"\x1b]1337;File=x\x07",
    b"\x1bPq#0\x1b\\", "café © 你".encode(), b"\x1b[3S", b"\x1b[?5c", b"\x1b_Ga=T,f=24;AA\x1b\\", b"\x1b]104\x07",
    b"\x1b^a=q\x1b\\", b"\x1b]4;1\x07", b"\x1b]22;pointer\x07", b"\xc2\xa0", b"\x1bP1000p\xc2\x9c",
]  # fmt: skip

REPLIES = [
    b"\x1b[?62;22c", b"\x1b[>1;0;0c", b"\x1bP!|00000000\x1b\\", b"\x1b[0n", b"\x1b[3n", b"\x1b[?997;1n", b"\x1b[4;7R",
    b"\x1b[1;1R", b"\x1b[1;17R", b"\x1b[24;2R", b"\x1b[?1;2R", b"\x1b[?2004;1$y", b"\x1b[4;2$y", b"\x1bP1$r0;32m\x1b\\",
    b"\x1bP0+r\x1b\\", b"\x1bP>|libghostty\x1b\\", b"\x1b]4;1;rgb:cccc/6666/6666\x07", b"\x1b[?1u", b"\x1b[8;6;40t",
    b"\x1b]11;rgb:1010/1010/1010\x1b\\", b"\x1b]52;c;aGk=\x07", b"\x1b]lname\x1b\\", b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b[2;1;1;128;128;1;0x", b"\x1b[?1;0;256S", b"\x1b[>4;2m", b"\x1b[48;24;80;0;0t",
]  # fmt: skip

KEYS = [
    b"\x1b", b"\x1b[", b"\x1bP", b"\x1b]", b"\x1b_", b"\x1b[A", b"\x1bOR", b"\x1b[1;2R", b"\x1b[1;16R", b"\x1b[01;05R",
    b"\x1b[13~", b"\x1b[I", b"\x1b[O", b"\x1b[<0;1;2M", b"\x1b[M !!", b"\x1b[97;5u", b"\x1b[R", b"\x1bx", b"\x1b[1;5A",
    b"\x1b[Z", b"\x03", "é你".encode(), b"\x1b]note\x07", b"\x1bPnote\x1b\\", b"\x1b^G\x1b\\", b"\x05", b"\x1bZ",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_taken_out(query: bytes) -> None:
    assert QueryFilter().feed(b"a" + query + b"b") == b"ab"
    assert has_query(b"a" + query + b"b")


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_in_pieces_is_taken_out(query: bytes) -> None:
    assert piecewise(QueryFilter(), b"a" + query + b"b") == b"ab"


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_query_passes(other: bytes) -> None:
    assert QueryFilter().feed(b"a" + other + b"b\x05") == b"a" + other + b"b"
    assert not has_query(b"a" + other)


@given(st.lists(st.sampled_from(OTHERS + QUERIES) | st.binary(max_size=4), max_size=20).map(b"".join), st.data())
def test_cuts_do_not_matter(data: bytes, draw: st.DataObject) -> None:
    cut = draw.draw(st.integers(0, len(data)))
    for make in (QueryFilter, Neutraliser):
        whole, pieces = make(), make()
        expected = whole.feed(data) + whole.flush()
        assert pieces.feed(data[:cut]) + pieces.feed(data[cut:]) + pieces.flush() == expected


def test_controls_within_a_query_are_kept() -> None:
    assert QueryFilter().feed(b"a\x1b[\r\n6nb") == b"a\r\nb"


def test_colours_that_are_set_in_the_same_command_stay() -> None:
    assert QueryFilter().feed(b"\x1b]4;1;?;2;red\x07") == b"\x1b]4;2;red\x07"
    assert QueryFilter().feed(b"\x1b]10;?;#fff\x1b\\") == b"\x1b]11;#fff\x1b\\"


def test_a_string_too_long_to_hold_passes() -> None:
    image = b"\x1bPq" + b"#" * MAX_HELD
    queries = QueryFilter()
    assert queries.feed(image) == image
    assert queries.feed(b"###") == b"###"
    assert queries.feed(b"#\x1b\\\x1b[6nx") == b"#\x1b\\x"
    assert queries.feed(b"\x1b]52;c;" + b"A" * MAX_HELD) + queries.feed(b"A\x07\x1b[6nx") == (
        b"\x1b]52;c;" + b"A" * (MAX_HELD + 1) + b"\x07x"
    )


def test_what_is_held_can_be_had() -> None:
    queries = QueryFilter()
    assert queries.feed(b"a\x1b[6") == b"a"
    assert queries.is_holding
    assert queries.flush() == b"\x1b[6"
    assert not queries.is_holding


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_is_not_typed(reply: bytes) -> None:
    assert ReplyFilter().feed(b"a" + reply + b"b") == b"ab"


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_in_two_pieces_is_not_typed(reply: bytes) -> None:
    for cut in range(3, len(reply)):
        replies = ReplyFilter()
        assert replies.feed(b"a" + reply[:cut]) + replies.feed(reply[cut:] + b"b") == b"ab"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_typed_at_once(key: bytes) -> None:
    replies = ReplyFilter()
    assert replies.feed(key) == key
    assert replies.feed(b"x") == b"x"


def test_a_paste_is_not_looked_at() -> None:
    paste = b"\x1b[200~see \x1b[4;7R and \x1b]11;rgb:1\x07\x1b[201~"
    replies = ReplyFilter()
    assert replies.feed(b"a" + paste + b"\x1b[4;7Rb") == b"a" + paste + b"b"
    for cut in range(6, len(paste)):
        assert replies.feed(paste[:cut]) + replies.feed(paste[cut:] + b"\x1b[0n") == paste


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\x1b]52;c;aGk=\x07b", b"ab"),
        (b"a\x1b]0;title\x1b\\b", b"ab"),
        (b"a\x1b]777;notify;x;y\x07b", b"ab"),
        (b"\x1b]8;;file:///etc/passwd\x1b\\here\x1b]8;;\x1b\\", b"\x1b]8;;\x1b\\here\x1b]8;;\x1b\\"),
        (b"\x1b]8;id=1;https://x.y/z\x07here\x1b]8;;\x07", b"\x1b]8;id=1;https://x.y/z\x07here\x1b]8;;\x07"),
        (b"\x1b]8;;http://x\x01y\x07", b"\x1b]8;;\x1b\\"),
        (b"\x1b]133;A\x07$ ", b"\x1b]133;A\x07$ "),
        (b"a\x1bPq#\x1b\\\x1b_G\x1b\\\x1b^x\x1b\\\x1bXy\x1b\\b", b"ab"),
        (b"\x1b[31mred\x1b[6n\x1b[0m", b"\x1b[31mred\x1b[6n\x1b[0m"),
        (b"a\x1b]0;never ends", b"a"),
        (b"a\x1b[3", b"a"),
        ("é ©".encode() + b"\xc2", "é ©".encode()),
    ],
)
def test_dangers_are_neutralised(data: bytes, expected: bytes) -> None:
    assert neutralise(data) == expected


def test_a_danger_too_long_to_hold_is_dropped_all_the_same() -> None:
    neutraliser = Neutraliser()
    assert neutraliser.feed(b"a\x1b]52;c;" + b"A" * MAX_HELD) == b"a"
    assert neutraliser.feed(b"AAA") == b""
    assert neutraliser.feed(b"A\x07b") == b"b"


def piecewise(stream: QueryFilter, data: bytes) -> bytes:
    return b"".join(stream.feed(data[at : at + 1]) for at in range(len(data)))


@pytest.mark.parametrize("cut", range(10))
def test_a_string_that_another_sequence_cuts_off_is_the_same_however_it_comes(cut: int) -> None:
    data = b"\x1b]\x1b[0m\x1b[31;1m"
    whole, pieces = Neutraliser(), Neutraliser()
    expected = whole.feed(data) + whole.flush()
    assert pieces.feed(data[:cut]) + pieces.feed(data[cut:]) + pieces.flush() == expected == data[2:]
