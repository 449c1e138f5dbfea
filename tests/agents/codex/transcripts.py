"""Transcripts of the real codex, and how they are played to our codec.

`NAME.stdout.jsonl` is what `codex exec` wrote; `NAME.duplex.jsonl` both directions of an app-server's pipes. What the
client of the time said becomes what people ask of the decoder, and what that then writes must say the same. Those up
to 61 are another client's, the later ones were made with our own codec.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from roost.agents.codex import CodexDriver
from roost.agents.conversation import INPUT_SOURCE, ConversationDecoder
from roost.core.recording import Input
from roost.model.agents import AgentOptions, Definition
from roost.model.events import AnyEvent
from tests.agents.goldens import GOLDENS, make_decoder

FOLDER = GOLDENS / "codex"
SECOND = 1_000_000_000
GOES_ON = {"31_resume", "32_resume_last", "34_fork"}
OPTIONS = {
    "60_app_server": AgentOptions(permission_mode="untrusted,workspace-write"),
    "61_app_server_resume": AgentOptions(resume="01a1fbd6-d822-79b3-a9d5-589dabcc1cea"),
    "62_asks": AgentOptions(
        permission_mode="untrusted,workspace-write",
        append_system_prompt="Be brief.",
        add_dirs=["/home/me/lab/62_asks/other"],
        mcp_config={"mcpServers": {"demo": {"command": "python3", "args": ["/home/me/lab/demo_mcp.py"]}}},
    ),
    "63_sub_agents": AgentOptions(dangerously_skip_permissions=True),
    "64_turns": AgentOptions(dangerously_skip_permissions=True, partial=True),
    "65_fork": AgentOptions(resume="01a1fd83-0bfc-7171-8bec-96d11d15b0b9", fork=True),
    "66_resume_unknown": AgentOptions(resume="00000000-0000-4000-8000-000000000000"),
}
NOT_OURS = {"thread/list", "thread/read", "model/list", "nosuch/method"}


def names(kind: str) -> list[str]:
    """Transcripts of the kind `stdout` or `duplex`."""
    return sorted(path.name.partition(".")[0] for path in FOLDER.glob(f"*.{kind}.jsonl"))


def written(name: str) -> bytes:
    """What codex wrote to its standard output."""
    path = FOLDER / f"{name}.stdout.jsonl"
    if path.exists():
        return path.read_bytes()
    return b"".join(json.dumps(one["msg"]).encode() + b"\n" for one in _duplex(name) if one["dir"] == "out")


def _duplex(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.duplex.jsonl").read_text().splitlines()]


def argv_of(name: str) -> list[str]:
    """The command line of a transcript, as far as it matters."""
    if name not in names("stdout"):
        return ["codex", "app-server"]
    return ["codex", "exec", "--json", *(["resume", "--last"] if name in GOES_ON else []), "@hello hi"]


def opened(name: str) -> ConversationDecoder:
    """A decoder at the start of a transcript's session."""
    decoder = make_decoder(CodexDriver().codec(), can_steer=True)
    options = OPTIONS.get(name, AgentOptions())
    decoder.open(argv_of(name), Definition(command=["codex"], driver="codex", cwd=_cwd(name), options=options), 0)
    return decoder


def _cwd(name: str) -> str:
    if name in ("60_app_server", "61_app_server_resume"):
        return "/home/dev/agent-lab/runs/codex_60_app_server/work"
    folder = "64_turns" if name[:2] in ("64", "65", "66") else name
    return f"/home/me/lab/{folder}/work"


def read(name: str, data: bytes, size: int | None = None) -> list[AnyEvent]:
    """The events of `data`, given in pieces of `size` bytes, then of the process's end."""
    decoder, events = opened(name), []
    for start in range(0, len(data), size or len(data)):
        events += decoder.output(data[start : start + (size or len(data))], SECOND)
    return events + decoder.finish(SECOND)


