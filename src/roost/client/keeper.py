"""The back end without a server: the keeper holds agents, the recordings tell what they did."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from roost.client.backend import ENDED
from roost.client.recordings import newest_session, newest_sessions, read_header, view_of_held, view_of_recorded
from roost.errors import AgentNotFound, AgentNotRunning, AgentRunning, KeeperUnavailable
from roost.keeper.client import KeeperClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from roost.client.backend import Defaults, Event, LineQuery
    from roost.client.link import Link
    from roost.client.modes import Modes
    from roost.client.outbox import Outbox
    from roost.paths import DataDirectory

    Json = dict[str, Any]

BY = "command line"
END_MARGIN_S = 30.0
PASTE_PAUSE_S = 0.15
"""Between a paste and the Enter behind it: some programs take a key that comes at once for part of the paste."""


class KeeperBackend:
    """Speaks to the keeper of a data directory, and starts one with the first agent."""

    kind = "keeper"
    is_local = True

    def __init__(self, data: DataDirectory, environ: Mapping[str, str], defaults: Defaults) -> None:
        self.data = data
        self._environ = environ
        self._defaults = defaults
        self._client: KeeperClient | None = None
        self._source = f"cli-{os.urandom(8).hex()}"
        self._input_seq = 0

    # Knowing

    def agents(self) -> list[Json]:
        now = time.time_ns()
        held = {each["agent"]: each for each in sorted(self.held(), key=lambda each: int(each["started_at_ns"]))}
        found = {
            name: view_of_held(session, read_header(self.data.recording(session["session_id"])), now)
            for name, session in held.items()
        }
        skipped = {session["session_id"] for session in held.values()}
        for name, recorded in newest_sessions(self.data, known=found.keys(), skipped=skipped).items():
            found[name] = view_of_recorded(recorded)
        return [found[name] for name in sorted(found)]

    def agent(self, name: str) -> Json:
        session = self._find_held(name)
        if session is not None:
            return view_of_held(session, read_header(self.data.recording(session["session_id"])), time.time_ns())
        recorded = newest_session(self.data, name)
        if recorded is None:
            raise self._unknown(name)
        return view_of_recorded(recorded)

    def attention(self, name: str) -> Json:
        from roost.client.projecting import attention_of

        return attention_of(self, name)

    def held(self) -> list[Json]:
        """The sessions that the keeper holds; none where no keeper runs."""
        client = self._connected()
        return list(client.call("list")["sessions"]) if client else []

    def _find_held(self, name: str) -> Json | None:
        sessions = [session for session in self.held() if session["agent"] == name]
        return max(sessions, key=lambda held: int(held["started_at_ns"]), default=None)

    def _unknown(self, name: str) -> AgentNotFound:
        similar = [view["name"] for view in self.agents()]
        return AgentNotFound(f"there is no agent {name[:80]!r}", name=name[:80], similar=similar)

    # Starting and ending

    def start(self, request: Json) -> Json:
        from roost.client.starting import keeper_request

        fields = keeper_request(request, self._environ, self._defaults)
        client = self._started()
        client.call("start", **fields)
        return self.agent(request["name"])

    def stop(self, name: str, grace_s: float | None) -> Json:
        grace = self._defaults.grace_s if grace_s is None else grace_s
        return self._act(name, "stop", grace_s=grace, by=BY, timeout_s=grace + END_MARGIN_S)

    def kill(self, name: str) -> Json:
        return self._act(name, "kill", by=BY, timeout_s=END_MARGIN_S)

    def pause(self, name: str) -> Json:
        return self._act(name, "pause", by=BY)

    def resume(self, name: str) -> Json:
        return self._act(name, "resume", by=BY)

    def signal(self, name: str, signal: str, scope: str) -> Json:
        return self._act(name, "signal", signal=signal, scope=scope, by=BY)

    def restart(self, name: str) -> Json:
        from roost.client.starting import again

        session = self._find_held(name)
        if session is None:
            view = self.agent(name)
            raise AgentNotRunning(
                f"the keeper holds nothing of agent {name} any more: it is {view['state']}",
                hint="start it with 'roost run', or start the server with 'roost up' first",
                name=name,
            )
        client = self._started()
        request = client.call("describe", session_id=session["session_id"])["request"]
        if session["state"] != "exited":
            self.stop(name, None)
        client.call("start", **again(request))
        return self.agent(name)

    def remove(self, name: str) -> None:
        view = self.agent(name)
        if view["state"] not in ENDED:
            raise AgentRunning(f"agent {name} is running", hint="stop it first", name=name)
        from roost.client.removing import remove_recordings

        for session in self.held():
            if session["agent"] == name and self._client is not None:
                self._client.call("forget", session_id=session["session_id"])
        remove_recordings(self.data, name)

    def _act(self, name: str, op: str, *, timeout_s: float | None = None, **fields: Any) -> Json:
        session = self.running(name)
        assert self._client is not None
        self._client.call(op, session_id=session["session_id"], timeout_s=timeout_s, **fields)
        return self.agent(name)

    def running(self, name: str) -> Json:
        """The keeper's session of an agent that runs.

        Raises:
            AgentNotRunning, AgentNotFound: there is none.
        """
        session = self._find_held(name)
        if session is not None and session["state"] != "exited":
            return session
        view = self.agent(name)
        raise AgentNotRunning(f"agent {name} is not running: it is {view['state']}", name=name, state=view["state"])

    # Steering

    def send_text(self, name: str, text: bytes, *, enter: bool) -> None:
        session = self.running(name)
        if not enter:
            self.type_bytes(session["session_id"], text)
            return
        self.type_bytes(session["session_id"], self._pasted(session, text))
        time.sleep(PASTE_PAUSE_S)
        self.type_bytes(session["session_id"], b"\r" if session["terminal"] else b"\n")

    def _pasted(self, session: Json, text: bytes) -> bytes:
        from roost.core.keys import encode_paste

        if not session["terminal"]:
            return text
        bracketed = self._modes(session).bracketed_paste
        return encode_paste(text.decode("utf-8", "surrogateescape"), bracketed=bracketed)

    def end_input(self, name: str) -> None:
        self._act(name, "close_input", by=BY)

    def send_keys(self, name: str, keys: list[str]) -> None:
        from roost.core.keys import encode_keys

        session = self.running(name)
        cursor = self._modes(session).application_cursor
        self.type_bytes(session["session_id"], encode_keys(keys, application_cursor=cursor))

    def type_bytes(self, session_id: str, data: bytes) -> None:
        """Type bytes as they are, in pieces that the keeper takes."""
        assert self._client is not None
        for at in range(0, len(data), 65_536):
            self._input_seq += 1
            piece = data[at : at + 65_536]
            self._client.call("input", blob=piece, session_id=session_id, source=self._source, seq=self._input_seq)

    def _modes(self, session: Json) -> Modes:
        from roost.client.direct import modes_of

        return modes_of(self.data.recording(session["session_id"]))

    # Reading

    def screen(self, name: str) -> Json:
        from roost.client.direct import screen_of

        view = self.agent(name)
        return screen_of(self.data.recording(view["session_id"]), view)

    def lines(self, name: str, query: LineQuery) -> Iterator[Json]:
        from roost.client.projecting import lines_of

        return lines_of(self, name, query)

    def events(self, name: str, after: str, *, follow: bool) -> Iterator[Event]:
        from roost.client.projecting import events_of

        return events_of(self, name, after, follow=follow)

    def fleet_events(self, after: str, *, follow: bool) -> Iterator[Event]:
        from roost.client.projecting import fleet_events_of

        return fleet_events_of(self, after, follow=follow)

    def attach(
        self, name: str, size: tuple[int, int], outbox: Outbox, *, fresh: bool = False, read_only: bool = False
    ) -> Link:
        from roost.client.direct import KeeperLink

        session = self._find_held(name) or self.running(name)
        return KeeperLink(self.data, session, size, outbox, fresh=fresh, read_only=read_only)

    # The connection

    def _connected(self) -> KeeperClient | None:
        if self._client is None:
            try:
                self._client = KeeperClient.connect(self.data.root)
            except KeeperUnavailable:
                return None
        return self._client

    def _started(self) -> KeeperClient:
        if self._client is None:
            self.data.create()
            self._client = KeeperClient.connect_or_start(
                self.data.root, idle_exit_s=self._defaults.idle_exit_s, timeout_s=self._defaults.start_timeout_s
            )
        return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
