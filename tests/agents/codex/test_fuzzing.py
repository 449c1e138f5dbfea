"""No line, however damaged, stops the codec or leaves something that cannot be kept."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.model.events import encode_events
from tests.agents.claude.fuzzing import SPAN
from tests.agents.codex.fuzzing import check_written, fuzz
from tests.agents.codex.transcripts import opened

LINES = int(os.environ.get("ROOST_FUZZ_LINES", "20000"))
SEEDS = 4
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
METHODS = (
    "item/started",
    "item/completed",
    "turn/started",
    "turn/completed",
    "turn/plan/updated",
    "thread/tokenUsage/updated",
    "thread/status/changed",
    "error",
    "account/rateLimits/updated",
    "item/commandExecution/requestApproval",
    "item/fileChange/requestApproval",
    "item/permissions/requestApproval",
    "item/tool/requestUserInput",
    "mcpServer/elicitation/request",
    "serverRequest/resolved",
)
FIELDS = "item turn threadId plan tokenUsage status error questions _meta permissions requestedSchema".split()
FIELDS += "availableDecisions commandActions command requestId rateLimits".split()
WORDS = st.sampled_from(("commandExecution", "fileChange", "mcpToolCall", "agentMessage", "completed", "failed"))
ITEMS = st.fixed_dictionaries({"type": WORDS, "id": st.text(max_size=2)}, optional={"changes": JSON, "status": WORDS})
PARAMS = st.dictionaries(st.sampled_from(FIELDS), JSON | WORDS | ITEMS, max_size=6)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_damaged_lines_do_no_harm(seed: int) -> None:
    fuzz(seed, max(SPAN, LINES // SEEDS))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(METHODS), st.none() | JSON, PARAMS), max_size=6))
def test_messages_of_any_shape_do_no_harm(told: list[tuple[str, object, dict[str, object]]]) -> None:
    decoder = opened("60_app_server")
    for method, key, params in told:
        message = {"method": method, "params": params} | ({} if key is None else {"id": key})
        encode_events(decoder.output(_line(message), 1))
        for asked in decoder.state.approvals:
            decoder.mark("decision", {"approval_id": asked.approval_id, "decision": {"allow": True}}, 1)
    check_written(decoder)
    opened("60_app_server").load(decoder.save())


def _line(message: dict[str, object]) -> bytes:
    return msgspec.json.encode(message, order="deterministic").replace(b"\n", b" ") + b"\n"
