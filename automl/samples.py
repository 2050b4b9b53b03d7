"""SAMPLES: two small real tables that come with scikit-learn, with names that can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from flowml.storage.errors import NotFound

BREAST_LABELS = ("malignant", "benign")  # as scikit-learn codes them
DIABETES_COLUMNS = {
    "age": "age",
    "sex": "sex",
    "bmi": "body_mass_index",
    "bp": "blood_pressure",
    "s1": "total_cholesterol",
    "s2": "ldl_cholesterol",
    "s3": "hdl_cholesterol",
    "s4": "cholesterol_ratio",
    "s5": "log_triglycerides",
    "s6": "blood_sugar",
}


@dataclass(frozen=True)
class Sample:
    key: str
    title: str
    description: str
    target: str
    read: Callable[[], pl.DataFrame]


def _breast_cancer() -> pl.DataFrame:
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    columns = {str(name).replace(" ", "_"): table.data[:, i] for i, name in enumerate(table.feature_names)}
    return pl.DataFrame({**columns, "diagnosis": [BREAST_LABELS[code] for code in table.target]})


def _diabetes() -> pl.DataFrame:
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    columns = {DIABETES_COLUMNS[name]: table.data[:, i] for i, name in enumerate(table.feature_names)}
    columns["sex"] = ["first" if code == 1 else "second" for code in columns["sex"]]
    return pl.DataFrame({**columns, "progression": table.target}).with_columns(pl.col("age").cast(pl.Int64))


SAMPLES: dict[str, Sample] = {
    row.key: row
    for row in (
        Sample(
            "breast_cancer",
            "Breast cancer",
            "569 tumours measured under the microscope: is one malignant or benign?",
            "diagnosis",
            _breast_cancer,
        ),
        Sample(
            "diabetes",
            "Diabetes",
            "442 patients at baseline: how far has the disease progressed a year later?",
            "progression",
            _diabetes,
        ),
    )
}


def sample(key: str) -> Sample:
    if key not in SAMPLES:
        raise NotFound(f"There is no sample {key!r}.", f"Samples: {', '.join(SAMPLES)}.")
    return SAMPLES[key]
