"""Pages while Redis is away for a while, and while another tab deletes what they show."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.backoff import NoBackoff
from redis.retry import Retry
from streamlit.testing.v1 import AppTest

from flowml.runner.connection import connect
from flowml.runner.embedded import EmbeddedRedis, find_server
from flowml.runner.settings import Settings
from flowml.runner.studio import Studio
from flowml.storage.records import Job, JobSpec, JobState
from flowml.ui import navigation, session

AWAY = "Redis does not answer"


@dataclasses.dataclass(frozen=True)
class Shaky:
    """A studio without workers, before a Redis that a test stops and starts, and a job that waits there."""

    studio: Studio
    redis: EmbeddedRedis
    job: Job


@pytest.fixture(scope="module")
def shaky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shaky]:
    redis = EmbeddedRedis(tmp_path_factory.mktemp("redis"), find_server())
    url = redis.start().url
    studio = Studio(Settings(home=tmp_path_factory.mktemp("shaky"), workers=0, redis_url=url))
    studio.start()
    studio.client._redis = connect(url, Retry(NoBackoff(), 0))  # to wait less for what is away
    yield Shaky(
        studio, redis, studio.client.submit(JobSpec("y", table(studio, tmp_path_factory.mktemp("given"))))
    )
    session.bind(None)
    studio.stop()
    redis.stop()


def table(studio: Studio, folder: Path) -> str:
    path = folder / "letters.csv"
    path.write_text("x,y\n" + "\n".join(f"{n},{'ab'[n % 2]}" for n in range(60)))
    return studio.client.add_dataset(path, "letters").id


def opened(studio: Studio, key: str, **query: str) -> AppTest:
    session.bind(studio)
    app = AppTest.from_file(str(navigation.FOLDER / "main.py"), default_timeout=90)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if key != "dashboard":
        app.switch_page(navigation.file_of(key)).run()
    assert not app.exception, app.exception[0].message
    return app


def texts(app: AppTest) -> str:
    parts = [*app.title, *app.markdown, *app.caption, *app.error, *app.warning, *app.info]
    return "\n".join(str(part.value) for part in parts)


def test_pages_bear_a_redis_that_is_away_and_go_on_when_it_is_back(shaky: Shaky) -> None:
    """What is stored stays in sight, and choices can be made; nothing that waited is lost."""
    studio, job = shaky.studio, shaky.job
    dataset = job.spec.dataset_id
    shaky.redis.stop()
    try:
        assert AWAY in texts(opened(studio, "dashboard"))
        assert AWAY in texts(opened(studio, "live", job=job.id))
        assert AWAY in texts(opened(studio, "workers"))
        train = opened(studio, "train", dataset=dataset, target="y")
        assert AWAY in texts(train)
        train.button(key="start").click().run()
        assert not train.exception
        assert "Redis does not answer" in train.error[0].value
        logs = opened(studio, "logs")
        assert AWAY not in texts(logs)
        assert not logs.error
    finally:
        shaky.redis.start()
    assert AWAY not in texts(opened(studio, "dashboard"))
    app = opened(studio, "live", job=job.id)
    assert AWAY not in texts(app)
    assert app.info[0].value.startswith("It starts when a worker")
    train.button(key="start").click().run()
    assert not train.error
    assert {each.state for each in studio.client.jobs()} == {JobState.QUEUED}
    assert len(studio.client.jobs()) == 2
    assert studio.client.queues()["cpu"] == 2


def test_a_job_that_another_tab_deletes_is_missed_with_a_word(shaky: Shaky) -> None:
    studio = shaky.studio
    job = studio.client.submit(shaky.job.spec)
    watching, pressing = opened(studio, "live", job=job.id), opened(studio, "live", job=job.id)
    studio.client.cancel(job.id)
    looking, again = opened(studio, "results", job=job.id), opened(studio, "train", job=job.id)
    studio.client.delete_job(job.id)
    watching.run()
    looking.run()
    pressing.button(key="cancel-job").click().run()
    for app in (watching, looking, pressing):
        assert not app.exception
        assert f"There is no job {job.id}" in app.error[0].value.replace("\\", "")
    assert not again.run().exception  # what was cloned stays chosen
    assert again.selectbox(key="linked-target").value == "y"
