"""ONNX files of others, as the API takes and tells them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flowml.storage.records import ForeignAnswer, ForeignModel
from flowml.ui.api.bodies.base import Answer, Asked

Row = dict[str, Any]


class PortAnswer(Answer):
    name: str = Field(examples=["X"])
    type: str = Field(examples=["float"], description="map: probabilities by class.")
    shape: list[int | None] = Field(
        examples=[[None, 4]], description="The first is rows; null is any length."
    )


class ForeignModelAnswer(Answer):
    """An ONNX file that was made elsewhere."""

    id: str = Field(examples=["foreign-01j9"])
    name: str
    size: int = Field(description="Bytes of the file.")
    sha256: str
    created_at: float = Field(description="Seconds since 1970, UTC.")
    owner: str = Field("", description="The administrator who let it in.")
    note: str = ""
    inputs: list[PortAnswer]
    outputs: list[PortAnswer]
    operators: dict[str, int] = Field(description="How often each is in the graph.")
    opsets: dict[str, int] = Field(description="Version of each domain.")
    ir: int
    producer: str = ""

    @classmethod
    def of_model(cls, model: ForeignModel) -> ForeignModelAnswer:
        own = {name: getattr(model, name) for name in ("id", "name", "created_at", "owner", "note")}
        return cls(**own, **model.graph.to_dict(), size=model.onnx.size, sha256=model.onnx.sha256)


class ForeignAsked(Asked):
    data: Row | list[Row] = Field(
        description="A row, or a list of them: for each input a value, or a list of values.",
        examples=[{"X": [5.1, 3.5, 1.4, 0.2]}],
    )


class ForeignPrediction(Answer):
    outputs: dict[str, Any] = Field(description="By output: one value, or a list of one for each row.")
    rows: int
    execution_time: float = Field(description="Seconds in its process.")

    @classmethod
    def of_answer(cls, answer: ForeignAnswer, one: bool) -> ForeignPrediction:
        outputs = {name: values[0] if one else values for name, values in answer.outputs.items()}
        return cls(outputs=outputs, rows=answer.rows, execution_time=answer.seconds)
