"""Rows that belong together: repeated rows, rows of one entity, rows in the order of time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
import polars.selectors as cs

from flowml.storage import keys, mending, sample
from flowml.storage.association import correlation_ratio, ranks, spearman
from flowml.storage.check.table import Table
from flowml.storage.coded import Codes, Floats
from flowml.storage.goal import Goal, goal_of
from flowml.storage.records import Column, Finding, Role, Severity, Task

COUNTED_ROWS = 50_000_000
SURPRISE = 1e-4  # rows like a repeated one that chance would give, at most
REPEATED_SHARE, MANY_REPEATED = 0.003, 0.05

LEAST_GROUPS = 10
MOST_KINDS = 50  # a key with fewer values may name kinds, to which new rows belong as well
MOST_CANDIDATES = 8
ROWS_PER_GROUP = 1.5
ALIKE = 0.25  # of one entity: the correlation ratio of the target
SAME = 0.9  # the same, where things are named by a word that may name kinds
FIXED_SHARE = 0.15  # of the other columns say the same in all rows of an entity
FIXED = 0.98

BLOCKS = 20
CHANGES = 0.12  # correlation ratio of the target over blocks of time
FOLLOWS = 0.15  # correlation of the target with that of the row before
SURE = 5.0  # standard deviations
IN_ORDER = 0.98  # of the steps from row to row go forward
LEAST_TIMES, LEAST_YEARS = 20, 3
EVENTS = frozenset(
    {"date", "time", "timestamp", "datetime", "day", "when", "month", "week", "hour", "year", "period"}
)
ATTRIBUTES = frozenset(
    {"birth", "born", "dob", "birthday", "birthdate", "since", "hired", "hire", "joined", "built", "signup"}
    | {"signed", "registered", "registration", "expiry", "expires", "due", "valid", "renovated"}
)
SPLIT_BY_TIME = "The rows to predict will come later: check on the latest rows, as time splits do."


# --- repeated rows ----------------------------------------------------------------------------------------


def find_repeated(table: Table) -> Iterator[Finding]:
    names = [column.name for column in table.features if column.type not in ("list", "other")]
    if len(names) < 2 or table.rows > COUNTED_ROWS:
        return
    repeated, sure = _repeated(table, names)
    if sure < max(3, REPEATED_SHARE * table.rows):
        return
    yield Finding(
        "duplicate_rows",
        Severity.WARNING if sure >= MANY_REPEATED * table.rows else Severity.NOTE,
        f"{repeated:,} rows ({repeated / table.rows:.1%}) repeat an earlier row in all columns that are "
        "learned from: in a random split they stand on both sides, and the score flatters.",
        None,
        "Keep one of each, or split so that they stay together.",
        {"repeated": repeated, "share": round(repeated / table.rows, 4)},
        {"query": mending.distinct_rows(names, len(table.schema.columns))},
    )


def _repeated(table: Table, names: list[str]) -> tuple[int, int]:
    """How many rows repeat an earlier one, and of how many of them that is no chance.

    In a table of few columns with few values, rows are alike by chance; such are no copies.
    """
    lazy = table.whole(*names).select(pl.struct(cs.all()).hash().alias("row"))
    hashes = lazy.collect(engine="streaming").to_series()
    repeated = len(hashes) - hashes.n_unique()
    if repeated < 3:
        return repeated, 0
    several = hashes.value_counts(name="count").filter(pl.col("count") > 1)["row"]
    columns = [table.frame[name] for name in names]
    twin = pl.DataFrame(columns).to_struct("row").hash().is_in(several.implode())
    if not twin.any():
        return repeated, 0
    chance = _chance(columns)[twin.to_numpy()] + math.log(table.rows)
    return repeated, int(repeated * float((chance < math.log(SURPRISE)).mean()))


def _chance(columns: Sequence[pl.Series]) -> Floats:
    """The logarithm of how probable each row is, if all columns were independent."""
    total = np.zeros(len(columns[0]))
    for column in columns:
        frame = column.alias("value").to_frame()
        counts = frame.select(pl.len().over("value")).to_series()
        total += np.log(counts.to_numpy() / len(column))
    return total


# --- rows of one entity -----------------------------------------------------------------------------------


def find_groups(table: Table) -> Iterator[Finding]:
    if table.spec.split != "auto" or Role.GROUP in table.roles.values() or Role.TIME in table.roles.values():
        return
    able = [column for column in table.schema.columns if _may_name_entities(column, table)]
    for column in sorted(able, key=lambda each: -each.unique)[:MOST_CANDIDATES]:
        evidence = _entity(column, table)
        if evidence:
            yield _group_finding(column, table, *evidence)
            return  # one split can be chosen


def _group_finding(column: Column, table: Table, words: str, numbers: dict[str, float]) -> Finding:
    per_group = (table.rows - column.missing) / column.unique
    return Finding(
        "repeated_entities",
        Severity.WARNING,
        f"{column.name!r} names {column.unique:,} things of {per_group:.1f} rows each, which are alike "
        f"({words}): in a random split they stand on both sides, and the score flatters.",
        column.name,
        "If new rows will be of new ones, keep each on one side of the split.",
        numbers,
        {"split": f"group:{column.name}"},
    )


def _may_name_entities(column: Column, table: Table) -> bool:
    role, known = table.roles.get(column.name), table.rows - column.missing
    if role is None or role is Role.TARGET or column.type not in ("string", "integer"):
        return False
    if column.unique < LEAST_GROUPS or known < ROWS_PER_GROUP * column.unique:
        return False
    if keys.names_places(column.name) or keys.names_time(column.name):
        return False
    named = keys.names_keys(column.name) or keys.names_things(column.name)
    return named or (role is not Role.NUMERIC and known < 100 * column.unique)


def _entity(column: Column, table: Table) -> tuple[str, dict[str, float]] | None:
    """In words and numbers how the rows of an entity are alike; None if they are not."""
    drawn = _whole_groups(table, column.name)
    found = goal_of(drawn, table.spec.target, table.spec.task) if table.spec.target in drawn.columns else None
    if found is None:
        return None
    goal, frame = found
    codes = frame[column.name].cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    key = keys.names_keys(column.name) and column.unique > MOST_KINDS
    named = keys.names_keys(column.name) or keys.names_things(column.name)
    alike = _alike(codes, goal)
    fixed, looked_at = _fixed(frame, column.name, table)
    enough = looked_at >= 2 and fixed >= max(2, FIXED_SHARE * looked_at)
    numbers = {"target": round(alike, 4), "fixed_columns": fixed, "columns": looked_at}
    if alike >= (ALIKE if key else SAME) and (key or (named and column.unique > MOST_KINDS)):
        return f"their targets correlate, {alike:.2f}", numbers
    if enough and (named or (alike >= ALIKE and fixed >= 0.5 * looked_at)):
        return f"{fixed} of {looked_at} columns say the same in all rows of one", numbers
    return None


def _whole_groups(table: Table, name: str) -> pl.DataFrame:
    """All rows of some of the groups, so that a sample does not tear them apart."""
    if not table.sampled:
        return table.frame
    bound = int((2**64 - 1) * table.frame.height / table.rows)
    lazy = table.whole(*table.frame.columns)
    chosen = cs.by_name(name).as_expr().hash(sample.SEED) <= bound
    return lazy.filter(chosen).collect(engine="streaming")


def _alike(codes: Codes, goal: Goal) -> float:
    """The correlation ratio of the target over the groups, for classes the largest of any."""
    if goal.ranks is not None:
        return _sure_ratio(codes, goal.ranks)
    each = (goal.codes == code for code in range(min(len(goal.classes), 10)))
    return max(_sure_ratio(codes, hits.astype(float)) for hits in each if hits.any())


def _sure_ratio(codes: Codes, values: Floats) -> float:
    """0 unless it is beyond what chance gives."""
    ratio = correlation_ratio(np.where(codes > 0, codes, 0), values)
    groups = len(np.unique(codes))
    noise = math.sqrt(2.0 * groups) / max(1, len(codes) - groups)  # of the squared ratio, about
    return ratio if ratio * ratio > SURE * noise else 0.0


def _fixed(frame: pl.DataFrame, name: str, table: Table) -> tuple[int, int]:
    """How many of the other columns hardly change within a group, and how many could."""
    others = [c.name for c in table.features if c.name != name and c.unique > 1 and c.type != "list"][:100]
    varied = [other for other in others if _usual(frame[other]) < 0.9]
    group = frame[name].alias("group")
    numbered = [frame[other].alias(str(place)) for place, other in enumerate(varied)]
    rows = pl.DataFrame([group, *numbered]).filter(
        pl.col("group").is_not_null() & (pl.len().over("group") > 1)
    )
    if rows.is_empty() or not varied:
        return 0, 0
    kinds = rows.group_by("group").agg(pl.exclude("group").n_unique()).drop("group")
    return sum(_share(column == 1) >= FIXED for column in kinds.get_columns()), len(varied)


def _usual(column: pl.Series) -> float:
    """The share of its most frequent value."""
    most = column.alias("value").value_counts(name="count")["count"].max()
    return int(most) / len(column) if isinstance(most, int) else 0.0


def _share(true: pl.Series) -> float:
    return int(true.sum()) / max(1, len(true))


# --- rows in the order of time ----------------------------------------------------------------------------


def find_time_order(table: Table) -> Iterator[Finding]:
    if table.spec.split != "auto" or Role.TIME in table.roles.values() or table.goal is None:
        return
    best: tuple[float, Finding] | None = None
    for column in table.schema.columns:
        times = _times(column, table)
        if times is None:
            continue
        strength, words = _changes(times, table.goal)
        if strength and (best is None or strength > best[0]):
            best = strength, _time_finding(column.name, words, strength)
    if best is not None:
        yield best[1]


def _time_finding(name: str, words: str, strength: float) -> Finding:
    return Finding(
        "time_order",
        Severity.WARNING,
        f"The target changes along {name!r} ({words}): a random split lets a model look into the future.",
        name,
        SPLIT_BY_TIME,
        {"strength": round(strength, 4)},
        {"split": f"time:{name}"},
    )


def _times(column: Column, table: Table) -> Floats | None:
    """The moments of the rows whose target is known, if the column tells when each of them came about."""
    if column.name == table.spec.target or column.name not in table.known.columns or column.missing:
        return None
    dated = column.type in ("date", "datetime")
    words = set(keys.words_of(column.name))
    named = bool(words & EVENTS) and not words & ATTRIBUTES
    if not dated and not (named and column.type == "integer"):
        return None
    times = table.known[column.name].to_physical().cast(pl.Float64).to_numpy()
    kinds = len(np.unique(times))
    ordered = float((np.diff(times) >= 0).mean()) if len(times) > 1 else 0.0
    in_order = max(ordered, 1 - ordered if (np.diff(times) == 0).mean() < 0.5 else 0.0) >= IN_ORDER
    if dated:
        return times if kinds >= LEAST_TIMES and (in_order or named) else None
    return times if kinds >= LEAST_YEARS and in_order else None


def _changes(times: Floats, goal: Goal) -> tuple[float, str]:
    """How much the target changes along time, and in words how; 0 where it may be chance."""
    order = np.argsort(times, kind="stable")
    blocks = 1 + (ranks(times)[order] * BLOCKS / len(times)).astype(np.int64)
    first = np.append(True, np.diff(times[order]) > 0)
    best = (0.0, "")
    for values in _values(goal):
        placed = values[order]
        ratio = _sure_ratio(blocks, placed)
        if ratio >= CHANGES:
            best = max(best, (ratio, f"its level differs between periods, {ratio:.2f}"))
        singles = placed[first]  # copies of a row would be alike as well
        if len(singles) > len(times) / 2:
            step = spearman(singles[1:], singles[:-1])
            if step >= max(FOLLOWS, SURE / math.sqrt(len(singles))):
                best = max(best, (step, f"rows that follow one another are alike, {step:.2f}"))
    return best


def _values(goal: Goal) -> list[Floats]:
    if goal.ranks is not None:
        return [goal.ranks]
    several = range(1 if goal.task is Task.BINARY else min(len(goal.classes), 10))
    return [(goal.codes == code).astype(float) for code in several]
