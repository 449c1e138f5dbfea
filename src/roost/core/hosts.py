"""Host and Origin headers: parsed whole and compared by parts, never by prefix or suffix."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK_NAMES: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::(?P<port>[0-9]{1,5}))?"
)


class Authority(NamedTuple):
    """A host in lower case, IPv6 without brackets, and the port where one was given."""

    host: str
    port: int | None


class WebOrigin(NamedTuple):
    """Where a web page comes from; the port is always there."""

    scheme: str
    host: str
    port: int


def parse_authority(text: str) -> Authority | None:
    """`text` as `host` or `host:port`, or None where it is anything else."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    host = _address(match["v6"]) if match["v6"] else match["name"].lower()
    port = int(match["port"]) if match["port"] else None
    if host is None or (port is not None and not 0 < port < 65_536):
        return None
    return Authority(host, port)


def parse_origin(text: str) -> WebOrigin | None:
    """`text` as `scheme://host[:port]` of http or https, or None where it is anything else, such as `null`."""
    scheme, found, rest = text.partition("://")
    authority = parse_authority(rest) if found and scheme in DEFAULT_PORTS else None
    if authority is None:
        return None
    return WebOrigin(scheme, authority.host, authority.port or DEFAULT_PORTS[scheme])


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None
