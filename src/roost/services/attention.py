"""Attention: finds out what agents are about that do not say so themselves, and notes it in their recordings.

What a terminal shows is read on the projector's thread, where it is known; everything else happens on the event loop.
What was found becomes a mark, and by it part of the session: so it is there after a restart, is told as an event, and
needs no second truth here. Only changes are noted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable

import structlog
from msgspec.structs import replace

from roost.config import AttentionSettings
from roost.core.attention import Settling, attention_of, claims_to_work, from_finding, is_same
from roost.core.loops import Loop, LoopWatch
from roost.core.manifest import Finding, Manifest, Sight, is_interactive_shell
from roost.errors import RoostError
from roost.model.agents import ENDED, Session
from roost.model.attention import Attention
from roost.model.blocks import Block
from roost.services.foreground import foreground_command
from roost.services.manifests import Manifests
from roost.services.process_figures import ProcessFigures

CHECK_S = 5.0
"""How often it is looked for agents that stand still."""

PAINTED_NS = 2_000_000_000
"""How long after an agent told that it asks its screen may still show that it works."""

IDLE_PERCENT = 2.0
"""Use of a processor below which a tree does nothing that would count as work."""

Note = Callable[[str, Attention], Awaitable[None]]
"""Writes what was found into a session's recording."""

log = structlog.get_logger("attention")


class _Watched:
    """One terminal: whose manifest it is read by, and what is believed of it. Belongs to the projector's thread."""

    __slots__ = ("manifest", "settling")

    def __init__(self, manifest: Manifest, noted: Attention | None, now_ns: int) -> None:
        self.manifest = manifest
        self.settling = Settling()
        if noted is not None and noted.kind in ("waits", "idle", "works", "failed"):
            evidence = noted.evidence[0] if noted.evidence else ""
            known = Finding(noted.kind, noted.wants, noted.summary, evidence, noted.source)
            self.settling = Settling(known, noted.since_ns, now_ns)


