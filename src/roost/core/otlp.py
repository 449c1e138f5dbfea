"""OpenTelemetry's records, out of the JSON form of OTLP.

Logs, metrics and spans come as trees: resources, scopes, records, each with attributes as lists of typed values. Here
they become flat records whose attributes are plain. Source: opentelemetry-proto 1.x, "OTLP/HTTP", and its mapping to
JSON, in which names are in lower camel case and 64-bit numbers are text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from roost.core.soundness import MAX_INTEGER, sound_text

Json = dict[str, Any]
Kind = Literal["log", "metric", "span"]
MOST_ATTRIBUTES = 64
LONGEST = 4096
"""Characters of an attribute's text."""


class Record(Struct, frozen=True, omit_defaults=True):
    """One record; `attributes` are the resource's and its own, `value` is a metric's, `duration_ms` a span's."""

    kind: Kind
    name: str
    time_ns: int
    attributes: dict[str, str | int | float | bool]
    value: float | None = None
    duration_ms: float | None = None
    status: str | None = None


def records(document: Json) -> Iterator[Record]:
    """The records of a document, of whatever kind it is; what makes no sense is left out."""
    for resource in _objects(document.get("resourceLogs")):
        for log, shared in _inside(resource, "scopeLogs", "logRecords"):
            yield _log(log, shared)
    for resource in _objects(document.get("resourceMetrics")):
        for metric, shared in _inside(resource, "scopeMetrics", "metrics"):
            yield from _points(metric, shared)
    for resource in _objects(document.get("resourceSpans")):
        for span, shared in _inside(resource, "scopeSpans", "spans"):
            yield _span(span, shared)


def _inside(resource: Json, scopes: str, items: str) -> Iterator[tuple[Json, Json]]:
    """The records of a resource, each with the resource's attributes."""
    of = resource.get("resource")
    shared = attributes(of.get("attributes")) if isinstance(of, dict) else {}
    for scope in _objects(resource.get(scopes)):
        for item in _objects(scope.get(items)):
            yield item, shared


def _log(log: Json, shared: Json) -> Record:
    own = attributes(log.get("attributes"))
    name = own.get("event.name") or _value(log.get("body")) or "log"
    time_ns = _integer(log.get("timeUnixNano")) or _integer(log.get("observedTimeUnixNano"))
    return Record("log", _text(name), time_ns, shared | own)


def _points(metric: Json, shared: Json) -> Iterator[Record]:
    name = _text(metric.get("name") or "metric")
    for shape in ("sum", "gauge", "histogram"):
        found = metric.get(shape)
        for point in _objects(found.get("dataPoints")) if isinstance(found, dict) else ():
            value = point.get("asDouble", point.get("asInt", point.get("sum")))
            time_ns = _integer(point.get("timeUnixNano"))
            yield Record("metric", name, time_ns, shared | attributes(point.get("attributes")), _number(value))


def _span(span: Json, shared: Json) -> Record:
    begun, ended = _integer(span.get("startTimeUnixNano")), _integer(span.get("endTimeUnixNano"))
    status = span.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    failed = code in (2, "STATUS_CODE_ERROR")
    own = shared | attributes(span.get("attributes"))
    took = round(max(0, ended - begun) / 1e6, 3)
    name = _text(span.get("name") or "span")
    return Record("span", name, begun, own, None, took, "error" if failed else None)


def attributes(listed: object) -> dict[str, str | int | float | bool]:
    """Attributes as an object; lists and objects in them are left out."""
    found: dict[str, str | int | float | bool] = {}
    for item in _objects(listed):
        value = _value(item.get("value"))
        if value is not None and len(found) < MOST_ATTRIBUTES:
            found[_text(item.get("key") or "")] = value
    return found


def _value(value: object) -> str | int | float | bool | None:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("stringValue"), str):
        return _text(value["stringValue"])
    if isinstance(value.get("boolValue"), bool):
        return bool(value["boolValue"])
    if "intValue" in value:
        return _integer(value["intValue"])
    return _number(value["doubleValue"]) if "doubleValue" in value else None


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _integer(value: object) -> int:
    """Numbers of 64 bits are text in this form of JSON; what is none is 0."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    try:
        number = int(value)
    except ValueError:
        return 0
    return number if abs(number) <= MAX_INTEGER else 0


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _text(value: object) -> str:
    return sound_text(str(value)[:LONGEST])
