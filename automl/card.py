"""The model card: what a model is, how good, on what it was trained, and how it is used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flowml.automl.contract import Kind
from flowml.storage.records import Finding, Json, Record, Task

MOST_IMPORTANCES = 20
MOST_CATEGORIES = 20
FORMAT = 1  # of the card
_OF_CHAMPION = (
    "name",
    "algorithm",
    "task",
    "metric",
    "direction",
    "score",
    "score_std",
    "threshold",
    "members",
    "weights",
    "latency_ms",
    "rows_per_second",
    "size_bytes",
    "parity",
    "notes",
)
_INPUTS = {
    Kind.NUMBER: "double (rows, 1), missing as NaN",
    Kind.STRING: "string (rows, 1), missing as ''",
    Kind.TEXT: "string (rows, 1), missing as ''",
    Kind.DATETIME: "int64 (rows, 1), seconds since 1970 in UTC, missing as the smallest int64",
}
_OUTPUTS = {
    False: {"label": "string (rows)", "probabilities": "float (rows, classes)"},
    True: {"prediction": "double (rows)"},
}


def card(champion: Record, training: Json | None = None, findings: Iterable[Finding] = ()) -> Json:
    """The card of a champion (see finish.Champion).

    `training` holds plain facts of the data and the split, `findings` what was noticed of the table.
    """
    values = champion.to_dict()
    contract = values["contract"]
    return {
        "card": FORMAT,
        **{name: values[name] for name in _OF_CHAMPION},
        "target": contract["target"],
        "classes": contract["classes"],
        "label_type": contract["label_type"],
        "columns": [_column(column) for column in contract["columns"]],
        "outputs": _OUTPUTS[values["task"] == Task.REGRESSION],
        "importances": values["importances"][:MOST_IMPORTANCES],
        "training": training or {},
        "findings": [finding.to_dict() for finding in findings],
    }


def _column(column: Json) -> Json:
    return {
        "name": column["name"],
        "role": column["role"],
        "kind": column["kind"],
        "input": column["input"] or column["name"],
        "takes": _INPUTS[Kind(column["kind"])],
        "categories": len(column["categories"]) if column["kind"] == Kind.STRING else None,
        "examples": column["categories"][:MOST_CATEGORIES],
        "minimum": column["minimum"],
        "maximum": column["maximum"],
        "missing_share": column["missing_share"],
    }


# --- Markdown ---------------------------------------------------------------------------------------------


def to_markdown(card: Json, package: str = "") -> str:
    """`package`: how the files beside the card are used, where it lies in a package."""
    parts = [
        f"# {_plain(card['name'])}",
        _summary(card),
        _section("Quality", _quality(card)),
        _section("Members", _table(("Model", "Weight"), zip(card["members"], card["weights"], strict=True))),
        _section("Training", _listed(card["training"])),
        _section("What was noticed of the table", _findings(card.get("findings", ()))),
        _section("Columns", _columns(card["columns"])),
        _section("What it looks at", _importances(card)),
        _section("Use", _use(card)),
        _section("The script of this package", package),
        _section("Notes", "\n".join(f"- {_plain(note)}" for note in card["notes"])),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(card: Json) -> str:
    target = f"Predicts **{_plain(card['target'])}** ({card['task']})"
    if not card["classes"]:
        return f"{target}, a number."
    shown = ", ".join(_plain(name) for name in card["classes"][:MOST_CATEGORIES])
    more = len(card["classes"]) - MOST_CATEGORIES
    return f"{target}: {shown}{f' and {more} more' if more > 0 else ''}."


def _quality(card: Json) -> str:
    best = "more is better" if card["direction"] == "maximize" else "less is better"
    facts = [
        f"{card['metric']}: {_number(card['score'])} ± {_number(card['score_std'])} over folds ({best}),"
        " on rows that the models had not seen",
    ]
    if card["latency_ms"] is not None:
        facts.append(f"{card['latency_ms']:.2g} ms for one row on one thread")
    if card["size_bytes"]:
        facts.append(f"{card['size_bytes'] / 1e6:.2g} MB")
    parity = card["parity"]
    if parity:
        facts.append(
            "the ONNX file was compared with the libraries that trained it:"
            f" largest difference {parity['max_difference']:.1e}"
            f" on {parity['rows']:,} ordinary and hostile rows"
        )
    return "\n".join(f"- {fact}" for fact in facts)


def _columns(columns: Sequence[Json]) -> str:
    def seen(column: Json) -> str:
        if column["categories"] is not None:
            return f"{column['categories']:,} categories"
        if column["minimum"] is None or column["kind"] == Kind.DATETIME:
            return ""
        return f"{_number(column['minimum'])} to {_number(column['maximum'])}"

    rows = ((c["name"], c["role"], seen(c), f"{c['missing_share']:.1%}") for c in columns)
    return _table(("Column", "Role", "Seen in training", "Missing"), rows)


def _findings(findings: Iterable[Json]) -> str:
    return "\n".join(
        f"- {finding['severity']}: {_plain(finding['message'])} {_plain(finding['advice'])}".rstrip()
        for finding in findings
    )


def _importances(card: Json) -> str:
    rows = [(i["column"], f"{_number(i['mean'])} ± {_number(i['std'])}") for i in card["importances"]]
    return _table(("Column", f"Loss of {card['metric']} when shuffled"), rows) if rows else ""


def _use(card: Json) -> str:
    inputs = _table(("Input", "Takes"), ((c["input"], c["takes"]) for c in card["columns"]))
    outputs = _table(("Output", "Gives"), card["outputs"].items())
    missing = "The texts nan, NaN, None, <NA>, NaT and null mean missing too."
    return (
        f"With onnxruntime, or `flowml predict`, which takes any table.\n\n{inputs}\n\n{outputs}\n\n{missing}"
    )


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _listed(facts: Json) -> str:
    return "\n".join(f"- {_plain(name)}: {_plain(value)}" for name, value in facts.items())


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _plain(value: Any) -> str:
    """Text that Markdown shows as it is, on one line."""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each) for each in value)
    one_line = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", one_line)
