"""Predictions of models that the studio knows, from ONNX sessions that are kept warm."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from flowml.runner.client import Client
from flowml.runner.scoring_child import FileScored, score_in_child
from flowml.storage.errors import InputError
from flowml.storage.records import Json

if TYPE_CHECKING:
    from flowml.automl.serve import Predictions, Predictor

WARM = 8  # models that are kept
ML, OLDER_ML = 5, 3  # versions of ai.onnx.ml that models are given out in


class Serving:
    """May be called from any thread. Libraries that predict are loaded with the first prediction."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._warm: OrderedDict[str, Predictor] = OrderedDict()  # by the hash of its file, least used first
        self._turn = threading.Lock()

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
        sha256 = self._client.model_to_ask(model_id).onnx.sha256
        with self._turn:
            if sha256 not in self._warm:
                self._warm[sha256] = _load(self._client.model_file(model_id))
            self._warm.move_to_end(sha256)
            while len(self._warm) > WARM:
                self._warm.popitem(last=False)
            return self._warm[sha256]

    def predict(self, model_id: str, rows: Sequence[Json]) -> Predictions:
        """One answer per row, with warnings for what the model has not seen. Raises ContractError."""
        return self.predictor(model_id).predict(list(rows))

    def predict_file(self, model_id: str, path: Path, name: str, out: Path) -> FileScored:
        """Reads a table of any format (`name` is what its file is called), writes `out` as its suffix says.

        Columns: prediction, probability_CLASS for each class, warnings. `out` appears whole or not at all.
        """
        return score_in_child(self._client.model_file(model_id), path, name, out)

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
