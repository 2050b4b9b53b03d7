"""Predictions of models that the studio knows, from ONNX sessions that are kept warm."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from flowml.runner.client import Client
from flowml.runner.scoring_child import Told, compare_in_child, score_in_child
from flowml.storage.errors import InputError
from flowml.storage.records import Artifact, DriftSummary, FileScored, Json

if TYPE_CHECKING:
    from flowml.automl.serve import Predictions, Predictor

MEMORY = 10**9  # for models that are kept
MEMORY_PER_BYTE = 12  # of a model's file, that onnxruntime takes to predict with it,
BASE_MEMORY = 8 * 10**6  # and for any
ML, OLDER_ML = 5, 3  # versions of ai.onnx.ml that models are given out in


class Warm:
    """Models ready to predict, as many as fit into the memory; the one least lately asked goes first."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._models: OrderedDict[str, tuple[Predictor, int]] = OrderedDict()  # by the hash of its file
        self._loading: dict[str, threading.Lock] = {}
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._models)

    @property
    def memory(self) -> int:
        """Of all that are kept, by the sizes of their files."""
        with self._turn:
            return sum(memory for _, memory in self._models.values())

    def get(self, onnx: Artifact, path: Callable[[], Path]) -> Predictor:
        """Loaded by one of those who ask for it; who asks for another model does not wait for that."""
        with self._turn:
            known = self._models.get(onnx.sha256)
            if known is not None:
                self._models.move_to_end(onnx.sha256)
                return known[0]
            loading = self._loading.setdefault(onnx.sha256, threading.Lock())
        with loading:
            with self._turn:
                if onnx.sha256 in self._models:
                    return self._models[onnx.sha256][0]
            return self._keep(onnx, _load(path()))

    def _keep(self, onnx: Artifact, predictor: Predictor) -> Predictor:
        with self._turn:
            self._models[onnx.sha256] = (predictor, BASE_MEMORY + MEMORY_PER_BYTE * onnx.size)
            self._loading.pop(onnx.sha256, None)
            while len(self._models) > 1 and sum(size for _, size in self._models.values()) > self._memory:
                self._models.popitem(last=False)
        return predictor


class Serving:
    """May be called from any thread. Libraries that predict are loaded with the first prediction."""

    def __init__(self, client: Client, memory: int = MEMORY) -> None:
        self._client = client
        self._warm = Warm(memory)

    def as_client(self, client: Client) -> Self:
        """The same warm models, as somebody may use them."""
        seat = copy.copy(self)
        seat._client = client
        return seat

    @property
    def warm(self) -> int:
        """How many models are kept ready."""
        return len(self._warm)

    def predictor(self, model_id: str) -> Predictor:
        """Raises NotFound. The first call for a model takes a few hundred milliseconds."""
        onnx = self._client.model_to_ask(model_id).onnx
        return self._warm.get(onnx, lambda: self._client.model_file(model_id))

    def predict(self, model_id: str, rows: Sequence[Json]) -> Predictions:
        """One answer per row, with warnings for what the model has not seen. Raises ContractError."""
        return self.predictor(model_id).predict(list(rows))

    def predict_file(
        self, model_id: str, path: Path, name: str, out: Path, told: Told | None = None
    ) -> FileScored:
        """Reads a table of any format (`name` is what its file is called), writes `out` as its suffix says.

        Columns: prediction, probability_CLASS for each class, warnings. `out` appears whole or not at all.
        `told` hears how many rows are done, and of how many if that is known.
        """
        return score_in_child(self._client.model_file(model_id), path, name, out, told)

    def compare_file(self, model_id: str, path: Path, name: str, table: str = "") -> DriftSummary:
        """How the rows of a table differ from those that the model was trained on, before any is predicted.

        Raises NotFound, SpecError for a model whose file does not tell, and what reading raises.
        """
        return compare_in_child(self._client.model_file(model_id), path, name, table)

    def compare_dataset(self, model_id: str, dataset_id: str) -> DriftSummary:
        """The same for the rows of a dataset."""
        rows = self._client.rows_to_ask(dataset_id)
        return self.compare_file(model_id, rows.path, rows.name)

    def file(self, model_id: str, compact: bool = False, ml: int = ML) -> Path | bytes:
        """The model as ONNX, by default as it is kept; for ai.onnx.ml 3 it is made anew each time."""
        path = self._client.model_file(model_id, compact)
        if ml == ML:
            return path
        if ml != OLDER_ML:
            raise InputError(f"There is no model for ai.onnx.ml {ml}.", f"Ask for {ML} or {OLDER_ML}.")
        from flowml.automl.onnx.older import to_ml3

        return to_ml3(path.read_bytes())

    def package(self, model_id: str, compact: bool = False, ml: int = ML) -> bytes:
        """A zip that predicts without FlowML."""
        from flowml.automl.package import pack

        found = self.file(model_id, compact, ml)
        return pack(found.read_bytes() if isinstance(found, Path) else found)


def _load(path: Path) -> Predictor:
    from flowml.automl.serve import Predictor

    return Predictor(path)
