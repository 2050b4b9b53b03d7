"""What a language model is told: rules, statements with stand-ins for all names, and the question."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.automl.grounding.aliases import Aliases
from flowml.storage.records import Json, Statement

LONGEST_QUESTION = 500

RULES = """\
You tell the owner of a trained model what was measured about it. You know nothing but the statements below.
- Write at most eight plain sentences in the language of the question. No lists, headings, links or markup.
- End each sentence with the mark of the statement that it rests on, such as [S3], or of several: [S3, S7].
- Copy numbers exactly as they stand there. Never compute, estimate or round, and write no other number.
- C1, K1, V1, M1 and the like stand for names of columns, classes, values and models. Copy them as they are.
- If the statements do not answer the question, write only: The statements do not answer that. [none]

Statements:
"""


def messages(statements: Sequence[Statement], aliases: Aliases, question: str) -> list[Json]:
    """As a chat: the rules with the statements, then the question."""
    told = "\n".join(f"[{each.id}] {aliases.hide(each)}" for each in statements)
    asked = aliases.question(" ".join(question.split())[:LONGEST_QUESTION])
    return [{"role": "system", "content": RULES + told}, {"role": "user", "content": asked}]
