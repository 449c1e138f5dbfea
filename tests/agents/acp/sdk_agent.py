"""An agent built on the official Python SDK, and the other end: our codec, at a socket.

The SDK checks everything we say against the protocol's schema, and says everything as its own types would.
"""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

from acp import PROTOCOL_VERSION, Agent, RequestError
from acp.agent.connection import AgentSideConnection
from acp.helpers import (
    plan_entry,
    start_tool_call,
    text_block,
    tool_content,
    tool_diff_content,
    update_agent_message_text,
    update_agent_thought_text,
    update_plan,
    update_tool_call,
)
from acp.schema import (
    AgentCapabilities,
    AuthMethodAgent,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    NewSessionResponse,
    PermissionOption,
    PromptCapabilities,
    PromptResponse,
    SessionMode,
    SessionModeState,
    SetSessionModeResponse,
    ToolCallUpdate,
    Usage,
)

from roost.agents.acp_codec import AcpCodec
from roost.core.recording import Input
from roost.model.agents import AgentOptions
from roost.model.events import AnyEvent
from tests.agents.goldens import NO_OPTIONS, definition, make_decoder

MODES = SessionModeState(
    current_mode_id="ask",
    available_modes=[SessionMode(id="ask", name="Ask"), SessionMode(id="free", name="Ask nothing")],
)
OPTIONS = [
    PermissionOption(option_id="yes", name="Yes", kind="allow_once"),
    PermissionOption(option_id="ever", name="Always", kind="allow_always"),
    PermissionOption(option_id="no", name="No", kind="reject_once"),
]


class SdkAgent(Agent):
    """Does what the prompt's first word says, each a method of its own."""

    def __init__(self, *, login: bool = False) -> None:
        self.client: Any = None
        self.seen: list[tuple[str, Any]] = []
        self.login = login
        self.cancelled = asyncio.Event()

    def on_connect(self, conn: Any) -> None:
        self.client = conn

    async def initialize(self, protocol_version: int, **known: Any) -> InitializeResponse:
        self.seen.append(("initialize", known))
        return InitializeResponse(
            protocol_version=PROTOCOL_VERSION,
            agent_capabilities=AgentCapabilities(load_session=True, prompt_capabilities=PromptCapabilities(image=True)),
            agent_info=Implementation(name="bench", title="Bench", version="3"),
            auth_methods=[AuthMethodAgent(id="web", name="Log in on the web")],
        )

    async def new_session(self, cwd: str, **known: Any) -> NewSessionResponse:
        self.seen.append(("new_session", {"cwd": cwd, **known}))
        if self.login:
            raise RequestError.auth_required()
        return NewSessionResponse(session_id="new-1", modes=MODES)

    async def load_session(self, cwd: str, session_id: str, **known: Any) -> LoadSessionResponse:
        self.seen.append(("load_session", session_id))
        await self.client.session_update(session_id, update_agent_message_text("said long ago"))
        return LoadSessionResponse(modes=MODES)

    async def set_session_mode(self, session_id: str, mode_id: str, **known: Any) -> SetSessionModeResponse:
        self.seen.append(("set_session_mode", mode_id))
        return SetSessionModeResponse()

    async def cancel(self, session_id: str, **known: Any) -> None:
        self.cancelled.set()

    async def prompt(self, prompt: list[Any], session_id: str, **known: Any) -> PromptResponse:
        self.seen.append(("prompt", prompt))
        word = prompt[0].text.partition(" ")[0]
        return await getattr(self, f"do_{word}")(session_id)

    async def tell(self, session_id: str, *updates: Any) -> None:
        for update in updates:
            await self.client.session_update(session_id, update)

    async def do_say(self, session_id: str) -> PromptResponse:
        await self.tell(session_id, update_agent_thought_text("Well."), update_agent_message_text("Good "))
        await self.tell(session_id, update_agent_message_text("morning."))
        usage = Usage(input_tokens=7, output_tokens=3, cached_read_tokens=5, total_tokens=15)
        return PromptResponse(stop_reason="end_turn", usage=usage)

    async def do_work(self, session_id: str) -> PromptResponse:
        entries = [plan_entry("Look", status="completed"), plan_entry("Leap", status="in_progress")]
        await self.tell(
            session_id,
            update_plan(entries),
            start_tool_call("call-1", "Editing", kind="edit", status="in_progress", raw_input={"path": "/w/a.py"}),
            update_tool_call(
                "call-1",
                status="completed",
                content=[tool_diff_content("/w/a.py", "one\ntwo\n", "one\n"), tool_content(text_block("done"))],
            ),
        )
        return PromptResponse(stop_reason="end_turn")

    async def do_ask(self, session_id: str) -> PromptResponse:
        call = ToolCallUpdate(tool_call_id="call-1", title="rm -r /", kind="execute", raw_input={"command": "rm -r /"})
        answer = await self.client.request_permission(session_id, call, OPTIONS)
        self.seen.append(("answer", answer.outcome))
        status = "completed" if getattr(answer.outcome, "option_id", "no") in ("yes", "ever") else "failed"
        await self.tell(session_id, update_tool_call("call-1", status=status))
        return PromptResponse(stop_reason="cancelled" if self.cancelled.is_set() else "end_turn")

    async def do_wait(self, session_id: str) -> PromptResponse:
        await self.tell(session_id, update_agent_message_text("Waiting"))
        await self.cancelled.wait()
        return PromptResponse(stop_reason="cancelled")

    async def do_refuse(self, session_id: str) -> PromptResponse:
        return PromptResponse(stop_reason="refusal")

    async def do_fail(self, session_id: str) -> PromptResponse:
        raise RequestError.internal_error({"details": "the model is on fire"})

    async def do_read(self, session_id: str) -> PromptResponse:
        try:
            await self.client.read_text_file(session_id=session_id, path="/etc/passwd")
        except RequestError as exc:
            self.seen.append(("refused", exc.code))
        return PromptResponse(stop_reason="end_turn")


