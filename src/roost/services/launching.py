"""How a coding agent is started: its driver's command line, and the conversation it goes on with."""

from __future__ import annotations

import uuid

import msgspec

from roost.agents.driver import Launch, Launched
from roost.agents.own_screens import takes_session_id, with_session_id
from roost.agents.registry import DRIVERS
from roost.errors import InvalidRequest
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


def launched(definition: Definition) -> Launched:
    """What to start for a definition that `with_conversation` gave.

    Raises:
        InvalidRequest: the driver's CLI does not have one of the options.
    """
    driver = DRIVERS.get(definition.driver)
    if driver is None:
        chosen = definition.conversation_id
        return Launched(with_session_id(definition.command, chosen) if chosen else definition.command, {})
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


def _in_own_screen(definition: Definition) -> Definition:
    """A coding agent in a terminal: where that can be said, its conversation gets an id by which it is found again."""
    named = definition.driver == "terminal" and takes_session_id(definition.command)
    return msgspec.structs.replace(definition, conversation_id=str(uuid.uuid4()) if named else None)
