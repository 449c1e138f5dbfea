"""What Claude Code says, thinks and does: its lines `assistant`, `user` and `stream_event` as events."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from roost.agents.claude_lines import Block, Line, Message, Report, ResultNote, read_as, read_notes
from roost.agents.claude_plan import LISTING, planned, settled
from roost.agents.claude_state import State, remember
from roost.agents.claude_tools import EDITING, call_path, call_title
from roost.agents.driver import Item, Stopped, Taken, Withdrawn
from roost.agents.json_in import unknown
from roost.agents.line_diff import count_changed
from roost.agents.titles import one_line
from roost.model.events import Error, FileChange, Notice, Output, Thinking, ToolCall, ToolResult

SYNTHETIC = "<synthetic>"
"""The model of messages that the CLI makes itself, such as errors."""
PROBLEMS = {
    "authentication_failed": "login",
    "oauth_org_not_allowed": "login",
    "account_on_hold": "login",
    "verification_required": "login",
    "cloud_credential_error": "login",
    "billing_error": "quota",
    "rate_limit": "quota",
}
"""What the agent cannot get past by itself, by the errors of its messages."""
_EXIT = re.compile(r"Exit code (\d{1,5})\b")
_INTERRUPTED = "[Request interrupted by user"
_COMMAND_OUTPUT = re.compile(r"<local-command-(?:stdout|stderr)>(.*?)</local-command-(?:stdout|stderr)>", re.DOTALL)


def assistant(state: State, line: Line, data: bytes) -> list[Item]:
    """A message of the model, or one block of it."""
    message, parent = line.message, line.parent_tool_use_id
    if not isinstance(message, Message):
        return [unknown(data, "a message without a body")]
    if line.is_api_error_message:
        return _failure(state, line, message)
    items = stopped(state, None) if state.problem is not None and message.model != SYNTHETIC else []
    for block in blocks(message.content):
        if block.type == "text":
            if block.text:
                items.append(Output(0, 0, block.text, message.id, False, parent))
        elif block.type in ("tool_use", "server_tool_use", "mcp_tool_use"):
            items += _call(state, block, parent)
        elif block.type in ("thinking", "redacted_thinking"):
            if block.thinking:
                items.append(Thinking(0, 0, block.thinking, message.id, False, parent))
        elif block.tool_use_id:
            items += _result(state, line, block, None, None)
        else:
            items.append(unknown(data, f"a block of the type {one_line(block.type, 64)!r}"))
    return items


def stream_event(state: State, line: Line, data: bytes) -> list[Item]:
    """A piece of a message that is being made."""
    event = line.event
    if event is None or isinstance(event, str):
        return []
    parent = line.parent_tool_use_id
    delta = event.delta
    if event.type == "message_start" and event.message is not None:
        remember(state.messages, parent or "", event.message.id)
    elif event.type == "message_stop":
        state.messages.pop(parent or "", None)
    elif delta is not None and event.type == "content_block_delta":
        message_id = line.api_message_id or state.messages.get(parent or "", "")
        if delta.type == "text_delta":
            return [Output(0, 0, delta.text, message_id, True, parent)]
        if delta.type == "thinking_delta":
            return [Thinking(0, 0, delta.thinking, message_id, True, parent)]
    return []


def user(state: State, line: Line, data: bytes) -> list[Item]:
    """Tools' results, prompts said again, and prompts that the CLI makes itself."""
    message = line.message
    if not isinstance(message, Message):
        return [unknown(data, "a message without a body")]
    if line.isReplay and line.uuid in state.waiting:
        return taken(state, line.uuid)
    items: list[Item] = []
    notes = {note.id: note for note in _notes(line.tool_result_meta)} if line.tool_result_meta is not UNSET else {}
    # What is told beside a result does not say of which, so that it counts only where there is one.
    report = _report(line.tool_use_result) if line.tool_use_result is not UNSET and len(message.content) == 1 else None
    for block in blocks(message.content):
        if block.type == "tool_result":
            items += _result(state, line, block, notes.get(block.tool_use_id), report)
        elif block.type == "text":
            items += _said(state, line, block.text or "")
        elif not line.isReplay:
            items.append(unknown(data, f"a block of the type {one_line(block.type, 64)!r}"))
    return items


def blocks(content: list[Block] | str) -> list[Block]:
    """A message's content, which may be mere text."""
    return [Block(type="text", text=content)] if isinstance(content, str) else content


def taken(state: State, uuid: str) -> list[Item]:
    """A prompt was taken up, which is told once."""
    turn_id = state.waiting.pop(uuid, None)
    if turn_id is None:
        return []
    state.working = True
    return [Taken(turn_id, uuid)]


def stopped(state: State, problem: str | None, message: str = "") -> list[Item]:
    """What the agent cannot get past by itself, where that is another than before."""
    if problem == state.problem:
        return []
    state.problem = problem
    return [Stopped(problem, message)]


# The model


