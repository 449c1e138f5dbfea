"""What a prompt tells a fake model, or an agent without a model, to do: one step a line, each beginning with `@`.

@think Where is it?
@say I read the file first.
@read hello.txt
@bash echo one
@also bash echo two
@say Done.

Steps are gathered into answers: a tool call ends an answer, because a model waits for its result, and `@also` keeps the
next call in the same answer, so that both run at once. Lines that do not begin with `@` continue the step above them.
On one line, steps are parted by ` ; `.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

ALWAYS = 1_000_000
STEP_BREAK = re.compile(r"(?:\r?\n|\s;\s)(?=\s*@[a-z])")
STEP = re.compile(r"\s*@([a-z][a-z-]*)(?:\s(.*))?$", re.DOTALL)
Json = dict[str, Any]


class Say(NamedTuple):
    """Text; `pause_s` between its pieces."""

    text: str
    pause_s: float = 0.0


class Think(NamedTuple):
    """Text that is thought and not said."""

    text: str


class Call(NamedTuple):
    """A tool call. `tool` is `bash`, `read`, `write`, `edit`, `ask`, `plan`, `approve-plan`, `agent`, or else the name
    that the CLI itself has for it; `input` is in our own words for the former, as given for the latter."""

    tool: str
    input: Json
    is_raw: bool = False


class Wait(NamedTuple):
    """Silence that an interrupt ends."""

    seconds: float


class Fail(NamedTuple):
    """The model's endpoint refuses with an HTTP status, so many times; only for models whose name has `model` in it."""

    status: int
    times: int = ALWAYS
    model: str = ""


class Cut(NamedTuple):
    """The connection breaks off, so many times."""

    times: int = 1


class Stop(NamedTuple):
    """The reason that the answer gives for its end, such as `max_tokens`."""

    reason: str


class Tokens(NamedTuple):
    """What the answer says that it has used."""

    input: int
    output: int


class Fault(NamedTuple):
    """Something that no sound agent does; `kind` is a name in `FAULTS`."""

    kind: str
    argument: str = ""


Step = Say | Think | Call | Wait | Fail | Cut | Stop | Tokens | Fault
Answer = list[Step]

FAULTS = {
    "garbage": "TEXT: a line that is not of the protocol",
    "half": "the next line comes in two halves with a pause between",
    "torn": "half a line, and the end",
    "unknown": "TYPE: a line of a type that nobody knows",
    "fields": "from here on every line has fields that nobody knows",
    "stall": "SECONDS: silence that nothing ends",
    "crash": "SIGNAL: die of a signal, KILL if none is named",
    "leave": "CODE: end with an exit code and without a result",
    "duplicate": "the next line comes twice",
    "reverse": "results of calls that ran at once come last call first",
    "never": "the turn never ends by itself",
    "deaf": "interrupts are not heard from here on",
}


class BadStep(Exception):
    """A line is no step; the message says why."""


def is_script(text: str) -> bool:
    """Whether a prompt begins with a step."""
    found = STEP.match(_unquoted(text))
    return found is not None and found[1] in STEPS


def read_script(text: str) -> list[Answer]:
    """The answers that a prompt asks for; a plain prompt is answered with what it said.

    Raises:
        BadStep: a line begins with `@` and is no step.
    """
    text = _unquoted(text)
    if not is_script(text):
        return [[Say(f"You said: {text.strip()}")]]
    return gathered(_steps(text))


def gathered(steps: Iterable[tuple[Step, bool]]) -> list[Answer]:
    """Steps as answers; what comes with True belongs to the answer before it, even after a tool call."""
    answers: list[Answer] = [[]]
    for step, is_joined in steps:
        if not is_joined and _is_over(answers[-1]):
            answers.append([])
        answers[-1].append(step)
    if _is_over(answers[-1]):
        answers.append([Say("Done.")])
    return answers


def _is_over(answer: Answer) -> bool:
    """Whether a model says no more before it is asked again."""
    return any(isinstance(one, Call | Cut) for one in answer)


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _steps(text: str) -> Iterable[tuple[Step, bool]]:
    for line in STEP_BREAK.split(text):
        found = STEP.match(line)
        if found is None:
            raise BadStep(f"{line!r} is no step")
        is_joined = found[1] == "also"
        name, argument = _joined(found[2] or "") if is_joined else (found[1], found[2] or "")
        for step in step_of(name, argument):
            yield step, is_joined


