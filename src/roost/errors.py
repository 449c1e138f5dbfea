"""Every error that roost raises on purpose, each with a stable code.

    RoostError
    ├── InvalidRequest            the caller's input is wrong
    │   ├── MalformedRequest      not even well-formed (JSON, UTF-8, framing)
    │   ├── BodyTooLarge
    │   ├── UnsupportedBody       a body of another type than JSON
    │   ├── MethodNotAllowed
    │   ├── NotSupported          this release does not offer it
    │   ├── InvalidName
    │   ├── InvalidCursor
    │   ├── InvalidSetting
    │   ├── ProgramNotFound
    │   ├── ProgramNotExecutable
    │   └── DirectoryUnusable
    ├── NotFound
    │   ├── AgentNotFound
    │   ├── SessionNotFound
    │   ├── ApprovalNotFound
    │   └── TurnNotFound
    ├── Conflict                  the thing is in the wrong state for this
    │   ├── AgentRunning
    │   ├── AgentNotRunning
    │   ├── NoTerminal
    │   ├── NotStructured         it takes no prompts
    │   ├── InputRefused          it takes prompts alone
    │   └── AlreadyDecided
    ├── Refused                   the caller may not
    │   ├── Unauthorized
    │   ├── Forbidden
    │   ├── HostRefused
    │   └── OriginRefused
    ├── LimitReached
    ├── Unavailable               something that roost needs is missing
    │   ├── KeeperUnavailable
    │   ├── KeeperIncompatible
    │   ├── ServerUnavailable
    │   ├── DiskFull
    │   ├── DataNewer
    │   ├── DataLocked
    │   └── PortInUse
    ├── TimedOut
    └── InternalError

An error carries data (`details`), not prose; its message is one sentence that says what happened to what,
and `hint`, where there is one, says what to do. The standard library is all this module needs, because the
keeper raises these errors too.
"""

from __future__ import annotations

from typing import Any, ClassVar


class RoostError(Exception):
    """Something went wrong in a way roost knows."""

    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, message: str = "", *, hint: str = "", **details: Any) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.hint = hint
        self.details = details
        super().__init__(self.message)

    def to_dict(self) -> dict[str, Any]:
        """The error as `{"code", "message", "details"}`, the hint among the details."""
        details = dict(self.details)
        if self.hint:
            details["hint"] = self.hint
        return {"code": self.code, "message": self.message, "details": details}


class InvalidRequest(RoostError):
    """The request is not valid."""

    code = "INVALID_REQUEST"


class MalformedRequest(InvalidRequest):
    """The request is not well-formed."""

    code = "MALFORMED_REQUEST"


class BodyTooLarge(InvalidRequest):
    """The body is larger than allowed."""

    code = "BODY_TOO_LARGE"


class UnsupportedBody(InvalidRequest):
    """The body must be application/json."""

    code = "UNSUPPORTED_BODY"


class MethodNotAllowed(InvalidRequest):
    """The path does not know this method."""

    code = "METHOD_NOT_ALLOWED"


class NotSupported(InvalidRequest):
    """This release does not offer that."""

    code = "NOT_SUPPORTED"


class InvalidName(InvalidRequest):
    """The name is not allowed."""

    code = "INVALID_NAME"


class InvalidCursor(InvalidRequest):
    """The cursor is not one that roost gave out."""

    code = "INVALID_CURSOR"


class InvalidSetting(InvalidRequest):
    """A setting has a value that cannot be used."""

    code = "INVALID_SETTING"


class ProgramNotFound(InvalidRequest):
    """The program does not exist."""

    code = "PROGRAM_NOT_FOUND"


class ProgramNotExecutable(InvalidRequest):
    """The program cannot be executed."""

    code = "PROGRAM_NOT_EXECUTABLE"


class DirectoryUnusable(InvalidRequest):
    """The working directory cannot be entered."""

    code = "DIRECTORY_UNUSABLE"


class NotFound(RoostError):
    """There is no such thing."""

    code = "NOT_FOUND"


