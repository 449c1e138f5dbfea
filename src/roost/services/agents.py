"""Agents: starting, steering and knowing them.

The keeper runs agents, the projection says what became of them; this service holds the newest session of every agent in
memory, so that reading costs nothing, and turns requests into the keeper's operations.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import structlog

from roost.config import AgentSettings
from roost.core.environment import agent_environment
from roost.errors import (
    AgentNotFound,
    AgentNotRunning,
    AgentRunning,
    InputRefused,
    KeeperUnavailable,
    LimitReached,
    NoTerminal,
    SessionNotFound,
    TimedOut,
)
from roost.model.agents import ENDED, STRUCTURED, Definition, Session, StartAgent
from roost.model.ids import check_agent_name, check_id, session_id
from roost.model.views import AgentView, AttentionView
from roost.paths import DataDirectory
from roost.projection.projector import Projector
from roost.services.definitions import define, start_request
from roost.services.ending import Ending, ending_of
from roost.services.keeper_link import KeeperLink
from roost.services.launching import launched, with_conversation
from roost.services.lost import current_boot_id, recorded_ending, why_lost
from roost.services.process_figures import ProcessFigures
from roost.services.views import AgentRecord, agent_view, attention_view
from roost.store.reader import StoreReader

log = structlog.get_logger("agents")

SETTLE_S = 5.0
INTERRUPT_S = 3.0
"""How long a turn may take to end before its agent is stopped."""
LIST_KEEP_NS = 50_000_000
"""How long a list is given again when nothing is known to have changed: only ages and counters move meanwhile."""
MOST_SESSIONS = 1_000_000
Json = dict[str, Any]


class Agents:
    """All agents of this node. Lives on the event loop."""

    def __init__(
        self,
        *,
        data: DataDirectory,
        link: KeeperLink,
        projector: Projector,
        store: StoreReader,
        settings: AgentSettings,
        node: str,
        environ: dict[str, str],
    ) -> None:
        self._store = store
        self._data = data
        self._link = link
        self._projector = projector
        self._settings = settings
        self._node = node
        self._environ = environ
        self._records: dict[str, AgentRecord] = {}
        self._starting: set[str] = set()
        self._held: set[str] | None = None
        self._given_up: set[str] = set()
        self._figures = ProcessFigures()
        self._sampling: asyncio.Task[None] | None = None
        self._changed: asyncio.Future[None] | None = None
        self._listed: list[AgentView] = []
        self._listed_ns = 0
        self._input_source = f"server-{secrets.token_hex(8)}"
        self._input_seq = 0
        self.on_ended: Callable[[AgentRecord], None] | None = None

    # Knowing

    def load(self, sessions: list[Session], environments: dict[str, dict[str, str]]) -> None:
        """Take over what the store remembers."""
        for session in sessions:
            self._records[session.agent_name] = AgentRecord(session, environments.get(session.agent_name))

    def take(self, sessions: list[Session]) -> None:
        """Take over what the projection found."""
        for session in sessions:
            self._check_held(session)
            record = self._records.get(session.agent_name)
            if record is None:
                self._records[session.agent_name] = AgentRecord(session)
            elif _is_older(session, record.session):
                continue
            else:
                self._replace(record, session)
        self._announce()

    def _replace(self, record: AgentRecord, session: Session) -> None:
        same = record.session.session_id == session.session_id
        was_over = same and record.session.state in ENDED
        if same:
            record.session = session
        else:
            record.begin(session, record.env)
        if session.state in ENDED and not was_over and self.on_ended is not None:
            self.on_ended(record)

    def all(self) -> list[AgentView]:
        """Every agent, by name. Not to be changed: asked many times a second, the same list is given again."""
        self._sample_if_stale()
        now = time.time_ns()
        if not self._listed or not 0 <= now - self._listed_ns < LIST_KEEP_NS:
            self._listed = [self._view(self._records[name], now) for name in sorted(self._records)]
            self._listed_ns = now
        return self._listed

    def get(self, name: str) -> AgentView:
        """One agent.

        Raises:
            AgentNotFound: there is none of that name.
        """
        self._sample_if_stale()
        return self._view(self.record(name), time.time_ns())

    def attention(self, name: str) -> AttentionView:
        """What one agent is about, and how that is known.

        Raises:
            AgentNotFound: there is none of that name.
        """
        return attention_view(self.record(name))

    def record(self, name: str) -> AgentRecord:
        """What is known of one agent.

        Raises:
            AgentNotFound: there is none of that name.
        """
        record = self._records.get(name)
        if record is None:
            near = [known for known in self._records if known.lower().startswith(name[:3].lower())][:5]
            raise AgentNotFound(f"there is no agent {name[:80]!r}", name=name[:80], similar=sorted(near))
        return record

    def records(self) -> list[AgentRecord]:
        return list(self._records.values())

    def resolve_session(self, name: str) -> Session:
        """The newest session of an agent.

        Raises:
            AgentNotFound: there is none of that name.
        """
        return self.record(name).session

    def find_session(self, session_id: str) -> Session:
        """A session that is the newest of its agent.

        Raises:
            SessionNotFound: no agent's newest session has that id.
        """
        for record in self._records.values():
            if record.session.session_id == session_id:
                return record.session
        raise SessionNotFound(f"there is no current session {session_id[:80]!r}", session_id=session_id[:80])

    # Starting and ending

    async def start(self, request: StartAgent, *, by: str) -> AgentView:
        """Start an agent; a request repeated with the same `session_id` starts nothing twice.

        Raises:
            InvalidRequest: the name, program, directory or environment cannot be used.
            AgentRunning: an agent of that name runs.
            KeeperUnavailable: no keeper could be started.
        """
        name = check_agent_name(request.name)
        wanted = check_id(request.session_id, "session id") if request.session_id else None
        current = self._records.get(name)
        if current is not None and wanted == current.session.session_id:
            return self.get(name)
        if name in self._starting or (current is not None and not current.ended):
            raise AgentRunning(f"agent {name} is already running", hint="stop it, or choose another name", name=name)
        if sum(not record.ended for record in self._records.values()) >= self._settings.max_running:
            raise LimitReached(f"{self._settings.max_running} agents are running, which is the limit")
        self._starting.add(name)
        try:
            definition, env = define(request, self._environ, self._settings.env_allow)
            definition = with_conversation(definition)
            return await self._start(name, wanted, definition, env, request.size.cols, request.size.rows)
        finally:
            self._starting.discard(name)

    async def restart(self, name: str, *, by: str) -> AgentView:
        """Stop an agent if it runs, and start it again with the same definition and environment."""
        record = self.record(name)
        if not record.ended:
            await self.stop(name, by=by)
        env = record.env
        if env is None:
            env = agent_environment(self._environ, {}, self._settings.env_allow)
        session = record.session
        self._starting.add(name)
        try:
            definition = with_conversation(session.definition, record.session)
            await self._start(name, None, definition, env, session.cols, session.rows)
        finally:
            self._starting.discard(name)
        record.restarts += 1
        return self.get(name)

    async def stop(self, name: str, *, grace_s: float | None = None, by: str) -> AgentView:
        """SIGTERM to the whole tree, SIGKILL after `grace_s`; returns when nothing of it is left.

        A structured agent's turn is interrupted first, so that its result is kept.
        """
        grace = self._settings.grace_s if grace_s is None else grace_s
        await self._interrupt(name, min(grace, INTERRUPT_S), by=by)
        return await self._end(name, "stop", grace_s=grace, by=by)

    async def kill(self, name: str, *, by: str) -> AgentView:
        """SIGKILL to the whole tree; returns when nothing of it is left."""
        return await self._end(name, "kill", by=by)

    async def remove(self, name: str, *, by: str) -> None:
        """Forget an ended agent, with its recordings and logs.

        Raises:
            AgentRunning: it has not ended.
        """
        if not self.record(name).ended:
            raise AgentRunning(f"agent {name} is running", hint="stop it first", name=name)
        sessions = await asyncio.to_thread(self._store.sessions, agent=name, limit=MOST_SESSIONS)
        await asyncio.wrap_future(self._projector.remove_agent(name))
        self._records.pop(name, None)
        self._announce()
        for session in sessions:
            with contextlib.suppress(KeeperUnavailable, SessionNotFound):
                await self._link.call("forget", session_id=session.session_id)
        await asyncio.to_thread(self._delete_files, name, sessions)
        log.info("agent removed", agent=name, sessions=len(sessions), by=by)

    # Steering

    async def pause(self, name: str, *, by: str) -> AgentView:
        """Stop every process of the tree until `resume`."""
        return await self._switch(name, "pause", "paused", by)

    async def resume(self, name: str, *, by: str) -> AgentView:
        """Let a paused tree go on."""
        return await self._switch(name, "resume", "running", by)

    async def signal(self, name: str, signal: str, *, scope: str = "tree", by: str) -> AgentView:
        """Send a named signal to the tree, the leader, or the terminal's foreground group."""
        await self._call("signal", name, signal=signal, scope=scope, by=by)
        return self.get(name)

    async def resize(self, name: str, cols: int, rows: int, *, by: str) -> None:
        """Give the terminal another size."""
        if self._running(name).definition.driver != "terminal":
            raise NoTerminal(f"agent {name} runs on pipes and has no terminal", name=name)
        await self._call("resize", name, cols=cols, rows=rows)

    async def resized(self, name: str, cols: int, rows: int) -> AgentView:
        """The agent, once what is known of it has the size that was given to it."""
        session_id = self.record(name).session.session_id
        await self._settle(name, session_id, lambda session: (session.cols, session.rows) == (cols, rows))
        return self.get(name)

    async def send_input(
        self,
        name: str,
        data: bytes,
        *,
        source: str | None = None,
        seq: int | None = None,
        session_id: str | None = None,
    ) -> bool:
        """Type `data`; false when this `source` gave an input of that `seq` before, which is then not typed again.

        Raises:
            LimitReached: the input is too long, or the agent does not read what it was given before.
            AgentNotRunning: it has ended, or what runs is not the session `session_id`.
        """
        if len(data) > self._settings.input_bytes:
            raise LimitReached(
                f"an input holds at most {self._settings.input_bytes} bytes", limit=self._settings.input_bytes
            )
        if source is None or seq is None:
            self._input_seq += 1
            source, seq = self._input_source, self._input_seq
        self._check_session(name, session_id)
        if self._running(name).definition.driver in STRUCTURED:
            raise InputRefused(
                f"agent {name} takes prompts, not what is typed", hint=f"roost prompt {name} TEXT", name=name
            )
        answer = await self._call("input", name, data, source=source, seq=seq)
        return bool(answer["accepted"])

    async def close_input(self, name: str, *, by: str, session_id: str | None = None) -> None:
        """End of file on the agent's standard input; at a terminal, its end-of-file character.

        Raises:
            AgentNotRunning: it has ended, or what runs is not the session `session_id`.
        """
        self._check_session(name, session_id)
        await self._call("close_input", name, by=by)

    async def mark(self, name: str, mark: Json) -> None:
        """Make a mark on the newest session's recording."""
        await self._link.call("mark", session_id=self.record(name).session.session_id, mark=mark)

    async def wait(self, name: str, *, states: set[str], timeout_s: float | None) -> AgentView:
        """The agent once it is in one of `states`.

        Raises:
            TimedOut: it was not within `timeout_s`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self.record(name).session.state not in states:
                    await self._next_change()
        except TimeoutError:
            state = self.record(name).session.state
            raise TimedOut(
                f"agent {name} is {state}, not {' or '.join(sorted(states))}", name=name, state=state
            ) from None
        return self.get(name)

    # What the keeper says

    def ended(self, notice: Json) -> None:
        """The keeper saw a session end; the projection, which a flood may have left behind, will tell the rest."""
        for record in self._records.values():
            if record.session.session_id == notice["session_id"]:
                record.ending = ending_of(notice, notice["ended_at_ns"])
                self._announce()

    async def reconcile(self, held: list[Json]) -> None:
        """Agree with the keeper on what lives: called with what it holds, whenever it is connected."""
        self._held = alive = {item["session_id"] for item in held}
        self._projector.advanced({item["session_id"]: item["offset"] for item in held})
        for item in held:
            self._introduce(item)
        for record in self._records.values():
            if not record.ended and record.session.session_id not in alive and not self._is_fresh(record):
                self._lose(record.session)
        await self._learn_environments(held)

    def advanced(self, sessions: Iterable[str]) -> None:
        """The keeper holds these sessions, whoever started them."""
        if self._held is not None:
            self._held.update(sessions)

    def keeper_gone(self) -> None:
        """No keeper lives: what was running is lost."""
        self._held = set()
        for record in self._records.values():
            if not record.ended:
                self._lose(record.session)

    async def lost_told(self, timeout_s: float) -> None:
        """Wait until the projection knows what became of the sessions that no keeper holds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while any(not one.ended and one.session.session_id in self._given_up for one in self.records()):
                    await self._next_change()

    def _check_held(self, session: Session) -> None:
        """A recording may have been found without an end, after it was agreed with the keeper on what lives."""
        if self._held is None or session.session_id in self._held or session.state in ENDED:
            return
        if session.agent_name not in self._starting and session.session_id not in self._given_up:
            self._lose(session)

    def _introduce(self, item: Json) -> None:
        """Know a living agent at once that was started without us; the projection tells the rest soon."""
        record = self._records.get(item["agent"])
        if item["state"] == "exited" or (record is not None and not record.ended):
            return
        session = Session(
            session_id=item["session_id"],
            agent_name=item["agent"],
            state="paused" if item["state"] == "paused" else "running",
            definition=Definition(
                command=item["argv"], driver="terminal" if item["terminal"] else "lines", cwd=item["cwd"]
            ),
            node=self._node,
            pid=item["pid"],
            cols=item["cols"],
            rows=item["rows"],
            started_ns=item["started_at_ns"],
        )
        if record is None:
            self._records[item["agent"]] = AgentRecord(session)
        elif session.session_id != record.session.session_id:
            record.begin(session, None)

    def _lose(self, session: Session) -> None:
        self._given_up.add(session.session_id)
        log.warning("session lost", agent=session.agent_name, session_id=session.session_id)
        path = self._data.recording(session.session_id)
        why = why_lost(path, current_boot_id())
        record = self._records.get(session.agent_name)
        if record is not None and record.session.session_id == session.session_id:
            # Never shown as running from here on, though the projection may need a while to come to the end.
            record.ending = recorded_ending(path) or Ending("lost", why, None, None, time.time_ns())
        self._projector.ended_unseen(session.session_id, why)

    def _is_fresh(self, record: AgentRecord) -> bool:
        return record.session.agent_name in self._starting

    async def _learn_environments(self, held: list[Json]) -> None:
        for item in held:
            record = self._records.get(item["agent"])
            if item["state"] == "exited" or (record is not None and record.env is not None):
                continue
            with contextlib.suppress(KeeperUnavailable, SessionNotFound):
                described = await self._link.call("describe", session_id=item["session_id"])
                env = described["request"]["env"]
                self._projector.remember(item["agent"], env)
                if record is not None:
                    record.env = env

    # Inside

    def _delete_files(self, name: str, sessions: list[Session]) -> None:
        for session in sessions:
            self._data.recording(session.session_id).unlink(missing_ok=True)
        shutil.rmtree(self._data.agent_logs(name), ignore_errors=True)

    async def _start(
        self, name: str, wanted: str | None, definition: Definition, env: dict[str, str], cols: int, rows: int
    ) -> AgentView:
        chosen = wanted or session_id(datetime.now(UTC), secrets.token_hex(2))
        hooks_to = self._data.root if self._settings.read_transcripts else None
        argv, more = launched(definition, hooks_to)
        request = start_request(
            name,
            chosen,
            definition,
            env | more,
            argv=argv,
            cols=cols,
            rows=rows,
            oom_score_adj=self._settings.oom_score_adj,
        )
        answer = await self._link.call("start", start=True, **request)
        self.advanced([chosen])
        session = Session(
            session_id=chosen,
            agent_name=name,
            state="running",
            definition=definition,
            node=self._node,
            pid=answer["pid"],
            cols=cols,
            rows=rows,
            started_ns=answer["started_at_ns"],
        )
        record = self._records.get(name)
        if record is None:
            self._records[name] = AgentRecord(session, env)
        elif record.session.session_id != chosen:
            record.begin(session, env)
        self._projector.remember(name, env)
        self._projector.advanced({chosen: answer["offset"]})
        log.info("agent started", agent=name, session_id=chosen, pid=answer["pid"])
        self._announce()
        return self.get(name)

    async def _end(self, name: str, op: str, **fields: Any) -> AgentView:
        session = self._running(name)
        await self._call(op, name, **fields)
        await self._settle(name, session.session_id, lambda found: found.state in ENDED)
        return self.get(name)

    async def _interrupt(self, name: str, timeout_s: float, *, by: str) -> None:
        session = self._running(name)
        if session.state == "paused" or session.conversation is None or session.conversation.running is None:
            return
        await self.mark(name, {"type": "interrupt", "by": by})
        await self._settle(name, session.session_id, _is_between_turns, timeout_s)

    async def _switch(self, name: str, op: str, state: str, by: str) -> AgentView:
        session = self._running(name)
        await self._call(op, name, by=by)
        await self._settle(name, session.session_id, lambda found: found.state == state)
        return self.get(name)

    async def _settle(
        self, name: str, session_id: str, seen: Callable[[Session], bool], timeout_s: float = SETTLE_S
    ) -> None:
        """Wait, not for ever, until the projection has seen what the keeper did, so that the answer shows it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while (record := self._records.get(name)) is not None:
                    session = record.session
                    if session.session_id != session_id or session.state in ENDED or seen(session):
                        return
                    await self._next_change()

    async def _call(self, op: str, name: str, blob: bytes = b"", **fields: Any) -> Json:
        session = self._running(name)
        try:
            return await self._link.call(op, blob, session_id=session.session_id, **fields)
        except SessionNotFound as exc:
            raise AgentNotRunning(f"agent {name} has ended", name=name) from exc

    def _check_session(self, name: str, session_id: str | None) -> None:
        if session_id is not None and self._running(name).session_id != session_id:
            raise AgentNotRunning(f"session {session_id} of agent {name} is over", name=name)

    def _running(self, name: str) -> Session:
        record = self.record(name)
        if record.ended:
            state = record.state
            raise AgentNotRunning(f"agent {name} is not running: it is {state}", name=name, state=state)
        return record.session

    def _view(self, record: AgentRecord, now_ns: int) -> AgentView:
        figures = None if record.ended else self._figures.get(record.session.pid)
        return agent_view(record, now_ns, figures)

    def _sample_if_stale(self) -> None:
        if not self._figures.stale or (self._sampling is not None and not self._sampling.done()):
            return
        leaders = [record.session.pid for record in self._records.values() if not record.ended and record.session.pid]
        if leaders:
            self._sampling = asyncio.create_task(asyncio.to_thread(self._figures.sample, leaders))

    def _announce(self) -> None:
        self._listed = []
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
        self._changed = None

    async def _next_change(self) -> None:
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)


def _is_older(session: Session, than: Session) -> bool:
    return session.session_id != than.session_id and session.started_ns < than.started_ns


def _is_between_turns(session: Session) -> bool:
    return session.conversation is None or session.conversation.running is None
