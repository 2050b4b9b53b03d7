"""The views of a dataset and the check before a job, by Streamlit's test runner before a real studio."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.records import Dataset, JobSpec, Role
from flowml.ui import navigation, session
from flowml.ui.components import datasets

SCRIPT = str(navigation.FOLDER / "main.py")
VIEWS = ["Columns", "Check", "Roles", "SQL", "Preview", "Changes"]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    studio = Studio(Settings(home=tmp_path_factory.mktemp("home"), workers=0))
    studio.start()
    try:
        yield studio
    finally:
        session.bind(None)
        studio.stop()


@pytest.fixture
def dataset(studio: Studio, tmp_path: Path, request: pytest.FixtureRequest) -> Dataset:
    """A table of few positives, with a column that knows them, and values that stand for nothing."""
    chance = random.Random(3)
    lines = ["age,plan,city,left on,leaves"]
    for number in range(400):
        leaves = "yes" if number % 20 == 0 else "no"
        left = "2024-01-11" if leaves == "yes" else ""
        age = -999 if number % 30 == 7 else chance.randint(18, 80)
        lines.append(f"{age},{chance.choice('abc')},{chance.choice(['Ulm', 'Bonn', '?'])},{left},{leaves}")
    path = tmp_path / "clients.csv"
    path.write_text("\n".join(lines))
    return studio.client.add_dataset(path, request.node.name)


def opened(studio: Studio, key: str, **query: str) -> AppTest:
    session.bind(studio)
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    app.switch_page(navigation.file_of(key)).run()
    assert not app.exception, app.exception[0].message
    return app


def texts(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in [*app.title, *app.markdown, *app.caption, *app.error])


def fix(app: AppTest, kind: str, column: str = "") -> AppTest:
    """Clicks the button of a finding."""
    button = next(
        b for b in app.button if b.key and b.key.startswith("fix-") and f"-{kind}-{column}" in b.key
    )
    button.click().run()
    assert not app.exception
    assert not app.error
    return app


def test_a_table_is_downloaded_from_its_page_unless_it_is_very_large(
    studio: Studio, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (button,) = opened(studio, "data", dataset=dataset.id).get("download_button")
    assert (button.proto.label, button.proto.disabled) == ("Download", False)
    monkeypatch.setattr(datasets, "MOST_DOWNLOADED", dataset.size - 1)
    (button,) = opened(studio, "data", dataset=dataset.id).get("download_button")
    assert button.proto.disabled
    assert f"flowml datasets download {dataset.id}" in button.proto.help


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_of_a_dataset_opens(studio: Studio, dataset: Dataset, view: str) -> None:
    made = studio.client.derive(dataset.id, "SELECT * FROM dataset WHERE age > 0")
    app = opened(studio, "data", dataset=made.id, view=view)
    assert not app.error
    assert app.segmented_control(key="view").value == view


def test_a_column_that_knows_the_target_is_left_out_by_one_click(studio: Studio, dataset: Dataset) -> None:
    app = opened(studio, "data", dataset=dataset.id, view="Check", target="leaves")
    assert "alone predicts" in texts(app)
    fix(app, "leakage", "left on")
    assert studio.client.dataset(dataset.id).roles == {"left on": Role.IGNORED}
    assert "alone predicts" not in texts(
        opened(studio, "data", dataset=dataset.id, view="Check", target="leaves")
    )


def test_values_are_marked_as_missing_in_the_next_version(studio: Studio, dataset: Dataset) -> None:
    app = opened(studio, "data", dataset=dataset.id, view="Check")
    fix(app, "disguised_missing", "age")
    made = studio.client.datasets()[0]
    assert (made.name, made.version, made.parent) == (dataset.name, 2, dataset.id)
    assert app.query_params["dataset"] == made.id
    assert app.segmented_control(key="view").value == "Check"
    assert made.schema.columns[0].missing == 14


def test_the_check_stands_before_the_start_and_its_fixes_are_taken(studio: Studio, dataset: Dataset) -> None:
    app = opened(studio, "train", dataset=dataset.id, target="leaves")
    assert "Check of the table" in [each.value for each in app.subheader]
    fix(app, "imbalance")
    assert app.selectbox(key="metric").value == "average_precision"
    fix(app, "disguised_missing", "age")
    made = studio.client.datasets()[0]
    assert (app.query_params["dataset"], app.query_params["target"]) == (made.id, "leaves")


def test_roles_and_types_are_changed_in_a_table(studio: Studio, dataset: Dataset) -> None:
    app = opened(studio, "data", dataset=dataset.id, view="Roles")
    edits = {1: {"role": "ignored"}, 0: {"read": "text"}}
    app.session_state[f"roles-{dataset.id}"] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    app.run()
    app.button(key="save-roles").click().run()
    assert not app.exception
    made = studio.client.datasets()[0]
    assert studio.client.dataset(dataset.id).roles == {"plan": Role.IGNORED}
    assert (made.version, made.roles, made.schema.columns[0].type) == (2, {"plan": Role.IGNORED}, "string")
    app = opened(studio, "data", dataset=made.id, view="Roles")
    app.button(key="guess-roles").click().run()
    assert studio.client.dataset(made.id).roles == {}


def test_two_columns_of_one_role_are_not_saved(studio: Studio, dataset: Dataset) -> None:
    app = opened(studio, "data", dataset=dataset.id, view="Roles")
    edits = {1: {"role": "group"}, 2: {"role": "group"}}
    app.session_state[f"roles-{dataset.id}"] = {"edited_rows": edits, "added_rows": [], "deleted_rows": []}
    app.run()
    assert "keep one of them" in app.warning[0].value
    assert app.button(key="save-roles").disabled


def test_a_query_is_run_refused_and_saved(studio: Studio, dataset: Dataset) -> None:
    app = opened(studio, "data", dataset=dataset.id, view="SQL")
    query = app.text_area(key=f"sql-{dataset.id}")
    query.set_value("SELECT city, count(*) AS n FROM dataset GROUP BY city").run()
    app.button(key="run-sql").click().run()
    assert app.dataframe[0].value.shape == (3, 2)
    query.set_value("SELECT * FROM read_csv('/etc/passwd')").run()
    app.button(key="run-sql").click().run()
    assert "read\\_csv" in app.error[0].value
    query.set_value("SELECT * FROM dataset WHERE age > 40").run()
    app.text_input(key="sql-name").set_value("older").run()
    app.button(key="save-sql").click().run()
    made = studio.client.datasets()[0]
    assert (made.name, app.query_params["dataset"]) == ("older", made.id)


def test_what_was_found_goes_with_the_job(studio: Studio, dataset: Dataset) -> None:
    opened(studio, "train", dataset=dataset.id, target="leaves")
    job = studio.client.submit(JobSpec("leaves", dataset.id))
    assert "leakage" in {finding.kind for finding in job.findings}
    studio.client.cancel(job.id)
