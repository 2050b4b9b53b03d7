"""The gate that every exported model passes: it predicts as the libraries did, or it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from flowml.automl.contract import Contract, Feeds, rows_of, take
from flowml.automl.onnx import native
from flowml.automl.onnx.champion import Across, expected, labels
from flowml.automl.onnx.forest import Floats, Ints
from flowml.automl.onnx.hostile import make_hostile
from flowml.automl.onnx.mixture import Member
from flowml.automl.onnx.steps import Step
from flowml.automl.session import open_session
from flowml.automl.stack import Stack
from flowml.storage.errors import ParityError
from flowml.storage.records import Json, Task

PROBABILITY = 1e-5  # how far a probability may be off
VALUE = 1e-4  # how far a value may be off, in standard deviations of the target
RELATIVE = 1e-6  # and as a share of the value itself, which matters for wild rows only
ROWS = 1_000  # real ones, and as many hostile ones


class Wanted(NamedTuple):
    """What the libraries that trained the members of a champion predict."""

    feeds: Feeds
    answers: Floats
    rows: Json  # how many are real, hostile, and were compared with what was predicted in training


def wanted(
    contract: Contract,
    members: Sequence[Member],
    feeds: Feeds,
    *,
    steps: Sequence[Step] = (),
    spread: float | None = None,
    seed: int = 0,
    stack: Stack | None = None,
    across: Across = map,
) -> Wanted:
    """For real and hostile rows. Members that have a witness are compared with it, on the rows it tells of.

    `spread`: standard deviation of a regression's target. Raises ParityError.
    """
    draw = np.random.default_rng(seed)
    chosen = np.sort(draw.permutation(rows_of(feeds))[:ROWS])
    real = take(feeds, chosen)
    hostile = make_hostile(contract, feeds, ROWS, seed)
    given = {name: np.concatenate([real[name], hostile[name]]) for name in real}
    witnesses = _Witnesses(chosen, spread)
    answers = expected(contract, members, given, steps=steps, stack=stack, seen=witnesses, across=across)
    rows = {"real_rows": rows_of(real), "hostile_rows": rows_of(hostile), "trained_rows": witnesses.rows}
    return Wanted(given, answers, rows)


def gate(
    model: bytes | Any,
    contract: Contract,
    members: Sequence[Member],
    feeds: Feeds,
    *,
    steps: Sequence[Step] = (),
    threshold: float | None = None,
    spread: float | None = None,
    seed: int = 0,
    stack: Stack | None = None,
) -> Json:
    """Compare an exported model with its members, as `wanted` has them. Raises ParityError."""
    found = wanted(contract, members, feeds, steps=steps, spread=spread, seed=seed, stack=stack)
    return compare(model, found, contract, threshold=threshold, spread=spread)


def compare(
    model: bytes | Any,
    found: Wanted,
    contract: Contract,
    *,
    threshold: float | None = None,
    spread: float | None = None,
) -> Json:
    """Raises ParityError. `model`: its bytes, or a session."""
    answers = check(model, found.feeds, found.answers, contract, threshold=threshold, spread=spread)
    return answers | found.rows


class _Witnesses:
    """Compares members with what they predicted in training: what was kept must be what was fitted."""

    def __init__(self, chosen: Ints, spread: float | None) -> None:
        self.rows = 0  # that were compared, of all members
        self._chosen, self._limit = chosen, PROBABILITY if spread is None else VALUE * (spread or 1.0)

    def __call__(self, member: Member, prediction: Floats) -> None:
        if member.witness is None:
            return
        _, here, there = np.intersect1d(self._chosen, member.witness.rows, return_indices=True)
        wanted = member.witness.predictions[there]
        allowed = self._limit + RELATIVE * abs(wanted).max(axis=1, initial=0.0)
        difference = abs(prediction[here] - wanted).max(axis=1, initial=0.0)
        whose = f"A fold model of {member.fitted.format}"
        _report(difference, allowed, "predictions", self._limit, whose, "training")
        self.rows += len(here)


def check(
    model: bytes | Any,
    feeds: Feeds,
    wanted: npt.NDArray[Any],
    contract: Contract,
    *,
    threshold: float | None = None,
    spread: float | None = None,
) -> Json:
    """Run a model on feeds and compare its answers with those wanted. Raises ParityError."""
    session = open_session(model)
    answers = dict(zip((out.name for out in session.get_outputs()), session.run(None, feeds), strict=True))
    if contract.task is Task.REGRESSION:
        scale = spread or float(np.nanstd(wanted)) or 1.0
        allowed = VALUE * scale + RELATIVE * abs(wanted)
        return _report(abs(answers["prediction"] - wanted), allowed, "values", VALUE * scale)
    difference = abs(answers["probabilities"] - wanted).max(axis=1)
    allowed = np.full(len(difference), PROBABILITY)
    report = _report(difference, allowed, "probabilities", PROBABILITY)
    return report | _compare_labels(answers["label"], wanted, contract, threshold)


def compare_models(
    one: bytes, other: bytes, feeds: Feeds, contract: Contract, threshold: float | None = None
) -> Json:
    """Two files of one model must answer alike. Raises ParityError."""
    answer = open_session(one).run(None, feeds)[-1]
    return check(other, feeds, np.asarray(answer, np.float64), contract, threshold=threshold)


def check_member(member: Member, feeds: Feeds, prediction: npt.NDArray[Any]) -> Json:
    """Compare the bytes of one fitted model with what its estimator predicted in training."""
    found = native.predict(member.fitted, member.encoding.transform(feeds))
    wanted = np.asarray(prediction, np.float64).reshape(len(found), -1)
    plain = member.fitted.link in ("identity", "expm1")
    limit = VALUE * (float(np.std(wanted)) or 1.0) if plain else PROBABILITY
    allowed = limit + (RELATIVE * abs(wanted).max(axis=1) if plain else np.zeros(len(wanted)))
    return _report(abs(found - wanted).max(axis=1), allowed, "predictions", limit)


def _report(
    difference: npt.NDArray[Any],
    allowed: npt.NDArray[Any],
    what: str,
    tolerance: float,
    whose: str = "The exported model",
    from_: str = "the library",
) -> Json:
    """NaN on either side counts as a difference."""
    over = ~(difference <= allowed)
    if over.any():
        worst = int(np.argmax(np.where(np.isnan(difference), np.inf, difference - allowed)))
        raise ParityError(
            f"{whose}'s {what} differ from {from_}'s on {int(over.sum())} of {len(over)} rows,"
            f" by {difference[worst]:.3g} on row {worst} where {allowed[worst]:.3g} is allowed.",
            "This model is not offered; another one of the leaderboard may export.",
        )
    return {
        "passed": True,
        "rows": len(difference),
        "max_difference": float(difference.max(initial=0.0)),
        "tolerance": tolerance,
    }


def _compare_labels(
    found: npt.NDArray[Any], wanted: Floats, contract: Contract, threshold: float | None
) -> Json:
    """Where two classes are equally likely up to the tolerance, either label is right."""
    differs = np.array(found != np.array(labels(contract, wanted, threshold), dtype=object), np.bool_)
    if threshold is None:
        two = np.sort(wanted, axis=1)[:, -2:]
        tie = two[:, 1] - two[:, 0] <= 2 * PROBABILITY
    else:
        tie = abs(wanted[:, 1] - threshold) <= PROBABILITY
    wrong = np.flatnonzero(differs & ~tie)
    if len(wrong):
        raise ParityError(
            f"The exported model's labels differ from the library's on {len(wrong)} rows, first on row"
            f" {wrong[0]}: {found[wrong[0]]!r}.",
            "This model is not offered; another one of the leaderboard may export.",
        )
    return {"labels_equal": True, "ties": int((differs & tie).sum())}
