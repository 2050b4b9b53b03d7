"""Every page opened by Streamlit's test runner, before a real studio: with nothing, and with a job."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from flowml.runner.events import EventWriter
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage import jobs
from flowml.storage.errors import ContractError, InputError
from flowml.storage.records import ENDED, EventKind, Job, JobKind, JobSpec, JobState
from flowml.ui import navigation, session, words
from flowml.ui.components import budget, predict_form, start_here
from flowml.ui.navigation import PAGES
from tests.runner import foreign_files

SCRIPT = str(navigation.FOLDER / "main.py")
PATIENT_S = 30
NAME = "<b>clients *2026* :smile: שלום"


@dataclass(frozen=True)
class Trained:
    dataset: str
    job: str
    model: str


def clients(folder: Path) -> Path:
    chance = random.Random(3)
    lines = ["age,plan,joined,leaves"]
    for _ in range(240):
        age, plan = chance.randint(18, 80), chance.choice("abc")
        leaves = "yes" if age / 80 + (plan == "a") * 0.5 + chance.gauss(0, 0.2) > 0.9 else "no"
        lines.append(f"{age},{plan},20{chance.randint(10, 24)}-0{chance.randint(1, 9)}-11,{leaves}")
    path = folder / "clients.csv"
    path.write_text("\n".join(lines))
    return path


@contextlib.contextmanager
def running(home: Path, workers: int) -> Iterator[Studio]:
    studio = Studio(Settings(home=home, workers=workers))
    studio.start()
    try:
        yield studio
    finally:
        session.bind(None)
        studio.stop()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A new studio: no dataset, no job, no worker."""
    with running(tmp_path_factory.mktemp("bare"), workers=0) as studio:
        yield studio


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, Trained]]:
    """A studio that has trained one model with its one worker, on a dataset of an awkward name."""
    with running(tmp_path_factory.mktemp("used"), workers=1) as studio:
        dataset = studio.client.add_dataset(clients(tmp_path_factory.mktemp("given")), NAME)
        spec = JobSpec("leaves", dataset.id, budget_s=50.0, max_trials=4, algorithms=("logistic", "lightgbm"))
        job = ended(studio, studio.client.submit(spec).id)
        assert job.state is JobState.FINISHED, job.cause
        yield studio, Trained(dataset.id, job.id, job.champion)


def ended(studio: Studio, job_id: str) -> Job:
    until = time.monotonic() + 90
    while (job := studio.client.job(job_id)).state not in ENDED and time.monotonic() < until:
        time.sleep(0.2)
    return job


def opened(studio: Studio, key: str, **query: str) -> AppTest:
    """The page as it stands when its script has run."""
    session.bind(studio)
    app = AppTest.from_file(SCRIPT, default_timeout=PATIENT_S)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if key != "dashboard":
        app.switch_page(navigation.file_of(key)).run()
    assert not app.exception, app.exception[0].message
    return app


def texts(app: AppTest) -> str:
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.warning, *app.info]
    return "\n".join(str(part.value) for part in parts)


EMPTY = {
    "dashboard": "Welcome to FlowML Studio",
    "data": "No dataset yet",
    "train": "No dataset yet",
    "live": "Nothing is training",
    "results": "No results yet",
    "explain": "No model yet",
    "predict": "No model yet",
    "models": "No model yet",
    "workers": "No worker is known",
    "logs": "Logs",
    "settings": "Settings",
}


@pytest.mark.parametrize("key", [row.key for row in PAGES])
def test_a_page_of_a_new_studio_teaches_the_next_step(bare: Studio, key: str) -> None:
    assert EMPTY[key] in texts(opened(bare, key))


def test_a_worker_is_started_from_the_page_where_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path, workers=0) as studio:
        for key in ("dashboard", "train"):
            assert [each.key for each in opened(studio, key).button].count("start-worker-here") == 0, key
        studio.client.add_dataset(clients(tmp_path), NAME)
        for key in ("dashboard", "train"):
            assert [each.key for each in opened(studio, key).button].count("start-worker-here") == 1, key
        app = opened(studio, "workers")
        with monkeypatch.context() as impatient:
            impatient.setattr(start_here, "LONGEST_S", 0.0)
            app.button(key="start-worker-here").click().run(timeout=PATIENT_S)
        assert ["is not online yet" in each.value for each in app.toast] == [True]
        app.button(key="start-worker-here").click().run(timeout=PATIENT_S * 3)
        (worker,) = studio.client.workers()
        assert worker.state == "idle"
        assert not app.exception
        assert "start-worker-here" not in [each.key for each in app.button]
        studio.client.pause_worker(worker.name)
        (dataset,) = studio.client.datasets()
        job = studio.client.submit(JobSpec("leaves", dataset_id=dataset.id))
        assert start_here.PAUSED in texts(opened(studio, "train", dataset=dataset.id, target="leaves"))
        assert start_here.PAUSED in texts(opened(studio, "live", job=job.id))


