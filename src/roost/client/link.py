"""What attaching to an agent's terminal looks like, whoever is at the other end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol


class Update(NamedTuple):
    """Something that came over a link.

    `kind` is `attached`, `viewers`, `size`, `status`, `skipped` or `complete` (what it says is in `info`), `snapshot`
    (bytes that paint the whole terminal) or `output` (bytes that go on from there).
    """

    kind: str
    data: bytes = b""
    info: Mapping[str, Any] = MappingProxyType({})


class LinkLost(Exception):
    """The other end went away; the agent lives on. `final` is the reason where coming back makes no sense."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Link(Protocol):
    """An attachment. `receive` and the sends raise `LinkLost` when the other end is gone."""

    where: str
    """`server` or `keeper`."""

    def fileno(self) -> int:
        """What to wait for before `receive`."""

    def has_early(self) -> bool:
        """Whether `receive` has something although `fileno` is not readable."""

    def receive(self) -> list[Update]:
        """What has come; never blocks."""

    def send(self, data: bytes) -> None:
        """Type `data` into the agent."""

    def end_input(self) -> None:
        """End of file on the agent's input."""

    def resize(self, cols: int, rows: int) -> None:
        """Our terminal's size."""

    def close(self) -> None:
        """Leave; the agent lives on."""
