"""Optuna's memory of a study: one in-memory study, in which each algorithm has params of its own names."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flowml.automl.algorithms.row import Algorithm
from flowml.automl.shape import Shape
from flowml.storage.records import Json, TrialRecord

if TYPE_CHECKING:
    import optuna

    from flowml.automl.tpe import OneSpaceSampler

STARTUP = 8  # trials with params before the model of good and bad ones is used


@dataclass(frozen=True)
class _Named:
    """A trial that puts the algorithm's name before that of each param."""

    trial: optuna.trial.BaseTrial
    prefix: str

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        return self.trial.suggest_float(self.prefix + name, low, high, log=log)

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return self.trial.suggest_int(self.prefix + name, low, high, log=log)

    def suggest_categorical(self, name: str, choices: list[str]) -> str:
        return str(self.trial.suggest_categorical(self.prefix + name, choices))


@dataclass
class _Given:
    """Params that were chosen elsewhere, with the distributions that they could have come from."""

    values: Json
    prefix: str
    params: Json = field(default_factory=dict)
    distributions: dict[str, optuna.distributions.BaseDistribution] = field(default_factory=dict)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        from optuna.distributions import FloatDistribution

        return float(self._keep(name, FloatDistribution(low, high, log=log)))

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        from optuna.distributions import IntDistribution

        return int(self._keep(name, IntDistribution(low, high, log=log)))

    def suggest_categorical(self, name: str, choices: list[str]) -> str:
        from optuna.distributions import CategoricalDistribution

        return str(self._keep(name, CategoricalDistribution(choices)))

    def _keep(self, name: str, distribution: optuna.distributions.BaseDistribution) -> Any:
        if not _holds(distribution, self.values[name]):
            raise ValueError(f"{name}={self.values[name]} lies outside of {distribution}")
        self.params[self.prefix + name] = self.values[name]
        self.distributions[self.prefix + name] = distribution
        return self.values[name]


def _holds(distribution: Any, value: Any) -> bool:
    choices = getattr(distribution, "choices", None)
    return value in choices if choices else bool(distribution.low <= value <= distribution.high)


@dataclass
class Sampler:
    """Asks TPE for params. Trials that it did not sample itself teach it too, if they lie in the space."""

    seed: int
    _made: tuple[optuna.Study, OneSpaceSampler] | None = None
    _open: dict[int, optuna.trial.Trial] = field(default_factory=dict)

    def ask(self, number: int, algorithm: Algorithm, shape: Shape) -> Json:
        prefix = algorithm.key + "."
        trial = self._optuna(prefix).ask()
        self._open[number] = trial
        return algorithm.space(_Named(trial, prefix), shape)

    def drop(self, number: int) -> None:
        """Forget what was asked for: it will not be tried."""
        from optuna.trial import TrialState

        self._optuna().tell(self._open.pop(number), state=TrialState.FAIL)

    def tell(self, record: TrialRecord, algorithm: Algorithm, shape: Shape, loss: float | None) -> None:
        """The loss of a trial that was asked for or came from elsewhere; None if it did not complete."""
        if record.number in self._open and loss is None:
            self.drop(record.number)
        elif record.number in self._open:
            self._optuna().tell(self._open.pop(record.number), loss)
        elif loss is not None:
            self._add(record, algorithm, shape, loss)

    def _add(self, record: TrialRecord, algorithm: Algorithm, shape: Shape, loss: float) -> None:
        import optuna

        given = _Given(record.params, algorithm.key + ".")
        try:
            algorithm.space(given, shape)
        except (KeyError, ValueError):  # made lighter beyond the space: it teaches nothing about the space
            return
        if given.params:
            trial = optuna.trial.create_trial(
                params=given.params, distributions=given.distributions, value=loss
            )
            self._optuna().add_trial(trial)

    @property
    def size(self) -> int:
        """Trials that the study has learned from."""
        return sum(trial.value is not None for trial in self._optuna().trials)

    def _optuna(self, prefix: str = "") -> optuna.Study:
        """The study, which samples params whose names begin so."""
        if self._made is None:
            self._made = self._make()
        study, tpe = self._made
        tpe.prefix = prefix
        return study

    def _make(self) -> tuple[optuna.Study, OneSpaceSampler]:
        """Only when it is needed: importing Optuna takes most of a second."""
        import optuna

        from flowml.automl.tpe import OneSpaceSampler

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            # Grouping, without which the params of all algorithms would be one space, may change one day.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            tpe = OneSpaceSampler(
                multivariate=True, group=True, constant_liar=True, n_startup_trials=STARTUP, seed=self.seed
            )
        return optuna.create_study(sampler=tpe), tpe
