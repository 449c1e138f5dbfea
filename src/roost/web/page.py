"""The page: the built files, from memory, and a plain word where none were built.

Only files that were there when the server started are served, so no path leads anywhere else.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import HTMLResponse, Response

from roost.errors import NotFound
from roost.web.requests import header

if TYPE_CHECKING:
    from roost.web.requests import Call

STATIC = Path(__file__).with_name("static")
HASHED = re.compile(r".*[.-][A-Za-z0-9_-]{8,}\.\w+\Z")
"""A name that holds a hash of the content, so that it never changes."""
COMPRESSED = frozenset({".html", ".js", ".css", ".svg", ".json", ".txt", ".map", ".webmanifest"})
WORTH_COMPRESSING = 1024
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""xterm.js makes style elements as it goes, hence inline styles; scripts only from here."""
NOT_BUILT = (
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
    "<title>roost</title><h1>roost is running</h1><p>Its page was not built into this installation. "
    "Install roost with its page (<code>pip install .</code> of a clone builds it), or use the command line and "
    "<a href=/docs>the API</a>.</p></html>"
)


class File(NamedTuple):
    """One file of the page."""

    body: bytes
    gzipped: bytes | None
    media_type: str
    etag: str
    immutable: bool


class Page:
    """All files of the page, by their path from its root."""

    def __init__(self, root: Path = STATIC) -> None:
        paths = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
        names = {path.relative_to(root).as_posix(): path for path in paths}
        self._files = {
            name: _load(path, name)
            for name, path in names.items()
            if name.removesuffix(".gz") not in names.keys() - {name}
        }

    def find(self, name: str) -> File | None:
        """The file of that name, such as `assets/index-1a2b3c4d.js`."""
        return self._files.get(name)


async def index(call: Call[None, None]) -> Response:
    """The page itself, whatever part of it the address names."""
    found = call.context.page.find("index.html")
    if found is None:
        return HTMLResponse(NOT_BUILT, headers={"Content-Security-Policy": CONTENT_POLICY})
    return _answer(found, call)


async def file(call: Call[None, None]) -> Response:
    """A file of the page."""
    name: str = call.scope["path"].lstrip("/")
    found = call.context.page.find(name)
    if found is None:
        raise NotFound(f"there is nothing at /{name[:200]}", path=f"/{name[:200]}")
    return _answer(found, call)


def _is_sibling(name: str, names: Container[str]) -> bool:
    return name.endswith(".gz") and name.removesuffix(".gz") in names


def _load(path: Path, name: str) -> File:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type.startswith("text/") or media_type.endswith("javascript"):
        media_type += "; charset=utf-8"
    sibling = path.with_name(path.name + ".gz")
    gzipped = sibling.read_bytes() if sibling.is_file() else None
    if gzipped is None and path.suffix in COMPRESSED and len(body) >= WORTH_COMPRESSING:
        gzipped = gzip.compress(body, 6, mtime=0)
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    return File(body, gzipped, media_type, etag, name.startswith("assets/") and bool(HASHED.match(name)))


def _answer(file: File, call: Call[None, None]) -> Response:
    headers = {
        "Content-Security-Policy": CONTENT_POLICY,
        "Cache-Control": "public, max-age=31536000, immutable" if file.immutable else "no-cache",
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
        "Content-Type": file.media_type,
    }
    if file.etag in header(call.scope, "if-none-match"):
        return Response(status_code=304, headers=headers)
    if file.gzipped is not None and "gzip" in header(call.scope, "accept-encoding"):
        return Response(file.gzipped, headers=headers | {"Content-Encoding": "gzip"})
    return Response(file.body, headers=headers)
