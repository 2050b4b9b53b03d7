"""The checks on planted defects: found, rarely anything else, and gone once their fix is applied."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flowml.storage import query
from flowml.storage.check import CHECKS, HIDES, check
from flowml.storage.records import Column, DatasetSchema, Finding, JobSpec, Role, Severity
from flowml.storage.schema import infer
from tests.storage.check.planted import KINDS, SAME, table
from tests.storage.check.scoring import measure


def written(folder: Path, frame: pl.DataFrame) -> Path:
    path = folder / "table.parquet"
    frame.write_parquet(path)
    return path


def found(folder: Path, frame: pl.DataFrame, spec: JobSpec) -> tuple[Finding, ...]:
    return check(written(folder, frame), infer(frame), spec)


def test_planted_defects_are_found_and_little_else(tmp_path: Path) -> None:
    tallies, slips = measure(range(300, 345), tmp_path)
    hits, misses, false = (sum(getattr(t, n) for t in tallies.values()) for n in ("hits", "misses", "false"))
    assert hits > 50
    assert hits / (hits + misses) >= 0.95, slips
    assert hits / (hits + false) >= 0.9, slips


def test_every_check_has_a_planted_defect() -> None:
    assert {row.kind for row in CHECKS} == set(KINDS)
    assert {SAME.get(kind, kind) for kind in KINDS} <= set(KINDS)
    assert {kind for kinds in HIDES.items() for kind in (kinds[0], *kinds[1])} <= set(KINDS)


def applied(finding: Finding, path: Path, spec: JobSpec, folder: Path) -> tuple[Path, DatasetSchema, JobSpec]:
    """The table and the job after one click."""
    fix = finding.fix
    roles = {name: Role(role) for name, role in fix.get("roles", {}).items()}
    spec = dataclasses.replace(
        spec,
        roles={**spec.roles, **roles},
        split=fix.get("split", spec.split),
        metric=fix.get("metric", spec.metric),
    )
    if "query" in fix:
        target = folder / "mended.parquet"
        query.derive_work({"path": str(path), "sql": fix["query"], "target": str(target)})
        path = target
    return path, infer(pl.read_parquet(path)), spec


FIXABLE = sorted(set(KINDS) - {"imbalance"})  # a metric mends the judgement, the classes stay as they are


@pytest.mark.parametrize("kind", FIXABLE)
def test_a_fix_mends(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tried = 0
    for seed in range(700, 704):
        draft = table(seed, (kind,))
        path, spec = written(tmp_path, draft.frame()), draft.spec()
        for finding in check(path, infer(draft.frame()), spec):
            if finding.kind not in (kind, SAME.get(kind)) or not finding.fix:
                continue
            tried += 1
            after = check(*applied(finding, path, spec, tmp_path))
            Path(query.SOURCE).unlink(missing_ok=True)
            again = [(each.kind, each.column) for each in after if each.severity is not Severity.NOTE]
            assert (finding.kind, finding.column) not in again
    assert tried or kind in ("constant", "identifier")  # which may have been seen by their roles already


def test_large_tables_are_sampled_and_groups_stay_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowml.storage.check.table.ROWS", 6000)
    monkeypatch.setattr("flowml.storage.sample.LEAST_ROWS", 100)
    rows = 40_000
    customer = pl.int_range(rows, eager=True) * 7919 % 8000
    frame = pl.DataFrame(
        {
            "customer_id": [f"C{n:06}" for n in customer],
            "x": pl.int_range(rows, eager=True) * 104_729 % 9973,
            "y": customer * 31 % 97,
            "result": (customer * 31 % 97) * 2.0 + 1,
        }
    )
    told = {finding.kind: finding for finding in found(tmp_path, frame, JobSpec("y"))}
    assert told["target_copy"].column == "result"
    assert told["repeated_entities"].fix == {"split": "group:customer_id"}
    assert found(tmp_path, frame, JobSpec("y", split="group:customer_id"))[0].kind == "target_copy"


@pytest.mark.parametrize(
    "ranges",
    [{"a": [0], "b": [20], "c": [45]}, {"a": [0, 60], "b": [20], "c": [40, 80]}],
    ids=["one range a class", "ranges of classes in turn"],
)
def test_three_classes_that_one_column_holds_apart_are_a_leak(
    ranges: dict[str, list[int]], tmp_path: Path
) -> None:
    chance = np.random.default_rng(0)
    classes = chance.choice(["a", "b", "c"], 400, p=[0.5, 0.3, 0.2])
    starts = np.array([chance.choice(ranges[kind]) for kind in classes])
    frame = pl.DataFrame(
        {
            "level": starts + chance.random(400) * 5,
            "other": chance.normal(size=400),
            "y": classes,
        }
    )
    (leak,) = found(tmp_path, frame, JobSpec("y"))
    assert (leak.kind, leak.column, leak.severity) == ("leakage", "level", Severity.ERROR)
    assert leak.evidence == {"power": 1.0, "auc": None}
    assert "100.0% fewer errors than guessing: its value may be" in leak.message
    assert leak.fix == {"roles": {"level": "ignored"}}


def test_without_a_target_the_columns_are_looked_at(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1.0, 2.0] * 40, "b": ["x", "?"] * 40, "c": [1] * 80})
    assert {finding.kind for finding in found(tmp_path, frame, JobSpec(""))} == {
        "constant",
        "disguised_missing",
        "duplicate_column",
    }


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"y": [1], "x": [2]}),
        pl.DataFrame({"y": [None, None], "x": [2, 3]}, schema={"y": pl.Int64, "x": pl.Int64}),
        pl.DataFrame({"y": ["a"] * 90, "x": range(90)}),
        pl.DataFrame({"y": [[1]] * 90, "x": range(90)}),
        pl.DataFrame(
            {
                "y": [0, 1] * 45,
                "row": [[1]] * 90,
                "group": [b"x"] * 90,
                "bin": pl.Series([None] * 90, dtype=pl.String),
            }
        ),
        pl.DataFrame({"y": [0.5, float("nan"), float("inf")] * 30, "count": [2**62] * 90}),
        pl.DataFrame({"y": [0, 1] * 45, "group": ["?"] * 90, "value": ["1", "b"] * 45, "word": [True] * 90}),
    ],
    ids=lambda frame: str(frame.schema),
)
def test_odd_tables_are_looked_at_too(frame: pl.DataFrame, tmp_path: Path) -> None:
    found(tmp_path, frame, JobSpec("y"))


def test_many_columns_are_looked_at_in_time(tmp_path: Path) -> None:
    frame = pl.DataFrame({f"c{n}": pl.int_range(300, eager=True) * (n + 3) % 101 for n in range(1200)})
    schema = DatasetSchema(
        300, tuple(Column(name, "integer", Role.NUMERIC, unique=101) for name in frame.columns)
    )
    assert check(written(tmp_path, frame), schema, JobSpec("c0"))


def test_money_that_is_written_with_its_currency_is_no_name_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amounts = np.random.default_rng(3).uniform(-5_000, 50_000, 300).round(2)
    written_so = [f"{'-' if amount < 0 else ''}${abs(amount):,.2f}" for amount in amounts]
    euros = [f"EUR {abs(amount):.2f}" for amount in amounts]
    frame = pl.DataFrame({"fee": written_so, "price": euros, "code": [f"$-{n}" for n in range(300)]})
    frame = frame.with_columns(pl.Series("weight", ["1,250", *(f"{n} kg" for n in range(299))]))
    path, spec = written(tmp_path, frame), JobSpec(dataset_id="d", target="")
    findings = [f for f in check(path, infer(frame), spec) if f.kind == "mixed_types"]
    assert [(f.kind, f.column, f.evidence["units"]) for f in findings] == [
        ("mixed_types", "fee", ["$"]),
        ("mixed_types", "price", ["EUR"]),
    ]
    for finding, expected in zip(findings, (amounts, abs(amounts)), strict=True):
        folder = tmp_path / str(finding.column)
        folder.mkdir()
        monkeypatch.chdir(folder)
        mended, schema, _ = applied(finding, path, spec, folder)
        assert pl.read_parquet(mended)[str(finding.column)].to_list() == expected.tolist()
        column = schema.column(str(finding.column))
        assert column is not None
        assert column.role is Role.NUMERIC


def test_patients_of_one_outcome_each_are_kept_together(tmp_path: Path) -> None:
    chance = np.random.default_rng(7)
    patients = chance.integers(0, 150, 2_000)
    outcome = chance.integers(0, 2, 150)[patients]
    pulse = chance.normal(size=150)[patients] + chance.normal(size=2_000) * 0.05
    frame = pl.DataFrame({"patient": [f"P{n:03d}" for n in patients], "pulse": pulse, "ill": outcome})
    findings = found(tmp_path, frame, JobSpec(dataset_id="d", target="ill"))
    assert ("repeated_entities", "group:patient") in [(f.kind, f.fix.get("split")) for f in findings]
