"""ONNX files that others made, as the client keeps and asks them. An administrator lets them in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flowml.runner.desk import Desk
from flowml.runner.foreign_apart import ask_in_child, look_in_child
from flowml.runner.rights import right
from flowml.storage import foreign
from flowml.storage.errors import ContractError, FileTooLarge, InputError
from flowml.storage.ids import new_id
from flowml.storage.records import ForeignAnswer, ForeignModel, Json, Scope

MOST_BYTES = 200 * 10**6  # of a file
MOST_ROWS = 1_000  # asked at once
MOST_NAME = 200
MOST_NOTE = 2_000


class Foreign(Desk):
    @right(Scope.ADMIN, "foreign.add")
    def add_foreign(self, path: Path, name: str, note: str = "") -> ForeignModel:
        """Lets an ONNX file of others in, for all to ask. Raises BrokenFile, NotAllowed, FileTooLarge."""
        if not (name := name.strip()):
            raise InputError("The ONNX file has no name.", "Give one.")
        if (size := path.stat().st_size) > MOST_BYTES:
            raise FileTooLarge(
                f"The ONNX file has {size / 1e6:,.0f} MB, at most {MOST_BYTES / 1e6:,.0f} are let in.",
                "Use a smaller model.",
            )
        graph = look_in_child(path)
        kept = self._artifacts.put_file(path)
        made = ForeignModel(
            new_id("foreign"),
            name[:MOST_NAME],
            kept,
            self._clock(),
            graph,
            self._owner,
            note.strip()[:MOST_NOTE],
        )
        with self._db.write() as cursor:
            foreign.insert(cursor, made)
        return made

    @right(Scope.READ)
    def foreign_models(self) -> tuple[ForeignModel, ...]:
        """Newest first. All may see and ask them."""
        with self._db.read() as cursor:
            return foreign.list_(cursor)

    @right(Scope.READ)
    def foreign_model(self, id: str) -> ForeignModel:
        return self._foreign(id)

    @right(Scope.PREDICT)
    def ask_foreign(self, id: str, rows: Sequence[Json]) -> ForeignAnswer:
        """Each row names a value, or a list of values, for each input. Raises ContractError, FileTooLarge."""
        model = self._foreign(id)
        if len(rows) > MOST_ROWS:
            raise ContractError(f"{len(rows):,} rows are more than {MOST_ROWS:,}.", "Ask fewer at a time.")
        return ask_in_child(self._artifacts.path(model.onnx.sha256), model.graph, rows)

    @right(Scope.ADMIN, "foreign.remove")
    def remove_foreign(self, id: str) -> None:
        """Its file goes with the next collection of what nothing refers to."""
        self._foreign(id)
        with self._db.write() as cursor:
            foreign.delete(cursor, id)

    def _foreign(self, id: str) -> ForeignModel:
        with self._db.read() as cursor:
            return foreign.get(cursor, id)