@pytest.mark.parametrize("key", [row.key for row in PAGES])
def test_a_page_of_a_used_studio_opens(used: tuple[Studio, Trained], key: str) -> None:
    app = opened(used[0], key)
    assert app.title
    assert not app.error


def test_a_job_and_a_model_are_opened_by_their_address(used: tuple[Studio, Trained]) -> None:
    studio, trained = used
    app = opened(studio, "results", job=trained.job)
    assert "Finished" in texts(app)
    assert "clients" in app.title[0].value
    app = opened(studio, "live", job=trained.job)
    assert app.metric[0].label == "ROC AUC of the champion"
    app = opened(studio, "data", dataset=trained.dataset)
    assert len(app.dataframe[0].value) == 4
    app = opened(studio, "train", dataset=trained.dataset, target="leaves")
    assert "Binary classification" in texts(app)


@pytest.mark.parametrize("view", ["Leaderboard", "Importance", "Diagnostics", "Champion", "Receipt"])
def test_each_view_of_the_results_opens(used: tuple[Studio, Trained], view: str) -> None:
    studio, trained = used
    app = opened(studio, "results", job=trained.job, view=view)
    assert not app.error
    assert app.segmented_control(key="view").value == view


@pytest.mark.parametrize(
    ("key", "query"), [("data", "dataset"), ("live", "job"), ("results", "job"), ("models", "model")]
)
def test_an_unknown_id_is_explained_with_a_way_back(bare: Studio, key: str, query: str) -> None:
    app = opened(bare, key, **{query: "gone"})
    assert "gone" in app.error[0].value
    assert app.title[0].value == key.capitalize()


def test_an_awkward_name_is_text_everywhere(used: tuple[Studio, Trained]) -> None:
    """Each sign that Markdown could read stands behind a backslash."""
    studio, trained = used
    for key, query in (
        ("data", {"dataset": trained.dataset}),
        ("live", {"job": trained.job}),
        ("results", {"job": trained.job}),
    ):
        assert words.plain(NAME)[:-1] in texts(opened(studio, key, **query))


def test_a_model_gets_a_name_and_a_stage_and_loses_both(used: tuple[Studio, Trained]) -> None:
    studio, trained = used
    app = opened(studio, "models", model=trained.model)
    assert "It has no name yet" in texts(app)
    register = next(each for each in app.button if each.label.startswith("Register"))
    app.text_input(key="register-name").input("no good name")
    register.click().run()
    assert "is no name" in texts(app)
    app.text_input(key="register-name").input("churn")
    app.selectbox(key="register-alias").select("staging")
    next(each for each in app.button if each.label.startswith("Register")).click().run()
    assert studio.client.pointed_at("churn", "staging").model_id == trained.model
    opened(studio, "models", name="churn").button(key="promote-churn-1").click().run()
    assert studio.client.pointed_at("churn", "production").version == 1
    page = opened(studio, "models", model=trained.model)
    page.button(key="delete-model").click().run()
    assert "is registered as churn:1" in texts(page).replace("\\", "")
    for alias in ("staging", "production"):
        opened(studio, "models", name="churn").button(key=f"drop-churn-1-{alias}").click().run()
    opened(studio, "models", name="churn").button(key="unregister-churn-1").click().run()
    assert studio.client.registered() == ()


def test_a_job_is_cloned_with_all_that_was_asked(used: tuple[Studio, Trained]) -> None:
    studio, trained = used
    app = opened(studio, "train", job=trained.job)
    assert app.selectbox(key="linked-target").value == "leaves"
    assert app.number_input(key="minutes").value == pytest.approx(50 / 60)
    assert "core-minutes" in "\n".join(str(table.value) for table in app.table)
    app.selectbox(key="split").select("group").run()
    app.selectbox(key="split-column").select("plan").run()
    app.number_input(key="size").set_value(3.0).run()
    app.button(key="start").click().run()
    (made,) = studio.client.jobs(states=[JobState.QUEUED, JobState.RUNNING])
    studio.client.cancel(made.id)
    spec = made.spec
    assert (spec.algorithms, spec.budget_s, spec.split) == (("logistic", "lightgbm"), 50.0, "group:plan")
    assert (spec.max_size_bytes, spec.target) == (3_000_000, "leaves")


