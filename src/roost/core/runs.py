"""Neighbouring frames of whole lines. Under load a line is a frame, and taking many frames at once costs a fraction."""

from __future__ import annotations

from roost.core.recording import Damage, Frame, Kind

MOST_FRAMES = 64
"""Frames taken at once: where one of them is not plain, all are taken singly."""

_OUTPUT = (int(Kind.OUT), int(Kind.ERR))


def whole_lines(queue: list[Frame | Damage], at: int, pause_ns: int) -> list[Frame]:
    """The frames from index `at` on that are output of one stream, each ending with a line feed.

    Between two of them less than `pause_ns` passes, and time does not step back.
    """
    run: list[Frame] = []
    first = queue[at]
    if type(first) is not Frame or first.kind not in _OUTPUT:
        return run
    stream, last_ns = first.kind, first.time_ns
    for frame in queue[at : at + MOST_FRAMES]:
        if type(frame) is not Frame:
            break
        _, kind, time_ns, payload = frame
        if kind != stream or payload[-1:] != b"\n" or not 0 <= time_ns - last_ns < pause_ns:
            break
        run.append(frame)
        last_ns = time_ns
    return run


def join(run: list[Frame]) -> bytes:
    """All that the frames hold."""
    return run[0].payload if len(run) == 1 else b"".join([frame.payload for frame in run])


def times(run: list[Frame], base_ns: int, lines: int) -> list[int]:
    """The time of each of the `lines` that the frames hold, when they began at `base_ns`."""
    if lines == len(run):
        return [base_ns + time_ns for _, _, time_ns, _ in run]
    found: list[int] = []
    for _, _, time_ns, payload in run:
        found += [base_ns + time_ns] * payload.count(b"\n")
    return found
