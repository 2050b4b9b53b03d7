"""The statements as a report: what stands in place of a language model, with the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

from flowml.storage.records import Sentence, Statement


def report(statements: Sequence[Statement]) -> dict[str, list[Sentence]]:
    """By topic, in their order: each sentence rests on its own statement."""
    found: dict[str, list[Sentence]] = {}
    for each in statements:
        found.setdefault(each.topic, []).append(Sentence(each.told(), (each.id,)))
    return found
