"""Tables made up like real ones, with and without planted defects, to measure the checks by.

A table is drawn from a seed: its columns, their spreads and gaps, and a target that follows from several of
them. Then defects are planted, and the table says which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from flowml.storage.canonical import settle
from flowml.storage.reading import typed_reading
from flowml.storage.records import JobSpec

Chance = np.random.Generator
Column = pl.Series | np.ndarray | list[object]
ANYWHERE = "*"  # of a defect of the whole table
SAME = {"leakage": "target_copy"}  # kinds that are one defect


@dataclass
class Draft:
    """A table in the making. `truth` holds the kind and column of each defect."""

    chance: Chance
    rows: int
    columns: dict[str, Column] = field(default_factory=dict)
    signal: np.ndarray = field(default_factory=lambda: np.zeros(0))
    target: str = "outcome"
    task: str = "binary"
    truth: set[tuple[str, str]] = field(default_factory=set)
    twins: dict[str, str] = field(default_factory=dict)  # of which either may be told

    def put(self, name: str, values: Column) -> str:
        """Under this name, or a free one like it."""
        free, number = name, 2
        while free in self.columns or free == self.target:
            free, number = f"{name} {number}", number + 1
        self.columns[free] = values
        return free

    def frame(self) -> pl.DataFrame:
        return settle(typed_reading(pl.DataFrame(self.columns, strict=False))).frame

    def spec(self) -> JobSpec:
        return JobSpec(self.target, task=self.task)


# --- ordinary columns -------------------------------------------------------------------------------------


def kinds(chance: Chance, rows: int, names: list[str], steep: float = 1.0) -> np.ndarray:
    weights = 1 / np.arange(1, len(names) + 1) ** steep
    return chance.choice(np.array(names), rows, p=weights / weights.sum())


def days(chance: Chance, rows: int, first: str = "2015-01-01", span: int = 2000) -> np.ndarray:
    return np.datetime64(first) + chance.integers(0, span, rows).astype("timedelta64[D]")


def words(chance: Chance, rows: int) -> list[str]:
    some = np.array(
        ["good", "bad", "late", "broken", "paper", "box", "screen", "cold", "very", "not", "gift"]
    )
    return [" ".join(chance.choice(some, chance.integers(4, 14))) for _ in range(rows)]


ORDINARY: tuple[tuple[str, Callable[[Chance, int], Column]], ...] = (
    ("height", lambda c, n: c.normal(170, 9, n).round(1)),
    ("amount", lambda c, n: c.gamma(2, 60, n).round(2)),
    ("income", lambda c, n: c.lognormal(10, c.uniform(0.4, 1.2), n).round(0)),
    ("wealth", lambda c, n: (c.pareto(2.0, n) + 1) * 1000),
    ("returns", lambda c, n: c.standard_t(3, n)),
    ("visits", lambda c, n: c.poisson(c.uniform(0.5, 6), n)),
    ("age", lambda c, n: c.integers(18, 96, n)),
    ("share", lambda c, n: c.beta(2, 5, n)),
    ("score", lambda c, n: c.integers(0, 101, n)),
    ("rating", lambda c, n: c.integers(1, 6, n)),
    ("trend", lambda c, n: c.integers(-1, 2, n)),
    ("spent", lambda c, n: np.where(c.random(n) < 0.6, 0, c.gamma(2, 30, n).round(2))),
    ("level", lambda c, n: np.where(c.random(n) < 0.5, c.normal(5, 1, n), c.normal(12, 1, n))),
    ("year built", lambda c, n: c.integers(1900, 2021, n)),
    ("member", lambda c, n: c.random(n) < 0.4),
    ("vip", lambda c, n: c.random(n) < 0.03),
    ("plan", lambda c, n: kinds(c, n, ["basic", "plus", "pro"])),
    ("garage", lambda c, n: kinds(c, n, ["attached", "none", "detached", "other"])),
    ("city", lambda c, n: kinds(c, n, [f"city {k}" for k in range(c.integers(8, 40))])),
    ("zip code", lambda c, n: kinds(c, n, [f"{k * 37 + 10115:05}" for k in range(30)], 0.5)),
    ("product_id", lambda c, n: c.integers(100, 140, n)),
    ("agent_id", lambda c, n: kinds(c, n, [f"A{k:03}" for k in range(25)], 0.3)),
    ("signup date", lambda c, n: days(c, n)),
    ("birth date", lambda c, n: days(c, n, "1940-01-01", 22_000)),
    ("comment", words),
    ("temperature", lambda c, n: c.normal(12, 7, n).round(1)),
    ("latitude", lambda c, n: 48 + c.random(n) * 3),
    ("bits", lambda c, n: c.integers(0, 2, n)),
)


def ordinary(chance: Chance, rows: int, task: str) -> Draft:
    """A table without defects, in which no column knows the target."""
    draft = Draft(chance, rows, target=str(chance.choice(["outcome", "churn", "price", "label"])), task=task)
    chosen = chance.permutation(len(ORDINARY))[: chance.integers(6, 16)]
    for place in chosen:
        name, make = ORDINARY[place]
        draft.put(name, make(chance, rows))
    if chance.random() < 0.3:
        first = chance.normal(0, 1, rows)
        draft.put("width", first)
        draft.put("depth", first + chance.normal(0, 0.1, rows))  # alike, and not the same
    if chance.random() < 0.3:
        draft.put("ordered on", np.sort(days(chance, rows)))  # in order, and the target does not care
    draft.signal = _signal(draft)
    if chance.random() < 0.25:  # one column that honestly knows much
        strong = draft.signal + chance.normal(0, draft.signal.std() * chance.uniform(0.5, 1), rows)
        draft.put("strength", strong)
    _put_gaps(draft)
    return draft


def _signal(draft: Draft) -> np.ndarray:
    """From several columns, none of which decides."""
    telling = [c for c in draft.columns.values() if np.asarray(c).dtype.kind in "fiub"]
    total = draft.chance.normal(0, 1, draft.rows) * draft.chance.uniform(0.5, 2)
    for column in telling[: draft.chance.integers(2, 7)]:
        values = np.asarray(column, float)
        placed = pl.Series(values).rank("average").to_numpy() / draft.rows
        total = total + draft.chance.uniform(0.3, 1.5) * draft.chance.choice([-1, 1]) * (placed - 0.5) * 3.4
    return np.asarray(total)


def _put_gaps(draft: Draft) -> None:
    for name, values in list(draft.columns.items()):
        if draft.chance.random() < 0.2:
            gone = draft.chance.random(draft.rows) < draft.chance.uniform(0.01, 0.3)
            draft.columns[name] = gapped(values, gone)


def gapped(values: Column, gone: np.ndarray) -> pl.Series:
    frame = pl.DataFrame({"value": values, "gone": gone})
    return frame.select(pl.when(~pl.col("gone")).then("value")).to_series()


def put_target(draft: Draft, share: float | None = None, tiny: int = 0) -> None:
    """`share` is that of the positives; `tiny` the rows of one class more."""
    signal, chance = draft.signal, draft.chance
    if draft.task == "regression":
        draft.columns[draft.target] = np.exp(signal / 3 + 5) if chance.random() < 0.5 else signal * 40 + 300
        return
    if draft.task == "binary":
        cut = np.quantile(signal, 1 - (share or chance.uniform(0.12, 0.5)))
        names = [("no", "yes"), ("0", "1"), ("good", "bad")][chance.integers(3)]
        labels = np.where(signal > cut, names[1], names[0]).astype("U12")
    else:
        cuts = np.quantile(signal, np.sort(chance.uniform(0.2, 0.8, chance.integers(2, 4))))
        labels = np.array([f"class {k}" for k in range(len(cuts) + 1)], "U12")[np.searchsorted(cuts, signal)]
    if tiny:
        labels[chance.permutation(draft.rows)[:tiny]] = "rare"
    numeric = draft.task == "binary" and set(labels) == {"0", "1"}
    draft.columns[draft.target] = labels.astype(int) if numeric else labels


# --- defects ----------------------------------------------------------------------------------------------
# Those before the target change the rows or the signal, those after it add or change columns.


def time_order(draft: Draft) -> None:
    """The target drifts, or swings slowly, along a date."""
    place = np.arange(draft.rows) / draft.rows
    slow = np.sin(place * draft.chance.uniform(3, 12)) if draft.chance.random() < 0.5 else 2 * place
    draft.signal = draft.signal + draft.signal.std() * draft.chance.uniform(0.8, 1.5) * slow
    moments = np.sort(days(draft.chance, draft.rows))
    draft.columns.pop("ordered on", None)  # would be as good to split by
    shuffled = draft.chance.random() < 0.4  # the rows need not lie in order
    name = draft.put(
        "order date" if shuffled else str(draft.chance.choice(["date", "measured", "sold"])), moments
    )
    if shuffled:
        _shuffle(draft)
    draft.truth.add(("time_order", name))


def _shuffle(draft: Draft) -> None:
    order = draft.chance.permutation(draft.rows)
    draft.signal = draft.signal[order]
    draft.columns = {name: pl.Series(values)[order] for name, values in draft.columns.items()}


def repeated_entities(draft: Draft) -> None:
    """Rows of one customer share much of the signal, or most of what is known of the customer."""
    chance, groups = draft.chance, max(15, draft.rows // int(draft.chance.integers(4, 15)))
    member = chance.integers(0, groups, draft.rows)
    own = chance.normal(0, 1, groups)
    draft.signal = draft.signal + draft.signal.std() * chance.uniform(0.9, 1.6) * own[member]
    forms: list[Callable[[int], object]] = [
        lambda k: f"P-{k:05}",
        lambda k: k + 50_000,
        lambda k: f"{k * 7919 % 999_983:06x}",
    ]
    form = forms[int(chance.integers(len(forms)))]
    ids = [form(int(k)) for k in chance.permutation(groups)[member]]
    called = str(chance.choice(["customer_id", "patient", "Device ID"]))
    draft.truth.add(("repeated_entities", draft.put(called, ids)))
    if called == "patient" or groups <= 50:  # no key by its name, or maybe of kinds: more must speak for it
        for name in ("sex", "blood group", "born in", "clinic"):
            draft.put(name, chance.integers(0, 4, groups)[member])


def target_copy(draft: Draft) -> None:
    chance, target = draft.chance, pl.Series(draft.columns[draft.target])
    if draft.task == "regression":
        values = target.to_numpy().astype(float)
        low, high = np.quantile(values, [0.1, 0.9])
        ways: list[Callable[[], Column]] = [
            lambda: values * chance.uniform(0.2, 5) + chance.uniform(-50, 50),
            lambda: np.log1p(values - values.min()),
            lambda: (values / (high - low) * 2000).round(0),
            lambda: np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values),
            lambda: np.where(values > np.quantile(values, 0.6), "high", "low"),
            lambda: -(values**3),
        ]
    else:
        classes = target.unique(maintain_order=True).to_list()
        codes = target.replace_strict(classes, list(range(len(classes))), return_dtype=pl.Int64)
        ways = [
            lambda: codes,
            lambda: codes.replace_strict(
                list(range(len(classes))), [f"state {k}" for k in range(len(classes))]
            ),
            lambda: gapped(codes * 10 + 3, chance.random(draft.rows) < 0.1),
        ]
    name = draft.put(
        str(chance.choice(["result", "total", "final status"])), ways[chance.integers(len(ways))]()
    )
    draft.truth.add(("target_copy", name))


def leakage(draft: Draft) -> None:
    chance, target = draft.chance, pl.Series(draft.columns[draft.target])
    if draft.task == "regression":
        values = target.to_numpy().astype(float)
        values = values + chance.normal(0, 0.06 * values.std(), draft.rows)
        name = draft.put("invoice", values)
    else:
        classes = target.unique(maintain_order=True).to_list()
        codes = target.replace_strict(classes, list(range(len(classes))), return_dtype=pl.Int64).to_numpy()
        wrong = chance.random(draft.rows) < 0.02 * np.bincount(codes).min() / draft.rows
        codes = np.where(wrong, chance.integers(0, len(classes), draft.rows), codes)
        ways: list[Callable[[], Column]] = [
            lambda: codes * 3 + chance.normal(0, 0.5, draft.rows),
            lambda: gapped(days(chance, draft.rows), codes != codes[0]),
            lambda: [f"reason {code}{chance.integers(3)}" for code in codes],
        ]
        pick = chance.integers(2) * 2 if len(classes) > 2 else chance.integers(3)
        name = draft.put("closed on", ways[int(pick)]())
    draft.truth.add(("leakage", name))


def identifier(draft: Draft) -> None:
    chance, rows = draft.chance, draft.rows
    numbers = chance.permutation(rows * int(chance.integers(1, 4)))[:rows]
    ways: list[tuple[str, Callable[[], Column]]] = [
        ("reference", lambda: [f"C-{n:06}" for n in numbers]),
        ("number", lambda: numbers + 10_000),
        ("row", lambda: np.arange(1, rows + 1)),
        ("key", lambda: [f"{n:08x}-{n % 65536:04x}-4a3b-8c2d-{n * 7919 % 2**48:012x}" for n in numbers]),
        ("mail", lambda: [f"user{n}@mail.example" for n in numbers]),
    ]
    name, make = ways[chance.integers(len(ways))]
    draft.truth.add(("identifier", draft.put(name, make())))


def constant(draft: Draft) -> None:
    values: list[object] = [["EUR", 1, 0.0, True][draft.chance.integers(4)]] * draft.rows
    if draft.rows > 2500 and draft.chance.random() < 0.4 and isinstance(values[0], str):
        values[draft.chance.integers(draft.rows)] = "USD"
    draft.truth.add(("constant", draft.put("currency", values)))


def duplicate_column(draft: Draft) -> None:
    chance = draft.chance
    known = {draft.target, *(column for _, column in draft.truth)}
    able = [name for name in draft.columns if name not in known and not name.startswith(("birth", "comment"))]
    plain = [n for n in able if pl.Series(draft.columns[n]).n_unique() > 1]
    first = str(chance.choice(plain))
    values = pl.Series(draft.columns[first])
    if values.dtype.is_float() and chance.random() < 0.5:
        second: pl.Series = values * 2.54
    elif values.dtype == pl.String and chance.random() < 0.5:
        names = values.unique(maintain_order=True).drop_nulls().to_list()
        second = values.replace_strict(names, list(range(len(names))), default=None, return_dtype=pl.Int64)
    else:
        second = values.clone()
    name = draft.put(f"{first} copy", second)
    draft.truth.add(("duplicate_column", name))
    draft.twins[first] = name


def duplicate_rows(draft: Draft) -> None:
    share = draft.chance.uniform(0.03, 0.2)
    again = draft.chance.integers(0, draft.rows, int(share * draft.rows))
    order = draft.chance.permutation(np.append(np.arange(draft.rows), again))
    if any(kind == "time_order" for kind, _ in draft.truth):
        order = np.sort(order)
    draft.columns = {name: pl.Series(values, strict=False)[order] for name, values in draft.columns.items()}
    draft.rows = len(order)
    draft.truth.add(("duplicate_rows", ANYWHERE))


def high_cardinality(draft: Draft) -> None:
    several = max(60, draft.rows // int(draft.chance.integers(2, 5)))
    values = [f"street {k}" for k in draft.chance.integers(0, several, draft.rows)]
    draft.truth.add(("high_cardinality", draft.put("street", values)))


def mixed_types(draft: Draft) -> None:
    chance, rows = draft.chance, draft.rows
    numbers = chance.gamma(2, 50, rows).round(1)
    if chance.random() < 0.3:
        values = [f"{n} kg" for n in numbers]
    else:
        strange = chance.random(rows) < chance.uniform(0.01, 0.15)
        strangers = chance.choice(["error", "see note", "n.v.", "off scale"], rows)
        values = [str(s) if odd else str(n) for n, s, odd in zip(numbers, strangers, strange, strict=True)]
        values[0] = "error"
    draft.truth.add(("mixed_types", draft.put("reading", values)))


def outliers(draft: Draft) -> None:
    chance, rows = draft.chance, draft.rows
    values = [
        lambda: chance.normal(60, 12, rows),
        lambda: chance.gamma(3, 20, rows),
        lambda: chance.lognormal(3, 0.5, rows),
        lambda: chance.integers(1, 100, rows).astype(float),
    ][chance.integers(4)]()
    some = chance.permutation(rows)[: chance.integers(1, 4)]
    values[some] = np.abs(values[some]) * 1000 + values.max() * 100
    draft.truth.add(("outliers", draft.put("weight", values)))


def missing(draft: Draft) -> None:
    gone = draft.chance.random(draft.rows) < draft.chance.uniform(0.96, 0.99)
    draft.truth.add(("missing", draft.put("note", gapped(draft.chance.normal(0, 1, draft.rows), gone))))


def disguised_missing(draft: Draft) -> None:
    chance, rows = draft.chance, draft.rows
    some = chance.random(rows) < chance.uniform(0.02, 0.2)
    some[:5] = True
    ways: list[Callable[[], Column]] = [
        lambda: np.where(some, -999, chance.normal(50, 10, rows).round(1)),
        lambda: np.where(some, 9999, chance.integers(0, 300, rows)),
        lambda: np.where(some, -1, chance.poisson(9, rows)),
        lambda: np.where(some, 99, chance.integers(1, 8, rows)),
        lambda: np.where(some, "?", kinds(chance, rows, ["red", "green", "blue"])),
        lambda: np.where(some, "unknown", kinds(chance, rows, ["north", "south"])),
        lambda: np.where(some, "-", kinds(chance, rows, [f"kind {k}" for k in range(12)])),
        lambda: np.where(some, np.datetime64("1900-01-01"), days(chance, rows)),
    ]
    draft.truth.add(("disguised_missing", draft.put("measure", ways[chance.integers(len(ways))]())))


BEFORE: dict[str, Callable[[Draft], None]] = {
    "time_order": time_order,
    "repeated_entities": repeated_entities,
}
AFTER: dict[str, Callable[[Draft], None]] = {
    each.__name__: each
    for each in (
        target_copy, leakage, identifier, constant, duplicate_column, high_cardinality, mixed_types, outliers,
        missing, disguised_missing,
    )
}  # fmt: skip
CLASSES = ("tiny_class", "imbalance")
KINDS = (*BEFORE, *CLASSES, *AFTER, "duplicate_rows")


def table(seed: int, planted: tuple[str, ...] | None = None) -> Draft:
    """The table of a seed; by default every fourth has no defect, and the others one to three."""
    chance = np.random.default_rng(seed)
    rows = int(chance.choice([400, 800, 1500, 3000]))
    if planted is None:
        first = KINDS[seed % len(KINDS)]
        more = chance.choice(np.array(KINDS), int(chance.integers(0, 3)))
        planted = () if chance.random() < 0.25 else (first, *(str(kind) for kind in more))
    task = str(chance.choice(["binary", "multiclass", "regression"]))
    if "imbalance" in planted:
        planted, task = tuple(kind for kind in planted if kind != "tiny_class"), "binary"
    elif "tiny_class" in planted:
        task = "multiclass"
    draft = ordinary(chance, rows, task)
    for kind in dict.fromkeys(planted):
        if kind in BEFORE and not draft.truth:  # one of the two: each would hide the other
            BEFORE[kind](draft)
    put_target(
        draft,
        float(chance.uniform(12 / rows, 0.04)) if "imbalance" in planted else None,
        int(chance.integers(2, 8)) if "tiny_class" in planted else 0,
    )
    for kind in AFTER:
        if kind in planted:
            AFTER[kind](draft)
    if "duplicate_rows" in planted:
        duplicate_rows(draft)
    _add_what_follows(draft)
    return draft


def _add_what_follows(draft: Draft) -> None:
    """What is true of the finished table, whoever planted it."""
    if draft.task == "regression":
        return
    counts = pl.Series(draft.columns[draft.target]).value_counts()["count"].to_list()
    if min(counts) < 10:
        draft.truth.add(("tiny_class", draft.target))
    if len(counts) == 2 and min(counts) < 0.1 * draft.rows:
        draft.truth.add(("imbalance", draft.target))
