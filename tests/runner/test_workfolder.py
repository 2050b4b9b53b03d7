from __future__ import annotations

from pathlib import Path

import pytest

from flowml.runner import workfolder
from flowml.storage.errors import Conflict


def test_one_process_works_in_a_folder(tmp_path: Path) -> None:
    with workfolder.held(tmp_path / "job-1") as folder:
        assert folder.is_dir()
        with pytest.raises(Conflict, match="still works in"), workfolder.held(folder, patience_s=0.1):
            pass
    with workfolder.held(folder):
        pass


def test_folders_of_jobs_that_are_over_are_removed(tmp_path: Path) -> None:
    for name in ("over", "over-but-busy", "running"):
        (tmp_path / name).mkdir()
    with workfolder.held(tmp_path / "over-but-busy"):
        removed = workfolder.sweep(tmp_path, lambda name: name != "running")
    assert removed == 1
    assert {folder.name for folder in tmp_path.iterdir()} == {"over-but-busy", "running"}
