"""Token buckets: so many requests at once, so many a second over time."""

from __future__ import annotations

from collections import OrderedDict

MAX_KEYS = 10_000


class Rates:
    """One bucket a key; the keys unused for longest are forgotten when there are too many. Times are seconds."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float) -> float:
        """Take one from the bucket of `key`: 0 when there was one, else the seconds until there is."""
        level, at = self._buckets.get(key, (self._burst, now))
        level = min(self._burst, level + max(0.0, now - at) * self._per_s)
        wait = 0.0 if level >= 1 else (1 - level) / self._per_s
        self._buckets[key] = (level if wait else level - 1, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        return wait
