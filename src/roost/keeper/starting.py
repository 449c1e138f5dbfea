"""Starts a session: checks everything that can be checked, makes the recording, launches the program."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from roost import __version__
from roost.core import recording
from roost.core.recording import Kind
from roost.errors import AgentRunning, DiskFull, InvalidRequest, LimitReached, RoostError
from roost.keeper import launch, procfs, program, recorder
from roost.keeper.cgroup import Cgroup
from roost.keeper.loop import now_ns
from roost.keeper.session import Session

if TYPE_CHECKING:
    from roost.keeper.keeper import Keeper

TAG_BYTES = 7
RESERVED_DESCRIPTORS = 32
"""Kept for looking at processes, opening recordings, and answering."""
PROBES = 8
RAISE_LIMIT = "raise the limit of open files (ulimit -n) where roost is started"


def start(keeper: Keeper, args: dict[str, Any]) -> Session:
    """The session that `args` describe, running; the one that is held already, when its id is known.

    Raises:
        RoostError: it cannot be started; nothing is left of the attempt.
    """
    held = keeper.sessions.get(args["session_id"])
    if held is not None:
        return held
    running = keeper.running(args["agent"])
    if running is not None:
        raise AgentRunning(f"the agent {args['agent']} is running", agent=args["agent"], session_id=running.session_id)
    if keeper.disk.full:
        raise DiskFull("the disk is full", free_bytes=keeper.disk.free_bytes())
    require_descriptors(keeper.descriptors)
    directory = program.open_directory(args["cwd"])
    try:
        return _start_in(keeper, args, directory)
    finally:
        os.close(directory)


def _start_in(keeper: Keeper, args: dict[str, Any], directory: int) -> Session:
    env = environment(args)
    path = program.find(args["argv"][0], env, directory)
    fd = recorder.create(keeper.storage, keeper.recordings_fd, args["session_id"])
    session = Session(args, keeper.recorder(fd))
    session.cgroup, session.limits_unmet = _cgroup(keeper, args)
    try:
        _record_header(keeper, session, args, env)
        session.tag = int.from_bytes(os.urandom(TAG_BYTES), "little") | 1
        launched = launch.launch(_plan(keeper, session, args, env=env, path=path, directory=directory))
    except BaseException:
        _undo(keeper, session)
        raise
    session.pid = launched.pid
    _settle(keeper, session, args)
    keeper.adopt(session, (launched.stdin, launched.stdout, launched.stderr))
    keeper.note(session, {"type": "started", "pid": session.pid, "start_ticks": session.start_ticks})
    return session


def require_descriptors(limit: int) -> None:
    """Refuse what would leave the keeper without descriptors to look after its agents.

    Raises:
        LimitReached: fewer than `RESERVED_DESCRIPTORS` are left.
    """
    probes: list[int] = []
    try:
        # The lowest free numbers are those that a start itself used for a moment; one probe would find only these.
        probes.extend(os.dup(2) for _ in range(PROBES))
        left = limit - probes[-1]
    except OSError:
        left = 0
    finally:
        for fd in probes:
            os.close(fd)
    if left < RESERVED_DESCRIPTORS:
        raise LimitReached(f"the keeper has hardly a descriptor left of {limit}", hint=RAISE_LIMIT)


def environment(args: dict[str, Any]) -> dict[str, str]:
    """The agent's whole environment."""
    added = {"ROOST_AGENT": args["agent"], "ROOST_SESSION": args["session_id"], "PWD": args["cwd"]}
    return {**args["env"], **added}


def _cgroup(keeper: Keeper, args: dict[str, Any]) -> tuple[Cgroup | None, list[str]]:
    """The session's cgroup, and the limits that nothing here can hold it to."""
    group = keeper.cgroups.make(args["session_id"]) if keeper.cgroups is not None else None
    limits: dict[str, int] = args["limits"]
    held = group.limit(limits) if group is not None else set()
    return group, [name for name in ("processes",) if name in limits and name not in held]


def _record_header(keeper: Keeper, session: Session, args: dict[str, Any], env: dict[str, str]) -> None:
    session.started_at_ns = time.time_ns()
    session.origin_ns = now_ns()
    header = {
        "format": recording.FORMAT_NAME,
        "version": recording.FORMAT_VERSION,
        "session_id": session.session_id,
        "agent": session.agent,
        "argv": session.argv,
        "cwd": session.cwd,
        "env_names": sorted(env),
        "terminal": session.terminal,
        "cols": session.cols,
        "rows": session.rows,
        "started_at_ns": session.started_at_ns,
        "boot_id": keeper.boot_id,
        "host": os.uname().nodename,
        "roost": __version__,
        "definition": args["definition"],
    }
    try:
        session.append_json(Kind.HEADER, session.origin_ns, header)
    except ValueError as exc:
        raise InvalidRequest("command line and definition are too long to be recorded") from exc
    if session.recorder.blocked:
        raise DiskFull("the disk is full", free_bytes=keeper.disk.free_bytes())


def _plan(
    keeper: Keeper, session: Session, args: dict[str, Any], *, env: dict[str, str], path: str, directory: int
) -> launch.Plan:
    return launch.Plan(
        argv=session.argv,
        path=path,
        env=env,
        directory=directory,
        umask=keeper.umask if args["umask"] is None else args["umask"],
        terminal=session.terminal,
        cols=session.cols,
        rows=session.rows,
        limits=args["limits"],
        cgroup_procs=session.cgroup.procs_path if session.cgroup is not None else "",
        tag=session.tag,
        nofile=keeper.nofile,
    )


def _settle(keeper: Keeper, session: Session, args: dict[str, Any]) -> None:
    """What is done to the process once it is there."""
    found = procfs.status(session.pid)
    session.start_ticks = found.start_ticks if found is not None else 0
    session.sids.add(session.pid)
    if args["oom_score_adj"] is not None:
        try:
            launch.set_oom_score(session.pid, args["oom_score_adj"])
        except RoostError as exc:
            keeper.log.write(f"{session.session_id}: {exc.message}")
            session.limits_unmet.append("oom_score_adj")


def _undo(keeper: Keeper, session: Session) -> None:
    keeper.disk.give_up(session.recorder)
    session.recorder.close()
    os.unlink(recorder.file_name(session.session_id), dir_fd=keeper.recordings_fd)
    if session.cgroup is not None:
        session.cgroup.remove()
