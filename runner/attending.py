"""What a helping lane does beside its trials: says that it is there, renews what it holds, watches its lead.

It also looks whether a job of a user waits that this worker could run; one of the helpers then makes room.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from redis import Redis

from flowml.runner import queue, tending
from flowml.runner.phase import Phase
from flowml.runner.progress import Rhythm
from flowml.runner.routine import Routine
from flowml.runner.study import Held, LaneRecord, LeadRecord, Study
from flowml.runner.taking import Taker

MAKES_ROOM = "flowml:job:{}:makes_room"  # the helper that leaves for a job
MAKES_ROOM_S = 10
LOOK_S = 0.3
BEAT_S = 2.0
JOBS_S = 0.7
RENEWALS = 4  # within one lease
PATIENCE_S = 60.0  # with a silent lead, beyond its lease


class Attending:
    """`leave` says why the lane should leave; empty: it stays. May be asked from any thread."""

    def __init__(
        self,
        redis: Redis,
        study: Study,
        lane: LaneRecord,
        queues: Sequence[str],
        taker: Taker,
        lease_s: float,
    ) -> None:
        self.leave = ""
        self._redis, self._study, self._lane, self._queues = redis, study, lane, queues
        self._taker, self._lease_s = taker, lease_s
        self._lead: LeadRecord | None = None
        self._heard_at = time.monotonic()
        self._held: dict[str, Held] = {}
        self._lost: list[Held] = []
        self._turn = threading.Lock()
        self._waiting = ""  # the job that waited at the last look
        self._beat, self._jobs = Rhythm(BEAT_S), Rhythm(JOBS_S)
        self._renewal = Rhythm(lease_s / RENEWALS)
        self._routine = Routine(f"help for {study.job_id}", self._step)

    def start(self) -> None:
        self._routine.start()

    def close(self) -> None:
        self._routine.stop()

    def ready(self, slots: int) -> None:
        self._lane = replace(self._lane, slots=slots)
        self._beat = Rhythm(BEAT_S)  # say it at once

    @property
    def lead(self) -> LeadRecord | None:
        return self._lead

    @property
    def left_s(self) -> float:
        """Of the search; 0 while nothing should be begun."""
        lead = self._lead
        if lead is None or lead.phase is not Phase.SEARCH or self.leave:
            return 0.0
        return max(0.0, lead.left_s - (time.monotonic() - self._heard_at))

    # --- what it holds ------------------------------------------------------------------------------------

    def hold(self, held: Held) -> None:
        with self._turn:
            self._held[held.entry] = held

    def let_go(self, held: Held) -> None:
        with self._turn:
            self._held.pop(held.entry, None)

    def lost(self) -> list[Held]:
        """What turned out to be somebody else's since the last call."""
        with self._turn:
            lost, self._lost = self._lost, []
            return lost

    def held(self) -> tuple[Held, ...]:
        with self._turn:
            return tuple(self._held.values())

    # --- the thread ---------------------------------------------------------------------------------------

    def _step(self) -> float:
        self._look_at_the_lead()
        if self._beat.due():
            self._lane = replace(self._lane, beat=self._lane.beat + 1)
            self._study.join(self._redis, self._lane)
        if self._renewal.due():
            self._renew()
        if self._jobs.due():
            self._look_for_jobs()
        return LOOK_S

    def _look_at_the_lead(self) -> None:
        lead, now = self._study.lead(self._redis), time.monotonic()
        if lead is None and self._study.has_lead(self._redis):
            lead = self._lead
        if lead is None or lead.phase is Phase.OVER:
            self.leave = "The search is over."
            return
        known = self._lead
        if known is None or (known.attempt, known.beat) != (lead.attempt, lead.beat):
            self._heard_at = now
        self._lead = lead
        if now - self._heard_at > self._lease_s + PATIENCE_S:
            self.leave = "The lead was not heard from."

    def _renew(self) -> None:
        held = self.held()
        ours = self._study.renew(self._redis, self._lane.name, held)
        with self._turn:
            for each in held:
                if each.entry not in ours and each.entry in self._held:
                    del self._held[each.entry]
                    self._lost.append(each)

    def _look_for_jobs(self) -> None:
        """A job that waits for two looks was not taken by a free worker."""
        if tending.told(self._redis, self._lane.name):
            self.leave = "Its worker was told to pause."
            return
        waiting, before = queue.next_job(self._redis, self._queues, self._taker), self._waiting
        self._waiting = waiting
        if waiting and waiting == before:
            key = MAKES_ROOM.format(waiting)
            if self._redis.set(key, self._lane.name, nx=True, ex=MAKES_ROOM_S):
                self.leave = f"Job {waiting} waits."
