"""The form of a model holds any value that its columns had, and none where it is emptied."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from flowml.automl.contract import Contract
from flowml.automl.problem import Feature
from flowml.runner.explaining import first_row
from flowml.storage.records import Json, Role, Task
from flowml.ui.components.predict_form import Field, span

COLUMNS: tuple[Json, ...] = (
    {"name": "big", "kind": "number", "type": "integer", "example": 5.6e17, "minimum": 1e17, "maximum": 9e17},
    {"name": "whole", "kind": "number", "type": "integer", "example": 47.0},
    {"name": "small", "kind": "number", "example": -1.7197720171e-09},
    {"name": "old", "kind": "datetime", "example": "1790-09-19T00:00:00", "minimum": -6.9e9, "maximum": -5e9},
    {"name": "zoned", "kind": "datetime", "example": "2021-08-14T08:05:57", "zoned": True},
    {"name": "city", "kind": "string", "categories": ["Bonn", "Ulm"], "example": "Ulm"},
    {"name": "note", "kind": "text", "example": "some text"},
)  # fmt: skip


def page(columns: list[dict[str, object]]) -> None:
    import streamlit as st

    from flowml.storage.records import Artifact, Model, Task
    from flowml.ui.components import predict_form
    from flowml.ui.components.explain import whatif

    kept, contract = Artifact("0" * 64, 1), {"columns": columns}
    model = Model("m", "j", "n", "ridge", Task.REGRESSION, "rmse", 0.5, 0.0, kept, contract=contract)
    st.session_state["row"] = predict_form.show(model)
    typical = {field.name: field.typical for field in predict_form.fields(model)}
    st.session_state["what if"] = whatif.show(model, typical | {"whole": "12:32:06"})


@pytest.fixture(scope="module")
def app() -> AppTest:
    app = AppTest.from_function(page, args=(list(COLUMNS),), default_timeout=60).run()
    assert not app.exception
    return app


def test_untouched_it_is_the_typical_row(app: AppTest) -> None:
    typical = {field.name: field.typical for field in map(Field.from_dict, COLUMNS)}
    assert app.session_state["row"] == typical
    assert app.session_state["what if"] == typical | {"whole": "12:32:06"}
    assert typical["zoned"] == "2021-08-14T08:05:57Z"


def test_a_whole_number_need_not_stay_one(app: AppTest) -> None:
    app.number_input(key="m-whole").set_value(12.5).run()
    assert app.session_state["row"]["whole"] == 12.5


def test_what_is_emptied_is_missing(app: AppTest) -> None:
    app.number_input(key="m-big").set_value(None)
    app.datetime_input(key="m-old").set_value(None)
    app.selectbox(key="m-city").set_value(None)
    app.text_input(key="m-note").set_value("")
    row = app.run().session_state["row"]
    assert {name for name, value in row.items() if value is None} == {"big", "old", "city", "note"}


def test_a_date_may_be_as_far_off_as_in_training() -> None:
    ends = {"minimum": -62_135_596_800.0, "maximum": 253_402_300_799.0}
    assert span(Field("at", "datetime", **ends), None) == (datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59))
    assert span(Field("at", "datetime"), datetime(1500, 2, 3))[0] == datetime(1500, 1, 1)
    assert span(Field("at", "datetime"), None) == (datetime(1900, 1, 1), datetime(2200, 12, 31, 23, 59))


def test_a_row_of_the_table_is_asked_as_the_table_has_it() -> None:
    frame = pl.DataFrame(
        {
            "opens": [time(12, 32, 6)],
            "took": [timedelta(days=1, seconds=2.5)],
            "since": [datetime(1790, 9, 19)],
        }
    )
    features = [
        Feature("opens", Role.NUMERIC, "time"),
        Feature("took", Role.NUMERIC, "duration"),
        Feature("since", Role.DATETIME, "datetime"),
    ]
    contract = Contract.learn(frame, features, task=Task.REGRESSION)
    row = first_row(frame)
    assert row["took"] == 86_402.5
    feeds, warnings = contract.accept_row(row)
    assert list(warnings) == []
    assert feeds == contract.accept(frame)[0]


def test_of_very_many_columns_any_can_be_changed() -> None:
    columns = [
        {"name": f"c{n}", "kind": "number", "example": 0.5, "minimum": 0.0, "maximum": 1.0} for n in range(60)
    ]
    app = AppTest.from_function(page, args=(columns,), default_timeout=60).run()
    assert not app.exception
    others = app.multiselect(key="whatif-others-m")
    assert others.options == [f"c{n}" for n in range(40, 60)]
    others.set_value(["c55"]).run()
    app.slider(key="whatif-m--0-c55").set_value(0.75).run()
    assert not app.exception
    told = app.session_state["what if"]
    assert {name for name, value in told.items() if name[0] == "c" and value != 0.5} == {"c55"}
    assert told["c55"] == 0.75
