"""What a model learned from: the table, what its check found, and how it was split."""

from __future__ import annotations

from flowml.storage.records import Column, Json, Role
from flowml.ui import tasks, words
from flowml.ui.report import markup
from flowml.ui.report.facts import Facts

MOST_COLUMNS = 100
MOST_FINDINGS = 60
GONE = "The table was deleted, or may not be seen by who asked for this report; the model still knows this:"
SPLITS = {
    "auto": "chosen for the table",
    "random": "random rows",
    "holdout": "one part held out",
}


def data(facts: Facts) -> str:
    dataset, job = facts.dataset, facts.job
    known = [
        ("Table", f"{dataset.name}, version {dataset.version}" if dataset else job.dataset_name),
        ("File", dataset.source if dataset else ""),
        ("Rows", words.count(dataset.rows) if dataset else ""),
        ("Rows learned from", words.count(facts.rows)),
        ("Columns", words.count(len(dataset.schema.columns)) if dataset else ""),
        ("Columns learned from", words.count(len(facts.model.contract.get("columns", [])))),
        ("Column to predict", facts.target),
        ("Task", tasks.WORDS[facts.model.task]),
        ("Why this task", facts.training.get("task", "")),
        ("SHA-256 of the table", job.dataset_sha256),
    ]
    gone = "" if dataset else markup.paragraph(GONE)
    return gone + markup.pairs(known) + _target(facts) + _columns(facts)


def _target(facts: Facts) -> str:
    """How often each class occurs, as far as the diagnostics tell."""
    classes = facts.diagnostics.get("classes", [])
    whole = sum(each["support"] for each in classes)
    if not whole:
        return ""
    rows = [
        (each["label"], words.count(each["support"]), words.percent(each["support"] / whole))
        for each in sorted(classes, key=lambda each: -int(each["support"]))[:30]
    ]
    more = len(classes) - len(rows)
    left_out = markup.paragraph(f"{more:,} rarer classes are left out.", "note") if more > 0 else ""
    return (
        markup.subtitle(f"Classes of {facts.target}")
        + markup.table(("Class", "Rows", "Share"), rows, (1, 2))
        + left_out
    )


def _columns(facts: Facts) -> str:
    dataset = facts.dataset
    learned = facts.model.contract.get("columns", [])
    if dataset is None:
        known = [(each["name"], each["role"], words.percent(each["missing_share"])) for each in learned]
        shown = markup.table(("Column", "Role", "Missing"), known[:MOST_COLUMNS], (2,))
        return markup.subtitle("Columns") + shown
    used = {each["name"] for each in learned}
    ordered = sorted(dataset.schema.columns, key=lambda column: column.name not in used)
    lines = [_column(facts, column, column.name in used) for column in ordered[:MOST_COLUMNS]]
    more = len(ordered) - len(lines)
    left_out = markup.paragraph(f"{more:,} more columns; the model card has those of the model.", "note")
    head = ("Column", "Role", "Learned from", "Values", "Missing")
    return markup.subtitle("Columns") + markup.table(head, lines, (4,)) + (left_out if more > 0 else "")


def _column(facts: Facts, column: Column, used: bool) -> tuple[str, ...]:
    assert facts.dataset is not None
    asked = facts.job.spec.roles.get(column.name) or facts.dataset.roles.get(column.name, column.role)
    role = Role.TARGET if column.name == facts.target else asked
    missing = column.missing / facts.dataset.rows if facts.dataset.rows else 0.0
    return column.name, role.value, "yes" if used else "no", _values(column), words.percent(missing)


def _values(column: Column) -> str:
    if isinstance(column.minimum, int | float) and isinstance(column.maximum, int | float):
        return f"{words.number(column.minimum)} to {words.number(column.maximum)}"
    if column.minimum is not None and column.type in ("date", "datetime", "time"):
        return f"{column.minimum} to {column.maximum}"
    frequent = ", ".join(words.short(value, 24) for value in column.top[:3])
    return f"{words.plural(column.unique, 'value')}: {frequent}" if frequent else ""


# --- what was noticed -------------------------------------------------------------------------------------


def findings_of(facts: Facts) -> list[Json]:
    """Those of the check and of the job, each once."""
    told = [finding.to_dict() for finding in facts.job.findings]
    every = [*told, *facts.model.card.get("findings", [])]
    once = {(each["kind"], each.get("column"), each["message"]): each for each in every}
    order = ["error", "warning", "note"]
    return sorted(once.values(), key=lambda each: order.index(each["severity"]))


def findings(facts: Facts) -> str:
    known = findings_of(facts)
    if not known:
        return markup.paragraph("The check of the table noticed nothing.")
    rows = [(each["severity"], each["message"], each.get("advice", "")) for each in known[:MOST_FINDINGS]]
    more = len(known) - len(rows)
    left_out = markup.paragraph(f"{more:,} more are left out.", "note") if more > 0 else ""
    return markup.table(("Weight", "What was noticed", "What to do"), rows) + left_out


# --- the split --------------------------------------------------------------------------------------------


def split(facts: Facts) -> str:
    spec, champion = facts.job.spec, facts.champion
    kind, _, column = spec.split.partition(":")
    asked = f"by {kind}, column {column}" if column else SPLITS.get(kind, kind)
    scores = champion.fold_scores if champion else ()
    known = [
        ("Asked for", asked),
        ("Chosen", facts.training.get("split", "")),
        ("Folds", facts.training.get("folds") or spec.folds or len(scores) or ""),
        ("Seed", spec.seed),
        ("Scores of the champion, fold by fold", "  ".join(map(words.score, scores))),
    ]
    told = (
        "Every score in this report is out-of-fold: each row is judged by models that have not seen it, and "
        "all rows of the search were split in the same way."
    )
    return markup.paragraph(told) + markup.pairs(known)
