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
    """An attachment. `receive` and what sends raise `LinkLost` when the other end is gone."""

    where: str
    """`server` or `keeper`."""

    @property
    def answers(self) -> bool:
        """Whether our own terminal answers what the program asks: then its replies are typed too."""

    @property
    def waits(self) -> bool:
        """Whether `flush` is to be tried again in a moment: the agent does not take its input."""

    def fileno(self) -> int:
        """What to wait for before `receive`."""

    def has_early(self) -> bool:
        """Whether `receive` has something although `fileno` is not readable."""

    def receive(self) -> list[Update]:
        """What has come; never blocks."""

    def flush(self) -> None:
        """Send what the outbox has and this link has not sent, as far as it goes."""

    def resize(self, cols: int, rows: int) -> None:
        """Our terminal's size."""

    def close(self) -> None:
        """Leave; the agent lives on."""
