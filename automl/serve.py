"""Predict from an ONNX file alone: its metadata hold the contract. No library that trains is imported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import Contract, Feeds, Rows, Warnings, rows_of, take
from flowml.automl.contributions import Contributions, contributions
from flowml.automl.session import open_session
from flowml.storage.errors import ContractError, NotFound
from flowml.storage.records import Json, LeaderboardRow, Task

PREFIX = "flowml."
WORDS = ("task", "metric", "licence")  # metadata that are plain text, the rest is JSON
LEADERBOARD = "leaderboard"  # the name under which a file keeps it
CHUNK = 1_000  # rows that onnxruntime is given at once: all that it works out for them is in memory

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Predictions:
    """One value for each row: a label as it stood in the training table, or a number."""

    values: Values  # object (text), int64 or bool for labels; float64 for numbers
    probabilities: npt.NDArray[np.float32] | None  # (rows, classes), None for a regression
    classes: tuple[Any, ...]  # as in `values`, in the order of the probabilities
    warnings: Warnings

    def __len__(self) -> int:
        return len(self.values)

    def to_dicts(self) -> list[Json]:
        """One plain dict for each row: prediction, probability (of each class), warnings (of that row)."""
        told = self.warnings.per_row(len(self))
        rows: list[Json] = [
            {"prediction": value, "warnings": text}
            for value, text in zip(self.values.tolist(), told, strict=True)
        ]
        if self.probabilities is not None:
            for row, shares in zip(rows, self.probabilities.tolist(), strict=True):
                row["probability"] = dict(zip(self.class_names, shares, strict=True))
        return rows

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(str(name).lower() if isinstance(name, bool) else str(name) for name in self.classes)


class Predictor:
    """A warm model. One may be asked from several threads at once."""

    def __init__(self, model: bytes | str | Path | Any, threads: int = 1) -> None:
        """`model`: a file, its content, or a session that has it open."""
        self.session = open_session(Path(model) if isinstance(model, str) else model, threads)
        self.metadata: dict[str, str] = {
            name.removeprefix(PREFIX): text
            for name, text in self.session.get_modelmeta().custom_metadata_map.items()
            if name.startswith(PREFIX)
        }
        if "contract" not in self.metadata:
            raise ContractError(
                "The ONNX file says nothing of the rows that it expects: FlowML Studio did not write it.",
                "Use a file that was downloaded from the studio.",
            )
        self.contract = Contract.from_dict(json.loads(self.metadata["contract"]))
        self.classes = tuple(labels_of(self.contract.classes, self.contract.label_type).tolist())
        self._outputs = [output.name for output in self.session.get_outputs()]

    def about(self, name: str) -> Any:
        """What the file says of itself, by a name such as card, parity, score, versions; None if nothing."""
        text = self.metadata.get(name)
        if text is None or name in WORDS:
            return text
        return json.loads(text)

    def predict(self, rows: Rows, as_text: bool = False) -> Predictions:
        """Predict a polars, pandas or Arrow table, a list of dicts, or one dict, of any size.

        `as_text`: the rows come from a file that holds nothing but text.
        """
        return self.answer(*self.contract.accept(rows, as_text))

    def answer(self, feeds: Feeds, warnings: Warnings) -> Predictions:
        """What is predicted for rows that the contract has turned into feeds."""
        values, probabilities = self.predict_feeds(feeds)
        return Predictions(values, probabilities, self.classes, warnings)

    def predict_one(self, row: Mapping[str, Any]) -> Predictions:
        """The fast way for one row of plain values."""
        feeds, warnings = self.contract.accept_row(row)
        values, probabilities = self._run(feeds)
        return Predictions(values, probabilities, self.classes, warnings)

    def predict_feeds(self, feeds: Feeds) -> tuple[Values, npt.NDArray[np.float32] | None]:
        """Values and probabilities of feeds that the contract made, run in chunks."""
        if not rows_of(feeds):
            return self._nothing()
        pieces = [self._run(chunk) for chunk in _chunks(feeds)]
        if len(pieces) == 1:
            return pieces[0]
        values = np.concatenate([piece for piece, _ in pieces])
        shares = [piece for _, piece in pieces if piece is not None]
        return values, np.concatenate(shares) if shares else None

    def scores(self, feeds: Feeds) -> Values:
        """What metrics look at: probabilities (rows, classes), or the values of a regression."""
        values, probabilities = self.predict_feeds(feeds)
        return values if probabilities is None else probabilities

    def _run(self, feeds: Feeds) -> tuple[Values, npt.NDArray[np.float32] | None]:
        answers = self.session.run(self._outputs, feeds)
        if self.contract.task is Task.REGRESSION:
            return answers[0], None
        return labels_of(answers[0], self.contract.label_type), answers[1]

    def _nothing(self) -> tuple[Values, npt.NDArray[np.float32] | None]:
        if self.contract.task is Task.REGRESSION:
            return np.zeros(0), None
        shares = np.zeros((0, len(self.contract.classes)), np.float32)
        return labels_of((), self.contract.label_type), shares


def _chunks(feeds: Feeds) -> Iterator[Feeds]:
    rows = rows_of(feeds)
    if rows <= CHUNK:
        yield feeds
        return
    for start in range(0, rows, CHUNK):
        yield take(feeds, slice(start, start + CHUNK))


def labels_of(texts: Any, label_type: str) -> Values:
    """Labels, which ONNX answers as text, in the type that they had in the training table."""
    if label_type == "integer":
        return np.array([int(text) for text in texts], np.int64)
    if label_type == "boolean":
        return np.array([text == "true" for text in texts], np.bool_)
    return np.array(texts, dtype=object)


class Model:
    """A trained model for use from Python: `flowml.load("model.onnx").predict(frame)`."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._predictor = Predictor(content)

    @classmethod
    def load(cls, path: str | Path) -> Model:
        if not Path(path).is_file():
            raise NotFound(f"There is no model file {Path(path).name}.", "Check the path.")
        return cls(Path(path).read_bytes())

    def predict(self, rows: Rows) -> Values:
        """Labels in their own type, or numbers, one for each row."""
        return self._predictor.predict(rows).values

    def predict_proba(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Probabilities (rows, classes) in the order of `classes`."""
        shares = self._predictor.predict(rows).probabilities
        if shares is None:
            raise ContractError("A regression has no probabilities.", "Use predict.")
        return shares

    def predictions(self, rows: Rows) -> Predictions:
        """Values, probabilities and warnings together."""
        return self._predictor.predict(rows)

    def explain(self, row: Mapping[str, Any], label: str | None = None) -> Contributions:
        """What each column adds to the value of one row, or to the probability of its class or of `label`."""
        return contributions(self._predictor, row, label)

    @property
    def classes(self) -> tuple[Any, ...]:
        return self._predictor.classes

    @property
    def contract(self) -> Contract:
        return self._predictor.contract

    def about(self, name: str) -> Any:
        """What the file says of itself, by a name such as data, parity, score, versions; None if nothing."""
        return self._predictor.about(name)

    @property
    def card(self) -> Json:
        card: Json = self._predictor.about("card") or {}
        return card

    @property
    def leaderboard(self) -> tuple[LeaderboardRow, ...]:
        """All that was tried, best first, of a model that `flowml.fit` made; else empty."""
        return tuple(LeaderboardRow.from_dict(row) for row in self._predictor.about(LEADERBOARD) or ())

    def save(self, path: str | Path) -> None:
        Path(path).write_bytes(self._content)

    def __reduce__(self) -> tuple[type[Model], tuple[bytes]]:
        """Copies, and what its owner puts aside with joblib, hold the file and open it anew."""
        return Model, (self._content,)

    def __repr__(self) -> str:
        contract = self.contract
        return f"Model({contract.task} of {contract.target!r} from {len(contract.columns)} columns)"
