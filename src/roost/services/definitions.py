"""What an agent is to be: from a request to a definition, and from that to the keeper's `start` request."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from roost.core.environment import agent_environment
from roost.errors import DirectoryUnusable, InvalidRequest
from roost.model.agents import Definition, StartAgent

Json = dict[str, Any]


def define(
    request: StartAgent, environ: Mapping[str, str], allow: Collection[str]
) -> tuple[Definition, dict[str, str]]:
    """The definition and the whole environment of an agent; `environ` is what its environment is chosen from.

    Raises:
        InvalidRequest: the command or the environment cannot be used.
        DirectoryUnusable: the directory is not absolute.
    """
    argv = _argv(request)
    label = request.env if isinstance(request.env, str) else None
    extra = request.env if isinstance(request.env, dict) else {}
    env = agent_environment(environ, extra, allow)
    cwd = str(Path(request.cwd).expanduser()) if request.cwd else str(Path.home())
    if not Path(cwd).is_absolute():
        raise DirectoryUnusable(f"the working directory {cwd[:200]!r} is not absolute", cwd=cwd[:200])
    definition = Definition(
        command=argv,
        driver=request.driver,
        cwd=cwd,
        env_names=sorted(env),
        environment=label,
        labels=request.labels,
        role=request.role,
        model=request.model,
        capabilities=request.capabilities,
        restart=request.restart,
        limits=request.limits,
        umask=request.umask,
        options=request.options,
    )
    return definition, env


def start_request(
    name: str,
    chosen: str,
    definition: Definition,
    env: dict[str, str],
    *,
    argv: list[str],
    cols: int,
    rows: int,
    oom_score_adj: int,
) -> Json:
    """The keeper's `start` request for a definition; `argv` is what its driver makes of the command."""
    plain: Json = msgspec.to_builtins(definition)
    limits: Json = msgspec.to_builtins(definition.limits)
    limits.setdefault("core_bytes", 0)
    request: Json = {
        "session_id": chosen,
        "agent": name,
        "argv": argv,
        "cwd": definition.cwd,
        "env": env,
        "terminal": definition.driver == "terminal",
        "cols": cols,
        "rows": rows,
        "limits": limits,
        "oom_score_adj": oom_score_adj,
        "definition": plain,
    }
    if definition.umask is not None:
        request["umask"] = definition.umask
    return request


def _argv(request: StartAgent) -> list[str]:
    if isinstance(request.command, str):
        try:
            argv = shlex.split(request.command)
        except ValueError as exc:
            raise InvalidRequest(f"the command cannot be split into words: {exc}", field="command") from exc
    else:
        argv = list(request.command)
    argv += request.args
    if not argv or not argv[0]:
        raise InvalidRequest("the command is empty", field="command")
    if any("\0" in word for word in argv):
        raise InvalidRequest("the command holds a NUL byte", field="command")
    return argv