def test_a_preset_sets_the_other_choices(bare: Studio, tmp_path: Path) -> None:
    columns = ["<b>y</b> 🎉", *(f"c{i} $x$ [a](b) שלום" for i in range(2000))]
    lines = [",".join(columns), *(",".join(str((i * j) % 7) for j in range(1, 2002)) for i in range(30))]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join(lines))
    wide = bare.client.add_dataset(path, "wide")
    app = opened(bare, "train", dataset=wide.id, target=columns[0])
    app.pills(key="preset").select("Small and fast").run()
    assert not app.exception
    assert app.number_input(key="latency").value == 1.0
    assert "catboost" not in app.pills(key="algorithms").value
    bare.client.delete_dataset(wide.id)


def test_a_prediction_follows_the_form(used: tuple[Studio, Trained]) -> None:
    studio, trained = used
    app = opened(studio, "predict", model=trained.model)
    first = app.metric[0].value
    assert first in ("yes", "no")
    app.number_input(key=f"{trained.model}-age").set_value(18).run()
    young = app.metric[0].value
    app.number_input(key=f"{trained.model}-age").set_value(80).run()
    assert (young, app.metric[0].value) == ("no", "yes")


@pytest.mark.parametrize("view", ["Importance", "Dependence", "One row", "Slices", "Fairness", "Ask"])
def test_each_view_of_a_models_explanation_opens(used: tuple[Studio, Trained], view: str) -> None:
    studio, trained = used
    app = opened(studio, "explain", model=trained.model, view=view)
    assert not app.error
    assert app.segmented_control(key="view").value == view


def test_what_if_moves_the_answer_and_comes_back(used: tuple[Studio, Trained]) -> None:
    studio, trained = used
    app = opened(studio, "explain", model=trained.model, view="One row", row="7")
    row = studio.explaining.row(trained.model, 7)
    assert f"In the table its {words.plain('leaves')} is {words.plain(row['leaves'])}." in texts(app)
    slider = next(each for each in app.slider if "age" in each.label)
    assert slider.value == row["age"]
    slider.set_value(80 if row["age"] < 50 else 18).run()
    assert "changed:" in texts(app)
    next(each for each in app.button if each.label == "Back to the row").click().run()
    assert next(each for each in app.slider if "age" in each.label).value == row["age"]
    assert "Nothing is changed yet" in texts(app)


def test_what_is_asked_around_a_row_adds_up(used: tuple[Studio, Trained]) -> None:
    studio, trained = used
    explaining = studio.explaining
    row = explaining.row(trained.model, 3)
    told = explaining.contributions(trained.model, row, "yes")
    assert told.base + sum(each.contribution for each in told.columns) == pytest.approx(told.prediction)
    shares = studio.serving.predict(trained.model, [row]).to_dicts()[0]["probability"]
    assert told.prediction == pytest.approx(shares["yes"])
    found = explaining.similar(trained.model, row, 5)
    assert (found[0]["row"], found[0]["distance"], found[0]["actual"]) == (3, 0.0, row["leaves"])
    assert [each["distance"] for each in found] == sorted(each["distance"] for each in found)
    curve = explaining.dependence(trained.model, "plan")
    assert (curve["kind"], set(curve["grid"])) == ("category", {"a", "b", "c"})
    with pytest.raises(InputError, match="no row 0"):
        explaining.row(trained.model, 0)
    with pytest.raises(ContractError, match="does not look at 'shoe'"):
        explaining.dependence(trained.model, "shoe")


def test_what_changed_the_answer_is_told_and_kept(used: tuple[Studio, Trained]) -> None:
    studio, trained = used
    app = opened(studio, "predict", model=trained.model)
    assert "All values are typical ones" in texts(app)
    assert not app.metric[0].delta
    app.number_input(key=f"{trained.model}-age").set_value(79).run()
    told = app.table[0].value
    assert told["Now"].to_list() == ["79"]
    typical, changed = (
        studio.serving.predict(trained.model, [row]).to_dicts()[0]["probability"]["yes"]
        for row in (typical_row(studio, trained.model), typical_row(studio, trained.model) | {"age": 79})
    )
    by = f"+{100 * (changed - typical):.1f} points"
    assert told["Moves it by"].to_list() == [by]
    assert app.metric[0].delta.startswith(by)
    assert not app.warning
    history = app.expander[0].dataframe[0].value
    assert history["Unlike the typical row"].to_list() == ["age 79", "nothing"]
    assert history["Answer"].to_list()[0] == "yes"
    app.number_input(key=f"{trained.model}-age").set_value(200).run()
    assert "200 is beyond what training saw" in app.warning[0].value
    app.button(key=f"forget-{trained.model}").click().run()
    assert not app.expander


