"""/api/results/model/…: why a row is answered as it is, how the answer follows a column, rows like a row."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from flowml.ui.api.bodies.explanations import (
    ContributionsAnswer,
    ContributionsAsked,
    DependenceAnswer,
    SimilarAsked,
    SimilarRow,
)
from flowml.ui.api.studio import TheStudio
from flowml.ui.problems import told

router = APIRouter(prefix="/results/model", tags=["results"])


@router.post("/{model_id}/contributions", responses=told(404, 422))
def row_contributions(model_id: str, asked: ContributionsAsked, studio: TheStudio) -> ContributionsAnswer:
    """What each column adds to the answer for one row."""
    return ContributionsAnswer.of(studio.explaining.contributions(model_id, asked.row, asked.label))


@router.get("/{model_id}/dependence", responses=told(404, 422))
def column_dependence(
    model_id: str, studio: TheStudio, column: Annotated[str, Query(description="A column of the model.")]
) -> DependenceAnswer:
    """How the answer follows one column: partial dependence, with the lines of single rows."""
    return DependenceAnswer(**studio.explaining.dependence(model_id, column))


@router.post("/{model_id}/similar", responses=told(404, 422))
def similar_rows(model_id: str, asked: SimilarAsked, studio: TheStudio) -> list[SimilarRow]:
    """Rows of the table that are most like one row, with what they are and what is predicted."""
    return [SimilarRow(**each) for each in studio.explaining.similar(model_id, asked.row, asked.count)]
