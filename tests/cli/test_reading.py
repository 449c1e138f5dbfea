"""`roost ps`, `logs`, `screen`, `events`: what agents do and did."""

import json
import select
import subprocess

import pytest

from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import FAKE, ROOST, lines, read_line, roost, spawn, terminal
from tests.waiting import until


def start(name: str, *acts: str, options: tuple[str, ...] = ()) -> None:
    result = roost("run", "-d", *options, name, "--", *FAKE, *acts)
    assert result.code == 0, result.err


def ended(name: str) -> dict[str, object]:
    """The agent, once it has ended."""

    def view() -> dict[str, object]:
        found = {each["name"]: each for each in json.loads(roost("ps", "-a", "--json").out)["agents"]}
        return found[name] if found[name]["state"] in ("exited", "failed", "lost") else {}

    return until(view, 30)


def test_nothing_there_is_an_empty_table(anywhere: DataDirectory):
    assert lines(roost("ps").out) == ["NAME  STATE  AGE  LAST-OUTPUT  EXIT  COMMAND"]
    assert roost("ps", "-q").out == ""
    assert json.loads(roost("ps", "--json").out) == {"agents": [], "total": 0}


def test_those_that_need_somebody_come_first(anywhere: DataDirectory):
    start("a-runs", "--forever")
    start("b-failed", "--exit", "3")
    start("c-done", "--exit", "0")
    ended("b-failed")
    ended("c-done")
    assert lines(roost("ps", "-q").out) == ["b-failed", "a-runs"]
    assert lines(roost("ps", "-aq").out) == ["b-failed", "a-runs", "c-done"]
    table = lines(roost("ps", "-a").out)
    assert table[1].split()[:2] == ["b-failed", "failed"]
    assert " 3 " in table[1]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("state=running", ["one", "two"]),
        ("state=exited", ["three"]),
        ("name=t*", ["two"]),
        ("label=team", ["one", "two"]),
        ("label=team=b", ["two"]),
        ("driver=lines", ["two"]),
        ("node=nowhere", []),
    ],
)
def test_filters(anywhere: DataDirectory, wanted: str, names: list[str]):
    start("one", "--forever", options=("--label", "team=a"))
    start("two", "--forever", options=("--label", "team=b", "--driver", "lines"))
    start("three", "--exit", "0")
    ended("three")
    assert lines(roost("ps", "-q", "--filter", wanted).out) == names


def test_an_unknown_filter_is_refused(data: DataDirectory):
    assert roost("ps", "--filter", "colour=red").code == 2


def test_ps_does_not_start_a_keeper(data: DataDirectory):
    roost("ps")
    assert not data.keeper_socket.exists()


def test_watch_shows_again_and_again(anywhere: DataDirectory):
    with terminal("ps", "--watch", "--interval", "0.1") as seen:
        seen.shows("NAME")
        start("one", "--forever")
        seen.shows("one")
        seen.type("\x03")
        assert seen.ends() == 130


def test_a_table_shows_no_escapes_of_commands(data: DataDirectory):
    roost("run", "-d", "one", "sh", "-c", "sleep 100 # \x1b]0;evil\x07\x1b[2J")
    with terminal("ps") as seen:
        assert seen.ends() == 0
        assert b"\x1b]0;" not in seen.output
        assert "^[]0;evil^G" in seen.text


def test_logs_are_clean_lines(anywhere: DataDirectory):
    start("one", "--colours", "--progress", "5", "--say", "end")
    ended("one")
    out = roost("logs", "one").out
    assert "\x1b" not in out
    assert "\r" not in out
    assert lines(out)[-1] == "end"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--tail", "2"], ["line 9", "line 10"]),
        (["--tail", "0"], []),
        (["--grep", "^line [12]$"], ["line 1", "line 2"]),
        (["--since", "1h", "--tail", "1"], ["line 10"]),
        (["--since", "2100-01-01"], []),
        (["--until", "2000-01-01"], []),
        (["--stream", "stderr"], []),
    ],
    ids=" ".join,
)
def test_lines_can_be_chosen(anywhere: DataDirectory, arguments: list[str], expected: list[str]):
    start("one", "--lines", "10")
    ended("one")
    assert lines(roost("logs", "one", *arguments).out) == expected


def test_lines_carry_their_time_and_number(anywhere: DataDirectory):
    start("one", "--lines", "2")
    ended("one")
    assert roost("logs", "-t", "one").out.splitlines()[0].endswith("Z line 1")
    found = json.loads(roost("logs", "--json", "one").out)["lines"]
    assert [(line["line_num"], line["line"], line["stream"]) for line in found] == [
        (1, "line 1", "stdout"),
        (2, "line 2", "stdout"),
    ]


def test_several_agents_are_told_apart(anywhere: DataDirectory):
    start("one", "--say", "first")
    start("second", "--say", "other")
    ended("one")
    ended("second")
    assert lines(roost("logs", "one", "second").out) == ["one    | first", "second | other"]


def test_following_shows_every_line_once_to_the_end(anywhere: DataDirectory):
    start("one", "--rate", "200", "--lines", "300")
    with spawn("logs", "-f", "one") as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert lines(out) == [f"line {number}" for number in range(1, 301)]


def test_following_several_side_by_side(anywhere: DataDirectory):
    start("one", "--lines", "50")
    start("two", "--lines", "50")
    with spawn("logs", "-f", "--json", "one", "two") as process:
        out, _ = process.communicate(timeout=60)
    found = [json.loads(line) for line in lines(out)]
    for name in ("one", "two"):
        mine = [each["line"] for each in found if each["agent_name"] == name]
        assert mine == [f"line {number}" for number in range(1, 51)]