class AttentionWatch:
    """One for the server; made on the event loop. `sessions` gives the newest session of every agent."""

    def __init__(
        self,
        *,
        manifests: Manifests,
        settings: AttentionSettings,
        sessions: Callable[[], list[Session]],
        note: Note,
        foreground: Callable[[int | None], list[str]] = foreground_command,
        figures: ProcessFigures | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._manifests = manifests
        self._settings = settings
        self._sessions = sessions
        self._note = note
        self._watched: dict[str, _Watched] = {}
        self._noting: dict[str, Attention] = {}
        self._loops: dict[str, LoopWatch] = {}
        self._busy_ns: dict[str, int] = {}
        self._foreground = foreground
        self._figures = figures or ProcessFigures()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to look for agents that stand still."""
        self._spawn(self._keep_checking())

    async def close(self) -> None:
        """Stop; what is not noted yet, the next server will see again."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # On the projector's thread

    def saw(self, session: Session, sight: Sight, resting: bool) -> None:
        """A terminal shows this."""
        now_ns = time.time_ns()
        watched = self._watched.get(session.session_id)
        if watched is None:
            manifest = self._manifests.of(session.definition.command)
            watched = self._watched[session.session_id] = _Watched(manifest, session.attention, now_ns)
        found = self._read(watched.manifest, session, sight)
        held = watched.settling.take(found, now_ns, resting=resting)
        if held is None or _is_told_better(session, found, now_ns):
            return
        attention = from_finding(held, watched.settling.since_ns)
        if not is_same(attention, session.attention) and not _says_nothing(attention, session):
            # Without a loop the server is ending; the next one will look again.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._take_seen, session.session_id, attention)

    def _read(self, manifest: Manifest, session: Session, sight: Sight) -> Finding | None:
        if manifest is not self._manifests.any and not manifest.foreground:
            return manifest.read(sight)
        # A shell, or a program that we do not know, may have become or started one that we do.
        argv = self._foreground(session.pid)
        if not (manifest.foreground and is_interactive_shell(argv)):
            behind = self._manifests.of(argv)
            return (self._manifests.any if behind.foreground else behind).read(sight)
        asked = self._manifests.any.read(sight)
        if asked is not None and asked.kind == "waits":
            return asked
        return Finding("idle", None, "", "its shell runs nothing in the foreground", "process")

    # On the event loop

    def take(self, blocks: Iterable[Block], sessions: Iterable[Session]) -> None:
        """New events, and the sessions as they are now."""
        stirred = {block.session_id for block in blocks if self._loop_of(block.session_id).take(block.events)}
        for session in sessions:
            if session.state in ENDED:
                self._forget(session.session_id)
            elif session.session_id in stirred:
                self._check_loop(session)

    async def check(self) -> None:
        """Look once for agents that stand still, or no longer go in circles."""
        now_ns = time.time_ns()
        alive = [session for session in self._sessions() if session.state not in ENDED]
        silent = [session for session in alive if self._is_silent(session, now_ns)]
        pids = [session.pid for session in silent if session.pid is not None]
        if pids:
            await asyncio.to_thread(self._figures.sample, pids)
        for session in silent:
            self._check_silent(session, now_ns)
        for session in alive:
            if session.attention is not None and session.attention.kind == "looping":
                self._check_loop(session)

    def _take_seen(self, session_id: str, attention: Attention) -> None:
        session = self._session(session_id)
        if session is None or session.state in ENDED:
            return
        loop = self._found_loop(session_id)
        if loop is not None and attention.kind == "works":
            attention = _looping(loop)
        self._tell(session, attention)

    def _check_loop(self, session: Session) -> None:
        loop, noted = self._found_loop(session.session_id), session.attention
        if loop is not None:
            if attention_of(session).kind in ("works", "looping"):
                self._tell(session, _looping(loop))
        elif noted is not None and noted.kind == "looping":
            self._tell(session, _working("it no longer repeats itself"))

    def _is_silent(self, session: Session, now_ns: int) -> bool:
        """Whether it claims to work, or was found to stand still, and has said nothing for half the time it may."""
        noted = session.attention
        stuck = noted is not None and noted.kind == "stuck"
        half_ns = int(self._settings.stuck_s * 5e8)
        return (stuck or claims_to_work(session)) and now_ns - _last_ns(session) >= half_ns

    def _check_silent(self, session: Session, now_ns: int) -> None:
        figures = self._figures.get(session.pid)
        noted = session.attention
        stuck = noted is not None and noted.kind == "stuck"
        if figures is not None and figures.cpu_percent >= IDLE_PERCENT:
            self._busy_ns[session.session_id] = now_ns
            if stuck:
                self._tell(session, _working("its processes use the processor again"))
            return
        since_ns = max(_last_ns(session), self._busy_ns.get(session.session_id, 0), attention_of(session).since_ns)
        if not stuck and now_ns - since_ns >= self._settings.stuck_s * 1e9:
            self._tell(session, _stuck(attention_of(session), since_ns, now_ns))

    def _tell(self, session: Session, attention: Attention) -> None:
        session_id = session.session_id
        holds = is_same(attention, session.attention) and attention_of(session).kind == attention.kind
        if holds or is_same(attention, self._noting.get(session_id)):
            return
        self._noting[session_id] = attention
        self._spawn(self._write(session_id, attention))

    async def _write(self, session_id: str, attention: Attention) -> None:
        try:
            await self._note(session_id, attention)
        except RoostError as exc:
            log.debug("attention not noted", session_id=session_id, reason=str(exc))
            if self._noting.get(session_id) is attention:
                del self._noting[session_id]

    # Inside

    def _session(self, session_id: str) -> Session | None:
        return next((session for session in self._sessions() if session.session_id == session_id), None)

    def _loop_of(self, session_id: str) -> LoopWatch:
        found = self._loops.get(session_id)
        if found is None:
            found = self._loops[session_id] = LoopWatch(self._settings.loop_calls, self._settings.loop_lines)
        return found

    def _found_loop(self, session_id: str) -> Loop | None:
        watch = self._loops.get(session_id)
        return None if watch is None else watch.found(time.time_ns())

    def _forget(self, session_id: str) -> None:
        self._watched.pop(session_id, None)
        self._noting.pop(session_id, None)
        self._loops.pop(session_id, None)
        self._busy_ns.pop(session_id, None)

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self.check()
            except Exception:
                log.exception("attention could not be checked")

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_told_better(session: Session, found: Finding | None, now_ns: int) -> bool:
    """Whether the agent itself said what it is about, and its screen says nothing, or not yet what it asks."""
    told = session.attention
    if told is None or told.source != "hook":
        return False
    return found is None or (found.kind == "works" and told.kind == "waits" and now_ns - told.since_ns < PAINTED_NS)


def _says_nothing(attention: Attention, session: Session) -> bool:
    """That a program runs which shows nothing special need not be noted as long as nothing else was."""
    return session.attention is None and attention.kind == "works" and attention.source == "process"


def _last_ns(session: Session) -> int:
    return session.last_output_ns or session.started_ns


def _looping(loop: Loop) -> Attention:
    return Attention(
        kind="looping",
        since_ns=loop.since_ns,
        evidence=(f"that came {loop.times} times, or more",),
        source="output",
        summary=loop.what[:200],
    )


def _stuck(now: Attention, since_ns: int, now_ns: int) -> Attention:
    seconds = (now_ns - since_ns) / 1e9
    span = f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
    silence = f"nothing came for {span}, and its processes use no processor"
    return replace(now, kind="stuck", since_ns=since_ns, evidence=(silence, *now.evidence), source="process")


def _working(why: str) -> Attention:
    return Attention(kind="works", since_ns=time.time_ns(), evidence=(why,), source="process")
