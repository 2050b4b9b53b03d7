"""Which params mattered in a study, worked out by a process of its own: this module, run as a program.

The library that knows how is large, and the studio has no other use for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from flowml.automl.parameters import LEAST, parameter_importance
from flowml.storage.errors import StorageError
from flowml.storage.records import TrialRecord

__all__ = ["LEAST", "importance"]

TIMEOUT_S = 120


def importance(trials: Sequence[TrialRecord], direction: str) -> dict[str, dict[str, float]]:
    """Of each algorithm that was tried often enough: its params, the most important first."""
    told = {"direction": direction, "trials": [trial.to_dict() for trial in trials]}
    child = subprocess.run(
        [sys.executable, "-m", "flowml.runner.parameters"],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if child.returncode:
        said = (child.stderr.strip().splitlines() or ["no message"])[-1]
        raise StorageError(f"The importance of params could not be worked out: {said}.", "Try it again.")
    return dict(json.loads(child.stdout))


def main() -> None:
    told = json.load(sys.stdin)
    trials = [TrialRecord.from_dict(trial) for trial in told["trials"]]
    found = {}
    for key in sorted({trial.algorithm for trial in trials}):
        shares = parameter_importance([t for t in trials if t.algorithm == key], told["direction"])
        if shares:
            found[key] = shares
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
