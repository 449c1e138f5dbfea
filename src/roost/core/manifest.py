"""Screen manifests: how a CLI's title and screen show what it is about. Data, one file a CLI.

    name = "claude"
    programs = ["claude", "claude-*"]

    [[rules]]
    kind = "waits"
    wants = "permission"
    where = "bottom"
    pattern = '(?m)^ *Do you want to (?P<what>.+\\?)$'
    summary = "Do you want to {what}"
    evidence = "the screen asks for permission"
    priority = 10

Rules are tried by priority, highest first, then in the order of the file; the first that matches holds. A CLI whose
screen fits no rule says nothing.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from roost.model.attention import MAX_SUMMARY, AttentionKind, Evidence, Wants

Where = Literal["title", "line", "bottom", "screen"]

MAX_ROWS = 200
"""Rows of a screen that are looked at, from the bottom."""

MAX_ROW = 1000
"""Characters of a row that are looked at."""

WRAPPERS = frozenset(
    "env node nodejs bun deno npx bunx uv uvx pipx unshare setpriv nice nohup stdbuf setsid time timeout sudo doas "
    "command exec run x".split()
)
"""Programs that run another, which is named among their arguments."""

SHELLS = frozenset("sh bash zsh fish dash ksh ash".split())

MAX_QUOTED = 120
MAX_WORDS = 50

_LOOK_AT = 8
_DRAWN = dict.fromkeys([*range(0x2500, 0x25A0)], " ")
_PYTHON = re.compile(r"python[\d.]*")
_SCRIPT = re.compile(r"-[a-z]*c")
_SUFFIXES = (".js", ".mjs", ".cjs", ".py", ".exe", ".sh")


class ManifestInvalid(ValueError):
    """A manifest says what cannot be."""


class Sight(NamedTuple):
    """What a terminal shows: the rows, right-trimmed, from the top; `line` is the one the cursor stands in."""

    title: str
    rows: tuple[str, ...]
    line: str


class Finding(NamedTuple):
    """What a rule says about a sight."""

    kind: AttentionKind
    wants: Wants | None
    summary: str
    evidence: str
    source: Evidence


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule, as a manifest has it."""

    kind: AttentionKind
    pattern: str
    where: Where = "bottom"
    rows: int = 15
    """How many rows `bottom` takes; rows that are empty do not count."""
    texts: list[str] = []
    """One of these must be there, in any case; looked for first, because that is cheap where a pattern is not."""
    unless: str = ""
    """A pattern that must not match in the same place."""
    wants: Wants | None = None
    summary: str = ""
    """With `{name}` for what the pattern's group of that name matched."""
    evidence: str = ""
    priority: int = 0


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    programs: list[str] = []
    rules: list[Rule] = []
    extends: bool = False
    foreground: bool = False
    otherwise: AttentionKind | None = None


class _Place(NamedTuple):
    text: str
    lowered: str


class _Compiled(NamedTuple):
    rule: Rule
    texts: tuple[str, ...]
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None


class Manifest:
    """One CLI's manifest.

    `foreground`: what it runs in the terminal's foreground is what counts, as of a shell. `otherwise`: what it is about
    where no rule matches; without it, that is not known.
    """

    def __init__(self, file: _File, rules: Sequence[Rule]) -> None:
        self.name = file.name
        self.programs = tuple(file.programs)
        self.extends = file.extends
        self.foreground = file.foreground
        self.otherwise = file.otherwise
        self.rules = tuple(sorted(rules, key=lambda rule: -rule.priority))
        self._compiled = [_compile(file.name, rule) for rule in self.rules]

    @classmethod
    def parse(cls, text: str) -> Manifest:
        """The manifest that a file holds.

        Raises:
            ManifestInvalid: it is no TOML, has unknown keys or kinds, or a pattern that is none.
        """
        try:
            file = msgspec.convert(tomllib.loads(text), _File)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
            raise ManifestInvalid(str(exc)) from exc
        return cls(file, file.rules)

    def over(self, below: Manifest) -> Manifest:
        """This manifest where it takes the place of another of its name: alone, or, as it `extends`, in front of it."""
        if not self.extends:
            return self
        file = _File(
            name=self.name,
            programs=[*self.programs, *below.programs],
            foreground=self.foreground or below.foreground,
            otherwise=self.otherwise or below.otherwise,
        )
        return Manifest(file, [*self.rules, *below.rules])

    def runs(self, program: str) -> bool:
        """Whether `program`, a name without its directory, is this CLI."""
        return any(fnmatchcase(program, pattern) for pattern in self.programs)

    def read(self, sight: Sight) -> Finding | None:
        """What the first rule that matches says; none says nothing."""
        places: dict[tuple[Where, int], _Place] = {}
        for compiled in self._compiled:
            where = (compiled.rule.where, compiled.rule.rows)
            place = places.get(where)
            if place is None:
                place = places[where] = _place(sight, *where)
            match = _match(compiled, place)
            if match:
                return _finding(compiled.rule, match)
        if self.otherwise is None:
            return None
        return Finding(self.otherwise, None, "", "it shows nothing that asks for somebody", "process")


