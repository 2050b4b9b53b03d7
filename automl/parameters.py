"""Which params of an algorithm decide whether a trial is among the best, by Optuna's PED-ANOVA.

Watanabe, Bansal, Hutter 2023: the params of the best part of the trials are compared with those of all.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flowml.storage.records import TrialRecord, TrialState

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

LEAST = 10  # trials, below which nothing is told
BEST_SHARE = 0.1  # of the trials that count as the best,
LEAST_BEST = 5  # or so many
WIDE = 50.0  # numbers that spread further than this factor are looked at by their logarithm


def parameter_importance(trials: Sequence[TrialRecord], direction: str) -> dict[str, float]:
    """Shares that sum to 1, the largest first, from the complete trials of one algorithm.

    Empty where the trials are too few, or their params hardly differ.
    """
    known = [t for t in trials if t.state is TrialState.COMPLETE and t.score is not None and t.params]
    names = [name for name in _shared(known) if len({repr(t.params[name]) for t in known}) > 1]
    if len(known) < LEAST or not names:
        return {}
    return _measured(known, names, direction)


def _shared(trials: Sequence[TrialRecord]) -> list[str]:
    """Params that every trial has."""
    first = trials[0].params if trials else {}
    return [name for name in first if all(name in t.params for t in trials)]


def _measured(trials: Sequence[TrialRecord], names: Sequence[str], direction: str) -> dict[str, float]:
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    values = {name: [_value(t.params[name]) for t in trials] for name in names}
    distributions = {name: _distribution(values[name]) for name in names}
    better = optuna.study.StudyDirection[direction.upper()]
    study = optuna.create_study(direction=better)
    for place, trial in enumerate(trials):
        params = {name: _as_given(values[name][place], distributions[name]) for name in names}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=distributions, value=trial.score)
        )
    best = min(0.5, max(BEST_SHARE, LEAST_BEST / len(trials)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=best))
    return {name: float(share) for name, share in found.items() if math.isfinite(share)}


def _value(value: Any) -> float | str:
    whole_or_real = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if whole_or_real and math.isfinite(value) else str(value)


def _as_given(value: float | str, distribution: BaseDistribution) -> float | str:
    return str(value) if hasattr(distribution, "choices") else value


def _distribution(values: Sequence[float | str]) -> BaseDistribution:
    """The space that the values span: numbers by their size, all else as choices."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    numbers = [value for value in values if isinstance(value, float)]
    if len(numbers) < len(values):
        return CategoricalDistribution(sorted({str(value) for value in values}))
    low, high = min(numbers), max(numbers)
    return FloatDistribution(low, high, log=low > 0 and high / low > WIDE)
