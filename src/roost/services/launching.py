"""How a coding agent is started: its driver's command line, and the conversation it goes on with."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import msgspec

from roost.agents.driver import Launch, Launched
from roost.agents.own_screens import cli_of, takes_hooks, takes_session_id, with_hooks, with_session_id
from roost.agents.registry import DRIVERS
from roost.errors import InvalidRequest
from roost.keeper import hook
from roost.model.agents import AgentOptions, Definition, Session


def with_conversation(definition: Definition, previous: Session | None = None) -> Definition:
    """The definition with the conversation it begins, or goes on with after `previous`.

    Raises:
        InvalidRequest: options for a driver that has none.
    """
    driver = DRIVERS.get(definition.driver)
    if driver is None:
        if definition.options != AgentOptions():
            raise InvalidRequest(
                f"the driver {definition.driver} has no options",
                hint=f"they are for {', '.join(DRIVERS)}",
                field="options",
            )
        return _in_own_screen(definition)
    options = definition.options
    talk = previous.conversation if previous is not None else None
    if talk is not None and talk.conversation_id and talk.turns and driver.abilities.resume:
        options = msgspec.structs.replace(options, resume=talk.conversation_id, fork=False)
    chosen = options.resume if not options.fork else None
    if options.resume is None and driver.abilities.chosen_id:
        chosen = str(uuid.uuid4())
    return msgspec.structs.replace(definition, options=options, conversation_id=chosen)


def launched(definition: Definition, hooks_to: Path | None = None) -> Launched:
    """What to start for a definition that `with_conversation` gave.

    With `hooks_to`, a data directory, agents in their own screens that can are to tell there what they wait for.

    Raises:
        InvalidRequest: the driver's CLI does not have one of the options.
    """
    driver = DRIVERS.get(definition.driver)
    if driver is None:
        return Launched(_own_screen(definition, hooks_to), {})
    options = definition.options
    return driver.launch(
        Launch(
            command=definition.command,
            options=options,
            cwd=definition.cwd,
            conversation_id=options.resume if options.resume else definition.conversation_id,
            resume=options.resume is not None,
            fork=options.fork,
        )
    )


def check_changes(definition: Definition, given: dict[str, str]) -> None:
    """Whether an agent's CLI knows the model and the permission mode that its conversation is to change to.

    Raises:
        InvalidRequest: it does not; nothing may run in a mode that nobody meant.
    """
    if given:
        options = AgentOptions(model=given.get("model"), permission_mode=given.get("permission_mode"))
        launched(msgspec.structs.replace(definition, options=options))


def _in_own_screen(definition: Definition) -> Definition:
    """A coding agent in a terminal: where that can be said, its conversation gets an id by which it is found again."""
    named = definition.driver == "terminal" and takes_session_id(definition.command)
    return msgspec.structs.replace(definition, conversation_id=str(uuid.uuid4()) if named else None)


def _own_screen(definition: Definition, hooks_to: Path | None) -> list[str]:
    command, chosen = definition.command, definition.conversation_id
    if hooks_to is not None and definition.driver == "terminal" and takes_hooks(definition.command):
        words = [sys.executable, "-I", "-S", hook.__file__, str(hooks_to), cli_of(definition.command) or ""]
        command = with_hooks(command, words)
    return with_session_id(command, chosen) if chosen else command
