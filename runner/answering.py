"""One attempt at an explanation job: a question about a model becomes sentences that rest on its numbers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from redis import Redis

from flowml.runner.ending import End, receipt, unless_unwanted
from flowml.runner.ollama import Ollama
from flowml.runner.report import Report
from flowml.runner.settings import Settings
from flowml.storage.records import Inquiry, Job, JobState, Sentence

SENTENCE = "sentence"  # the field of an event that tells one, as JSON


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
    said: list[Sentence] = field(default_factory=list)

    def run(self) -> End:
        """Never raises for what goes wrong in the job. What was answered until then is kept."""
        return unless_unwanted(self.redis, self.job, self._answered, self._end)

    def _answered(self, unwanted: Callable[[], bool]) -> End:
        self.report.stage("Answering")
        for sentence in phrased(self.asked, self.ollama):
            self.said.append(sentence)
            self.report.progress(**{SENTENCE: json.dumps(sentence.to_dict())})
            if unwanted():
                return self._end(JobState.CANCELLED)
        return self._end(JobState.FINISHED)

    def _end(self, state: JobState, cause: str = "") -> End:
        return End(
            state, receipt(self.started), cause, inquiry=replace(self.asked, sentences=tuple(self.said))
        )
