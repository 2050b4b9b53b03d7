"""What can be said of a job and its champion, as sentences: each rests on numbers that were computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flowml.automl.grounding.numbers import percent, scored, written
from flowml.automl.metrics import METRICS
from flowml.storage.records import Job, Json, LeaderboardRow, Model, Named, Statement, Task

MOST_COLUMNS = 8
MOST_CLASSES = 6
MOST_PARTS = 5
MOST_ROWS = 5  # of the leaderboard
BASELINE = "dummy"
SHARES = "share of wrong answers"
ENDS = {"complete": "completed", "pruned": "were pruned", "lost": "were lost"}


@dataclass(frozen=True)
class Known:
    """What statements are made of."""

    model: Model
    job: Job
    rows: Sequence[LeaderboardRow]

    @property
    def metric(self) -> str:
        row = METRICS.get(self.model.metric)
        return row.label if row else self.model.metric

    @property
    def target(self) -> Named:
        return column(self.model.contract.get("target", "the target"))

    def told(self, name: str) -> Any:
        return self.model.diagnostics.get(name)


Say = tuple[str, str, tuple[Named, ...]]  # cell, text, names


def column(name: object) -> Named:
    return Named("column", str(name))


def value(name: object) -> Named:
    return Named("value", str(name))


def class_(name: object) -> Named:
    return Named("class", str(name))


def model_(name: object) -> Named:
    return Named("model", str(name))


def statements(model: Model, job: Job, rows: Sequence[LeaderboardRow]) -> tuple[Statement, ...]:
    """In the order of their topics, numbered S1, S2, …"""
    known = Known(model, job, rows)
    said = [(topic, *each) for topic, tell in TOPICS.items() for each in tell(known)]
    return tuple(
        Statement(f"S{number}", topic, cell, text, names)
        for number, (topic, cell, text, names) in enumerate(said, 1)
    )


# --- quality ----------------------------------------------------------------------------------------------


def _quality(known: Known) -> Iterator[Say]:
    model, metric = known.model, known.metric
    better = "higher" if known.job.direction == "maximize" else "lower"
    spread = f" ± {scored(model.score_std)} over the folds" if model.score_std else ""
    yield (
        "Leaderboard › champion",
        f"The champion is {{0}}; it predicts {{1}}, and its {metric} is {scored(model.score)}{spread}; "
        f"{better} is better.",
        (model_(model.name), known.target),
    )
    scores = [row.score for row in known.rows if row.algorithm == BASELINE and row.score is not None]
    if scores:
        text = f"Without learning from any column, the {metric} is {scored(scores[0])}."
        yield "Leaderboard › baseline", text, ()
    rows, columns = known.told("rows"), len(model.contract.get("columns", ()))
    if rows:
        yield (
            "Diagnostics › rows",
            f"It looks at {columns} columns and was judged on {written(rows)} rows that it had not seen.",
            (),
        )
    for member, weight in list(zip(model.members, model.weights, strict=False))[:MOST_ROWS]:
        if len(model.members) > 1:
            yield (
                "Champion › made of", f"{{0}} has a weight of {percent(weight)} in the ensemble.",
                (model_(member),),
            )  # fmt: skip
    others = [
        row
        for row in known.rows
        if row.rank and not row.champion and row.score is not None and row.algorithm != BASELINE
    ]
    for row in others[:MOST_ROWS]:
        yield (
            f"Leaderboard › rank {row.rank}",
            f"{{0}} is rank {row.rank} of the leaderboard; its {metric} is {scored(row.score or 0.0)}.",
            (model_(row.name or row.algorithm),),
        )


# --- columns ----------------------------------------------------------------------------------------------


def _columns(known: Known) -> Iterator[Say]:
    for rank, each in enumerate(known.model.importances[:MOST_COLUMNS], 1):
        yield (
            f"Importance › {each.column}",
            f"{{0}} ranks {rank} of {len(known.model.importances)} by importance: shuffling it costs "
            f"{scored(each.mean)} ± {scored(each.std)} of {known.metric}.",
            (column(each.column),),
        )
    shap: Json = known.told("shap") or {}
    for each in shap.get("columns", ())[:MOST_PARTS]:
        yield (
            f"Importance › SHAP › {each['column']}",
            f"In {{1}}, {{0}} moves the {shap['scale']} by {written(each['mean'])} on average (SHAP values).",
            (column(each["column"]), model_(shap["name"])),
        )


def _dependence(known: Known) -> Iterator[Say]:
    regression = known.model.task is Task.REGRESSION
    for each in (known.told("dependence") or ())[:MOST_COLUMNS]:
        for curve in each["curves"][:3]:
            means = curve["mean"]
            low, high = min(means), max(means)
            ends = [each["grid"][means.index(edge)] for edge in (low, high)]
            tell = written if regression else percent
            of = "the predicted {1}" if regression else "the probability of {1}"
            yield (
                f"Dependence › {each['column']}",
                f"When only {{0}} changes, the mean of {of} goes from {tell(low)} at {{2}} to {tell(high)} "
                "at {3}.",
                (
                    column(each["column"]),
                    column(curve["label"]) if regression else class_(curve["label"]),
                    *(value(_shown(end)) for end in ends),
                ),
            )


def _shown(end: Any) -> str:
    if isinstance(end, bool):
        return str(end).lower()
    return written(end) if isinstance(end, int | float) else str(end)


# --- errors -----------------------------------------------------------------------------------------------


def _classes(known: Known) -> Iterator[Say]:
    for each in (known.told("classes") or ())[:MOST_CLASSES]:
        yield (
            f"Diagnostics › by class › {each['label']}",
            f"Of {{0}} there are {written(each['support'])} rows; {percent(each['recall'])} of them are "
            f"found, and {percent(each['precision'])} of the answers {{0}} are right.",
            (class_(each["label"]),),
        )
    for each in (known.told("confused") or ())[:MOST_PARTS]:
        yield (
            "Diagnostics › confused classes",
            f"In {written(each['rows'])} rows, {percent(each['share'])} of {{0}}, {{0}} is taken for {{1}}.",
            (class_(each["actual"]), class_(each["predicted"])),
        )
    for each in (known.told("curves") or ())[:2]:
        yield (
            f"Diagnostics › ROC › {each['label']}",
            f"For {{0}} the area under the ROC curve is {scored(each['roc']['area'])} and the average "
            f"precision {scored(each['precision_recall']['area'])}.",
            (class_(each["label"]),),
        )


def _residuals(known: Known) -> Iterator[Say]:
    told: Json = known.told("residuals") or {}
    if not told:
        return
    yield (
        "Diagnostics › residuals",
        f"The predictions of {{0}} err by {written(told['mae'])} on average and by {written(told['rmse'])} "
        f"as root mean square; actual minus predicted is {written(told['mean'])} on average.",
        (known.target,),
    )
    if told.get("r2") is not None:
        yield (
            "Diagnostics › residuals › R2",
            f"The model accounts for {percent(told['r2'])} of the variance of {{0}}.",
            (known.target,),
        )
    spread = told["quantiles"]
    yield (
        "Diagnostics › residuals › quantiles",
        f"In 90 % of the rows, actual minus predicted lies between {written(spread['0.05'])} and "
        f"{written(spread['0.95'])}.",
        (),
    )


def _parts(known: Known) -> Iterator[Say]:
    told: Json = known.told("parts") or {}
    if not told:
        return
    tell = percent if told["error"] == SHARES else written
    yield (
        "Slices › whole table",
        f"Over the whole table the {told['error']} is {tell(told['whole']['error'])}.", (),
    )  # fmt: skip
    for each in told["worst"][:MOST_PARTS]:
        names = [name for at in each["where"] for name in (column(at["column"]), value(at["label"]))]
        where = " and ".join(f"{{{2 * i}}} is {{{2 * i + 1}}}" for i in range(len(each["where"])))
        yield (
            "Slices › where it errs most",
            f"In the {written(each['rows'])} rows where {where}, the {told['error']} is "
            f"{tell(each['error'])}; in all other rows it is {tell(each['rest'])}.",
            tuple(names),
        )


def _fairness(known: Known) -> Iterator[Say]:
    told: Json = known.told("parts") or {}
    classes = [str(each) for each in known.model.contract.get("classes", ())]
    for each in told.get("columns", ())[:MOST_COLUMNS]:
        for gap in each["gaps"]:
            text = MEASURES.get(gap["measure"])
            if text is None or (len(classes) != 2 and gap["measure"] != "residual"):
                continue
            tell = written if gap["measure"] == "residual" else percent
            least, most = gap["least"], gap["most"]
            second = class_(classes[1]) if len(classes) == 2 else known.target
            yield (
                f"Fairness › {each['column']}",
                f"By {{0}}, {text}: {tell(least['value'])} for {{2}} at the least, {tell(most['value'])} "
                "for {3} at the most.",
                (column(each["column"]), second, value(least["label"]), value(most["label"])),
            )


MEASURES = {
    "predicted": "the share of rows answered as {1} differs",
    "hit_rate": "the share of {1} that is found differs",
    "residual": "the mean of actual minus predicted {1} differs",
}


# --- the job ----------------------------------------------------------------------------------------------


def _job(known: Known) -> Iterator[Say]:
    receipt = known.job.receipt
    if receipt is not None:
        used = written(round(receipt.used_s, 1))
        yield "Receipt", f"The job used {used} s; its budget was {written(receipt.budget_s)} s.", ()
        for state, count in receipt.trials.items():
            yield "Receipt › trials", f"Trials that {ENDS.get(state, state)}: {count}.", ()
    if known.model.latency_ms:
        latency = written(round(known.model.latency_ms, 2))
        yield "Leaderboard › latency", f"One row is answered in {latency} ms.", ()
    size = known.model.onnx.size
    shown = f"{written(round(size / 1e6, 1))} MB" if size >= 1e6 else f"{written(round(size / 1e3, 1))} kB"
    yield "Champion › file", f"The file of the model has {shown}.", ()


TOPICS: dict[str, Callable[[Known], Iterator[Say]]] = {
    "How good it is": _quality,
    "What it looks at": _columns,
    "How the answer follows a column": _dependence,
    "How it errs": lambda known: iter([*_classes(known), *_residuals(known), *_parts(known)]),
    "How groups differ": _fairness,
    "What the job took": _job,
}
