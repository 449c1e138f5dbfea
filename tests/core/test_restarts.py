"""When an agent starts again."""

from __future__ import annotations

import pytest

from roost.core.restarts import restart_delay


@pytest.mark.parametrize(
    ("policy", "state", "reason", "seconds"),
    [
        ("no", "failed", None, None),
        ("always", "exited", None, 1.0),
        ("always", "failed", None, 1.0),
        ("always", "lost", "host restarted", 1.0),
        ("always", "exited", "stopped (signal SIGTERM)", None),
        ("always", "exited", "killed (signal SIGKILL)", None),
        ("on-failure", "failed", None, 1.0),
        ("on-failure", "exited", None, None),
        ("on-failure", "lost", "keeper ended", 1.0),
    ],
)
def test_the_policy_decides(policy: str, state: str, reason: str | None, seconds: float | None) -> None:
    delay = restart_delay(policy, state, reason, quick=0, ran_s=1)
    assert (delay.seconds if delay else None) == seconds


def test_delays_double_up_to_a_minute_and_begin_anew_after_a_long_run() -> None:
    seconds, quick = [], 0
    for _ in range(9):
        delay = restart_delay("always", "failed", None, quick=quick, ran_s=0.1)
        assert delay is not None
        quick = delay.quick
        seconds.append(delay.seconds)
    assert seconds == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert restart_delay("always", "failed", None, quick=quick, ran_s=61) == (1.0, 1)