def _joined(argument: str) -> tuple[str, str]:
    name, _, rest = argument.strip().removeprefix("@").partition(" ")
    return name, rest


def step_of(name: str, argument: str) -> list[Step]:
    """The steps that one line stands for.

    Raises:
        BadStep: there is no such step, or its argument makes no sense.
    """
    make = STEPS.get(name)
    if make is None:
        raise BadStep(f"there is no step @{name}")
    try:
        return [make(argument.strip())]
    except (ValueError, IndexError) as exc:
        raise BadStep(f"@{name} {argument}: {exc}") from exc


def _words(text: str, count: int) -> list[str]:
    """The first words, of which the first may be quoted, and the rest as it stands."""
    if text[:1] in "\"'" and text:
        end = text.index(text[0], 1)
        return [text[1:end], *_words(text[end + 1 :].strip(), count - 1)] if count > 1 else [text]
    return text.split(None, count - 1)


def _options(text: str) -> tuple[list[str], dict[str, str]]:
    words = shlex.split(text)
    return [word for word in words if "=" not in word], dict(word.split("=", 1) for word in words if "=" in word)


def _slow(text: str) -> Step:
    pause, rest = _words(text, 2)
    return Say(rest, float(pause))


def _bash(text: str) -> Step:
    return Call("bash", {"command": text})


def _background(text: str) -> Step:
    return Call("bash", {"command": text, "background": True})


def _daemon(text: str) -> Step:
    return Call("bash", {"command": f"setsid nohup sh -c {shlex.quote(text)} </dev/null >/dev/null 2>&1 &"})


def _read(text: str) -> Step:
    return Call("read", {"path": _words(text, 1)[0].strip("\"'")})


def _write(text: str) -> Step:
    path, *rest = _words(text, 2)
    return Call("write", {"path": path, "text": _unescaped(rest[0]) if rest else ""})


def _edit(text: str) -> Step:
    path, rest = _words(text, 2)
    old, arrow, new = rest.partition(" => ")
    if not arrow:
        raise ValueError("it must be FILE OLD => NEW")
    return Call("edit", {"path": path, "old": _unescaped(old), "new": _unescaped(new)})


def _unescaped(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t")


def _tool(text: str) -> Step:
    name, *rest = _words(text, 2)
    return Call(name, json.loads(rest[0]) if rest else {}, is_raw=True)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|")]


def _ask(text: str) -> Step:
    question, *choices = _parts(text)
    return Call("ask", {"question": question, "choices": choices or ["Yes", "No"]})


def _plan(text: str) -> Step:
    return Call("plan", {"items": [_item(part) for part in _parts(text)]})


def _item(text: str) -> Json:
    for sign, status in (("x ", "completed"), ("> ", "in_progress")):
        if text.startswith(sign):
            return {"text": text[len(sign) :], "status": status}
    return {"text": text, "status": "pending"}


def _approve_plan(text: str) -> Step:
    return Call("approve-plan", {"plan": text})


def _agent(text: str) -> Step:
    return Call("agent", {"prompt": f"@{text}" if text.split(" ")[0] in STEPS else text})


def _error(text: str) -> Step:
    words, options = _options(text)
    return Fail(int(words[0]), int(options.get("times", ALWAYS)), options.get("model", ""))


def _cut(text: str) -> Step:
    return Cut(int(_options(text)[1].get("times", 1)))


def _tokens(text: str) -> Step:
    read, written = text.split()
    return Tokens(int(read), int(written))


def _huge(text: str) -> Step:
    return Say("x" * int(text))


def _fault(kind: str) -> Callable[[str], Step]:
    return lambda argument: Fault(kind, argument)


STEPS: dict[str, Callable[[str], Step]] = {
    "say": Say,
    "slow": _slow,
    "huge": _huge,
    "think": Think,
    "bash": _bash,
    "background": _background,
    "daemon": _daemon,
    "read": _read,
    "write": _write,
    "edit": _edit,
    "tool": _tool,
    "ask": _ask,
    "plan": _plan,
    "approve-plan": _approve_plan,
    "agent": _agent,
    "wait": lambda text: Wait(float(text)),
    "error": _error,
    "cut": _cut,
    "stop": Stop,
    "tokens": _tokens,
    **{kind: _fault(kind) for kind in FAULTS},
}
