"""Settings: where values come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.config import declared, load
from roost.errors import InvalidSetting


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_defaults_hold_when_nothing_is_said(tmp_path: Path) -> None:
    settings, origins = load({"ROOST_DATA": str(tmp_path)})
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8151)
    assert settings.data == tmp_path
    assert origins["server.port"] == (8151, "default")
    assert origins["data"].source == "environment ROOST_DATA"


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", "[server]\nport = 1\nrequest_burst = 5\nmax_connections = 7\n")
    environ = {"ROOST_PORT": "2", "ROOST_SERVER_REQUEST_BURST": "6"}
    settings, origins = load(environ, {"server.port": "3", "data": str(tmp_path)}, file)
    assert settings.server.port == 3
    assert settings.server.request_burst == 6
    assert settings.server.max_connections == 7
    assert origins["server.port"].source == "flag --server-port"
    assert origins["server.request_burst"].source == "environment ROOST_SERVER_REQUEST_BURST"
    assert origins["server.max_connections"].source == f"file {file}"


def test_the_file_in_the_data_directory_is_found_by_itself(tmp_path: Path) -> None:
    write(tmp_path / "config.toml", 'db = "sqlite:///x"\n[logs]\nlevel = "debug"\n')
    settings, origins = load({"ROOST_DATA": str(tmp_path)})
    assert (settings.logs.level, settings.db) == ("debug", "sqlite:///x")
    assert origins["db"].source.startswith("file ")


def test_every_kind_of_value_is_read_from_text(tmp_path: Path) -> None:
    flags = {
        "data": str(tmp_path),
        "server.auth": "off",
        "server.allowed_hosts": "a.example, b.example",
        "server.header_timeout_s": "2.5",
        "stream.ring_bytes": "1_000_000",
        "db": "sqlite:///here",
    }
    settings, _ = load({}, flags)
    assert settings.server.auth is False
    assert settings.server.allowed_hosts == ("a.example", "b.example")
    assert settings.server.header_timeout_s == 2.5
    assert settings.stream.ring_bytes == 1_000_000
    assert settings.db == "sqlite:///here"


def test_file_values_keep_their_types(tmp_path: Path) -> None:
    file = write(tmp_path / "c.toml", '[server]\nauth = true\nallowed_hosts = ["x"]\nheader_timeout_s = 3\n')
    settings, _ = load({"ROOST_DATA": str(tmp_path), "ROOST_CONFIG": str(file), "ROOST_DB": "sqlite:///e"})
    assert settings.server.allowed_hosts == ("x",)
    assert settings.server.header_timeout_s == 3.0
    assert settings.db == "sqlite:///e"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("server.port", "http", "server.port cannot be 'http'"),
        ("server.port", "-1", "at least 0"),
        ("server.auth", "maybe", "give true or false"),
        ("server.header_timeout_s", "inf", "finite"),
        ("server.header_timeout_s", "soon", "server.header_timeout_s"),
    ],
)
def test_a_bad_value_is_refused_by_name(tmp_path: Path, key: str, value: str, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says):
        load({}, {"data": str(tmp_path), key: value})


@pytest.mark.parametrize(
    "text",
    [
        "[server]\nport = 1.5\n",
        "[server]\nport = true\n",
        "[server]\nheader_timeout_s = true\n",
        "[server]\nhost = 5\n",
        "[server]\nallowed_hosts = [1]\n",
        "[server]\nprot = 1\n",
        "nonsense = 1\n",
        "not toml",
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidSetting):
        load({"ROOST_DATA": str(tmp_path)}, file=write(tmp_path / "c.toml", text))


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="there is no configuration file"):
        load({"ROOST_DATA": str(tmp_path)}, file=tmp_path / "none.toml")


def test_every_setting_says_what_it_is_and_has_its_own_names() -> None:
    settings = declared()
    assert all(item.doc.endswith(".") for item in settings)
    names = [name for item in settings for name in item.environment_names]
    assert len(names) == len(set(names))
