"""Health and metrics of a real server."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from roost.services.metrics import Metrics, names
from tests.web.conftest import Rest


def values(rest: Rest, path: str = "/metrics") -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(rest.call("GET", path, role="viewer").text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_every_metric_is_there(rest: Rest) -> None:
    rest.call("GET", "/api/agents")
    text = rest.call("GET", "/metrics").text
    assert [name for name in names() if f"# TYPE {name} " not in text] == []


def test_no_metric_is_there_that_is_not_named(rest: Rest) -> None:
    families = text_string_to_metric_families(rest.call("GET", "/metrics").text)
    ours = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    assert {name for name in ours if name.startswith("roost_")} == set(names())


def test_both_addresses_say_the_same(rest: Rest) -> None:
    assert values(rest, "/metrics").keys() == values(rest, "/api/metrics/prometheus").keys()
    assert rest.call("GET", "/metrics").headers["content-type"].startswith("text/plain; version=")


def test_requests_are_counted_by_route_never_by_path(rest: Rest) -> None:
    key = "roost_http_requests_total{method=GET,route=/api/agents/{name},status=404}"
    before = values(rest).get(key, 0)
    for number in range(3):
        rest.call("GET", f"/api/agents/counted-{number}")
    after = values(rest)
    assert after[key] == before + 3
    assert not [name for name in after if "counted" in name]


def test_unknown_paths_and_methods_share_a_label(rest: Rest) -> None:
    rest.call("GET", "/api/unknown-path")
    rest.call("TRACE", "/api/agents")
    found = values(rest)
    assert found["roost_http_requests_total{method=GET,route=none,status=404}"] >= 1
    assert [name for name in found if "method=other" in name]
    assert not [name for name in found if "unknown-path" in name or "TRACE" in name]


def test_agents_are_counted_by_state(rest: Rest) -> None:
    rest.call("POST", "/api/agents", json={"name": "counted", "command": "sleep 1000"})
    assert values(rest)["roost_agents{state=running}"] >= 1
    rest.call("POST", "/api/agents/counted/kill")
    assert {name for name in values(rest) if name.startswith("roost_agents{")} == {
        f"roost_agents{{state={state}}}"
        for state in ("starting", "running", "waiting", "idle", "paused", "stopping", "exited", "failed", "lost")
    }


def test_the_same_as_json(rest: Rest) -> None:
    found = {family["name"]: family for family in rest.call("GET", "/api/metrics", role="viewer").json()["metrics"]}
    assert found["roost_ready"]["samples"] == [{"name": "roost_ready", "labels": {}, "value": 1.0}]
    assert found["roost_build_info"]["samples"][0]["labels"].keys() == {"version"}


def test_streams_have_no_duration() -> None:
    metrics = Metrics()
    metrics.served("GET", "/api/stream", 200, None)
    text = metrics.text().decode()
    assert 'roost_http_requests_total{method="GET",route="/api/stream",status="200"} 1.0' in text
    assert 'roost_http_request_duration_seconds_count{route="/api/stream"} 0.0' in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian package prometheus)")
def test_promtool_has_no_complaint(rest: Rest) -> None:
    text = rest.call("GET", "/metrics").content
    found = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


# Health


def test_health_looks_at_every_component(rest: Rest) -> None:
    found = rest.call("GET", "/api/health", role="viewer").json()
    assert found["live"] and found["ready"]
    assert found["status"] in ("healthy", "degraded")
    assert set(found["components"]) == {"keeper", "store", "projection", "disk", "memory", "streams"}


def test_liveness_and_readiness(rest: Rest) -> None:
    assert rest.call("GET", "/api/health/live").json() == {"status": "live"}
    assert rest.call("GET", "/api/health/ready").json() == {"status": "ready"}


def test_stream_clients_are_counted(rest: Rest) -> None:
    rest.call("POST", "/api/agents", json={"name": "streamed", "command": "sleep 1000"})
    with rest.client() as client, client.stream("GET", "/api/agents/streamed/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: connected"
        assert rest.call("GET", "/api/sse/stats").json()["agents"].get("streamed") == 1
        assert values(rest)["roost_stream_clients{}"] >= 1
    rest.call("POST", "/api/agents/streamed/kill")
