"""Records travel as plain JSON and come back equal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowml.storage.records import Column, DatasetSchema, JobSpec, Role, TrialRecord, TrialState, record_of


def test_nested_records_come_back_equal() -> None:
    schema = DatasetSchema(3, (Column("age", "integer", Role.NUMERIC, top=("1", "2")),))
    assert DatasetSchema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_enums_in_dicts_come_back_as_enums() -> None:
    spec = JobSpec("churn", roles={"id": Role.IDENTIFIER})
    assert JobSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_unknown_keys_of_a_newer_sender_are_ignored() -> None:
    trial = TrialRecord(1, "dummy", {}, TrialState.COMPLETE, fold_scores=(0.5, 0.6))
    assert TrialRecord.from_dict({**trial.to_dict(), "of_tomorrow": 1}) == trial


TRIAL = TrialRecord(1, "dummy", {"a": [1]}, TrialState.COMPLETE, fold_scores=(0.5, 0.6)).to_dict()


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "../../x"},
        {"number": True},
        {"number": 1.0},
        {"number": None},
        {"algorithm": ["dummy"]},
        {"params": []},
        {"state": "running away"},
        {"score": "high"},
        {"fold_scores": [0.5, "x"]},
        {"fold_scores": 3},
    ],
    ids=str,
)
def test_a_record_of_others_has_fields_of_its_types(changes: dict[str, Any]) -> None:
    assert record_of(TrialRecord, TRIAL) is not None
    assert record_of(TrialRecord, {**TRIAL, "score": 1, "fold_scores": [1, 0.5]}) is not None
    assert record_of(TrialRecord, {**TRIAL, **changes}) is None
