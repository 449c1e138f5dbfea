"""`python -m roost.testing.models --port 0 [--log FILE]`: a fake model endpoint until it is ended. Prints its URL."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from roost.testing.models.server import FakeModel


def main(arguments: list[str]) -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m roost.testing.models", description="A fake model endpoint.")
    parser.add_argument("--port", type=int, default=0, help="0 is any free one")
    parser.add_argument("--log", type=Path, help="a file that gets a line of JSON for each request")
    given = parser.parse_args(arguments)
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with FakeModel(port=given.port, log=given.log) as model:
        sys.stdout.write(f"{model.url}\n")
        sys.stdout.flush()
        signal.sigwait(signals)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
