"""A real roost server for tests: its own process, data directory, port and keeper, and nothing left of them after.

with run_server(stream_ping_s=0.2) as server:
    server.call("POST", "/api/agents", {"name": "demo", "command": ["true"]})
    server.kill9()
    server.restart()
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from roost.client import http
from roost.client.discovery import Address, read_server_info, read_token
from roost.client.http import Response
from roost.errors import KeeperUnavailable, RoostError
from roost.keeper.client import KeeperClient
from roost.paths import DataDirectory
from roost.testing import processes
from roost.testing.processes import POLL_S, Process

SERVE = [sys.executable, "-m", "roost", "serve"]
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 40.0
QUIET_S = 5.0
Json = dict[str, Any]


class RunningServer:
    """One data directory with its server and keeper. Made by `run_server`."""

    def __init__(self, data: Path, settings: Mapping[str, Any]) -> None:
        self.data = DataDirectory(data)
        self.output = data.with_name(data.name + ".output")
        self._environment = _environment(data, settings)
        self._port = int(settings.get("server_port", 0))
        self._process: subprocess.Popen[bytes] | None = None
        self.address = Address("")

    @property
    def url(self) -> str:
        """Where the server is, without a slash at the end."""
        return self.address.url

    @property
    def token(self) -> str:
        """What every request must carry."""
        return self.address.token

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def port(self) -> int:
        """The port it listens on, the same after a restart."""
        return self._port

    @property
    def is_alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def keeper_pid(self) -> int:
        """The keeper's process; 0 when none runs."""
        with contextlib.suppress(KeeperUnavailable), self.keeper() as keeper:
            return int(keeper.hello["pid"])
        return 0

    def keeper(self) -> KeeperClient:
        """A connection to the keeper, to be closed.

        Raises:
            KeeperUnavailable: none runs.
        """
        return KeeperClient.connect(self.data.root)

    def call(self, method: str, target: str, value: Any = None, *, timeout_s: float = 30.0) -> Any:
        """A request with a JSON body, and its answer decoded.

        Raises:
            RoostError: what the server refused.
        """
        return http.call(self.address, method, target, value=value, timeout_s=timeout_s)

    def request(self, method: str, target: str, value: Any = None, *, timeout_s: float = 30.0) -> Response:
        """A request and its answer as it is, whatever the status."""
        return http.request(self.address, method, target, value=value, timeout_s=timeout_s)

    def start_agent(self, name: str, *command: str, **fields: Any) -> Json:
        """Start an agent; `fields` as in `POST /api/agents`."""
        answer = self.call("POST", "/api/agents", {"name": name, "command": list(command), **fields})
        assert isinstance(answer, dict)
        return answer

    def agent(self, name: str) -> Json:
        """The agent as it stands."""
        answer = self.call("GET", f"/api/agents/{name}")
        assert isinstance(answer, dict)
        return answer

    def agents(self) -> list[Json]:
        """All agents, up to ten thousand."""
        answer = self.call("GET", "/api/agents?limit=10000")
        assert isinstance(answer, dict)
        return list(answer["agents"])

    def start(self) -> None:
        """Start the server and wait until it is ready.

        Raises:
            RuntimeError: it ended or was not ready in time; the message holds what it printed.
        """
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start the server's process and do not wait."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [*SERVE, "--port", str(self._port)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until the server answers.

        Raises:
            RuntimeError: it ended or was not ready in time; the message holds what it printed.
        """
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if not self.is_alive or time.monotonic() > deadline:
                raise RuntimeError(f"the server is not ready; it said: {self.output.read_text()[-4000:]}")
            time.sleep(POLL_S)

    def kill9(self) -> None:
        """End the server as a crash would; keeper and agents go on."""
        self._signal_and_wait(signal.SIGKILL)

    def terminate(self) -> int:
        """Ask the server to end in good order; its exit code."""
        return self._signal_and_wait(signal.SIGTERM)

    def restart(self) -> None:
        """Start the server anew on the same port and data; whatever still runs of it is killed first."""
        if self.is_alive:
            self.kill9()
        self.start()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """The server stopped by SIGSTOP meanwhile."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End the server, the keeper and every agent; wait until they are gone.

        Raises:
            RuntimeError: somebody outlived it.
        """
        if self.is_alive:
            self._end()
        left = end_keeper(self.data)
        if left:
            raise RuntimeError(f"these processes outlived the keeper: {sorted(left)}")

    def _answers(self) -> bool:
        info = read_server_info(self.data)
        if info is None or info["pid"] != self.pid:
            return False
        self.address = Address(info["url"].rstrip("/"), read_token(self.data), info["pid"], info["version"])
        self._port = int(self.url.rpartition(":")[2])
        try:
            return bool(self.call("GET", "/api/health", timeout_s=QUIET_S)["ready"])
        except RoostError:
            return False

    def _end(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(QUIET_S)
        except subprocess.TimeoutExpired:
            self.kill9()

    def _signal_and_wait(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOP_TIMEOUT_S)


@contextlib.contextmanager
def run_server(data_dir: Path | None = None, **settings: Any) -> Iterator[RunningServer]:
    """A ready server. `settings` are named as in the environment: `stream_ping_s=0.2` is `ROOST_STREAM_PING_S`.

    Without `data_dir` the data directory is a temporary one, removed at the end. Nothing of the caller's own settings
    holds, and the port is a free one.
    """
    temporary = None if data_dir else Path(tempfile.mkdtemp(prefix="roost-test-"))
    server = RunningServer(data_dir or Path(str(temporary)) / "data", settings)
    try:
        server.start()
        yield server
    finally:
        try:
            server.close()
        finally:
            if temporary:
                shutil.rmtree(temporary, ignore_errors=True)


def end_keeper(data: DataDirectory) -> set[Process]:
    """End a data directory's keeper and its agents, politely, then by force; who could not be ended."""
    try:
        keeper = KeeperClient.connect(data.root)
    except KeeperUnavailable:
        return set()
    with keeper:
        pid = int(keeper.hello["pid"])
        everyone = {processes.process(pid), *processes.descendants(pid)}
        with contextlib.suppress(RoostError):
            keeper.call("shutdown", force=True, timeout_s=STOP_TIMEOUT_S)
    for one in processes.wait_gone(everyone, QUIET_S):
        one.end()
    return processes.wait_gone(everyone, QUIET_S)


def _environment(data: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
    given = {f"ROOST_{name.upper()}": str(value) for name, value in settings.items() if name != "server_port"}
    # A test asks more often than a person does.
    unhurried = {"ROOST_SERVER_REQUESTS_PER_S": "100000", "ROOST_SERVER_REQUEST_BURST": "100000"}
    return inherited | unhurried | given | {"ROOST_DATA": str(data)}
