"""Who may speak to the server: the decisions, apart from any socket.

A request is screened in this order: one `Host` header that names this server, then `Origin`, then `Sec-Fetch-Site`.
Credentials and the role that a route asks for come after that. A name that an attacker's DNS points at this machine
fails at the first step, a page of another origin or port at the second, and what a browser sends without an `Origin`
at the third.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeVar

from roost.core.hosts import (
    DEFAULT_PORTS,
    LOOPBACK_NAMES,
    Authority,
    WebOrigin,
    parse_authority,
    parse_origin,
)
from roost.errors import Forbidden, HostRefused, InvalidSetting, OriginRefused

T = TypeVar("T")
ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})
"""What a listener binds to be reached at every address; as a Host header it names nothing."""

Role = Literal["reporter", "viewer", "operator", "admin"]
RANK: dict[str, int] = {"reporter": 1, "viewer": 2, "operator": 3, "admin": 4}
MACHINE_PATHS = ("/api", "/ws", "/metrics")
"""What is for programs. Everything else is a page that people may follow a link to."""


class Head(NamedTuple):
    """What the screening reads of a request; every list holds each header line of that name."""

    scheme: str
    method: str
    path: str
    hosts: list[str]
    origins: list[str]
    sites: list[str]
    mode: str = ""
    destination: str = ""


class Policy(NamedTuple):
    """What the server is called: `names` at its own `port`, and what the settings add."""

    names: frozenset[str]
    port: int
    hosts: frozenset[Authority] = frozenset()
    origins: frozenset[WebOrigin] = frozenset()


def policy(names: Iterable[str], port: int, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> Policy:
    """The policy of a listener.

    Args:
        names: host names and addresses of the listener itself, besides those of loopback.
        hosts: `host` (at any port) or `host:port` that the settings allow besides.
        origins: `scheme://host[:port]` of web pages elsewhere that may call.

    Raises:
        InvalidSetting: an entry cannot be read.
    """
    own = ({name.strip("[]").lower() for name in names} | LOOPBACK_NAMES) - ANY_ADDRESS
    return Policy(
        frozenset(own),
        port,
        frozenset(_readable(parse_authority(text), text, "server.allowed_hosts") for text in hosts),
        frozenset(_readable(parse_origin(text), text, "server.allowed_origins") for text in origins),
    )


def screen(head: Head, rules: Policy) -> str | None:
    """Let the request pass, and name the allowed foreign origin that it comes from, where it does.

    Raises:
        HostRefused: not exactly one Host header, or one that does not name this server.
        OriginRefused: it was made by a web page of another origin.
    """
    authority = _host(head, rules)
    foreign = _origin(head, authority, rules)
    if foreign is None:
        _site(head)
    return foreign


def require(role: str, least: str) -> None:
    """Raise `Forbidden` unless `role` reaches `least`."""
    if RANK.get(role, 0) < RANK[least]:
        raise Forbidden(f"this needs the role {least}; the token has {role}", role=role, needed=least)


def _readable(parsed: T | None, text: str, setting: str) -> T:
    if parsed is None:
        raise InvalidSetting(f"{setting} cannot hold {text!r}", setting=setting, value=text)
    return parsed


def _host(head: Head, rules: Policy) -> Authority:
    if len(head.hosts) != 1:
        raise HostRefused("a request needs exactly one Host header", hosts=len(head.hosts))
    given = parse_authority(head.hosts[0])
    if given is None or not _served(given, head.scheme, rules):
        raise HostRefused(
            "the Host header names a host that this server does not serve",
            hint="name it in server.allowed_hosts if it is meant to be served",
            host=head.hosts[0][:255],
        )
    return given


def _served(given: Authority, scheme: str, rules: Policy) -> bool:
    port = given.port or DEFAULT_PORTS[scheme]
    if given.host in rules.names and port == rules.port:
        return True
    return Authority(given.host, None) in rules.hosts or Authority(given.host, port) in rules.hosts


def _origin(head: Head, authority: Authority, rules: Policy) -> str | None:
    if not head.origins:
        return None
    origin = parse_origin(head.origins[0]) if len(head.origins) == 1 else None
    own = WebOrigin(head.scheme, authority.host, authority.port or DEFAULT_PORTS[head.scheme])
    if origin == own:
        return None
    if origin is not None and origin in rules.origins:
        return head.origins[0]
    raise OriginRefused(
        "the request comes from a web page of another origin",
        hint="name it in server.allowed_origins if that page may call",
        origin=head.origins[0][:255],
    )


def _site(head: Head) -> None:
    if all(site in ("none", "same-origin") for site in head.sites) or _is_followed_link(head):
        return
    raise OriginRefused("the request was made by a web page of another site", site=head.sites[0][:40])


def _is_followed_link(head: Head) -> bool:
    """A person went to a page of ours from elsewhere: the whole tab changes, and nothing but a page is read."""
    is_page = not any(head.path == part or head.path.startswith(part + "/") for part in MACHINE_PATHS)
    return is_page and head.method == "GET" and head.mode == "navigate" and head.destination == "document"
