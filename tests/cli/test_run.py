"""`roost run`: a program runs as if it were started here, or in the background."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from tests.cli.kit import FAKE, roost, spawn, terminal
from tests.waiting import until


@pytest.mark.parametrize(("act", "code"), [(["--exit", "7"], 7), (["--die", "TERM"], 143), (["--say", "x"], 0)])
def test_the_exit_code_passes_through(anywhere: DataDirectory, act: list[str], code: int):
    with terminal("run", "one", "--", *FAKE, *act) as seen:
        assert seen.ends() == code


def test_output_shows_where_the_cursor_is(anywhere: DataDirectory):
    with terminal("run", "one", "--", *FAKE, "--lines", "3") as seen:
        assert seen.ends() == 0
        assert seen.text.splitlines() == ["line 1", "line 2", "line 3"]


def test_what_is_typed_reaches_the_program(anywhere: DataDirectory):
    with terminal("run", "one", "--", *FAKE, "--prompt", "Name? ") as seen:
        seen.shows("Name?")
        seen.type("roost\r")
        assert seen.ends() == 0
        assert "roost" in seen.text.replace("Name? roost", "", 1)


def test_the_program_gets_our_size_directory_and_terminal_type(anywhere: DataDirectory, tmp_path: Path):
    with terminal(
        "run", "one", "--", *FAKE, "--show-size", "--show-cwd", "--show-env", "TERM", cols=91, rows=17
    ) as seen:
        assert seen.ends() == 0
        shown = seen.text
    assert "91" in shown
    assert "17" in shown
    assert str(tmp_path) in shown.replace("\n", "")
    assert "TERM=xterm-256color" in shown


def test_a_new_size_reaches_the_program(anywhere: DataDirectory):
    with terminal("run", "one", "--", *FAKE, "--tui") as seen:
        seen.shows("80")
        seen.resize(100, 30)
        seen.shows("100")
        seen.type("q")
        assert seen.ends() == 0


def test_the_program_gets_answers_from_its_terminal(anywhere: DataDirectory):
    with terminal("run", "one", "--", *FAKE, "--query") as seen:
        assert seen.ends() == 0
        assert re.search(r"CPR: b'\\x1b\[\d+;\d+R'", seen.text)


def test_full_screen_programs_leave_the_terminal_as_it_was(anywhere: DataDirectory):
    with terminal(
        "run", "one", "--", *FAKE, "--raw", r"\x1b[?1049h\x1b[?25l\x1b[?1000h", "--say", "on", "--forever"
    ) as seen:
        seen.shows("on")
        assert seen.alternate
        seen.type("\x1dd")
        assert seen.ends() == 0
        assert not seen.alternate
        assert b"\x1b[?1000l" in seen.output
        assert seen.settings == seen.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_sets_the_terminal_back_and_the_agent_lives_on(anywhere: DataDirectory, number: signal.Signals):
    with terminal("run", "one", "--", *FAKE, "--say", "ready", "--forever") as seen:
        seen.shows("ready")
        until(lambda: seen.settings != seen.before)
        seen.process.send_signal(number)
        assert seen.ends() == 128 + number
        assert seen.settings == seen.before
    assert json.loads(roost("ps", "--json").out)["agents"][0]["state"] == "running"


def test_control_c_goes_to_the_agent(anywhere: DataDirectory):
    with terminal("run", "one", "--", *FAKE, "--catch", "INT", "--say", "ready", "--forever") as seen:
        seen.shows("ready")
        seen.type("\x03")
        seen.shows("caught SIGINT")


def test_in_the_background_only_the_name_is_printed(anywhere: DataDirectory):
    assert roost("run", "-d", "one", "--", *FAKE, "--forever") == (0, "one\n", "")
    assert roost("ps", "-q").out == "one\n"


def test_in_the_background_json_tells_all(anywhere: DataDirectory):
    view = json.loads(roost("run", "--json", "-d", "one", "sleep", "100").out)
    assert (view["name"], view["state"], view["command"]) == ("one", "running", ["sleep", "100"])


def test_without_a_terminal_bytes_pass_both_ways(anywhere: DataDirectory):
    with spawn("run", "one", "--", "cat", stdin=-1) as process:
        out, _ = process.communicate("hello\n", 30)
        assert process.returncode == 0
        assert "hello" in out


def test_on_pipes_the_streams_are_apart(anywhere: DataDirectory):
    with spawn("run", "one", "--driver", "lines", "--", *FAKE, "--lines", "1", "--errors", "1") as process:
        out, _ = process.communicate(timeout=30)
    assert sorted(out.split()) == sorted("line 1 error 1".split()) or "line 1" in out
    assert roost("logs", "one", "--stream", "stderr").out.count("\n") == 1


def test_options_may_stand_behind_the_name(data: DataDirectory):
    result = roost("run", "one", "-d", "--label", "team=a", "--", "sleep", "100")
    assert result.code == 0
    assert json.loads(roost("ps", "--json", "--filter", "label=team=a").out)["total"] == 1


def test_the_command_keeps_its_own_options_and_dashes(data: DataDirectory):
    view = json.loads(roost("run", "--json", "-d", "one", "sh", "-c", "exit 0", "--", "-d").out)
    assert view["command"] == ["sh", "-c", "exit 0", "--", "-d"]


def test_variables_come_from_options_files_and_here(
    anywhere: DataDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "vars").write_text("# a comment\nA=1\n\nB=2\n")
    monkeypatch.setenv("HANDED_ON", "3")
    monkeypatch.setenv("SECRET", "s")
    shown = [word for name in ("A", "B", "HANDED_ON", "SECRET") for word in ("--show-env", name)]
    arguments = ["--env-file", "vars", "-e", "B=two", "-e", "HANDED_ON"]
    with spawn("run", *arguments, "one", "--", *FAKE, *shown) as process:
        out, _ = process.communicate(timeout=30)
    assert out.replace("\r", "").splitlines()[:3] == ["A=1", "B=two", "HANDED_ON=3"]
    assert "SECRET=s" not in out


def test_limits_are_given_with_units(data: DataDirectory):
    roost("run", "-d", "one", "--limit", "nofile=64", "--limit", "memory=1G", "--", "sleep", "100")
    header = next(data.recordings.glob("*.rec")).read_bytes()
    assert b'"nofile":64' in header
    assert b'"memory_bytes":1073741824' in header


def test_a_restart_that_nobody_will_do_is_mentioned(data: DataDirectory):
    assert "roost up" in roost("run", "-d", "one", "--restart", "always", "sleep", "100").err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run"], 2, "name and its command"),
        (["run", "one"], 2, "no command"),
        (["run", "--", "one", "--"], 2, "no command"),
        (["run", "-d", "a b", "true"], 2, "name"),
        (["run", "-d", "one", "no-such-program"], 2, "no-such-program"),
        (["run", "-d", "--cwd", "/nowhere", "one", "true"], 2, "/nowhere"),
        (["run", "-d", "-e", "NOT_SET_HERE", "one", "true"], 2, "NOT_SET_HERE"),
        (["run", "-d", "--env-file", "none", "one", "true"], 2, "none"),
        (["run", "-d", "--label", "x", "one", "true"], 2, "K=V"),
        (["run", "-d", "--limit", "x=1", "one", "true"], 2, "limit"),
        (["run", "-d", "--limit", "memory=lots", "one", "true"], 2, "number"),
        (["run", "-d", "--size", "80", "one", "true"], 2, "size"),
        (["run", "-d", "--environment", "x", "-e", "A=1", "one", "true"], 2, "environment"),
        (["run", "--detach-keys", "nonsense", "one", "sleep", "1"], 2, "detach"),
        (["run", "--frob", "one", "true"], 2, "frob"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_requests_say_what_is_wrong(anywhere: DataDirectory, arguments: list[str], code: int, said: str):
    result = roost(*arguments)
    assert result.code == code
    assert result.err.startswith("roost: ")
    assert said in result.err
    assert result.out == ""


def test_nothing_is_started_when_the_detach_keys_are_none_that_we_know(data: DataDirectory):
    roost("run", "--detach-keys", "nonsense", "one", "sleep", "1")
    assert roost("ps", "-aq").out == ""


def test_a_name_that_runs_is_a_conflict(anywhere: DataDirectory):
    roost("run", "-d", "one", "sleep", "100")
    result = roost("run", "-d", "one", "sleep", "100")
    assert result.code == 6
    assert "running" in result.err


def test_a_label_for_the_environment_is_kept(anywhere: DataDirectory):
    roost("run", "-d", "one", "--environment", "production", "sleep", "100")
    assert json.loads(roost("ps", "--json").out)["agents"][0]["environment"] == "production"


def test_the_umask_is_ours(data: DataDirectory, tmp_path: Path):
    before = os.umask(0o027)
    try:
        roost("run", "-d", "one", "touch", str(tmp_path / "made"))
        until((tmp_path / "made").exists)
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o640
