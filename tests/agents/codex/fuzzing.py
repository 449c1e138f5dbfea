"""Lines of real transcripts, damaged in every way, while people prompt, steer, interrupt and decide."""

from __future__ import annotations

import itertools
import json
import random

import msgspec

from roost.agents.conversation import ConversationDecoder
from roost.model.events import encode_events
from tests.agents.claude.fuzzing import SPAN, damaged
from tests.agents.codex.transcripts import names, opened, written

GREETING = 8
"""Sound lines that come first, so that there is a conversation."""
DECISIONS = (
    {"allow": True},
    {"allow": True, "remember": True},
    {"allow": True, "choice": "acceptAlways"},
    {"allow": True, "choice": "session", "answers": {"color": "red", "n": "1"}},
    {"allow": True, "input": {"command": "other"}},
    {"allow": False, "interrupt": True},
)


def fuzz(seed: int, count: int) -> None:
    """Give decoders `count` damaged lines; whatever is wrong raises."""
    chance = random.Random(seed)
    kinds = ("duplex", "stdout")
    told = {kind: [line for name in names(kind) for line in written(name).splitlines()] for kind in kinds}
    starts = {"duplex": "62_asks", "stdout": "01_hello"}
    for number in range(0, count, SPAN):
        kind = kinds[number // SPAN % 3 == 2]
        decoder = opened(starts[kind])
        decoder.output(b"\n".join(written(starts[kind]).splitlines()[:GREETING]) + b"\n", 0)
        for at, line in enumerate(itertools.islice(damaged(chance, told[kind]), SPAN)):
            encode_events(decoder.output(line + b"\n", at))
            if chance.random() < 0.1:
                _ask(decoder, chance, at)
        check_written(decoder)
        again = opened(starts[kind])
        again.load(decoder.save())
        assert again.save() == decoder.save()
        encode_events(decoder.finish(SPAN))


def _ask(decoder: ConversationDecoder, chance: random.Random, at: int) -> None:
    """Somebody asks for something, and decides whatever is asked."""
    policy = chance.choice(("queue", "steer", "interrupt"))
    decoder.mark("prompt", {"turn_id": f"t{at}", "prompt": "p", "policy": policy}, at)
    if chance.random() < 0.3:
        decoder.mark("interrupt", {}, at)
        decoder.mark("change", {"what": chance.choice(("model", "mode")), "value": "never"}, at)
    for asked in decoder.state.approvals:
        data = {"approval_id": asked.approval_id, "decision": chance.choice(DECISIONS)}
        encode_events(decoder.mark("decision", data, at) or [])


def check_written(decoder: ConversationDecoder) -> None:
    """What was written is one JSON object a line."""
    for item in decoder.state.outgoing:
        assert item.data.endswith(b"\n")
        assert item.data.count(b"\n") == 1
        assert isinstance(json.loads(item.data), dict)
        assert isinstance(msgspec.json.decode(item.data), dict)
