"""Which answer a conversation gets: what its last script says for the point that it has come to."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import Counter

from roost.testing.models.script import Answer, BadStep, Cut, Fail, Say, is_script, read_script
from roost.testing.models.wire import MODEL, USER, Asked, Turn, said

SIDE_ANSWER = "ok"


class Player:
    """Answers conversations. With `script` the answers are taken from it, one after the other, whatever is asked."""

    def __init__(self, script: list[Answer] | None = None) -> None:
        self._script = None if script is None else list(script)
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()

    def answer(self, asked: Asked) -> Answer | Fail:
        """The next answer of the model, or how the endpoint fails instead.

        A request that offers no tools is a side request (a title, a summary): it gets only what is to be said.
        """
        steps = self._steps(asked)
        if not asked.tools:
            return [Say(said(steps) or SIDE_ANSWER)]
        return self._with_failures(steps, asked)

    def _steps(self, asked: Asked) -> Answer:
        if self._script is not None and asked.tools:
            with self._lock:
                return self._script.pop(0) if self._script else [Say("Done.")]
        text, done = located(asked.turns)
        try:
            answers = read_script(text)
        except BadStep as exc:
            return [Say(f"I do not understand: {exc}")]
        return answers[done] if done < len(answers) else [Say("Done.")]

    def _after_a_cut(self, asked: Asked) -> Answer:
        """What comes when the connection was cut before anything had been said: the answer after that."""
        text, done = located(asked.turns)
        answers = read_script(text) if self._script is None else []
        return answers[done + 1] if done + 1 < len(answers) else [Say("Done.")]

    def _with_failures(self, steps: Answer, asked: Asked) -> Answer | Fail:
        kept: Answer = []
        for place, step in enumerate(steps):
            if isinstance(step, Fail | Cut):
                if not self._happens(f"{place} {_fingerprint(asked)}", step, asked.model):
                    continue
                if isinstance(step, Fail):
                    return step
            kept.append(step)
        return kept or self._after_a_cut(asked)

    def _happens(self, key: str, step: Fail | Cut, model: str) -> bool:
        if isinstance(step, Fail) and step.model not in model:
            return False
        with self._lock:
            self._failures[key] += 1
            return self._failures[key] <= step.times


def located(turns: list[Turn]) -> tuple[str, int]:
    """The script that holds, and how many answers of it have been given; the last plain words when there is none."""
    for at in range(len(turns) - 1, -1, -1):
        scripts = [text for text in turns[at].texts if is_script(text)] if turns[at].role == USER else []
        if scripts:
            return scripts[-1], _answers_in(turns[at + 1 :])
    words = [(at, text) for at, turn in enumerate(turns) if turn.role == USER for text in _plain(turn)]
    if not words:
        return "", 0
    at, text = words[-1]
    return text, _answers_in(turns[at + 1 :])


def _plain(turn: Turn) -> list[str]:
    """What a person said; what stands in tags was put there by a program."""
    return [text for text in turn.texts if text.strip() and not text.lstrip().startswith("<")]


def _answers_in(turns: list[Turn]) -> int:
    return sum(role == MODEL for role, _ in itertools.groupby(turns, key=lambda turn: turn.role))


def _fingerprint(asked: Asked) -> str:
    told = repr([turn for turn in asked.turns if turn.role == USER and _plain(turn)]) + str(_answers_in(asked.turns))
    return hashlib.sha256(f"{asked.model} {told}".encode()).hexdigest()
