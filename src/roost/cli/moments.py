"""Moments and spans as people give them: `10m`, `2026-11-21T06:15:00Z`, `06:15`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from roost.errors import InvalidRequest

_SPAN = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|s|m|h|d))+\Z")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_NO_SPAN = "give seconds, or a span such as 90s, 5m or 1h30m"


def seconds(text: str) -> float:
    """A span in seconds: a bare number, or parts with a unit.

    Raises:
        InvalidRequest: it is neither.
    """
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return float(text)
    if not _SPAN.match(text):
        raise InvalidRequest(f"{text!r} is no span of time", hint=_NO_SPAN)
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))


def moment(text: str, now: datetime) -> str:
    """A moment as the server writes it (RFC 3339, UTC, milliseconds): a span before `now`, a time of day, or a date.

    What has no zone is local time.

    Raises:
        InvalidRequest: it is none of these.
    """
    if _SPAN.match(text):
        return _written(now - timedelta(seconds=seconds(text)))
    try:
        if re.match(r"\d{1,2}:\d{2}", text):
            hour_first = text if text[1] != ":" else f"0{text}"
            return _written(datetime.fromisoformat(f"{now.astimezone():%Y-%m-%d}T{hour_first}").astimezone())
        return _written(datetime.fromisoformat(text).astimezone())
    except (ValueError, OverflowError) as exc:
        raise InvalidRequest(
            f"{text!r} is no moment", hint="give a span ago such as 10m, a time such as 14:30, or a date and time"
        ) from exc


def _written(at: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
