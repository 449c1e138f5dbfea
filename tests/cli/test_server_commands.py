"""`roost up`, `down`, `serve`, `open`, `status`, `token`, `config`, `doctor`."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from roost import __version__
from roost.client.discovery import find_server, is_alive, read_server_info
from roost.client.http import request
from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import lines, roost, spawn, terminal
from tests.waiting import until


@pytest.fixture
def up(data: DataDirectory):
    """A server that `roost up` started."""
    result = roost("up", "--json")
    assert result.code == 0, result.err
    yield json.loads(result.out)
    roost("down")


def test_up_waits_until_ready_and_says_where(data: DataDirectory):
    result = roost("up")
    try:
        assert result.code == 0
        url = result.out.strip()
        address = find_server(data, {})
        assert address is not None
        assert (address.url, address.version) == (url, __version__)
        assert request(address, "GET", "/api/health/ready").status == 200
        assert "roost open" in result.err
    finally:
        assert roost("down").code == 0
    assert not is_alive(address.pid)


def test_up_again_says_that_it_runs(up: dict[str, object]):
    again = roost("up")
    assert again.code == 0
    assert "already runs" in again.err
    assert again.out.strip() == up["url"]


def test_up_says_why_it_cannot_start(data: DataDirectory):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = roost("up", "--port", str(port))
    assert result.code == 5
    assert str(port) in result.err
    assert "--port" in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "many"], "server.port"),
        (["--host", "0.0.0.0"], "TLS"),
        (["--config", "/nowhere.toml"], "/nowhere.toml"),
        (["--stream-ring-bytes", "1"], "65536"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(data: DataDirectory, arguments: list[str], said: str):
    for command in ("up", "serve"):
        result = roost(command, *arguments) if command == "up" else _serve(arguments)
        assert result[0] in (2, 5)
        assert said in result[2]


def _serve(arguments: list[str]) -> tuple[int, str, str]:
    with spawn("serve", *arguments) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_down_leaves_agents_alone_unless_told(up: dict[str, object], data: DataDirectory):
    roost("run", "-d", "one", "sleep", "100")
    result = roost("down")
    assert result.code == 0
    assert "1 agent live on" in result.err or "1 agent lives on" in result.err
    assert lines(roost("ps", "-q").out) == ["one"]
    assert json.loads(roost("down", "--agents", "--json").out) == {"stopped": False, "pid": None, "agents": 0}
    assert roost("ps", "-q").out == ""
    assert not data.keeper_socket.exists() or json.loads(roost("status", "--json").out)["keeper"] is None


def test_down_with_nothing_up_is_no_error(data: DataDirectory):
    assert roost("down")[:2] == (0, "")


def test_serve_runs_until_it_is_told_to_stop(data: DataDirectory):
    with spawn("serve", "--no-auth") as process:
        until(lambda: find_server(data, {}) or process.poll() is not None, 60)
        address = find_server(data, {})
        assert address is not None
        assert request(address._replace(token=""), "GET", "/api/agents").status == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert read_server_info(data) is None


def test_a_second_server_is_refused(server: RunningServer):
    code, _, err = _serve([])
    assert code == 5
    assert "already runs" in err


def test_a_killed_servers_address_is_passed_over(own_server: RunningServer):
    roost("run", "-d", "one", "sleep", "100")
    own_server.kill9()
    assert read_server_info(own_server.data) is not None
    assert lines(roost("ps", "-q").out) == ["one"]
    status = roost("status", "--json")
    assert status.code == 5
    assert json.loads(status.out)["stale_server"]["pid"] > 0


def test_open_gives_an_address_that_works_once(server: RunningServer):
    result = roost("open", "--print")
    url = result.out.strip()
    assert url.startswith(server.url + "/login?ticket=")
    target = url.removeprefix(server.url)
    address = find_server(server.data, {})
    assert address is not None
    first = request(address._replace(token=""), "GET", target)
    assert first.status == 303
    assert "set-cookie" in first.headers
    assert request(address._replace(token=""), "GET", target).status == 401


def test_open_starts_the_browser_that_is_there(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    result = roost("open")
    assert result.code == 0
    assert until((tmp_path / "opened").exists)
    assert "login?ticket=" in until((tmp_path / "opened").read_text)


def test_open_without_a_display_prints(server: RunningServer, monkeypatch: pytest.MonkeyPatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    assert "login?ticket=" in roost("open").out
    assert set(json.loads(roost("open", "--json").out)) == {"url", "expires_in_s"}


def test_open_without_a_server_says_how_to_start_one(data: DataDirectory):
    result = roost("open")
    assert result.code == 5
    assert "roost up" in result.err


def test_status_tells_of_server_and_keeper(server: RunningServer):
    roost("run", "-d", "one", "sleep", "100")
    result = roost("status")
    assert result.code == 0
    assert server.url in result.out
    assert "healthy" in result.out
    assert "keeper  pid" in result.out
    found = json.loads(roost("status", "--json").out)
    assert found["server"]["health"]["status"] == "healthy"
    assert found["keeper"]["sessions"] == 1


def test_status_with_nothing_running(data: DataDirectory):
    result = roost("status")
    assert result.code == 5
    assert "roost up" in result.out


def test_status_of_a_server_that_does_not_answer(data: DataDirectory):
    data.create()
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    data.server_info.write_text(json.dumps({"url": f"http://127.0.0.1:{port}", "pid": os.getpid(), "version": "x"}))
    result = roost("status")
    assert result.code == 5
    assert "cannot be reached" in result.out


def test_the_token_is_printed(server: RunningServer, data_with_no_token: DataDirectory):
    assert roost("--data", str(server.data.root), "token").out.strip() == server.token
    assert json.loads(roost("token", "--json", "--data", str(server.data.root)).out) == {"token": server.token}
    result = roost("--data", str(data_with_no_token.root), "token")
    assert result.code == 3
    assert "roost up" in result.err


@pytest.fixture
def data_with_no_token(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "none")


def test_a_wrong_token_is_not_allowed(server: RunningServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROOST_TOKEN", "wrong")
    result = roost("ps")
    assert result.code == 4
    assert "ROOST_TOKEN" in result.err


def test_another_server_is_named_by_its_address(server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROOST_URL", server.url + "/")
    monkeypatch.setenv("ROOST_TOKEN", server.token)
    monkeypatch.setenv("ROOST_DATA", str(tmp_path / "elsewhere"))
    assert roost("run", "-d", "one", "sleep", "100").code == 0
    assert lines(roost("ps", "-q").out) == ["one"]
    assert server.agent("one")["cwd"] == str(Path.home())
    monkeypatch.setenv("ROOST_URL", "localhost:1")
    assert roost("ps").code == 5


def test_settings_show_where_they_come_from(data: DataDirectory, monkeypatch: pytest.MonkeyPatch):
    data.create()
    (data.root / "config.toml").write_text("[stream]\nping_s = 3\n")
    monkeypatch.setenv("ROOST_AGENTS_GRACE_S", "4")
    found = json.loads(roost("config", "show", "--json", "--server-max-connections", "7").out)
    assert found["stream.ping_s"] == {"value": 3.0, "source": f"file {data.root / 'config.toml'}"}
    assert found["agents.grace_s"] == {"value": 4.0, "source": "environment ROOST_AGENTS_GRACE_S"}
    assert found["server.max_connections"] == {"value": 7, "source": "flag --server-max-connections"}
    assert found["server.host"]["source"] == "default"
    table = lines(roost("config", "show").out)
    assert table[0].split() == ["SETTING", "VALUE", "FROM"]
    assert roost("config", "show", "server.auth").out == "true\n"
    assert json.loads(roost("config", "show", "server.auth", "--json").out)["server.auth"]["value"] is True
    assert roost("config", "path").out.strip() == str(data.root / "config.toml")


def test_unknown_settings_are_named(data: DataDirectory):
    result = roost("config", "show", "server.prot")
    assert result.code == 3
    assert "server.port" in result.err
    data.create()
    (data.root / "config.toml").write_text("[server]\nprot = 1\n")
    assert roost("config", "show").code == 2


def test_the_doctor_finds_nothing_missing_here(server: RunningServer):
    result = roost("doctor", "--json")
    found = json.loads(result.out)
    assert result.code == 0, result.out
    assert found["fit"] is True
    by_name = {finding["check"]: finding for finding in found["findings"]}
    assert by_name["server"]["status"] == "ok"
    assert by_name["pidfd"]["status"] == "ok"
    assert all(finding["advice"] for finding in found["findings"] if finding["status"] in ("weak", "missing"))


def test_the_doctor_names_what_is_weak(data: DataDirectory):
    data.create()
    data.root.chmod(0o755)
    data.token.write_text("t")
    data.token.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = roost("doctor", "--port", str(taken.getsockname()[1]))
    assert result.code == 1
    assert f"chmod 700 {data.root}" in result.out
    assert f"chmod 600 {data.token}" in result.out
    assert "is in use by another program" in result.out


def test_the_doctor_finds_processes_that_a_killed_keeper_left(data: DataDirectory):
    stubborn = "import time, signal; signal.signal(1, 1); print('deaf', flush=True); time.sleep(100)"
    roost("run", "-d", "one", "--", sys.executable, "-c", stubborn)
    assert roost("wait", "one", "--for", "output=deaf", "--timeout", "30").code == 0
    keeper = json.loads(roost("status", "--json").out)["keeper"]
    agent = json.loads(roost("ps", "--json").out)["agents"][0]
    os.kill(keeper["pid"], signal.SIGKILL)
    until(lambda: not is_alive(keeper["pid"]))
    try:
        assert str(agent["pid"]) in roost("doctor").out
    finally:
        os.kill(agent["pid"], signal.SIGKILL)
    assert json.loads(roost("ps", "--json").out)["agents"][0]["state"] == "lost"


def test_the_servers_log_and_token_are_ours_alone(up: dict[str, object], data: DataDirectory):
    for path in (data.server_log, data.token):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, its key beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    path = tmp_path_factory.mktemp("tls") / "cert.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=elsewhere"
    made = [*command.split(), "-keyout", str(path.with_name("key.pem")), "-out", str(path)]
    subprocess.run(made, check=True, capture_output=True)
    return path


def test_a_server_with_tls_is_used_like_any_other(
    data: DataDirectory, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    flags = ["--server-tls-cert", str(certificate), "--server-tls-key", str(certificate.with_name("key.pem"))]
    result = roost("up", *flags)
    try:
        assert result.out.startswith("https://"), result.err
        assert roost("run", "-d", "one", "sleep", "100").code == 0
        with terminal("attach", "one") as seen:
            until(lambda: json.loads(roost("ps", "--json").out)["agents"][0]["viewers"] == 1)
            seen.type("\x1dd")
            assert seen.ends() == 0
        monkeypatch.setenv("ROOST_URL", result.out.strip())
        refused = roost("ps")
        assert refused.code == 5
        assert "certificate" in refused.err
    finally:
        monkeypatch.delenv("ROOST_URL", raising=False)
        roost("down")


def test_up_gives_up_on_a_server_that_does_not_get_ready(data: DataDirectory, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("roost.cli.up.READY_TIMEOUT_S", 0.0)
    result = roost("up")
    assert result.code == 124
    assert str(data.server_log) in result.err
    assert find_server(data, {}) is None


def test_up_points_to_the_log_when_the_server_dies_without_a_word(data: DataDirectory):
    data.create()
    data.database.mkdir()
    result = roost("up")
    assert result.code in (1, 5)
    assert result.err.count("\n") == 2


def test_down_does_not_wait_for_ever(server: RunningServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("roost.cli.up.STOP_TIMEOUT_S", 0.0)
    monkeypatch.setattr("os.kill", lambda pid, number: None)
    assert roost("down").code == 124


@pytest.mark.parametrize(("error", "code"), [(ProcessLookupError, 0), (PermissionError, 5)])
def test_down_when_the_server_is_gone_or_not_ours(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, error: type[OSError], code: int
):
    kill = os.kill

    def refuse(pid: int, number: int) -> None:
        if number == signal.SIGTERM:
            raise error
        kill(pid, number)

    monkeypatch.setattr("os.kill", refuse)
    assert roost("down").code == code
