"""Lines out of events as clients see them: what a program printed, or a coding agent's transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roost.client.backend import LineQuery

    Json = dict[str, Any]


def told_lines(body: Json, query: LineQuery, *, transcript: bool) -> Iterator[Json]:
    """The lines of an event that lie in the query's time and stream, in the form of `GET …/logs`, without `seq`."""
    moment, data = body["timestamp"], body["data"]
    if moment < query.since or (query.until and moment >= query.until):
        return
    if body["type"] == "log":
        lines = [data]
    elif transcript:
        from roost.core.readable import readable

        told = enumerate(readable(body["type"], data), 1)
        lines = [{"line": line, "line_num": number, "stream": "stdout"} for number, line in told]
    else:
        return
    yield from ({"timestamp": moment, **line} for line in lines if query.stream in ("", line["stream"]))
