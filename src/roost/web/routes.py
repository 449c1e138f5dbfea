"""The whole API on one screen: from this table come the routes, the OpenAPI document, the docs and the role matrix.

`least` is the least role that may call; `anybody` needs no token. A `stream` is an ASGI application of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roost import errors as e
from roost.model import requests as q
from roost.model import views as v
from roost.model.agents import StartAgent
from roost.web import agents, docs, health, logs, otlp, page, sessions, sse, ws
from roost.web import conversations as talk
from roost.web.dispatch import Entry, Errors, Handler, Least, Stream

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from roost.web.context import Context

REPORTER: Least = "reporter"
VIEWER: Least = "viewer"
OPERATOR: Least = "operator"
ANYBODY: Least = "anybody"

INPUT = (e.MalformedRequest, e.InvalidRequest)
STEER = (e.AgentNotFound, e.AgentNotRunning, e.KeeperUnavailable)
TYPE = (*STEER, *INPUT, e.LimitReached, e.InputRefused)
SIZE = (*STEER, *INPUT, e.NoTerminal)
STOP = (*STEER, *INPUT, e.AgentRunning)
PROGRAM = (e.ProgramNotFound, e.ProgramNotExecutable, e.DirectoryUnusable)
START = (*INPUT, *PROGRAM, e.InvalidName, e.NotSupported, e.AgentRunning, e.KeeperUnavailable, e.DiskFull)
AGAIN = (*PROGRAM, *STEER, e.AgentRunning, e.DiskFull)
LIST = (*INPUT, e.InvalidCursor)
STREAM = (*LIST, e.AgentNotFound, e.Unavailable)
LOGS = (*STREAM, e.SessionNotFound)
SCREEN = (*INPUT, e.AgentNotFound, e.NoTerminal)
LATER = (e.AgentNotFound, e.NotSupported)
TOLD = (e.AgentNotFound, e.NotStructured)
TALK = (*TOLD, e.AgentNotRunning, e.KeeperUnavailable, e.TimedOut)
PROMPT = (*INPUT, *TALK)
TURN = (*TOLD, e.TurnNotFound, e.TimedOut)
LISTED = (*LIST, e.AgentNotFound)
ASKED = (e.ApprovalNotFound,)
DECIDE = (*INPUT, *ASKED, e.AlreadyDecided, e.AgentNotRunning, e.KeeperUnavailable, e.TimedOut)
GONE = (e.AgentNotFound,)
LOGIN = (*INPUT, e.Unauthorized)

A, N = "/api/agents", "/api/agents/{name}"
TEXT, EVENTS, HTML = "text/plain; charset=utf-8", "text/event-stream", "text/html; charset=utf-8"
JSON, FILE = "application/json", "application/octet-stream"


def _r(method: str, path: str, least: Least, handler: Handler, errors: Errors = (), **more: Any) -> Entry:
    summary = (handler.__doc__ or "").partition("\n")[0].rstrip(".")
    return Entry(method=method, path=path, least=least, handler=handler, errors=errors, summary=summary, **more)


def _s(method: str, path: str, summary: str, stream: Stream, errors: Errors = (), **more: Any) -> Entry:
    return Entry(method=method, path=path, least=VIEWER, stream=stream, errors=errors, summary=summary, **more)


def _agent_stream(context: Context) -> ASGIApp:
    return sse.agent_stream(context.hub, context.agents)


def _fleet_stream(context: Context) -> ASGIApp:
    return sse.fleet_stream(context.hub)


ROUTES: tuple[Entry, ...] = (
    _r("POST", A, OPERATOR, agents.start, START, body=StartAgent, answer=v.AgentView, status=201),
    _r("GET", A, VIEWER, agents.list_agents, LIST, query=q.AgentsQuery, answer=v.AgentList),
    _r("GET", N, VIEWER, agents.get, GONE, answer=v.AgentView),
    _r("GET", N + "/attention", VIEWER, agents.attention, GONE, answer=v.AttentionView),
    _r("DELETE", N, OPERATOR, agents.stop, STOP, query=q.StopQuery, answer=v.AgentView),
    _r("POST", N + "/kill", OPERATOR, agents.kill, STEER, answer=v.AgentView),
    _r("POST", N + "/pause", OPERATOR, agents.pause, STEER, answer=v.AgentView),
    _r("POST", N + "/resume", OPERATOR, agents.resume, STEER, answer=v.AgentView),
    _r("POST", N + "/restart", OPERATOR, agents.restart, AGAIN, answer=v.AgentView),
    _r("POST", N + "/input", OPERATOR, agents.send_input, TYPE, body=q.InputBody, answer=v.Accepted),
    _r("POST", N + "/close-input", OPERATOR, agents.close_input, STEER, answer=v.Accepted),
    _r("POST", N + "/resize", OPERATOR, agents.resize, SIZE, body=q.ResizeBody, answer=v.AgentView),
    _r("POST", N + "/signal", OPERATOR, agents.signal, (*STEER, *INPUT), body=q.SignalBody, answer=v.AgentView),
    _r("POST", N + "/prompt", OPERATOR, talk.prompt, PROMPT, body=q.PromptBody, query=q.PromptQuery, answer=v.TurnView),
    _r("POST", N + "/interrupt", OPERATOR, talk.interrupt, TALK, answer=v.Accepted),
    _r("GET", N + "/turns", VIEWER, talk.turns, (*INPUT, *TOLD), query=q.TurnQuery, answer=v.TurnList),
    _r("GET", N + "/turns/{turn_id}", VIEWER, talk.turn, (*INPUT, *TURN), query=q.PromptQuery, answer=v.TurnView),
    _r("DELETE", N + "/turns/{turn_id}", OPERATOR, talk.cancel, (*TALK, *TURN), answer=v.TurnView),
    _r("GET", "/api/approvals", VIEWER, talk.approvals, LISTED, query=q.ApprovalsQuery, answer=v.ApprovalList),
    _r("GET", "/api/approval-rules", VIEWER, talk.rules, answer=v.RuleList),
    _r("DELETE", "/api/approval-rules/{rule_id}", OPERATOR, talk.forget_rule, (e.NotFound,), status=204),
    _r("GET", "/api/approvals/{approval_id}", VIEWER, talk.approval, ASKED, answer=v.ApprovalView),
    _r(
        "POST",
        "/api/approvals/{approval_id}",
        OPERATOR,
        talk.decide,
        DECIDE,
        body=q.DecisionBody,
        answer=v.ApprovalView,
    ),
    _r("GET", N + "/diff", VIEWER, agents.diff, LATER),
    _r("GET", N + "/screen", VIEWER, agents.screen, SCREEN, query=q.ScreenQuery, answer=(v.ScreenView, TEXT)),
    _r("GET", N + "/logs", VIEWER, logs.read, LOGS, query=q.LogsQuery, answer=(v.LogPage, TEXT)),
    _s("GET", N + "/stream", "Events of an agent, live", _agent_stream, STREAM, answer=EVENTS),
    _s("GET", "/api/stream", "Events of all agents, live", _fleet_stream, STREAM, answer=EVENTS),
    _s("WEBSOCKET", "/ws/agents/{name}", "Control, watch, or sit at the terminal of an agent", ws.agent_socket),
    *[
        _r("POST", f"/v1/{kind}", REPORTER, otlp.receive, INPUT, body=bytes, media=otlp.MEDIA, answer=JSON)
        for kind in ("logs", "metrics", "traces")
    ],
    _r("GET", "/api/usage", VIEWER, talk.usage, INPUT, query=q.UsageQuery, answer=v.UsageView),
    _r("GET", "/api/health", VIEWER, health.full, answer=v.HealthView),
    _r("GET", "/api/health/live", VIEWER, health.live, answer=v.Liveness),
    _r("GET", "/api/health/ready", VIEWER, health.ready, answer=v.Liveness),
    _r("GET", "/api/sse/stats", VIEWER, health.stream_stats, answer=v.StreamStats),
    _r("GET", "/api/metrics", VIEWER, health.metrics_json, answer=v.MetricsView),
    _r("GET", "/api/metrics/prometheus", VIEWER, health.metrics_text, answer=TEXT),
    _r("GET", "/metrics", VIEWER, health.metrics_text, answer=TEXT),
    _r("POST", "/api/tickets", VIEWER, sessions.ticket, answer=v.Ticket, status=201),
    _r("GET", "/api/login", VIEWER, sessions.who, answer=v.CallerView),
    _r("POST", "/api/login", ANYBODY, sessions.log_in, LOGIN, body=q.LoginBody, status=204),
    _r("POST", "/api/logout", ANYBODY, sessions.log_out, status=204),
    _r("GET", "/api/openapi.json", VIEWER, docs.document, answer=JSON),
    _r("GET", "/docs", VIEWER, docs.page, answer=HTML),
    _r("GET", "/login", ANYBODY, sessions.log_in_by_ticket, (e.Unauthorized,), answer=HTML),
    _r("GET", "/", ANYBODY, page.index, answer=HTML),
    _r("GET", "/agents/{path:path}", ANYBODY, page.index, answer=HTML),
    _r("GET", "/approvals", ANYBODY, page.index, answer=HTML),
    _r("GET", "/assets/{path:path}", ANYBODY, page.file, (e.NotFound,), answer=FILE),
    _r("GET", "/{file}", ANYBODY, page.file, (e.NotFound,), answer=FILE),
)


def paths() -> list[str]:
    """Every path of the table, as people write it."""
    return sorted({entry.path.replace(":path}", "}") for entry in ROUTES})
