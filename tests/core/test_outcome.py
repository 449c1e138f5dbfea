"""What an end means."""

from __future__ import annotations

import pytest

from roost.core.outcome import outcome, was_asked_for


@pytest.mark.parametrize(
    ("code", "signal", "reason", "asked", "expected"),
    [
        (0, None, "exited", False, ("exited", "exit code 0")),
        (7, None, "exited", False, ("failed", "exit code 7")),
        (7, None, None, True, ("exited", "exit code 7")),
        (None, "SIGSEGV", "exited", False, ("failed", "signal SIGSEGV")),
        (None, "SIGTERM", "stopped", False, ("exited", "stopped (signal SIGTERM)")),
        (None, "SIGKILL", "killed", False, ("exited", "killed (signal SIGKILL)")),
        (None, None, None, False, ("failed", "unknown outcome")),
    ],
)
def test_state_and_words(
    code: int | None, signal: str | None, reason: str | None, asked: bool, expected: object
) -> None:
    assert outcome(code, signal, reason, asked=asked) == expected


def test_what_was_asked_for_is_told_from_what_happened() -> None:
    assert was_asked_for("stopped (signal SIGTERM)")
    assert was_asked_for("killed (signal SIGKILL)")
    assert not was_asked_for("exit code 1")
    assert not was_asked_for(None)
