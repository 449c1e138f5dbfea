"""What scripted agents really do: commands run, files are read and written, in the agent's working directory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from roost.testing.models.script import Call

Json = dict[str, Any]
PIPE_GRACE_S = 0.2
OWN = ("bash", "read", "write", "edit")


class Outcome(NamedTuple):
    """What a tool did. `text` is what the model would read; `before` and `after` are a changed file's contents, None
    where there was no file; `exit_code` is that of a command; with `is_background` it goes on."""

    text: str
    is_error: bool = False
    exit_code: int | None = None
    path: str = ""
    before: str | None = None
    after: str | None = None
    is_background: bool = False


class Tools:
    """The tools of one agent. Commands run in sessions of their own, as they do under the real programs."""

    def __init__(self, cwd: Path, environment: Mapping[str, str] | None = None) -> None:
        self.cwd = cwd
        self._environment = {**os.environ, **(environment or {})}
        self._lock = threading.Lock()
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._kills = 0

    def resolved(self, path: str) -> Path:
        """A path that a tool was given, as the agent's working directory makes it."""
        return self.cwd / path

    def ticket(self) -> int:
        """What a run must bring along so that a kill that comes before its command starts holds for it, too."""
        return self._kills

    def run(self, call: Call, on_output: Callable[[str], None] | None = None, ticket: int | None = None) -> Outcome:
        """Do it and wait; what a tool of the CLI's own name would do is left out."""
        try:
            if call.is_raw or call.tool not in OWN:
                return Outcome(f"{call.tool} did as it was told")
            if call.tool == "bash":
                return self._bash(call.input, on_output or _unheard, self._kills if ticket is None else ticket)
            return {"read": self._read, "write": self._write, "edit": self._edit}[call.tool](call.input)
        except OSError as exc:
            return Outcome(f"{exc.strerror}: {exc.filename}", is_error=True)

    def kill(self) -> None:
        """End every command that runs, with its process group."""
        with self._lock:
            self._kills += 1
            running = list(self._running.values())
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _bash(self, given: Json, on_output: Callable[[str], None], ticket: int) -> Outcome:
        process = self._start(str(given["command"]), ticket)
        if process is None:
            return Outcome("killed before it began", is_error=True, exit_code=137)
        heard: list[str] = []
        pump = threading.Thread(target=_pump, args=(process, heard, on_output), daemon=True)
        pump.start()
        code = process.wait()
        # A child that the command left behind may hold the pipe open for good.
        pump.join(PIPE_GRACE_S)
        with self._lock:
            del self._running[process.pid]
        return Outcome("".join(heard), code != 0, code if code >= 0 else 128 - code)

    def _start(self, command: str, ticket: int) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if ticket != self._kills:
                return None
            process = subprocess.Popen(
                ["/bin/sh", "-c", command],
                cwd=self.cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running[process.pid] = process
            return process

    def _read(self, given: Json) -> Outcome:
        path = self.resolved(str(given["path"]))
        text = path.read_text(errors="replace")
        return Outcome(text, path=str(path), before=text, after=text)

    def _write(self, given: Json) -> Outcome:
        path, text = self.resolved(str(given["path"])), str(given["text"])
        before = path.read_text(errors="replace") if path.exists() else None
        path.write_text(text)
        return Outcome("written", path=str(path), before=before, after=text)

    def _edit(self, given: Json) -> Outcome:
        path, old = self.resolved(str(given["path"])), str(given["old"])
        before = path.read_text(errors="replace")
        if old not in before:
            return Outcome(f"String to replace not found in file.\nString: {old}", is_error=True, path=str(path))
        after = before.replace(old, str(given["new"]), 1)
        path.write_text(after)
        return Outcome("edited", path=str(path), before=before, after=after)


def _pump(process: subprocess.Popen[bytes], heard: list[str], on_output: Callable[[str], None]) -> None:
    assert process.stdout is not None
    with process.stdout as stdout:
        while data := os.read(stdout.fileno(), 65536):
            text = data.decode(errors="replace")
            heard.append(text)
            on_output(text)


def _unheard(_: str) -> None:
    """Output that nobody follows."""
