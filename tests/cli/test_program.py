"""The program itself: help, versions, mistakes, completion, exit codes, colours."""

import io
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from roost import __version__, errors
from roost.cli import exits, main, output
from roost.cli.commands import all_commands, find
from roost.cli.moments import moment, seconds
from roost.cli.parser import command_parser
from roost.errors import InvalidRequest
from tests.cli.kit import ROOST, Terminal, lines, roost, spawn

HEAVY = {"msgspec", "asyncio", "email", "sqlalchemy", "starlette", "uvicorn", "subprocess", "dataclasses", "structlog"}


def test_the_version():
    assert roost("--version") == roost("-V") == roost("version") == (0, f"roost {__version__}\n", "")
    assert json.loads(roost("version", "--json").out)["roost"] == __version__


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_names_every_command(arguments: list[str]):
    result = roost(*arguments)
    assert result.code == 0
    assert all(f"  {command.name} " in result.out for command in all_commands())


@pytest.mark.parametrize("command", all_commands(), ids=lambda command: command.name)
def test_every_command_has_help_and_a_function(command):
    assert roost(command.name, "--help").code == 0
    configure, function = command.load()
    assert callable(configure)
    assert callable(function)
    assert command_parser(command).format_help()


def test_an_unknown_command_names_a_near_one():
    result = roost("lgos")
    assert result.code == 2
    assert "did you mean 'logs'" in result.err


def test_a_mistake_in_options_is_one_line_and_a_step():
    assert lines(roost("ps", "--nope").err) == [
        "roost: unrecognized arguments: --nope",
        "  see 'roost ps --help'",
    ]


def test_the_data_directory_may_stand_first(tmp_path):
    assert roost(f"--data={tmp_path}", "ps").code == 0
    assert roost("--data", str(tmp_path), "ps").code == 0


def test_interruption_has_its_code(monkeypatch: pytest.MonkeyPatch):
    def interrupt(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("roost.cli.version.version", interrupt)
    assert main(["version"]) == exits.INTERRUPTED


@pytest.mark.parametrize("arguments", [["--version"], ["ps"], ["version"]], ids=" ".join)
def test_nothing_heavy_is_loaded(arguments: list[str], tmp_path):
    code = (
        "import sys; from roost.cli import main; main(sys.argv[1:]);"
        f"print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"ROOST_DATA": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.split() == []


def test_python_dash_m_works_too():
    done = subprocess.run([sys.executable, "-m", "roost", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"roost {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_valid(shell: str, tmp_path):
    script = roost("completion", shell).out
    assert all(command.name in script for command in all_commands())
    assert "--server-port" not in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(script)
    subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_completion_in_bash_completes(tmp_path):
    (tmp_path / "script").write_text(roost("completion", "bash").out)
    ask = f"source {tmp_path}/script; COMP_WORDS=(roost re); COMP_CWORD=1; _roost; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["resume", "restart", "recording", "reproject"]
    ask = f"source {tmp_path}/script; COMP_WORDS=(roost logs --f); COMP_CWORD=2; _roost; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--follow"]


def test_every_error_has_an_exit_code():
    codes = {code: exits.of_error(cls("x")) for code, cls in errors.by_code().items()}
    assert codes["AGENT_NOT_FOUND"] == 3
    assert codes["FORBIDDEN"] == 4
    assert codes["KEEPER_UNAVAILABLE"] == 5
    assert codes["AGENT_RUNNING"] == 6
    assert codes["TIMED_OUT"] == 124
    assert codes["INVALID_NAME"] == 2
    assert codes["INTERNAL_ERROR"] == 1
    assert set(codes.values()) <= set(exits.MEANINGS)


def test_an_agents_end_as_an_exit_code():
    assert exits.of_agent(0, None) == 0
    assert exits.of_agent(None, "SIGKILL") == 137
    assert exits.of_agent(None, "TERM") == 143
    assert exits.of_agent(None, None) == 1


def test_controls_are_shown_instead_of_sent():
    assert output.visible("a\x1b[2J\x07\x7f\x9b\u202e\tb") == "a^[[2J^G^?<U+009B><U+202E>\tb"
    assert output.visible("a\tb\nc", tabs=False) == "a b^Jc"
    assert output.visible("ä 漢 🙂") == "ä 漢 🙂"


def test_spans_and_sizes_for_people():
    assert [output.duration(each) for each in (-1, 0, 59, 60, 3599, 3600, 172_800)] == "0s 0s 59s 1m 59m 1h 2d".split()
    sizes = [output.size(each) for each in (0, 1023, 1024, 1 << 30, 1 << 50)]
    assert sizes == ["0 B", "1023 B", "1.0 KiB", "1.0 GiB", "1024.0 TiB"]


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_colours_only_where_they_are_wanted(environment, coloured, tmp_path):
    settings = {"TERM": "xterm-256color", "NO_COLOR": "", "ROOST_DATA": str(tmp_path)} | environment
    assigned = [f"{name}={value}" for name, value in settings.items() if value]
    seen = Terminal("env", "-u", "NO_COLOR", *assigned, *ROOST, "ps")
    try:
        assert seen.ends() == 0
        assert (b"\x1b[1m" in seen.output) == coloured
    finally:
        seen.close()


def test_no_colours_in_a_pipe(tmp_path):
    with spawn("ps", "--data", str(tmp_path)) as process:
        assert "\x1b" not in process.communicate(timeout=30)[0]


def test_a_long_command_is_cut_at_the_edge_of_a_terminal_only():
    stream = io.StringIO()
    assert output.shorten("x" * 50, 10) == "x" * 50
    assert not output.colours_wanted(stream)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 5.0), ("1.5", 1.5), ("90s", 90.0), ("1h30m", 5400.0), ("250ms", 0.25), ("2d", 172_800.0)],
)
def test_spans(text: str, expected: float):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "5x", "-1", "1h 30m"])
def test_no_spans(text: str):
    with pytest.raises(InvalidRequest, match="no span"):
        seconds(text)


def test_moments():
    now = datetime(2026, 11, 21, 6, 15, 30, 250_000, tzinfo=UTC)
    assert moment("10m", now) == "2026-11-21T06:05:30.250Z"
    assert moment("2026-11-20T01:02:03Z", now) == "2026-11-20T01:02:03.000Z"
    assert moment("2026-11-20T01:02:03+02:00", now) == "2026-11-19T23:02:03.000Z"
    local = now.astimezone()
    assert moment(f"{local:%H:%M:%S}", now) == "2026-11-21T06:15:30.000Z"
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    assert moment(f"{local:%Y-%m-%d}", now) == f"{midnight.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    five = midnight + timedelta(hours=5, minutes=7)
    assert moment("5:07", now) == f"{five.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


@pytest.mark.parametrize("text", ["yesterday", "25:00", "2026-13-01", "1000000d"])
def test_no_moments(text: str):
    with pytest.raises((InvalidRequest, OverflowError)):
        moment(text, datetime(2026, 11, 21, tzinfo=UTC))


def test_unknown_names_find_no_command():
    assert find("nothing") is None
