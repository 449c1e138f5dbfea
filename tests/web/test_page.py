"""The page's files, and what stands there when it was not built."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.responses import Response

from roost.errors import NotFound
from roost.web import page
from roost.web.page import Page
from roost.web.requests import Exchange
from tests.web.conftest import Rest

SCRIPT = "console.log(1);" * 200


@pytest.fixture
def built(tmp_path: Path) -> Page:
    """A page as the build leaves it: one file compressed by the build, one not."""
    root = tmp_path / "static"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html>the page")
    (root / "favicon.svg").write_text("<svg/>")
    (root / "assets" / "index-B62Y2Zl_.js").write_text(SCRIPT)
    (root / "assets" / "index-B62Y2Zl_.js.gz").write_bytes(gzip.compress(b"by the build"))
    (root / "assets" / "plain.css").write_text("a{}" * 1000)
    (root / "assets" / "font-1a2b3c4d.woff2").write_bytes(b"\0" * 5000)
    (tmp_path / "secret.txt").write_text("secret")
    return Page(root)


def call(found: Page, path: str, **headers: str) -> Any:
    lines = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return SimpleNamespace(context=SimpleNamespace(page=found), scope={"path": path, "roost": Exchange("r", lines)})


def index(found: Page, path: str, **headers: str) -> Response:
    return asyncio.run(page.index(call(found, path, **headers)))


def file(found: Page, path: str, **headers: str) -> Response:
    return asyncio.run(page.file(call(found, path, **headers)))


def test_the_page_is_the_same_for_every_agent(built: Page) -> None:
    answer = index(built, "/agents/demo")
    assert answer.body == b"<!doctype html>the page"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_files_with_a_hash_in_their_name_stay(built: Page) -> None:
    answer = file(built, "/assets/index-B62Y2Zl_.js")
    assert answer.body.decode() == SCRIPT
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" not in file(built, "/favicon.svg").headers["cache-control"]


def test_files_that_the_build_compressed_are_sent_so(built: Page) -> None:
    answer = file(built, "/assets/index-B62Y2Zl_.js", accept_encoding="br, gzip")
    assert gzip.decompress(answer.body) == b"by the build"
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")


def test_large_texts_are_compressed_otherwise_and_fonts_are_not(built: Page) -> None:
    style = file(built, "/assets/plain.css", accept_encoding="gzip")
    assert gzip.decompress(style.body) == b"a{}" * 1000
    font = file(built, "/assets/font-1a2b3c4d.woff2", accept_encoding="gzip")
    assert "content-encoding" not in font.headers


def test_a_file_that_is_known_is_not_sent_again(built: Page) -> None:
    first = index(built, "/")
    again = index(built, "/", if_none_match=first.headers["etag"])
    assert (again.status_code, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/assets/../../secret.txt", "//etc/passwd", "/assets/none.js", "/assets/", "/secret.txt"]
)
def test_nothing_else_is_served(built: Page, path: str) -> None:
    with pytest.raises(NotFound):
        file(built, path)


def test_compressed_siblings_are_no_files_of_their_own(built: Page) -> None:
    with pytest.raises(NotFound):
        file(built, "/assets/index-B62Y2Zl_.js.gz")


def test_a_page_that_was_not_built_says_so(tmp_path: Path) -> None:
    answer = index(Page(tmp_path / "none"), "/")
    assert answer.status_code == 200
    assert b"not built" in answer.body
    assert b"/docs" in answer.body


def test_the_page_needs_no_token(rest: Rest) -> None:
    for path in ("/", "/agents/demo"):
        answer = rest.call("GET", path, role=None)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
