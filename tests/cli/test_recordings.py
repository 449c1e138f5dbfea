"""`roost recording` and `roost reproject`."""

import json

import pytest

from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import FAKE, lines, roost
from tests.cli.test_reading import ended, start


@pytest.fixture
def recorded(data: DataDirectory) -> str:
    """The session of an agent `one` that has ended."""
    start("one", "--lines", "3", "--errors", "2", options=("--driver", "lines"))
    return str(ended("one")["session_id"])


def test_a_whole_recording(data: DataDirectory, recorded: str):
    for name in ("one", recorded, str(data.recording(recorded))):
        result = roost("recording", "verify", name)
        assert result.code == 0
        assert "whole" in result.out
        assert "with its end" in result.out


def test_a_damaged_recording(data: DataDirectory, recorded: str):
    path = data.recording(recorded)
    content = bytearray(path.read_bytes())
    content[-30] ^= 0xFF
    path.write_bytes(content)
    result = roost("recording", "verify", "--json", "one")
    assert result.code == 1
    (found,) = json.loads(result.out)["recordings"]
    assert found["whole"] is False
    assert found["damage"][0]["length"] > 0
    assert "damaged" in roost("recording", "verify", "one").out


def test_what_a_recording_says(recorded: str):
    found = json.loads(roost("recording", "info", "--json", "one").out)
    assert (found["agent_name"], found["exit_code"], found["lines"]) == ("one", 0, 5)
    assert f"session_id     {recorded}" in roost("recording", "info", "one").out


def test_what_an_agent_wrote(recorded: str):
    assert len(lines(roost("recording", "cat", "one").out)) == 5
    assert lines(roost("recording", "cat", "--stream", "stderr", "one").out) == ["line 1", "line 2"]
    assert roost("recording", "cat", "--raw", "--stream", "stdout", "one").out == "line 1\nline 2\nline 3\n"


@pytest.mark.parametrize("name", ["nobody", "./no-file", "..", "/"])
def test_no_such_recording(data: DataDirectory, name: str):
    assert roost("recording", "verify", name).code in (2, 3)


def test_everything_is_made_again(data: DataDirectory, recorded: str):
    found = json.loads(roost("reproject", "--json").out)
    assert (found["sessions"], found["lines"]) == (1, 5)
    assert (data.agent_logs("one")).is_dir()
    result = roost("reproject", recorded)
    assert result.code == 0
    assert "1 sessions" in result.err


def test_an_unknown_session_is_not_found(data: DataDirectory, recorded: str):
    assert roost("reproject", "no-such-session").code == 3


def test_not_beside_a_server(server: RunningServer):
    result = roost("reproject")
    assert result.code == 6
    assert "roost down" in result.err


def test_old_recordings_do_not_hide_new_ones(data: DataDirectory, recorded: str):
    roost("run", "-d", "one", "--", *FAKE, "--say", "newer")
    assert ended("one")["session_id"] != recorded
    assert lines(roost("recording", "cat", "one").out) == ["newer"]
