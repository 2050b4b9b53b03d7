"""ALGORITHMS: one row each, one file a family. To add one, write its row and list it here.

Libraries are imported inside the functions that use them, so that planning a search stays light.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from flowml.automl.algorithms.adaboost import ADA_BOOST
from flowml.automl.algorithms.bayes import GAUSSIAN_NB
from flowml.automl.algorithms.catboost import CATBOOST
from flowml.automl.algorithms.dummy import DUMMY
from flowml.automl.algorithms.forests import EXTRA_TREES, RANDOM_FOREST
from flowml.automl.algorithms.gradient import GRADIENT_BOOSTING
from flowml.automl.algorithms.histogram import HIST_GRADIENT_BOOSTING
from flowml.automl.algorithms.kernel import SVM
from flowml.automl.algorithms.lightgbm import LIGHTGBM
from flowml.automl.algorithms.linear import ELASTIC_NET, LASSO, LOGISTIC, RIDGE
from flowml.automl.algorithms.margins import LINEAR_SVM
from flowml.automl.algorithms.neighbors import K_NEAREST_NEIGHBORS
from flowml.automl.algorithms.network import MLP
from flowml.automl.algorithms.row import Algorithm
from flowml.automl.algorithms.tree import DECISION_TREE
from flowml.automl.algorithms.xgboost import XGBOOST
from flowml.storage.errors import SpecError
from flowml.storage.records import Task

ALGORITHMS: dict[str, Algorithm] = {
    row.key: row
    for row in (
        DUMMY,
        LOGISTIC,
        RIDGE,
        LASSO,
        ELASTIC_NET,
        LINEAR_SVM,
        SVM,
        MLP,
        GAUSSIAN_NB,
        K_NEAREST_NEIGHBORS,
        DECISION_TREE,
        EXTRA_TREES,
        RANDOM_FOREST,
        ADA_BOOST,
        GRADIENT_BOOSTING,
        HIST_GRADIENT_BOOSTING,
        LIGHTGBM,
        XGBOOST,
        CATBOOST,
    )
}


def algorithms_for(task: Task, asked: Iterable[str] = ()) -> tuple[Algorithm, ...]:
    """The rows that serve a task, or those of them that are asked for. Raises SpecError for unknown ones."""
    fitting = {key: row for key, row in ALGORITHMS.items() if task in row.tasks}
    wanted = tuple(dict.fromkeys(asked))
    for key in wanted:
        if key not in ALGORITHMS:
            near = difflib.get_close_matches(key, ALGORITHMS, n=1)
            advice = f"Did you mean {near[0]!r}? " if near else ""
            raise SpecError(f"Unknown algorithm {key!r}.", f"{advice}Known: {', '.join(ALGORITHMS)}.")
    chosen = tuple(fitting[key] for key in wanted if key in fitting) if wanted else tuple(fitting.values())
    if not chosen:
        message = f"None of the algorithms {', '.join(wanted)} serves a {task} task."
        raise SpecError(message, f"Those that do: {', '.join(fitting)}.")
    return chosen
