"""How Claude Code calls its tools, and how it reports what they did."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, NamedTuple

from roost.testing.agents.claude_lines import error_result
from roost.testing.agents.workshop import Outcome
from roost.testing.models.script import Call

Json = dict[str, Any]
NOTE = " (file state is current in your context — no need to Read it back)"
APPROVED = "User has approved your plan. You can now start coding."
NAMES = {
    "bash": "Bash",
    "read": "Read",
    "write": "Write",
    "edit": "Edit",
    "ask": "AskUserQuestion",
    "plan": "TodoWrite",
    "approve-plan": "ExitPlanMode",
    "agent": "Agent",
}


class Report(NamedTuple):
    """A `tool_result` block and the `tool_use_result` beside it."""

    block: Json
    detail: Any


def named(call: Call, cwd: Path) -> tuple[str, Json]:
    """A call as Claude Code's model makes it: the tool's name, and its input."""
    given = call.input
    if call.is_raw or call.tool not in NAMES:
        return call.tool, given
    return NAMES[call.tool], _input(call.tool, given, cwd)


def _input(tool: str, given: Json, cwd: Path) -> Json:
    match tool:
        case "bash":
            background = {"run_in_background": True} if given.get("background") else {}
            return {"command": given["command"], "description": given["command"][:40], **background}
        case "read":
            return {"file_path": str(cwd / given["path"])}
        case "write":
            return {"file_path": str(cwd / given["path"]), "content": given["text"]}
        case "edit":
            change = {"old_string": given["old"], "new_string": given["new"]}
            return {"replace_all": False, "file_path": str(cwd / given["path"]), **change}
        case "ask":
            options = [{"label": choice, "description": choice} for choice in given["choices"]]
            question = {"question": given["question"], "header": given["question"][:12], "multiSelect": False}
            return {"questions": [{**question, "options": options}]}
        case "plan":
            return {"todos": [_todo(item) for item in given["items"]]}
        case "agent":
            return {"description": "sub job", "prompt": given["prompt"], "subagent_type": "general-purpose"}
        case _:
            return given


def _todo(item: Json) -> Json:
    return {"content": item["text"], "status": item["status"], "activeForm": item["text"]}


def with_input(call: Call, given: Json) -> Call:
    """The call as a host changed it: `given` is in Claude Code's words."""
    match call.tool if not call.is_raw else "":
        case "bash":
            return call._replace(input={**call.input, "command": given.get("command", "")})
        case "read":
            return call._replace(input={"path": given.get("file_path", "")})
        case "write":
            return call._replace(input={"path": given.get("file_path", ""), "text": given.get("content", "")})
        case "edit":
            change = {"old": given.get("old_string", ""), "new": given.get("new_string", "")}
            return call._replace(input={"path": given.get("file_path", ""), **change})
        case _:
            return call._replace(input=given)


def report(call_id: str, ran: Call, outcome: Outcome, task_id: str = "") -> Report:
    """What is said of a call that was run; `task_id` when it goes on in the background."""
    if outcome.is_error:
        text = outcome.text.rstrip("\n")
        text = f"Exit code {outcome.exit_code}\n{text}".rstrip("\n") if outcome.exit_code is not None else text
        return Report(error_result(call_id, text), f"Error: {text}")
    if ran.is_raw:
        return Report(_block(call_id, outcome.text), {"content": outcome.text})
    if ran.tool in ("bash", "agent"):
        return _bash(call_id, outcome, task_id) if ran.tool == "bash" else _launched(call_id, ran, task_id)
    if ran.tool in ("write", "edit"):
        return _changed(call_id, ran, outcome)
    if ran.tool == "read":
        return _read(call_id, outcome)
    return _told(call_id, ran)


def _told(call_id: str, ran: Call) -> Report:
    """What is said of a call that only somebody's answer makes."""
    if ran.tool == "ask":
        return _answered(call_id, ran)
    if ran.tool == "plan":
        return _todos(call_id, ran)
    return Report(_block(call_id, APPROVED), {"plan": None, "isAgent": False, "filePath": ""})


