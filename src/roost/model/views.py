"""What REST answers hold. Each struct is also the source of its JSON Schema and TypeScript type."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from roost.model.agents import Limits, State
from roost.model.approvals import ApprovalRule
from roost.model.attention import AttentionKind


class RunningTurn(Struct, frozen=True, kw_only=True):
    """A turn that has not ended."""

    turn_id: str
    state: str
    prompt: str
    by: str
    queued_at: str


class ConversationView(Struct, frozen=True, kw_only=True):
    """What a structured agent's conversation is at."""

    conversation_id: str | None
    ready: bool
    model: str | None
    mode: str | None
    running: RunningTurn | None
    queue: list[RunningTurn]
    approvals: int
    """How many questions wait for an answer."""
    calls: list[str]
    """Titles of the tool calls that run."""
    turns: int
    problem: str | None
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None


class AgentView(Struct, frozen=True, kw_only=True):
    """An agent as it stands. Times are RFC 3339 in UTC."""

    name: str
    state: State
    reason: str | None
    session_id: str
    driver: str
    command: list[str]
    cwd: str
    node: str
    environment: str | None = None
    env_names: list[str] = []
    labels: dict[str, str] = {}
    role: str | None = None
    model: str | None = None
    capabilities: list[str] = []
    restart: str = "no"
    restarts: int = 0
    limits: Limits = Limits()
    pid: int | None = None
    terminal: bool = True
    cols: int = 80
    rows: int = 24
    started_at: str
    ended_at: str | None = None
    uptime_s: float
    exit_code: int | None = None
    signal: str | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    bytes: int = 0
    lines: int = 0
    last_output_at: str | None = None
    last_seq: int = 0
    viewers: int = 0
    conversation: ConversationView | None = None
    """Of a structured agent."""
    attention: str | None = None
    """What the agent needs somebody for, in a line; null where it needs nobody."""
    attention_kind: AttentionKind = "works"
    attention_since: str | None = None
    doing: str | None = None
    """What it does, or did last, in a line, where that is known."""
    urgency: int = 0
    """Its place when agents are sorted by who needs somebody first: the lowest first."""


class AttentionView(Struct, frozen=True, kw_only=True):
    """What an agent is about, since when, and how that is known."""

    agent_name: str
    session_id: str
    state: State
    kind: AttentionKind
    wants: str | None
    since: str | None
    needs_you: bool
    summary: str
    evidence: list[str]
    """Why that is believed, the strongest reason first."""
    source: str
    """Where the evidence is from: `protocol`, `title`, `screen`, `process` or `output`."""
    advice: str
    """What to do about it."""


class AgentList(Struct, frozen=True, kw_only=True):
    agents: list[AgentView]
    next_cursor: str | None = None
    total: int


class LogLine(Struct, frozen=True):
    """A line; of a coding agent's transcript several may have one `seq`, and `line_num` counts within that."""

    seq: int
    timestamp: str
    stream: str
    line_num: int
    line: str


class LogPage(Struct, frozen=True, kw_only=True):
    agent_name: str
    session_id: str
    lines: list[LogLine]
    next_cursor: str | None = None


class Run(Struct, frozen=True, omit_defaults=True):
    """Cells of one row that look alike; a colour is a palette index, `#rrggbb`, or absent for the default."""

    text: str
    fg: int | str | None = None
    bg: int | str | None = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underline: int = 0
    """0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed."""
    blink: bool = False
    inverse: bool = False
    invisible: bool = False
    strike: bool = False


class ScreenView(Struct, frozen=True, kw_only=True):
    """A terminal's screen; `rows_text` are the visible rows, right-trimmed."""

    agent_name: str
    session_id: str
    cols: int
    rows: int
    title: str
    cursor_col: int
    cursor_row: int
    cursor_visible: bool
    alternate: bool
    rows_text: list[str]
    cells: list[list[Run]]


class Issue(Struct, frozen=True, kw_only=True):
    """Something that health found: what, on what evidence, and what to do about it."""

    code: str
    severity: str
    message: str
    advice: str
    details: dict[str, Any] = {}