def choose(manifests: Iterable[Manifest], argv: Sequence[str]) -> Manifest | None:
    """The manifest of the CLI that a command line starts, also through an interpreter or a package runner."""
    for program in programs(argv):
        for manifest in manifests:
            if manifest.runs(program):
                return manifest
    return None


def programs(argv: Sequence[str]) -> list[str]:
    """Names of the programs that a command line may be about: the first word, and behind wrappers the next ones.

    Of what a shell is given to run (`-c`) any word may be it.
    """
    found: list[str] = []
    for at, word in enumerate(argv[:_LOOK_AT]):
        if found and found[-1] in SHELLS and _SCRIPT.fullmatch(word) and at + 1 < len(argv):
            return found + _words(argv[at + 1])
        if not found or not (word.startswith("-") or "=" in word or word.isdigit()):
            found.append(_name(word))
            if found[-1] not in SHELLS and not _is_wrapper(found[-1]):
                break
    return found


def is_interactive_shell(argv: Sequence[str]) -> bool:
    """Whether a command line is a shell that reads commands from its terminal."""
    is_shell = bool(argv) and _name(argv[0]) in SHELLS
    return is_shell and all(word.startswith("-") and not _SCRIPT.fullmatch(word) for word in argv[1:])


def _is_wrapper(name: str) -> bool:
    return name in WRAPPERS or _PYTHON.fullmatch(name) is not None


def _words(script: str) -> list[str]:
    try:
        words = shlex.split(script)
    except ValueError:
        return []
    return [_name(word) for word in words[:MAX_WORDS] if re.fullmatch(r"[\w./@+-]*\w", word) and word[0] != "-"]


def _name(word: str) -> str:
    """`claude` of `/opt/claude`, `@openai/codex@1.2` and `claude.js`."""
    name = word.rstrip("/").rpartition("/")[2].lower()
    name = name.partition("@")[0] or name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name.removeprefix("-")


def _compile(name: str, rule: Rule) -> _Compiled:
    try:
        pattern = re.compile(rule.pattern)
        unless = re.compile(rule.unless) if rule.unless else None
        rule.summary.format(**dict.fromkeys(pattern.groupindex, ""))
    except (re.error, KeyError, IndexError, ValueError) as exc:
        raise ManifestInvalid(f"{name}: rule with pattern {rule.pattern!r}: {exc}") from exc
    if (rule.kind == "waits") != (rule.wants is not None):
        raise ManifestInvalid(f"{name}: rule with pattern {rule.pattern!r}: wants goes with waits")
    return _Compiled(rule, tuple(text.lower() for text in rule.texts), pattern, unless)


def _match(compiled: _Compiled, place: _Place) -> re.Match[str] | None:
    if compiled.texts and not any(text in place.lowered for text in compiled.texts):
        return None
    match = compiled.pattern.search(place.text)
    if match and compiled.unless and compiled.unless.search(place.text):
        return None
    return match


def _place(sight: Sight, where: Where, rows: int) -> _Place:
    text = _text(sight, where, rows)
    return _Place(text, text.lower())


def _text(sight: Sight, where: Where, rows: int) -> str:
    if where == "title":
        return sight.title
    if where == "line":
        return sight.line[-MAX_ROW:]
    shown = [row[:MAX_ROW] for row in sight.rows[-MAX_ROWS:] if row.strip()]
    return "\n".join(shown[-rows:] if where == "bottom" else shown)


def _quoted(match: re.Match[str], *, whole: bool) -> str:
    """What matched, without what is only drawn, or of much the groups alone; of a title, all of it."""
    words = _words_of(match.string if whole else match[0])
    groups = _words_of(" ".join(filter(None, match.groupdict().values())))
    said = groups if len(words) > MAX_QUOTED and groups else words
    return f"“{said[:MAX_QUOTED]}”" if said else ""


def _words_of(text: str) -> str:
    return " ".join(text.translate(_DRAWN).split())


def _finding(rule: Rule, match: re.Match[str]) -> Finding:
    groups = {name: " ".join((text or "").split()) for name, text in match.groupdict().items()}
    source: Evidence = "title" if rule.where == "title" else "screen"
    evidence = ": ".join(filter(None, (rule.evidence, _quoted(match, whole=source == "title")))) or "a rule matches"
    return Finding(rule.kind, rule.wants, rule.summary.format(**groups)[:MAX_SUMMARY], evidence, source)