def _block(call_id: str, content: Any, **fields: Any) -> Json:
    return {"tool_use_id": call_id, "type": "tool_result", "content": content, **fields}


def _bash(call_id: str, outcome: Outcome, task_id: str) -> Report:
    out = outcome.text.rstrip("\n")
    detail = {"stdout": out, "stderr": "", "interrupted": False, "isImage": False, "noOutputExpected": False}
    if task_id:
        content = f"Command running in background with ID: {task_id}. You will be notified when it completes."
        return Report(_block(call_id, content, is_error=False), {**detail, "backgroundTaskId": task_id})
    return Report(_block(call_id, out or "(Bash completed with no output)", is_error=False), detail)


def _read(call_id: str, outcome: Outcome) -> Report:
    rows = outcome.text.split("\n")
    numbered = "\n".join(f"{number}\t{row}" for number, row in enumerate(rows, 1))
    file = {"filePath": outcome.path, "content": outcome.text, "numLines": len(rows)}
    return Report(
        _block(call_id, numbered), {"type": "text", "file": {**file, "startLine": 1, "totalLines": len(rows)}}
    )


def _changed(call_id: str, ran: Call, outcome: Outcome) -> Report:
    patch = structured_patch(outcome.before or "", outcome.after or "") if outcome.before is not None else []
    known = {"structuredPatch": patch, "originalFile": outcome.before, "userModified": False}
    if outcome.before is None:
        text = f"File created successfully at: {outcome.path}{NOTE}"
    else:
        text = f"The file {outcome.path} has been updated successfully.{NOTE}"
    if ran.tool == "edit":
        change = {"oldString": ran.input["old"], "newString": ran.input["new"]}
        return Report(_block(call_id, text), {"filePath": outcome.path, **change, **known, "replaceAll": False})
    kind = "create" if outcome.before is None else "update"
    return Report(_block(call_id, text), {"type": kind, "filePath": outcome.path, "content": outcome.after, **known})


def _answered(call_id: str, ran: Call) -> Report:
    answers = ran.input.get("answers", {})
    said = ", ".join(f'"{question}"="{answer}"' for question, answer in answers.items())
    text = f"Your questions have been answered: {said}. You can now continue with these answers in mind."
    return Report(_block(call_id, text), {"questions": ran.input.get("questions", []), "answers": answers})


def _launched(call_id: str, ran: Call, task_id: str) -> Report:
    text = [{"type": "text", "text": f"Async agent launched successfully. agentId: {task_id}"}]
    known = {"isAsync": True, "status": "async_launched", "agentId": task_id, "description": "sub job"}
    known |= {"resolvedModel": "scripted", "prompt": ran.input["prompt"], "outputFile": ""}
    return Report(_block(call_id, text), {**known, "canReadOutputFile": True, "canContinueAgent": True})


def _todos(call_id: str, ran: Call) -> Report:
    todos = [_todo(item) for item in ran.input["items"]] if "items" in ran.input else ran.input.get("todos", [])
    text = (
        "Todos have been modified successfully. Ensure that you continue to use the todo list to track your progress."
    )
    return Report(_block(call_id, text), {"oldTodos": [], "newTodos": todos})


def structured_patch(before: str, after: str) -> list[Json]:
    """The difference of two texts as hunks with three lines of context."""
    old, new = before.splitlines(), after.splitlines()
    hunks = []
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(3):
        first, last = group[0], group[-1]
        rows = [row for tag, *at in group for row in _rows(tag, old[at[0] : at[1]], new[at[2] : at[3]])]
        hunk = {"oldStart": first[1] + 1, "oldLines": last[2] - first[1]}
        hunks.append({**hunk, "newStart": first[3] + 1, "newLines": last[4] - first[3], "lines": rows})
    return hunks


def _rows(tag: str, old: list[str], new: list[str]) -> list[str]:
    if tag == "equal":
        return [f" {row}" for row in old]
    return [f"-{row}" for row in old] + [f"+{row}" for row in new]
