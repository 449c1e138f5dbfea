"""Whether numbered lines came exactly once and in order."""

from __future__ import annotations

import re
from typing import NamedTuple

LINE = re.compile(r"(\S+) (\d+)\Z")


class Tally(NamedTuple):
    """How lines `1` to `expected` of one source came: numbers that did not, that came again, that came too early."""

    expected: int
    seen: int
    lost: int
    twice: int
    disordered: int

    @property
    def is_perfect(self) -> bool:
        """Every line came exactly once and in order."""
        return self == Tally(self.expected, self.expected, 0, 0, 0)

    def __add__(self, other: object) -> Tally:
        if not isinstance(other, Tally):
            return NotImplemented
        return Tally(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING = Tally(0, 0, 0, 0, 0)


class Numbers:
    """The numbers of one source's lines, in the order in which they came."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._last = 0
        self._twice = 0
        self._disordered = 0

    def take(self, number: int) -> None:
        """Note the next line's number."""
        if number in self._seen:
            self._twice += 1
        elif number < self._last:
            self._disordered += 1
        self._seen.add(number)
        self._last = number

    def tally(self, expected: int) -> Tally:
        """The outcome, when lines 1 to `expected` should have come."""
        lost = sum(number not in self._seen for number in range(1, expected + 1))
        return Tally(expected, len(self._seen), lost, self._twice, self._disordered)


class Ledger:
    """Lines such as `w3 17` sorted by source; other lines are kept as strangers."""

    def __init__(self) -> None:
        self._sources: dict[str, Numbers] = {}
        self.strangers: list[str] = []

    def take(self, line: str) -> None:
        """Note the next line."""
        found = LINE.match(line)
        if found is None:
            self.strangers.append(line)
            return
        source = self._sources.setdefault(found[1], Numbers())
        source.take(int(found[2]))

    def tally(self, expected: dict[str, int]) -> Tally:
        """The outcome over all sources; `expected` says how many lines each should have had."""
        total = NOTHING
        for name, count in expected.items():
            total += self._sources.get(name, Numbers()).tally(count)
        return total
