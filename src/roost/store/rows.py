"""Sessions and blocks as rows, both ways."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from roost.model.agents import Definition, Session
from roost.model.attention import Attention
from roost.model.blocks import Block
from roost.model.conversations import ConversationState
from roost.model.events import decode_events

SAME_NAME = (
    "session_id",
    "agent_name",
    "state",
    "reason",
    "node",
    "pid",
    "cols",
    "rows",
    "started_ns",
    "ended_ns",
    "exit_code",
    "signal",
    "lines",
    "bytes",
    "last_output_ns",
    "last_seq",
    "damage",
)
"""Fields of a session whose column has the same name."""

_definition = msgspec.json.Decoder(Definition)
_conversation = msgspec.msgpack.Decoder(ConversationState)
_attention = msgspec.msgpack.Decoder(Attention)


def session_row(session: Session) -> dict[str, Any]:
    """A session's columns, all but those that are the store's and the projector's own."""
    row = {name: getattr(session, name) for name in SAME_NAME}
    row["read_offset"] = session.offset
    row["definition"] = msgspec.json.encode(session.definition).decode()
    talk = session.conversation
    row["conversation"] = None if talk is None else msgspec.msgpack.encode(talk)
    noted = session.attention
    row["attention"] = None if noted is None else msgspec.msgpack.encode(noted)
    return row


def to_session(row: Row[Any]) -> Session:
    """The session of a `sessions` row."""
    values = row._mapping
    fields = {name: values[name] for name in SAME_NAME}
    talk, noted = values["conversation"], values["attention"]
    return Session(
        offset=values["read_offset"],
        definition=_definition.decode(values["definition"]),
        conversation=None if talk is None else _conversation.decode(talk),
        attention=None if noted is None else _attention.decode(noted),
        **fields,
    )


def to_block(row: Row[Any]) -> Block:
    """The block of a row with its session's id and agent."""
    values = row._mapping
    return Block(
        id=values["block_id"],
        session_id=values["session_id"],
        agent_name=values["agent_name"],
        first_seq=values["first_seq"],
        last_seq=values["last_seq"],
        events=decode_events(values["payload"]),
    )
