"""What is asked of a model in words, and the sentences that are answered."""

from __future__ import annotations

from pydantic import Field

from flowml.ui.api.bodies.base import Answer, Asked


class QuestionAsked(Asked):
    question: str = Field(min_length=1, max_length=500, examples=["What matters most?"])


class StatementAnswer(Answer):
    """A sentence made of numbers that were computed when the model was made."""

    id: str = Field(examples=["S1"])
    topic: str
    cell: str = Field(description="Where its numbers stand in the studio.", examples=["Importance › age"])
    text: str
