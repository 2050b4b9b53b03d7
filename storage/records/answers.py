"""What is said about a model: statements made of computed numbers, and sentences that rest on them."""

from __future__ import annotations

from dataclasses import dataclass

from flowml.storage.records.record import Record


@dataclass(frozen=True)
class Named(Record):
    """A name that came with the table or the job, and what it names: column, class, value or model."""

    kind: str
    name: str


@dataclass(frozen=True)
class Statement(Record):
    """One sentence made of numbers that were computed. Names stand in its text as {0}, {1}, …"""

    id: str  # S1, S2, …
    topic: str
    cell: str  # where its numbers are found in the studio
    text: str
    names: tuple[Named, ...] = ()

    def told(self) -> str:
        """The sentence with its names."""
        return self.text.format(*(each.name for each in self.names))


@dataclass(frozen=True)
class Sentence(Record):
    """A sentence of an answer, with the ids of its statements; withheld: why it is not shown."""

    text: str
    sources: tuple[str, ...] = ()
    withheld: str = ""


@dataclass(frozen=True)
class Inquiry(Record):
    """A question about a model, what may be said about it, and what was answered."""

    model_id: str
    question: str
    statements: tuple[Statement, ...] = ()
    sentences: tuple[Sentence, ...] = ()
