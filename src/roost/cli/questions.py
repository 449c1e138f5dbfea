"""The questions of an approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Json = dict[str, Any]


def questions(view: Json) -> list[str]:
    """The texts of the questions that an approval asks, in their order."""
    told = view["input"].get("questions")
    listed = [one.get("question") for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    listed += [choice.get("question") for choice in view["choices"]]
    return list(dict.fromkeys(one for one in listed if isinstance(one, str)))