class Bench:
    """The codec at one end of a socket, an agent of the SDK at the other."""

    def __init__(self, agent: SdkAgent, options: AgentOptions = NO_OPTIONS) -> None:
        self.agent = agent
        self.options = options
        self.decoder = make_decoder(AcpCodec())
        self.events: list[AnyEvent] = []
        self.turns = 0

    async def __aenter__(self) -> Bench:
        ours, theirs = socket.socketpair()
        self.reader, self.writer = await asyncio.open_connection(sock=ours)
        self.agent_reader, self.agent_writer = await asyncio.open_connection(sock=theirs)
        self.connection = AgentSideConnection(self.agent, self.agent_writer, self.agent_reader)
        await self.take(self.decoder.open(["agent"], definition(self.options, "/w"), time.time_ns()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        await self.writer.wait_closed()
        await self.connection.close()
        self.agent_writer.close()
        await self.agent_writer.wait_closed()

    async def take(self, events: list[AnyEvent] | None) -> None:
        """Keep what was told; say what is to be said."""
        self.events += events or []
        for item in self.decoder.state.outgoing:
            self.writer.write(item.data)
            self.events += self.decoder.input(Input("conversation", item.number, item.data), time.time_ns())
        await self.writer.drain()

    async def mark(self, name: str, **data: Any) -> None:
        """Somebody asks for something."""
        await self.take(self.decoder.mark(name, data, time.time_ns()))

    async def prompt(self, text: str, **more: Any) -> None:
        """The next prompt."""
        self.turns += 1
        await self.mark("prompt", turn_id=f"turn-{self.turns}", prompt=text, **more)

    async def until(self, fact: str) -> None:
        """Read until there is such an event, by type and state."""
        async with asyncio.timeout(20):
            while not any(fact in repr(event) for event in self.events):
                data = await self.reader.read(7)
                assert data, "the agent hung up"
                await self.take(self.decoder.output(data, time.time_ns()))

    async def turn(self, text: str) -> None:
        """A prompt, until its end."""
        await self.prompt(text)
        await self.until(f"Turn(seq=0, time_ns=0, turn_id='turn-{self.turns}', state='started'")
        while self.decoder.state.running is not None:
            await self.take(self.decoder.output(await self.reader.read(4096), time.time_ns()))
