"""A make-believe coding agent to watch: it plans, reads, edits and tests for ever, and answers what is typed.

python -m roost.testing.demo_agent
"""

from __future__ import annotations

import random
import select
import sys
import time
from collections.abc import Iterator

from roost.testing.input_acts import Lines
from roost.testing.script import write

FILES = ("src/parser.py", "src/config.ts", "tests/test_parser.py", "README.md", "src/api/routes.py", "web/App.tsx")
GOALS = ("make the parser faster", "handle empty input", "name things better", "close what was opened")
BAR_WIDTH = 24
DIM, BOLD, RED, GREEN, BLUE, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[34m", "\x1b[0m"


def work(chance: random.Random) -> Iterator[str]:
    """The text of an endless working day, a piece at a time."""
    yield f"{BOLD}demo agent{PLAIN}: it makes all of this up. Type a line, it will answer; Ctrl-C ends it.\n"
    for number in range(1, 1_000_000):
        yield f"\n{BOLD}{BLUE}● Task {number}: {chance.choice(GOALS)}{PLAIN}\n"
        for file in chance.sample(FILES, 3):
            yield f"  Reading {file} {DIM}({chance.randint(20, 400)} lines){PLAIN}\n"
        yield from _edit(chance)
        yield from _test(chance)


def _edit(chance: random.Random) -> Iterator[str]:
    file, line = chance.choice(FILES), chance.randint(3, 300)
    yield f"  Editing {file}\n"
    yield f"    {RED}-{line:4} return items{PLAIN}\n"
    yield f"    {GREEN}+{line:4} return sorted(items)  # 確かめた ✓{PLAIN}\n"


def _test(chance: random.Random) -> Iterator[str]:
    total = chance.randint(20, 60)
    for done in range(0, total + 1, 4):
        filled = BAR_WIDTH * done // total
        yield f"\r  Testing [{'█' * filled}{'░' * (BAR_WIDTH - filled)}] {done}/{total}"
    yield f"\r  {GREEN}{total} passed{PLAIN} in {chance.uniform(0.5, 4):.2f} s{' ' * BAR_WIDTH}\n"


def main() -> int:
    """Work until interrupted, answering lines in between."""
    chance = random.Random()
    typed = Lines()
    listening = True
    try:
        for text in work(chance):
            write(text.encode())
            if text.startswith("\r"):
                time.sleep(0.1)
                continue
            if not listening:
                time.sleep(chance.uniform(0.2, 0.8))
            elif select.select([0], [], [], chance.uniform(0.2, 0.8))[0]:
                line = typed.next()
                listening = line is not None
                write(b"  You said: %b. I will think about it.\n" % line if line else b"")
    except KeyboardInterrupt:
        write(b"\nThe demo agent leaves.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
