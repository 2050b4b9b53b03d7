"""Where other machines can reach this one, and whether Ollama answers. Nothing leaves this machine."""

from __future__ import annotations

import ipaddress
import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import psutil

TAILSCALE_NET = ipaddress.ip_network("100.64.0.0/10")
TAILSCALE_PREFIXES = ("tailscale", "Tailscale", "utun")
VIRTUAL_PREFIXES = (*TAILSCALE_PREFIXES, "docker", "br-", "veth", "virbr", "vmnet", "bridge")
TAILSCALE_ON_MACOS = Path("/Applications/Tailscale.app/Contents/MacOS/Tailscale")
OLLAMA_URL = "http://127.0.0.1:11434"


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def lan_address() -> str:
    """The address of the interface that leads out, else of another one that is up, or empty.

    The tables of the system are read; nothing is connected.
    """
    stats = psutil.net_if_stats()
    addresses = {
        name: address.address
        for name, all_of_it in psutil.net_if_addrs().items()
        for address in all_of_it
        if address.family == socket.AF_INET and stats[name].isup and _of_a_network(address.address)
    }
    real = [name for name in sorted(addresses) if not name.startswith(VIRTUAL_PREFIXES)]
    return next((addresses[name] for name in (*_leading_out(), *real) if name in addresses), "")


def _of_a_network(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return not (ip.is_loopback or ip.is_link_local)


def _leading_out() -> list[str]:
    """Interfaces with a default route, the preferred first, where the system tells them as Linux does."""
    try:
        rows = [line.split() for line in Path("/proc/net/route").read_text("ascii").splitlines()[1:]]
    except OSError:
        return []
    return [row[0] for row in sorted(rows, key=lambda row: int(row[6])) if row[1] == row[7] == "00000000"]


def tailscale_address() -> str:
    """Some providers use Tailscale's range too, so the interface's name or Tailscale's own word is needed."""
    for name, addresses in psutil.net_if_addrs().items():
        for address in addresses:
            ours = address.family == socket.AF_INET and name.startswith(TAILSCALE_PREFIXES)
            if ours and ipaddress.ip_address(address.address) in TAILSCALE_NET:
                return str(address.address)
    program = shutil.which("tailscale") or (str(TAILSCALE_ON_MACOS) if TAILSCALE_ON_MACOS.exists() else None)
    return _asked(program) if program else ""


def _asked(program: str) -> str:
    try:
        answer = subprocess.run([program, "ip", "-4"], capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired):  # not running, or not ours to run: no address known
        return ""
    return answer.stdout.split()[0] if answer.returncode == 0 and answer.stdout.strip() else ""


def ollama_version(url: str = OLLAMA_URL, timeout_s: float = 0.5) -> str:
    """Ollama's version, or empty when nothing (or something else) answers at `url`."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url.rstrip('/')}/api/version", timeout=timeout_s) as answer:
            return str(json.load(answer)["version"])
    except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError):
        return ""
