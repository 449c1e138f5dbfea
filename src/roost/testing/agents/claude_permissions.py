"""Which tools Claude Code has and what it lets them do without asking."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from roost.testing.agents.flags import Flags, split_list

Json = dict[str, Any]
EDITS = ("Edit", "Write", "NotebookEdit")
ASKS_NOBODY = ("Read", "Agent", "Task", "TodoWrite", "TaskStop", "ToolSearch", "ListAgents", "ReportFindings")
ASKS_ALWAYS = ("AskUserQuestion", "ExitPlanMode")
TOOLS = (
    "Task Bash CronCreate CronDelete CronList Edit EnterWorktree ExitWorktree ListAgents Monitor NotebookEdit Read "
    "ReportFindings ScheduleWakeup SendMessage Skill TaskStop ToolSearch WebFetch WebSearch Workflow Write"
).split()
TOOLS_OF_A_HOST = ("AskUserQuestion", "EnterPlanMode", "ExitPlanMode")
ALSO_CALLED = {"Agent": "Task"}


class Rule(NamedTuple):
    """`Bash(git *)`: a tool, and a pattern for its input that is empty when any will do."""

    tool: str
    pattern: str

    def matches(self, tool: str, given: Json) -> bool:
        """Whether it holds for a call. Names are case-sensitive, and one that no tool has matches nothing."""
        if tool != self.tool:
            return False
        value = str(given.get("command") or given.get("file_path") or "")
        return not self.pattern or fnmatch.fnmatchcase(value, self.pattern.replace(":*", "*"))


def read_rules(texts: list[str]) -> list[Rule]:
    """Rules from a list such as `["Read,Bash(git *)"]`."""
    parts = [part for text in texts for part in split_list(text)]
    return [Rule(tool, pattern.removesuffix(")")) for tool, _, pattern in (part.partition("(") for part in parts)]


class Ruling(NamedTuple):
    """`allow`, `deny` or `ask`, and why in the words of `tool_result_meta`."""

    behavior: str
    source: str = "config"
    reason_type: str = ""
    message: str = ""


class Permissions:
    """What this session may do; `mode` and `allowed` change as it goes."""

    def __init__(self, flags: Flags, cwd: Path) -> None:
        mode = flags.one("--permission-mode", "default")
        self.mode = "default" if mode == "manual" else mode
        self.can_bypass = flags.is_on("--dangerously-skip-permissions") or self.mode == "bypassPermissions"
        if flags.is_on("--dangerously-skip-permissions"):
            self.mode = "bypassPermissions"
        self.can_bypass |= flags.is_on("--allow-dangerously-skip-permissions")
        self.has_host = flags.one("--permission-prompt-tool") == "stdio"
        self.allowed = read_rules(flags.values.get("--allowedTools", []))
        self._disallowed = read_rules(flags.values.get("--disallowedTools", []))
        self._only = flags.many("--tools")
        self._roots = [cwd, *(cwd / one for one in flags.many("--add-dir"))]

    def tools(self) -> list[str]:
        """The tools that the session has, as `init` lists them."""
        present = (
            sorted([*TOOLS, *TOOLS_OF_A_HOST], key=lambda name: (name != "Task", name)) if self.has_host else TOOLS
        )
        removed = {rule.tool for rule in self._disallowed if not rule.pattern}
        return [name for name in present if name not in removed and (not self._only or name in self._only)]

    def has(self, tool: str) -> bool:
        """Whether there is such a tool."""
        return ALSO_CALLED.get(tool, tool) in self.tools() or tool.startswith("mcp__") or tool == "TodoWrite"

    def is_disabled(self, tool: str) -> bool:
        """Whether there would be such a tool if it had not been taken away."""
        return not self.has(tool) and ALSO_CALLED.get(tool, tool) in (*TOOLS, *TOOLS_OF_A_HOST)

    def rule(self, tool: str, given: Json) -> Ruling:
        """What is to become of a call."""
        if any(rule.matches(tool, given) for rule in self._disallowed):
            return Ruling("deny", reason_type="rule", message=f"Permission to use {tool} has been denied.")
        if tool in ASKS_ALWAYS:
            return Ruling("ask")
        if any(rule.matches(tool, given) for rule in self.allowed):
            return Ruling("allow", reason_type="rule")
        if self.mode in ("bypassPermissions", "auto") or tool in ASKS_NOBODY:
            return Ruling("allow", reason_type="mode")
        if self.mode == "acceptEdits" and tool in EDITS and self._is_inside(str(given.get("file_path", ""))):
            return Ruling("allow", reason_type="mode")
        if self.mode == "dontAsk":
            return Ruling("deny", reason_type="mode", message=DONT_ASK.format(tool=tool))
        return Ruling("ask")

    def apply(self, update: Json) -> bool:
        """Take over what a host allowed for later; whether the mode changed by it."""
        if update.get("type") == "setMode":
            self.mode = str(update["mode"])
            return True
        if update.get("type") == "addRules" and update.get("behavior") == "allow":
            self.allowed += [Rule(rule["toolName"], rule.get("ruleContent") or "") for rule in update["rules"]]
        return False

    def _is_inside(self, path: str) -> bool:
        whole = (self._roots[0] / path).resolve()
        return any(whole.is_relative_to(root.resolve()) for root in self._roots)


DONT_ASK = "Permission to use {tool} has been denied because Claude Code is running in don't ask mode."


def suggestions(tool: str, given: Json) -> list[Json]:
    """What a host may answer so that it is not asked again."""
    if tool in EDITS:
        return [{"type": "setMode", "mode": "acceptEdits", "destination": "session"}]
    rules = [{"toolName": tool, "ruleContent": str(given.get("command", ""))}]
    return [{"type": "addRules", "rules": rules, "behavior": "allow", "destination": "localSettings"}]


def unasked(tool: str, given: Json) -> str:
    """Why a call is refused when there is nobody to ask."""
    if tool in EDITS:
        return f"Claude requested permissions to write to {given.get('file_path')}, but you haven't granted it yet."
    return f"Claude requested permissions to use {tool}, but you haven't granted it yet."
