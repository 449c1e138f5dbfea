"""Starting a driver's CLI, as far as its command line."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.driver import Driver, Launch, Launched
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions


def launch(driver: Driver, *command: str, resume: str | None = None, **options: Any) -> Launched:
    """What is started; `resume` is the conversation to go on with."""
    made = AgentOptions(resume=resume, **options)
    return driver.launch(
        Launch(
            command=list(command),
            options=made,
            cwd="/w",
            conversation_id=resume,
            resume=resume is not None,
            fork=made.fork,
        )
    )


def refused(driver: Driver, *command: str, **options: Any) -> InvalidRequest:
    """The refusal."""
    with pytest.raises(InvalidRequest) as caught:
        launch(driver, *command, **options)
    return caught.value
