"""Shapes of lines: which keys a kind of line always has, which it may have, and of what types their values are.

`python -m tests.testing.shapes SAMPLES` writes `tests/testing/seen/*.json` anew from transcripts of the real programs;
with `ROOST_TEST_RECORD=SAMPLES` the tests of the real programs add theirs to them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Json = dict[str, Any]
Paths = dict[str, set[str]]
HERE = Path(__file__).parent / "seen"
# What stands below these keys is the model's, the user's or the tool's.
OPAQUE = {
    "input", "tool_input", "rawInput", "rawOutput", "parameters", "arguments", "_meta", "metadata", "updatedInput",
    "answers", "responseHeaders", "by_type", "memory_paths", "hooks", "data", "questions", "permission_suggestions",
}  # fmt: skip
KEYED_BY_NAME = {"modelUsage", "model_usage_since_last_result", "models"}


class Shape(NamedTuple):
    """The paths that every line of a kind has, and all paths that one has, with the types of their values."""

    always: list[str]
    ever: dict[str, list[str]]


def paths_of(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every path in a value and the type that stands there; `[]` is a list's element, `*` a key that is a name."""
    yield at, _type_name(value)
    if isinstance(value, list):
        for one in value:
            yield from paths_of(one, f"{at}[]")
    elif isinstance(value, dict):
        last = at.rpartition(".")[2]
        for key, one in value.items():
            if last not in OPAQUE:
                yield from paths_of(one, f"{at}.{'*' if last in KEYED_BY_NAME else key}")


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {"int": "number", "float": "number", "NoneType": "null"}.get(type(value).__name__, type(value).__name__)


def gathered(line: Json) -> Paths:
    """The paths of one line."""
    found: Paths = {}
    for path, kind in paths_of(line):
        found.setdefault(path, set()).add(kind)
    return found


def shapes_of(lines: Iterable[tuple[str, Json]]) -> dict[str, Shape]:
    """The shape of each kind of line."""
    by_kind: dict[str, list[Paths]] = {}
    for kind, line in lines:
        by_kind.setdefault(kind, []).append(gathered(line))
    return {kind: _shape(found) for kind, found in sorted(by_kind.items())}


def _shape(found: list[Paths]) -> Shape:
    every: Paths = {}
    for paths in found:
        for path, kinds in paths.items():
            every.setdefault(path, set()).update(kinds)
    always = [path for path in every if all(path in paths for paths in found)]
    return Shape(sorted(always), {path: sorted(every[path]) for path in sorted(every)})


def complaints(kind: str, line: Json, known: dict[str, Shape]) -> list[str]:
    """What is wrong with a line of a kind."""
    shape = known.get(kind)
    if shape is None:
        return [f"{kind}: not a kind of line that was seen"]
    paths = gathered(line)
    missing = [f"{kind}: {path} is missing" for path in shape.always if path not in paths]
    strange = [f"{kind}: {path} was never seen" for path in paths if path not in shape.ever]
    wrong = [
        f"{kind}: {path} is {sorted(kinds - set(shape.ever[path]))} and was {shape.ever[path]}"
        for path, kinds in paths.items()
        if path in shape.ever and not kinds <= set(shape.ever[path])
    ]
    return missing + strange + wrong


def load(name: str) -> dict[str, Shape]:
    """The shapes of a protocol, as the real programs were seen to speak it."""
    found = json.loads((HERE / f"{name}.json").read_text())
    return {kind: Shape(*shape) for kind, shape in found.items()}


# Kinds


def kind_of_claude(line: Json) -> str:
    """`system/init`, `assistant/tool_use`, `user/tool_result`, `stream_event/message_start`, …"""
    kind = str(line["type"])
    if kind in ("system", "result"):
        return f"{kind}/{line['subtype']}"
    if kind in ("assistant", "user"):
        content = line["message"]["content"]
        block = "string" if isinstance(content, str) else content[0]["type"]
        failed = "/error" if block == "tool_result" and content[0].get("is_error") else ""
        made = "/synthetic" if line["message"].get("model") == "<synthetic>" else ""
        return f"{kind}/{block}{failed}{made}"
    if kind == "stream_event":
        return f"{kind}/{line['event']['type']}"
    return f"{kind}/{line['request']['subtype']}" if kind == "control_request" else kind


def kind_of_codex_server(line: Json) -> str:
    """The method, with the type of the item; `` for answers to requests."""
    item = (line.get("params") or {}).get("item")
    return f"{line.get('method', '')}/{item['type']}" if item else str(line.get("method", ""))


def kind_of_codex_exec(line: Json) -> str:
    """The type, with the type of the item."""
    return f"{line['type']}/{line['item']['type']}" if "item" in line else str(line["type"])


def kind_of_flat(line: Json) -> str:
    """The type, with the status of what it is about."""
    state = line.get("status") or (line.get("part") or {}).get("state", {}).get("status")
    return f"{line['type']}/{state}" if state else str(line["type"])


def kind_of_acp(line: Json) -> str:
    """The kind of update, or the method."""
    update = (line.get("params") or {}).get("update")
    return f"update/{update['sessionUpdate']}" if update else str(line.get("method", ""))


KINDS: dict[str, Callable[[Json], str]] = {
    "claude": kind_of_claude,
    "codex_server": kind_of_codex_server,
    "codex_exec": kind_of_codex_exec,
    "gemini": kind_of_flat,
    "opencode": kind_of_flat,
    "acp": kind_of_acp,
}
SAMPLES = {
    "claude": ("claude-2.1.329/*.stdout.jsonl", "claude-2.1.329/*.duplex.jsonl"),
    "codex_server": ("codex/6*.duplex.jsonl",),
    "codex_exec": ("codex/*.stdout.jsonl",),
    "gemini": ("gemini/*.stdout.jsonl",),
    "opencode": ("opencode/*.stdout.jsonl",),
    "acp": ("*-acp/*.duplex.jsonl", "gemini/40*.duplex.jsonl", "opencode/41*.duplex.jsonl"),
}


def read_lines(path: Path) -> Iterator[Json]:
    """What the program wrote, of a transcript of either kind."""
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "dir" in line:
            line = line["msg"] if line["dir"] == "out" else None
        if isinstance(line, dict):
            yield line


def main(samples: Path) -> None:
    """Write all shapes anew."""
    HERE.mkdir(exist_ok=True)
    for name, patterns in SAMPLES.items():
        kind_of = KINDS[name]
        lines = (line for pattern in patterns for path in sorted(samples.glob(pattern)) for line in read_lines(path))
        told = ((kind_of(line), line) for line in lines if name in ("acp", "codex_server") or "type" in line)
        found = shapes_of((kind, line) for kind, line in told if kind)
        (HERE / f"{name}.json").write_text(json.dumps(found, indent=0, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
