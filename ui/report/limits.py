"""What a reader must not expect of a model, from what is known of it."""

from __future__ import annotations

from collections.abc import Iterator

from flowml.storage.records import Task
from flowml.ui import words
from flowml.ui.report import markup
from flowml.ui.report.data import findings_of
from flowml.ui.report.facts import Facts

FEW_ROWS, FEW_OF_CLASS = 500, 50


def limits(facts: Facts) -> str:
    return markup.bullets(known(facts))


def known(facts: Facts) -> Iterator[str]:
    yield from _of_rows(facts)
    yield from _of_columns(facts)
    yield from _of_findings(facts)
    yield from _of_file(facts)
    receipt = facts.job.receipt
    if receipt and receipt.cut:
        yield f"For want of time this was left out: {words.listing(list(receipt.cut), 8)}."
    yield from (words.sentence(note) for note in facts.model.card.get("notes", ()))


def _of_rows(facts: Facts) -> Iterator[str]:
    rows = facts.rows
    if rows is not None and rows < FEW_ROWS:
        few = words.plural(rows, "row")
        yield f"It learned from {few}, which is little: scores may move much with new rows."
    rare = [each for each in facts.diagnostics.get("classes", ()) if each["support"] < FEW_OF_CLASS]
    if rare:
        shown = words.listing([f"{each['label']} ({each['support']:,} rows)" for each in rare], 8)
        yield f"Few rows of some classes were there to learn from: {shown}."
    if facts.job.spec.split in ("random", "auto", "holdout"):
        yield (
            "It was checked on rows of the same table. If new rows come from a later time or from other "
            "groups, check it on such rows before relying on these scores."
        )


def _of_columns(facts: Facts) -> Iterator[str]:
    columns = facts.model.contract.get("columns", [])
    ranged = sum(1 for each in columns if each.get("minimum") is not None)
    worded = sum(1 for each in columns if each.get("categories"))
    if ranged:
        yield (
            f"{words.plural(ranged, 'column')} of numbers or dates: beyond the range seen in training, "
            "predictions carry a warning and should be distrusted."
        )
    if worded:
        yield (
            f"{words.plural(worded, 'column')} of categories: one that was not seen in training counts as "
            "unknown, and the prediction says so."
        )
    missing = [each["name"] for each in columns if each["missing_share"] > 0.3]
    if missing:
        yield f"More than three in ten values are missing in {words.listing(missing, 8)}."


def _of_findings(facts: Facts) -> Iterator[str]:
    grave = sum(1 for each in findings_of(facts) if each["severity"] == "error")
    if grave:
        yield f"The check of the table found {words.plural(grave, 'grave fault')}; see above before using it."
    if facts.model.task is not Task.REGRESSION and not facts.diagnostics.get("curves"):
        yield "Whether its probabilities can be trusted was not measured."


def _of_file(facts: Facts) -> Iterator[str]:
    parity, model = facts.model.parity, facts.model
    if parity.get("max_difference") is not None:
        yield (
            f"Its ONNX file differs from the libraries that trained it by {parity['max_difference']:.1e} at "
            f"most, on {parity.get('rows', 0):,} ordinary and hostile rows."
        )
    if model.latency_ms is not None:
        yield f"One row took {model.latency_ms:.2g} ms on one thread of the machine that trained it."
