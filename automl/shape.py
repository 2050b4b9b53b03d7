"""The size of a problem in plain numbers: all that planning a search needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from flowml.storage.records import Record, Task

MANY = 20  # categories of a column beyond which means of the target pay: see docs/encodings.md


@dataclass(frozen=True)
class Shape(Record):
    """Small enough to travel between processes: the lane plans with it and never opens the table."""

    rows: int
    columns: int  # features that trees learn from
    numeric: int  # raw columns that are no categories
    categorical: int
    max_cardinality: int
    onehot_columns: int  # width of the one-hot encoding
    classes: int  # 0 for regression
    folds: int
    train_rows: int  # that one fold learns from
    valid_rows: int  # that one fold is checked on
    task: Task
    metric: str
    direction: str
    texts: int = 0  # columns of text
    skewed: bool = False  # a positive target with a long right tail: worth learning its logarithm
    weighted: bool = False
    kept: int = 0  # folds whose models make up a champion; 0: all

    @property
    def has_means(self) -> bool:
        """Whether some column is worth means of the target."""
        return self.max_cardinality > MANY or self.texts > 0

    @property
    def outputs(self) -> int:
        """Scores that a boosting round fits: one tree each."""
        return self.classes if self.classes > 2 else 1

    @property
    def whole_share(self) -> float:
        """Rows of the table beside those that all folds of a trial learn from."""
        return self.rows / max(1, self.train_rows * self.folds)

    def sampled(self, rows: int | None) -> Self:
        """The same problem, of which a fold learns from so many rows at most."""
        return self if rows is None or rows >= self.train_rows else replace(self, train_rows=rows)
