"""No line of an ACP agent, Gemini CLI or opencode, however damaged, stops the codec or leaves what cannot be kept."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.agents.registry import DRIVERS
from roost.model.events import encode_events
from tests.agents.damage import SPAN, Trial
from tests.agents.goldens import GOLDENS, definition, make_decoder

LINES = int(os.environ.get("ROOST_FUZZ_LINES", "6000"))
ARGV = {"acp": ["agent"], "gemini": ["gemini", "-p", "x"], "opencode": ["opencode", "run", "x"]}
KINDS = {
    "acp": ("sessionUpdate", "method", "id", "result", "error", "params", "update", "toolCall", "options", "content"),
    "gemini": ("type", "role", "content", "tool_id", "tool_name", "parameters", "status", "error", "stats", "models"),
    "opencode": ("type", "part", "sessionID", "error", "state", "tokens", "cache", "input", "metadata", "time", "tool"),
}
VALUES = (
    *("session/update", "session/request_permission", "tool_call", "tool_call_update", "completed", "plan"),
    *("init", "message", "assistant", "tool_use", "tool_result", "result", "step_finish", "text", "error", "write"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def transcripts(driver):
    """Every line that the CLI wrote in our transcripts."""
    if driver == "acp":
        told = [
            json.loads(line) for path in (GOLDENS / "acp").glob("*.jsonl") for line in path.read_text().splitlines()
        ]
        return [json.dumps(one["msg"]).encode() for one in told if one["dir"] == "out"]
    return [line for path in (GOLDENS / driver).glob("*.jsonl") for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("driver", ARGV)
@pytest.mark.parametrize("seed", range(2))
def test_damaged_lines_do_no_harm(driver, seed):
    Trial(DRIVERS[driver], ARGV[driver], transcripts(driver), seed).run(max(SPAN, LINES // 2))


@pytest.mark.parametrize("driver", ARGV)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_lines_of_any_shape_do_no_harm(driver, data):
    names = st.sampled_from(KINDS[driver])
    inner = st.dictionaries(names, JSON | st.dictionaries(names, JSON, max_size=4), max_size=5)
    told = data.draw(st.lists(st.dictionaries(names, inner | JSON, max_size=5), max_size=4))
    decoder = make_decoder(DRIVERS[driver].codec())
    decoder.open(ARGV[driver], definition(), 0)
    for message in told:
        encode_events(decoder.output(json.dumps(message).encode() + b"\n", 0))
    make_decoder(DRIVERS[driver].codec()).load(decoder.save())
    encode_events(decoder.finish(0))


@pytest.mark.parametrize("driver", ARGV)
@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=200))
def test_bytes_of_any_kind_do_no_harm(driver, data):
    decoder = make_decoder(DRIVERS[driver].codec())
    encode_events(decoder.open(ARGV[driver], definition(), 0) + decoder.output(data, 0) + decoder.finish(0))
