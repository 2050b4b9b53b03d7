"""What can be set, as one table, and the only reader of the environment.

A setting comes from the environment (FLOWML_PORT), else from `.env` in the working folder, else from
`settings.toml` in the data folder (port), else from its default. Entry points read them once and pass the
Settings on. To add one: one field of Settings.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from flowml.runner.kinds import KINDS, written
from flowml.runner.sources import PREFIX, Names, Text, of_dotenv, of_environ, of_toml
from flowml.storage.errors import SettingError


def _row(
    kind: str,
    help: str,
    *,
    secret: bool = False,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
    reserved: bool = False,
    private: bool = False,
) -> dict[str, Any]:
    """Facts of a row. A reserved one is known and accepted, but nothing reads it yet: the studio says so.

    A private one is for this process alone: those that it starts are not told.
    """
    return {
        "kind": kind,
        "help": help,
        "secret": secret,
        "choices": choices,
        "least": least,
        "most": most,
        "reserved": reserved,
        "private": private,
    }


def _default_home() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "flowml"
    if sys.platform == "win32":
        return Path.home() / "AppData" / "Local" / "flowml"
    return Path.home() / ".local" / "share" / "flowml"


LAST_PORT = 65535
_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Settings:
    """The value of every setting. A field is a row of SETTINGS: its kind, default and help."""

    home: Path = field(default_factory=_default_home, metadata=_row("folder", "The data folder."))
    host: str = field(default="127.0.0.1", metadata=_row("text", "Address that the studio listens on."))
    port: int = field(
        default=8501, metadata=_row("integer", "Port of the pages and the REST API.", least=0, most=LAST_PORT)
    )
    workers: int = field(
        default=1, metadata=_row("integer", "Local workers that the studio starts; 0 for none.", least=0)
    )
    slots: int = field(
        default=0,
        metadata=_row("integer", "Trials that a worker runs side by side; 0: as its cores allow.", least=0),
    )
    default_budget: float = field(
        default=300.0, metadata=_row("duration", "Time budget of a job that names none.", least=1)
    )
    longest_budget: float = field(
        default=3600.0, metadata=_row("duration", "Longest time budget that a job may ask for.", least=1)
    )
    concurrent_jobs: int = field(
        default=3, metadata=_row("integer", "Jobs that may run at the same time; 0: no limit.", least=0)
    )
    upload_limit: int = field(
        default=2 * 10**9, metadata=_row("size", "Largest file that can be uploaded.", least=1)
    )
    read_memory: int = field(
        default=512 * 2**20,
        metadata=_row(
            "size", "Memory to read a small file in; what a file's size adds comes on top.", least=1
        ),
    )
    warm_memory: int = field(
        default=10**9, metadata=_row("size", "Memory for models that are kept ready to predict.", least=1)
    )
    redis_url: str = field(
        default="",
        repr=False,
        metadata=_row("text", "Redis to use (redis://, rediss://, unix://); empty: our own.", secret=True),
    )
    worker_ttl: float = field(
        default=20.0,
        metadata=_row("duration", "A worker not heard from for so long counts as offline.", least=2),
    )
    lease: float = field(
        default=45.0,
        metadata=_row("duration", "A job whose worker is silent for so long runs again elsewhere.", least=2),
    )
    load_ahead: float = field(
        default=1.0,
        metadata=_row(
            "duration",
            "An idle worker loads the libraries of its next job after so long: it then begins at once. "
            "0: it does not, and takes 200 MB less.",
            least=0,
        ),
    )
    artifacts_folder: Path | None = field(
        default=None, metadata=_row("folder", "Models and tables by content; else HOME/artifacts.")
    )
    work_folder: Path | None = field(
        default=None, metadata=_row("folder", "Unfinished work of running jobs; else HOME/work.")
    )
    upload_folder: Path | None = field(
        default=None, metadata=_row("folder", "Uploads on their way in; else HOME/uploads.")
    )
    data_roots: tuple[str, ...] = field(
        default=(),
        metadata=_row("list", "Folders of this machine whose files may be added without an upload."),
    )
    log_folder: Path | None = field(default=None, metadata=_row("folder", "Log files; else HOME/logs."))
    log_level: str = field(
        default="info", metadata=_row("text", "Least severe messages to log.", choices=_LEVELS)
    )
    log_format: str = field(
        default="text",
        metadata=_row(
            "text", "Log lines for people, or JSON objects for programs.", choices=("text", "json")
        ),
    )
    secret_key: str = field(
        default="",
        repr=False,
        metadata=_row(
            "text", "Key that signs cookies of logins elsewhere; else one is made.", secret=True, private=True
        ),
    )
    cors_origins: tuple[str, ...] = field(
        default=(), metadata=_row("list", "Web origins of others whose pages may call the REST API.")
    )
    hosts: tuple[str, ...] = field(
        default=(), metadata=_row("list", "Further host names of the studio, as behind a proxy.")
    )
    proxies: tuple[str, ...] = field(
        default=("127.0.0.1", "::1"),
        metadata=_row("list", "Addresses of proxies whose word on who asks, and by HTTPS, is believed."),
    )
    login: str = field(
        default="auto",
        metadata=_row(
            "text",
            "auto: needed beyond this machine, and wherever there are users.",
            choices=("auto", "always"),
        ),
    )
    session_idle: float = field(
        default=12 * 3600.0,
        metadata=_row("duration", "A session that is not used for so long ends.", least=60),
    )
    session_length: float = field(
        default=7 * 86400.0, metadata=_row("duration", "Each session ends after so long.", least=60)
    )
    admin_user: str = field(
        default="admin",
        metadata=_row("text", "Name of the first administrator, made where there is no user.", private=True),
    )
    admin_password: str = field(
        default="",
        repr=False,
        metadata=_row("text", "Password of the first administrator.", secret=True, private=True),
    )
    oidc_url: str = field(
        default="",
        metadata=_row("text", "Issuer of an OpenID Connect provider to sign in with.", private=True),
    )
    oidc_client_id: str = field(
        default="", metadata=_row("text", "The studio's name at that provider.", private=True)
    )
    oidc_client_secret: str = field(
        default="", repr=False, metadata=_row("text", "Its secret there.", secret=True, private=True)
    )
    oidc_name: str = field(
        default="single sign-on",
        metadata=_row("text", "What the sign-in page calls the provider.", private=True),
    )
    tls_cert: Path | None = field(
        default=None, metadata=_row("file", "Certificate (PEM, with its chain) to answer by HTTPS.")
    )
    tls_key: Path | None = field(default=None, metadata=_row("file", "Private key of the certificate (PEM)."))
    tls_ca: Path | None = field(
        default=None,
        metadata=_row("file", "Certificates (PEM) to believe a studio by; else those of the system."),
    )
    studio_url: str = field(
        default="",
        metadata=_row("text", "The studio that commands ask; else the one of this folder.", private=True),
    )
    token: str = field(
        default="",
        repr=False,
        metadata=_row("text", "Token with which commands come in there.", secret=True, private=True),
    )
    rate_limit: int = field(
        default=100,
        metadata=_row("integer", "Requests a second of one user; 0: no limit. None without logins.", least=0),
    )
    artifacts_url: str = field(
        default="",
        metadata=_row("text", "Where artifacts lie: s3://BUCKET/PREFIX, file:///FOLDER; else that folder."),
    )
    storage_mode: str = field(
        default="local",
        metadata=_row(
            "text",
            "s3: artifacts lie in the bucket PREFIX-artifacts, if no URL says otherwise.",
            choices=("local", "s3"),
        ),
    )
    s3_endpoint: str = field(default="", metadata=_row("text", "Address of an S3 server; empty: AWS."))
    s3_access_key: str = field(
        default="", repr=False, metadata=_row("text", "Access key for S3.", secret=True)
    )
    s3_secret_key: str = field(
        default="", repr=False, metadata=_row("text", "Secret key for S3.", secret=True)
    )
    s3_region: str = field(default="", metadata=_row("text", "Region of S3."))
    s3_bucket_prefix: str = field(
        default="flowml", metadata=_row("text", "Beginning of the bucket's name, for FLOWML_STORAGE_MODE=s3.")
    )
    cluster_mode: str = field(
        default="local",
        metadata=_row(
            "text",
            "Who may bring workers: this machine, the local network, or the Tailscale network.",
            choices=("local", "lan", "tailscale"),
        ),
    )
    redis_port: int = field(
        default=8502,
        metadata=_row(
            "integer", "Port of our own Redis for workers of other machines.", least=1, most=LAST_PORT
        ),
    )
    worker_token: str = field(
        default="",
        repr=False,
        metadata=_row("text", "What a worker of another machine joins with.", secret=True, private=True),
    )
    cache_folder: Path | None = field(
        default=None,
        metadata=_row("folder", "Tables that a worker fetched; else HOME/cache."),
    )
    cache_limit: int = field(
        default=20 * 10**9, metadata=_row("size", "Most that a worker keeps of such tables.", least=1)
    )
    cluster_role: str = field(
        default="studio",
        metadata=_row("text", "What this machine is.", choices=("studio", "worker"), reserved=True),
    )
    ollama_url: str = field(
        default="http://127.0.0.1:11434",
        metadata=_row("text", "Where a local language model answers, if one runs."),
    )
    ollama_model: str = field(
        default="",
        metadata=_row(
            "text", "Language model to ask. Named on the studio, it asks that itself where no worker does."
        ),
    )
    ollama_max_tokens: int = field(
        default=1024, metadata=_row("integer", "Longest answer of the language model.", least=1)
    )
    ollama_timeout: float = field(
        default=60.0, metadata=_row("duration", "Longest wait for its next word.", least=1)
    )

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, str], dotenv: Path | None = None, toml: Path | None = None
    ) -> Settings:
        """Settings of an environment. `dotenv` is the `.env` file; `toml` is HOME/settings.toml unless given.

        Raises SettingError for an unknown FLOWML_ name and for a value that is not what its row expects.
        """
        texts = _texts(environ, dotenv, toml)
        return cls(**{name: _parse(_BY_FIELD[name], found) for name, found in texts.items()})

    def to_environ(self) -> dict[str, str]:
        """The variables that give another process of this machine the same settings."""
        values = [(row, getattr(self, row.field)) for row in SETTINGS if not row.private]
        return {row.name: written(value) for row, value in values if value is not None}

    @property
    def artifacts(self) -> Path:
        return self.artifacts_folder or self.home / "artifacts"

    @property
    def cache(self) -> Path:
        """Artifacts of another machine or an object store that were read here."""
        return self.cache_folder or self.home / "cache"

    @property
    def data_url(self) -> str:
        """Where artifacts lie; empty: in the folder `artifacts`."""
        if self.artifacts_url or self.storage_mode != "s3":
            return self.artifacts_url
        return f"s3://{self.s3_bucket_prefix}-artifacts"

    @property
    def work(self) -> Path:
        return self.work_folder or self.home / "work"

    @property
    def uploads(self) -> Path:
        return self.upload_folder or self.home / "uploads"

    @property
    def logs(self) -> Path:
        return self.log_folder or self.home / "logs"

    @property
    def spool(self) -> Path:
        """Facts that could not be sent yet."""
        return self.home / "spool"

    @property
    def database(self) -> Path:
        return self.home / "flowml.duckdb"

    def secrets(self) -> tuple[str, ...]:
        """Values that no log may show."""
        return tuple(value for row in SETTINGS if row.secret and (value := getattr(self, row.field)))

    def idle(self) -> tuple[str, ...]:
        """Names that were set although nothing reads them in this version."""
        return tuple(row.name for row in SETTINGS if row.reserved and getattr(self, row.field) != row.default)


class Setting(NamedTuple):
    """One row: what can be set, by which name, to what, and what for."""

    name: str
    field: str
    kind: str
    default: Any
    help: str
    secret: bool
    choices: tuple[str, ...]
    least: float | None
    most: float | None
    reserved: bool
    private: bool

    @property
    def expected(self) -> str:
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        least = f", at least {self.least:g}" if self.least is not None else ""
        most = f", at most {self.most:g}" if self.most is not None else ""
        return KINDS[self.kind].expected + least + most


def _setting(each: dataclasses.Field[Any]) -> Setting:
    default = _default_home() if each.default is dataclasses.MISSING else each.default
    return Setting(name=PREFIX + each.name.upper(), field=each.name, default=default, **each.metadata)


SETTINGS: tuple[Setting, ...] = tuple(_setting(each) for each in dataclasses.fields(Settings))
_BY_FIELD = {row.field: row for row in SETTINGS}


def read_settings(working_folder: Path | None = None) -> Settings:
    """The settings of this process: its environment, and `.env` in the working folder."""
    return Settings.from_environ(os.environ, (working_folder or Path.cwd()) / ".env")


class Effective(NamedTuple):
    """A setting as it is in force, and where it comes from."""

    setting: Setting
    value: Any
    origin: str  # the environment, a file, or default

    @property
    def shown(self) -> str:
        """The value as text, a secret hidden."""
        if self.setting.secret and self.value:
            return "***"
        return "" if self.value is None else written(self.value)


def effective(environ: Mapping[str, str], dotenv: Path | None = None) -> tuple[Effective, ...]:
    """Every setting in the order of the table. Raises what `from_environ` raises."""
    texts = _texts(environ, dotenv, None)
    settings = Settings.from_environ(environ, dotenv)
    return tuple(
        Effective(
            row, getattr(settings, row.field), texts[row.field].origin if row.field in texts else "default"
        )
        for row in SETTINGS
    )


def _texts(environ: Mapping[str, str], dotenv: Path | None, toml: Path | None) -> dict[str, Text]:
    names = Names([row.name for row in SETTINGS], [row.name for row in SETTINGS if row.secret])
    texts = of_dotenv(dotenv, names) | of_environ(environ, names)
    home = _parse(_BY_FIELD["home"], texts["home"]) if "home" in texts else _default_home()
    return of_toml(toml or home / "settings.toml", names) | texts


def _parse(row: Setting, found: Text) -> Any:
    try:
        value = KINDS[row.kind].parse(found.text)
    except ValueError:
        raise _refused(row, found) from None
    too_small = row.least is not None and value < row.least
    too_large = row.most is not None and value > row.most
    if too_small or too_large or (row.choices and value not in row.choices):
        raise _refused(row, found)
    return value


def _refused(row: Setting, found: Text) -> SettingError:
    shown = "***" if row.secret else repr(found.text)
    return SettingError(
        f"{row.name} is {shown} (found in {found.origin}); expected {row.expected}.", f"It means: {row.help}"
    )
