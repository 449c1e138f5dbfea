"""What a driver is: one CLI's command line and its language.

A session's recording is read frame by frame; a `Codec` is fed what the agent wrote and what people asked for, in that
order, and gives back items: events (numbered and timed by others), and the few values below that move a conversation
on. It never writes itself: `Write` says what is to be written. So a session read again gives the same events, and a
server that is killed goes on where the recording ends.

Rules for codecs:

1. A line that is not understood is an `Unknown` event with the raw line; fields and types not known are passed over
   or kept in `details`. Nothing raises at what an agent says.
2. Everything remembered is in `save`, and small: it is stored with every checkpoint.
3. `Usage` events are deltas, whatever the CLI reports.
4. What comes from people was checked before; what is written is one whole line of valid JSON.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from roost.model.agents import AgentOptions, Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import AnyEvent


class Abilities(Struct, frozen=True, kw_only=True):
    """What can be done with an agent of this kind; the table in the docs is made from it."""

    prompts: bool = True
    """Whether it takes prompts while it runs; otherwise its one prompt is an argument."""
    approvals: bool = False
    questions: bool = False
    edited_input: bool = False
    """Whether an approval may change the tool's input."""
    interrupt: bool = False
    steer: bool = False
    resume: bool = False
    fork: bool = False
    chosen_id: bool = False
    """Whether we say what id a new conversation has."""
    images: bool = False
    thinking: bool = False
    partial: bool = False
    """Whether text comes in pieces while it is made."""
    plan: bool = False
    subagents: bool = False
    usage: bool = False
    cost: bool = False
    change_model: bool = False
    change_mode: bool = False


class Launch(Struct, frozen=True, kw_only=True):
    """What is to be started; `conversation_id` is one to go on with, or, new, one chosen by us."""

    command: list[str]
    options: AgentOptions
    cwd: str
    conversation_id: str | None = None
    resume: bool = False
    fork: bool = False


class Launched(NamedTuple):
    """What the keeper is to start: the whole argument list, and variables to add to the environment."""

    argv: list[str]
    env: dict[str, str]


class Opening(Struct, frozen=True, kw_only=True):
    """What a codec knows at its start, from the recording's header."""

    argv: list[str]
    definition: Definition


class Image(Struct, frozen=True):
    """A picture that goes with a prompt; `data` is base64."""

    media_type: str
    data: str


class Decision(Struct, frozen=True, kw_only=True):
    """What somebody decided; `choice` is one of the approval's choices, `input` replaces the tool's, `answers` are by
    question."""

    allow: bool
    choice: str | None = None
    reason: str | None = None
    input: dict[str, Any] | None = None
    answers: dict[str, str] | None = None
    remember: bool = False
    interrupt: bool = False


class Write(NamedTuple):
    """A line, with its line feed, for the agent's standard input."""

    data: bytes


class Ready(NamedTuple):
    """The agent takes prompts."""


class Taken(NamedTuple):
    """The agent took a prompt up: the one of this id or, without one, that was sent; nobody's where none was.

    `prompt` is what somebody typed into the agent's own screen.
    """

    turn_id: str | None = None
    native_id: str | None = None
    prompt: str | None = None


class Finished(NamedTuple):
    """The running turn is over: `completed`, `failed` or `interrupted`; `text` is its answer."""

    state: str
    text: str = ""
    reason: str | None = None
    details: dict[str, Any] | None = None
    turn_id: str | None = None


class Refused(NamedTuple):
    """The agent did not take a prompt."""

    turn_id: str | None
    reason: str


class Busy(NamedTuple):
    """The agent works, or no longer works, whether or not a turn runs (as background tasks do)."""

    busy: bool


class Withdrawn(NamedTuple):
    """The agent no longer waits for an answer."""

    approval_id: str
    reason: str


class Stopped(NamedTuple):
    """The agent cannot go on by itself: `login`, `quota`, `trust`; `None`: it can again."""

    problem: str | None
    message: str = ""


Item = AnyEvent | Write | Ready | Taken | Finished | Refused | Busy | Withdrawn | Stopped
"""Events among them have `seq` and `time_ns` 0, `duration_ms` of tool results None, `turn_id` of usage None: others
fill these in."""


class Codec(Protocol):
    """One session's conversation in a CLI's language. Times are wall time in nanoseconds."""

    def open(self, opening: Opening) -> list[Item]:
        """The session begins: what is to be written first. A codec whose agent needs no greeting gives `Ready`."""

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line of the agent's standard output, without its line feed."""

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """Nothing runs, the agent is ready, and this is next."""

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The same while a turn runs, for agents that can."""

    def interrupt(self) -> list[Item]:
        """The running turn is to end."""

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """Somebody decided what the agent asked."""

    def change(self, what: str, value: str) -> list[Item]:
        """Another `model` or `mode`."""

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """The process ended; what was held back is told. There is no code where a signal ended it, or nobody saw."""

    def save(self) -> Any:
        """What `load` needs, made of what MessagePack knows."""

    def load(self, saved: Any) -> None:
        """Go on from what `save` gave."""


class Driver(Protocol):
    """A kind of agent."""

    name: str
    abilities: Abilities

    def launch(self, request: Launch) -> Launched:
        """How it is started.

        Raises:
            InvalidRequest: an option this CLI does not have, or a value it does not know; the hint says what it has.
        """

    def codec(self) -> Codec:
        """A new session's codec."""
