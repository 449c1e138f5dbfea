"""What a tool call does, in one readable line in the present: "Reading src/config.ts", "Running npm test".

Each CLI has its own names for the same few things; a driver says of which kind a call is and what it is about.
"""

from __future__ import annotations

LONGEST = 160
"""Characters of what is told of a call's subject."""

_VERBS = {
    "read": "Reading",
    "list": "Listing",
    "edit": "Editing",
    "write": "Writing",
    "delete": "Deleting",
    "move": "Moving",
    "run": "Running",
    "output": "Reading the output of",
    "stop": "Stopping",
    "search": "Searching for",
    "find": "Looking for",
    "fetch": "Fetching",
    "web": "Searching the web for",
    "agent": "Asking sub-agent:",
    "message": "Writing to",
    "question": "Asking:",
    "plan": "Proposing a plan",
    "todo": "Updating the plan",
    "think": "Thinking about",
    "skill": "Using skill",
    "mode": "Switching to",
    "wait": "Waiting for",
    "call": "Calling",
}
_ALONE = {
    "read": "Reading a file",
    "list": "Listing files",
    "edit": "Editing a file",
    "write": "Writing a file",
    "delete": "Deleting a file",
    "move": "Moving a file",
    "run": "Running a command",
    "output": "Reading a command's output",
    "stop": "Stopping a task",
    "search": "Searching",
    "find": "Looking for files",
    "fetch": "Fetching a page",
    "web": "Searching the web",
    "agent": "Asking a sub-agent",
    "message": "Writing a message",
    "question": "Asking a question",
    "think": "Thinking",
    "skill": "Using a skill",
    "mode": "Switching mode",
    "wait": "Waiting",
    "call": "Calling a tool",
}
KINDS: frozenset[str] = frozenset(_VERBS)
"""What a call can be; `call` is any other."""
_SUBJECTLESS = frozenset({"plan", "todo"})


def title(kind: str, subject: str = "") -> str:
    """A call's title: `kind` is one of `KINDS`, `subject` what it is about, such as a path or a command."""
    verb = _VERBS.get(kind, _VERBS["call"])
    if kind in _SUBJECTLESS:
        return verb
    about = one_line(subject)
    return f"{verb} {about}" if about else _ALONE.get(kind, _ALONE["call"])


def one_line(text: str, longest: int = LONGEST) -> str:
    """`text` as one line that can be shown anywhere: no control characters, spaces run together, cut with `…`."""
    head = " ".join(text[: longest * 4].split())
    if not head.isprintable():
        head = "".join([sign for sign in head if sign.isprintable()])
    return head if len(head) <= longest else head[: longest - 1].rstrip() + "…"


def nearer(path: str, cwd: str) -> str:
    """A path as seen from the working directory, where it lies in it."""
    folder = cwd.rstrip("/") + "/"
    return path[len(folder) :] or "." if cwd and path.startswith(folder) else path
