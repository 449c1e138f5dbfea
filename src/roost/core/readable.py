"""Events of a coding agent as lines that a person reads, one after the other: the transcript of a conversation.

    › what was asked
    ● Running npm test
      └ 12 passed (+40 lines) · 3.2 s
      ± src/config.ts +3 −1
    What the agent said.
    ✓ completed after 12 s

Each event stands for itself, so a transcript can begin anywhere. Lines hold no control characters but tabs. Log lines
are told as they are; events that say nothing to a reader give no line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Data = Mapping[str, Any]

LONGEST = 400
"""Characters of a line that sums something up; what an agent or a person said is never cut."""
_SUMMED = 4096

_CONTROLS = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?"
    "|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_ENDS = {"completed": "✓ completed", "failed": "✗ failed", "interrupted": "■ interrupted"}
_UNANSWERED = {
    "refused": "✗ the prompt was refused",
    "cancelled": "– the prompt was taken back",
    "steered": "↳ taken into the turn that runs",
}
_DECIDED = {"allow": "✓ allowed", "deny": "✗ denied"}


def readable(kind: str, data: Data) -> list[str]:
    """The lines of an event, given by its type and its `data` object as clients see it; often one, often none."""
    tell = _TELLERS.get(kind)
    lines = tell(data) if tell is not None else []
    return [f"  {line}" for line in lines] if data.get("parent_tool_use_id") else lines


def took(milliseconds: float | None) -> str:
    """A span for people: `40 ms`, `3.2 s`, `2 min 5 s`; nothing where it is not known."""
    if milliseconds is None:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


def money(usd: float | None) -> str:
    """An amount for people: `$0.0400`, `$1.25`; nothing where it is not known."""
    if usd is None:
        return ""
    return f"${usd:.2f}" if usd >= 1 else f"${usd:.4f}"


def lines_in(text: str) -> list[str]:
    """Text as lines without anything that a terminal acts on."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")


def one_line(text: str) -> str:
    """The first line that says something, cut to a length that can be overlooked."""
    said = next((line for line in lines_in(text[:_SUMMED]) if line.strip()), "").strip()
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def _because(head: str, reason: object) -> str:
    return f"{head}: {one_line(str(reason))}" if reason else head


def _beside(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _log(data: Data) -> list[str]:
    return [data["line"]]


def _screen(data: Data) -> list[str]:
    return lines_in(data["text"])


def _turn(data: Data) -> list[str]:
    state = data["state"]
    if state == "queued" or (state == "started" and data.get("prompt")):
        return _hanging("› ", data.get("prompt") or "")
    if state in _ENDS:
        after = took(data.get("duration_ms"))
        return [_because(f"{_ENDS[state]} after {after}" if after else _ENDS[state], data.get("reason"))]
    return [_because(_UNANSWERED[state], data.get("reason"))] if state in _UNANSWERED else []


def _hanging(head: str, text: str) -> list[str]:
    first, *more = lines_in(text)
    return [head + first, *(" " * len(head) + line for line in more)]


def _output(data: Data) -> list[str]:
    return [] if data.get("partial") else lines_in(data["text"].rstrip("\n"))


def _thinking(data: Data) -> list[str]:
    return [] if data.get("partial") or not data["text"].strip() else _hanging("∴ ", data["text"].rstrip())


def _tool_call(data: Data) -> list[str]:
    return [f"● {one_line(data.get('title') or data['tool'])}"]


def _tool_result(data: Data) -> list[str]:
    details = data.get("details") or {}
    if details.get("interrupted") or details.get("denied_as") == "user-rejected":
        # What Claude Code says of a call that an interrupt ended is meant for its model.
        return [f"  ■ {_beside('interrupted', took(data.get('duration_ms')))}"]
    content = data.get("content") or ""
    more = content.rstrip().count("\n")
    said = one_line(content) or ("failed" if data.get("is_error") else "done")
    counted = f" (+{more} line{'s' * (more != 1)})" if more else ""
    mark = "✗" if data.get("is_error") else "└"
    return [f"  {mark} {_beside(said + counted, took(data.get('duration_ms')))}"]


def _file_change(data: Data) -> list[str]:
    added, removed = data.get("added"), data.get("removed")
    counted = "" if added is None and removed is None else f" +{added or 0} −{removed or 0}"
    was = f"{one_line(data['renamed_from'])} → " if data.get("renamed_from") else ""
    change = "" if data["change"] == "modified" else f" {data['change']}"
    return [f"  ± {was}{one_line(data['path'])}{change}{counted}"]


def _progress(data: Data) -> list[str]:
    current = data.get("current")
    return [f"▤ {data['done']} of {data['total']}" + (f": {one_line(current)}" if current else "")]


def _permission(data: Data) -> list[str]:
    decision = data.get("decision")
    if decision is None:
        return [f"? {asked(data)}  [{data['approval_id']}]", *plan_in_lines(data)]
    is_answer = decision == "allow" and data.get("kind") == "question"
    head = "✓ answered" if is_answer else _DECIDED.get(decision, "– no longer asked")
    by = f" by {data['by']}" if data.get("by") else ""
    return [_because(f"  {head}{by}{_edited(data)}", data.get("reason"))]


def plan_in_lines(data: Data) -> list[str]:
    """A plan that is to be approved, without which nobody could judge it; `data` as for `asked`."""
    plan = data["input"].get("plan") if data.get("kind") == "plan" else None
    return _hanging("  ", plan.rstrip()) if isinstance(plan, str) and plan.strip() else []


def _edited(data: Data) -> str:
    given = data.get("details", {}).get("input") if data.get("kind") == "tool" else None
    return f", edited to {one_line(json.dumps(given, ensure_ascii=False))}" if given else ""


def asked(data: Data) -> str:
    """What an agent asks, in a line; `data` is a `permission` event's, or an approval."""
    title = one_line(data.get("title") or data.get("tool") or "something")
    return f"{title}?" if data.get("kind") == "tool" else title


def _usage(data: Data) -> list[str]:
    read = data["input_tokens"] + data.get("cache_read_tokens", 0) + data.get("cache_write_tokens", 0)
    return ["∑ " + _beside(f"{read} tokens in, {data['output_tokens']} out", money(data.get("cost_usd")))]


def _conversation(data: Data) -> list[str]:
    told = [data.get("conversation_id"), data.get("model"), data.get("mode")]
    return [f"— {', '.join(one_line(str(one)) for one in told if one)}"] if any(told) else []


def _notice(data: Data) -> list[str]:
    if data["code"] == "TELEMETRY":
        return []  # The agent's own log, of what is told here already.
    return [f"! {one_line(data.get('message') or '') or data['code']}"]


def _error(data: Data) -> list[str]:
    return [f"✗ {_because(data['code'], data.get('message'))}"]


def _unknown(data: Data) -> list[str]:
    return [f"… {one_line(data['line'])}"]


def _complete(data: Data) -> list[str]:
    how = data.get("signal") or (None if data.get("exit_code") is None else f"exit code {data['exit_code']}")
    return [f"— the agent ended with {how}" if how else _because("— the agent ended", data.get("reason"))]


_TELLERS: dict[str, Callable[[Data], list[str]]] = {
    "log": _log,
    "screen": _screen,
    "turn": _turn,
    "output": _output,
    "thinking": _thinking,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "file_change": _file_change,
    "progress": _progress,
    "permission": _permission,
    "usage": _usage,
    "conversation": _conversation,
    "notice": _notice,
    "error": _error,
    "unknown": _unknown,
    "complete": _complete,
}
