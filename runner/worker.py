"""A worker process: says who it is and what it can do, then takes jobs until it is told to stop.

It only watches and never runs a model library itself. `python -m flowml.runner.worker NAME` is how the studio
starts its local ones.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from redis import Redis
from redis.exceptions import RedisError

from flowml.runner import about, enlisting, facts, logs, roster, tending, workfolder
from flowml.runner.connection import brisk, check, connect, masked, patient, reachable
from flowml.runner.embedded import read_endpoint
from flowml.runner.enlisting import Terms
from flowml.runner.facts import FactWriter
from flowml.runner.home import prepare
from flowml.runner.joining import with_token
from flowml.runner.limits import allowance
from flowml.runner.probe import probe
from flowml.runner.pulse import Pulse
from flowml.runner.rq_worker import FlowWorker
from flowml.runner.settings import Settings, read_settings
from flowml.runner.taking import Taker
from flowml.runner.tiers import HELP_QUEUE, lacking, may_help, memory_for_trials
from flowml.runner.workplace import WORKPLACE, Workplace
from flowml.storage.errors import FlowMLError, NotReady
from flowml.storage.records import FactKind, Worker

LOCAL_PATIENCE_S = 600.0
NICE = 10  # how much a local worker stands behind the studio, which answers people meanwhile
RQ_TTL_S = 30  # RQ's own record of the worker

log = logging.getLogger("flowml.runner.worker")  # by its name also where it is run as a program


def redis_url_of(settings: Settings) -> str:
    """The Redis to work for: the one that is set, else that of the studio on the same data folder."""
    if settings.redis_url:
        return settings.redis_url
    endpoint = read_endpoint(settings.home)
    if endpoint is None:
        raise NotReady(
            f"FLOWML_REDIS_URL is not set, and no studio has run on {settings.home} yet.",
            "Start the studio first (`flowml up`), or name its Redis with --redis or FLOWML_REDIS_URL.",
        )
    return endpoint.url


def run_worker(
    settings: Settings, redis_url: str = "", terms: Terms | None = None, kind: type[FlowWorker] = FlowWorker
) -> int:
    """Works until SIGTERM or Ctrl-C, which give the running job back; the exit code.

    Raises NotReady if Redis does not answer at the start, Conflict if the name is taken, or the studio is, or
    becomes, of another version. `kind` may be a FlowWorker whose jobs allow other functions.
    """
    url, terms = with_token(redis_url or redis_url_of(settings), settings.worker_token), terms or Terms()
    prepare(settings)
    logs.set_up(settings, terms.name or "worker")
    haste = brisk()
    with _exit_on_signals(), closing(connect(url, haste)) as redis:
        check(redis, url)
        with reachable():
            about.shake_hands(redis)
            machine = probe(settings.ollama_url)
            terms = enlisting.within(terms, machine)
            record = enlisting.enlist(redis, settings, terms, machine)
            workfolder.sweep(settings.work, lambda job_id: facts.has_ended(redis, job_id))
        with FactWriter(redis, settings.spool, record.name) as told:
            logs.set_up(settings, record.name, told.put)
            told.put(FactKind.WORKER, record.to_dict())
            log.info("Worker %s serves %s at %s", record.name, ", ".join(record.queues), masked(url))
            for tier in lacking(record.queues, record.capabilities):
                log.warning("It was told to serve %s, which needs what it lacks: %s", tier.queue, tier.needs)
            try:
                return _work(settings, url, terms, kind, redis, record)
            finally:
                haste.update_retries(0)
                with suppress(RedisError):  # then it expires by itself
                    roster.leave(redis, record.name)
                told.put(FactKind.WORKER, roster.offline(record).to_dict())
                log.info("Worker %s has stopped", record.name)
                logs.set_up(settings, record.name)


def _work(
    settings: Settings, url: str, terms: Terms, kind: type[FlowWorker], redis: Redis, record: Worker
) -> int:
    slots = terms.slots or settings.slots or None
    WORKPLACE.set(
        Workplace(
            settings,
            url,
            record.name,
            slots,
            terms.cores,
            terms.memory_limit,
            record.queues,
            record.capabilities,
            memory_for_trials(record),
        )
    )
    retry = patient()
    with closing(connect(url, retry)) as own:
        worker = kind(
            [*record.queues, *([HELP_QUEUE] if may_help(record.queues) else [])],
            name=record.name,
            connection=own,
            serializer="json",
            worker_ttl=RQ_TTL_S,
            job_monitoring_interval=max(1, int(settings.lease / 9)),
            log_job_description=False,
        )
        worker.serve_as(Taker(record.name, memory_for_trials(record)))
        worker.lease_s = int(settings.lease)
        worker.load_ahead(settings.load_ahead)
        worker.retry = retry
        worker.enter_horse = lambda: logs.set_up(settings, record.name)
        pulse = Pulse(
            redis,
            lambda: enlisting.as_it_is(worker, record, tending.told(redis, record.name)),
            settings.worker_ttl,
            settings.spool,
            terms.patience_s,
        )
        worker.on_change = pulse.wake
        pulse.start()
        worker.work()
        pulse.stop()
        if worker.misfit is not None:
            raise worker.misfit
        return 0 if worker.told_to_stop else 1


@contextmanager
def _exit_on_signals() -> Iterator[None]:
    """Until RQ has its own way with them, SIGTERM and Ctrl-C leave the orderly way too."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: list[str]) -> int:
    """Entry point of a studio's local worker, which shares the cores with the studio's other ones."""
    settings = read_settings()
    os.nice(NICE)
    cores = max(1, allowance().cpus // max(1, settings.workers))
    try:
        return run_worker(settings, "", Terms(arguments[0], cores=cores, patience_s=LOCAL_PATIENCE_S))
    except FlowMLError as error:
        log.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
