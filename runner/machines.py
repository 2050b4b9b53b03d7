"""Workers, queues, counts, logs and health, as the client tells them."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterable

from flowml.runner import backups, health, history, queue, roster, tending
from flowml.runner.connection import reachable
from flowml.runner.desk import Desk
from flowml.runner.embedded import Endpoint, no_door, read_endpoint, renew_token
from flowml.runner.rights import right
from flowml.runner.tending import Told
from flowml.storage import activity, jobs, logs, models, trials, workers
from flowml.storage.errors import Conflict
from flowml.storage.records import (
    ACTIVE,
    Day,
    JobState,
    Json,
    Level,
    LogLine,
    Moment,
    Scope,
    TrialRecord,
    Worker,
)

MANY = 1_000  # jobs under way


class Machines(Desk):
    @right(Scope.READ)
    def workers(self) -> tuple[Worker, ...]:
        """Those online as they are now, then those known from before, whose state is offline."""
        with reachable():
            live = tending.as_told(self._redis, roster.online(self._redis))
        with self._db.read() as cursor:
            known = workers.list_(cursor)
        names = {worker.name for worker in live}
        gone = tuple(roster.offline(worker) for worker in known if worker.name not in names)
        return self._without_others_jobs(live) + gone

    @right(Scope.READ, "", Scope.ADMIN)
    def worker(self, name: str) -> Worker:
        """One of `workers`. Raises NotFound."""
        with reachable():
            live = roster.find(self._redis, name)
            if live is not None:
                return self._without_others_jobs(tending.as_told(self._redis, (live,)))[0]
        with self._db.read() as cursor:
            return roster.offline(workers.get(cursor, name))

    @right(Scope.READ)
    def worker_history(self, name: str) -> tuple[Moment, ...]:
        """How it was in the last hour, oldest first, one a heartbeat."""
        with reachable():
            moments = history.read(self._redis, name)
        seen = self._seen_jobs(moment.job for moment in moments)
        return tuple(each if each.job in seen else dataclasses.replace(each, job="") for each in moments)

    def _without_others_jobs(self, live: tuple[Worker, ...]) -> tuple[Worker, ...]:
        """Busy they are for everybody; with what is told to who may see it."""
        seen = self._seen_jobs(worker.job_id for worker in live)
        return tuple(each if each.job_id in seen else dataclasses.replace(each, job_id="") for each in live)

    def _seen_jobs(self, ids: Iterable[str]) -> set[str]:
        known = set(ids)
        if self.who.everywhere:
            return known
        with self._db.read() as cursor:
            return jobs.among(cursor, known, self.who.visible)

    @right(Scope.ADMIN)
    def door(self) -> Endpoint:
        """How workers of other machines come in. Raises Conflict where they cannot."""
        self._must_own_redis()
        endpoint = read_endpoint(self._settings.home)
        if endpoint is None or not endpoint.port:
            raise no_door()
        return endpoint

    @right(Scope.ADMIN, "worker.token")
    def renew_door(self) -> Endpoint:
        """The same with another token: who comes with the old one is not let in. Raises Conflict."""
        self._must_own_redis()
        return renew_token(self._settings.home)

    def _must_own_redis(self) -> None:
        if self._settings.redis_url:
            raise Conflict(
                "Workers join this studio by a Redis that is not its own.",
                "Give them its address: `flowml-worker start --redis ADDRESS`.",
            )

    @right(Scope.READ)
    def running_trials(self) -> dict[str, tuple[TrialRecord, ...]]:
        """What each worker evaluates now, of the jobs that may be seen."""
        found: dict[str, list[TrialRecord]] = {}
        with self._db.read() as cursor:
            visible = {job.id for job in jobs.list_(cursor, ACTIVE, limit=MANY, projects=self._projects)}
            for job_id, record in trials.running(cursor):
                if job_id in visible:
                    found.setdefault(record.worker, []).append(record)
        return {name: tuple(records) for name, records in found.items()}

    @right(Scope.ADMIN, "worker.start")
    def start_worker(self) -> str:
        """Starts a worker on the studio's machine, which lives as long as the studio, and gives its name.

        It is online within seconds; until then the same is named again. One that was told to pause before it
        stopped is not held to that. Raises Conflict for too many.
        """
        if self._local_workers is None:
            raise Conflict("No studio runs here that could start a worker.", "Run `flowml-worker start`.")
        with reachable():
            online = {worker.name for worker in roster.online(self._redis)}
        name = self._local_workers.add(online)
        with reachable():
            tending.release(self._redis, name)
        return name

    @right(Scope.ADMIN, "worker.forget")
    def forget_worker(self, name: str) -> None:
        """Takes an offline worker out of the list. Raises Conflict while it is online."""
        with reachable():
            if roster.find(self._redis, name) is not None:
                raise Conflict(f"Worker {name} is online.", "Stop it first.")
        with self._db.write() as cursor:
            workers.get(cursor, name)
            workers.delete(cursor, name)
        with reachable():
            history.forget(self._redis, name)
            tending.release(self._redis, name)

    @right(Scope.ADMIN, "worker.pause")
    def pause_worker(self, name: str) -> Worker:
        """It ends the job that it has and takes no other. Raises NotFound for a worker that nobody knows."""
        return self._tell_worker(name, Told.PAUSE)

    @right(Scope.ADMIN, "worker.drain")
    def drain_worker(self, name: str) -> Worker:
        """It gives its job back within seconds, to go on elsewhere, and takes no other. Raises NotFound."""
        return self._tell_worker(name, Told.DRAIN)

    @right(Scope.ADMIN, "worker.resume")
    def resume_worker(self, name: str) -> Worker:
        """It takes jobs again. Raises NotFound."""
        return self._tell_worker(name, None)

    def _tell_worker(self, name: str, word: Told | None) -> Worker:
        worker = self.worker(name)
        with reachable():
            if word is None:
                tending.release(self._redis, name)
            else:
                tending.tell(self._redis, name, word)
        return worker if worker.state == "offline" else tending.with_word(worker, word)

    @right(Scope.READ)
    def queues(self) -> dict[str, int]:
        """How many jobs wait, by queue."""
        with reachable():
            return queue.depths(self._redis)

    @right(Scope.READ)
    def cluster(self) -> Json:
        """Workers, queues and what all machines have together, with advice where something is missing.

        Keys: mode, online, workers, queues, cpus, ram_total, gpus, advice.
        """
        with self._db.read() as cursor:
            waiting = jobs.list_(cursor, {JobState.QUEUED}, projects=self._projects)
        return health.cluster(self._settings, self.workers(), self.queues(), waiting)

    @right(Scope.READ)
    def counts(self) -> Json:
        """Of what is stored, Redis not asked. Keys: datasets, jobs (by state), models."""
        with self._db.read() as cursor:
            by_state = {
                state.value: jobs.count(cursor, states={state}, projects=self._projects) for state in JobState
            }
            fitted = models.count(cursor, self._projects)
        datasets = self._datasets.totals(self._projects).datasets
        return {"datasets": datasets, "jobs": by_state, "models": fitted}

    @right(Scope.READ)
    def stats(self) -> Json:
        """Counts. Keys: datasets, jobs (by state), models, workers_online."""
        with reachable():
            online = len(roster.online(self._redis))
        return {**self.counts(), "workers_online": online}

    @right(Scope.READ)
    def activity(self, since: float, offset_s: float = 0.0) -> tuple[Day, ...]:
        """What was trained on each day since then, by a clock that is so far from UTC."""
        with self._db.read() as cursor:
            return activity.days(cursor, since, offset_s, self._projects)

    @right(Scope.READ)
    def logs(
        self,
        text: str | None = None,
        level: Level | None = None,
        source: str | None = None,
        job_id: str | None = None,
        after: float | None = None,
        limit: int = 500,
    ) -> tuple[LogLine, ...]:
        """Lines of all machines, oldest first: the last ones, or those after a time. `level` is the least.

        Who does not see all projects reads what was said of the jobs in its own.
        """
        with self._db.read() as cursor:
            return logs.query(cursor, text, level, source, job_id, after, limit, self._projects)

    @right(Scope.ADMIN, "backup")
    def backup(self) -> Generator[bytes, None, None]:
        """All of the studio as one tar file, piece by piece; it goes on working meanwhile."""
        return backups.pieces(self._db, self._artifacts, self._settings)

    @right(Scope.READ)
    def health(self) -> Json:
        """How the studio is; never raises.

        Keys: status (ok, degraded), version, redis, database, workers_online, facts_waiting, jobs_active,
        advice.
        """
        return health.health(self._redis, self._db)
