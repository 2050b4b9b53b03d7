"""Serves the studio: one process, one port, and a clean end on Ctrl-C or SIGTERM."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import FrameType
from typing import NoReturn

import uvicorn

from flowml.runner import logs
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.errors import Conflict, NotAllowed, SettingError
from flowml.ui.protocol import Protocol

GRACE_S = 5  # for answers under way when the studio stops

# Reasons of the operating system to refuse an address, and what we make of them.
REFUSALS: dict[int, tuple[type[Conflict | NotAllowed | SettingError], str, str]] = {
    errno.EADDRINUSE: (
        Conflict,
        "Port {port} on {host} is taken by another program.",
        "Stop that program, or choose another port with --port.",
    ),
    errno.EACCES: (
        NotAllowed,
        "This user may not listen on port {port}.",
        "Choose a port above 1023 with --port.",
    ),
    errno.EADDRNOTAVAIL: (
        SettingError,
        "{host} is no address of this machine.",
        "Use 127.0.0.1 for this machine alone, or one of its own addresses.",
    ),
}


def serve(
    settings: Settings,
    host: str,
    port: int,
    ready: Callable[[Studio, str], None] | None = None,
    names: Iterable[str] = (),
    first_admin: bool = False,
) -> None:
    """Start the studio and serve it until the process is told to stop.

    `ready` is called once with the studio and its address when requests are answered; `names` are further
    host names under which browsers may reach it. Port 0 takes a free one. What goes wrong at the start is
    raised as one of our errors, before any request was answered.
    """
    settings = replace(settings, host=host)
    check_tls(settings)
    with exit_on_signal(), listen(host, port) as listener:
        port = listener.getsockname()[1]
        with started(Studio(settings, first_admin)) as studio:
            Server(studio, host, port, ready, names).run([listener])


@contextlib.contextmanager
def exit_on_signal() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the process with code 0; while it serves, uvicorn first lets answers end."""

    def leave(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    previous = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def check_tls(settings: Settings) -> None:
    """Raises SettingError for a certificate that cannot be used, before anything listens."""
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise SettingError(
            "HTTPS needs a certificate and its key.", "Set FLOWML_TLS_CERT and FLOWML_TLS_KEY."
        )
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"The certificate {cert} with the key {key} cannot be used: {error.strerror or error}.",
            "Both must be PEM files that belong together, the key without a passphrase.",
        ) from error


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything is started."""
    if not 0 <= port <= 65535:
        raise SettingError(f"{port} is no port.", "Choose one from 1 to 65535 with --port.")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror as error:
        raise SettingError(
            f"{host!r} is no host name or address.", REFUSALS[errno.EADDRNOTAVAIL][2]
        ) from error
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        kind, message, advice = REFUSALS[error.errno]
        raise kind(message.format(host=host, port=port), advice) from error
    # asyncio does this itself only for sockets that name their protocol. Accepted connections inherit it;
    # without it each small answer waits 40 ms for the client's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextlib.contextmanager
def started(studio: Studio) -> Iterator[Studio]:
    try:
        studio.start()
        yield studio
    finally:
        studio.stop()


class Server(uvicorn.Server):
    """uvicorn, which says when it answers and tells endless answers to end when it stops."""

    def __init__(
        self,
        studio: Studio,
        host: str,
        port: int,
        ready: Callable[[Studio, str], None] | None,
        names: Iterable[str],
    ) -> None:
        from flowml.ui import ahead  # here, for Streamlit takes a second to import
        from flowml.ui.app import build_app

        self.make_ready = ahead.begin
        self.studio = studio
        scheme = "https" if studio.settings.tls_cert else "http"
        self.address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self.ready = ready
        self.stopping = threading.Event()
        super().__init__(
            uvicorn.Config(
                build_app(studio, host, port, self.stopping, names),
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                http=Protocol,
                ws="websockets-sansio",
                ws_max_size=200 * 2**20,
                ws_ping_interval=30,
                ws_ping_timeout=30,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=GRACE_S,
                forwarded_allow_ips=list(studio.settings.proxies),
                ssl_certfile=studio.settings.tls_cert,
                ssl_keyfile=studio.settings.tls_key,
            )
        )

        logs.take_in("streamlit", "uvicorn", "websockets")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        self.studio.announce(self.address)
        self.make_ready()
        if self.ready is not None:
            self.ready(self.studio, self.address)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stopping.set()
        super().handle_exit(sig, frame)
