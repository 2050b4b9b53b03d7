"""When a boosting fit ends: no gain for a while, the deadline, or a given number of rounds."""

from __future__ import annotations

import math
import time

from flowml.automl.algorithms.row import FitContext

FEWEST_ROUNDS = 3  # that a fit gets even when its time is over: less would be no model


class Watch:
    """Told the validation loss of each round, says when to stop and remembers the best round.

    The loss is the one that the library minimises, whatever the metric: on a few hundred rows a ranking
    metric jumps about, and rounds picked by it made pooled predictions worse on every table tried.
    """

    def __init__(self, context: FitContext, patience: int) -> None:
        self._deadline = context.deadline
        self._wanted = context.rounds
        self._patience = patience
        self._best_loss = math.inf
        self.best = 0  # index of the best round
        self.cut = False

    def step(self, index: int, loss: float) -> bool:
        """True if the round with this index is to be the last."""
        if loss < self._best_loss:
            self._best_loss, self.best = loss, index
        if self._wanted is not None:
            self.best = min(index, self._wanted - 1)
            return index + 1 >= self._wanted
        if index - self.best >= self._patience:
            return True
        self.cut = index + 1 >= FEWEST_ROUNDS and time.monotonic() >= self._deadline
        return self.cut

    @property
    def rounds(self) -> int:
        return self.best + 1
