"""One server for all tests of the web edge that do not need their own, with a token for every role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from roost.testing.server import RunningServer, run_server

TOKENS = {"reporter": "reporter-" + "r" * 30, "viewer": "viewer-" + "v" * 30, "operator": "operator-" + "o" * 30}


class Rest(NamedTuple):
    """A server, and clients that speak to it in a role."""

    server: RunningServer

    def client(self, role: str | None = "admin", **more: Any) -> httpx.Client:
        """A client with that role's token; None for one without."""
        token = self.server.token if role == "admin" else TOKENS.get(role or "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.server.url, headers=headers | more.pop("headers", {}), timeout=30, **more)

    def call(self, method: str, path: str, role: str | None = "admin", **more: Any) -> httpx.Response:
        """One request and its answer."""
        with self.client(role) as client:
            return client.request(method, path, **more)


def write_tokens(data: Path) -> Path:
    """A data directory with tokens of the lower roles besides the one that the server makes."""
    data.mkdir(mode=0o700, parents=True)
    more = data / "tokens"
    more.write_text("# for tests\n" + "".join(f"{role} {role}-1 {token}\n" for role, token in TOKENS.items()))
    more.chmod(0o600)
    return data


@pytest.fixture(scope="session")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """A server that all tests of a run share: use agents' names of your own."""
    with run_server(write_tokens(tmp_path_factory.mktemp("rest") / "data")) as server:
        yield Rest(server)
        server.terminate()
