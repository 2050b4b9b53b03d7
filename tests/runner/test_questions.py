"""Questions about a model: by a small stand-in for Ollama, and by a worker of the queue `llm`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flowml.automl.grounding import checking
from flowml.automl.grounding.statements import statements
from flowml.runner.answering import ollama_of, phrased
from flowml.runner.ollama import Ollama
from flowml.runner.questions import Way
from flowml.runner.settings import Settings
from flowml.storage.errors import InputError, NotReady
from flowml.storage.records import Inquiry, JobKind, JobState
from tests.automl.explained import INJECTIONS, explained, injected
from tests.runner.fake_ollama import FakeOllama, serving
from tests.runner.known import copies, pieces, studio_with

GIVEN = statements(*explained())
ASKED = Inquiry("model-1", "What matters most?", GIVEN)


def obeys(messages: list[dict[str, str]]) -> list[str]:
    """Does what any text that it is given orders."""
    given = "\n".join(each["content"] for each in messages)
    ordered = re.findall(r"OBEYED-\d+|http://evil\S+", given)
    return pieces(
        " ".join(f"{order} [S1]." for order in ordered) or "The statements do not answer that. [none]"
    )


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with serving(FakeOllama(copies)) as fake:
        yield fake


def test_an_answer_comes_in_checked_sentences(ollama: FakeOllama) -> None:
    said = list(phrased(ASKED, Ollama(ollama.url, "llama3.2:3b")))
    assert [each.withheld for each in said] == ["", checking.STRANGE_NUMBER, "", ""]
    assert [each.text for each in said if not each.withheld] == [each.told() for each in GIVEN[:3]]
    (asked,) = ollama.asked
    assert (asked["stream"], asked["options"]["temperature"]) == (True, 0)
    assert asked["messages"][1] == {"role": "user", "content": "What matters most?"}


def test_the_first_model_is_asked_where_none_is_named(ollama: FakeOllama) -> None:
    assert list(phrased(ASKED, Ollama(ollama.url)))
    assert ollama.asked[0]["model"] == "llama3.2:3b"


def test_a_model_that_is_not_there_is_named(ollama: FakeOllama) -> None:
    with pytest.raises(NotReady, match="refuses: model 'no' not found"):
        list(phrased(ASKED, Ollama(ollama.url, "no")))


def test_without_ollama_the_address_is_named() -> None:
    with pytest.raises(NotReady, match=r"127\.0\.0\.1:9 does not answer at all"):
        list(phrased(ASKED, Ollama("http://127.0.0.1:9", "any")))


def test_what_came_before_ollama_was_gone_stays() -> None:
    with serving(FakeOllama(copies, breaks_after=40)) as ollama:
        came = phrased(ASKED, Ollama(ollama.url))
        assert next(came).text == GIVEN[0].told()
        with pytest.raises(NotReady, match="does not answer any more"):
            list(came)


def test_a_model_that_obeys_gets_no_order_from_a_table() -> None:
    asked = Inquiry("model-1", "What matters most?", statements(*injected()))
    with serving(FakeOllama(obeys)) as ollama:
        said = list(phrased(asked, Ollama(ollama.url)))
        sent = json.dumps(ollama.asked)
    assert [each.text for each in said] == [checking.NOTHING_SAID]
    assert [each for each in INJECTIONS if each in sent] == []


# --- in a studio ------------------------------------------------------------------------------------------


def test_the_studio_asks_ollama_where_the_setting_names_it(tmp_path: Path, ollama: FakeOllama) -> None:
    studio = studio_with(tmp_path, ollama_url=ollama.url, ollama_model="llama3.2:3b")
    try:
        assert studio.questions.way is Way.STUDIO
        said = list(studio.questions.answer("model-1", "What matters?"))
        assert said[0].text == GIVEN[0].told()
        with pytest.raises(InputError, match="501 letters"):
            studio.questions.answer("model-1", "x" * 501)
    finally:
        studio.stop()


def test_without_a_language_model_the_report_stands(tmp_path: Path) -> None:
    studio = studio_with(tmp_path)
    try:
        assert studio.questions.way is Way.NONE
        with pytest.raises(NotReady, match="No local language model"):
            studio.questions.answer("model-1", "What matters?")
        told = [each.text for topic in studio.questions.report("model-1").values() for each in topic]
        assert told == [each.told() for each in GIVEN]
    finally:
        studio.stop()


def test_a_worker_with_ollama_takes_the_question(tmp_path: Path, ollama: FakeOllama) -> None:
    studio = studio_with(tmp_path, ollama_url=ollama.url)
    try:
        from flowml.runner.local_workers import LocalWorkers

        with_one = LocalWorkers(replace(studio.settings, workers=1))
        with_one.start()
        try:
            until = time.monotonic() + 60
            while studio.questions.way is not Way.WORKER and time.monotonic() < until:
                time.sleep(0.2)
            said = list(studio.questions.answer("model-1", "What matters?"))
            assert [each.text for each in said if not each.withheld] == [each.told() for each in GIVEN[:3]]
            (job,) = studio.client.jobs(kind=JobKind.EXPLANATION)
            assert (job.queue, job.state) == ("llm", JobState.FINISHED)
            assert job.inquiry is not None
            assert job.inquiry.sentences == tuple(said)
        finally:
            with_one.stop()
    finally:
        studio.stop()


def test_settings_say_how_ollama_is_asked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, ollama_model="m", ollama_max_tokens=7, ollama_timeout=3.0)
    assert ollama_of(settings) == Ollama("http://127.0.0.1:11434", "m", 7, 3.0)
