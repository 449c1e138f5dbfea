"""The control protocol: what Claude Code asks of us and we of it, beside the conversation itself."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from msgspec import UNSET

from roost.agents.claude_lines import Answered, Asked, Line, read_as
from roost.agents.claude_state import State, learn, remember
from roost.agents.claude_tools import call_title
from roost.agents.driver import Decision, Image, Item, Ready, Withdrawn, Write
from roost.agents.json_in import unknown
from roost.agents.titles import one_line
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Conversation, Notice, Permission

TURNS = uuid.UUID("5d1f3b0e-4a53-4a1e-9f3c-0c1f6f6f8b1d")
"""The namespace of the UUIDs that turns have for the CLI."""
_KINDS = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}
_DENIED = "The user does not allow this."


# What we write


def prompt_line(turn: PendingTurn, images: list[Image]) -> tuple[str, bytes]:
    """A prompt, with the UUID under which the CLI will speak of it."""
    native = native_id(turn.turn_id)
    content: list[dict[str, Any]] = [
        {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.data}}
        for image in images
    ]
    content.append({"type": "text", "text": turn.prompt})
    line = {
        "type": "user",
        "message": {"role": "user", "content": content},
        "parent_tool_use_id": None,
        "session_id": "",
        "uuid": native,
    }
    return native, _line(line)


def native_id(turn_id: str) -> str:
    """The turn's id where it is a UUID, or one made from it."""
    try:
        return str(uuid.UUID(turn_id))
    except ValueError:
        return str(uuid.uuid5(TURNS, turn_id))


def request_line(state: State, about: list[str], request: dict[str, Any]) -> Write:
    """A control request; `about` is remembered until it is answered."""
    state.asked += 1
    request_id = f"req_{state.asked}"
    remember(state.requests, request_id, about)
    return Write(_line({"type": "control_request", "request_id": request_id, "request": request}))


def forget_ask(state: State, request_id: str) -> None:
    """Nothing more is expected of a question."""
    state.asks = {call: asked for call, asked in state.asks.items() if asked != request_id}


def answer_line(state: State, approval: OpenApproval, decision: Decision) -> Write:
    """What somebody decided, in the CLI's words."""
    forget_ask(state, approval.approval_id)
    if decision.allow:
        return _reply(approval.approval_id, _allowed(approval, decision))
    told: dict[str, Any] = {"behavior": "deny", "message": decision.reason or _DENIED}
    if decision.interrupt:
        told["interrupt"] = True
    return _reply(approval.approval_id, told)


def _allowed(approval: OpenApproval, decision: Decision) -> dict[str, Any]:
    given = approval.input if decision.input is None else decision.input
    if approval.kind == "question":
        given = given | {"answers": _answers(approval, decision)}
    told: dict[str, Any] = {"behavior": "allow", "updatedInput": given}
    suggestions = approval.details.get("suggestions")
    if isinstance(suggestions, list) and (wanted := _remembered(suggestions, decision)):
        told["updatedPermissions"] = wanted
    return told


def _remembered(suggestions: list[Any], decision: Decision) -> list[Any]:
    """What of the CLI's own suggestions is to hold from now on."""
    number = (decision.choice or "").removeprefix("always-")
    if number.isascii() and number.isdecimal() and 0 < int(number) <= len(suggestions):
        return [suggestions[int(number) - 1]]
    return suggestions if decision.remember else []


def _answers(approval: OpenApproval, decision: Decision) -> dict[str, str]:
    """Labels by question: as they were given, as chosen, or the same words for every question."""
    answers = dict(decision.answers or {})
    for choice in approval.choices:
        if decision.choice is not None and decision.choice in (choice.get("id"), choice.get("label")):
            answers.setdefault(str(choice.get("question")), str(choice.get("label")))
    if decision.reason:
        for question in _questions(approval.input):
            answers.setdefault(question["question"], decision.reason)
    return answers


def _reply(request_id: str, response: dict[str, Any]) -> Write:
    told = {"subtype": "success", "request_id": request_id, "response": response}
    return Write(_line({"type": "control_response", "response": told}))


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


# What it asks


def control_request(state: State, line: Line, data: bytes) -> list[Item]:
    """It waits for an answer, which it always gets: what we do not know is refused at once."""
    if line.request_id is None or line.request is UNSET:
        return [unknown(data, "a control request without an id or a body")]
    asked = read_as(Asked, line.request)
    if asked.subtype == "can_use_tool":
        return [_permission(state, line.request_id, asked)]
    if asked.subtype == "hook_callback":
        return [_reply(line.request_id, {})]
    refusal = {"subtype": "error", "request_id": line.request_id, "error": f"{asked.subtype} is not supported"}
    return [
        Write(_line({"type": "control_response", "response": refusal})),
        unknown(data, f"a control request of the kind {one_line(asked.subtype, 64)!r}"),
    ]


def control_cancel_request(state: State, line: Line, data: bytes) -> list[Item]:
    """What it asked is settled in another way."""
    request_id = line.request_id or ""
    forget_ask(state, request_id)
    return [Withdrawn(request_id, "the agent no longer asks")]


