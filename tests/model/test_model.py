"""Names, requests and events as they are declared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from roost.errors import InvalidName
from roost.model.agents import ENDED, Definition, Limits, Session, Size, StartAgent
from roost.model.events import EVENT_TYPES, AnyEvent, Log, decode_events, encode_events
from roost.model.ids import check_agent_name, check_id, session_id


@pytest.mark.parametrize("name", ["a", "A1", "worker-1", "a.b_c-d", "9" * 64])
def test_names_an_agent_may_bear(name: str) -> None:
    assert check_agent_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "-a", "_a", "a/b", "a b", "ä", "a\n", "a" * 65, "../x", "a\0"])
def test_names_no_agent_may_bear(name: str) -> None:
    with pytest.raises(InvalidName) as caught:
        check_agent_name(name)
    assert caught.value.hint
    assert len(caught.value.details["name"]) <= 80


@pytest.mark.parametrize("value", ["a", "_-", "20261121-061500-ab12cd"])
def test_ids_that_are_safe_as_file_names(value: str) -> None:
    assert check_id(value) == value


@pytest.mark.parametrize("value", ["", ".", "a.b", "a/b", "x" * 65, "a\n"])
def test_ids_that_are_not(value: str) -> None:
    with pytest.raises(InvalidName, match="not a valid session"):
        check_id(value, "session")


def test_a_sessions_id_sorts_by_time_in_utc() -> None:
    moment = datetime(2026, 11, 21, 8, 15, 0, tzinfo=timezone(timedelta(hours=2)))
    assert session_id(moment + timedelta(microseconds=123456), "ab12") == "20261121-061500-1e240ab12"
    for later in (timedelta(microseconds=1), timedelta(milliseconds=999), timedelta(seconds=1)):
        assert session_id(moment.astimezone(UTC), "ffff") < session_id(moment + later, "0000")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"name": "a", "command": ""},
        {"name": "a", "command": []},
        {"name": "a", "command": "x", "unknown": 1},
        {"name": "a", "command": "x", "size": {"cols": 0}},
        {"name": "a", "command": "x", "limits": {"nofile": -1}},
        {"name": "a", "command": "x", "umask": 512},
        {"name": "a", "command": "x", "driver": "magic"},
    ],
)
def test_requests_that_are_refused(body: dict) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, StartAgent)


def test_a_request_takes_command_and_environment_in_either_form() -> None:
    first = msgspec.convert({"name": "a", "command": "ls -l", "env": "production"}, StartAgent)
    second = msgspec.convert({"name": "a", "command": ["ls"], "env": {"A": "1"}}, StartAgent)
    assert (first.command, first.env, first.size) == ("ls -l", "production", Size(80, 24))
    assert (second.command, second.env, second.limits) == (["ls"], {"A": "1"}, Limits())


def test_a_definition_says_only_what_is_not_default() -> None:
    assert msgspec.json.encode(Definition(command=["ls"])) == b'{"command":["ls"]}'


def test_ended_states_are_three_and_a_new_session_is_in_none() -> None:
    assert ENDED == {"exited", "failed", "lost"}
    assert Session(session_id="s", agent_name="a").state not in ENDED


def test_an_events_type_names_are_those_of_the_union() -> None:
    assert {cls.__struct_config__.tag for cls in AnyEvent.__args__} == set(EVENT_TYPES)


def test_an_unknown_event_in_a_block_is_refused() -> None:
    payload = encode_events([Log(1, 2, "x", 3)]).replace(b"log", b"lag")
    with pytest.raises(msgspec.ValidationError):
        decode_events(payload)
