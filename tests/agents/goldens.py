"""Golden events: what a driver makes of a transcript of the real CLI, written down and looked at by a person.

`WRITE_GOLDENS=1 pytest tests/agents` writes them anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec

from roost.agents.conversation import ConversationDecoder
from roost.agents.driver import Codec
from roost.model.agents import AgentOptions, Definition
from roost.model.events import AnyEvent, event_type

NO_OPTIONS = AgentOptions()
GOLDENS = Path(__file__).resolve().parent.parent / "goldens"


def described(event: AnyEvent) -> dict[str, Any]:
    """An event as its type's name and the fields that differ from their defaults."""
    cls = type(event)
    required = len(cls.__struct_fields__) - len(cls.__struct_defaults__)
    told: dict[str, Any] = {"type": event_type(event)}
    for at, name in enumerate(cls.__struct_fields__):
        value = getattr(event, name)
        if name not in ("seq", "time_ns") and (at < required or value != _default(cls, at - required)):
            told[name] = msgspec.to_builtins(value)
    return told


def _default(cls: type[Any], at: int) -> object:
    default = cls.__struct_defaults__[at]
    return default.factory() if hasattr(default, "factory") else default


def check_golden(path: str, events: list[AnyEvent]) -> None:
    """The events are those of `tests/goldens/PATH.json`, one to a line."""
    file = GOLDENS / f"{path}.json"
    lines = [json.dumps(described(event), ensure_ascii=False) for event in events]
    if os.environ.get("WRITE_GOLDENS"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    assert [json.loads(line) for line in lines] == json.loads(file.read_text())


def make_decoder(codec: Codec, *, can_steer: bool = False) -> ConversationDecoder:
    """A decoder of a session called `s`."""
    return ConversationDecoder("s", codec, can_steer=can_steer)


def definition(options: AgentOptions = NO_OPTIONS, cwd: str = "/home/dev/work", driver: str = "acp") -> Definition:
    """What was started."""
    return Definition(command=["agent"], driver=driver, cwd=cwd, options=options)
