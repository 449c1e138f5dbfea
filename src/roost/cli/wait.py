"""`roost wait`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.deadline import TimeIsUp, alarm
from roost.cli.output import say, write_json
from roost.cli.parser import add_shared
from roost.cli.session import backend, data_directory
from roost.client.backend import ENDED
from roost.errors import InvalidRequest, TimedOut

if TYPE_CHECKING:
    import argparse

    Json = dict[str, Any]

STATES = ("starting", "running", "waiting", "idle", "paused", "stopping", "exited", "failed", "lost")
NEEDY = frozenset({"waits", "looping", "stuck", "failed"})
NOTES = """\
'--for exit' (the default) gives back the agent's exit code, 128+n where signal n ended it; of several agents the first
that is not 0. '--for attention' returns once an agent needs somebody: it waits for a permission, an answer, a login or
input, has failed, is stuck, or goes in circles. What is there already counts. 124 where the time ran out, 1 where the
agent ended without it.
"""


def configure_wait(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    parser.add_argument("names", nargs="+", metavar="NAME", help="the agents; all of them are waited for")
    text = f"'exit', 'output=TEXT' (a line with this text), 'attention', or a state: {', '.join(STATES)}"
    parser.add_argument("--for", dest="what", default="exit", metavar="WHAT", help=text)
    parser.add_argument("--timeout", metavar="TIME", help="how long at most, such as 30 or 5m (default: no limit)")


def wait(options: argparse.Namespace) -> int:
    """Wait for every agent that is named."""
    from roost.cli.moments import seconds

    goal = Goal(options.what)
    deadline = None if options.timeout is None else time.monotonic() + seconds(options.timeout)
    views = [_wait_one(name, goal, deadline, options) for name in options.names]
    if options.json:
        write_json({"agents": views})
    codes = [_code(view, goal) for view in views]
    return next((code for code in codes if code), exits.OK)


class Goal:
    """What is waited for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.output = text.removeprefix("output=") if text.startswith("output=") else None
        if self.output == "" or (self.output is None and text not in ("exit", "attention", *STATES)):
            raise InvalidRequest(f"{text!r} cannot be waited for", hint="give exit, output=TEXT, attention or a state")

    @property
    def is_exit(self) -> bool:
        return self.text == "exit"

    @property
    def counts_from_the_beginning(self) -> bool:
        """What an agent said counts whenever it was; a state only from now on."""
        return self.is_exit or self.output is not None

    def is_met(self, view: Json) -> bool:
        """Whether the agent as it stands is what is waited for."""
        if self.text == "attention":
            return view.get("attention") is not None
        return view["state"] in ENDED if self.is_exit else view["state"] == self.text

    def is_met_by(self, body: Json) -> bool:
        """Whether an event is what is waited for."""
        if self.output is not None:
            return bool(body["type"] == "log" and self.output in body["data"]["line"])
        if self.is_exit:
            return bool(body["type"] == "complete")
        if self.text == "attention":
            return _tells_of_need(body)
        return bool(body["type"] == "state" and body["data"]["state"] == self.text)


def _tells_of_need(body: Json) -> bool:
    data = body["data"]
    return bool(
        (body["type"] == "state" and data["state"] in ("waiting", "failed", "lost"))
        or (body["type"] == "mark" and data["name"] == "attention" and data["data"].get("kind") in NEEDY)
        or (body["type"] == "turn" and data["state"] == "failed")
    )


def _wait_one(name: str, goal: Goal, deadline: float | None, options: argparse.Namespace) -> Json:
    # The position comes before the look at the agent, so that no change falls between the two.
    after = "" if goal.counts_from_the_beginning else _now(name, options)
    with backend(options) as found:
        view = found.agent(name)
    if goal.output is None and goal.is_met(view):
        return view | {"met": True}
    may_come = view["state"] not in ENDED or goal.output is not None
    met = may_come and _watch(name, after or f"{view['session_id']}:0", goal, deadline, options)
    with backend(options) as found:
        now = found.agent(name)
    if not met:
        say(f"roost: agent {name} ended ({now['state']}) without {goal.text}")
    return now | {"met": met}


def _watch(name: str, after: str, goal: Goal, deadline: float | None, options: argparse.Namespace) -> bool:
    """Whether it came before the session ended."""
    from roost.client.backend import connect
    from roost.client.following import follow

    data = data_directory(options)
    events = follow(lambda: connect(data), name, after, lost=lambda _: None)
    try:
        with alarm(deadline):
            return any(goal.is_met_by(event.body) for event in events)
    except TimeIsUp:
        raise TimedOut(f"agent {name} did not reach {goal.text} in time", name=name) from None


def _now(name: str, options: argparse.Namespace) -> str:
    """The position of an agent's newest event: a state counts from now on."""
    with backend(options) as found:
        position = ""
        for event in found.events(name, "", follow=False):
            position = event.position
    return position


def _code(view: Json, goal: Goal) -> int:
    if not goal.is_exit:
        return exits.OK if view["met"] else exits.FAILED
    return exits.of_agent(view.get("exit_code"), view.get("signal"))
