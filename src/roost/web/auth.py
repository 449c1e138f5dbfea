"""Tokens and session cookies: who a request comes from, by the server's own record.

A request says only a secret; name and role are looked up. The token of the data directory has every role. More tokens
may stand in the file `tokens` beside it, one a line: `ROLE NAME TOKEN`.

A browser's cookie is signed with the token it was traded for, so it outlives a restart of the server, falls with its
token, and does not give the token away.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from roost.core.guard import RANK
from roost.errors import InvalidSetting

COOKIE_LIFETIME_S = 30 * 86_400
MIN_TOKEN_LENGTH = 16


class Principal(NamedTuple):
    """Whom the server takes a client for."""

    name: str
    role: str


ANYONE = Principal("anyone", "admin")
"""Everybody, where the token is switched off."""


class Tokens:
    """The tokens that the server knows."""

    def __init__(self, records: dict[str, Principal], clock: Callable[[], float] = time.time) -> None:
        self._records = {token.encode(): principal for token, principal in records.items()}
        self._clock = clock
        self._logged_out: dict[str, float] = {}

    def find(self, token: str) -> Principal | None:
        """Whose token this is. Takes the same time wherever it differs from one of ours."""
        given = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        found = None
        for known, principal in self._records.items():
            if hmac.compare_digest(given, hashlib.sha256(known).digest()):
                found = principal
        return found

    def cookie(self, principal: Principal) -> str | None:
        """A session cookie's value for `principal`; None for one who has no token."""
        for token, known in self._records.items():
            if known == principal:
                head = f"{int(self._clock())}.{secrets.token_hex(8)}"
                return f"{head}.{_signature(token, head)}"
        return None

    def find_cookie(self, value: str) -> Principal | None:
        """Whose session cookie this is; None for one that is forged, too old or logged out."""
        head, _, signature = value.rpartition(".")
        issued = head.partition(".")[0]
        if not (issued.isascii() and issued.isdigit() and len(issued) < 15 and signature.isascii()):
            return None
        if not 0 <= self._clock() - int(issued) + 1 < COOKIE_LIFETIME_S or head in self._logged_out:
            return None
        found = None
        for token, principal in self._records.items():
            if hmac.compare_digest(signature, _signature(token, head)):
                found = principal
        return found

    def log_out(self, value: str) -> None:
        """Make a valid cookie void, for as long as this server runs."""
        if self.find_cookie(value) is None:
            return
        now = self._clock()
        self._logged_out = {head: at for head, at in self._logged_out.items() if now - at < COOKIE_LIFETIME_S}
        self._logged_out[value.rpartition(".")[0]] = now


def ensure_token(path: Path, given: str = "") -> str:
    """The data directory's token; made, mode 0600, where there is none. `given` is used instead and kept.

    Raises:
        InvalidSetting: the token is too short to be safe.
    """
    if given:
        _check_token(given, "the token")
        _write_private(path, given)
        return given
    if not path.exists():
        _write_private(path, secrets.token_urlsafe(32))
    path.chmod(0o600)
    token = path.read_text(encoding="utf-8").strip()
    _check_token(token, str(path))
    return token


def load_tokens(path: Path, given: str = "") -> Tokens:
    """The tokens of a data directory whose token file is `path`.

    Raises:
        InvalidSetting: a line cannot be read, or strangers can read the file.
    """
    records = {ensure_token(path, given): Principal("owner", "admin")}
    more = path.with_name("tokens")
    if more.exists():
        if stat.S_IMODE(more.stat().st_mode) & 0o077:
            raise InvalidSetting(f"{more} can be read by others", hint=f"chmod 600 {more}", file=str(more))
        for number, line in enumerate(more.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                token, principal = _parse_line(line, f"{more}:{number}")
                records[token] = principal
    return Tokens(records)


def cookie_name(port: int) -> str:
    """Cookies do not keep ports apart, so the name does."""
    return f"roost_{port}"


def _parse_line(line: str, place: str) -> tuple[str, Principal]:
    parts = line.split()
    if len(parts) != 3 or parts[0] not in RANK:
        raise InvalidSetting(f"{place}: a line is ROLE NAME TOKEN, the role one of {', '.join(RANK)}", file=place)
    role, name, token = parts
    _check_token(token, place)
    return token, Principal(name, role)


def _check_token(token: str, place: str) -> None:
    if len(token) < MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidSetting(f"{place}: a token is at least {MIN_TOKEN_LENGTH} printable signs without spaces")


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
    fresh.replace(path)


def _signature(token: bytes, head: str) -> str:
    return hmac.new(token, b"roost session " + head.encode(), hashlib.sha256).hexdigest()
