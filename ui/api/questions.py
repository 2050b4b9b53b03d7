"""/api/results/model/…: what may be said of a model, and questions that a local language model answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.responses import StreamingResponse

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Sentence
from flowml.ui.api.bodies.questions import QuestionAsked, StatementAnswer
from flowml.ui.api.stream import HEADERS, MEDIA_TYPE
from flowml.ui.api.studio import TheStudio
from flowml.ui.problems import told

router = APIRouter(prefix="/results/model", tags=["results"])

STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-Sent Events: `sentence` with text, sources and withheld (why it is not "
        "shown); `error` where the answer broke off; `end`.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


@router.get("/{model_id}/statements", responses=told(404))
def model_statements(model_id: str, studio: TheStudio) -> list[StatementAnswer]:
    """All that may be said of a model, each sentence with the cell that its numbers stand in."""
    return [
        StatementAnswer(id=each.id, topic=each.topic, cell=each.cell, text=each.told())
        for each in studio.questions.statements(model_id)
    ]


@router.post("/{model_id}/ask", responses={**STREAM, **told(404, 422, 503)}, response_class=StreamingResponse)
def ask_model(model_id: str, asked: QuestionAsked, studio: TheStudio) -> StreamingResponse:
    """Ask about a model in words; a local language model phrases its statements, nothing else."""
    answer = studio.questions.answer(model_id, asked.question)
    return StreamingResponse(_events(answer), media_type=MEDIA_TYPE, headers=HEADERS)


def _events(answer: Iterator[Sentence]) -> Iterator[str]:
    try:
        for sentence in answer:
            yield f"event: sentence\ndata: {to_json(sentence.to_dict()).decode()}\n\n"
    except FlowMLError as error:
        fault = {"code": error.code, "message": error.message, "advice": error.advice}
        yield f"event: error\ndata: {to_json(fault).decode()}\n\n"
        return
    yield "event: end\ndata: {}\n\n"
