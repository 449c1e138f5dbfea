"""Finding a server and its token."""

import json
import os
import subprocess
import sys

import pytest

from roost.client.discovery import Address, find_server, is_alive, read_token
from roost.errors import ServerUnavailable
from roost.paths import DataDirectory


@pytest.fixture
def data(tmp_path) -> DataDirectory:
    directory = DataDirectory(tmp_path)
    directory.create()
    return directory


def says(data: DataDirectory, content: object) -> None:
    data.server_info.write_text(content if isinstance(content, str) else json.dumps(content))


def test_the_living_server_of_the_data_directory(data):
    says(data, {"url": "http://127.0.0.1:1/", "pid": os.getpid(), "version": "9"})
    data.token.write_text("secret\n")
    assert find_server(data, {}) == Address("http://127.0.0.1:1", "secret", os.getpid(), "9")


def test_a_dead_process_serves_nothing(data):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    says(data, {"url": "http://127.0.0.1:1", "pid": done.pid, "version": "9"})
    assert find_server(data, {}) is None


def test_a_zombie_does_not_live():
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(process.pid)


def test_who_lives():
    assert is_alive(os.getpid())
    assert is_alive(1)
    assert not is_alive(0)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"url": "x"}', '{"url": "x", "pid": "y"}', "null"])
def test_half_a_file_is_no_server(data, content):
    says(data, content)
    assert find_server(data, {}) is None


def test_no_file_is_no_server(data):
    assert find_server(data, {}) is None
    assert read_token(data) == ""


def test_the_environment_goes_first(data):
    data.token.write_text("of the directory")
    address = find_server(data, {"ROOST_URL": "https://example.org/roost/", "ROOST_TOKEN": "mine"})
    assert address == Address("https://example.org/roost", "mine")
    assert not address.is_local
    assert find_server(data, {"ROOST_URL": "http://h:1"}).token == "of the directory"


def test_what_is_no_address_is_refused(data):
    with pytest.raises(ServerUnavailable, match="ROOST_URL"):
        find_server(data, {"ROOST_URL": "example.org"})


def test_a_token_that_is_no_text_is_none(data):
    data.token.write_bytes(b"\xff\xfe")
    assert read_token(data) == ""
