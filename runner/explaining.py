"""What a model answers around one row or one column: computed when it is asked, by the warm model.

Whatever is asked of the table that a model learned from needs the right to read it. That table is sampled
once and kept, as feeds, for the models asked last.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import polars as pl
import polars.selectors as cs

from flowml.runner.client import Client
from flowml.runner.serving import Serving
from flowml.storage.cells import plain
from flowml.storage.errors import ContractError, InputError, NotFound
from flowml.storage.records import Dataset, Json, Model
from flowml.storage.sample import NUMBER, count_rows, numbered

if TYPE_CHECKING:
    from flowml.automl.contract import Feeds
    from flowml.automl.contributions import Contributions

MOST_ROWS = 20_000  # of a table, among which similar ones are looked for
DEPENDENCE_ROWS = 200
KEPT = 2  # tables
MOST_SIMILAR = 50


class _Table(NamedTuple):
    frame: pl.DataFrame  # with a first column NUMBER
    feeds: Feeds


def first_row(frame: pl.DataFrame) -> Json:
    """As a contract reads it: durations are seconds."""
    seconds = frame.with_columns(cs.duration().dt.total_microseconds() / 1e6)
    return {name: plain(value) for name, value in seconds.row(0, named=True).items()}


class Explaining:
    """May be called from any thread."""

    def __init__(self, client: Client, serving: Serving) -> None:
        self._client = client
        self._serving = serving
        self._tables: OrderedDict[tuple[str, str], _Table] = OrderedDict()
        self._turn = threading.Lock()

    def as_client(self, client: Client, serving: Serving) -> Self:
        """The same tables, as somebody may use them."""
        seat = copy.copy(self)
        seat._client, seat._serving = client, serving
        return seat

    def contributions(self, model_id: str, row: Json, label: str | None = None) -> Contributions:
        """What each column adds to the answer for a row: see `automl.contributions`. Raises ContractError."""
        from flowml.automl.contributions import contributions

        return contributions(self._serving.predictor(model_id), row, label)

    def dependence(self, model_id: str, column: str) -> Json:
        """How the answer follows one column: what `automl.dependence.dependence` gives.

        As it was measured out-of-fold, if it was; else on rows that the model learned from, which
        `out_of_fold` says. Raises NotFound for a table that is gone, ContractError for another column.
        """
        model = self._client.model(model_id)
        told: list[Json] = model.diagnostics.get("dependence") or []
        kept = {str(each["column"]): each for each in told}
        if column in kept:
            return kept[column] | {"out_of_fold": True}
        return self._dependence(model, column) | {"out_of_fold": False}

    def _dependence(self, model: Model, column: str) -> Json:
        from flowml.automl.contract import take
        from flowml.automl.dependence import Part, dependence, sampled

        predictor = self._serving.predictor(model.id)
        known = predictor.contract.column(column)
        if known is None:
            names = ", ".join(each.name for each in predictor.contract.columns[:20])
            raise ContractError(f"The model does not look at {column[:80]!r}.", f"It looks at: {names}.")
        feeds = self._table(model).feeds
        rows = take(feeds, sampled(feeds, DEPENDENCE_ROWS))
        found = dependence(predictor.contract, known, [Part(predictor.scores, rows)])
        if found is None:
            raise ContractError(f"{column!r} holds free text or nothing.", "Choose another column.")
        return found

    def rows(self, model_id: str) -> int:
        """Of the table that the model learned from."""
        return self._dataset(self._client.model(model_id)).rows

    def row(self, model_id: str, number: int) -> Json:
        """One row of the table that the model learned from, its place counted from 1, as plain JSON."""
        model = self._client.model(model_id)
        path = self._client.dataset_file(self._dataset(model).id)
        rows = count_rows(path)
        if not 1 <= number <= rows:
            raise InputError(f"There is no row {number}: the table has {rows:,}.", "Count from 1.")
        frame = pl.scan_parquet(path, glob=False).slice(number - 1, 1).collect()
        return first_row(frame)

    def similar(self, model_id: str, row: Json, count: int = 8) -> list[Json]:
        """Rows of the table that are most like a row: [{row, distance, values, actual, prediction,
        probability}], the most similar first. See `automl.similar`.

        row: its place in the table, from 1; actual: the target, as the table has it.
        """
        from flowml.automl.contract import Warnings, take
        from flowml.automl.similar import nearest

        model = self._client.model(model_id)
        predictor, table = self._serving.predictor(model_id), self._table(model)
        feeds, _ = predictor.contract.accept_row(row)
        weights = {each.column: each.mean for each in model.importances}
        found = nearest(predictor.contract, table.feeds, feeds, weights, min(count, MOST_SIMILAR))
        answers = predictor.answer(take(table.feeds, found.rows), Warnings([])).to_dicts()
        target = str(model.contract.get("target", ""))
        told = []
        for place, distance, answer in zip(
            found.rows.tolist(), found.distances.tolist(), answers, strict=True
        ):
            values = {name: plain(value) for name, value in table.frame.row(place, named=True).items()}
            number: Any = values.pop(NUMBER)
            told.append(
                {
                    "row": int(number) + 1,
                    "distance": distance,
                    "values": {
                        column["name"]: values.get(column["name"]) for column in model.contract["columns"]
                    },
                    "actual": values.get(target),
                    "prediction": answer["prediction"],
                    "probability": answer.get("probability"),
                }
            )
        return told

    # --- inner --------------------------------------------------------------------------------------------

    def _dataset(self, model: Model) -> Dataset:
        dataset = self._client.dataset(self._client.job(model.job_id).spec.dataset_id)
        if dataset.deleted:
            raise NotFound(
                f"The dataset {dataset.name!r}, which the model learned from, was deleted.",
                "Upload it again.",
            )
        return dataset

    def _table(self, model: Model) -> _Table:
        dataset = self._dataset(model)
        key = (model.onnx.sha256, dataset.sha256)
        with self._turn:
            if key not in self._tables:
                frame = numbered(self._client.dataset_file(dataset.id), MOST_ROWS)
                feeds, _ = self._serving.predictor(model.id).contract.accept(frame)
                self._tables[key] = _Table(frame, feeds)
            self._tables.move_to_end(key)
            while len(self._tables) > KEPT:
                self._tables.popitem(last=False)
            return self._tables[key]
