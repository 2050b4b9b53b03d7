"""What is asked about single rows and columns of a model, and what is told of them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flowml.ui.api.bodies.base import Answer, Asked

Row = dict[str, Any]


class ContributionsAsked(Asked):
    """One row, as for a prediction."""

    row: Row = Field(examples=[{"tenure": 12, "contract": "Two year"}])
    label: str | None = Field(None, description="The class to explain; by default the one that is answered.")


class ContributionAnswer(Answer):
    column: str
    value: Any = Field(None, description="Of the row, as it was read.")
    contribution: float
    error: float = Field(description="Its standard error: the values are sampled.")


class ContributionsAnswer(Answer):
    """`base` and all contributions add up to `prediction`: Shapley values, sampled over orders of columns."""

    label: str = Field(description="The class whose probability is explained, or the target.")
    prediction: float
    base: float = Field(description="The mean answer for rows of the background.")
    columns: list[ContributionAnswer] = Field(description="The largest contribution first.")


class DependenceAnswer(Answer):
    """How the mean answer follows one column, while the others stay as they are."""

    column: str
    kind: str = Field(description="number, boolean, datetime or category.")
    grid: list[Any] = Field(description="The values that were tried.")
    share: list[float] = Field(description="Of the rows that hold each, or lie nearest to it.")
    curves: list[dict[str, Any]] = Field(description="label, mean and spread over rows, for each class.")
    lines: list[list[float]] = Field(description="The answers for single rows, for the first curve.")
    missing: list[float] | None = Field(None, description="The means where the value is missing.")
    out_of_fold: bool = Field(description="false: on rows that the model learned from.")


class SimilarAsked(Asked):
    """One row, as for a prediction, and how many rows like it to find."""

    row: Row
    count: int = Field(8, ge=1, le=50)


class SimilarRow(Answer):
    row: int = Field(description="Its place in the table, from 1.")
    distance: float = Field(description="0: alike in all that the model looks at; 1: in nothing.")
    values: Row
    actual: Any = Field(None, description="The target, as the table has it.")
    prediction: Any
    probability: dict[str, float] | None = None
