"""The commands of `flowml`: as a process of their own, or within this one, which saves a second of start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from flowml.ui.cli import app
from flowml.ui.cli.worker import app as worker

BIN = Path(sys.executable).parent
APPS = {"flowml": app, "flowml-worker": worker}
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


def program(*arguments: object, name: str = "flowml", stdin: str = "", **environ: str) -> Done:
    return subprocess.run(
        [BIN / name, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        env={**os.environ, **environ},
    )


def within(*arguments: object, name: str = "flowml", stdin: str = "", **environ: str) -> Done:
    """What the command prints and how it ends. Raises what would have ended its process with a traceback."""
    words = [*map(str, arguments)]
    ended = CliRunner().invoke(APPS[name], words, input=stdin, env=environ, prog_name=name)
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return subprocess.CompletedProcess(words, ended.exit_code, ended.stdout, ended.stderr)
