"""What `codex app-server` asks of its client: approvals and questions as `Permission` events, and their answers.

Each kind of request has two functions: one makes the event, the other makes the result from somebody's decision. An
event's `details` hold what the answer needs, so nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from roost.agents.codex_fields import object_of, objects_of, text_of, texts_of
from roost.agents.codex_items import ItemState
from roost.agents.codex_questions import answers_of, choices_of, fields_asked, filled_in
from roost.agents.codex_titles import command_title, patch_title
from roost.agents.driver import Decision
from roost.agents.titles import one_line, title
from roost.model.conversations import OpenApproval
from roost.model.events import Permission

Object = dict[str, Any]
Choice = dict[str, Any]

ACCEPT = {"id": "accept", "label": "Yes", "kind": "allow_once"}
ACCEPT_FOR_SESSION = {"id": "acceptForSession", "label": "Yes, also later in this session", "kind": "allow_always"}
DECLINE = {"id": "decline", "label": "No, go on without it", "kind": "deny_once"}
CANCEL = {"id": "cancel", "label": "No, and stop the turn", "kind": "deny_once"}
FOR_TURN = {"id": "turn", "label": "Yes, for this turn", "kind": "allow_once"}
FOR_SESSION = {"id": "session", "label": "Yes, for this session", "kind": "allow_always"}
FOR_A_SESSION = frozenset({"acceptForSession", "session"})


class Asked(NamedTuple):
    """A request of the app-server; `native_id` is its own id, as JSON."""

    native_id: str
    method: str
    params: Object
    items: ItemState


class Ask(NamedTuple):
    """A kind of request."""

    show: Callable[[Asked], Permission]
    answer: Callable[[OpenApproval, Decision], Object]


def chosen(approval: OpenApproval, decision: Decision) -> str:
    """The id of the choice that a decision means.

    One that says no is no, whatever choice it names; one that names a refusal is a refusal. Codex runs what it asked
    about and nothing else, so leave for something else is no leave. Leave that is to be remembered is given for the
    session: codex's own lasting rules are written to its files, and only who picks one of them wants that.
    """
    choices = {str(one.get("id")): str(one.get("kind")) for one in approval.choices}
    kind = choices.get(decision.choice or "", "")
    edited = decision.input is not None and decision.input != approval.input
    allowed = decision.allow and not edited and not kind.startswith("deny")
    wanted = "allow" if allowed else "deny"
    if kind.startswith(wanted):
        return str(decision.choice)
    if not allowed:
        return "cancel" if decision.interrupt else "decline"
    lasting = [key for key in choices if key in FOR_A_SESSION] if decision.remember else []
    return (lasting or [key for key, kind in choices.items() if kind == "allow_once"] or ["accept"])[0]


def _permission(asked: Asked, tool: str, says: str, **more: Any) -> Permission:
    details = {"method": asked.method} | more.pop("details", {})
    if reason := text_of(asked.params, "reason"):
        details["reason"] = reason
    call = more.pop("call", None) or text_of(asked.params, "itemId") or None
    return Permission(0, 0, asked.native_id, tool, title=one_line(says), tool_use_id=call, details=details, **more)


# Commands


def _show_command(asked: Asked) -> Permission:
    params = asked.params
    command, network = text_of(params, "command"), object_of(params, "networkApprovalContext")
    if network:
        tool, says = "network", f"Connecting to {text_of(network, 'host')}"
    elif text_of(params, "kind") == "writeStdin":
        tool, says = "write_stdin", title("message", command)
    else:
        tool, says = "shell", command_title(command, objects_of(params, "commandActions"), asked.items.cwd)
    offered = _offered(params)
    choices = [{key: one[key] for key in ("id", "label", "kind")} for one in offered]
    native = {one["id"]: one["native"] for one in offered if "native" in one}
    return _permission(asked, tool, says, input=_shown(asked), choices=choices, details={"native": native})


def _shown(asked: Asked) -> Object:
    """What a command's approval is about. It is called `command` only where running it here, in its sandbox, is all:
    an answer remembered for a command holds for no other directory, no host and no way out of the sandbox."""
    params = asked.params
    wider = {key: params[of] for key, of in _BESIDES if params.get(of)}
    command, cwd = text_of(params, "command"), text_of(params, "cwd")
    plain = not wider and cwd in ("", asked.items.cwd) and text_of(params, "kind") != "writeStdin"
    shown = {"command" if plain else "command_line": command, "cwd": cwd}
    return {key: value for key, value in shown.items() if value} | wider


_BESIDES = (
    ("reason", "reason"),
    ("network", "networkApprovalContext"),
    ("permissions", "additionalPermissions"),
)


def _offered(params: Object) -> list[Choice]:
    """The choices; those with `native` are answered with that object in place of their id."""
    listed = params.get("availableDecisions")
    choices: list[Choice] = [dict(ACCEPT)]
    if not isinstance(listed, list) or "acceptForSession" in listed:
        choices.append(dict(ACCEPT_FOR_SESSION))
    for one in _amendments(params, listed):
        choices.extend(_amending(one))
    return [*choices, dict(DECLINE), dict(CANCEL)]


def _amendments(params: Object, listed: object) -> list[Object]:
    if isinstance(listed, list):
        return [one for one in listed if isinstance(one, dict)]
    made: list[Object] = []
    if rule := texts_of(params, "proposedExecpolicyAmendment"):
        made.append({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": rule}})
    for one in objects_of(params, "proposedNetworkPolicyAmendments"):
        made.append({"applyNetworkPolicyAmendment": {"network_policy_amendment": one}})
    return made


def _amending(native: Object) -> list[Choice]:
    rule = texts_of(object_of(native, "acceptWithExecpolicyAmendment"), "execpolicy_amendment")
    if rule:
        told = rule[2] if len(rule) == 3 and rule[1] in ("-c", "-lc") else " ".join(rule)
        label = one_line(f"Yes, and never ask again about: {told}")
        return [{"id": "acceptAlways", "label": label, "kind": "allow_always", "native": native}]
    network = object_of(object_of(native, "applyNetworkPolicyAmendment"), "network_policy_amendment")
    host, allows = text_of(network, "host"), text_of(network, "action") == "allow"
    if not host:
        return []
    label = one_line(f"{'Yes' if allows else 'No'}, always for {host}")
    kind = "allow_always" if allows else "deny_always"
    return [{"id": f"{'allow' if allows else 'deny'}:{host}", "label": label, "kind": kind, "native": native}]


def _answer_decision(approval: OpenApproval, decision: Decision) -> Object:
    choice = chosen(approval, decision)
    return {"decision": object_of(approval.details, "native").get(choice, choice)}


# Patches


def _changes(asked: Asked) -> list[Object]:
    return asked.items.patches.get(text_of(asked.params, "itemId"), [])


def _show_patch(asked: Asked) -> Permission:
    changes = [{key: value for key, value in change.items() if value} for change in _changes(asked)]
    shown: Object = {"changes": changes}
    if root := text_of(asked.params, "grantRoot"):
        shown["grant_root"] = root
    choices = [dict(one) for one in (ACCEPT, ACCEPT_FOR_SESSION, DECLINE, CANCEL)]
    return _permission(asked, "apply_patch", patch_title(changes, asked.items.cwd), input=shown, choices=choices)


# Wider permissions


def _show_wider(asked: Asked) -> Permission:
    wanted = object_of(asked.params, "permissions")
    shown = {key: value for key, value in wanted.items() if value}
    says = f"Asking for {' and '.join(_WIDER.get(key, key) for key in shown) or 'more permissions'}"
    choices = [dict(one) for one in (FOR_TURN, FOR_SESSION, DECLINE)]
    return _permission(asked, "request_permissions", says, input=shown, choices=choices)


_WIDER = {"network": "the network", "fileSystem": "more of the file system"}


def _answer_wider(approval: OpenApproval, decision: Decision) -> Object:
    choice = chosen(approval, decision)
    granted = choice in ("turn", "session")
    return {"permissions": approval.input if granted else {}, "scope": choice if granted else "turn"}


# Questions


def _show_questions(asked: Asked) -> Permission:
    questions = objects_of(asked.params, "questions")
    says = title("question", text_of(questions[0], "question") if questions else "")
    shown = {"questions": questions}
    return _permission(asked, "request_user_input", says, input=shown, choices=choices_of(questions), kind="question")


def _answer_questions(approval: OpenApproval, decision: Decision) -> Object:
    """One that has no answer is left out; a refusal gives none."""
    answers = answers_of(approval, decision) if decision.allow else {}
    return {"answers": {key: {"answers": [answer]} for key, answer in answers.items()}}


# What MCP servers ask


def _show_elicitation(asked: Asked) -> Permission:
    """A form to fill in is a question; leave for a tool is a form without fields."""
    params = asked.params
    server, meta = text_of(params, "serverName"), object_of(params, "_meta")
    questions = fields_asked(object_of(params, "requestedSchema"))
    shown = {key: params[key] for key in ("message", "url", "requestedSchema") if params.get(key)}
    if "tool_params" in meta:
        shown["tool_params"] = meta["tool_params"]
    says = text_of(params, "message") or title("question", server)
    if questions:
        shown["questions"] = questions
        return _permission(asked, f"mcp__{server}", says, input=shown, choices=choices_of(questions), kind="question")
    name = text_of(meta, "tool_name")
    tool = f"mcp__{server}__{name}" if name else f"mcp__{server}"
    call = next((key for key, (of, _) in reversed(asked.items.open.items()) if of == tool), None)
    choices = [dict(ACCEPT), *_persisting(meta), dict(DECLINE), dict(CANCEL)]
    return _permission(asked, tool, says, input=shown, choices=choices, call=call)


def _persisting(meta: Object) -> list[Choice]:
    """Lasting leave, as far as codex says that it takes it."""
    offered = [text_of(meta, "persist"), *texts_of(meta, "persist")]
    labels = {"session": "Yes, also later in this session", "always": "Yes, always"}
    return [{"id": one, "label": labels[one], "kind": "allow_always"} for one in offered if one in labels]


def _answer_elicitation(approval: OpenApproval, decision: Decision) -> Object:
    choice = chosen(approval, decision)
    if choice in ("decline", "cancel"):
        return {"action": choice, "content": None, "_meta": None}
    content = filled_in(object_of(approval.input, "requestedSchema"), answers_of(approval, decision))
    meta = {"persist": choice} if choice in ("session", "always") else None
    return {"action": "accept", "content": content, "_meta": meta}


ASKS: dict[str, Ask] = {
    "item/commandExecution/requestApproval": Ask(_show_command, _answer_decision),
    "item/fileChange/requestApproval": Ask(_show_patch, _answer_decision),
    "item/permissions/requestApproval": Ask(_show_wider, _answer_wider),
    "item/tool/requestUserInput": Ask(_show_questions, _answer_questions),
    "mcpServer/elicitation/request": Ask(_show_elicitation, _answer_elicitation),
}
"""Every request that a person answers; what else the app-server asks is refused at once."""
