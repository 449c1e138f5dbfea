"""A program that speaks JSON lines, with its input and output in our hands."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.waiting import scaled

Json = dict[str, Any]
PATIENCE_S = 1.0


class Duplex:
    """A running program. `seen` are the lines it wrote that were JSON, `raw` all of them."""

    def __init__(self, command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> None:
        whole = {**os.environ, "SCRIPTED_AGENT_STATE": str(cwd / ".state"), **(environment or {})}
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=cwd, env=whole, **pipes)
        self.cwd = cwd
        self.seen: list[Json] = []
        self.raw: list[bytes] = []
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._complaints: list[bytes] = []
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Duplex:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        for thread in self._threads:
            thread.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()

    def _end(self) -> None:
        """Let it see the end of its input, and end it if that is not enough."""
        with contextlib.suppress(OSError):
            self.close_input()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def stderr(self) -> str:
        """What it wrote to standard error so far."""
        return b"".join(self._complaints).decode()

    def send(self, *messages: Json) -> None:
        """Write messages, a line each."""
        self.write("".join(json.dumps(message) + "\n" for message in messages).encode())

    def write(self, data: bytes) -> None:
        """Write bytes."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def close_input(self) -> None:
        """Let it see the end of its input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def expect(self, wanted: Callable[[Json], object], timeout_s: float = 10) -> Json:
        """The next line of which `wanted` is true; those before it are passed over."""
        while True:
            message = self.next(timeout_s)
            if message is None:
                raise AssertionError(f"it ended; it wrote {self.raw[-5:]} and {self.stderr}")
            if wanted(message):
                return message

    def next(self, timeout_s: float = 10) -> Json | None:
        """The next line that is JSON; None at the end."""
        while True:
            try:
                line = self._lines.get(timeout=scaled(timeout_s))
            except queue.Empty:
                raise AssertionError(f"nothing came; last {self.raw[-3:]}; it complained {self.stderr}") from None
            if line is None:
                return None
            self.raw.append(line)
            try:
                message = json.loads(line)
            except ValueError:
                continue
            self.seen.append(message)
            return message

    def finish(self, timeout_s: float = 10) -> int:
        """Read to the end; the exit code."""
        while self.next(timeout_s) is not None:
            pass
        for thread in self._threads:
            thread.join()
        return self.process.wait(scaled(timeout_s))

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._complaints.append(line)
