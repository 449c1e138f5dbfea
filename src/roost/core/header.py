"""What a recording's header says about its session, read with distrust."""

from __future__ import annotations

from typing import Any

import msgspec

from roost.core.soundness import integer_or_none, sound_object, text_or_none
from roost.model.agents import Definition, Session
from roost.model.ids import AGENT_NAME

UNKNOWN_AGENT = "unknown"
"""Who a session belongs to when no header says so."""

MAX_WALL_NS = 1 << 62
MAX_CELLS = 1000


def apply_header(session: Session, header: dict[str, Any]) -> None:
    """Take over into `session` what the header says; whatever is missing or makes no sense is left as it was."""
    fields = sound_object(header)
    name = fields.get("agent")
    if isinstance(name, str) and AGENT_NAME.match(name):
        session.agent_name = name
    session.definition = _definition(fields)
    session.node = text_or_none(fields.get("host"), 255) or session.node
    session.cols = integer_or_none(fields.get("cols"), 1, MAX_CELLS) or session.cols
    session.rows = integer_or_none(fields.get("rows"), 1, MAX_CELLS) or session.rows
    session.started_ns = integer_or_none(fields.get("started_at_ns"), 0, MAX_WALL_NS) or 0


def has_terminal(header: dict[str, Any]) -> bool:
    """Whether the agent runs under a terminal; true when nothing is said."""
    return header.get("terminal") is not False


def _definition(fields: dict[str, Any]) -> Definition:
    driver = "terminal" if has_terminal(fields) else "lines"
    plain = {"command": fields.get("argv"), "cwd": fields.get("cwd", "/"), "env_names": fields.get("env_names", [])}
    for candidate in (fields.get("definition"), plain | {"driver": driver}):
        try:
            return msgspec.convert(candidate, Definition)
        except msgspec.ValidationError:
            continue
    return Definition(command=[], driver=driver)
