from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowml.runner.home import HomeLock, prepare, studio_id
from flowml.runner.settings import Settings
from flowml.storage.errors import Conflict, StorageError

HOLD = """
import sys, time
from pathlib import Path
from flowml.runner.home import HomeLock
lock = HomeLock(Path(sys.argv[1]))
lock.take()
print("held", flush=True)
time.sleep(60)
"""


def test_folders_are_made_for_this_user_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "a" / "b")
    prepare(settings)
    made = (settings.home, settings.artifacts, settings.work, settings.uploads, settings.logs, settings.spool)
    assert [folder.stat().st_mode & 0o777 for folder in made] == [0o700] * len(made)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written") as refused:
        prepare(Settings(home=tmp_path / "file" / "home"))
    assert "FLOWML_HOME" in refused.value.advice


def test_one_studio_has_the_folder_until_it_dies(home: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Conflict, match=rf"process {holder.pid}\b"):
        HomeLock(home).take()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    lock = HomeLock(home)
    lock.take()
    assert (home / "studio.lock").read_text() == str(os.getpid())
    lock.release()


def test_the_id_of_a_folder_stays(home: Path, tmp_path: Path) -> None:
    assert studio_id(home) == studio_id(home)
    assert studio_id(home) != studio_id(tmp_path)
