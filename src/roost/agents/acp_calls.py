"""Tool calls in the Agent Client Protocol, as far as they are told, and what becomes of them.

A call is told once, when its input is whole: at its start where that has input or says that the call runs, else when
it runs, is asked about or ends, or when the agent goes on to something else. Its result is told once. What comes
after that is passed over.
"""

from __future__ import annotations

from typing import Any, cast

from roost.agents.acp_content import told_by
from roost.agents.acp_state import MAX_CALLS, MAX_CLOSED, MAX_KEPT_OUTPUT, AcpState, Call, Change
from roost.agents.acp_titles import call_title, is_todo, tool_name
from roost.agents.driver import Item
from roost.agents.json_in import kept, object_of, objects_of, text_of, write_text
from roost.agents.line_diff import count_changed
from roost.agents.plans import progress
from roost.core.soundness import sound
from roost.model.events import ChangeKind, FileChange, ToolCall, ToolResult

_DONE = {"completed": False, "failed": True}


def take_call(state: AcpState, update: dict[str, Any], *, start: bool = False) -> list[Item]:
    """A call begins or goes on."""
    call_id = text_of(update.get("toolCallId"))
    if call_id in state.closed:
        return []
    call = fold_call(state, update)
    status = text_of(update.get("status"))
    if status in _DONE:
        return [*tell_call(state, call), *_settle(state, call, failed=_DONE[status])]
    if status == "in_progress" or (start and _has_input(call)):
        return tell_call(state, call)
    return []


def fold_call(state: AcpState, update: dict[str, Any], *, asking: bool = False) -> Call:
    """The call that an update is about, with what it adds. A question's input and words are made to be shown."""
    call_id = text_of(update.get("toolCallId"))
    call = next((one for one in state.calls if one.call_id == call_id), None)
    if call is None:
        call = Call(call_id)
        state.calls = [*state.calls[-MAX_CALLS:], call]
    call.name = tool_name(update) or call.name
    call.kind = text_of(update.get("kind")) or call.kind
    call.title = text_of(update.get("title")) or call.title
    if isinstance(update.get("rawInput"), dict) and not (asking and _has_input(call)):
        _fold_input(call, kept(update["rawInput"]))
    call.parent = told_by(update, "parentToolUseId") or call.parent
    _fold_places(call, objects_of(update.get("locations")))
    _fold_content(call, update.get("content"), asking=asking)
    _fold_result(call, update)
    return call


def _fold_input(call: Call, given: dict[str, Any]) -> None:
    """Input that grew after the call was told goes with its result."""
    if call.told and given != call.input:
        call.details["input"] = given
    call.input = given or call.input


def _fold_places(call: Call, places: list[dict[str, Any]]) -> None:
    if places and call.kind != "execute":
        call.path = text_of(places[0].get("path")) or call.path


def _fold_content(call: Call, given: object, *, asking: bool) -> None:
    """Content given anew is all there is of it; changes stay, as agents end a call without saying them again."""
    content = objects_of(given)
    if isinstance(given, list) and not asking:
        call.text = "\n".join([text for one in content if (text := _content_text(one))])
    call.changes = [_change(one) for one in content if one.get("type") == "diff"] or call.changes


def _fold_result(call: Call, update: dict[str, Any]) -> None:
    if update.get("rawOutput") is not None:
        call.output = sound(update["rawOutput"])
    _fold_meta(call, object_of(update.get("_meta")))


def _content_text(content: dict[str, Any]) -> str:
    return text_of(object_of(content.get("content")).get("text"))


def _change(diff: dict[str, Any]) -> Change:
    """A diff's own kind, where the agent gives one, else what its texts say."""
    old, new = diff.get("oldText"), text_of(diff.get("newText"))
    kind = {"add": "created", "update": "modified", "delete": "deleted"}.get(
        text_of(object_of(diff.get("_meta")).get("kind")), "modified" if old else "created"
    )
    added, removed = count_changed(text_of(old), new)
    return Change(text_of(diff.get("path")), kind, added, removed)


