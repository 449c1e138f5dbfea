"""Stream clients that others wrote see every event once and in order while the server is killed."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from httpx_sse import connect_sse

import roost.web
from roost.testing.numbered import Ledger
from roost.testing.script import program
from roost.testing.server import RunningServer
from tests.faults.outcomes import ENDED, wait_lines
from tests.waiting import scaled, until

LINES = 1500
KILLS = 3
STREAM = "/api/agents/talker/stream"
PAGE = Path(roost.web.__file__).parent / "static" / "index.html"
FOLLOW = """
after => new Promise(resolve => {
  const lines = [], source = new EventSource(`/api/agents/talker/stream?after=${after}`);
  source.addEventListener("log", event => lines.push(JSON.parse(event.data).data.line));
  source.addEventListener("complete", () => { source.close(); resolve(lines); });
})
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def talker(server: RunningServer) -> tuple[RunningServer, str]:
    """A server whose agent talks for some seconds, and the position before its first line."""
    pace = ["--prefix", "talker", "--rate", "250", "--burst", "5"]
    agent = server.start_agent("talker", *program(), *pace, "--lines", str(LINES))
    return server, f"{agent['session_id']}:0"


def test_httpx_sse(talker: tuple[RunningServer, str]) -> None:
    server, start = talker

    def connect(after: str) -> Iterator[tuple[str, str, str]]:
        timeout = httpx.Timeout(scaled(5))
        with httpx.Client(timeout=timeout) as client:
            headers = {"Authorization": f"Bearer {server.token}", "Last-Event-ID": after}
            with connect_sse(client, "GET", server.url + STREAM, headers=headers) as stream:
                for event in stream.iter_sse():
                    yield event.id, event.event, event.data

    _holds(server, lambda: _follow(connect, start, (httpx.HTTPError,)))


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_curl(talker: tuple[RunningServer, str]) -> None:
    server, start = talker

    def connect(after: str) -> Iterator[tuple[str, str, str]]:
        given = ["-H", f"Authorization: Bearer {server.token}", "-H", f"Last-Event-ID: {after}"]
        command = ["curl", "-sN", "--max-time", str(int(scaled(60))), *given, server.url + STREAM]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as curl:
            assert curl.stdout is not None
            fields: dict[str, str] = {}
            for line in curl.stdout:
                name, _, value = line.rstrip("\n").partition(": ")
                if name:
                    fields[name] = value
                elif fields:
                    yield fields.get("id", ""), fields.get("event", ""), fields.get("data", "")
                    fields = {}

    _holds(server, lambda: _follow(connect, start, ()))


@pytest.mark.browser
@pytest.mark.skipif(not PAGE.is_file(), reason="needs the built page")
def test_event_source_in_chromium(talker: tuple[RunningServer, str]) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    server, start = talker
    with sync_api.sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()
        assert context.request.post(f"{server.url}/api/login", data={"token": server.token}).status == 204
        page = context.new_page()
        page.goto(server.url)
        _holds(server, lambda: page.evaluate(FOLLOW, start))
        browser.close()


def _holds(server: RunningServer, follow: Callable[[], list[str]]) -> None:
    """Kill the server again and again while a client follows; the client must have seen every line once."""
    killer = threading.Thread(target=_kill_and_restart, args=(server,))
    killer.start()
    lines = follow()
    killer.join()
    until(lambda: server.agent("talker")["state"] in ENDED)
    ledger = Ledger()
    for line in lines:
        ledger.take(line)
    assert ledger.tally({"talker": LINES}).is_perfect, ledger.tally({"talker": LINES})


def _kill_and_restart(server: RunningServer) -> None:
    for kill in range(KILLS):
        wait_lines(server, "talker", LINES * (kill + 1) // (KILLS + 2))
        server.kill9()
        server.restart()


def _follow(
    connect: Callable[[str], Iterator[tuple[str, str, str]]], after: str, losses: tuple[type[Exception], ...]
) -> list[str]:
    """Connect again after every loss, with the id of the last event, as the client's own documentation says."""
    lines: list[str] = []
    deadline = time.monotonic() + scaled(90)
    while time.monotonic() < deadline:
        try:
            for position, kind, data in connect(after):
                after = position or after
                if kind == "log":
                    lines.append(json.loads(data)["data"]["line"])
                if kind == "complete":
                    return lines
        except losses:
            continue
    raise AssertionError(f"the end never came; {len(lines)} lines did")