def _failure(state: State, line: Line, message: Message) -> list[Item]:
    """What the CLI says in the model's place when the model cannot be asked."""
    text = "\n".join([block.text or "" for block in blocks(message.content)])
    details = {"error": line.error, "status": line.api_error_status, "type": line.api_error_type}
    told = Error(0, 0, "API_ERROR", text, {name: value for name, value in details.items() if value is not None})
    problem = PROBLEMS.get(line.error) if isinstance(line.error, str) else None
    return [told, *(stopped(state, problem, text) if problem is not None else [])]


def _call(state: State, block: Block, parent: str | None) -> list[Item]:
    given: dict[str, Any] = block.input if isinstance(block.input, dict) else {}
    name = block.name
    call = ToolCall(0, 0, block.id, name, given, call_title(name, given, state.cwd), call_path(given), parent)
    if name in EDITING:
        remember(state.edits, block.id, name)
    elif name in LISTING:
        return [call, *planned(state, name, block.id, given)]
    return [call]


# The user's side


def _result(state: State, line: Line, block: Block, note: ResultNote | None, report: Report | None) -> list[Item]:
    content, is_error, call = _text(block.content), bool(block.is_error), block.tool_use_id
    details: dict[str, Any] = {}
    if is_error and (code := _EXIT.match(content)):
        details["exit_code"] = int(code[1])
    if note is not None:
        details |= _verdict(note)
    if report is not None:
        _told(report, details)
    items: list[Item] = [ToolResult(0, 0, call, "", content, is_error, None, line.parent_tool_use_id, details)]
    if (asked := state.asks.pop(call, None)) is not None:
        items.append(Withdrawn(asked, "the agent went on without an answer"))
    if call in state.creating:
        items += settled(state, call, content, report)
    if state.edits.pop(call, None) is not None and report is not None and not is_error:
        items += _change(report, call)
    return items


def _verdict(note: ResultNote) -> dict[str, Any]:
    verdict = note.permission_decision
    if note.non_execution_kind is None and (verdict is None or verdict.decision != "reject"):
        return {}
    found: dict[str, Any] = {"denied": True}
    if note.non_execution_kind is not None:
        found["denied_as"] = note.non_execution_kind
    if verdict is not None:
        found |= {"denied_by": verdict.source} | ({"rule": verdict.reason_type} if verdict.reason_type else {})
    return found


def _told(report: Report, details: dict[str, Any]) -> None:
    if report.interrupted is True:
        details["interrupted"] = True
    if report.backgroundTaskId:
        details["background_task"] = report.backgroundTaskId
    if report.persistedOutputPath:
        details["whole_output"] = report.persistedOutputPath
    if report.agentId:
        details["agent_id"] = report.agentId


def _change(report: Report, tool_use_id: str) -> list[Item]:
    path = report.filePath or report.notebook_path
    if path is None:
        return []
    whole = report.content if isinstance(report.content, str) else None
    size = len(whole.encode(errors="surrogatepass")) if whole is not None else None
    if report.type == "create":
        return [FileChange(0, 0, path, "created", size, _lines(whole or ""), 0, tool_use_id)]
    added = removed = None
    if isinstance(report.original_file, str) and isinstance(report.updated_file, str):
        added, removed = count_changed(report.original_file, report.updated_file)
    elif report.structuredPatch is not None:
        lines = [line for hunk in report.structuredPatch for line in hunk.lines]
        added = sum(line.startswith("+") for line in lines)
        removed = sum(line.startswith("-") for line in lines)
    return [FileChange(0, 0, path, "modified", size, added, removed, tool_use_id)]


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n") and text != "")


def _said(state: State, line: Line, text: str) -> list[Item]:
    if text.startswith(_INTERRUPTED):
        state.interrupted = True
        return []
    parent = line.parent_tool_use_id
    details: dict[str, Any] = {"parent_tool_use_id": parent} if parent else {}
    if found := _COMMAND_OUTPUT.findall(text):
        return [Notice(0, 0, "COMMAND_OUTPUT", "\n".join(found).strip(), details)]
    if line.isReplay:
        return []
    code = "SUBAGENT_PROMPT" if parent else "SYNTHETIC_PROMPT" if line.isSynthetic else "USER_MESSAGE"
    return [Notice(0, 0, code, text, details)] if text else []


def _text(content: object) -> str:
    """The text of what a tool gave."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join([_piece(part) for part in content])
    return "" if content is None else msgspec.json.encode(content).decode()


def _piece(part: object) -> str:
    if isinstance(part, dict):
        text = part.get("text")
        return text if isinstance(text, str) else f"[{one_line(str(part.get('type', 'object')), 64)}]"
    return str(part)


def _notes(raw: Raw) -> list[ResultNote]:
    try:
        return read_notes(raw)
    except msgspec.DecodeError:
        return []


def _report(raw: Raw) -> Report | None:
    """What a tool told beside its result, where that is an object: failures are told as text."""
    try:
        return read_as(Report, raw)
    except msgspec.ValidationError:
        return None
