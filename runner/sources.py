"""Where settings come from: the environment, `.env` in the working folder, settings.toml in the data folder.

Each is read as texts by the name of their setting; what they mean is for `settings` to say.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from flowml.runner.kinds import written
from flowml.storage.errors import SettingError

PREFIX = "FLOWML_"
FILE = "_FILE"  # ends the name of a variable that names a file with a secret, as containers give them
# Variables of the scripts and tests around the product, which it never reads itself.
OTHERS = frozenset({"FLOWML_VENV", "FLOWML_CHROMIUM"})
ENVIRONMENT = "the environment"
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?(\w+)\s*=\s*(.*?)\s*")
FORGOTTEN = re.compile(rf"\s*(?:export\s+)?{PREFIX}")  # begins as a setting
QUOTED = re.compile(r"""(["'])((?:(?!\1).)*)\1(?:\s+#.*)?""")


class Text(NamedTuple):
    text: str
    origin: str


class Names(NamedTuple):
    """The names that there are, and those of secrets."""

    all: Collection[str]
    secret: Collection[str]


def of_environ(environ: Mapping[str, str], names: Names) -> dict[str, Text]:
    found = {name: text for name, text in environ.items() if name.startswith(PREFIX) and name not in OTHERS}
    return _by_field({name: Text(text, ENVIRONMENT) for name, text in found.items()}, names)


def of_dotenv(path: Path | None, names: Names) -> dict[str, Text]:
    """What is set there; lines of others are passed over. Raises SettingError for what cannot be read."""
    if path is None or not path.is_file():
        return {}
    found = {}
    for number, line in enumerate(_lines(path), start=1):
        matched, where = ASSIGNMENT.fullmatch(line), f"line {number} of {path}"
        if matched and matched[1].startswith(PREFIX) and matched[1] not in OTHERS:
            found[matched[1]] = Text(_unquoted(matched[2], matched[1], where), str(path))
        elif not matched and FORGOTTEN.match(line):
            raise SettingError(f"There is no = in {where}.", "Write it as FLOWML_PORT=9000.")
    return _by_field(found, names)


def of_toml(path: Path, names: Names) -> dict[str, Text]:
    if not path.is_file():
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingError(f"{path} is not a TOML file: {broken}.", "Mend it, or move it away.") from broken
    found.pop("home", None)  # the file lies in it
    return _by_field(
        {PREFIX + key.upper(): Text(written(value), str(path)) for key, value in found.items()}, names
    )


def _by_field(found: Mapping[str, Text], names: Names) -> dict[str, Text]:
    """By the name of the field. Raises SettingError for a name that there is not."""
    texts = {}
    for name, text in found.items():
        plain = name.removesuffix(FILE)
        if name not in names.all and plain in names.secret:
            texts[_field(plain)] = Text(_content(Path(text.text), name), text.text)
        elif name in names.all:
            texts[_field(name)] = text
        else:
            near = difflib.get_close_matches(name, names.all, n=1)
            advice = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(names.all)}."
            raise SettingError(f"There is no setting {name} (found in {text.origin}).", advice)
    return texts


def _field(name: str) -> str:
    return name.removeprefix(PREFIX).lower()


def _content(path: Path, name: str) -> str:
    return _read(path, f"{name} names {path}, which", "Give it a file that holds the secret alone.").strip()


def _lines(path: Path) -> list[str]:
    return _read(path, str(path), "Save it as text in UTF-8, or move it away.", "utf-8-sig").splitlines()


def _read(path: Path, what: str, advice: str, encoding: str = "utf-8") -> str:
    try:
        return path.read_text(encoding)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingError(f"{what} cannot be read: {reason}.", advice) from error


def _unquoted(text: str, name: str, where: str) -> str:
    if text[:1] not in ("'", '"'):
        return re.sub(r"\s+#.*$", "", text)
    if quoted := QUOTED.fullmatch(text):
        return quoted[2]
    if len(text) >= 2 and text[0] == text[-1]:
        return text[1:-1]
    raise SettingError(
        f"{name} begins with a quote that does not end (found in {where}).",
        "Close it, or put the value into quotes of the other kind.",
    )
