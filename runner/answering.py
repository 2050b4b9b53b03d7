"""One attempt at an explanation job: a question about a model becomes sentences that rest on its numbers."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

from redis import Redis

from flowml.runner.attempt import End
from flowml.runner.control import ControlWatch
from flowml.runner.ollama import Ollama
from flowml.runner.report import Report
from flowml.runner.settings import Settings
from flowml.storage.errors import FlowMLError
from flowml.storage.records import Control, Inquiry, Job, JobState, Receipt, Sentence

SENTENCE = "sentence"  # the field of an event that tells one, as JSON
ENDING = (Control.STOP, Control.CANCEL)

log = logging.getLogger(__name__)


def ollama_of(settings: Settings) -> Ollama:
    return Ollama(
        settings.ollama_url, settings.ollama_model, settings.ollama_max_tokens, settings.ollama_timeout
    )


def phrased(inquiry: Inquiry, ollama: Ollama) -> Iterator[Sentence]:
    """The sentences of the answer, checked, each as soon as it is whole. Raises NotReady, also midway."""
    from flowml.automl.grounding.aliases import Aliases
    from flowml.automl.grounding.checking import checked, sentences
    from flowml.automl.grounding.prompt import messages

    aliases = Aliases.of(inquiry.statements)
    known = {each.id: each for each in inquiry.statements}
    for text in sentences(ollama.stream(messages(inquiry.statements, aliases, inquiry.question))):
        yield checked(text, known, aliases)


@dataclass(frozen=True)
class Answering:
    job: Job
    asked: Inquiry
    ollama: Ollama
    redis: Redis  # for what the user wishes meanwhile
    report: Report
    started: float = field(default_factory=time.time)

    def run(self) -> End:
        """Never raises for what goes wrong in the job. What was answered until then is kept."""
        said: list[Sentence] = []
        with closing(ControlWatch(self.redis, self.job.id)) as wish:
            if wish.first() in ENDING:
                return self._end(JobState.CANCELLED, said)
            self.report.stage("Answering")
            try:
                for sentence in phrased(self.asked, self.ollama):
                    said.append(sentence)
                    self.report.progress(**{SENTENCE: json.dumps(sentence.to_dict())})
                    if wish() in ENDING:
                        return self._end(JobState.CANCELLED, said)
            except FlowMLError as error:
                return self._end(JobState.FAILED, said, str(error))
            except Exception as error:  # the job's edge: a fault of ours
                log.exception("Job %s failed", self.job.id, extra={"job_id": self.job.id})
                cause = f"{type(error).__name__}: {error}. The log of the job has the whole story."
                return self._end(JobState.FAILED, said, cause)
        return self._end(JobState.FINISHED, said)

    def _end(self, state: JobState, said: list[Sentence], cause: str = "") -> End:
        used_s = round(time.time() - self.started, 3)
        answered = replace(self.asked, sentences=tuple(said))
        return End(state, Receipt(budget_s=0.0, used_s=used_s), cause, inquiry=answered)
