"""The Explain page of a model that a studio knows: its views, and answers that come in or break off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from flowml.runner.studio import Studio
from flowml.ui import navigation, session, words
from tests.automl.explained import explained
from tests.runner.fake_ollama import FakeOllama, serving
from tests.runner.known import copies, studio_with

SCRIPT = str(navigation.FOLDER / "main.py")
MODEL = explained()[0]


@pytest.fixture(scope="module")
def ollama() -> Iterator[FakeOllama]:
    with serving(FakeOllama(copies)) as fake:
        yield fake


@pytest.fixture(scope="module")
def studio(ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("known")
    studio = studio_with(home, ollama_url=ollama.url, ollama_model="llama3.2:3b")
    session.bind(studio)
    yield studio
    session.bind(None)
    studio.stop()


def opened(studio: Studio, **query: str) -> AppTest:
    session.bind(studio)
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    for name, value in {"model": MODEL.id, **query}.items():
        app.query_params[name] = value
    app.run()
    app.switch_page(navigation.file_of("explain")).run()
    assert not app.exception, app.exception[0].message
    return app


def texts(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in (*app.markdown, *app.caption, *app.error, *app.subheader))


def asked(app: AppTest, question: str) -> AppTest:
    app.text_input(key="question").set_value(question)
    next(button for button in app.button if button.label == "Ask").click().run()
    assert not app.exception, app.exception[0].message
    return app


@pytest.mark.parametrize("view", ["Importance", "Dependence", "Slices", "Fairness", "Ask"])
def test_each_view_tells_what_was_measured(studio: Studio, view: str) -> None:
    app = opened(studio, view=view)
    assert not app.error
    assert "No importance" not in texts(app)
    assert "Nothing is kept" not in texts(app)


def test_the_worst_part_is_named(studio: Studio) -> None:
    table = opened(studio, view="Slices").dataframe[0].value
    assert table["Part"].to_list() == ["tenure: basic"]
    assert table["Error"].to_list() == ["42 %"]


def test_each_sentence_of_an_answer_shows_its_source(studio: Studio) -> None:
    told = texts(asked(opened(studio, view="Ask"), "What <b>matters</b>?"))
    assert words.plain("What <b>matters</b>?") in told
    assert words.plain("Without learning from any column, the ROC AUC is 0.5000.") in told
    assert f"Source: {words.plain('Leaderboard › baseline')}" in told
    assert "99.99" not in told.replace("\\", "")
    assert "1 sentence withheld: It holds a number that its source does not." in told


def test_what_came_stays_when_ollama_is_gone(studio: Studio, ollama: FakeOllama) -> None:
    ollama.breaks_after = 40
    try:
        app = asked(opened(studio, view="Ask"), "What matters?")
    finally:
        ollama.breaks_after = None
    told = texts(app)
    assert words.plain("The champion is LightGBM 3")[1:20] in told
    assert "The answer broke off here; what came stays." in told
    assert "does not answer any more" in told.replace("\\", "")
    assert "`ollama serve`" in told


def test_a_question_without_words_is_asked_for(studio: Studio) -> None:
    told = texts(asked(opened(studio, view="Ask"), ""))
    assert "Write a question first, such as: What matters most" in told
