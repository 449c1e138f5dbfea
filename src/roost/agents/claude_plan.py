"""Claude Code's own to-do list: told whole (`TodoWrite`) or, by newer releases, task by task."""

from __future__ import annotations

import re
from typing import Any

from roost.agents.claude_lines import Report
from roost.agents.claude_state import REMEMBERED, State, remember
from roost.agents.driver import Item
from roost.agents.json_in import object_of, objects_of, text_of
from roost.model.events import Progress

_STATES = {"pending": "pending", "in_progress": "active", "completed": "done"}
_NUMBER = re.compile(r"Task #(\w{1,32}) created")
CREATED = "TaskCreate"
LISTED = "TaskList"
LISTING: frozenset[str] = frozenset({"TodoWrite", CREATED, LISTED, "TaskUpdate"})
"""The tools that are about the list."""


def planned(state: State, tool: str, tool_use_id: str, given: dict[str, Any]) -> list[Item]:
    """What a call does to the list; a task's number is known only from the call's result."""
    if tool == "TodoWrite":
        return _whole(given.get("todos"))
    if tool == CREATED:
        remember(state.creating, tool_use_id, text_of(given.get("subject")))
    elif tool == LISTED:
        remember(state.creating, tool_use_id, "")
    else:
        return _updated(state, given)
    return []


def settled(state: State, tool_use_id: str, content: str, report: Report | None) -> list[Item]:
    """What the result of an open `TaskCreate` or `TaskList` says of the list."""
    subject = state.creating.pop(tool_use_id)
    if subject:
        found = _NUMBER.search(content)
        number = object_of(report.task if report is not None else None).get("id") or (found and found[1])
        if not number:
            return []
        remember(state.tasks, str(number), _task(subject, "pending"))
    elif report is not None and isinstance(report.tasks, list):
        listed = objects_of(report.tasks)[:REMEMBERED]
        state.tasks = {str(task.get("id")): _task(task.get("subject"), task.get("status")) for task in listed}
    else:
        return []
    return _told(state)


def statuses(state: State, told: object) -> list[Item]:
    """What the CLI says of the tasks' states between two calls."""
    before = list(state.tasks.values())
    for task in objects_of(told):
        known = state.tasks.get(str(task.get("id")))
        if known is not None:
            state.tasks[str(task.get("id"))] = _task(known[0], task.get("status"))
    return _told(state) if list(state.tasks.values()) != before else []


def _updated(state: State, given: dict[str, Any]) -> list[Item]:
    number = str(given.get("taskId"))
    known, status = state.tasks.get(number), given.get("status")
    if known is None:
        return []
    if status == "deleted":
        del state.tasks[number]
    else:
        text = text_of(given.get("subject")) or known[0]
        state.tasks[number] = [text, _STATES.get(text_of(status), known[1])]
    return _told(state)


def _task(subject: object, status: object) -> list[str]:
    return [text_of(subject), _STATES.get(text_of(status), "pending")]


def _whole(todos: object) -> list[Item]:
    tasks = [_task(todo["content"], todo.get("status")) for todo in objects_of(todos) if text_of(todo.get("content"))]
    return [_progress(tasks)] if isinstance(todos, list) else []


def _told(state: State) -> list[Item]:
    return [_progress(list(state.tasks.values()))]


def _progress(tasks: list[list[str]]) -> Progress:
    items = [{"text": text, "state": of} for text, of in tasks]
    current = next((text for text, of in tasks if of == "active"), None)
    return Progress(0, 0, sum(of == "done" for _, of in tasks), len(tasks), current, items)
