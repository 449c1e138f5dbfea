"""Questions that codex, or an MCP server behind it, puts to people: what may be answered, and how answers are given.

Both are shown alike: `input.questions` has a `question` (its text) and an `id` each, the choices are numbered
`QUESTION.OPTION`. Answers come by a question's text or id.
"""

from __future__ import annotations

from typing import Any

import msgspec

from roost.agents.codex_fields import object_of, objects_of, text_of, texts_of
from roost.agents.driver import Decision
from roost.model.conversations import OpenApproval

Object = dict[str, Any]


def choices_of(questions: list[Object]) -> list[Object]:
    """The choices of all questions."""
    return [
        {
            "id": f"{number}.{place}",
            "label": text_of(option, "label"),
            "kind": "answer",
            "question": text_of(question, "question"),
            "description": text_of(option, "description"),
            "several": question.get("several") is True,
        }
        for number, question in enumerate(questions, 1)
        for place, option in enumerate(objects_of(question, "options"), 1)
    ]


def answers_of(approval: OpenApproval, decision: Decision) -> dict[str, str]:
    """Answers by the question's id: as given, as chosen, or the same words, the reason, for every question."""
    given = dict(decision.answers or {})
    for choice in approval.choices:
        if decision.choice is not None and decision.choice in (choice.get("id"), choice.get("label")):
            given.setdefault(str(choice.get("question")), str(choice.get("label")))
    found = {}
    for question in objects_of(approval.input, "questions"):
        key = text_of(question, "id")
        answer = given.get(key) or given.get(text_of(question, "question")) or decision.reason
        if answer:
            found[key] = answer
    return found


def fields_asked(schema: Object) -> list[Object]:
    """The fields of a form as questions."""
    fields = object_of(schema, "properties")
    return [_field(key, value) for key, value in fields.items() if isinstance(value, dict)]


def _field(key: str, schema: Object) -> Object:
    several = text_of(schema, "type") == "array"
    told: Object = {"id": key, "question": text_of(schema, "description") or text_of(schema, "title") or key}
    if options := _options(object_of(schema, "items") if several else schema):
        told["options"] = options
    return told | ({"several": True} if several else {})


def _options(schema: Object) -> list[Object]:
    if text_of(schema, "type") == "boolean":
        return [{"label": "true"}, {"label": "false"}]
    titled = objects_of(schema, "oneOf") or objects_of(schema, "anyOf")
    if titled:
        return [{"label": text_of(one, "const"), "description": text_of(one, "title")} for one in titled]
    names = texts_of(schema, "enumNames")
    values = texts_of(schema, "enum")
    names += [""] * (len(values) - len(names))
    return [{"label": value, "description": name} for value, name in zip(values, names, strict=False)]


def filled_in(schema: Object, answers: dict[str, str]) -> Object:
    """A form's content: answers, which are text, as the fields' types want them."""
    fields = object_of(schema, "properties")
    return {key: _typed(answer, object_of(fields, key)) for key, answer in answers.items() if key in fields}


def _typed(answer: str, schema: Object) -> Any:
    """As it is where it does not fit: the server says so itself."""
    kind = text_of(schema, "type")
    if kind == "array":
        return [part.strip() for part in answer.split(",")]
    wanted = _TYPES.get(kind)
    if wanted is None:
        return answer
    try:
        return msgspec.convert(answer, wanted, strict=False)
    except msgspec.ValidationError:
        return answer


_TYPES: dict[str, type] = {"integer": int, "number": float, "boolean": bool}
