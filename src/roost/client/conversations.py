"""Conversations with coding agents: prompts, turns, approvals. Only a server has them.

Turns and approvals are dictionaries in the form of the REST answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from roost.errors import ApprovalNotFound, InvalidRequest, ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roost.client.backend import Backend
    from roost.client.server import ServerClient

    Json = dict[str, Any]

ENDS = frozenset({"completed", "failed", "interrupted", "steered", "refused", "cancelled"})
PAGE = 10_000
SLOW_S = 90.0


class Conversations:
    """What one server knows of conversations."""

    def __init__(self, server: ServerClient) -> None:
        self._server = server

    def prompt(self, name: str, body: Json) -> Json:
        """Give an agent a prompt; its turn as it begins. `body` is that of `POST …/prompt`."""
        return self._object("POST", f"{_agent(name)}/prompt", body)

    def turn(self, name: str, turn_id: str) -> Json:
        """One turn of the agent's newest session."""
        return self._object("GET", f"{_agent(name)}/turns/{quote(turn_id, safe='')}")

    def turns(self, name: str, session: str | None = None) -> list[Json]:
        """All turns of a session, oldest first."""
        query = f"?{urlencode({'session': session})}" if session else ""
        return list(self._object("GET", f"{_agent(name)}/turns{query}")["turns"])

    def interrupt(self, name: str) -> bool:
        """End the turn that runs; whether one did."""
        return bool(self._object("POST", f"{_agent(name)}/interrupt")["accepted"])

    def approvals(self, agent: str | None = None, state: str = "open") -> list[Json]:
        """What agents ask, oldest first; `state` is `open`, `decided` or `all`."""
        found: list[Json] = []
        query: Json = {"state": state, "limit": PAGE} | ({"agent": agent} if agent else {})
        while True:
            page = self._object("GET", f"/api/approvals?{urlencode(query)}")
            found += page["approvals"]
            if not page.get("next_cursor"):
                return found
            query["cursor"] = page["next_cursor"]

    def decide(self, approval_id: str, body: Json) -> Json:
        """Answer what an agent asks. `body` is that of `POST /api/approvals/{approval_id}`."""
        return self._object("POST", f"/api/approvals/{quote(approval_id, safe='')}", body)

    def rules(self) -> list[Json]:
        """Answers that are remembered for the future."""
        return list(self._object("GET", "/api/approval-rules")["rules"])

    def forget(self, rule_id: str) -> None:
        """Have agents ask again."""
        self._server.call("DELETE", f"/api/approval-rules/{quote(rule_id, safe='')}")

    def find(self, word: str) -> Json:
        """The approval that is meant by an id, by a part of it that begins or ends it, or by an agent's name.

        Raises:
            ApprovalNotFound: there is none.
            InvalidRequest: there are several.
        """
        try:
            return chosen(self.approvals(), word)
        except ApprovalNotFound:
            return chosen(newest_of(self.approvals(state="decided"), word), word)

    def _object(self, method: str, target: str, value: Any = None) -> Json:
        answer = self._server.call(method, target, value, timeout_s=SLOW_S)
        return answer if isinstance(answer, dict) else {}


def conversations(backend: Backend) -> Conversations:
    """The conversations that a back end knows.

    Raises:
        ServerUnavailable: no server runs.
    """
    from roost.client.server import ServerClient

    if isinstance(backend, ServerClient):
        return Conversations(backend)
    raise ServerUnavailable("no server runs, and only a server speaks to coding agents", hint="'roost up' starts one")


def chosen(approvals: Iterable[Json], word: str) -> Json:
    """The one of `approvals` that `word` means.

    Raises: as `Conversations.find`.
    """
    found = _meant(list(approvals), word)
    if not found:
        raise ApprovalNotFound(f"there is no approval {word[:80]!r}", hint="'roost approvals' lists them")
    if len(found) > 1:
        ids = ", ".join(one["approval_id"] for one in found[:5])
        raise InvalidRequest(f"{word!r} can mean several approvals", hint=f"give more of one of {ids}")
    return found[0]


def newest_of(decided: list[Json], agent: str) -> list[Json]:
    """Without the older ones of `agent`: who comes too late with its name hears of the one that was answered before."""
    theirs = [one for one in decided if one["agent_name"] == agent]
    return decided if not theirs else [max(theirs, key=lambda one: one.get("decided_at") or one["asked_at"])]


def _meant(approvals: list[Json], word: str) -> list[Json]:
    """Those that are meant in the strictest sense in which any is."""
    senses = (
        [one for one in approvals if one["approval_id"] == word],
        [one for one in approvals if one["agent_name"] == word],
        [one for one in approvals if one["approval_id"].endswith(f"-{word}")],
        [one for one in approvals if one["approval_id"].startswith(word) or one["approval_id"].endswith(word)],
    )
    return next((found for found in senses if found), [])


def short_ids(approvals: Iterable[Json]) -> dict[str, str]:
    """What to call each approval, by its id: without the date where that is clear."""
    ids = [one["approval_id"] for one in approvals]
    tails = ["-".join(one.split("-")[2:]) or one for one in ids]
    return {one: tail if tails.count(tail) == 1 else one for one, tail in zip(ids, tails, strict=True)}


def _agent(name: str) -> str:
    return f"/api/agents/{quote(name, safe='')}"
