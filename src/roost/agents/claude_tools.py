"""The tools of Claude Code: their names, what their calls are called, and whether a rule names one of them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from roost.agents.titles import nearer, title
from roost.errors import InvalidRequest

_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Agent": ("agent", ("description", "prompt")),
    "AskUserQuestion": ("question", ("questions",)),
    "Bash": ("run", ("command",)),
    "BashOutput": ("output", ("bash_id", "shell_id")),
    "CronCreate": ("call", ()),
    "CronDelete": ("call", ()),
    "CronList": ("call", ()),
    "Edit": ("edit", ("file_path",)),
    "EnterPlanMode": ("mode", ()),
    "EnterWorktree": ("call", ()),
    "ExitPlanMode": ("plan", ()),
    "ExitWorktree": ("call", ()),
    "Glob": ("find", ("pattern",)),
    "Grep": ("search", ("pattern",)),
    "KillBash": ("stop", ("shell_id",)),
    "KillShell": ("stop", ("shell_id",)),
    "LS": ("list", ("path",)),
    "ListAgents": ("call", ()),
    "ListMcpResourcesTool": ("call", ()),
    "Monitor": ("wait", ("description",)),
    "MultiEdit": ("edit", ("file_path",)),
    "NotebookEdit": ("edit", ("notebook_path",)),
    "NotebookRead": ("read", ("notebook_path",)),
    "Read": ("read", ("file_path",)),
    "ReadMcpResourceTool": ("read", ("uri",)),
    "ReportFindings": ("call", ()),
    "ScheduleWakeup": ("call", ()),
    "SendMessage": ("message", ("to", "recipient")),
    "Skill": ("skill", ("skill", "command")),
    "SlashCommand": ("run", ("command",)),
    "StructuredOutput": ("call", ()),
    "Task": ("agent", ("description", "prompt")),
    "TaskCreate": ("todo", ()),
    "TaskGet": ("call", ()),
    "TaskList": ("call", ()),
    "TaskUpdate": ("todo", ()),
    "TaskOutput": ("output", ("task_id",)),
    "TaskStop": ("stop", ("task_id", "shell_id")),
    "TodoWrite": ("todo", ()),
    "ToolSearch": ("call", ()),
    "WebFetch": ("fetch", ("url",)),
    "WebSearch": ("web", ("query",)),
    "Workflow": ("call", ()),
    "Write": ("write", ("file_path",)),
}
TOOLS: tuple[str, ...] = tuple(_KINDS)
"""Names that a rule may begin with; those of MCP servers begin with `mcp__`."""
EDITING: frozenset[str] = frozenset({"Edit", "MultiEdit", "NotebookEdit", "Write"})
PATHS = ("file_path", "notebook_path", "path")
_MEANT = {"run": "Bash", "shell": "Bash", "exec": "Bash", "execute": "Bash", "terminal": "Bash", "ls": "LS"}
_RULE = re.compile(r"(?P<name>[A-Za-z_][\w.*-]*)(?P<argument>\(.*\))?", re.DOTALL)


def call_title(tool: str, given: dict[str, Any], cwd: str) -> str:
    """A call's title; paths are told as seen from `cwd`."""
    known = _KINDS.get(tool)
    if known is None or (known[0] == "call" and not known[1]):
        return title("call", _shown(tool))
    kind, fields = known
    subject = next((text for field in fields if (text := _subject(given.get(field)))), "")
    if fields and fields[0] in PATHS:
        subject = nearer(subject, cwd)
    return title(kind, "plan mode" if tool == "EnterPlanMode" else subject)


def call_path(given: dict[str, Any]) -> str | None:
    """The file that a call is about."""
    for field in PATHS:
        path = given.get(field)
        if isinstance(path, str) and path:
            return path
    return None


def check_rules(rules: Iterable[str], option: str) -> None:
    """See that every rule names a tool that there is.

    Raises:
        InvalidRequest: one does not; Claude Code itself would take it and grant nothing.
    """
    for rule in rules:
        found = _RULE.fullmatch(rule)
        name = found["name"] if found else rule
        if found is None or not (name in _KINDS or name.startswith("mcp__")):
            raise InvalidRequest(
                f"Claude Code has no tool {name!r}.",
                hint=_meant(rule, name),
                field=f"options.{option}",
                value=rule,
            )


def _meant(rule: str, name: str) -> str:
    if "(" not in rule and len(re.split(r"[\s,]+", rule.strip(" ,"))) > 1:
        return "Give each tool as a rule of its own."
    low = {tool.lower(): tool for tool in _KINDS}
    near = low.get(name.lower()) or _MEANT.get(name.lower())
    if near is None:
        near = next((low[one] for one in difflib.get_close_matches(name.lower(), low, n=1)), None)
    if near is None:
        return "Tools are named as in Read, Edit, Bash or mcp__server__tool; newer ones can be given in the command."
    return f"Write {near + rule[len(name) :] if rule.startswith(name) else near!r}; names are case-sensitive."


def _shown(tool: str) -> str:
    server, _, name = tool.removeprefix("mcp__").partition("__")
    return f"{name} of {server}" if tool.startswith("mcp__") and name else tool


def _subject(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0].get("question")
    return value if isinstance(value, str) else ""
