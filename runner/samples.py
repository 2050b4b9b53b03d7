"""Tables to start with, added as any other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flowml.automl.samples import SAMPLES
from flowml.runner.client import Client
from flowml.storage.records import Dataset


def add_samples(client: Client, folder: Path) -> tuple[Dataset, ...]:
    """Those whose name is not there yet; answers with the datasets of all of them, in their order."""
    known = {dataset.name: dataset for dataset in reversed(client.datasets())}
    return tuple(known.get(name) or _add(client, name, folder) for name in SAMPLES)


def _add(client: Client, name: str, folder: Path) -> Dataset:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        path = Path(place) / f"{name}.parquet"
        SAMPLES[name].write_parquet(path)
        return client.add_dataset(path, name, path.name)
