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
TAILSCALE_ON_MACOS = Path("/Applications/Tailscale.app/Contents/MacOS/Tailscale")
OLLAMA_URL = "http://127.0.0.1:11434"


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def lan_address() -> str:
    """The address of the interface that leads out, or empty. Connecting UDP sends no packet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address reserved for documentation
        except OSError:
            return ""
        return str(probe.getsockname()[0])


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
