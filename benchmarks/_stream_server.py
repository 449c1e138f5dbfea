"""`python -m benchmarks._stream_server RATE`: roost's hub and streams, fed with RATE events a second; prints its port.

Everything that a delivery passes in the server is there: hub, stream, the outer layer of the web application, uvicorn
with our protocols. What is left out is what runs once a request, and the agents.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
import uvloop

from roost.config import Settings, StreamSettings
from roost.model.agents import Definition, Session
from roost.model.blocks import Block
from roost.model.events import Log
from roost.server import SWITCH_INTERVAL_S, spare_the_collector
from roost.services.hub import Hub
from roost.web import sse
from roost.web.frame import Frame
from roost.web.http_protocol import make_protocols

SESSION_ID = "20261121-061500-ab12cd"
FEED_EVERY_S = 0.002
"""As the keeper gathers under load."""
FILLER = "Verify the buffer handler and retry the session against the index. " * 2


class NoHistory:
    """A store that holds nothing: all is live."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def blocks(self, *_: Any) -> list[Block]:
        return []

    def fleet_blocks(self, *_: Any) -> list[Block]:
        return []

    def last_block_id(self) -> int:
        return 0

    def sessions(self, **_: Any) -> list[Session]:
        return [self._session]

    def session(self, _: str) -> Session:
        return self._session

    def resolve_session(self, _: str) -> Session:
        return self._session


async def feed(hub: Hub, session: Session, rate: float) -> None:
    """Publish what is due, as the projection would: all that has come since it last ran, in one block."""
    started, made = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - started) * rate)
        if due > made:
            now, wall = time.monotonic_ns(), time.time_ns()
            events = [Log(seq, wall, f"@{now}@ {FILLER}", seq) for seq in range(made + 1, due + 1)]
            session.last_seq = due
            hub.publish([Block(due, SESSION_ID, "worker-1", made + 1, due, list(events))], [session])
            made = due
        await asyncio.sleep(FEED_EVERY_S)


async def main(rate: float) -> None:
    """Serve until killed."""
    session = Session(
        session_id=SESSION_ID, agent_name="worker-1", state="running", definition=Definition(command=["x"])
    )
    history = NoHistory(session)
    # A small ring, soon full: what memory grows by then is what clients cost.
    settings = Settings(data=Path("unused"), stream=StreamSettings(ring_bytes=1_048_576))
    hub = Hub(history, settings.stream)
    stream = sse.agent_stream(hub, history)

    async def route(scope: Any, receive: Any, send: Any) -> None:
        scope["path_params"] = {"name": "worker-1"}
        scope["roost"].streaming = True
        await stream(scope, receive, send)

    context: Any = SimpleNamespace(metrics=SimpleNamespace(served=lambda *_: None))
    http, websocket = make_protocols(settings)
    app = Frame(route, context)
    config = uvicorn.Config(
        app, port=0, http=http, ws=websocket, lifespan="off", log_config=None, access_log=False, backlog=2048
    )
    server = uvicorn.Server(config)
    feeding = asyncio.ensure_future(feed(hub, session, rate))
    serving = asyncio.ensure_future(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    # As the server does.
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    spare_the_collector()
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(feeding, serving)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(float(sys.argv[1])))
