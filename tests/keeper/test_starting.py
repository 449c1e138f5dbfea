"""What cannot be started is refused with the exact reason, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import pytest

from roost.errors import (
    DirectoryUnusable,
    InvalidRequest,
    LimitReached,
    ProgramNotExecutable,
    ProgramNotFound,
    RoostError,
)
from tests.keeper.conftest import StartKeeper
from tests.keeper.kit import PATH, RunningKeeper, refusal


def write(path: Path, text: str, mode: int = 0o755) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def refused(keeper: RunningKeeper, *argv: str, **fields: Any) -> RoostError:
    error = refusal(lambda: keeper.start(*argv, **fields))
    assert keeper.call("list")["sessions"] == []
    assert list((keeper.data / "recordings").iterdir()) == []
    return error


@pytest.mark.parametrize("limits", [{}, {"core_bytes": 0}], ids=["plain", "limited"])
class TestPrograms:
    """The same is said whether the program is started by itself or behind limits."""

    def test_a_program_that_is_nowhere(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        error = refused(keeper, "no-such-program", limits=limits)
        assert isinstance(error, ProgramNotFound)
        assert error.details["program"] == "no-such-program"

    def test_a_path_that_does_not_exist(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        assert isinstance(refused(keeper, "./nope", limits=limits), ProgramNotFound)
        assert isinstance(refused(keeper, "/etc/passwd/nope", limits=limits), ProgramNotFound)

    def test_a_file_that_is_not_executable(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        path = write(keeper.data / "plain", "#!/bin/sh\n", 0o644)
        error = refused(keeper, str(path), limits=limits)
        assert isinstance(error, ProgramNotExecutable)
        assert error.hint == f"chmod +x {path}"

    def test_a_directory(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        assert isinstance(refused(keeper, "/tmp", limits=limits), ProgramNotExecutable)

    def test_a_missing_interpreter_is_named(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        path = write(keeper.data / "script", "#!/opt/none/python3\n")
        error = refused(keeper, str(path), limits=limits)
        assert isinstance(error, ProgramNotFound)
        assert error.details["interpreter"] == "/opt/none/python3"
        assert isinstance(refused(keeper, "script", env={"PATH": str(keeper.data)}, limits=limits), ProgramNotFound)

    def test_an_interpreter_that_cannot_be_executed(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        path = write(keeper.data / "script", "#!/tmp\n")
        error = refused(keeper, str(path), limits=limits)
        assert isinstance(error, ProgramNotExecutable)
        assert error.details["interpreter"] == "/tmp"
        path = write(keeper.data / "script", "#!\n")
        assert isinstance(refused(keeper, str(path), limits=limits), ProgramNotExecutable)

    def test_a_text_without_an_interpreter(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        path = write(keeper.data / "script", "echo hi\n")
        assert isinstance(refused(keeper, str(path), limits=limits), ProgramNotExecutable)

    def test_the_path_is_that_of_the_agent(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        bin_ = keeper.data / "bin"
        bin_.mkdir()
        write(bin_ / "hello", "#!/bin/sh\necho from bin\n")
        write(keeper.data / "hello", "#!/bin/sh\necho from here\n", 0o644)
        found = keeper.start("hello", env={"PATH": f":{bin_}:{PATH}"}, limits=limits)
        keeper.ended(found)
        assert keeper.output(found) == "from bin\n"
        relative = keeper.start("bin/hello", limits=limits)
        assert keeper.ended(relative)["code"] == 0

    def test_arguments_and_environment_go_through_as_they_are(
        self, keeper: RunningKeeper, limits: dict[str, int]
    ) -> None:
        odd = ["$(touch pwned)", "a b", "", "*", "'\"\\", "-n", "ü\udcff", "\n"]
        environment = {"IFS": "x", "X": "$(touch pwned)`touch pwned`", "_": "u", "go": "stay"}
        code = "import os, sys; print([os.fsencode(w) for w in sys.argv[1:]], os.environ['X'], os.environ['go'])"
        session_id = keeper.start(
            "python3", "-c", code, *odd, env=environment | {"PATH": PATH}, limits=limits, terminal=False
        )
        keeper.ended(session_id)
        expected = [os.fsencode(word) for word in odd]
        assert keeper.output(session_id) == f"{expected} {environment['X']} stay\n"
        assert not (keeper.data / "pwned").exists()

    def test_the_first_argument_is_what_was_given(self, keeper: RunningKeeper, limits: dict[str, int]) -> None:
        session_id = keeper.start("sh", "-c", "tr '\\0' ' ' </proc/$$/cmdline", limits=limits)
        keeper.ended(session_id)
        assert keeper.output(session_id).startswith("sh -c ")


@pytest.mark.parametrize(
    ("cwd", "reason"), [("/nope", "ENOENT"), ("/etc/passwd", "ENOTDIR"), ("relative", None), ("", None)]
)
def test_a_directory_that_cannot_be_entered(keeper: RunningKeeper, cwd: str, reason: str | None) -> None:
    error = refused(keeper, "true", cwd=cwd)
    assert isinstance(error, DirectoryUnusable)
    assert error.details.get("errno") == reason


def test_arguments_too_long_for_the_system(keeper: RunningKeeper) -> None:
    error = refused(keeper, "true", "x" * 200_000)
    assert isinstance(error, ProgramNotExecutable)
    assert error.details["errno"] == "E2BIG"


def test_variables_need_names(keeper: RunningKeeper) -> None:
    error = refused(keeper, "true", env={"BASH_FUNC_x%%": "() { :; }"})
    assert isinstance(error, InvalidRequest)
    assert error.details["variable"] == "BASH_FUNC_x%%"


def test_limits_hold(keeper: RunningKeeper) -> None:
    wanted = {"nofile": 77, "memory_bytes": 1 << 30, "cpu_s": 9, "fsize_bytes": 1 << 20, "nproc": 5000, "core_bytes": 0}
    script = "for one in n d t f u c; do ulimit -H$one; ulimit -S$one; done"
    session_id = keeper.start("bash", "-c", script, limits=wanted)
    keeper.ended(session_id)
    expected = ["77", str(1 << 20), "9", "1024", "5000", "0"]
    assert keeper.output(session_id).split() == [value for one in expected for value in (one, one)]


def test_without_limits_agents_have_those_of_the_keepers_start(keeper: RunningKeeper) -> None:
    session_id = keeper.start("bash", "-c", "ulimit -Sn; ulimit -Hn")
    keeper.ended(session_id)
    soft, hard = keeper.output(session_id).split()
    assert (int(soft), int(hard)) == resource.getrlimit(resource.RLIMIT_NOFILE)


def test_a_limit_above_the_keepers_own_is_refused(keeper: RunningKeeper) -> None:
    # Root may raise limits, but not above the kernel's own bound of open files.
    error = refused(keeper, "true", limits={"nofile": 1 << 60})
    assert isinstance(error, InvalidRequest)
    assert error.details["limit"] == "nofile"


def test_a_limit_that_nothing_here_can_hold_is_said(keeper: RunningKeeper) -> None:
    session = keeper.begin("sleep", "60", limits={"processes": 50})
    assert session["limits_unmet"] == ["processes"]


def test_the_kernel_ends_agents_before_others_when_told_so(keeper: RunningKeeper) -> None:
    session = keeper.begin("sleep", "60", oom_score_adj=321)
    assert Path(f"/proc/{session['pid']}/oom_score_adj").read_text().strip() == "321"
    assert session["limits_unmet"] == []


def test_when_descriptors_run_out_the_keeper_still_answers(start_keeper: StartKeeper) -> None:
    keeper = start_keeper()
    resource.prlimit(keeper.process.pid, resource.RLIMIT_NOFILE, (80, 80))
    keeper.call("upgrade")  # the new image learns of the limit
    started = []
    with pytest.raises(LimitReached):
        for _ in range(80):
            started.append(keeper.start("sleep", "60"))
    assert 5 < len(started) < 50
    assert keeper.call("kill", session_id=started[0])["reason"] == "killed"
    assert keeper.start("sleep", "60")
