"""Answering what a coding agent asks by a line that is typed. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from roost.cli.questions import questions
from roost.core.readable import one_line

if TYPE_CHECKING:
    Json = dict[str, Any]

HOW = "give the number of a choice, 'y', or 'n' and a reason"
HOW_QUESTION = "give the number of a choice, or an answer of your own"


def choices_in_lines(view: Json) -> list[str]:
    """The choices of an approval, numbered, and what else it says, for the one who is to answer."""
    several = len(questions(view)) > 1
    lines = []
    asked = None
    for number, choice in enumerate(view["choices"], 1):
        if several and choice.get("question") != asked:
            asked = choice.get("question")
            lines.append(f"  {one_line(str(asked))}")
        about = one_line(str(choice.get("description") or ""))
        label = one_line(str(choice.get("label") or choice.get("id")))
        lines.append(f"  {number}  {label}" + (f": {about}" if about and about != label else ""))
    return lines


def answer_to(view: Json, typed: str) -> Json | None:
    """The body that answers an approval as a typed line says; none where the line is no answer."""
    chosen = _chosen(view["choices"], typed)
    if chosen:
        return _by_choice(view, chosen)
    word, _, rest = typed.partition(" ")
    if view["kind"] == "question":
        asked = questions(view)
        return {"decision": "allow"} | ({"answers": {asked[0]: typed}} if len(asked) == 1 else {"reason": typed})
    if word.casefold() in ("y", "yes") and not rest:
        return {"decision": "allow"}
    if word.casefold().rstrip(",:") in ("n", "no"):
        return {"decision": "deny"} | ({"reason": rest.strip()} if rest.strip() else {})
    return None


def _chosen(choices: list[Json], typed: str) -> list[Json]:
    """The choices that a line of numbers names."""
    if not re.fullmatch(r"[\d\s,]+", typed):
        return []
    numbers = [int(number) for number in re.findall(r"\d+", typed)]
    return [choices[number - 1] for number in numbers] if all(0 < one <= len(choices) for one in numbers) else []


def _by_choice(view: Json, chosen: list[Json]) -> Json | None:
    if view["kind"] == "question" and all(choice.get("question") for choice in chosen):
        answers: dict[str, str] = {}
        for choice in chosen:
            before = answers.get(choice["question"])
            answers[choice["question"]] = f"{before}, {choice['label']}" if before else choice["label"]
        return {"decision": "allow", "answers": answers}
    if len(chosen) > 1:
        return None
    is_deny = str(chosen[0].get("kind", "")).startswith("deny")
    return {"decision": "deny" if is_deny else "allow", "choice": chosen[0]["id"]}
