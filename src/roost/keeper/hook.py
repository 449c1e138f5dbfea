"""What a coding agent runs at moments of its own choosing: it notes them in the agent's recording.

    python -I -S hook.py DATA CLI

The moment comes as a JSON object on standard input, and becomes a `hook` mark. An agent waits for its hooks, so this
starts without what Python loads for others, waits a second at most, says nothing and never fails.
"""

from __future__ import annotations

import json
import os
import sys

WAIT_S = 1.0
MAX_MOMENT = 1 << 20
MAX_INPUT = 20_000
"""Characters of a tool's input, as JSON; a longer one is left out, and the recording has it elsewhere."""
MAX_TEXT = 2000
KEPT = ("hook_event_name", "message", "title", "notification_type", "tool_name", "session_id", "reason")


def main(arguments: list[str], environ: dict[str, str], moment: bytes) -> None:
    """Note it; errors are those of whoever reads the recording, not of the agent."""
    data, cli = arguments
    mark = marked(cli, json.loads(moment))
    # Only now, so that a hook that was asked for nothing costs nothing.
    from roost.keeper.client import KeeperClient

    with KeeperClient.connect(data, WAIT_S) as keeper:
        keeper.call("mark", session_id=environ["ROOST_SESSION"], mark=mark)


def marked(cli: str, moment: dict[str, object]) -> dict[str, object]:
    """The mark of a moment."""
    mark: dict[str, object] = {"type": "hook", "cli": cli}
    for name in KEPT:
        value = moment.get(name)
        if isinstance(value, str):
            mark[name] = value[:MAX_TEXT]
    given = moment.get("tool_input")
    if isinstance(given, dict) and len(json.dumps(given)) <= MAX_INPUT:
        mark["tool_input"] = given
    return mark


if __name__ == "__main__":
    # Without `site`, what is installed is not found by itself.
    sys.path.insert(0, __file__.rpartition("/roost/")[0])
    try:
        main(sys.argv[1:], dict(os.environ), sys.stdin.buffer.read(MAX_MOMENT))
    finally:
        # Whatever went wrong is not the agent's trouble: nothing is said, and all is well.
        os._exit(0)
