"""A prompt of the Agent Client Protocol: its updates, and what the client is asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from roost.testing.agents.acp_session import WINDOW, AcpSession
from roost.testing.agents.claude_lines import short_id
from roost.testing.agents.claude_usage import tokens_in
from roost.testing.agents.output import Output
from roost.testing.agents.performing import Asked, Interrupted, Performance, TurnEnded, TurnFailed, Verdict
from roost.testing.agents.prelude import prelude
from roost.testing.agents.rpc import Peer, RpcError
from roost.testing.agents.workshop import Outcome, Tools
from roost.testing.models.script import BadStep, Call, Cut, Fail, Fault, Say, Tokens, read_script

Json = dict[str, Any]
INTERNAL_ERROR = -32603
RETRIES = 3
RETRY_PAUSE_S = 0.01
KINDS = {"bash": "execute", "read": "read", "write": "edit", "edit": "edit", "ask": "think", "plan": "think"}
STATUS = {"max_tokens": "max_tokens", "refusal": "refusal"}
OPTIONS = [
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "always", "name": "Yes, always", "kind": "allow_always"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]


class AcpTools(Tools):
    """Tools that reach files through the client."""

    def __init__(self, cwd: Path, session_id: str, peer: Peer) -> None:
        super().__init__(cwd)
        self._session_id = session_id
        self._peer = peer

    def run(self, call: Call, on_output: Any = None, ticket: int | None = None) -> Outcome:
        if call.is_raw or call.tool not in ("read", "write", "edit"):
            return super().run(call, on_output, ticket)
        path = str(self.resolved(call.input["path"]))
        try:
            return self._through_client(call, path)
        except RpcError as exc:
            return Outcome(str(exc), is_error=True, path=path)

    def _through_client(self, call: Call, path: str) -> Outcome:
        before = None if call.tool == "write" and not Path(path).exists() else self._fetch(path)
        if call.tool == "read":
            return Outcome(before or "", path=path, before=before, after=before)
        after = (
            call.input["text"]
            if call.tool == "write"
            else (before or "").replace(call.input["old"], call.input["new"], 1)
        )
        self._peer.ask("fs/write_text_file", {"sessionId": self._session_id, "path": path, "content": after})
        return Outcome("written", path=path, before=before, after=after)

    def _fetch(self, path: str) -> str:
        answer = self._peer.ask("fs/read_text_file", {"sessionId": self._session_id, "path": path})
        return str(answer.get("content", ""))


class AcpTurn:
    """One prompt of a session."""

    def __init__(self, session: AcpSession, peer: Peer, output: Output, *, through_client: bool) -> None:
        self.session = session
        self._peer = peer
        self._output = output
        tools = AcpTools(session.cwd, session.id, peer) if through_client else Tools(session.cwd)
        self._tools = tools
        self._performance = Performance(self, tools)
        self._message = ""
        self._stop = "end_turn"
        self._read = self._written = 0
        self._override: Tokens | None = None

    def interrupt(self) -> None:
        """End it."""
        self._performance.interrupt()

    def kill_tools(self) -> None:
        """End what runs."""
        self._tools.kill()

    def run(self, text: str) -> Json:
        """From the prompt to its answer.

        Raises:
            RpcError: the model's endpoint failed.
        """
        self.session.count(text)
        self.session.remember({"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": text}})
        try:
            self._performance.play([*prelude(), *_answers(text)])
        except Interrupted as exc:
            self._close(exc.pending)
            self._stop = "cancelled"
        except TurnEnded:
            self._stop = "refusal"
        except TurnFailed as exc:
            kind = {"errorKind": "rate_limit" if exc.status == 429 else "api_error", "status": exc.status}
            raise RpcError(INTERNAL_ERROR, f"API Error: {exc.status}", kind) from exc
        return {"stopReason": self._stop, "usage": self._usage()}

    # The model's answer

    def begin(self) -> None:
        self._message = short_id("msg_")
        self._read += self.session.used

    def think(self, text: str) -> None:
        self._chunk("agent_thought_chunk", text)

    def say(self, text: str, pieces: Iterator[str]) -> None:
        for piece in pieces:
            self._chunk("agent_message_chunk", piece)

    def announce(self, call: Call) -> Asked:
        self._written += 20
        return Asked(short_id("call_"), call)

    def stopped(self, reason: str) -> None:
        self._stop = STATUS.get(reason, "max_turn_requests")

    def tokens(self, tokens: Tokens) -> None:
        self._override = tokens

    def finish(self) -> None:
        if self._override is not None:
            self._read, self._written = self._override
        self._override = None
        self.session.cost += self._read * 4e-6 + self._written * 20e-6
        cost = {"amount": self.session.cost, "currency": "USD"}
        self._update({"sessionUpdate": "usage_update", "used": self.session.used, "size": WINDOW, "cost": cost})

    # Tools

    def permit(self, asked: Asked) -> Verdict:
        call = asked.call
        if call.tool == "plan" and not call.is_raw:
            return Verdict(call)
        if self._is_free(call):
            self._update({"sessionUpdate": "tool_call", **self._described(asked), "status": "in_progress"})
            return Verdict(call)
        self._update({"sessionUpdate": "tool_call", **self._described(asked), "status": "pending"})
        return self._decided(asked, self._ask(asked))

    def output(self, asked: Asked, text: str) -> None:
        """Output is shown when the command is done."""

    def result(self, asked: Asked, ran: Call, outcome: Outcome) -> None:
        self.session.count(outcome.text)
        if ran.tool == "plan" and not ran.is_raw:
            self._plan(ran)
            return
        content: list[Json] = [{"type": "content", "content": {"type": "text", "text": outcome.text}}]
        if outcome.after is not None and ran.tool != "read" and not outcome.is_error:
            change = {"path": outcome.path, "oldText": outcome.before, "newText": outcome.after}
            content = [{"type": "diff", **change}]
        status = "failed" if outcome.is_error else "completed"
        known: Json = {"status": status, "content": content, "rawOutput": _raw(outcome)}
        self._update({"sessionUpdate": "tool_call_update", "toolCallId": asked.id, **known})

    def refused(self, asked: Asked, verdict: Verdict) -> None:
        content = [{"type": "content", "content": {"type": "text", "text": verdict.reason}}]
        self._update(
            {"sessionUpdate": "tool_call_update", "toolCallId": asked.id, "status": "failed", "content": content}
        )

    # What goes wrong

    def fail(self, fail: Fail) -> None:
        if fail.model in self.session.model and (fail.times > RETRIES or fail.status in (400, 401)):
            raise TurnFailed(fail.status)
        time.sleep(RETRY_PAUSE_S)

    def cut(self, cut: Cut) -> None:
        if cut.times > RETRIES:
            raise TurnFailed(0)

    def fault(self, fault: Fault) -> None:
        update = {"sessionUpdate": "never_heard_of", "content": 1}
        example = {"jsonrpc": "2.0", "method": "session/update"}
        self._output.fault(fault, {**example, "params": {"sessionId": self.session.id, "update": update}})

    def steered(self) -> list[str]:
        return []

    # Updates

    def _update(self, update: Json) -> None:
        self.session.remember(update)
        self._peer.notify("session/update", {"sessionId": self.session.id, "update": update})

    def _chunk(self, kind: str, text: str) -> None:
        self._written += tokens_in(text)
        self.session.count(text)
        self._update({"sessionUpdate": kind, "content": {"type": "text", "text": text}, "messageId": self._message})

    def _plan(self, ran: Call) -> None:
        entries = [
            {"content": item["text"], "priority": "medium", "status": item["status"]} for item in ran.input["items"]
        ]
        self._update({"sessionUpdate": "plan", "entries": entries})

    def _described(self, asked: Asked) -> Json:
        call = asked.call
        path = str(self.session.cwd / call.input["path"]) if "path" in call.input else ""
        title = str(call.input.get("command") or (f"{call.tool.title()} {call.input.get('path', '')}".strip()))
        kind = "other" if call.is_raw else KINDS.get(call.tool, "other")
        known: Json = {"toolCallId": asked.id, "title": title, "kind": kind, "rawInput": call.input, "content": []}
        return {**known, "locations": [{"path": path}] if path else []}

    def _is_free(self, call: Call) -> bool:
        if self.session.mode == "yolo" or (call.tool == "read" and not call.is_raw):
            return call.tool != "ask"
        return call.tool in self.session.always

    def _ask(self, asked: Asked) -> str:
        described = {**self._described(asked), "status": "pending"}
        options = OPTIONS
        if asked.call.tool == "ask":
            choices = asked.call.input["choices"]
            options = [{"optionId": one, "name": one, "kind": "allow_once"} for one in choices]
            described["title"] = asked.call.input["question"]
        params = {"sessionId": self.session.id, "toolCall": described, "options": options}
        try:
            outcome = self._peer.ask("session/request_permission", params).get("outcome") or {}
        except RpcError:
            return "no"
        if outcome.get("outcome") == "cancelled":
            raise Interrupted(asked)
        return str(outcome.get("optionId", "no"))

    def _decided(self, asked: Asked, option: str) -> Verdict:
        if option == "always":
            self.session.always.add(asked.call.tool)
        if option == "no":
            return Verdict(None, "The user refused permission to run this tool")
        self._update({"sessionUpdate": "tool_call_update", "toolCallId": asked.id, "status": "in_progress"})
        return Verdict(asked.call)

    def _close(self, pending: tuple[Asked, ...]) -> None:
        for asked in pending:
            self._update({"sessionUpdate": "tool_call_update", "toolCallId": asked.id, "status": "failed"})

    def _usage(self) -> Json:
        total = self._read + self._written
        known = {"inputTokens": self._read, "outputTokens": self._written, "totalTokens": total}
        return {**known, "cachedReadTokens": 0, "cachedWriteTokens": 0}


def _answers(text: str) -> list[Any]:
    try:
        return read_script(text)
    except BadStep as exc:
        return [[Say(f"I do not understand: {exc}")]]


def _raw(outcome: Outcome) -> Json:
    if outcome.exit_code is None:
        return {"output": outcome.text}
    return {"output": outcome.text, "metadata": {"exit": outcome.exit_code}}