def test_following_goes_on_over_kills_of_the_server(own_server: RunningServer, tmp_path):
    start(
        "one",
        "--lines",
        "500",
        "--hold",
        str(tmp_path / "a"),
        "--lines",
        "500",
        "--hold",
        str(tmp_path / "b"),
        "--lines",
        "500",
    )
    with spawn("logs", "-f", "one") as process:
        assert read_line(process) == "line 1\n"
        own_server.kill9()
        (tmp_path / "a").touch()
        own_server.start()
        own_server.kill9()
        (tmp_path / "b").touch()
        own_server.start()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert lines(out) == [f"line {number}" for number in range(2, 1501)]


def test_the_newest_lines_first_then_new_ones(anywhere: DataDirectory, tmp_path):
    start("one", "--lines", "5", "--hold", str(tmp_path / "go"), "--lines", "1")
    until(lambda: "line 5" in roost("logs", "one").out)
    with spawn("logs", "-f", "--tail", "1", "one") as process:
        assert read_line(process) == "line 5\n"
        (tmp_path / "go").touch()
        out, _ = process.communicate(timeout=60)
    assert lines(out) == ["line 6"]


def test_whoever_stops_reading_hears_no_complaint(anywhere: DataDirectory):
    start("one", "--lines", "20000")
    ended("one")
    command = ["sh", "-c", '"$@" | head -n 1', "sh", *ROOST, "logs", "one"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("line 1\n", "")


def test_on_a_terminal_lines_cannot_act(anywhere: DataDirectory):
    start("one", "--raw", r"a\x9b2Jb\u202ec\r\n")
    ended("one")
    with terminal("logs", "one") as seen:
        assert seen.ends() == 0
        assert "\u202e" not in seen.output.decode()


@pytest.mark.parametrize("bad", [["--grep", "("], ["--tail", "x"], ["--since", "whenever"], []])
def test_bad_questions_are_refused(data: DataDirectory, bad: list[str]):
    arguments = ["logs", *bad, "one"] if bad else ["logs"]
    assert roost(*arguments).code == 2


def test_the_screen_is_what_a_person_would_see(anywhere: DataDirectory):
    start("one", "--raw", r"one\x1b[5;3Hfive\r\n", "--forever", options=("--size", "40x10"))
    until(lambda: "five" in roost("screen", "one").out)
    assert lines(roost("screen", "one").out) == ["one", "", "", "", "  five"]
    shown = json.loads(roost("screen", "--json", "one").out)
    assert (shown["cols"], shown["rows"], shown["cursor_row"]) == (40, 10, 5)


def test_events_are_one_json_object_a_line(anywhere: DataDirectory):
    start("one", "--lines", "2")
    ended("one")
    found = [json.loads(line) for line in lines(roost("events", "one").out)]
    assert [event["type"] for event in found] == ["state", "state", "log", "log", "state", "complete"]
    session = found[0]["session_id"]
    assert [event["position"] for event in found] == [f"{session}:{seq}" for seq in range(1, 7)]


def test_events_go_on_behind_a_position(anywhere: DataDirectory):
    start("one", "--lines", "2")
    ended("one")
    found = [json.loads(line) for line in lines(roost("events", "one").out)]
    rest = roost("events", "one", "--after", found[3]["position"], "-f")
    assert [json.loads(line)["type"] for line in lines(rest.out)] == ["state", "complete"]
    assert roost("events", "one", "--after", "nonsense").code == 2


def test_events_of_some_types_and_of_all_agents(anywhere: DataDirectory):
    start("one", "--say", "a")
    start("two", "--say", "b")
    ended("one")
    ended("two")
    found = [json.loads(line) for line in lines(roost("events", "--types", "log,error").out)]
    assert sorted(event["data"]["line"] for event in found) == ["a", "b"]


def test_events_of_all_agents_can_be_followed(anywhere: DataDirectory):
    start("before", "--forever")
    with spawn("events", "-f", "--types", "log") as process:
        said = 0
        while not _readable(process):
            start(f"agent-{said}", "--say", f"hello {said}")
            ended(f"agent-{said}")
            said += 1
        assert json.loads(read_line(process))["data"]["line"].startswith("hello")
        process.terminate()


def test_events_of_all_agents_go_on_over_kills_of_the_server(own_server: RunningServer, tmp_path):
    start(
        "one",
        "--hold",
        str(tmp_path / "a"),
        "--lines",
        "300",
        "--hold",
        str(tmp_path / "b"),
        "--lines",
        "300",
        "--forever",
    )
    with spawn("events", "-f", "--types", "log") as process:
        until(lambda: own_server.call("GET", "/api/sse/stats")["total_clients"] == 1)
        (tmp_path / "a").touch()
        found = [json.loads(read_line(process))["data"]["line"]]
        own_server.kill9()
        (tmp_path / "b").touch()
        own_server.start()
        found += [json.loads(read_line(process, 60))["data"]["line"] for _ in range(599)]
        process.terminate()
    assert found == [f"line {number}" for number in range(1, 601)]


def _readable(process: subprocess.Popen[str]) -> bool:
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], 0.5)[0])


@pytest.mark.parametrize("command", ["logs", "screen", "events", "attach", "send", "stop", "wait", "rm", "restart"])
def test_an_unknown_agent_is_not_found(anywhere: DataDirectory, command: str):
    start("worker-1", "--forever")
    result = roost(command, "worker-2", *(["x"] if command == "send" else []))
    assert result.code == 3
    assert "worker-2" in result.err
    assert "did you mean 'worker-1'?" in result.err
