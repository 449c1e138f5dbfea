"""Cleaning: megabytes a second of processor time and lines as a terminal shows them, beside C, re and emulators."""

from __future__ import annotations

import difflib
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.core.terminal_goldens import GOLDENS, clean, read_cast, shown_lines

from benchmarks.results import Result
from benchmarks.rivals import compiled
from roost.core.text import Cleaner, Lines

PIECE = 4096
COLUMNS, ROWS = 120, 40
LEAST_MB_S = 40.0
MOST_US_A_LINE = 1.5
LEAST_ACCURACY = 0.999
WORDS = (
    "the a of to in is that for with on be at by this function returns value list test module parser client server "
    "request config handler update check path file line buffer stream event queue lock state agent session token index"
).split()


class Output(NamedTuple):
    """Output of one kind, in the pieces in which a terminal gives it."""

    name: str
    pieces: list[bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))


def run(quick: bool) -> list[Result]:
    """All of them."""
    lines = 20_000 if quick else 100_000
    outputs = [_plain(lines), _coloured(lines), _bars(lines // 10), _programs(quick)]
    results = []
    for output in outputs:
        must = LEAST_MB_S if output.name in ("plain log", "coloured log") else None
        results.append(_throughput(output, must))
        results.append(_cost_a_line(output))
    results.append(_accuracy())
    return results


# -- what is cleaned ---------------------------------------------------------------------------------------------------


def _plain(count: int) -> Output:
    chance = random.Random(7)
    return _cut("plain log", "".join(_sentence(chance) + "\r\n" for _ in range(count)))


def _coloured(count: int) -> Output:
    chance = random.Random(7)
    return _cut("coloured log", "".join(_coloured_line(chance) + "\r\n" for _ in range(count)))


def _bars(count: int) -> Output:
    bars = "".join(f"\r{n:3d}% |{'█' * (n // 5):20}| {n}/100" for n in range(0, 101, 20))
    return _cut("progress bars", (bars + "\r\n") * count)


def _programs(quick: bool) -> Output:
    data = b"".join(read_cast(path).data + b"\x1bc" for path in sorted(GOLDENS.glob("*.cast")))
    return Output("real programs", _pieces(data * (2 if quick else 10)))


def _sentence(chance: random.Random) -> str:
    words = " ".join(chance.choices(WORDS, k=chance.randint(4, 16)))
    return f"2026-02-10T09:{chance.randint(10, 59)}:{chance.randint(10, 59)}Z INFO [{chance.choice(WORDS)}] {words}"


def _coloured_line(chance: random.Random) -> str:
    words = _sentence(chance).split(" ")
    for _ in range(chance.randint(0, 2)):
        at = chance.randrange(len(words))
        colour = chance.choice(("31", "1;32", "38;5;244", "38;2;215;119;87", "2"))
        words[at] = f"\x1b[{colour}m{words[at]}\x1b[0m"
    return " ".join(words)


def _cut(name: str, text: str) -> Output:
    return Output(name, _pieces(text.encode()))


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


# -- who cleans it -----------------------------------------------------------------------------------------------------


def _roost(output: Output) -> int:
    cleaner = Cleaner(columns=COLUMNS, rows=ROWS)
    return sum(
        len(found.texts) for piece in output.pieces for found in cleaner.feed_bulk(piece, 0) if type(found) is Lines
    )


def _re_loop(output: Output) -> int:
    """What is often written: strip colours of each line with `re`. Right for coloured logs only."""
    pattern = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
    rest, count = "", 0
    for piece in output.pieces:
        *lines, rest = (rest + piece.decode("utf-8", "replace")).split("\n")
        count += len([pattern.sub("", line.rstrip("\r")) for line in lines])
    return count


def _ghostty(output: Output) -> int:
    from roost.core.screen import Screen

    screen = Screen(COLUMNS, ROWS, emulator="ghostty")
    for piece in output.pieces:
        screen.feed(piece)
    return 0


def _pyte(output: Output) -> int:
    from roost.core.screen import Screen

    screen = Screen(COLUMNS, ROWS, emulator="pyte")
    for piece in output.pieces:
        screen.feed(piece)
    return 0


def _speed(output: Output, worker: Callable[[Output], int], repeats: int = 3) -> float:
    """Megabytes a second of processor time, the best of some runs."""
    best = 0.0
    for _ in range(repeats):
        begin = time.process_time()
        worker(output)
        best = max(best, output.size / 1e6 / max(time.process_time() - begin, 1e-9))
    return best


def _c_speed(output: Output) -> float | None:
    """The same for the program in C, which strips but moves no cursor; None where there is no compiler."""
    program = compiled("strip.c")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        data.write_bytes(b"".join(output.pieces))
        done = subprocess.run([program, data, "5"], check=True, capture_output=True, text=True)
    return output.size * 5 / 1e6 / max(float(done.stdout.split()[0]), 1e-9)


# -- results -----------------------------------------------------------------------------------------------------------


def _throughput(output: Output, must: float | None) -> Result:
    ours = _speed(output, _roost)
    short = Output(output.name, output.pieces[:60])
    in_c = _c_speed(output)
    rivals = [
        f"C, strips only {in_c:.0f}" if in_c else "no C compiler",
        f"loop of re {_speed(output, _re_loop):.0f}",
        f"libghostty {_speed(output, _ghostty):.0f}" if _has_ghostty() else "no libghostty",
        f"pyte {_speed(short, _pyte, 1):.2f}",
    ]
    wanted, met = (f"≥ {must:.0f} MB/s", ours >= must) if must else ("", None)
    return Result(f"cleaning, {output.name}", f"{ours:.1f} MB/s", ", ".join(rivals) + " MB/s", wanted, met)


def _cost_a_line(output: Output) -> Result:
    begin = time.process_time()
    count = _roost(output)
    cost = (time.process_time() - begin) / max(count, 1) * 1e6
    typical = output.name in ("plain log", "coloured log")
    what = f"cleaning, {output.name}, a line of {output.size // max(count, 1)} bytes"
    wanted = f"≤ {MOST_US_A_LINE} µs" if typical else ""
    return Result(what, f"{cost:.2f} µs", "", wanted, cost <= MOST_US_A_LINE if typical else None)


def _accuracy() -> Result:
    """Lines that libghostty shows in the end, and how many of them cleaning gives in the same order."""
    what = "cleaning, lines as a terminal shows them"
    if not _has_ghostty():
        return Result(what, "", "no libghostty to compare with", f"≥ {LEAST_ACCURACY:.1%}", None)
    shown, given = [], []
    for path in sorted(GOLDENS.glob("*.cast")):
        shown += shown_lines(read_cast(path))
        given += [line for line in clean(read_cast(path)) if line]
    same = sum(
        block.size for block in difflib.SequenceMatcher(None, shown, given, autojunk=False).get_matching_blocks()
    )
    present = len([line for line in shown if line in set(given)])
    ours = f"{present / len(shown):.2%} given, {same / len(shown):.2%} in order ({len(shown)} lines)"
    return Result(what, ours, "libghostty 100%", f"≥ {LEAST_ACCURACY:.1%}", present / len(shown) >= LEAST_ACCURACY)


def _has_ghostty() -> bool:
    try:
        import pyghostty  # noqa: F401 - only whether it is there
    except (ImportError, OSError):
        return False
    return True
