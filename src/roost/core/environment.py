"""The environment that an agent gets: a list of what is let through, not the whole of ours.

A shell's environment holds keys and tokens that a program run on one's behalf has no business with. So agents get the
variables that programs need to find their way (`ALLOWED`), those that a setting names besides (`agents.env_allow`), and
whatever the caller gives by name. `docs/explanation/environment.md` gives the reasons.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from roost.errors import InvalidRequest

TERMINAL = "xterm-256color"
"""The terminal that agents speak to: the emulator's and the browser's, whatever terminal the caller sits at."""

ALLOWED: tuple[str, ...] = (
    "HOME",
    "PATH",
    "SHELL",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
    "XDG_*",
    "COLORTERM",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "LESS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
)
"""What is let through; a `*` at the end stands for any ending."""

WITHHELD: tuple[str, ...] = ("ROOST_*",)
"""What no allow-list lets through: it would hand the agent the right to start and stop agents."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def agent_environment(base: Mapping[str, str], extra: Mapping[str, str], allow: Collection[str] = ()) -> dict[str, str]:
    """What of `base` is let through, `TERM` set to ours, and `extra` over it.

    `allow` names variables let through besides `ALLOWED`, with the same `*`. `extra` is what the caller asked for in so
    many words: nothing is withheld from it.

    Raises:
        InvalidRequest: `extra` holds a name that is none, or a value with a NUL byte.
    """
    patterns = (*ALLOWED, *allow)
    passed = {name: value for name, value in base.items() if _passes(name, patterns)}
    passed["TERM"] = TERMINAL
    for name, value in extra.items():
        _check(name, value)
    return passed | dict(extra)


def _passes(name: str, patterns: tuple[str, ...]) -> bool:
    return bool(_NAME.match(name)) and _matches(name, patterns) and not _matches(name, WITHHELD)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(name.startswith(p[:-1]) if p.endswith("*") else name == p for p in patterns)


def _check(name: str, value: str) -> None:
    if not _NAME.match(name):
        raise InvalidRequest(
            f"{name[:80]!r} cannot be a variable's name",
            hint="use letters, digits and '_', not beginning with a digit",
            name=name[:80],
        )
    if "\0" in value:
        raise InvalidRequest(f"the value of {name} holds a NUL byte, which no environment can", name=name)
