"""Leaderboards of jobs that have ended, which change no more: made into answers once, asked for often."""

from __future__ import annotations

import threading
from collections import OrderedDict

from flowml.runner.client import Client
from flowml.storage.records import ENDED, Job
from flowml.ui.api.bodies.results import Leaderboard

MOST_ROWS = 20_000  # of all that are kept


class Boards:
    """The ones asked for last, as many as have MOST_ROWS together. May be called from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, float | None, str], Leaderboard] = OrderedDict()
        self._turn = threading.Lock()

    def of(self, client: Client, job: Job) -> Leaderboard:
        """To be read only. `job` is as who asks may see it."""
        if job.state not in ENDED or not job.champion:  # news of trials may still come
            return Leaderboard.of_job(job, client.leaderboard(job.id))
        key = (job.id, job.ended_at, job.champion)
        with self._turn:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        board = Leaderboard.of_job(job, client.leaderboard(job.id))
        with self._turn:
            self._kept[key] = board
            while len(self._kept) > 1 and sum(len(each.models) for each in self._kept.values()) > MOST_ROWS:
                self._kept.popitem(last=False)
        return board
