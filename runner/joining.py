"""How other machines join: which of our addresses they reach, and the command that brings a worker to us."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from flowml.runner.addresses import is_loopback, lan_address, tailscale_address
from flowml.runner.embedded import WORKER, Endpoint
from flowml.runner.settings import Settings
from flowml.storage.errors import NotReady

WILDCARDS = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Mode:
    """A row for each way in which other machines reach this one."""

    label: str
    address: Callable[[], str]
    advice: str


MODES: dict[str, Mode] = {
    "lan": Mode("Local network", lan_address, "Connect it to a network, or name its address with --host."),
    "tailscale": Mode("Tailscale", tailscale_address, "Install Tailscale and run `tailscale up`."),
}


def worker_host(settings: Settings) -> str:
    """Our address for other machines, '' where none was asked for. Raises NotReady where there is none."""
    mode = MODES.get(settings.cluster_mode)
    if mode is None:
        return ""
    if settings.host not in WILDCARDS and not is_loopback(settings.host):
        return settings.host
    address = mode.address()
    if not address:
        raise NotReady(
            f"This machine has no address for workers of the mode {settings.cluster_mode}.", mode.advice
        )
    return address


def join_command(endpoint: Endpoint) -> str:
    """For a shell on the other machine. The token stands in the environment, where `ps` does not show it."""
    address = f"redis://{WORKER}@{endpoint.host}:{endpoint.port}/0"
    token = shlex.quote(endpoint.worker_password)
    return f"FLOWML_WORKER_TOKEN={token} flowml-worker start --redis {address}"


def with_token(url: str, token: str) -> str:
    """The address with the token as its password, unless it has one."""
    parts = urlsplit(url)
    if not token or parts.password or parts.scheme == "unix":
        return url
    account = f"{quote(parts.username or WORKER)}:{quote(token, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{account}@{parts.netloc.rpartition('@')[2]}"))
