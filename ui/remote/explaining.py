"""Why a model answers as it does: single rows, single columns, and what may be said of it in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flowml.storage.errors import error_of
from flowml.storage.records import Sentence
from flowml.ui.api.bodies.explanations import ContributionsAnswer, DependenceAnswer, SimilarRow
from flowml.ui.api.bodies.questions import StatementAnswer
from flowml.ui.remote.wire import Wire, quoted
from flowml.ui.sending import READING

Row = Mapping[str, Any]


class ExplainingPart(Wire):
    def contributions(self, model: str, row: Row, label: str | None = None) -> ContributionsAnswer:
        """What each column adds to the answer for one row; of the class `label`, by default the answered."""
        asked = {"row": dict(row), "label": label}
        path = f"results/model/{quoted(model)}/contributions"
        return self._one(ContributionsAnswer, "POST", path, json=asked, timeout=READING)

    def dependence(self, model: str, column: str) -> DependenceAnswer:
        """How the answer follows one column: partial dependence, with the lines of single rows."""
        path = f"results/model/{quoted(model)}/dependence"
        return self._one(DependenceAnswer, "GET", path, params={"column": column}, timeout=READING)

    def similar(self, model: str, row: Row, count: int = 8) -> list[SimilarRow]:
        """Rows of the table that are most like this one, with what they are and what is predicted."""
        asked = {"row": dict(row), "count": count}
        path = f"results/model/{quoted(model)}/similar"
        return self._one(list[SimilarRow], "POST", path, json=asked, timeout=READING)

    def statements(self, model: str) -> list[StatementAnswer]:
        """All that may be said of a model, each sentence with the cell that its numbers stand in."""
        return self._one(list[StatementAnswer], "GET", f"results/model/{quoted(model)}/statements")

    def ask(self, model: str, question: str) -> Iterator[Sentence]:
        """What a local language model answers, sentence by sentence, each with its sources.

        Raises NotReady where none runs, also after some sentences.
        """
        path = f"results/model/{quoted(model)}/ask"
        for block in self._events("POST", path, json={"question": question}, timeout=READING):
            told = json.loads(block["data"])
            if block.get("event") == "error":
                raise error_of(told["code"], told["message"], told["advice"])
            if block.get("event") == "sentence":
                yield Sentence.from_dict(told)
