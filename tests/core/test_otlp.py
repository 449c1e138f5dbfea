"""OpenTelemetry's records."""

from __future__ import annotations

import pytest

from roost.core.otlp import MOST_ATTRIBUTES, Record, attributes, records


def attribute(key: str, **value: object) -> dict:
    return {"key": key, "value": value}


RESOURCE = {"attributes": [attribute("service.name", stringValue="claude-code")]}


def logs(*items: dict) -> dict:
    return {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": list(items)}]}]}


def metrics(*items: dict) -> dict:
    return {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"metrics": list(items)}]}]}


def spans(*items: dict) -> dict:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(items)}]}]}


def test_a_log_has_its_own_attributes_and_the_resources() -> None:
    log = {"timeUnixNano": "7", "body": {"stringValue": "x"}, "attributes": [attribute("n", intValue="3")]}
    assert list(records(logs(log))) == [Record("log", "x", 7, {"service.name": "claude-code", "n": 3})]


def test_a_log_is_named_by_its_event() -> None:
    log = {"observedTimeUnixNano": 8, "attributes": [attribute("event.name", stringValue="api_request")]}
    (found,) = records(logs(log))
    assert (found.name, found.time_ns) == ("api_request", 8)
    assert [one.name for one in records(logs({}))] == ["log"]


@pytest.mark.parametrize("point", [{"asDouble": 1.5}, {"sum": "1.5"}])
@pytest.mark.parametrize("shape", ["sum", "gauge", "histogram"])
def test_every_point_of_a_metric_is_a_record(shape: str, point: dict) -> None:
    metric = {"name": "cost", shape: {"dataPoints": [point | {"timeUnixNano": "5"}, {"asInt": "2"}]}}
    assert [(one.name, one.time_ns, one.value) for one in records(metrics(metric))] == [
        ("cost", 5, 1.5),
        ("cost", 0, 2.0),
    ]


def test_a_span_has_a_duration_and_says_when_it_failed() -> None:
    good = {"name": "tool", "startTimeUnixNano": "1000000", "endTimeUnixNano": "3500000"}
    bad = {"status": {"code": "STATUS_CODE_ERROR"}}
    assert list(records(spans(good, bad))) == [
        Record("span", "tool", 1_000_000, {}, None, 2.5),
        Record("span", "span", 0, {}, None, 0.0, "error"),
    ]


def test_attributes_are_plain_values() -> None:
    listed = [
        attribute("text", stringValue="a\0"),
        attribute("flag", boolValue=True),
        attribute("whole", intValue=3),
        attribute("huge", intValue=str(1 << 70)),
        attribute("part", doubleValue=0.5),
        attribute("list", arrayValue={"values": []}),
        attribute("odd", intValue=True),
        attribute("none", intValue="x"),
        {"key": "empty"},
        7,
    ]
    assert attributes(listed) == {
        "text": "a\ufffd",
        "flag": True,
        "whole": 3,
        "huge": 0,
        "part": 0.5,
        "odd": 0,
        "none": 0,
    }


def test_attributes_are_not_without_end() -> None:
    assert len(attributes([attribute(str(number), intValue=1) for number in range(1000)])) == MOST_ATTRIBUTES


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"resourceLogs": 7},
        {"resourceLogs": [7, {"resource": 7, "scopeLogs": [{"logRecords": 7}]}]},
        {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "x", "sum": 7}]}]}]},
        {"resourceSpans": [{"scopeSpans": [7]}]},
    ],
)
def test_what_makes_no_sense_is_nothing(document: dict) -> None:
    assert list(records(document)) == []


def test_a_number_that_is_none_is_no_value() -> None:
    metric = {"gauge": {"dataPoints": [{"asDouble": "x"}, {"asDouble": []}]}}
    assert [(one.name, one.value) for one in records(metrics(metric))] == [("metric", None), ("metric", None)]