class ComponentHealth(Struct, frozen=True, kw_only=True):
    status: str
    """`ok`, `degraded` or `down`."""
    message: str = ""
    details: dict[str, Any] = {}


class HealthView(Struct, frozen=True, kw_only=True):
    status: str
    """`healthy`, `degraded` or `unhealthy`."""
    live: bool
    ready: bool
    version: str
    uptime_s: float
    node: str
    components: dict[str, ComponentHealth]
    issues: list[Issue]


class Accepted(Struct, frozen=True):
    """Input was taken; `repeated` says that it had been typed before and was not typed again."""

    accepted: bool = True
    repeated: bool = False


class Ticket(Struct, frozen=True):
    """A one-time pass for a client that can send no header."""

    ticket: str
    expires_in_s: int


class CallerView(Struct, frozen=True):
    """Whom the server takes a caller for."""

    name: str
    role: Annotated[str, Meta(extra_json_schema={"enum": ["reporter", "viewer", "operator", "admin"]})]


class Liveness(Struct, frozen=True):
    """Whether the server lives, or is ready, in a word."""

    status: str


class Sample(Struct, frozen=True):
    name: str
    labels: dict[str, str]
    value: float | None
    """Null where there is no number."""


class MetricFamily(Struct, frozen=True):
    """A metric, with a sample for each of its labels' values."""

    name: str
    type: str
    help: str
    samples: list[Sample]


class MetricsView(Struct, frozen=True):
    metrics: list[MetricFamily]


class StreamStats(Struct, frozen=True):
    total_agents: int
    total_clients: int
    agents: dict[str, int]


class ErrorBody(Struct, frozen=True):
    code: str
    message: str
    details: dict[str, Any]
    request_id: str


class ErrorView(Struct, frozen=True):
    error: ErrorBody


class TurnUsage(Struct, frozen=True, kw_only=True):
    """What a turn spent with one model."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None


class ChangedFile(Struct, frozen=True, kw_only=True):
    """A file that a turn changed; `added` and `removed` count lines."""

    path: str
    change: str
    added: int = 0
    removed: int = 0


class TurnError(Struct, frozen=True, kw_only=True):
    """Something that went wrong in a turn."""

    code: str
    message: str


class TurnView(Struct, frozen=True, kw_only=True):
    """A turn and, once it has `ended`, its result. Times are RFC 3339 in UTC."""

    turn_id: str
    agent_name: str
    session_id: str
    state: str
    ended: bool
    prompt: str | None = None
    by: str | None = None
    text: str | None = None
    reason: str | None = None
    duration_ms: int | None = None
    queued_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    usage: list[TurnUsage] = []
    cost_usd: float | None = None
    files: list[ChangedFile] = []
    errors: list[TurnError] = []
    repeated: bool = False
    """Whether a prompt of this id had been given before; it was not given again."""


class TurnList(Struct, frozen=True, kw_only=True):
    turns: list[TurnView]


class ApprovalView(Struct, frozen=True, kw_only=True):
    """What an agent asks, and what was decided; `choices` are those of the `permission` event."""

    approval_id: str
    agent_name: str
    session_id: str
    kind: str
    tool: str
    input: dict[str, Any]
    title: str
    choices: list[dict[str, Any]]
    asked_at: str
    tool_use_id: str | None = None
    details: dict[str, Any] = {}
    decision: str | None = None
    by: str | None = None
    reason: str | None = None
    decided_at: str | None = None


class ApprovalList(Struct, frozen=True, kw_only=True):
    approvals: list[ApprovalView]
    next_cursor: str | None = None
    total: int


class UsageSum(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was spent; of the keys those are given that were asked for. A day is one of UTC."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None
    unpriced_tokens: int
    """Tokens of models without a known price, which are not in the cost."""
    day: str | None = None
    agent: str | None = None
    session: str | None = None
    model: str | None = None
    turn: str | None = None


class UsageView(Struct, frozen=True, kw_only=True):
    usage: list[UsageSum]
    total: UsageSum


class RuleList(Struct, frozen=True, kw_only=True):
    rules: list[ApprovalRule]
