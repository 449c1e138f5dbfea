"""`roost explain`, and waiting until an agent needs somebody."""

from __future__ import annotations

import json

from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import roost, spawn
from tests.waiting import until

ASKS = "read x; printf 'Overwrite? [y/N] '; read y; exit 3"


def test_waiting_for_attention_returns_once_an_agent_asks(server: RunningServer) -> None:
    server.start_agent("one", "sh", "-c", ASKS)
    with spawn("wait", "one", "--for", "attention", "--timeout", "20") as waiting:
        until(lambda: roost("send", "one", "-k", "Enter").code == 0)
        assert waiting.wait(20) == 0
    assert roost("wait", "one", "--for", "attention").code == 0
    assert roost("ps", "-q", "--filter", "attention=needed").out == "one\n"
    assert "question: Overwrite?" in roost("ps").out
    said = roost("explain", "one").out
    assert said.startswith("one  waits for question, for ")
    assert "  Overwrite?\n  because the cursor stands behind: “Overwrite? [y/N]”\n" in said
    assert "to do: `roost attach one` and answer" in said


def test_who_ends_without_needing_anybody_was_waited_for_in_vain(server: RunningServer) -> None:
    server.start_agent("one", "sh", "-c", "read x")
    with spawn("wait", "one", "--for", "attention") as waiting:
        until(lambda: roost("send", "one", "-k", "Enter").code == 0)
        assert waiting.wait(20) == 1


def test_an_agent_is_explained_with_or_without_a_server(anywhere: DataDirectory) -> None:
    roost("run", "-d", "one", "--", "sh", "-c", "exit 3")
    assert roost("wait", "one").code == 3
    about = json.loads(roost("explain", "one", "--json").out)
    assert (about["kind"], about["needs_you"], about["summary"]) == ("failed", True, "exit code 3")
    assert roost("explain", "none").code != 0
