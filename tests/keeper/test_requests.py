"""Every operation's fields are checked, and what is wrong with them is said."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roost.errors import InvalidRequest, RoostError
from roost.keeper import requests

START: dict[str, Any] = {
    "op": "start",
    "session_id": "s1",
    "agent": "demo",
    "argv": ["sh"],
    "cwd": "/",
    "env": {"PATH": "/bin"},
}
SESSION = {"session_id": "s1"}
SIGNAL = {"op": "signal", "session_id": "s1"}
INPUT = {"op": "input", "session_id": "s1", "source": "x"}
RESIZE = {"op": "resize", "session_id": "s1", "rows": 2}


def checked(fields: dict[str, Any], blob: bytes = b"") -> dict[str, Any]:
    return requests.check(fields, blob).args


def test_a_start_gets_its_defaults() -> None:
    args = checked(START)
    assert (args["terminal"], args["cols"], args["rows"]) == (True, 80, 24)
    assert (args["umask"], args["limits"], args["oom_score_adj"], args["definition"]) == (None, {}, None, {})
    assert args["leftovers"] == "end"


def test_limits_that_are_null_are_not_set() -> None:
    given_limits = {"nofile": 64, "cpu_s": None, "unknown": "x"}
    assert checked(START | {"limits": given_limits})["limits"] == {"nofile": 64}


def test_unknown_fields_are_ignored() -> None:
    assert checked({"op": "list", "flavour": 7}) == {}


@pytest.mark.parametrize(("name", "number"), [("SIGINT", 2), ("INT", 2), ("KILL", 9)])
def test_signals_go_by_name(name: str, number: int) -> None:
    assert checked(SIGNAL | {"signal": name})["signal"] == number


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"op": 7},
        {"op": "fly"},
        {"op": ["start"]},
        {"op": "stop"},
        {"op": "describe", "session_id": ""},
        {"op": "describe", "session_id": "../x"},
        {"op": "describe", "session_id": "x" * 65},
        {"op": "describe", "session_id": 5},
        START | {"agent": ".hidden"},
        START | {"agent": "a/b"},
        START | {"agent": None},
        START | {"argv": []},
        START | {"argv": "sh"},
        START | {"argv": [""]},
        START | {"argv": ["sh", 5]},
        START | {"argv": ["sh\0x"]},
        START | {"argv": ["\ud800"]},
        START | {"cwd": 5},
        START | {"env": ["PATH"]},
        START | {"env": {"A B": "x"}},
        START | {"env": {"Ä": "x"}},
        START | {"env": {"": "x"}},
        START | {"env": {"A": 5}},
        START | {"env": {"A": "x\0"}},
        START | {"terminal": "yes"},
        START | {"cols": 0},
        START | {"cols": 65536},
        START | {"rows": True},
        START | {"rows": 2.5},
        START | {"umask": 0o1000},
        START | {"limits": {"nofile": -1}},
        START | {"limits": {"nofile": "many"}},
        START | {"limits": []},
        START | {"oom_score_adj": 1001},
        START | {"definition": "x"},
        START | {"leftovers": "hide"},
        INPUT,
        INPUT | {"seq": -1},
        INPUT | {"seq": 1 << 64},
        INPUT | {"seq": 1, "source": "x" * 256},
        INPUT | {"seq": 1, "reply": 1},
        RESIZE,
        SIGNAL | {"signal": "SIGFOO"},
        SIGNAL | {"signal": 9},
        SIGNAL | {"signal": "SIGINT", "scope": "galaxy"},
        {"op": "stop", "grace_s": -1} | SESSION,
        {"op": "stop", "grace_s": float("nan")} | SESSION,
        {"op": "stop", "grace_s": float("inf")} | SESSION,
        {"op": "stop", "grace_s": "10"} | SESSION,
        {"op": "stop", "grace_s": True} | SESSION,
        {"op": "mark", "mark": {}} | SESSION,
        {"op": "mark", "mark": "started"} | SESSION,
        {"op": "hello"},
        {"op": "hello", "protocol": 1},
        {"op": "hello", "protocol": [1]},
        {"op": "hello", "protocol": [1, "x"]},
        {"op": "shutdown", "force": 1},
        {"op": "upgrade", "arguments": []},
        {"op": "upgrade", "executable": 1},
    ],
)
def test_what_is_wrong_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        requests.check(fields, b"")
    assert caught.value.message


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = plain | st.lists(plain, max_size=2) | st.dictionaries(st.text(max_size=4), plain, max_size=2)
names = sorted({name for fields in requests.OPERATIONS.values() for name in fields})


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(sorted(requests.OPERATIONS)), st.dictionaries(st.sampled_from(names), values, max_size=8))
def test_anything_is_either_taken_or_refused(op: str, fields: dict[str, Any]) -> None:
    try:
        json.dumps(requests.check({**fields, "op": op}, b"").args)
    except RoostError as exc:
        assert exc.code in ("INVALID_REQUEST", "INVALID_NAME")
