"""The command line of `scripts/chaos`."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from chaos import hosts, kills
from chaos.network import Network
from chaos.verdict import WRONG
from flowml.storage.errors import FlowMLError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description="Kills while jobs run, and counts.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between kills, on average")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2, help="that run at the same time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hosts", action="store_true", help="three hosts, one study, as root")
    parser.add_argument("--minutes", type=float, default=10.0, help="budget of that study")
    parser.add_argument("--json", type=Path, help="also write the report to this file")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def show(report: dict[str, Any], folder: Path) -> int:
    text = json.dumps(report, indent=1, default=str)
    sys.stdout.write(text + "\n")
    (folder / "report.json").write_text(text)
    return 1 if any(report[key] for key in WRONG) or report.get("failures") else 0


def run(asked: argparse.Namespace, folder: Path) -> int:
    if asked.inside is not None:
        report = hosts.Story(Network(asked.inside, hosts.HOSTS), folder, asked.minutes).tell()
        return show({**report, "failures": hosts.failures(report)}, folder)
    if asked.hosts:
        return hosts.run(folder, asked.minutes)
    return show(kills.run(folder, asked.kills, asked.every, asked.workers, asked.jobs), folder)


def main() -> int:
    asked = arguments()
    random.seed(asked.seed)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        code = run(asked, folder)
        if asked.json and asked.inside is None and (folder / "report.json").is_file():
            shutil.copy(folder / "report.json", asked.json)
    except FlowMLError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if asked.inside is None and not asked.keep and not code:
        shutil.rmtree(folder, ignore_errors=True)
    elif asked.inside is None:
        sys.stderr.write(f"Its logs are in {folder}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
