"""ONNX files that were made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flowml.ui.api.bodies.foreign import ForeignModelAnswer, ForeignPrediction
from flowml.ui.remote import frames
from flowml.ui.remote.wire import Wire, quoted

Row = Mapping[str, Any]


class ForeignPart(Wire):
    def foreign_models(self) -> list[ForeignModelAnswer]:
        """Newest first."""
        return self._one(list[ForeignModelAnswer], "GET", "foreign")

    def foreign_model(self, id: str) -> ForeignModelAnswer:
        return self._one(ForeignModelAnswer, "GET", f"foreign/{quoted(id)}")

    def add_foreign(self, path: Path | str, name: str = "", note: str = "") -> ForeignModelAnswer:
        """Let an ONNX file in, for all to ask. Needs the scope admin."""
        path = Path(path)
        with path.open("rb") as file:
            form = {"files": {"file": (path.name, file)}, "data": {"name": name, "note": note}}
            return self._one(ForeignModelAnswer, "POST", "foreign", **form)

    def ask_foreign(self, id: str, rows: Row | Sequence[Row]) -> ForeignPrediction:
        """A row names a value, or a list of values, for each input."""
        data = dict(rows) if isinstance(rows, Mapping) else [dict(row) for row in rows]
        asked = {"content": frames.body(data), "headers": frames.JSON}
        return self._one(ForeignPrediction, "POST", f"foreign/{quoted(id)}/predict", **asked)

    def remove_foreign(self, id: str) -> None:
        self._ask("DELETE", f"foreign/{quoted(id)}")
