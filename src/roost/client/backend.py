"""One face for two back ends: the server, and the keeper where no server runs.

Agents, lines and events are plain dictionaries in the form of the server's REST answers, so that nothing heavy has to
be loaded to read them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from roost.client.link import Link
    from roost.client.outbox import Outbox
    from roost.paths import DataDirectory

    Json = dict[str, Any]

ENDED = frozenset({"exited", "failed", "lost"})
STRUCTURED = frozenset({"claude", "codex", "gemini", "opencode", "acp", "adopted"})
"""Drivers that speak a coding agent's own protocol; as in `roost.model.agents`, which costs more to load."""


class Event(NamedTuple):
    """An event and where it stands; `position` resumes right behind it."""

    position: str
    body: dict[str, Any]


class Defaults(NamedTuple):
    """What agents and a keeper that is started get where nothing else is said; see the settings of these names."""

    env_allow: tuple[str, ...] = ()
    oom_score_adj: int = 300
    grace_s: float = 10.0
    idle_exit_s: float = 300.0
    start_timeout_s: float = 10.0


class LineQuery(NamedTuple):
    """Which lines are wanted; times are RFC 3339 or empty, `stream` is `stdout`, `stderr` or empty for both."""

    tail: int | None = None
    since: str = ""
    until: str = ""
    stream: str = ""


class Backend(Protocol):
    """What commands need. Methods raise `RoostError` by what went wrong."""

    kind: str
    """`server` or `keeper`."""

    @property
    def is_local(self) -> bool:
        """Whether agents run on this machine, and we may read this data directory."""

    def agents(self) -> list[Json]:
        """Every agent, by its newest session."""

    def agent(self, name: str) -> Json:
        """One agent."""

    def attention(self, name: str) -> Json:
        """What an agent is about, since when, on what evidence, and what to do."""

    def start(self, request: Json) -> Json:
        """Start an agent; `request` is the body of `POST /api/agents`."""

    def stop(self, name: str, grace_s: float | None) -> Json:
        """End an agent's whole tree; returns when none of it is left."""

    def kill(self, name: str) -> Json:
        """End it at once."""

    def pause(self, name: str) -> Json:
        """Halt the whole tree."""

    def resume(self, name: str) -> Json:
        """Let it go on."""

    def signal(self, name: str, signal: str, scope: str) -> Json:
        """Send a signal to the `tree`, the `leader` or the `foreground` group."""

    def restart(self, name: str) -> Json:
        """Stop it if it runs, and start it again as it was."""

    def remove(self, name: str) -> None:
        """Forget an ended agent, its recordings and its logs."""

    def send_text(self, name: str, text: bytes, *, enter: bool) -> None:
        """Type bytes; with `enter` as a terminal would paste them, and then Enter."""

    def end_input(self, name: str) -> None:
        """End of file on the agent's input, behind all that was typed."""

    def send_keys(self, name: str, keys: list[str]) -> None:
        """Type keys by their names, such as `C-c` or `Up`."""

    def screen(self, name: str) -> Json:
        """The terminal as it stands."""

    def lines(self, name: str, query: LineQuery) -> Iterator[Json]:
        """Clean lines, oldest first, as far as there are."""

    def events(self, name: str, after: str, *, follow: bool) -> Iterator[Event]:
        """Events behind the position `after` (all where it is empty); with `follow` also what comes, to the end."""

    def fleet_events(self, after: str, *, follow: bool) -> Iterator[Event]:
        """Events of all agents; with `follow` those that come, without end."""

    def attach(
        self, name: str, size: tuple[int, int], outbox: Outbox, *, fresh: bool = False, read_only: bool = False
    ) -> Link:
        """An attachment to an agent's terminal, into which it types what is in the `outbox`.

        It is `fresh` for a program that begins, so that nothing is cleared.
        """

    def close(self) -> None:
        """Give back what is held."""


def connect(data: DataDirectory, environ: Mapping[str, str] | None = None, defaults: Defaults | None = None) -> Backend:
    """The server where one runs, else the keeper."""
    from roost.client.discovery import find_server

    environ = os.environ if environ is None else environ
    address = find_server(data, environ)
    if address is not None:
        from roost.client.server import ServerClient

        return ServerClient(address, environ, defaults.env_allow if defaults else ())
    from roost.client.keeper import KeeperBackend

    return KeeperBackend(data, environ, defaults or Defaults())
