"""Questions about a model, and who answers them: a worker of the queue `llm`, else this studio itself."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Self

from flowml.runner.answering import SENTENCE, ollama_of, phrased
from flowml.runner.client import Client
from flowml.runner.inquiring import QUEUE
from flowml.runner.settings import Settings
from flowml.storage.errors import InputError, NotReady
from flowml.storage.records import ENDED, Inquiry, JobState, Sentence, Statement

POLL_S = 0.2
BEGIN_S = 60.0  # a worker that is busy may take so long to begin
LONGEST = 500  # letters of a question


class Way(StrEnum):
    WORKER = "worker"  # one that has Ollama takes the question from its queue
    STUDIO = "studio"  # asks Ollama itself: a setting names the model
    NONE = "none"  # the report stands for itself


class Questions:
    """May be called from any thread."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    def as_client(self, client: Client) -> Self:
        seat = copy.copy(self)
        seat._client = client
        return seat

    def statements(self, model_id: str) -> tuple[Statement, ...]:
        """All that may be said of a model. Raises NotFound."""
        from flowml.automl.grounding.statements import statements

        model = self._client.model(model_id)
        job = self._client.job(model.job_id)
        return statements(model, job, self._client.leaderboard(job.id))

    def report(self, model_id: str) -> dict[str, list[Sentence]]:
        """The statements as they are, by topic."""
        from flowml.automl.grounding.report import report

        return report(self.statements(model_id))

    @property
    def way(self) -> Way:
        """Who would answer now."""
        if any(QUEUE in worker.queues for worker in self._client.workers() if worker.state != "offline"):
            return Way.WORKER
        return Way.STUDIO if self._settings.ollama_model else Way.NONE

    def answer(self, model_id: str, question: str) -> Iterator[Sentence]:
        """The sentences of an answer, each as soon as it is there.

        Raises NotFound and InputError before, NotReady before or midway: what came until then stands.
        """
        asked = " ".join(question.split())
        if not asked or len(asked) > LONGEST:
            raise InputError(
                f"The question has {len(asked)} letters; expected 1 to {LONGEST}.", "Ask one thing at a time."
            )
        inquiry = Inquiry(model_id, asked, self.statements(model_id))
        way = self.way
        if way is Way.NONE:
            raise NotReady(
                "No local language model is there to answer.",
                "Start a worker beside Ollama, or set FLOWML_OLLAMA_MODEL on the studio. The report has the "
                "same numbers.",
            )
        return self._by_worker(inquiry) if way is Way.WORKER else phrased(inquiry, ollama_of(self._settings))

    def _by_worker(self, inquiry: Inquiry) -> Iterator[Sentence]:
        job = self._client.inquire(inquiry)
        after, heard, patience = "0", time.monotonic(), BEGIN_S + self._settings.ollama_timeout
        while True:
            now = self._client.inquiry(job.id)  # before the events are read
            events = self._client.events(job.id, after)
            for event in events:
                after, heard = event.id, time.monotonic()
                if SENTENCE in event.fields:
                    yield Sentence.from_dict(json.loads(event.fields[SENTENCE]))
            if now.state in ENDED and not events:
                break
            if time.monotonic() - heard > patience:
                raise NotReady(
                    f"Nothing was heard of the question for {patience:.0f} s.",
                    f"It is job {job.id}; look at the page Workers.",
                )
            if not events:
                time.sleep(POLL_S)
        if now.state is not JobState.FINISHED:
            raise NotReady(now.cause or f"The question was {now.state}.", "" if now.cause else "Ask again.")
