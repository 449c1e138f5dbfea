"""Eight attacks from a real Chromium: a name that was rebound to this machine, and a foreign page. All must fail.

The browser's own guards are switched off where they can be, so that what refuses is the server. A ninth page, our own,
must be let in: else nothing would have been shown.
"""

from __future__ import annotations

import contextlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.testing.server import RunningServer, run_server

sync_api = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVIL = "evil.example"
FLAGS = [
    f"--host-resolver-rules=MAP {EVIL} 127.0.0.1",
    "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,PrivateNetworkAccessSendPreflights",
    "--no-sandbox",
]
# Each answers "stolen" when the attack succeeded, else why not. `base` is the server as the page reaches it.
READ = """async base => {
  const answer = await fetch(base + '/api/agents', {credentials: 'include'})
  return answer.ok ? 'stolen' : 'status ' + answer.status
}"""
WRITE = """async base => {
  const body = JSON.stringify({name: 'owned', command: 'true'})
  const answer = await fetch(base + '/api/agents', {method: 'POST', mode: MODE, credentials: 'include', body})
  return answer.ok ? 'stolen' : 'type ' + answer.type + ' status ' + answer.status
}"""
SOCKET = """base => new Promise(done => {
  const socket = new WebSocket(base.replace('http', 'ws') + '/ws/agents/victim?output=raw')
  socket.onmessage = event => done(String(event.data).includes('UNAUTHORIZED') ? 'refused' : 'stolen')
  socket.onclose = socket.onerror = () => done('closed')
})"""
STREAM = """base => new Promise(done => {
  const source = new EventSource(base + '/api/agents/victim/stream', {withCredentials: true})
  source.addEventListener('connected', () => { source.close(); done('stolen') })
  source.onerror = () => { source.close(); done('error') }
})"""
ATTACKS = {
    "read": READ,
    "write": WRITE.replace("MODE", "'no-cors'"),
    "socket": SOCKET,
    "stream": STREAM,
}


class Pages(http.server.BaseHTTPRequestHandler):
    """A page of somebody else's, on a port of its own."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>harmless</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with run_server(tmp_path_factory.mktemp("attacks") / "data") as found:
        found.start_agent("victim", "sleep", "1000")
        yield found


@pytest.fixture(scope="module")
def foreign() -> Iterator[int]:
    """The port of a foreign web server."""
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found.server_address[1]
    found.shutdown()
    found.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@contextlib.contextmanager
def victim(browser: Any, server: RunningServer) -> Iterator[Any]:
    """A browser in which somebody is logged in to roost, as `127.0.0.1` and as `localhost`."""
    context = browser.new_context()
    try:
        for host in ("127.0.0.1", "localhost"):
            page = context.new_page()
            ticket = server.call("POST", "/api/tickets")["ticket"]
            page.goto(f"http://{host}:{server.port}/login?ticket={ticket}")
            assert page.evaluate("async () => (await fetch('/api/agents')).status") == 200
            page.close()
        yield context
    finally:
        context.close()


def names(server: RunningServer) -> list[str]:
    return [agent["name"] for agent in server.agents()]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_foreign_page_gets_nothing(browser: Any, server: RunningServer, foreign: int, attack: str) -> None:
    with victim(browser, server) as context:
        page = context.new_page()
        page.goto(f"http://localhost:{foreign}/")
        for host in ("127.0.0.1", "localhost"):
            assert attempt(page, attack, f"http://{host}:{server.port}") != "stolen"
    assert names(server) == ["victim"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_rebound_name_gets_nothing(browser: Any, server: RunningServer, foreign: int, attack: str) -> None:
    """The page was loaded from the name before it pointed here; to the browser it is the same origin."""
    with victim(browser, server) as context:
        page = context.new_page()
        origin = f"http://{EVIL}:{server.port}"
        page.route(f"{origin}/start", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.goto(f"{origin}/start")
        assert attempt(page, attack, origin) != "stolen"
    assert names(server) == ["victim"]


def test_the_same_calls_work_from_our_own_page(browser: Any, server: RunningServer) -> None:
    with victim(browser, server) as context:
        page = context.new_page()
        page.goto(f"{server.url}/")
        assert [attempt(page, attack, server.url) for attack in ("read", "socket", "stream")] == ["stolen"] * 3


def test_a_server_without_its_guard_would_be_robbed(browser: Any, tmp_path: Path) -> None:
    """What the other tests show is the guard's doing: told to trust all, it is of no use."""
    with run_server(tmp_path / "data", server_auth="false", server_allowed_hosts=EVIL) as weak:
        weak.start_agent("victim", "sleep", "1000")
        page = browser.new_page()
        origin = f"http://{EVIL}:{weak.port}"
        page.goto(f"{origin}/")
        assert [attempt(page, attack, origin) for attack in ("read", "socket", "stream")] == ["stolen"] * 3
        page.close()


def test_a_foreign_page_cannot_frame_ours_and_can_link_to_it(browser: Any, server: RunningServer, foreign: int) -> None:
    with victim(browser, server) as context:
        page = context.new_page()
        page.goto(f"http://localhost:{foreign}/")
        page.evaluate(
            """url => new Promise(done => {
              const frame = document.createElement('iframe')
              frame.onload = done
              frame.src = url
              document.body.append(frame)
            })""",
            f"http://127.0.0.1:{server.port}/",
        )
        framed = page.frames[1]
        assert "roost" not in (framed.title() if framed.url.startswith("http") else "")
        page.evaluate("url => { location.href = url }", f"http://127.0.0.1:{server.port}/")
        page.wait_for_url(f"http://127.0.0.1:{server.port}/**")
        assert page.evaluate("async () => (await fetch('/api/agents')).status") == 200


def attempt(page: Any, attack: str, base: str) -> str:
    """What the attack came to."""
    try:
        return str(page.evaluate(ATTACKS[attack], base))
    except sync_api.Error as exc:
        return f"refused: {exc}"
