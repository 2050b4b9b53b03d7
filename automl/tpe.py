"""Optuna's TPE over the spaces of several algorithms, of which each trial needs one."""

from __future__ import annotations

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial


class OneSpaceSampler(TPESampler):
    """Draws only params whose names begin with `prefix`: those of others would cost time and be thrown away,
    and until the trial has ended each would count as a bad one of its algorithm.
    """

    prefix = ""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        own = {name: space for name, space in search_space.items() if name.startswith(self.prefix)}
        return super().sample_relative(study, trial, own)
