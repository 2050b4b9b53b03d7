"""Hosts on one machine: network namespaces with host names of their own, on a bridge in the first of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from flowml.storage.errors import NotReady

NET = "10.77.{}.{}"


class Network:
    """`tag` tells its namespaces from those of others; `hosts` are their names, that of the bridge first."""

    def __init__(self, tag: int, hosts: Sequence[str]) -> None:
        self.tag, self.hosts = tag, tuple(hosts)

    def open(self) -> None:
        """Raises NotReady where this user or system cannot have namespaces."""
        if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"):
            raise NotReady(
                "Hosts are network namespaces, and this user cannot make any.",
                "Run it as root on Linux, with iproute2 installed.",
            )
        first = self.namespace(self.hosts[0])
        for host in self.hosts:
            _ip("netns", "add", self.namespace(host))
            _ip("-n", self.namespace(host), "link", "set", "lo", "up")
        _ip("-n", first, "link", "add", "bridge", "type", "bridge")
        _ip("-n", first, "addr", "add", f"{self.address(self.hosts[0])}/24", "dev", "bridge")
        _ip("-n", first, "link", "set", "bridge", "up")
        for host in self.hosts[1:]:
            own = self.namespace(host)
            _ip("-n", first, "link", "add", host, "type", "veth", "peer", "name", "lan", "netns", own)
            _ip("-n", first, "link", "set", host, "master", "bridge", "up")
            _ip("-n", own, "addr", "add", f"{self.address(host)}/24", "dev", "lan")
            _ip("-n", own, "link", "set", "lan", "up")

    def close(self) -> None:
        for host in self.hosts:
            subprocess.run(["ip", "netns", "del", self.namespace(host)], check=False, capture_output=True)

    def namespace(self, host: str) -> str:
        return f"flowml-{self.tag}-{host}"

    def address(self, host: str) -> str:
        return NET.format(self.tag % 250, self.hosts.index(host) + 1)

    def on(self, host: str, shell: str) -> list[str]:
        """A command that runs a line of the shell there; its process is that of the line's last command."""
        inner = f"hostname {host}; exec {shell}"
        return ["ip", "netns", "exec", self.namespace(host), "unshare", "--uts", "sh", "-c", inner]

    def cut(self, host: str) -> None:
        """Pulls its plug at the other end: packets vanish, and no connection is told."""
        _ip("-n", self.namespace(self.hosts[0]), "link", "set", host, "down")

    def mend(self, host: str) -> None:
        _ip("-n", self.namespace(self.hosts[0]), "link", "set", host, "up")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotReady(f"`ip {' '.join(words)}` failed: {done.stderr.strip()}", "Run it as root on Linux.")
