"""Waiting for a condition, the one way our tests wait."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SCALE = float(os.environ.get("ROOST_TEST_TIMEOUT_SCALE", "1"))


def scaled(seconds: float) -> float:
    """A time-out, stretched for slow machines by `ROOST_TEST_TIMEOUT_SCALE`."""
    return seconds * SCALE


def until(condition: Callable[[], T], timeout_s: float = 10, *, what: str = "") -> T:
    """Poll `condition` until it is truthy and return its value; fail with `what` after `timeout_s`."""
    deadline = time.monotonic() + scaled(timeout_s)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {scaled(timeout_s)} s: {what or condition}; last value {value!r}")
        time.sleep(0.01)
