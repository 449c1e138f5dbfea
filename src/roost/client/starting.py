"""From a request to start an agent to what the keeper is asked, where no server does it."""

from __future__ import annotations

import os
import shlex
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roost.agents.own_screens import takes_session_id, with_session_id
from roost.core.environment import agent_environment
from roost.errors import DirectoryUnusable, InvalidRequest
from roost.model.ids import check_agent_name, session_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roost.client.backend import Defaults

    Json = dict[str, Any]

_KEPT = ("labels", "role", "model", "capabilities", "restart", "umask")
_EMPTY: tuple[object, ...] = (None, "", {}, [], "no")


def keeper_request(request: Json, environ: Mapping[str, str], defaults: Defaults) -> Json:
    """The fields of the keeper's `start` for the body of `POST /api/agents`.

    Raises:
        InvalidRequest: the name, the command, the directory or a variable cannot be used.
    """
    name = check_agent_name(request["name"])
    argv = _argv(request)
    label = request.get("env") if isinstance(request.get("env"), str) else None
    extra = {} if label else request.get("env") or {}
    env = agent_environment(environ, extra, defaults.env_allow)
    definition: Json = {"command": argv, "cwd": _cwd(request), "env_names": sorted(env), "environment": label}
    definition |= {"driver": request.get("driver", "terminal"), "limits": request.get("limits") or {}}
    definition |= {key: request.get(key) for key in _KEPT}
    size = request.get("size") or {}
    if definition["driver"] == "terminal" and takes_session_id(argv):
        definition["conversation_id"] = str(uuid.uuid4())
        argv = with_session_id(argv, definition["conversation_id"])
    fields = {
        "session_id": request.get("session_id") or new_session_id(),
        "agent": name,
        "argv": argv,
        "cwd": definition["cwd"],
        "env": env,
        "terminal": definition["driver"] == "terminal",
        "cols": size.get("cols", 80),
        "rows": size.get("rows", 24),
        "limits": {"core_bytes": 0} | definition["limits"],
        "oom_score_adj": defaults.oom_score_adj,
        "definition": {key: value for key, value in definition.items() if value not in _EMPTY},
    }
    if request.get("umask") is not None:
        fields["umask"] = request["umask"]
    return fields


def again(request: Json) -> Json:
    """The same start once more, as a new session."""
    fields = {key: value for key, value in request.items() if key != "op" and value is not None}
    return fields | {"session_id": new_session_id()}


def new_session_id() -> str:
    """An id that no session has."""
    return session_id(datetime.now(UTC), os.urandom(2).hex())


def _argv(request: Json) -> list[str]:
    command = request["command"]
    try:
        argv = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as exc:
        raise InvalidRequest(f"the command cannot be split into words: {exc}", field="command") from exc
    argv += request.get("args") or []
    if not argv or not argv[0]:
        raise InvalidRequest("the command is empty", field="command")
    return argv


def _cwd(request: Json) -> str:
    cwd = str(Path(request["cwd"]).expanduser()) if request.get("cwd") else str(Path.home())
    if not Path(cwd).is_absolute():
        raise DirectoryUnusable(f"the working directory {cwd[:200]!r} is not absolute", cwd=cwd[:200])
    return cwd
