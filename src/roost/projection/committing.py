"""Writing rounds until they are written: the committing half of a round."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import OperationalError

from roost.model.blocks import Block
from roost.projection.inbox import Inbox
from roost.store.sqlite import disk_is_full
from roost.store.writer import Round, StoreWriter

FIRST_RETRY_S = 0.05
LAST_RETRY_S = 0.5

log = structlog.get_logger("projection")


class Committer:
    """Tries a round again for as long as the database cannot take it."""

    def __init__(self, writer: StoreWriter, inbox: Inbox) -> None:
        self._writer = writer
        self._inbox = inbox
        self.error: str | None = None
        """Why the round under way is not written yet."""
        self.disk_full = False

    def commit(self, round_: Round) -> list[Block] | None:
        """Its blocks, numbered; none when the projector was stopped before it could be written.

        Raises:
            Exception: the round is one that the database will never take.
        """
        delay_s = FIRST_RETRY_S
        while True:
            try:
                blocks = self._writer.commit(round_)
            except OperationalError as exc:
                self._note(exc)
            else:
                self._recover()
                return blocks
            if self._inbox.pause(delay_s):
                return None
            delay_s = min(delay_s * 2, LAST_RETRY_S)

    def _note(self, exc: OperationalError) -> None:
        reason = str(exc.orig)
        if self.error != reason:
            log.error("store cannot be written", reason=reason)
        self.error, self.disk_full = reason, disk_is_full(exc)

    def _recover(self) -> None:
        if self.error is not None:
            log.info("store can be written again")
        self.error, self.disk_full = None, False
