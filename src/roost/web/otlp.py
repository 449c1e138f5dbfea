"""OTLP/HTTP: where agents send their OpenTelemetry logs, metrics and traces, as JSON or protobuf."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from starlette.responses import Response

from roost.errors import BodyTooLarge, MalformedRequest, UnsupportedBody
from roost.web.requests import JSON_MEDIA, Call

PROTOBUF = "application/x-protobuf"
MEDIA = (JSON_MEDIA, PROTOBUF)
MESSAGES = {
    "logs": ("logs", "ExportLogsServiceRequest"),
    "metrics": ("metrics", "ExportMetricsServiceRequest"),
    "traces": ("trace", "ExportTraceServiceRequest"),
}
REJECTED = {"logs": "rejectedLogRecords", "metrics": "rejectedDataPoints", "traces": "rejectedSpans"}
Json = dict[str, Any]


async def receive(call: Call[bytes, None]) -> Response:
    """Take OpenTelemetry records of agents."""
    kind = call.scope["path"].rpartition("/")[2]
    is_json = call.header("content-type").partition(";")[0].strip().lower() == JSON_MEDIA
    body = _plain(call.body, call.header("content-encoding"), call.context.settings.server.max_body_bytes)
    document = _from_json(body) if is_json else _from_protobuf(body, kind)
    rejected = await call.context.telemetry.take(document)
    if not is_json:
        return Response(b"", media_type=PROTOBUF)
    answer: Json = {}
    if rejected:
        message = "of no session that runs here; set the resource attribute roost.session"
        answer = {"partialSuccess": {REJECTED[kind]: str(rejected), "errorMessage": message}}
    return Response(msgspec.json.encode(answer), media_type=JSON_MEDIA)


def _plain(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise UnsupportedBody(f"a body cannot be encoded as {encoding[:40]!r}", hint="use gzip, or nothing")
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = reader.decompress(body, limit + 1)
    except zlib.error as exc:
        raise MalformedRequest("the body is not what gzip makes") from exc
    if len(plain) > limit:
        raise BodyTooLarge(f"a body holds at most {limit} bytes", limit=limit)
    return plain


def _from_json(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as exc:
        raise MalformedRequest(f"the body is no JSON object: {exc}") from exc


def _from_protobuf(body: bytes, kind: str) -> Json:
    # Loaded here, for it is an extra that most do without.
    try:
        from importlib import import_module

        from google.protobuf.json_format import MessageToDict
        from google.protobuf.message import DecodeError

        module, name = MESSAGES[kind]
        message = getattr(import_module(f"opentelemetry.proto.collector.{module}.v1.{module}_service_pb2"), name)()
    except ImportError as exc:
        raise UnsupportedBody(
            "protobuf needs a package that is not installed",
            hint="pip install 'roost[otlp]', or send JSON: OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
        ) from exc
    try:
        message.ParseFromString(body)
    except DecodeError as exc:
        raise MalformedRequest(f"the body is no {MESSAGES[kind][1]}") from exc
    found: Json = MessageToDict(message)
    return found
