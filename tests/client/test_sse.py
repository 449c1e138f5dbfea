"""Reading Server-Sent Events as the standard has them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.client.sse import MAX_EVENT_BYTES, Message, Parser


def test_an_event_has_a_type_an_id_and_data():
    assert Parser().feed(b"id: s:1\nevent: log\ndata: {}\n\n") == [Message("log", "s:1", "{}")]


def test_the_id_stays_until_another_comes():
    found = Parser().feed(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n")
    assert [message.id for message in found] == ["1", "1", ""]


def test_data_lines_are_joined():
    assert Parser().feed(b"data: a\ndata:b\ndata\n\n") == [Message("message", "", "a\nb\n")]


def test_comments_and_events_without_data_are_nothing():
    assert Parser().feed(b": ping\n\nevent: x\n\nretry: 10\nfoo: bar\n\n") == []


def test_a_byte_order_mark_is_passed_over():
    assert Parser().feed(b"\xef\xbb\xbfdata: a\n\n") == [Message("message", "", "a")]


def test_an_id_with_nul_is_none():
    assert Parser().feed(b"id: a\0b\ndata: x\n\n") == [Message("message", "", "x")]


def test_a_line_without_end_is_refused_at_some_length():
    with pytest.raises(ValueError, match="too long"):
        Parser().feed(b"data: " + b"x" * MAX_EVENT_BYTES)


@settings(deadline=None)
@given(st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 60), max_size=4))
def test_line_ends_and_cuts_make_no_difference(end, cuts):
    stream = end.join(["id: 1", "event: log", "data: a", "", "data: b", "", "", ""]).encode()
    parser, found, start = Parser(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += parser.feed(stream[start:cut])
        start = max(start, cut)
    found += parser.feed(b"x")
    assert found == [Message("log", "1", "a"), Message("message", "1", "b")]
