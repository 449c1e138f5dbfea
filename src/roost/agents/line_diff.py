"""How many lines a change adds and takes away."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher

LARGEST = 1 << 20
"""Pairs of lines that are compared one by one; beyond that, lines are counted without their order."""


def count_changed(old: str, new: str) -> tuple[int, int]:
    """Lines added and lines removed between two texts."""
    before, after = _without_same_ends(old.splitlines(), new.splitlines())
    if not before or not after:
        return len(after), len(before)
    if len(before) * len(after) > LARGEST:
        return (Counter(after) - Counter(before)).total(), (Counter(before) - Counter(after)).total()
    same = sum(block.size for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks())
    return len(after) - same, len(before) - same


def _without_same_ends(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    shorter = min(len(before), len(after))
    start = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    left = shorter - start
    end = next((at for at in range(left) if before[-1 - at] != after[-1 - at]), left)
    return before[start : len(before) - end], after[start : len(after) - end]
