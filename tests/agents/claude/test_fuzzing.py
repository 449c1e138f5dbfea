"""No line, however damaged, stops the codec or leaves something that cannot be kept."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.agents.claude import ClaudeDriver
from roost.agents.driver import Opening
from roost.model.agents import Definition
from tests.agents.claude.fuzzing import SPAN, check, fuzz
from tests.agents.claude.transcripts import STREAMING

LINES = int(os.environ.get("ROOST_FUZZ_LINES", "10000"))
SEEDS = 4
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPES = ("assistant", "user", "system", "result", "stream_event", "control_request", "control_response", "keep_alive")
FIELDS = ("subtype", "message", "event", "request", "response", "request_id", "session_id", "uuid", "error", "usage")
SUBTYPES = ("init", "status", "api_retry", "can_use_tool", "success", "task_updated", "compact_boundary")
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(SUBTYPES), max_size=6)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_damaged_lines_do_no_harm(seed: int) -> None:
    fuzz(seed, max(SPAN, LINES // SEEDS))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(TYPES), OBJECTS), max_size=5))
def test_lines_of_any_shape_do_no_harm(told: list[tuple[str, dict[str, object]]]) -> None:
    codec = ClaudeDriver().codec()
    codec.open(Opening(argv=STREAMING, definition=Definition(command=[])))
    for kind, fields in told:
        check(codec, codec.receive(msgspec.json.encode(fields | {"type": kind}), 0))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_of_any_kind_do_no_harm(line: bytes) -> None:
    codec = ClaudeDriver().codec()
    check(codec, codec.receive(line, 0))
