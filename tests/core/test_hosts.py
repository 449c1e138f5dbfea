"""Host and Origin headers are parsed whole."""

import pytest

from roost.core.hosts import Authority, WebOrigin, parse_authority, parse_origin


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost", Authority("localhost", None)),
        ("LOCALHOST:8151", Authority("localhost", 8151)),
        ("127.0.0.1:1", Authority("127.0.0.1", 1)),
        ("[::1]:8151", Authority("::1", 8151)),
        ("[0:0:0:0:0:0:0:1]", Authority("::1", None)),
        ("a_b.example", Authority("a_b.example", None)),
    ],
)
def test_an_authority_is_a_host_and_perhaps_a_port(text: str, expected: Authority) -> None:
    assert parse_authority(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " localhost",
        "localhost ",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:-1",
        "localhost:８１",
        "::1",
        "[::1",
        "[:::1]",
        "[1.2.3.4]",
        "user@localhost",
        "localhost/path",
        "localhost, evil.example",
        "lócalhost",
        "localhost\n",
        "a" * 254,
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert parse_authority(text) is None


def test_an_origin_has_a_scheme_and_always_a_port() -> None:
    assert parse_origin("http://localhost:8151") == WebOrigin("http", "localhost", 8151)
    assert parse_origin("https://roost.example") == WebOrigin("https", "roost.example", 443)


@pytest.mark.parametrize("text", ["null", "", "localhost", "file://", "ftp://a", "http://a/", "HTTP://a", "http:a"])
def test_what_is_no_web_origin_is_none(text: str) -> None:
    assert parse_origin(text) is None
