"""The screening of requests, attack by attack."""

from typing import Any

import pytest

from roost.core.guard import Head, policy, require, screen
from roost.errors import Forbidden, HostRefused, InvalidSetting, OriginRefused

RULES = policy(
    ["127.0.0.1", "192.0.2.7"], 8151, ["roost.example", "box.example:9000"], ["https://app.example", "http://dev:5173"]
)


def head(**fields: Any) -> Head:
    plain = Head("http", "GET", "/api/agents", ["127.0.0.1:8151"], [], [])
    return plain._replace(**fields)


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8151",
        "127.0.0.1:8151",
        "[::1]:8151",
        "192.0.2.7:8151",
        "LocalHost:8151",
        "roost.example",
        "roost.example:443",
        "box.example:9000",
    ],
)
def test_own_and_allowed_hosts_pass(host: str) -> None:
    assert screen(head(hosts=[host]), RULES) is None


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["127.0.0.1:8151", "127.0.0.1:8151"],
        ["127.0.0.1:8151", "evil.example"],
        ["evil.example:8151"],
        ["evil.example"],
        ["127.0.0.1"],
        ["127.0.0.1:8152"],
        ["127.0.0.1.evil.example:8151"],
        ["localhost.evil.example:8151"],
        ["evil-localhost:8151"],
        ["localhost.:8151"],
        ["0.0.0.0:8151"],
        ["127.0.0.2:8151"],
        ["box.example:9001"],
        ["sub.roost.example"],
        ["user@localhost:8151"],
        [""],
    ],
)
def test_other_hosts_are_refused(hosts: list[str]) -> None:
    with pytest.raises(HostRefused):
        screen(head(hosts=hosts), RULES)


def test_the_default_port_belongs_to_the_scheme() -> None:
    rules = policy([], 443)
    assert screen(head(scheme="https", hosts=["localhost"]), rules) is None
    with pytest.raises(HostRefused):
        screen(head(scheme="http", hosts=["localhost"]), rules)


def test_the_own_origin_passes() -> None:
    assert screen(head(origins=["http://127.0.0.1:8151"], sites=["same-origin"]), RULES) is None


@pytest.mark.parametrize("origin", ["https://app.example", "http://dev:5173"])
def test_an_allowed_origin_passes_from_another_site_and_is_named(origin: str) -> None:
    assert screen(head(origins=[origin], sites=["cross-site"]), RULES) == origin


@pytest.mark.parametrize(
    "origins",
    [
        ["http://evil.example"],
        ["http://127.0.0.1:8152"],
        ["http://127.0.0.1"],
        ["https://127.0.0.1:8151"],
        ["http://localhost:8151"],
        ["http://127.0.0.1:8151.evil.example"],
        ["https://app.example.evil.example"],
        ["http://app.example"],
        ["https://app.example:8443"],
        ["null"],
        [""],
        ["file://"],
        ["chrome-extension://abcdef"],
        ["http://127.0.0.1:8151", "http://127.0.0.1:8151"],
    ],
)
def test_other_origins_are_refused(origins: list[str]) -> None:
    with pytest.raises(OriginRefused):
        screen(head(origins=origins), RULES)


@pytest.mark.parametrize("sites", [["cross-site"], ["same-site"], ["none", "cross-site"], ["anything"]])
def test_requests_that_other_sites_make_are_refused(sites: list[str]) -> None:
    with pytest.raises(OriginRefused):
        screen(head(sites=sites), RULES)


def test_what_a_person_types_passes() -> None:
    assert screen(head(sites=["none"]), RULES) is None


@pytest.mark.parametrize("path", ["/", "/agents/demo", "/login", "/apiary"])
def test_a_link_from_elsewhere_to_a_page_passes(path: str) -> None:
    followed = head(path=path, sites=["cross-site"], mode="navigate", destination="document")
    assert screen(followed, RULES) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/api/agents"},
        {"path": "/api"},
        {"path": "/metrics"},
        {"path": "/ws/agents/demo"},
        {"destination": "iframe"},
        {"destination": "object"},
        {"mode": "no-cors"},
        {"method": "POST"},
    ],
)
def test_other_requests_from_elsewhere_are_refused(fields: dict[str, str]) -> None:
    followed = head(path="/", sites=["cross-site"], mode="navigate", destination="document")
    with pytest.raises(OriginRefused):
        screen(followed._replace(**fields), RULES)


@pytest.mark.parametrize(("role", "least"), [("viewer", "viewer"), ("operator", "viewer"), ("admin", "operator")])
def test_a_higher_role_does_for_a_lower(role: str, least: str) -> None:
    require(role, least)


@pytest.mark.parametrize(
    ("role", "least"), [("viewer", "operator"), ("operator", "admin"), ("", "viewer"), ("x", "viewer")]
)
def test_a_lower_role_does_not(role: str, least: str) -> None:
    with pytest.raises(Forbidden) as caught:
        require(role, least)
    assert caught.value.details["needed"] == least


@pytest.mark.parametrize(("hosts", "origins"), [(["a/b"], []), ([], ["app.example"]), ([], ["*"]), (["*"], [])])
def test_settings_that_cannot_be_read_are_refused(hosts: list[str], origins: list[str]) -> None:
    with pytest.raises(InvalidSetting):
        policy([], 1, hosts, origins)
