"""Settings: one declaration each, from which flags, environment names, file keys and the reference page derive.

A setting `section.name` is the file key; `ROOST_SECTION_NAME` its environment variable (the common ones have a short
name besides); `--section-name` its flag. Flags win over environment over file over default. Standard library only,
because the command line reads settings too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from roost.errors import InvalidSetting
from roost.paths import default_data_directory

Value = str | int | float | bool | tuple[str, ...] | None


def setting(default: Value, doc: str, *, minimum: float | None = None, short: str | None = None) -> Any:
    """A field that is a setting; `short` is the part of a second environment name behind `ROOST_`."""
    return field(default=default, metadata={"doc": doc, "minimum": minimum, "short": short})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The HTTP server."""

    host: str = setting("127.0.0.1", "Address to listen on. Beyond loopback, TLS is needed.", short="HOST")
    port: int = setting(8151, "Port to listen on; 0 takes a free one.", minimum=0, short="PORT")
    listen: tuple[str, ...] = setting((), "More addresses to listen on, each `HOST:PORT`.")
    auth: bool = setting(True, "Ask for a token. Off works on loopback only.")
    tls_cert: str = setting("", "Certificate file (PEM); with `tls_key` it turns TLS on.")
    tls_key: str = setting("", "Private key file (PEM).")
    allowed_hosts: tuple[str, ...] = setting((), "Host names accepted in the Host header besides localhost and `host`.")
    allowed_origins: tuple[str, ...] = setting((), "Origins of other web pages that may call the API, scheme to port.")
    max_connections: int = setting(2000, "Connections open at once; more are refused with 503.", minimum=1)
    max_body_bytes: int = setting(1_048_576, "Size of a request's body.", minimum=1)
    max_frame_bytes: int = setting(1_048_576, "Size of a WebSocket message.", minimum=1)
    header_timeout_s: float = setting(10.0, "How long a client may take to send a request's head.", minimum=0.1)
    body_timeout_s: float = setting(30.0, "How long a client may take to send a request's body.", minimum=0.1)
    requests_per_s: float = setting(200.0, "Requests a second of one token, over time.", minimum=0.1)
    request_burst: int = setting(400, "Requests of one token at once.", minimum=1)
    shutdown_s: float = setting(30.0, "How long a stop may take to finish what is under way.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Live streams."""

    enabled: bool = setting(True, "Offer live streams.")
    rate_limit: int = setting(50, "Frames a second and client on `/ws/runs`.", minimum=1)
    buffer_size: int = setting(1000, "Events that a new client is shown from the past.", minimum=0)
    batch_ms: int = setting(100, "Window over which a paced client's events are gathered.", minimum=0)
    ring_bytes: int = setting(33_554_432, "Memory for recent events, shared by all clients.", minimum=65_536)
    backlog_frames: int = setting(100, "Writes that may wait for a client that does not read.", minimum=1)
    backlog_s: float = setting(120.0, "How long a client may not read before it is disconnected.", minimum=1)
    ping_s: float = setting(15.0, "How often an idle stream says that it lives.", minimum=0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperSettings:
    """The keeper."""

    idle_exit_s: float = setting(300.0, "How long a keeper that holds nothing stays.", minimum=1)
    start_timeout_s: float = setting(10.0, "How long to wait for a keeper that was started.", minimum=0.1)
    sync_s: float = setting(
        1.0, "How often recordings are synced to disk; at most this much is lost at a power cut.", minimum=0.05
    )
    ballast_bytes: int = setting(8_388_608, "Size of the file that is given up when the disk is full.", minimum=0)
    cgroup: bool = setting(True, "Use cgroup v2 where it is delegated.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What agents get when nothing else is said."""

    grace_s: float = setting(10.0, "Seconds between SIGTERM and SIGKILL when an agent is stopped.", minimum=0)
    env_allow: tuple[str, ...] = setting((), "Variables handed on to agents besides the built-in list.")
    oom_score_adj: int = setting(
        300, "How much sooner the kernel ends an agent than others when memory is short.", minimum=0
    )
    max_running: int = setting(1000, "Agents running at once.", minimum=1)
    input_bytes: int = setting(1_048_576, "Size of one input.", minimum=1)
    read_transcripts: bool = setting(
        True, "Read what coding agents in terminals keep of their conversations, and have them tell what they wait for."
    )
    watch_files: bool = setting(True, "Watch the directories of structured agents for files that change.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSettings:
    """What agents ask before they go on."""

    expire_s: float = setting(0.0, "Seconds after which a question that nobody answered is denied; 0 never.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Text logs of agents and the server's own log."""

    rotate_bytes: int = setting(100_000_000, "Size at which an agent's text log is rotated.", minimum=1024)
    level: str = setting("info", "What the server logs: debug, info, warning or error.")
    format: str = setting("auto", "json, text, or auto: text on a terminal, else JSON.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """When health speaks up."""

    disk_low_bytes: int = setting(536_870_912, "Free space below which the disk counts as low.", minimum=0)
    memory_high_bytes: int = setting(1_073_741_824, "Server memory above which it counts as high.", minimum=0)
    lag_s: float = setting(5.0, "How far the store may be behind the recordings.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionSettings:
    """When an agent is said to need somebody."""

    manifests: str = setting(
        "", "Directory with screen manifests of your own; empty means `manifests` in the data directory."
    )
    stuck_s: float = setting(
        600.0, "How long an agent that claims to work may say nothing and use no processor.", minimum=1
    )
    loop_calls: int = setting(6, "How often the same tool call with the same result makes a loop.", minimum=2)
    loop_lines: int = setting(20, "How often the same error line, over a while, makes a loop.", minimum=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, in sections."""

    data: Path
    db: str = ""
    server: ServerSettings = ServerSettings()
    stream: StreamSettings = StreamSettings()
    keeper: KeeperSettings = KeeperSettings()
    agents: AgentSettings = AgentSettings()
    approvals: ApprovalSettings = ApprovalSettings()
    logs: LogSettings = LogSettings()
    health: HealthSettings = HealthSettings()
    attention: AttentionSettings = AttentionSettings()


class Origin(NamedTuple):
    """A setting's value and where it came from: `default`, `file PATH`, `environment NAME` or `flag --NAME`."""

    value: Value
    source: str


class Declared(NamedTuple):
    """One setting as it was declared."""

    key: str
    type: Any
    default: Value
    doc: str
    minimum: float | None
    short: str | None

    @property
    def environment_names(self) -> tuple[str, ...]:
        long = "ROOST_" + self.key.upper().replace(".", "_")
        return (f"ROOST_{self.short}", long) if self.short else (long,)

    @property
    def flag(self) -> str:
        return "--" + self.key.replace(".", "-").replace("_", "-")


SECTIONS: dict[str, type] = {item.name: type(item.default) for item in fields(Settings) if is_dataclass(item.default)}


def declared() -> list[Declared]:
    """Every setting in a section, in order of declaration."""
    found = []
    for section, cls in SECTIONS.items():
        hints = get_type_hints(cls)
        for item in fields(cls):
            meta = item.metadata
            key = f"{section}.{item.name}"
            found.append(Declared(key, hints[item.name], item.default, meta["doc"], meta["minimum"], meta["short"]))  # type: ignore[arg-type]
    return found


def load(
    environ: Mapping[str, str], flags: Mapping[str, str] | None = None, file: Path | None = None
) -> tuple[Settings, dict[str, Origin]]:
    """The settings, and where each came from.

    `flags` maps keys such as `server.port` (and `data`, `db`) to text. `file` defaults to `config.toml` in the data
    directory and may be absent; a file that was named must exist.

    Raises:
        InvalidSetting: a value has the wrong type or is out of range, a key is unknown, the file cannot be read.
    """
    given = dict(flags or {})
    data, data_source = _data_directory(environ, given)
    table, file_source = _read_file(environ, data, file)
    origins: dict[str, Origin] = {"data": Origin(str(data), data_source)}
    origins["db"] = _plain("db", "", environ, given, table, file_source)
    sections: dict[str, dict[str, Value]] = {name: {} for name in SECTIONS}
    for item in declared():
        origin = _resolve(item, environ, given, table, file_source)
        section, _, name = item.key.partition(".")
        sections[section][name] = origin.value
        origins[item.key] = origin
    _refuse_unknown(table, file_source)
    built = {name: cls(**sections[name]) for name, cls in SECTIONS.items()}
    return Settings(data=data, db=str(origins["db"].value), **built), origins


def _data_directory(environ: Mapping[str, str], flags: Mapping[str, str]) -> tuple[Path, str]:
    if "data" in flags:
        return Path(flags["data"]).expanduser().absolute(), "flag --data"
    source = "environment ROOST_DATA" if environ.get("ROOST_DATA") else "default"
    return default_data_directory(environ), source


def _read_file(environ: Mapping[str, str], data: Path, file: Path | None) -> tuple[dict[str, Any], str]:
    named = file or (Path(environ["ROOST_CONFIG"]) if environ.get("ROOST_CONFIG") else None)
    path = named or data / "config.toml"
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream), f"file {path}"
    except FileNotFoundError:
        if named is None:
            return {}, ""
        raise InvalidSetting(f"there is no configuration file {path}", file=str(path)) from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidSetting(f"the configuration file {path} cannot be read: {exc}", file=str(path)) from exc


def _plain(
    key: str, default: str, environ: Mapping[str, str], flags: Mapping[str, str], table: Mapping[str, Any], source: str
) -> Origin:
    if key in flags:
        return Origin(flags[key], f"flag --{key}")
    name = f"ROOST_{key.upper()}"
    if environ.get(name):
        return Origin(environ[name], f"environment {name}")
    if key in table:
        return Origin(str(table[key]), source)
    return Origin(default, "default")


def _resolve(
    item: Declared, environ: Mapping[str, str], flags: Mapping[str, str], table: Mapping[str, Any], source: str
) -> Origin:
    if item.key in flags:
        return Origin(_convert(item, flags[item.key], f"flag {item.flag}"), f"flag {item.flag}")
    for name in item.environment_names:
        if environ.get(name):
            return Origin(_convert(item, environ[name], f"environment {name}"), f"environment {name}")
    section, _, name = item.key.partition(".")
    in_file = table.get(section, {})
    if isinstance(in_file, dict) and name in in_file:
        return Origin(_convert(item, in_file[name], source), source)
    return Origin(item.default, "default")


def _convert(item: Declared, raw: object, source: str) -> Value:
    try:
        value: Value = _CONVERTERS[item.type](raw)
    except (ValueError, TypeError) as exc:
        raise InvalidSetting(
            f"{item.key} cannot be {raw!r} ({source}): {exc}", setting=item.key, value=str(raw), source=source
        ) from exc
    if item.minimum is not None and isinstance(value, int | float) and value < item.minimum:
        raise InvalidSetting(
            f"{item.key} cannot be {value} ({source}): at least {item.minimum:g}", setting=item.key, source=source
        )
    return value


def _to_bool(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    raise ValueError("give true or false")


def _to_int(raw: object) -> int:
    if isinstance(raw, bool | float):
        raise ValueError("give a whole number")
    return int(str(raw).replace("_", ""))


def _to_float(raw: object) -> float:
    if isinstance(raw, bool):
        raise ValueError("give a number")
    number = float(str(raw))
    if not abs(number) < float("inf"):
        raise ValueError("give a finite number")
    return number


def _to_text(raw: object) -> str:
    if not isinstance(raw, str):
        raise TypeError("give text")
    return raw


def _to_list(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if isinstance(raw, list) and all(isinstance(part, str) for part in raw):
        return tuple(raw)
    raise TypeError("give a list of texts")


_CONVERTERS: dict[Any, Any] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_text,
    tuple[str, ...]: _to_list,
}


def _refuse_unknown(table: Mapping[str, Any], source: str) -> None:
    known = {item.key for item in declared()} | {"data", "db"}
    for section, content in table.items():
        names = [f"{section}.{name}" for name in content] if isinstance(content, dict) else [section]
        for name in names:
            if name not in known:
                raise InvalidSetting(f"{name} is not a setting ({source})", setting=name, source=source)
