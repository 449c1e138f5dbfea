"""Runs the real program of an agent where it can reach nobody but a fake model.

    python -m roost.testing.models.offline claude HOME PROGRAM [ARGUMENTS…]

The process gets a network namespace with nothing in it but loopback, starts a fake model endpoint there and becomes
the program: its pid, its signals and its exit code are the program's own. Its environment is made from nothing, with
`HOME` set up as if the questions of a first start had been answered. It needs root or user namespaces.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from roost.testing.models.server import FakeModel

KEY = "no-key"
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
LOG_VARIABLE = "OFFLINE_LOG"
SHARED_VARIABLE = "OFFLINE_SHARES_LOOPBACK"
KEPT = ("TERM", "COLORTERM", "LANG", "IS_SANDBOX")
KEPT_PREFIXES = ("CLAUDE_CODE_", "ROOST_", "OTEL_")
CODEX_SETTINGS = """\
model = "gpt-5.5"
model_provider = "offline"
check_for_update_on_startup = false
[analytics]
enabled = false
[features]
plugins = false
[notice]
hide_gpt5_1_migration_prompt = true
[model_providers.offline]
name = "offline"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
supports_websockets = false
request_max_retries = 2
stream_max_retries = 2
[projects."{here}"]
trust_level = "trusted"
"""


def offline(kind: str, program: Path | str, home: Path) -> list[str]:
    """The command that runs `program` offline as the `kind` that it is, a key of `SETUPS`; arguments are to follow."""
    return [sys.executable, "-m", "roost.testing.models.offline", kind, str(home), str(program)]


def install_offline(directory: Path, kind: str, program: Path | str, home: Path) -> Path:
    """Put a program into `directory` that runs `program` offline; its path. Whatever starts it by name then does."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / kind
    words = " ".join(f'"{word}"' for word in offline(kind, program, home))
    target.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    target.chmod(0o755)
    return target


def main(arguments: list[str]) -> None:
    """Become the program."""
    kind, home, *command = arguments
    if not os.environ.get(SHARED_VARIABLE):
        leave_network()
    url = _serve_beside()
    Path(home).mkdir(parents=True, exist_ok=True)
    environment = _kept() | _basic(home) | SETUPS[kind](Path(home), url)
    os.execve(command[0], command, environment)


def leave_network() -> None:
    """Go into a network namespace in which there is only loopback.

    Raises:
        OSError: neither root nor user namespaces can be had.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWNET if uid == 0 else CLONE_NEWUSER | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "there is no network namespace to be had")
    if uid:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _raise_loopback()


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(one, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _serve_beside() -> str:
    """Start a fake model in a process that ends with this one; its URL."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        _serve(writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read()


def _serve(writing: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Keys and signals that interrupt are for the program alone, and its pipes end with it.
    os.setsid()
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    log = os.environ.get(LOG_VARIABLE)
    model = FakeModel(log=Path(log) if log else None)
    os.write(writing, model.url.encode())
    os.close(writing)
    signal.pause()


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIXES)}


def _basic(home: str) -> dict[str, str]:
    return {"HOME": home, "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def _claude(home: Path, url: str) -> dict[str, str]:
    known = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY], "rejected": []},
        "projects": {str(Path.cwd()): {"hasTrustDialogAccepted": True}},
    }
    settings = home / ".claude.json"
    if not settings.exists():
        settings.write_text(json.dumps(known))
    off = ("DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER", "DISABLE_ERROR_REPORTING")
    quiet = dict.fromkeys((*off, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"), "1")
    (home / "tmp").mkdir(exist_ok=True)
    return {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY, "CLAUDE_CODE_TMPDIR": str(home / "tmp"), **quiet}


def _codex(home: Path, url: str) -> dict[str, str]:
    (home / ".codex").mkdir(exist_ok=True)
    (home / ".codex" / "config.toml").write_text(CODEX_SETTINGS.format(url=url, here=Path.cwd()))
    return {"CODEX_HOME": str(home / ".codex"), "OPENAI_API_KEY": KEY}


def _gemini(home: Path, url: str) -> dict[str, str]:
    (home / ".gemini").mkdir(exist_ok=True)
    settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False}}
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings))
    key = {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": url}
    return {**key, "GEMINI_CLI_TRUST_WORKSPACE": "true"}


def _opencode(home: Path, url: str) -> dict[str, str]:
    options = {"baseURL": f"{url}/v1", "apiKey": KEY}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "offline", "options": options}
    models = {"fake-model": {"name": "fake", "limit": {"context": 100000, "output": 8000}}}
    known = {"model": "offline/fake-model", "provider": {"offline": {**provider, "models": models}}}
    words = ("AUTOUPDATE", "DEFAULT_PLUGINS", "LSP_DOWNLOAD", "MODELS_FETCH")
    off = [f"OPENCODE_DISABLE_{word}" for word in words]
    return {"OPENCODE_CONFIG_CONTENT": json.dumps({**known, "autoupdate": False}), **dict.fromkeys(off, "1")}


SETUPS: dict[str, Callable[[Path, str], dict[str, str]]] = {
    "claude": _claude,
    "codex": _codex,
    "gemini": _gemini,
    "opencode": _opencode,
}

if __name__ == "__main__":
    main(sys.argv[1:])
