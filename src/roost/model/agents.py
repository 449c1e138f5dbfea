"""Agents and sessions: what is asked for, and what is known."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from roost.model.attention import Attention
from roost.model.conversations import ConversationState

State = Literal["starting", "running", "waiting", "idle", "paused", "stopping", "exited", "failed", "lost"]
ENDED: frozenset[str] = frozenset({"exited", "failed", "lost"})
Restart = Literal["no", "on-failure", "always"]
Text = Annotated[str, Meta(max_length=4096)]
DriverName = Literal["terminal", "lines", "claude", "codex", "gemini", "opencode", "acp", "adopted"]
STRUCTURED: frozenset[str] = frozenset({"claude", "codex", "gemini", "opencode", "acp", "adopted"})
"""Drivers that speak a coding agent's own protocol, or read what it writes of itself."""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an agent's processes may use at most; absent means no limit of ours."""

    memory_bytes: Annotated[int, Meta(gt=0)] | None = None
    """Address space of each process; of the whole tree where a cgroup is delegated."""
    cpu_s: Annotated[int, Meta(gt=0)] | None = None
    """Processor seconds of each process."""
    nofile: Annotated[int, Meta(gt=0)] | None = None
    """Open files of each process."""
    fsize_bytes: Annotated[int, Meta(gt=0)] | None = None
    """Size of any file a process writes."""
    nproc: Annotated[int, Meta(gt=0)] | None = None
    """Processes of the user (the kernel counts all of them)."""
    processes: Annotated[int, Meta(gt=0)] | None = None
    """Processes of the agent's tree, where a cgroup is delegated."""
    core_bytes: Annotated[int, Meta(ge=0)] | None = 0
    """Size of a core dump."""


class AgentOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a structured agent is started with; a driver refuses what its CLI does not have."""

    model: Text | None = None
    fallback_model: Text | None = None
    permission_mode: Text | None = None
    dangerously_skip_permissions: bool = False
    allowed_tools: list[str] = []
    disallowed_tools: list[str] = []
    append_system_prompt: str | None = None
    mcp_config: str | dict[str, Any] | None = None
    strict_mcp_config: bool = False
    add_dirs: list[str] = []
    partial: bool = False
    """Whether text is told in pieces while it is made."""
    max_turns: Annotated[int, Meta(ge=1)] | None = None
    max_budget_usd: Annotated[float, Meta(gt=0)] | None = None
    resume: Text | None = None
    """The id of a conversation to go on with."""
    fork: bool = False
    """Whether to go on with a copy of it."""


class Size(Struct, frozen=True):
    """A terminal's size in character cells."""

    cols: Annotated[int, Meta(ge=1, le=1000)] = 80
    rows: Annotated[int, Meta(ge=1, le=1000)] = 24


class StartAgent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/agents`."""

    name: str
    command: Annotated[str, Meta(min_length=1, max_length=131072)] | Annotated[list[str], Meta(min_length=1)]
    args: list[str] = []
    driver: DriverName = "terminal"
    """`terminal` runs the program under a PTY, the others on pipes with standard error apart: `lines` any program, the
    rest coding agents, spoken to in their own protocol."""
    options: AgentOptions = AgentOptions()
    """For coding agents that are spoken to in their own protocol."""
    cwd: Text | None = None
    env: dict[str, str] | Text = {}
    """Variables for the agent, or a plain string that labels its environment."""
    labels: dict[str, str] = {}
    role: Text | None = None
    model: Text | None = None
    capabilities: list[str] = []
    restart: Restart = "no"
    limits: Limits = Limits()
    size: Size = Size()
    umask: Annotated[int, Meta(ge=0, le=0o777)] | None = None
    placement: dict[str, Any] | None = None
    worktree: bool | dict[str, Any] | None = None
    session_id: str | None = None
    """Chosen by the caller, so that a repeated request starts nothing twice."""


class Definition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent is: kept in its recording's header. It names the environment's variables, never their values."""

    command: list[str]
    driver: str = "terminal"
    cwd: str = "/"
    env_names: list[str] = []
    environment: str | None = None
    """The label that a plain string in `env` gave."""
    labels: dict[str, str] = {}
    role: str | None = None
    model: str | None = None
    capabilities: list[str] = []
    restart: str = "no"
    limits: Limits = Limits()
    umask: int | None = None
    options: AgentOptions = AgentOptions()
    conversation_id: str | None = None
    """The conversation that a structured agent was started to go on with, or to begin under this id."""


class Session(Struct, kw_only=True):
    """One run of an agent's process, as the projection knows it. Times are nanoseconds since the Unix epoch."""

    session_id: str
    agent_name: str
    state: State = "starting"
    reason: str | None = None
    definition: Definition = Definition(command=[])
    node: str = ""
    pid: int | None = None
    cols: int = 80
    rows: int = 24
    started_ns: int = 0
    ended_ns: int | None = None
    exit_code: int | None = None
    signal: str | None = None
    lines: int = 0
    bytes: int = 0
    last_output_ns: int | None = None
    last_seq: int = 0
    """Number of the newest event; the first has 1."""
    offset: int = 0
    """How far the recording is projected, in bytes."""
    damage: int = 0
    """Bytes of the recording that could not be read."""
    conversation: ConversationState | None = None
    """Of a structured agent."""
    attention: Attention | None = None
    """What was noted of it from outside: of a terminal what it is about, of any that it is stuck or loops."""
