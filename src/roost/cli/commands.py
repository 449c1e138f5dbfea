"""Which commands there are, in the order in which help shows them, and the module that holds each.

A command's module has `configure_NAME(parser)`, which declares its arguments, and `NAME(options) -> int`, which does
it and returns the exit code (dashes in a name become underscores). Only the module of the given command is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


class Command(NamedTuple):
    """One command; `module` is a module of `roost.cli`."""

    name: str
    module: str
    help: str

    @property
    def identifier(self) -> str:
        return self.name.replace("-", "_")

    def load(self) -> tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]:
        """Its `configure` and its function."""
        from importlib import import_module

        module = import_module(f"roost.cli.{self.module}")
        return getattr(module, f"configure_{self.identifier}"), getattr(module, self.identifier)


class Group(NamedTuple):
    title: str
    commands: tuple[Command, ...]


GROUPS: tuple[Group, ...] = (
    Group(
        "agents",
        (
            Command("run", "run", "start an agent, attached like a local terminal or in the background"),
            Command("attach", "run", "show an agent's terminal here and type into it"),
            Command("adopt", "adopt", "watch a coding agent that was started without roost"),
            Command("ps", "ps", "list agents, those that need you first"),
            Command("explain", "explain", "say what an agent is about, on what evidence, and what to do"),
            Command("logs", "logs", "print what agents said, as clean lines"),
            Command("screen", "screen", "print an agent's terminal as it stands"),
            Command("send", "send", "type text, keys or a file into an agent"),
            Command("wait", "wait", "wait for an agent's end, a state, something it says, or until it needs you"),
            Command("events", "events", "print events as NDJSON"),
            Command("usage", "usage", "print the tokens and the money that agents spent"),
        ),
    ),
    Group(
        "coding agents",
        (
            Command("prompt", "prompt", "give a coding agent a prompt, and wait for the answer or not"),
            Command("interrupt", "prompt", "end the turn that a coding agent is at"),
            Command("turns", "prompt", "list what a coding agent was asked, and how it ended"),
            Command("approvals", "approvals", "list what coding agents ask before they go on"),
            Command("approve", "approvals", "allow what a coding agent asks, or answer its question"),
            Command("deny", "approvals", "refuse what a coding agent asks"),
        ),
    ),
    Group(
        "control",
        (
            Command("stop", "control", "ask agents to end, and end them after a grace period"),
            Command("kill", "control", "end agents at once"),
            Command("pause", "control", "halt all processes of agents"),
            Command("resume", "control", "let paused agents go on"),
            Command("signal", "control", "send a signal to agents"),
            Command("restart", "control", "stop agents and start them again as they were"),
            Command("rm", "control", "forget ended agents, their recordings and logs"),
        ),
    ),
    Group(
        "server",
        (
            Command("up", "up", "start the server in the background"),
            Command("down", "up", "stop the server; agents live on"),
            Command("serve", "serve", "run the server in the foreground"),
            Command("open", "open", "open the page in a browser"),
            Command("status", "status", "say how server and keeper are"),
            Command("token", "token", "print the token"),
            Command("config", "config", "show settings and where each came from"),
            Command("doctor", "doctor", "find what is missing or weak on this machine"),
        ),
    ),
    Group(
        "recordings",
        (
            Command("recording", "recording", "verify, describe or print recordings"),
            Command("reproject", "reproject", "make database and logs again from the recordings"),
        ),
    ),
    Group(
        "this program",
        (
            Command("completion", "completion", "print a completion script for bash, zsh or fish"),
            Command("version", "version", "print the version"),
        ),
    ),
)


def all_commands() -> list[Command]:
    """Every command, in help's order."""
    return [command for group in GROUPS for command in group.commands]


def find(name: str) -> Command | None:
    """The command of that name."""
    return next((command for command in all_commands() if command.name == name), None)
