"""Clean lines over REST: a page as JSON, or a stream of plain text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from roost.core.loglines import LinesForm, lines_form
from roost.errors import Unavailable
from roost.model.requests import LogsQuery
from roost.model.views import LogPage
from roost.services.hub import Hub
from roost.services.logs import Logs, Place, line_filter
from roost.services.reader import IDLE, Reader
from roost.web.requests import Call

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-accel-buffering", b"no")]


async def read(call: Call[None, LogsQuery]) -> LogPage | LineStream:
    """Lines of an agent; with `follow` a stream that ends with the session."""
    session = call.context.agents.resolve_session(call.name)
    logs = Logs(call.context.reader)
    if not call.query.follow:
        return await logs.page(session, call.query)
    if not call.context.hub.settings.enabled:
        raise Unavailable("live streams are turned off", hint="turn on the setting stream.enabled")
    call.exchange.streaming = True
    place = await logs.place(session, call.query)
    return LineStream(call.context.hub, place, lines_form(line_filter(call.query, place.session)))


class LineStream:
    """An answer that goes on: new lines as plain text until the session ends or the client goes."""

    def __init__(self, hub: Hub, place: Place, form: LinesForm) -> None:
        self._hub = hub
        self._place = place
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        abort = scope.get("extensions", {}).get("roost.abort", {}).get("call")
        with self._hub.follow_session(self._place.session, self._place.after_seq, self._form, counted=False) as reader:
            reader.on_stall = abort
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            is_head = scope["method"] == "HEAD"
            await send({"type": "http.response.body", "body": b"", "more_body": not is_head})
            if is_head:
                return
            departure = asyncio.ensure_future(_until_gone(receive))
            departure.add_done_callback(lambda _: reader.close())
            try:
                await self._pump(reader, send)
            finally:
                departure.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _pump(self, reader: Reader, send: Send) -> None:
        while (piece := await reader.next()) is not None:
            if piece is IDLE or not piece.data:
                continue
            reader.begins_sending()
            await send({"type": "http.response.body", "body": piece.data, "more_body": True})
            reader.blocked = False


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