def _permission(state: State, request_id: str, asked: Asked) -> Permission:
    kind = _KINDS.get(asked.tool_name, "tool")
    if asked.tool_use_id:
        remember(state.asks, asked.tool_use_id, request_id)
    title = call_title(asked.tool_name, asked.input, state.cwd)
    event = Permission(0, 0, request_id, asked.tool_name, asked.input, title, [], kind, asked.tool_use_id)
    choices = _answer_choices(asked.input) if kind == "question" else _choices(asked, kind)
    return msgspec.structs.replace(event, choices=choices, details=_reasons(asked))


def _reasons(asked: Asked) -> dict[str, Any]:
    found = {
        "description": asked.description,
        "reason": asked.decision_reason,
        "reason_type": asked.decision_reason_type,
        "blocked_path": asked.blocked_path,
        "agent_id": asked.agent_id,
        "suggestions": asked.permission_suggestions or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _choices(asked: Asked, kind: str) -> list[dict[str, Any]]:
    yes, no = ("Yes, go ahead", "No, keep planning") if kind == "plan" else ("Yes", "No")
    always = [
        {"id": f"always-{number}", "label": f"Yes, and {_promise(suggestion)}", "kind": "allow_always"}
        for number, suggestion in enumerate(asked.permission_suggestions or (), 1)
    ]
    return [
        {"id": "allow", "label": yes, "kind": "allow_once"},
        *always,
        {"id": "deny", "label": no, "kind": "deny_once"},
    ]


def _promise(suggestion: dict[str, Any]) -> str:
    """What a suggestion would change, such as `switch to acceptEdits for this session`."""
    kind, where = suggestion.get("type"), _PLACES.get(str(suggestion.get("destination")), "")
    if kind == "setMode":
        return f"switch to {suggestion.get('mode')}{where}"
    if kind == "addDirectories":
        return f"allow {', '.join(map(str, suggestion.get('directories') or ()))}{where}"
    if kind in ("addRules", "replaceRules"):
        rules = [_rule(rule) for rule in suggestion.get("rules") or () if isinstance(rule, dict)]
        return f"{suggestion.get('behavior', 'allow')} {', '.join(rules)}{where}"
    return f"{kind}{where}"


_PLACES = {
    "session": " for this session",
    "localSettings": " in this project, for me",
    "projectSettings": " in this project",
    "userSettings": " everywhere",
    "cliArg": " for this process",
}


def _rule(rule: dict[str, Any]) -> str:
    content = rule.get("ruleContent")
    return f"{rule.get('toolName')}({content})" if content else str(rule.get("toolName"))


def _answer_choices(given: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{number}.{place}",
            "label": option["label"],
            "kind": "answer",
            "question": question["question"],
            "description": str(option.get("description") or ""),
            "several": question.get("multiSelect") is True,
        }
        for number, question in enumerate(_questions(given), 1)
        for place, option in enumerate(question.get("options") or (), 1)
        if isinstance(option, dict) and isinstance(option.get("label"), str)
    ]


def _questions(given: dict[str, Any]) -> list[dict[str, Any]]:
    questions = given.get("questions")
    if not isinstance(questions, list):
        return []
    return [one for one in questions if isinstance(one, dict) and isinstance(one.get("question"), str)]


# What it answers


def control_response(state: State, line: Line, data: bytes) -> list[Item]:
    """The answer to a request of ours."""
    told = read_as(Answered, line.response) if line.response is not UNSET else Answered()
    about = state.requests.pop(told.request_id, None)
    if about is None:
        # What we answer is repeated to us, as prompts are.
        is_ours = isinstance(told.response, dict) and "behavior" in told.response
        return [] if is_ours else [unknown(data, "an answer to what was not asked")]
    failed = told.subtype != "success"
    refused: list[Item] = []
    if failed:
        refused = [_refused(about, told)]
    if about[0] == "initialize":
        return [*refused, *([] if failed else _abilities(told)), Ready()]
    if about[0] in ("model", "mode") and not failed:
        answered = told.response.get(about[0]) if isinstance(told.response, dict) else None
        value = answered if isinstance(answered, str) else about[1]
        return learn(state, None, *((value, None) if about[0] == "model" else (None, value)))
    return refused


def _refused(about: list[str], told: Answered) -> Notice:
    details = {"error_code": told.error_code} if told.error_code else {}
    details |= {"value": about[1]} if len(about) > 1 else {}
    return Notice(0, 0, f"{about[0].upper()}_REFUSED", str(told.error or "refused"), details)


def _abilities(told: Answered) -> list[Item]:
    """What can be asked for: slash commands and models."""
    response = told.response if isinstance(told.response, dict) else {}
    details = {
        name: values
        for name, key in (("commands", "name"), ("models", "value"), ("agents", "name"))
        if (values := _named(response.get(name), key))
    }
    return [Conversation(0, 0, details=details)] if details else []


def _named(values: object, key: str) -> list[str]:
    if not isinstance(values, list):
        return []
    return [value[key] for value in values if isinstance(value, dict) and isinstance(value.get(key), str)]