class Client:
    """Plays a duplex transcript; `differs` is where we said something else than the client of the time."""

    def __init__(self, name: str) -> None:
        self.lines = _duplex(name)
        self.decoder = opened(name)
        self.events: list[AnyEvent] = []
        self.differs: list[tuple[object, object]] = []
        self.said: list[dict[str, Any]] = []
        self.native: dict[int, int] = {}
        self.turns = 0

    def play(self) -> list[AnyEvent]:
        """All of it, and the end of the process."""
        for _ in self.steps():
            pass
        return self.events

    def steps(self) -> Iterator[ConversationDecoder]:
        """One line after the other; the decoder may be replaced in between."""
        for line in self.lines:
            now = int(line["t"] * SECOND)
            if line["dir"] == "out":
                self._hear(line["msg"], now)
            else:
                self._ask(line["msg"], now)
                self._compare(line["msg"], now)
            yield self.decoder
        self.events += self.decoder.finish(int(self.lines[-1]["t"] * SECOND))

    def _hear(self, message: dict[str, Any], now: int) -> None:
        if "method" not in message:
            message = {**message, "id": self.native.get(message["id"], message["id"] + 1000)}
        self.events += self.decoder.output(json.dumps(message).encode() + b"\n", now)

    def _ask(self, message: dict[str, Any], now: int) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method in ("turn/start", "turn/steer"):
            if model := params.get("model"):
                self._mark("change", {"what": "model", "value": model}, now)
                self._mark("change", {"what": "mode", "value": "untrusted,read-only"}, now)
            steers = method == "turn/steer" or self.decoder.state.running is not None
            prompt = {"prompt": params["input"][0]["text"], "policy": "steer" if steers else "queue", "by": "ada"}
            self.turns += 1
            self._mark("prompt", {"turn_id": f"turn-{self.turns}", **prompt}, now)
        elif method == "turn/interrupt":
            self._mark("interrupt", {"by": "ada"}, now)
        elif "result" in message:
            approval = self.decoder.state.approvals[0].approval_id
            self._mark(
                "decision", {"approval_id": approval, "decision": _decision(message["result"]), "by": "ada"}, now
            )

    def _mark(self, name: str, data: dict[str, Any], now: int) -> None:
        self.events += self.decoder.mark(name, data, now) or []

    def _compare(self, message: dict[str, Any], now: int) -> None:
        """Ours, which the decoder wrote by now, beside theirs."""
        if message.get("method") in NOT_OURS:
            return
        if not self.decoder.state.outgoing:
            self.differs.append((None, message))
            return
        mine = self.decoder.state.outgoing[0]
        self.events += self.decoder.input(Input(INPUT_SOURCE, mine.number, mine.data), now)
        ours = json.loads(mine.data)
        if "method" in message and "id" in message:
            self.native[message["id"]] = ours["id"]
        if _told(ours, message) != _told(message, message):
            self.differs.append((_told(ours, message), _told(message, message)))


def _told(message: dict[str, Any], theirs: dict[str, Any]) -> object:
    """What a message says; requests are numbered by each client, and of a greeting everybody says another thing."""
    method = message.get("method")
    if method == "initialize":
        return method
    known = theirs.get("params", {})
    params = {key: value for key, value in message.get("params", {}).items() if key in known}
    return (method, params, message.get("result"), message.get("id") if method is None else None)


def _decision(result: dict[str, Any]) -> dict[str, Any]:
    """The decision that gives a result."""
    if "answers" in result:
        answers = [one["answers"][0] for one in result["answers"].values()]
        return {"allow": bool(answers), "choice": answers[0] if answers else None}
    if "permissions" in result:
        return {"allow": bool(result["permissions"]), "choice": result["scope"] if result["permissions"] else None}
    if "action" in result:
        return {"allow": result["action"] == "accept", "choice": (result.get("_meta") or {}).get("persist", "accept")}
    choice = result["decision"] if isinstance(result["decision"], str) else "acceptAlways"
    return {"allow": choice.startswith("accept"), "choice": choice}
