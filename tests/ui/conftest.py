"""A real Chromium looks at a real server's page."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="needs playwright")

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

import roost.web
from roost.testing.server import RunningServer, run_server
from tests.waiting import scaled

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BUILT = Path(roost.web.__file__).parent / "static" / "index.html"
BROKEN_LINES = ("net::ERR_", "WebSocket connection to", "Failed to load resource")
"""What Chromium itself logs when a server goes away or refuses; anything else in the console is a fault of ours."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="needs chromium"))
            if not BUILT.is_file():
                item.add_marker(pytest.mark.skip(reason="needs the built page: pip install -e ."))


class Visitor:
    """Somebody at a browser: opens windows on a server's page, signed in or not."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(self, server: RunningServer, path: str = "/", *, token: str | None = "", **window: Any) -> Page:
        """A new window at `path`. `token` is the server's own unless another is given; None does not sign in."""
        context = self._browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | window))
        self._contexts.append(context)
        if token is not None:
            answer = context.request.post(f"{server.url}/api/login", data={"token": token or server.token})
            assert answer.status == 204, answer.text()
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(server.url + path)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        expected = any(part in message.text for part in BROKEN_LINES)
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=scaled(10) * 1000)
    with sync_playwright() as playwright:
        args = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with run_server() as server:
        yield server


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """A visitor whose browser's console must have nothing against us."""
    visitor = Visitor(browser)
    yield visitor
    visitor.close()
    assert visitor.complaints == []
