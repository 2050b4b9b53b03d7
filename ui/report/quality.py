"""How good a model is: its metrics with intervals, its probabilities or errors, and where it errs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from flowml.storage.records import Json, Task
from flowml.ui import catalog, words
from flowml.ui.charts import confused, curves, gains, residuals
from flowml.ui.charts.confusion import confusion
from flowml.ui.charts.importance import importance as bars
from flowml.ui.charts.parts import errors
from flowml.ui.report import intervals, markup
from flowml.ui.report.facts import Facts
from flowml.ui.report.svg import HALF, drawn

UNMEASURED = "Nothing was measured: the budget left no time for it."
PARTS = 5  # of a regression's rows, by what is predicted
CHARTED = 4  # columns whose groups are drawn
WRONG = "share of wrong answers"
GUIDE = (
    "Intervals are at 95 %. That of the score is Student's over folds, which share rows and so make it a "
    "guide; shares have Wilson's interval, areas under ROC curves that of Hanley and McNeil. All are about "
    "rows like these: rows of another time or place may score otherwise."
)
Line = tuple[str, str, str, str]


def metrics(facts: Facts) -> str:
    lines = [_score(facts), *_of_classes(facts.diagnostics), *_of_values(facts.diagnostics)]
    head = ("Metric", "Value", "Interval at 95 %", "Of")
    told = facts.diagnostics
    charts = []
    if "confusion" in told:
        charts.append(confusion(told["confusion"], facts.target))
    if told.get("curves"):
        charts += [curves.roc(told["curves"]), curves.precision_recall(told["curves"])]
        decided = [curve for curve in told["curves"] if "decisions" in curve]
        charts += [gains.gain(decided), gains.lift(decided)] if decided else []
    if "scatter" in told:
        charts.append(residuals.actual_and_predicted(told["scatter"], facts.target))
    return (
        markup.table(head, lines, (1,))
        + markup.paragraph(GUIDE, "note")
        + _baseline(facts)
        + markup.two([drawn(chart, HALF) for chart in charts])
    )


def _score(facts: Facts) -> Line:
    model, champion = facts.model, facts.champion
    scores = champion.fold_scores if champion else ()
    name = f"{catalog.metric(model.metric)} (what the search made as good as it could)"
    of = f"{len(scores)} folds" if scores else ""
    return name, words.score(model.score), markup.between(intervals.of_folds(scores)), of


def _baseline(facts: Facts) -> str:
    dummy = facts.diagnostics.get("baseline", {}).get("score")
    if dummy is None:
        return ""
    name = catalog.metric(facts.model.metric)
    return markup.paragraph(f"Without looking at any column, a model scores {words.score(dummy)} ({name}).")


def _of_classes(told: Json) -> list[Line]:
    """Shares of rows, from the confusion matrix, and areas under curves."""
    if "confusion" not in told:
        return []
    lines: list[Line] = []
    labels, counts = told["confusion"]["labels"], told["confusion"]["counts"]
    if not told["confusion"].get("left_out"):
        right = sum(row[i] for i, row in enumerate(counts))
        lines.append(_of_share("Accuracy", right, sum(map(sum, counts)), "rows"))
    if len(labels) == 2:
        (quiet, alarms), (missed, hits) = counts
        lines += [
            _of_share(f"Precision of {labels[1]}", hits, hits + alarms, "rows predicted so"),
            _of_share(f"Recall of {labels[1]}", hits, hits + missed, "rows that are so"),
            _of_share(f"Recall of {labels[0]}", quiet, quiet + alarms, "rows that are so"),
        ]
    rows = told["rows"]
    for curve in told.get("curves", []):
        support = next((each["support"] for each in told["classes"] if each["label"] == curve["label"]), 0)
        area = curve["roc"]["area"]
        found = intervals.of_area(area, support, rows - support)
        of = f"{support:,} of {rows:,} rows"
        lines.append((f"Area under ROC of {curve['label']}", words.score(area), markup.between(found), of))
    return lines


def _of_share(name: str, hits: int, rows: int, of: str) -> Line:
    value = words.score(hits / rows) if rows else words.MISSING
    return name, value, markup.between(intervals.of_share(hits, rows)), f"{rows:,} {of}"


def _of_values(told: Json) -> list[Line]:
    if "residuals" not in told:
        return []
    known, rows = told["residuals"], told["rows"]
    mean = intervals.of_mean(known["mean"], known["std"], rows)
    r2 = words.score(known["r2"]) if known.get("r2") is not None else words.MISSING
    of = words.plural(rows, "row")
    bias = "Mean error (actual less predicted)"
    return [
        ("RMSE", words.number(known["rmse"]), words.MISSING, of),
        ("Mean absolute error", words.number(known["mae"]), words.MISSING, of),
        ("R²", r2, words.MISSING, of),
        (bias, words.number(known["mean"]), markup.between(mean), of),
    ]


# --- calibration ------------------------------------------------------------------------------------------


def calibration(facts: Facts) -> str:
    told = facts.diagnostics
    if facts.model.task is Task.REGRESSION and "residuals" in told:
        quantiles = told["residuals"]["quantiles"]
        low, high = quantiles["0.05"], quantiles["0.95"]
        text = (
            f"Nine in ten errors (actual less predicted) lie between {words.number(low)} and "
            f"{words.number(high)}: add both to a prediction for the range that it stands for."
        )
        return markup.paragraph(text) + drawn(
            residuals.errors(told["histogram"], told["residuals"], facts.target)
        )
    if not told.get("curves"):
        return markup.paragraph(UNMEASURED)
    rows = [(curve["label"], words.percent(gap(curve["calibration"]))) for curve in told["curves"]]
    return (
        markup.paragraph(_threshold(facts))
        + drawn(curves.calibration(told["curves"]))
        + markup.table(("Class", "Mean gap between predicted and observed"), rows, (1,))
    )


def gap(told: Json) -> float:
    """The mean distance of predicted from observed shares, by rows (expected calibration error)."""
    parts = zip(told["predicted"], told["observed"], told["count"], strict=True)
    rows = sum(told["count"])
    return (
        sum(count * abs(predicted - observed) for predicted, observed, count in parts) / rows if rows else 0.0
    )


def _threshold(facts: Facts) -> str:
    if facts.model.threshold is None:
        return "The answer is the likeliest class."
    return f"From a probability of {facts.model.threshold:.3g} on, the answer is the second class."


# --- importance -------------------------------------------------------------------------------------------


def importance(facts: Facts) -> str:
    model = facts.model
    if not model.importances:
        return markup.paragraph(UNMEASURED)
    metric = catalog.metric(model.metric)
    told = (
        "Measured by shuffling one column at a time on rows that the models had not seen. Columns that tell "
        "the same can stand in for each other and then both look weak."
    )
    idle = [each.column for each in model.importances if each.mean - each.std <= 0]
    quiet = f"No clear effect on the score: {words.listing(idle, 12)}." if idle else ""
    return (
        drawn(bars(model.importances, metric))
        + markup.paragraph(told, "note")
        + (markup.paragraph(quiet) if quiet else "")
    )


# --- slices -----------------------------------------------------------------------------------------------


def slices(facts: Facts) -> str:
    told = facts.diagnostics
    whole = _by_class(told) if told.get("classes") else ""
    if told.get("scatter") and not whole:
        whole = _by_range(told["scatter"])
    parts = _by_part(told["parts"]) if told.get("parts") else ""
    return whole + parts or markup.paragraph(UNMEASURED)


def _by_part(parts: Json) -> str:
    """Parts of the table that are answered worse than the rest, and how each column parts the errors."""
    write = words.percent if parts["error"] == WRONG else words.number
    lines = [
        (
            " and ".join(f"{each['column']}: {each['label']}" for each in found["where"]),
            words.count(found["rows"]),
            write(found["error"]),
            write(found["rest"]),
            f"{found['surety']:.1f}",
        )
        for found in parts["worst"]
    ]
    error, whole = parts["error"].capitalize(), parts["whole"]
    head = ("Part of the table", "Rows", error, "All other rows", "Standard errors apart")
    told = f"Each row is judged by models that had not seen it. Of all rows: {write(whole['error'])}."
    none = "No part of the table errs more than the rest by 3 standard errors or more."
    worst = markup.table(head, lines, (1, 2, 3, 4)) if lines else markup.paragraph(none)
    shown = [
        drawn(errors(each["column"], each["groups"], whole, parts["error"]), HALF)
        for each in parts["columns"][:CHARTED]
    ]
    return worst + markup.paragraph(told, "note") + markup.two(shown)


def _by_class(told: Json) -> str:
    lines = []
    for each in sorted(told["classes"], key=lambda each: -int(each["support"]))[:40]:
        hits = each["recall"] * each["support"]
        named = hits / each["precision"] if each["precision"] else 0.0
        lines.append(
            (
                each["label"],
                words.count(each["support"]),
                words.score(each["precision"]),
                markup.between(intervals.of_share(hits, named)),
                words.score(each["recall"]),
                markup.between(intervals.of_share(hits, each["support"])),
                words.score(each["f1"]),
            )
        )
    head = ("Class", "Rows", "Precision", "at 95 %", "Recall", "at 95 %", "F1")
    pairs = confused.pairs(told.get("confused", ())) if len(told["classes"]) > 2 else None
    return markup.table(head, lines, (1, 2, 4, 6)) + (drawn(pairs) if pairs else "")


def _by_range(scatter: Json) -> str:
    """Rows in order of what is predicted, cut into equal parts."""
    both = sorted(zip(scatter["predicted"], scatter["actual"], strict=True))
    size = -(-len(both) // PARTS) or 1
    parts = [both[start : start + size] for start in range(0, len(both), size)]
    lines = [
        (
            f"{words.number(part[0][0])} to {words.number(part[-1][0])}",
            words.count(len(part)),
            words.number(fmean(_errors(part))),
            words.number(fmean(map(abs, _errors(part)))),
        )
        for part in parts
    ]
    told = "Mean errors above 0 mean that the model predicts too little there."
    head = ("Predicted", "Rows", "Mean error", "Mean absolute error")
    return markup.table(head, lines, (1, 2, 3)) + markup.paragraph(told, "note")


def _errors(part: Sequence[tuple[float, float]]) -> list[float]:
    return [actual - predicted for predicted, actual in part]