def _fold_meta(call: Call, meta: dict[str, Any]) -> None:
    """A terminal of the agent's own: not part of the protocol, but how several of them tell what a command printed."""
    printed = text_of(object_of(meta.get("terminal_output_delta")).get("data"))
    call.printed = (call.printed + printed)[:MAX_KEPT_OUTPUT]
    whole = text_of(object_of(meta.get("terminal_output")).get("data"))
    call.printed = whole[:MAX_KEPT_OUTPUT] or call.printed
    code = object_of(meta.get("terminal_exit")).get("exit_code")
    if isinstance(code, int):
        call.details["exit_code"] = code
    if told_by({"_meta": meta}, "nonExecutionKind"):
        call.details["denied"] = True


def tell_call(state: AcpState, call: Call) -> list[Item]:
    """The call's event, unless it was told."""
    if call.told:
        return []
    call.told = True
    title, path = call_title(call, state.cwd), call.path or None
    return [ToolCall(0, 0, call.call_id, _tool(call), call.input, title, path, call.parent)]


def _tool(call: Call) -> str:
    return call.name or call.kind or "other"


def waiting_calls(state: AcpState, but: str) -> list[Call]:
    """The calls that have their input and are not told."""
    return [call for call in state.calls if not call.told and call.call_id != but and _has_input(call)]


def _has_input(call: Call) -> bool:
    """A directory alone is no input: opencode tells that of a command first."""
    return bool(call.input) and set(call.input) != {"cwd"}


def tell_calls(state: AcpState, calls: list[Call]) -> list[Item]:
    """`tell_call` of several."""
    return [item for call in calls for item in tell_call(state, call)]


def _settle(state: AcpState, call: Call, *, failed: bool) -> list[Item]:
    state.calls = [one for one in state.calls if one is not call]
    state.closed = [*state.closed[-MAX_CLOSED:], call.call_id]
    details = dict(call.details)
    metadata = object_of(object_of(call.output).get("metadata"))
    if isinstance(metadata.get("exit"), int):
        details.setdefault("exit_code", metadata["exit"])
    failed = failed or details.get("exit_code", 0) != 0
    result = ToolResult(0, 0, call.call_id, _tool(call), _output(call), failed, None, call.parent, kept(details))
    return [result, *([] if failed else _effects(state, call, metadata))]


def _output(call: Call) -> str:
    """What the tool gave back: its own words before what the agent made of them to be shown."""
    output = call.output
    if isinstance(output, str):
        return output
    said = text_of(object_of(output).get("output"))
    return said or call.text or call.printed or ("" if output is None else write_text(output))


def _effects(state: AcpState, call: Call, metadata: dict[str, Any]) -> list[Item]:
    if is_todo(call) and not state.plans:
        return [progress(call.input["todos"], state.turn_id)]
    return _file_changes(call, metadata)


def _file_changes(call: Call, metadata: dict[str, Any]) -> list[Item]:
    if call.changes:
        return [_file_change(call, one) for one in call.changes if one.path]
    if call.path and call.kind in ("edit", "delete"):
        change = "deleted" if call.kind == "delete" else "created" if metadata.get("exists") is False else "modified"
        return [_file_change(call, Change(call.path, change))]
    return []


def _file_change(call: Call, one: Change) -> FileChange:
    change = cast(ChangeKind, one.change)
    return FileChange(0, 0, one.path, change, None, one.added, one.removed, call.call_id)


def close_calls(state: AcpState, *, interrupted: bool) -> list[Item]:
    """The turn is over: calls without a result have none any more."""
    told: list[Item] = []
    for call in list(state.calls):
        call.details["interrupted" if interrupted else "unfinished"] = True
        told += [*tell_call(state, call), *_settle(state, call, failed=True)]
    return told
