from __future__ import annotations

import pytest

from flowml.automl.problem import define
from flowml.automl.samples import SAMPLES, Sample, sample
from flowml.storage.errors import NotFound
from flowml.storage.records import JobSpec, Task
from tests.automl.tables import schema_of

EXPECTED = {
    "breast_cancer": (Task.BINARY, ("benign", "malignant"), (569, 31)),
    "diabetes": (Task.REGRESSION, (), (442, 11)),
}


@pytest.mark.parametrize("row", SAMPLES.values(), ids=list(SAMPLES))
def test_a_sample_can_be_learned_from(row: Sample) -> None:
    frame = row.read()
    problem = define(frame, schema_of(frame), JobSpec(row.target))
    assert (problem.task, problem.classes, frame.shape) == EXPECTED[row.key]
    assert frame.null_count().sum_horizontal().sum() == 0
    assert all(name.replace("_", "").isalpha() for name in frame.columns)


def test_an_unknown_sample_is_named_with_those_that_exist() -> None:
    with pytest.raises(NotFound, match="breast_cancer"):
        sample("iris")