class AgentNotFound(NotFound):
    """There is no agent of that name."""

    code = "AGENT_NOT_FOUND"


class SessionNotFound(NotFound):
    """There is no session of that id."""

    code = "SESSION_NOT_FOUND"


class ApprovalNotFound(NotFound):
    """There is no approval of that id."""

    code = "APPROVAL_NOT_FOUND"


class TurnNotFound(NotFound):
    """There is no turn of that id."""

    code = "TURN_NOT_FOUND"


class Conflict(RoostError):
    """The state does not allow this."""

    code = "CONFLICT"


class AgentRunning(Conflict):
    """An agent of that name is running."""

    code = "AGENT_RUNNING"


class AgentNotRunning(Conflict):
    """The agent is not running."""

    code = "AGENT_NOT_RUNNING"


class NoTerminal(Conflict):
    """The agent runs on pipes and has no terminal."""

    code = "NO_TERMINAL"


class NotStructured(Conflict):
    """The agent is not spoken to in a protocol of its own."""

    code = "NOT_STRUCTURED"


class InputRefused(Conflict):
    """The agent is spoken to in a protocol of its own: it takes prompts, not what is typed."""

    code = "INPUT_REFUSED"


class AlreadyDecided(Conflict):
    """The approval was settled before."""

    code = "ALREADY_DECIDED"


class Refused(RoostError):
    """The caller may not do this."""

    code = "REFUSED"


class Unauthorized(Refused):
    """A valid token is needed."""

    code = "UNAUTHORIZED"


class Forbidden(Refused):
    """The token's role does not allow this."""

    code = "FORBIDDEN"


class HostRefused(Refused):
    """The Host header names a host that this server does not serve."""

    code = "HOST_REFUSED"


class OriginRefused(Refused):
    """The request comes from a web page of another origin."""

    code = "ORIGIN_REFUSED"


class LimitReached(RoostError):
    """A limit was reached; try again later."""

    code = "LIMIT_REACHED"


class Unavailable(RoostError):
    """Something that roost needs is missing."""

    code = "UNAVAILABLE"


class KeeperUnavailable(Unavailable):
    """The keeper, which holds the agents, does not answer."""

    code = "KEEPER_UNAVAILABLE"


class KeeperIncompatible(Unavailable):
    """The running keeper speaks no protocol version that this release knows."""

    code = "KEEPER_INCOMPATIBLE"


class ServerUnavailable(Unavailable):
    """No roost server answers."""

    code = "SERVER_UNAVAILABLE"


class DiskFull(Unavailable):
    """The disk is full."""

    code = "DISK_FULL"


class DataNewer(Unavailable):
    """The data directory was written by a newer roost."""

    code = "DATA_NEWER"


class DataLocked(Unavailable):
    """Another process holds this data directory."""

    code = "DATA_LOCKED"


class PortInUse(Unavailable):
    """The address is in use by another program."""

    code = "PORT_IN_USE"


class TimedOut(RoostError):
    """It took too long."""

    code = "TIMED_OUT"


class InternalError(RoostError):
    """roost made a mistake; the log has the details."""

    code = "INTERNAL_ERROR"


def by_code() -> dict[str, type[RoostError]]:
    """Every error class by its code; the parent wins where a subclass shares its code."""
    found: dict[str, type[RoostError]] = {}
    queue: list[type[RoostError]] = [RoostError]
    while queue:
        cls = queue.pop(0)
        found.setdefault(cls.code, cls)
        queue.extend(cls.__subclasses__())
    found["INTERNAL_ERROR"] = InternalError
    return found


def from_dict(data: dict[str, Any]) -> RoostError:
    """The error that `RoostError.to_dict` described; an unknown code becomes a plain `RoostError`."""
    cls = by_code().get(str(data.get("code")), RoostError)
    details = dict(data.get("details") or {})
    hint = str(details.pop("hint", ""))
    error = cls(str(data.get("message", "")), hint=hint)
    error.details = details
    return error
