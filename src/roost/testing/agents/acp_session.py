"""A session of a scripted agent of the Agent Client Protocol, and what it can be loaded from."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from roost.testing.agents.claude_usage import tokens_in
from roost.testing.agents.sessions import Transcript, state_directory

Json = dict[str, Any]
SYSTEM_TOKENS = 1000
WINDOW = 200_000


class Unknown(Exception):
    """There is no session of that id; the message is the id."""


class AcpSession:
    """What holds from prompt to prompt.

    `history` are the updates that loading it replays; `used` are tokens, `cost` dollars.
    """

    def __init__(self, cwd: Path, *, session_id: str = "", mode: str = "yolo") -> None:
        self.id = session_id or str(uuid.uuid4())
        self.cwd = cwd
        self.mode = mode
        self.model = "scripted-model"
        self.history: list[Json] = []
        self.used = SYSTEM_TOKENS
        self.cost = 0.0
        self.always: set[str] = set()
        self._transcript = Transcript(state_directory("acp") / f"{self.id}.jsonl")

    @classmethod
    def loaded(cls, session_id: str, cwd: Path) -> AcpSession:
        """A session from its file.

        Raises:
            Unknown: there is none.
        """
        session = cls(cwd, session_id=session_id)
        if not session._transcript.path.exists():
            raise Unknown(session_id)
        for line in session._transcript.lines():
            if "update" in line:
                session.history.append(line["update"])
                session.used += tokens_in(str(line["update"]))
        return session

    def begin(self) -> None:
        """Make the file."""
        self._transcript.append({"session": self.id, "cwd": str(self.cwd)})

    def remember(self, update: Json) -> None:
        """Keep an update for whoever loads the session."""
        self.history.append(update)
        self._transcript.append({"update": update})

    def count(self, text: str) -> None:
        """Something was said or read."""
        self.used += tokens_in(text)
