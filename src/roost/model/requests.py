"""What REST asks for besides `StartAgent`: bodies, and the parameters behind the question mark."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from roost.model.agents import Size, State
from roost.model.attention import AttentionKind

Limit = Annotated[int, Meta(ge=1, le=10_000)]
Short = Annotated[str, Meta(max_length=256)]
ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Keys = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(min_length=1, max_length=10_000)]
Number = Annotated[int, Meta(ge=1, le=2**53)]


class InputBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/agents/{name}/input`: exactly one of the ways to type.

    These are `input`, `input_base64`, `keys`, `paste` and `paste_base64`.

    With `client_id` and a `seq` that rises with each input, a repeated request is typed once.
    """

    input: str | None = None
    """Text for standard input, as it is."""
    input_base64: bytes | None = None
    """The same for bytes that are no UTF-8."""
    keys: Keys | None = None
    """Names of keys, such as `C-c`, `Up`, `Enter`; any other text is typed as it is."""
    paste: str | None = None
    """Text that is pasted: a program which knows bracketed paste is told where it begins and ends."""
    paste_base64: bytes | None = None
    """The same for bytes that are no UTF-8."""
    enter: bool = False
    """Press Enter at the end."""
    client_id: ClientId | None = None
    seq: Number | None = None


class ResizeBody(Size, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/agents/{name}/resize`, in character cells."""


class SignalBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/agents/{name}/signal`."""

    signal: Annotated[str, Meta(min_length=1, max_length=16)]
    """A name such as `SIGINT` or `INT`."""
    scope: Literal["tree", "leader", "foreground"] = "tree"
    """All processes of the agent, the first one, or what has the terminal's foreground."""


class LoginBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /api/login`."""

    token: Annotated[str, Meta(min_length=1, max_length=1024)]


class AgentsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which agents to list; all that is given must hold."""

    state: list[State] = []
    """Any of these states."""
    attention: list[AttentionKind | Literal["needed"]] = []
    """Any of these kinds of attention; `needed` are all that need somebody."""
    label: list[Short] = []
    """`KEY`, or `KEY=VALUE`; all of them."""
    node: Short | None = None
    driver: Short | None = None
    q: Short | None = None
    """Text in name, command, directory, role, model, or a label, in any case."""
    limit: Limit = 100
    cursor: Short | None = None


class StopQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to stop an agent."""

    grace_s: Annotated[float, Meta(ge=0, le=3600)] | None = None
    """Seconds between SIGTERM and SIGKILL; absent means the setting `agents.grace_s`."""
    purge: bool = False
    """Remove the agent, which must have ended, with its recordings and logs."""


class ScreenQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to show the screen; absent means by the `Accept` header."""

    format: Literal["text", "json"] | None = None


class LogsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which lines to read; without `tail` they are read forward from the beginning or from `cursor`."""

    tail: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    """The newest lines, this many; not together with `cursor`."""
    since: Annotated[str, Meta(max_length=64)] | None = None
    """Lines from this time on (RFC 3339)."""
    until: Annotated[str, Meta(max_length=64)] | None = None
    """Lines before this time (RFC 3339)."""
    stream: Literal["stdout", "stderr"] | None = None
    grep: Annotated[str, Meta(max_length=1024)] | None = None
    """Lines that hold this text, literally."""
    session: Short | None = None
    """An older session; absent means the newest."""
    limit: Limit = 100
    cursor: Short | None = None
    follow: bool = False
    """Go on with new lines as plain text until the session ends."""


class ImageBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture; `data` is base64."""

    media_type: Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
    data: Annotated[str, Meta(max_length=700_000)]


class PromptBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prompt for a structured agent."""

    prompt: Annotated[str, Meta(min_length=1, max_length=524_288)]
    turn_id: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
    """Chosen by the caller, so that a repeated request prompts once."""
    policy: Literal["queue", "steer", "interrupt"] = "queue"
    """What to do while a turn runs: wait for its end, add to it, or end it."""
    images: list[ImageBody] = []
    options: dict[str, str] = {}
    """`model` and `permission_mode` to change to first; all else is set when the agent is started."""


class PromptQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether to answer with the turn's result."""

    wait: bool = False
    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None


class TurnQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which turns."""

    session: Short | None = None
    """An older session; absent means the newest."""


class ApprovalsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which approvals to list."""

    agent: Short | None = None
    state: Literal["open", "decided", "all"] = "open"
    limit: Limit = 100
    cursor: Short | None = None


class DecisionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to answer an agent that asks."""

    decision: Literal["allow", "deny"]
    choice: Short | None = None
    """The id of one of the approval's choices; must agree with `decision`."""
    reason: Annotated[str, Meta(max_length=8192)] | None = None
    input: dict[str, Any] | None = None
    """The tool's input, edited."""
    answers: dict[str, str] | None = None
    """For a question: the answer to each, by the question's text."""
    remember: bool = False
    """Do not ask again for the like."""
    interrupt: bool = False
    """With `deny`: end the turn too."""


class ApproveFrame(DecisionBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `data` of the socket's `approve` command."""

    approval_id: Short
    decision: Literal["allow", "deny"] = "allow"


class UsageQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the agents' spending to sum, and by what."""

    by: list[Literal["day", "agent", "session", "model", "turn"]] = []
    """A sum for each different value of these; absent means one sum."""
    agent: Short | None = None
    session: Short | None = None
    model: Short | None = None
    since: Annotated[str, Meta(max_length=64)] | None = None
    """From this time on (RFC 3339)."""
    until: Annotated[str, Meta(max_length=64)] | None = None
    """Before this time (RFC 3339)."""
    limit: Limit = 1000
