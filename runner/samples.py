"""Tables to start with, added as any other.

They are written by a process of its own (`python -m flowml.runner.samples KEY FILE`): the library that they
come from is large, and the studio has no other use for it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from flowml.automl.samples import SAMPLES, Sample
from flowml.runner.client import Client
from flowml.storage.errors import StorageError
from flowml.storage.records import Dataset

TIMEOUT_S = 120


def add_samples(client: Client, folder: Path) -> tuple[Dataset, ...]:
    """Adds those whose name is not there yet; answers with the datasets of all, in their order."""
    known = {dataset.name: dataset for dataset in reversed(client.datasets())}
    return tuple(known.get(sample.title) or _add(client, sample, folder) for sample in SAMPLES.values())


def _add(client: Client, sample: Sample, folder: Path) -> Dataset:
    with tempfile.TemporaryDirectory(prefix="sample-", dir=folder) as place:
        path = Path(place) / f"{sample.key}.parquet"
        command = [sys.executable, "-m", "flowml.runner.samples", sample.key, str(path)]
        child = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        if child.returncode:
            said = (child.stderr.strip().splitlines() or ["no message"])[-1]
            raise StorageError(f"The sample {sample.title!r} could not be written: {said}.")
        return client.add_dataset(path, sample.title, path.name)


def main(key: str, path: str) -> None:
    SAMPLES[key].read().write_parquet(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
