"""What recordings say of sessions, without a database."""

import json
from pathlib import Path

import pytest

from roost.client.recordings import newest_session, newest_sessions, read_header, view_of_held, view_of_recorded
from roost.client.removing import remove_recordings
from roost.core.recording import Kind, encode_frame, encode_json
from roost.paths import DataDirectory

START_NS = 1_795_246_502_000_000_000


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path)
    directory.create()
    return directory


def record(data: DataDirectory, session: str, agent: str = "one", *frames: bytes, **header: object) -> Path:
    fields = {"session_id": session, "agent": agent, "argv": ["true"], "started_at_ns": START_NS} | header
    path = data.recording(session)
    path.write_bytes(encode_json(Kind.HEADER, 0, fields) + b"".join(frames))
    return path


def left(code: int | None, signal: str | None = None, reason: str = "exited", at_ns: int = 2_000_000_000) -> bytes:
    return encode_json(Kind.EXIT, at_ns, {"code": code, "signal": signal, "reason": reason})


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (left(0), "exited"),
        (left(3), "failed"),
        (left(None, "SIGTERM", "stopped"), "exited"),
        (left(None, "SIGKILL"), "failed"),
        (b"", "lost"),
    ],
)
def test_how_a_session_ended(data: DataDirectory, end: bytes, state: str):
    record(data, "s1", "one", encode_frame(Kind.OUT, 1_500_000_000, b"hi"), end)
    found = newest_session(data, "one")
    assert found is not None
    view = view_of_recorded(found)
    assert view["state"] == state
    assert view["last_output_at"] == "2026-11-21T07:35:03.500Z"
    if end:
        assert view["ended_at"] == "2026-11-21T07:35:04.000Z"
        assert view["uptime_s"] == 2.0


def test_the_newest_of_each_agent(data: DataDirectory):
    record(data, "20260101-000000-aa", "one", left(1))
    record(data, "20260102-000000-aa", "two", left(0))
    record(data, "20260103-000000-aa", "one", left(0))
    found = newest_sessions(data)
    assert {name: each.session_id for name, each in found.items()} == {
        "one": "20260103-000000-aa",
        "two": "20260102-000000-aa",
    }
    assert found["one"].agent == "one"
    assert newest_session(data, "three") is None


def test_the_end_is_found_behind_much_output(data: DataDirectory):
    output = [encode_frame(Kind.OUT, at, b"x" * 10_000) for at in range(100)]
    record(data, "s1", "one", *output, left(7))
    found = newest_session(data, "one")
    assert found is not None
    assert found.exit["code"] == 7


def test_a_long_header_is_read_whole(data: DataDirectory):
    path = record(data, "s1", "one", argv=["x" * 700_000])
    assert len(read_header(path)["argv"][0]) == 700_000


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, encode_frame(Kind.OUT, 0, b"no header first")])
def test_what_is_no_recording_is_nobodys(data: DataDirectory, content: bytes):
    data.recording("s1").write_bytes(content)
    assert newest_sessions(data) == {}


def test_no_directory_holds_nothing(tmp_path: Path):
    assert newest_sessions(DataDirectory(tmp_path / "none")) == {}
    assert read_header(tmp_path / "none") == {}


def test_a_session_that_the_keeper_holds():
    held = {
        "session_id": "s1", "agent": "one", "pid": 7, "state": "running", "terminal": True, "cols": 90, "rows": 20,
        "cwd": "/", "argv": ["x"], "started_at_ns": START_NS, "ended_at_ns": None, "code": None, "signal": None,
        "reason": None, "processes": 2, "last_output_ns": None,
    }  # fmt: skip
    header = {"definition": {"labels": {"a": "b"}, "restart": "always"}, "host": "here"}
    view = view_of_held(held, header, START_NS + 5_000_000_000)
    assert (view["state"], view["pid"], view["uptime_s"], view["cols"]) == ("running", 7, 5.0, 90)
    assert (view["labels"], view["restart"], view["node"], view["last_output_at"]) == (
        {"a": "b"},
        "always",
        "here",
        None,
    )
    ended = held | {"state": "exited", "code": 1, "ended_at_ns": START_NS + 1, "reason": "exited"}
    assert view_of_held(ended, {"definition": "nonsense"}, 0)["state"] == "failed"
    assert view_of_held(ended | {"reason": "stopped"}, {}, 0)["state"] == "exited"


def test_views_have_the_fields_of_the_servers(data: DataDirectory):
    from roost.model.views import AgentView

    record(data, "s1", "one", left(0))
    found = newest_session(data, "one")
    assert found is not None
    assert set(view_of_recorded(found)) <= set(AgentView.__struct_fields__)
    json.dumps(view_of_recorded(found))


def test_removing_takes_all_of_one_agent(data: DataDirectory):
    kept = record(data, "s2", "two")
    record(data, "s1", "one")
    record(data, "s3", "one")
    data.agent_logs("one").mkdir(parents=True)
    assert remove_recordings(data, "one") == 2
    assert list(data.recordings.iterdir()) == [kept]
    assert not data.agent_logs("one").exists()
