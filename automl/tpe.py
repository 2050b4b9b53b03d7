"""Optuna's TPE over the spaces of several algorithms, of which each trial needs one."""

from __future__ import annotations

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

TEACH = (TrialState.COMPLETE, TrialState.PRUNED)  # trials that the spaces are inferred from

Spaces = dict[str, BaseDistribution]


class OneSpaceSampler(TPESampler):
    """Draws only params whose names begin with `prefix`: those of others would cost time and be thrown away,
    and until the trial has ended each would count as a bad one of its algorithm.

    The spaces are inferred anew only where a trial has taught something since.
    """

    prefix = ""
    _inferred: tuple[int, Spaces] = (0, {})  # from how many trials, what

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> Spaces:
        known = len(study.get_trials(deepcopy=False, states=TEACH))
        if known != self._inferred[0]:
            self._inferred = known, super().infer_relative_search_space(study, trial)
        return self._inferred[1]

    def sample_relative(self, study: Study, trial: FrozenTrial, search_space: Spaces) -> dict[str, Any]:
        if not search_space:  # nothing was inferred yet
            return {}
        own = {name: space for name, space in search_space.items() if name.startswith(self.prefix)}
        return super().sample_relative(study, trial, own)
