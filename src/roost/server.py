"""The server process: lock, listen, serve, drain, exit.

Exit codes: 0 after a stop that was asked for; errors at the start are raised as `RoostError` for the caller to show.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import gc
import ipaddress
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog
import uvicorn

import roost
from roost.app import App
from roost.config import Settings
from roost.errors import DataLocked, InvalidSetting, PortInUse, ServerUnavailable
from roost.log import configure
from roost.paths import DataDirectory
from roost.services.systemd import Notifier
from roost.store.database import Store, open_store
from roost.web.auth import ensure_token
from roost.web.http_protocol import make_protocols

log = structlog.get_logger("server")

SWITCH_INTERVAL_S = 0.0005
"""How long the projector's thread may hold the interpreter while the event loop wants it (the default is 5 ms)."""

COLLECT_AFTER = (10_000, 20, 20)
"""Objects made until the collector looks at the young, and how often that until it looks at the older (the default is
700, 10, 10): a look at all there is holds everybody up for 50 to 100 ms."""


def main(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT.

    Raises:
        RoostError: the server cannot start, with what to do about it.
    """
    configure(settings.logs)
    check_exposure(settings)
    data = DataDirectory(settings.data)
    _create(data)
    with hold_lock(data), listen(settings) as sockets:
        ensure_token(data.token)
        store = open_store(settings.db or f"sqlite:///{data.database}")
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, data, store, sockets))
    return 0


def check_exposure(settings: Settings) -> None:
    """Refuse to listen beyond loopback without TLS and a token.

    Raises:
        InvalidSetting: the settings would let anybody on the network start programs here.
    """
    server = settings.server
    addresses = [(server.host, server.port), *map(parse_address, server.listen)]
    exposed = [host for host, _ in addresses if not is_loopback(host)]
    if bool(server.tls_cert) != bool(server.tls_key):
        raise InvalidSetting("server.tls_cert and server.tls_key go together", hint="give both or neither")
    if exposed and not server.auth:
        raise InvalidSetting(f"--no-auth works on loopback only, not on {exposed[0]}", hint="leave the token on")
    if exposed and not server.tls_cert:
        raise InvalidSetting(
            f"listening on {exposed[0]} needs TLS",
            hint="give --server-tls-cert and --server-tls-key, or listen on 127.0.0.1 behind a proxy or SSH tunnel",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parse_address(text: str) -> tuple[str, int]:
    """`HOST:PORT`, an IPv6 host in brackets.

    Raises:
        InvalidSetting: it is not of that form.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535 or not host:
        raise InvalidSetting(f"{text!r} is not an address to listen on", hint="write HOST:PORT, such as 127.0.0.1:8152")
    return host.strip("[]"), int(port)


@contextlib.contextmanager
def hold_lock(data: DataDirectory) -> Iterator[None]:
    """One server a data directory.

    Raises:
        DataLocked: another server holds it.
    """
    descriptor = os.open(data.server_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise DataLocked(
            f"a server already runs on {data.root}", hint="`roost status` shows it, `roost down` stops it"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def listen(settings: Settings) -> Iterator[list[socket.socket]]:
    """Sockets for all addresses, the first that of `server.host` and `server.port`.

    Raises:
        PortInUse: an address is taken.
        InvalidSetting: an address is none of this machine's.
    """
    server = settings.server
    sockets: list[socket.socket] = []
    try:
        for host, port in [(server.host, server.port), *map(parse_address, server.listen)]:
            sockets.append(_bind(host, port))
        yield sockets
    finally:
        for each in sockets:
            each.close()


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
    except OSError as exc:
        raise InvalidSetting(f"{host} is not an address of this machine: {exc}", host=host) from exc
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError as exc:
        bound.close()
        raise PortInUse(
            f"cannot listen on {host}:{port}: {exc.strerror}",
            hint="stop what listens there, or choose another port with --port (0 takes a free one)",
            host=host,
            port=port,
        ) from exc
    return bound


async def _serve(settings: Settings, data: DataDirectory, store: Store, sockets: list[socket.socket]) -> None:
    app = App(settings, data, store)
    server = Server(settings, app, data, url_of(settings, sockets[0]))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.ask_to_stop)
    try:
        await app.start()
        spare_the_collector()
        await server.serve(sockets=sockets)
    finally:
        await app.stop()


def spare_the_collector() -> None:
    """What is there now stays to the end: the collector need not look at it ever again, and need not look so often."""
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


class Server(uvicorn.Server):
    """uvicorn's server with our signals, our readiness and our drain."""

    def __init__(self, settings: Settings, app: App, data: DataDirectory, url: str) -> None:
        http, websocket = make_protocols(settings)
        server = settings.server
        super().__init__(
            uvicorn.Config(
                app.asgi,
                http=http,
                ws=websocket,
                ws_max_size=server.max_frame_bytes,
                ws_ping_interval=20,
                ws_ping_timeout=20,
                lifespan="off",
                interface="asgi3",
                # A proxy beside us ends TLS; by its word alone do we know that the page's origin is https.
                proxy_headers=True,
                forwarded_allow_ips="127.0.0.1,::1",
                log_config=None,
                access_log=False,
                server_header=False,
                ssl_certfile=server.tls_cert or None,
                ssl_keyfile=server.tls_key or None,
                timeout_graceful_shutdown=max(1, round(server.shutdown_s)),
            )
        )
        self._app = app
        self._data = data
        self._url = url
        self._notifier = Notifier(os.environ)
        self._watchdog: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours are installed on the loop; uvicorn's would end the process by the signal instead of with 0."""
        yield

    def ask_to_stop(self) -> None:
        """Begin the drain; asked twice, cut it short."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if not self.started:
            raise ServerUnavailable("the server could not start to listen")
        write_server_info(self._data.server_info, self._url)
        log.info("serving", url=self._url, data=str(self._data.root), version=roost.__version__)
        self._notifier.ready(f"Serving on {self._url}")
        if self._notifier.watchdog_s is not None:
            self._watchdog = asyncio.get_running_loop().create_task(self._say_alive(self._notifier.watchdog_s))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("stopping")
        self._notifier.stopping()
        remove_server_info(self._data.server_info)
        if self._watchdog is not None:
            self._watchdog.cancel()
        for server in self.servers:
            server.close()
        await self._app.end_streams()
        await super().shutdown(sockets=sockets)

    async def _say_alive(self, every_s: float) -> None:
        while True:
            self._notifier.alive()
            await asyncio.sleep(every_s)


def url_of(settings: Settings, bound: socket.socket) -> str:
    """Where a local client reaches the server."""
    host, port = bound.getsockname()[:2]
    scheme = "https" if settings.server.tls_cert else "http"
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def write_server_info(path: Path, url: str) -> None:
    """Say where this server is, for local clients; written whole, or on a full disk over what the last server wrote."""
    text = json.dumps({"url": url, "pid": os.getpid(), "version": roost.__version__})
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(text)
        partial.replace(path)
    except OSError as exc:
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _write_over(path, text)
        partial.unlink(missing_ok=True)


def _write_over(path: Path, text: str) -> None:
    """Write without needing space. Blanks behind JSON do no harm."""
    try:
        with path.open("r+") as file:
            file.write(text.ljust(path.stat().st_size))
    except OSError as exc:
        log.warning("local clients will not find this server", path=str(path), reason=exc.strerror)


def remove_server_info(path: Path) -> None:
    """Forget the address, if it is still ours."""
    with contextlib.suppress(OSError, ValueError):
        if json.loads(path.read_text()).get("pid") == os.getpid():
            path.unlink()


def _create(data: DataDirectory) -> None:
    try:
        data.create()
    except OSError as exc:
        raise InvalidSetting(
            f"the data directory {data.root} cannot be used: {exc.strerror}",
            hint="choose another with --data or ROOST_DATA",
            path=str(data.root),
        ) from exc


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
