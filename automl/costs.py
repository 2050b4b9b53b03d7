"""What a trial will take: the algorithm's cost model, corrected by what was measured in this study."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.shape import Shape
from flowml.storage.records import Json, TrialRecord, TrialState

TRIAL_S = 0.02  # of a trial beside its fits
MEANS = "_means"  # ends the names of encodings to which means of the target are added
ENCODE_S = 3e-8  # of a cell of the table as features, which the first trial that wants them makes
THREAD_GAIN = 0.7  # a second thread makes a fit so much faster, not twice as fast


@dataclass
class Costs:
    """Ratios of measured to predicted seconds. An algorithm not measured yet goes by the others."""

    shape: Shape
    pace: float = 1.0  # times that things take here of what they take on an ordinary machine at rest
    _logs: dict[str, list[float]] = field(default_factory=dict)
    _encoded: set[str] = field(default_factory=set)  # encodings that some trial has made by now

    def seconds(self, algorithm: str, params: Json, rows: int | None = None) -> float:
        """Of all folds of a trial that learns from so many rows, or from all."""
        return self._model(algorithm, params, rows) * self._ratio(algorithm)

    def learn(self, record: TrialRecord) -> None:
        """Only whole trials tell: one that was cut or failed took what it was given."""
        if record.state is not TrialState.COMPLETE or record.cut or record.algorithm not in ALGORITHMS:
            return
        ratio = max(record.seconds, 1e-3) / self._model(record.algorithm, record.params, record.rows)
        self._logs.setdefault(record.algorithm, []).append(math.log(ratio))
        self._encoded.add(_encoding(record.algorithm, record.params))

    def exceeded(self, algorithm: str, params: Json, rows: int | None, seconds: float) -> None:
        """A trial was ended after `seconds`: it takes longer, if that is more than was expected."""
        ratio = seconds / self._model(algorithm, params, rows)
        if ratio > self._ratio(algorithm):
            self._logs.setdefault(algorithm, []).append(math.log(ratio))

    def _model(self, algorithm: str, params: Json, rows: int | None) -> float:
        one_fold = ALGORITHMS[algorithm].cost(self.shape.sampled(rows), params).seconds
        encoding = _encoding(algorithm, params)
        width = self.shape.onehot_columns if encoding == "onehot" else self.shape.columns
        encode_s = 0.0 if encoding in self._encoded else ENCODE_S * self.shape.rows * width
        return TRIAL_S + encode_s + one_fold * self.shape.folds

    def _ratio(self, algorithm: str) -> float:
        """The recent mean of its own logs, drawn towards that of all others while there are few."""
        own = self._logs.get(algorithm, [])[-5:]
        others = [logs[-1] for key, logs in self._logs.items() if key not in (algorithm, "dummy")]
        prior = (sum(others) + 2 * math.log(self.pace)) / (len(others) + 2)
        return math.exp((sum(own) + 0.5 * prior) / (len(own) + 0.5))


def _encoding(algorithm: str, params: Json) -> str:
    """The one that others are made on, told by its name: a lane does without what encodes."""
    return ALGORITHMS[algorithm].encoding_for(params).removesuffix(MEANS)