def typical_row(studio: Studio, model: str) -> dict[str, object]:
    return {field.name: field.typical for field in predict_form.fields(studio.client.model(model))}


def test_a_file_that_is_predicted_as_a_job_is_listed_with_its_answers(
    used: tuple[Studio, Trained], tmp_path: Path
) -> None:
    studio, trained = used
    rows = tmp_path / "rows.csv"
    rows.write_text("age,plan,joined\n30,a,2019-05-11\n71,z,2019-05-11\n")
    job = ended(studio, studio.client.predict_file(trained.model, rows, "late rows.csv").id)
    assert job.state is JobState.FINISHED
    app = opened(studio, "predict", model=trained.model, view="A file")
    assert "Files predicted as jobs" in texts(app)
    assert "late rows" in texts(app)
    assert "not seen" in app.expander[0].markdown[0].value
    assert "Download answers" in [button.label for button in app.get("download_button")]


def test_a_file_made_elsewhere_is_asked_and_removed(bare: Studio, tmp_path: Path) -> None:
    app = opened(bare, "predict", whose="Made elsewhere")
    assert "No file from elsewhere" in texts(app)
    path = tmp_path / "model.onnx"
    path.write_bytes(foreign_files.linear().SerializeToString())
    made = bare.client.add_foreign(path, NAME, "from the lab")
    app = opened(bare, "predict", whose="Made elsewhere")
    assert "From the lab" in texts(app)
    app.text_input(key=f"{made.id}-X").set_value("3, 1").run()
    app.button(key="ask-foreign").click().run()
    assert (app.metric[0].label, app.metric[0].value) == (words.plain("Y"), "5")
    app.text_input(key=f"{made.id}-X").set_value("3, one").run()
    app.button(key="ask-foreign").click().run()
    assert "no numbers" in app.error[0].value
    app.button(key="remove-foreign").click().run()
    assert bare.client.foreign_models() == ()


def test_a_job_is_started_watched_and_cancelled_from_the_pages(bare: Studio, tmp_path: Path) -> None:
    """Without a worker it waits, and the pages say so."""
    dataset = bare.client.add_dataset(clients(tmp_path), "clients")
    app = opened(bare, "train", dataset=dataset.id, target="leaves")
    assert app.warning[0].value.startswith("You can start the job now")
    app.pills(key="algorithms").set_value(["lightgbm"])
    app.button(key="start").click().run()
    assert not app.exception
    job = bare.client.jobs()[0]
    assert (job.spec.target, job.spec.algorithms, job.state) == ("leaves", ("lightgbm",), JobState.QUEUED)
    assert app.query_params["job"] == job.id

    app = opened(bare, "live", job=job.id)
    assert app.info[0].value.startswith("It starts when a worker")
    app.button(key="cancel-job").click().run()
    assert bare.client.job(job.id).state is JobState.CANCELLED


def test_the_clock_of_a_paused_job_stands_still_on_its_card(
    bare: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = JobSpec("leaves", "gone", budget_s=60.0)
    job = Job("job-paused", JobKind.TRAINING, JobState.PAUSED, spec, time.time(), started_at=1.0, trials=7)
    shown: list[tuple[object, ...]] = []
    monkeypatch.setattr(budget, "running", lambda *told: shown.append(told))
    with bare.client._db.write() as cursor:
        jobs.insert(cursor, job)
    with EventWriter(bare.client._redis, job.id) as writer:
        writer.tell(EventKind.STATE, state="paused", elapsed_s=12.0)
    opened(bare, "live")
    with bare.client._db.write() as cursor:
        jobs.update(cursor, job.id, state=JobState.CANCELLED)
        jobs.delete(cursor, job.id)
    assert set(shown) == {(12.0, 60.0, "Paused after 7 trials", job.id)}


def test_a_dataset_is_deleted_after_a_second_question(bare: Studio, tmp_path: Path) -> None:
    dataset = bare.client.add_dataset(clients(tmp_path), "to delete")
    app = opened(bare, "data", dataset=dataset.id)
    app.button(key="delete-dataset").click().run()
    assert not app.exception
    assert dataset.id not in [each.id for each in bare.client.datasets()]


def test_a_table_that_is_gone_is_told_of_before_another_is_chosen(used: tuple[Studio, Trained]) -> None:
    app = opened(used[0], "train", dataset="dataset-gone")
    assert "was deleted" in texts(app)
