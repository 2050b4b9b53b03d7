"""The packages that FlowML stands on, and the licence of each, as they say themselves."""

from __future__ import annotations

import importlib.metadata as metadata
import re
from functools import cache
from typing import NamedTuple

DISTRIBUTION = "flowml-studio"
UNKNOWN = "see its own files"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST = 60  # some write the whole text of the licence there


class Package(NamedTuple):
    name: str
    version: str
    licence: str


@cache
def packages() -> tuple[Package, ...]:
    """Those that are installed because FlowML needs them, directly or not, by name."""
    found: dict[str, Package] = {}
    waiting = _needs(metadata.distribution(DISTRIBUTION))
    while waiting:
        name = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            installed = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of another platform
        about = installed.metadata
        found[key] = Package(about["Name"], about["Version"], _licence(about))
        waiting += _needs(installed)
    return tuple(found[key] for key in sorted(found))


def _needs(installed: metadata.Distribution) -> list[str]:
    """Names of what it requires, but for what belongs to an extra."""
    plain = (line for line in installed.requires or () if "extra ==" not in line)
    return [match.group() for line in plain if (match := _NAME.match(line))]


def _licence(about: metadata.PackageMetadata) -> str:
    for expression in about.get_all("License-Expression", []):
        return str(expression)
    classifiers = [line for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    if classifiers:
        last = {line.rpartition(" :: ")[2] for line in classifiers}
        return ", ".join(sorted(last))
    told = " ".join(str(line) for line in about.get_all("License", [])).strip()
    return told if told and len(told) <= _LONGEST and "\n" not in told else UNKNOWN
