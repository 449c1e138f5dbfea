"""The other side of Claude Code's control protocol: what the host is asked, and what it has sent meanwhile."""

from __future__ import annotations

import os
import queue
import threading
from typing import Any

from roost.testing.agents import claude_lines as lines
from roost.testing.agents.claude_session import Session
from roost.testing.agents.output import Output
from roost.testing.agents.performing import Interrupted

Json = dict[str, Any]
CLOSED = object()
CANCELLED = object()


def text_of(prompt: Json) -> str:
    """The text of a user message."""
    content = prompt["message"]["content"]
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block.get("type") == "text")


def is_command(prompt: Json) -> bool:
    """Whether a user message is a slash command."""
    return text_of(prompt).startswith("/")


class Host:
    """Whoever reads our output and writes our input. `ask` is called by the turn, all else by the reader of input."""

    def __init__(self, session: Session, output: Output) -> None:
        self._session = session
        self._output = output
        self._lock = threading.Lock()
        self._asked: dict[str, queue.SimpleQueue[Any]] = {}
        self._ever_asked: set[str] = set()
        self._prompts: list[Json] = []
        self._arrival = threading.Condition(self._lock)
        self._is_closed = False
        self._shows_state = os.environ.get("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS") == "1"

    # Prompts

    def add(self, prompt: Json) -> None:
        """A user message came in."""
        self.lifecycle(prompt, "queued")
        with self._arrival:
            self._prompts.append(prompt)
            self._arrival.notify()

    def next_prompt(self) -> Json | None:
        """The next user message; None when there will be no more."""
        with self._arrival:
            self._arrival.wait_for(lambda: self._prompts or self._is_closed)
            return self._prompts.pop(0) if self._prompts else None

    def waiting(self) -> list[Json]:
        """The user messages that wait and are no commands, to be taken into the running turn."""
        with self._lock:
            taken = [prompt for prompt in self._prompts if not is_command(prompt)]
            self._prompts = [prompt for prompt in self._prompts if is_command(prompt)]
            return taken

    def lifecycle(self, prompt: Json, state: str) -> None:
        """Say what becomes of a user message that has an id."""
        if not prompt.get("uuid"):
            return
        line = {"type": "command_lifecycle", "command_uuid": prompt["uuid"], "state": state}
        self._output.send({**line, "uuid": lines.new_id(), "session_id": self._session.id})

    def state(self, state: str) -> None:
        """Say whether the session runs, waits or is idle, if that is wanted."""
        if self._shows_state:
            self._output.send(lines.system(self._session.id, "session_state_changed", state=state))

    # Questions

    def ask(self, call_id: str, request: Json) -> Json | None:
        """Ask the host and wait for its answer; None when it is gone.

        Raises:
            Interrupted: the turn was interrupted meanwhile.
        """
        request_id = lines.new_id()
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            self._ever_asked.add(call_id)
            self._asked[request_id] = answers
        self.state("requires_action")
        self._output.send({"type": "control_request", "request_id": request_id, "request": request})
        answer: Any = CLOSED if self._is_closed else answers.get()
        self.state("running")
        if answer is CANCELLED:
            raise Interrupted
        return None if answer is CLOSED else dict(answer)

    def had_asked(self, call_id: str) -> bool:
        """Whether the host was asked about a call."""
        return call_id in self._ever_asked

    def answer(self, response: Json) -> None:
        """The host answered; an answer to no question is ignored, as is a second one."""
        with self._lock:
            answers = self._asked.pop(response.get("request_id", ""), None)
        if answers is None:
            return
        if self._session.flags.is_on("--replay-user-messages"):
            self._output.send({"type": "control_response", "response": response})
        if response.get("subtype") == "success":
            answers.put(response.get("response") or {})
        else:
            answers.put({"behavior": "deny", "message": str(response.get("error", "refused"))})

    def cancel(self) -> list[queue.SimpleQueue[Any]]:
        """Take back all questions; who waits for their answers goes on when it is given `CANCELLED`."""
        with self._lock:
            taken, self._asked = self._asked, {}
        for request_id in taken:
            self._output.send({"type": "control_cancel_request", "request_id": request_id})
        return list(taken.values())

    def close(self) -> None:
        """There will be no more input."""
        with self._arrival:
            self._is_closed = True
            taken, self._asked = self._asked, {}
            self._arrival.notify()
        for answers in taken.values():
            answers.put(CLOSED)
