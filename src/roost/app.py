"""The composition root: builds the server's parts and wires them. Nothing else does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import threading
from pathlib import Path
from typing import Any

import structlog

import roost
from roost import web
from roost.agents.conversation import INPUT_SOURCE
from roost.config import Settings
from roost.core.attention import to_mark
from roost.model.agents import Session
from roost.model.attention import Attention
from roost.model.blocks import Block
from roost.paths import DataDirectory
from roost.projection.projector import Projector
from roost.services.agents import Agents
from roost.services.approval_rules import ApprovalRules
from roost.services.approvals import Approvals
from roost.services.attention import AttentionWatch
from roost.services.conversations import Conversations
from roost.services.file_watch import FileWatch
from roost.services.health import Health
from roost.services.hub import Hub
from roost.services.keeper_link import KeeperLink
from roost.services.manifests import Manifests
from roost.services.restarts import Restarts
from roost.services.telemetry import Telemetry
from roost.services.terminals import Terminals
from roost.services.transcripts import Transcripts
from roost.services.writing import Writing
from roost.store.database import Store

log = structlog.get_logger("app")

LOST_TOLD_S = 1.5
"""How long a start may wait, so that a session whose keeper is gone is never said to be running."""
PUBLISH_AHEAD = 16
"""Rounds that the projection may be ahead of the event loop before it waits for it."""
CATCH_UP_S = 0.5
"""How long to wait, before saying ready, for what was recorded while no server ran; a long backlog is read on later."""
Json = dict[str, Any]


class App:
    """One node's server. Make it on the event loop, then `start`."""

    def __init__(self, settings: Settings, data: DataDirectory, store: Store) -> None:
        self.settings = settings
        self.store = store
        self._data = data
        self._loop = asyncio.get_running_loop()
        self._ahead = threading.BoundedSemaphore(PUBLISH_AHEAD)
        self._stopping = False
        node = platform.node() or "localhost"
        self.projector = Projector(
            data=data, store=store, publish=self._publish, rotate_bytes=settings.logs.rotate_bytes
        )
        self.link = KeeperLink(data, settings.keeper)
        self.agents = Agents(
            data=data,
            link=self.link,
            projector=self.projector,
            store=store.reader,
            settings=settings.agents,
            node=node,
            environ=dict(os.environ),
        )
        self._make_conversations()
        self.hub = Hub(store.reader, settings.stream, epoch=store.epoch)
        self.terminals = Terminals(data, self.agents, self.link)
        self.restarts = Restarts(self.agents)
        self.health = Health(
            data=data,
            store=store,
            projector=self.projector,
            agents=self.agents,
            link=self.link,
            settings=settings.health,
            node=node,
            clients=lambda: self.hub.stats().total_clients,
        )
        self.agents.on_ended = self.restarts.consider
        self.asgi = web.build_app(
            web.Context(
                settings=settings,
                data=data,
                agents=self.agents,
                conversations=self.conversations,
                approvals=self.approvals,
                telemetry=self.telemetry,
                hub=self.hub,
                terminals=self.terminals,
                health=self.health,
                reader=store.reader,
                spending=store.spending,
                projector=self.projector,
                link=self.link,
                version=roost.__version__,
            )
        )

    def _make_conversations(self) -> None:
        """What there is for agents that are spoken to in their own protocol, and for knowing what any agent wants."""
        self.conversations = Conversations(self.agents, self.store.reader)
        rules = ApprovalRules(self._data.root / "approval-rules.json")
        self.approvals = Approvals(self.conversations, rules, expire_s=self.settings.approvals.expire_s)
        self.writing = Writing(self._write)
        self.attention = AttentionWatch(
            manifests=Manifests.load(Path(self.settings.attention.manifests or self._data.manifests)),
            settings=self.settings.attention,
            sessions=lambda: [record.session for record in self.agents.records()],
            note=self._note,
        )
        self.transcripts = Transcripts(self._mark, self._environment_of, enabled=self.settings.agents.read_transcripts)
        self.telemetry = Telemetry(self.agents.records, self._mark)
        self.files = FileWatch(self._mark, enabled=self.settings.agents.watch_files)

    async def start(self) -> None:
        """Read what is known, catch up with the recordings, and agree with the keeper on what lives."""
        reader = self.store.reader
        self.agents.load(reader.latest_sessions(), reader.agent_environments())
        self.projector.tell_queries(self._terminal_asked)
        self.projector.tell_sights(self.attention.saw)
        self.projector.start()
        self.link.on_connected = self._keeper_connected
        self.link.on_notice = self._keeper_notice
        self.link.on_gone = self._keeper_gone
        ended = [record for record in self.agents.records() if record.ended]
        await self.link.open()
        await self.agents.lost_told(LOST_TOLD_S)
        for record in ended:
            self.restarts.consider(record)
        self.health.ready = True
        self.terminals.warm_up()
        self.attention.start()

    async def end_streams(self) -> None:
        """Let every live stream end, so that its connection can."""
        self.health.ready = False
        self._stopping = True
        self.hub.close()
        await self.terminals.close()

    async def stop(self) -> None:
        """Finish what has been read and close everything. Agents and keeper go on."""
        await self.end_streams()
        await self.restarts.close()
        await self.approvals.close()
        await self.files.close()
        await self.transcripts.close()
        await self.writing.close()
        await self.attention.close()
        await self.link.close()
        await asyncio.to_thread(self.projector.stop, self.settings.server.shutdown_s)
        self.store.close()

    async def _keeper_connected(self, sessions: list[Json]) -> None:
        self.terminals.known({item["session_id"]: item["offset"] for item in sessions})
        await self.agents.reconcile(sessions)
        known = [record.session for record in self.agents.records()]
        self.writing.take(known)
        self.approvals.take(known)
        self.files.take(known)
        self.transcripts.take(known)
        self.writing.again()

    async def _keeper_gone(self) -> None:
        self.agents.keeper_gone()

    def _keeper_notice(self, notice: Json) -> None:
        if notice["notice"] == "advanced":
            self.agents.advanced(notice["sessions"])
            self.projector.advanced(notice["sessions"])
            self.terminals.advanced(notice["sessions"])
        elif notice["notice"] == "ended":
            self.agents.ended(notice)
        elif notice["notice"] == "disk":
            self.health.disk_full = bool(notice["full"])
            log.warning("disk", full=notice["full"], free_bytes=notice.get("free_bytes"))

    def _terminal_asked(self, session_id: str, start: int, end: int) -> None:
        # On the projector's thread.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.terminals.asked, session_id, start, end)

    async def _write(self, session_id: str, number: int, data: bytes) -> None:
        await self.link.call("input", data, session_id=session_id, source=INPUT_SOURCE, seq=number)

    async def _note(self, session_id: str, attention: Attention) -> None:
        await self._mark(session_id, to_mark(attention))

    def _environment_of(self, name: str) -> dict[str, str]:
        return self.agents.record(name).env or {}

    async def _mark(self, session_id: str, mark: Json) -> None:
        await self.link.call("mark", session_id=session_id, mark=mark)

    def _publish(self, blocks: list[Block], sessions: list[Session]) -> None:
        # On the projector's thread. Waiting here keeps a long catch-up from piling up in memory.
        while not self._ahead.acquire(timeout=1):
            if self._stopping:
                return
        try:
            self._loop.call_soon_threadsafe(self._published, blocks, sessions)
        except RuntimeError:
            # The loop is closed: the store has the blocks, readers of the next server get them there.
            self._ahead.release()

    def _published(self, blocks: list[Block], sessions: list[Session]) -> None:
        self._ahead.release()
        self.agents.take(sessions)
        self.hub.publish(blocks, sessions)
        self.writing.take(sessions)
        self.conversations.published(blocks)
        self.approvals.take(sessions)
        self.files.take(sessions)
        self.transcripts.take(sessions)
        self.terminals.take(sessions)
        self.attention.take(blocks, sessions)
