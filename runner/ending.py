"""How an attempt at a job ends, whatever goes wrong on the way."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from redis import Redis

from flowml.runner.control import ControlWatch
from flowml.storage.errors import FlowMLError
from flowml.storage.records import (
    Control,
    Inquiry,
    Job,
    JobState,
    Json,
    LeaderboardRow,
    Model,
    Receipt,
    Scoring,
    Verifying,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class End:
    state: JobState
    receipt: Receipt
    cause: str = ""
    model: Model | None = None  # the champion, its file delivered
    leaderboard: tuple[LeaderboardRow, ...] = ()
    scoring: Scoring | None = None  # of a prediction job that was answered
    inquiry: Inquiry | None = None  # of an explanation job
    verifying: Verifying | None = None  # of a verification job that came to a verdict

    def changes(self) -> Json:
        """Of the job."""
        found: Json = {"champion": self.model.id, "best_score": self.model.score} if self.model else {}
        if self.scoring is not None:
            found = {"scoring": self.scoring.to_dict()}
        if self.inquiry is not None:
            found = {"inquiry": self.inquiry.to_dict()}
        if self.verifying is not None:
            found = {"verifying": self.verifying.to_dict()}
        return {
            "state": self.state.value,
            "ended_at": time.time(),
            "cause": self.cause,
            "receipt": self.receipt.to_dict(),
            **found,
        }


EndAs = Callable[[JobState, str], End]  # in a state, with its cause


def receipt(started: float, budget_s: float = 0.0) -> Receipt:
    """Of an attempt that began at `started` and ends now."""
    return Receipt(budget_s=budget_s, used_s=round(time.time() - started, 3))


def to_an_end(job: Job, run: Callable[[], End], end: EndAs) -> End:
    """What goes wrong in a job never leaves it: that is a failed job with its cause."""
    try:
        return run()
    except FlowMLError as error:
        return end(JobState.FAILED, str(error))
    except Exception as error:  # the job's edge: a fault of ours
        log.exception("Job %s failed", job.id, extra={"job_id": job.id})
        cause = f"{type(error).__name__}: {error}. The log of the job has the whole story."
        return end(JobState.FAILED, cause)


def unless_unwanted(redis: Redis, job: Job, run: Callable[[Callable[[], bool]], End], end: EndAs) -> End:
    """As `to_an_end` for a job of which half is nothing: a user who stops it cancels it.

    `run` is given what tells whether the user wants it no more.
    """
    with closing(ControlWatch(redis, job.id)) as wish:

        def unwanted() -> bool:
            return wish() in (Control.STOP, Control.CANCEL)

        wish.first()
        if unwanted():
            return end(JobState.CANCELLED, "")
        found = to_an_end(job, lambda: run(unwanted), end)
        return end(JobState.CANCELLED, "") if found.state is JobState.FAILED and unwanted() else found
