"""The settings that a running studio goes by, and where each comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from flowml.runner.settings import Effective, Settings, effective
from flowml.storage.errors import SettingError

COMMAND_LINE = "command line"


def in_force(
    settings: Settings, environ: Mapping[str, str] | None = None, dotenv: Path | None = None
) -> tuple[Effective, ...]:
    """Every setting in the order of the table.

    What differs from the environment and the files as they are now was given on the command line, or those
    have changed since the studio started.
    """
    try:
        read = effective(os.environ if environ is None else environ, dotenv or Path.cwd() / ".env")
    except SettingError:  # a file was changed to what no studio would start with
        read = effective({})
    return tuple(_as_it_is(each, settings) for each in read)


def _as_it_is(each: Effective, settings: Settings) -> Effective:
    value = getattr(settings, each.setting.field)
    if value == each.value:
        return each
    return Effective(each.setting, value, "default" if value == each.setting.default else COMMAND_LINE)
