"""A program that does as it is told, for tests of whatever runs agents.

    python -m roost.testing.fake_agent --lines 10 --hold /tmp/go --prompt 'Name? ' --exit 3

Its command line is a script: acts, done in the order in which they stand there. It starts as fast as Python does.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from roost.testing import fork_acts, input_acts, output_acts
from roost.testing.script import Act, BadScript, Table, describe, parse, perform

USAGE = """\
usage: python -m roost.testing.fake_agent ACT…

Acts are done in order; the exit code is 0 unless --exit says else.

"""
POLL_S = 0.01
EXIT_BAD_SCRIPT = 2


def _sleep(value: str) -> None:
    time.sleep(float(value))


def _forever(_: str) -> None:
    while True:
        time.sleep(3600)


def _hold(path: str) -> None:
    while not Path(path).exists():
        time.sleep(POLL_S)


def _touch(path: str) -> None:
    Path(path).touch()


def _leave(value: str) -> None:
    os._exit(int(value))


def _die(name: str) -> None:
    (number,) = input_acts.signals_named(name)
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def acts() -> Table:
    """Every act by its name."""
    timing = {
        "sleep": Act("SECONDS", "wait", _sleep),
        "forever": Act("", "wait until a signal ends it", _forever),
        "hold": Act("FILE", "wait until the file exists", _hold),
        "touch": Act("FILE", "make a file: a sign of how far the script has come", _touch),
        "exit": Act("CODE", "leave with an exit code", _leave),
        "die": Act("SIGNAL", "die of a signal, such as SEGV", _die),
    }
    return output_acts.Printer().table() | input_acts.table() | fork_acts.Family().table() | timing


def main(arguments: Sequence[str]) -> int:
    """Do what `arguments` say; the exit code."""
    table = acts()
    if not arguments or "--help" in arguments:
        sys.stdout.write(describe(table, USAGE))
        return 0
    try:
        perform(parse(arguments, table))
    except BadScript as exc:
        sys.stderr.write(f"fake_agent: {exc}\n")
        return EXIT_BAD_SCRIPT
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
