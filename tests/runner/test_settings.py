from __future__ import annotations

from pathlib import Path

import pytest

from flowml.runner.settings import SETTINGS, Setting, Settings
from flowml.storage.errors import SettingError


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.name)
def test_every_row_says_what_it_is(row: Setting) -> None:
    assert row.name == f"FLOWML_{row.field.upper()}"
    assert row.help.endswith(".")
    assert row.expected
    assert not row.secret or f"{row.field}=" not in repr(Settings())


def test_the_environment_wins_over_dotenv_and_toml(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        '# ours\nexport FLOWML_PORT=2\nFLOWML_HOST="0.0.0.0"  \nFLOWML_WORKERS=4 # four\nOTHER=1\n'
    )
    (tmp_path / "settings.toml").write_text(
        "port = 3\nhost = 'x'\ndefault_budget = '2m'\ncors_origins = ['a', 'b']\n"
    )

    settings = Settings.from_environ({"FLOWML_PORT": "1", "FLOWML_HOME": str(tmp_path)}, dotenv)

    found = (settings.port, settings.host, settings.workers, settings.default_budget, settings.cors_origins)
    assert found == (1, "0.0.0.0", 4, 120.0, ("a", "b"))


DOTENVS = [
    ("\ufeffFLOWML_HOST=h\r\nFLOWML_WORKERS=3\r\n", "h"),  # as editors of Windows write it
    ('FLOWML_HOST="h # no" # a host\n', "h # no"),
    ("FLOWML_HOST='it\"s'\n", 'it"s'),
    ("just words\nFLOWML_HOST = h\n", "h"),
]


@pytest.mark.parametrize(("content", "host"), DOTENVS)
def test_dotenv_is_read_as_it_is_written(content: str, host: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content.encode())
    assert Settings.from_environ({"FLOWML_HOME": str(tmp_path)}, tmp_path / ".env").host == host


BROKEN_DOTENVS = [
    (b"FLOWML_HOST=\xff\xfe\n", r"\.env cannot be read: 'utf-8' codec"),
    (b"\nFLOWML_TOKEN='hunter2\n", r"FLOWML_TOKEN begins with a quote .*line 2 of .*\.env"),
    (b"export FLOWML_PORT 9000\n", r"There is no = in line 1 of .*\.env"),
]


@pytest.mark.parametrize(("content", "message"), BROKEN_DOTENVS)
def test_a_dotenv_that_cannot_be_read_is_explained(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingError, match=message) as refused:
        Settings.from_environ({"FLOWML_HOME": str(tmp_path)}, tmp_path / ".env")
    assert "hunter2" not in str(refused.value)


def test_a_toml_file_may_begin_with_a_byte_order_mark(home: Path) -> None:
    (home / "settings.toml").write_bytes(b"\xef\xbb\xbfport = 3\n")
    assert Settings.from_environ({"FLOWML_HOME": str(home)}).port == 3


REFUSED = [
    ({"FLOWML_PROT": "1"}, "There is no setting FLOWML_PROT (found in the environment).", "FLOWML_PORT?"),
    (
        {"FLOWML_PORT": "web"},
        "FLOWML_PORT is 'web' (found in the environment); expected a whole number",
        "pages",
    ),
    ({"FLOWML_PORT": "99999999"}, "at least 0, at most 65535", "pages"),
    ({"FLOWML_WORKERS": "-1"}, "FLOWML_WORKERS is '-1'", "Local workers"),
    ({"FLOWML_LONGEST_BUDGET": "soon"}, "expected a duration such as 90s", "Longest"),
    ({"FLOWML_STORAGE_MODE": "ftp"}, "expected one of local, s3", "artifacts lie"),
    ({"FLOWML_UPLOAD_LIMIT": "big"}, "expected a size such as 500MB", "Largest"),
]


@pytest.mark.parametrize(("environ", "message", "advice"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_is_refused_is_explained(environ: dict[str, str], message: str, advice: str, home: Path) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.from_environ({"FLOWML_HOME": str(home), **environ})
    assert message in refused.value.message
    assert advice in refused.value.advice


def test_a_secret_is_not_shown_when_it_is_refused(home: Path) -> None:
    (home / "settings.toml").write_text("port = 'hunter2'")
    with pytest.raises(SettingError, match=r"settings\.toml"):
        Settings.from_environ({"FLOWML_HOME": str(home)})


def test_a_broken_toml_file_is_named(home: Path) -> None:
    (home / "settings.toml").write_text("port = ")
    with pytest.raises(SettingError, match=r"settings\.toml is not a TOML file"):
        Settings.from_environ({"FLOWML_HOME": str(home)})


def test_variables_of_the_scripts_are_left_alone(home: Path) -> None:
    Settings.from_environ({"FLOWML_HOME": str(home), "FLOWML_CHROMIUM": "x", "FLOWML_VENV": "y"})


def test_another_process_gets_the_same_settings(home: Path) -> None:
    settings = Settings(
        home=home, lease=3.0, workers=0, redis_url="redis://:secret@host/0", cors_origins=("a",)
    )
    assert Settings.from_environ(settings.to_environ()) == settings


def test_what_nothing_reads_yet_is_named(home: Path) -> None:
    assert Settings(home=home, cluster_role="worker").idle() == ("FLOWML_CLUSTER_ROLE",)
    assert Settings(home=home).idle() == ()
