"""`roost approvals`, `roost approve` and `roost deny`: what coding agents ask before they go on."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import say, write_json, write_table
from roost.cli.parser import add_shared
from roost.cli.prompt import ago, print_lines, talk_of
from roost.cli.questions import questions
from roost.client.conversations import short_ids
from roost.core.readable import asked, one_line, plan_in_lines
from roost.errors import InvalidRequest

if TYPE_CHECKING:
    Json = dict[str, Any]

HEADS = ("ID", "AGENT", "ASKED", "WHAT")
RULE_HEADS = ("RULE", "ANSWER", "BY", "DRIVER", "TOOL", "PROJECT", "WHAT")
RULE_FIELDS = ("rule_id", "decision", "by", "driver", "tool", "project", "subject")
NOTES = """\
ID is what 'roost approvals' shows, as much of its beginning or end as is clear, or the name of an agent that asks one
thing. The first answer counts; a later one is refused with exit code 6.
"""


def configure_approvals(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="one agent (default: all)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("-a", "--all", action="store_true", help="also what was answered, in the newest sessions")
    which.add_argument("--rules", action="store_true", help="instead, the answers that are remembered")
    which.add_argument("--forget", metavar="RULE", action="append", help="forget such an answer: agents ask again")


def configure_approve(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    add = parser.add_argument
    add("id", metavar="ID", help="the approval, or its agent")
    add("--choice", metavar="CHOICE", help="one of its choices, by id or label ('roost approvals NAME' has them)")
    add("--input", metavar="JSON", help="the tool's input, edited, as JSON; '@FILE' reads it from a file")
    add(
        "--answer",
        metavar="Q=A",
        action="append",
        default=[],
        help="the answer to a question, which is named by its text or its number; A alone where there is one",
    )
    add("--reason", metavar="TEXT", help="what the agent is told with it")
    add("--remember", action="store_true", help="give the same answer from now on, in this project")


def configure_deny(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    parser.add_argument("id", metavar="ID", help="the approval, or its agent")
    parser.add_argument("--choice", metavar="CHOICE", help="one of its choices, by id or label")
    parser.add_argument("--reason", metavar="TEXT", help="what the agent is told, so that it can do better")
    parser.add_argument("--remember", action="store_true", help="give the same answer from now on, in this project")
    parser.add_argument("--interrupt", action="store_true", help="end the turn too")


def approvals(options: argparse.Namespace) -> int:
    """List what is asked."""
    talk = talk_of(options)
    for rule_id in options.forget or ():
        talk.forget(rule_id)
        print(rule_id)
    if options.rules:
        return _show_rules(talk.rules(), options)
    if options.forget:
        return exits.OK
    found = talk.approvals(options.name, "all" if options.all else "open")
    if options.json:
        write_json({"approvals": found, "total": len(found)})
        return exits.OK
    if not found:
        say("roost: nothing is asked")
        return exits.OK
    now, names = time.time(), short_ids(found)
    heads = HEADS if not options.all else (*HEADS[:3], "ANSWER", HEADS[3])
    rows = [_row(view, names[view["approval_id"]], now, with_answer=options.all) for view in found]
    write_table(heads, rows, colours=[("bold",) for _ in rows])
    if options.name and not options.all:
        for view in found:
            print_lines(_in_full(view, names[view["approval_id"]]))
    return exits.OK


def _in_full(view: Json, name: str) -> list[str]:
    """A plan, and the choices by the ids that `--choice` takes."""
    labels = {str(one["id"]): one_line(str(one.get("label") or "")) for one in view["choices"]}
    width = max(map(len, labels), default=0)
    choices = [f"  {key:{width}}  {label}".rstrip() for key, label in labels.items()]
    return ["", f"{name}  {asked(view)}", *plan_in_lines(view), *choices]


def _show_rules(rules: list[Json], options: argparse.Namespace) -> int:
    if options.json:
        write_json({"rules": rules})
    elif rules:
        rows = [tuple(str(rule[name]) for name in RULE_FIELDS) for rule in rules]
        write_table(RULE_HEADS, rows, colours=[("bold",) for _ in rows])
    else:
        say("roost: no answer is remembered")
    return exits.OK


def approve(options: argparse.Namespace) -> int:
    """Allow what is asked, or answer it."""
    talk = talk_of(options)
    view = talk.find(options.id)
    body: Json = {"decision": "allow"} | _chosen(view, options.choice)
    if options.input is not None:
        body["input"] = read_input(options.input)
    if options.answer:
        body["answers"] = answers(view, options.answer)
    elif view["kind"] == "question" and not (options.choice or options.reason):
        raise InvalidRequest("a question wants an answer", hint=_ways_to_answer(view))
    if options.reason:
        body["reason"] = options.reason
    if options.remember:
        body["remember"] = True
    return _decided(talk.decide(view["approval_id"], body), options)


def deny(options: argparse.Namespace) -> int:
    """Refuse what is asked."""
    talk = talk_of(options)
    view = talk.find(options.id)
    body: Json = {"decision": "deny"} | _chosen(view, options.choice)
    if options.reason:
        body["reason"] = options.reason
    body |= {name: True for name in ("interrupt", "remember") if getattr(options, name)}
    return _decided(talk.decide(view["approval_id"], body), options)


def read_input(text: str) -> Json:
    """A tool's input as JSON, or from the file behind `@`.

    Raises:
        InvalidRequest: it cannot be read, or is no JSON object.
    """
    if text.startswith("@"):
        from pathlib import Path

        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise InvalidRequest(f"the file {text[1:]} cannot be read: {exc}") from exc
    try:
        found = json.loads(text)
    except ValueError as exc:
        raise InvalidRequest(f"the input is no JSON: {exc}", hint='give an object such as {"command": "ls"}') from exc
    if not isinstance(found, dict):
        raise InvalidRequest("the input is no JSON object", hint='give one such as {"command": "ls"}')
    return found


def answers(view: Json, given: list[str]) -> dict[str, str]:
    """Answers by the text of their questions, from `Q=A`, where Q is a text or a number, or `A` alone.

    Raises:
        InvalidRequest: a question is not one that is asked.
    """
    known = questions(view)
    found: dict[str, str] = {}
    for item in given:
        question, answer = _answer(item, known)
        found[question] = f"{found[question]}, {answer}" if question in found else answer
    return found


def _ways_to_answer(view: Json) -> str:
    labels = ", ".join(repr(choice["label"]) for choice in view["choices"])
    asks = " / ".join(questions(view))
    return f"{asks}: give --answer{f', or --choice with one of {labels}' if labels else ''}"


def _answer(item: str, known: list[str]) -> tuple[str, str]:
    for number, question in enumerate(known, 1):
        for name in (question, str(number)):
            if item.startswith(f"{name}="):
                return question, item[len(name) + 1 :]
    if len(known) == 1:
        return known[0], item
    name, equals, answer = item.partition("=")
    if equals and not known:
        return name, answer
    hint = "; ".join(f"{number}: {question}" for number, question in enumerate(known, 1))
    raise InvalidRequest(f"{item!r} does not say which question it answers", hint=hint or "give Q=A")


def _chosen(view: Json, given: str | None) -> Json:
    """The choice by its id or, in any case, its label. What is neither, the server refuses and says what there is."""
    if given is None:
        return {}
    same = [one["id"] for one in view["choices"] if str(one.get("label", "")).casefold() == given.casefold()]
    return {"choice": same[0] if len(same) == 1 else given}


def _decided(view: Json, options: argparse.Namespace) -> int:
    if options.json:
        write_json(view)
    else:
        print(view["approval_id"])
        yes = "answered" if view["kind"] == "question" else "allowed"
        say(f"roost: {yes if view['decision'] == 'allow' else 'denied'}: {asked(view)}")
    return exits.OK


def _row(view: Json, name: str, now: float, *, with_answer: bool) -> tuple[str, ...]:
    row = (name, view["agent_name"], ago(view["asked_at"], now))
    if not with_answer:
        return (*row, asked(view))
    by = f" by {view['by']}" if view.get("by") else ""
    return (*row, f"{view['decision'] or 'open'}{by}", asked(view))
