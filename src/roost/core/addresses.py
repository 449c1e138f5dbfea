"""Finding what serves a path: by look-up, whatever the number of routes.

A pattern is a plain path, a path with parts that vary (`/api/agents/{name}/kill`), or one whose rest varies
(`/assets/{path:path}`). A plain path wins over one that varies, and that over one whose rest does. A part that varies
is never empty and holds no slash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Found(NamedTuple, Generic[T]):
    """What serves a path, and what stands in the parts that vary."""

    value: T
    parameters: dict[str, str]


class _Shape(NamedTuple):
    """Patterns of `parts` parts, of which those at `places` vary."""

    parts: int
    places: tuple[int, ...]


class Addresses(Generic[T]):
    """Patterns of paths, each with its value."""

    def __init__(self, patterns: Mapping[str, T]) -> None:
        self._plain: dict[str, T] = {}
        self._varying: dict[_Shape, dict[tuple[str, ...], tuple[list[str], T]]] = {}
        self._prefixes: list[tuple[str, str, T]] = []
        for pattern, value in patterns.items():
            self._add(pattern, value)

    def find(self, path: str) -> Found[T] | None:
        """What serves `path`; None where nothing does."""
        plain = self._plain.get(path)
        if plain is not None:
            return Found(plain, {})
        return self._find_varying(path.split("/")) or self._find_prefix(path)

    def _add(self, pattern: str, value: T) -> None:
        parts = pattern.split("/")
        places = [place for place, part in enumerate(parts) if part.startswith("{")]
        if not places:
            self._plain[pattern] = value
        elif parts[-1].endswith(":path}"):
            prefix = pattern.removesuffix(parts[-1])
            self._prefixes.append((prefix, parts[-1][1:-6], value))
        else:
            shape = _Shape(len(parts), tuple(places))
            names = [parts[place][1:-1] for place in places]
            self._varying.setdefault(shape, {})[_fixed(parts, shape)] = (names, value)

    def _find_varying(self, parts: list[str]) -> Found[T] | None:
        for shape, patterns in self._varying.items():
            if shape.parts != len(parts) or not all(parts[place] for place in shape.places):
                continue
            found = patterns.get(_fixed(parts, shape))
            if found is not None:
                names, value = found
                return Found(value, {name: parts[place] for name, place in zip(names, shape.places, strict=True)})
        return None

    def _find_prefix(self, path: str) -> Found[T] | None:
        for prefix, name, value in self._prefixes:
            if path.startswith(prefix):
                return Found(value, {name: path[len(prefix) :]})
        return None


def _fixed(parts: list[str], shape: _Shape) -> tuple[str, ...]:
    return tuple([part for place, part in enumerate(parts) if place not in shape.places])
