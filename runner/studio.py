"""The studio's machinery, put together in one place: what runs beside the pages and the REST API."""

from __future__ import annotations

import copy
import logging
import os
from contextlib import ExitStack, closing
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from redis import Redis

from flowml.runner import about, catalog, facts, logs, queue, spool
from flowml.runner.addresses import is_loopback
from flowml.runner.blobs import Blobs
from flowml.runner.client import Client
from flowml.runner.connection import check, connect, masked, reachable
from flowml.runner.embedded import EmbeddedRedis, Endpoint, find_server, read_endpoint
from flowml.runner.entrance import Entrance
from flowml.runner.explaining import Explaining
from flowml.runner.facts import FactWriter
from flowml.runner.home import HomeLock, prepare, studio_id
from flowml.runner.joining import worker_host
from flowml.runner.local_workers import LocalWorkers
from flowml.runner.news import Newsroom
from flowml.runner.notes import Note, remove_note, write_note
from flowml.runner.people import People
from flowml.runner.questions import Questions
from flowml.runner.reaper import Reaper
from flowml.runner.recorder import Recorder
from flowml.runner.routine import Routine
from flowml.runner.serving import Serving
from flowml.runner.settings import Settings
from flowml.runner.stores import open_artifacts, open_parcels
from flowml.runner.tenure import Tenure
from flowml.storage.datasets import Datasets
from flowml.storage.db import Database
from flowml.storage.errors import NotAllowed, NotReady
from flowml.storage.records import Dataset, Person

SOURCE = "studio"  # of its log lines
WATCH_S = 2.0

log = logging.getLogger(__name__)


class Studio:
    """`start` brings all of it up, or raises what is in the way and leaves nothing behind.

    `stop` ends it in the opposite order: running jobs are given back, what was told is recorded.
    """

    def __init__(self, settings: Settings, first_admin: bool = False) -> None:
        """With `first_admin` it also starts where a login is needed and there is none: see `first_code`."""
        self.settings = settings
        self._first_admin = first_admin
        self._running = ExitStack()
        self._client: Client | None = None
        self._serving: Serving | None = None
        self._explaining: Explaining | None = None
        self._questions: Questions | None = None
        self._entrance: Entrance | None = None
        self._people: People | None = None
        self._newsroom: Newsroom | None = None
        self._blobs: Blobs | None = None

    def as_person(self, who: Person) -> Studio:
        """The same studio as somebody sees it; only the one that was started can be stopped."""
        seat = copy.copy(self)
        seat._running = ExitStack()
        seat._client = self.client.as_person(who)
        seat._serving = self.serving.as_client(seat._client)
        seat._explaining = self.explaining.as_client(seat._client, seat._serving)
        seat._questions = self.questions.as_client(seat._client)
        seat._people = self.people.as_person(who)
        return seat

    @property
    def client(self) -> Client:
        if self._client is None:
            raise _not_running()
        return self._client

    @property
    def explaining(self) -> Explaining:
        """Around single rows and columns of a model."""
        if self._explaining is None:
            raise _not_running()
        return self._explaining

    @property
    def questions(self) -> Questions:
        """About models, in words."""
        if self._questions is None:
            raise _not_running()
        return self._questions

    @property
    def entrance(self) -> Entrance:
        """Who is it that asks."""
        if self._entrance is None:
            raise _not_running()
        return self._entrance

    @property
    def newsroom(self) -> Newsroom:
        if self._newsroom is None:
            raise _not_running()
        return self._newsroom

    @property
    def people(self) -> People:
        """Users, tokens, projects and the audit log."""
        if self._people is None:
            raise _not_running()
        return self._people

    @property
    def serving(self) -> Serving:
        if self._serving is None:
            raise _not_running()
        return self._serving

    def add_samples(self) -> tuple[Dataset, ...]:
        """The sample tables, added if they are not there."""
        from flowml.runner.samples import add_samples  # which loads the library that they come from

        return add_samples(self.client, self.settings.uploads)

    def start(self) -> None:
        with ExitStack() as stack:
            self._prepare(stack)
            redis = self._connect(stack)
            self._begin(stack, redis)
            self._running = stack.pop_all()
        log.info("The studio runs on %s", self.settings.home)
        for name in self.settings.idle():
            log.warning("%s is set, but nothing reads it in this version", name)

    def announce(self, address: str) -> None:
        """Leaves a note in the data folder, by which programs of the same user find the studio."""
        cert = self.settings.tls_cert
        note = Note(address, os.getpid(), self.entrance.local_key, str(cert.absolute()) if cert else "")
        write_note(self.settings.home, note)
        self._running.callback(remove_note, self.settings.home)
        about.announce(self._redis, about.store_of(self.settings), self._urls(address))

    def _urls(self, address: str) -> tuple[str, ...]:
        """Where workers find our files, those of other machines first."""
        host, parts = worker_host(self.settings), urlsplit(address)
        if not host or is_loopback(self.settings.host):
            return (address,)
        return (urlunsplit(parts._replace(netloc=f"{host}:{parts.port}")),)

    @property
    def endpoint(self) -> Endpoint | None:
        """How workers of other machines come in; None where they cannot, or the Redis is another's."""
        if self.settings.redis_url:
            return None
        endpoint = read_endpoint(self.settings.home)
        return endpoint if endpoint is not None and endpoint.port else None

    @property
    def blobs(self) -> Blobs:
        """Files for workers that share no folder with us."""
        if self._blobs is None:
            raise _not_running()
        return self._blobs

    def stop(self) -> None:
        """To stop twice is no error."""
        self._client = self._serving = self._explaining = self._entrance = self._people = None
        self._questions = self._newsroom = self._blobs = None
        self._running.close()

    def _prepare(self, stack: ExitStack) -> None:
        prepare(self.settings)
        lock = HomeLock(self.settings.home)
        lock.take()
        stack.callback(lock.release)
        logs.set_up(self.settings, SOURCE, file=self.settings.logs / "studio.log")
        stack.callback(logs.take_down)

    def _connect(self, stack: ExitStack) -> Redis:
        url = self.settings.redis_url
        if not url:
            host = worker_host(self.settings)
            server = EmbeddedRedis(self.settings.home, find_server(), host, self.settings.redis_port)
            stack.callback(server.stop)
            url = server.start().url
            watch = Routine("watch over Redis", partial(_ensure, server))
            watch.start()
            stack.callback(watch.stop)
        redis = stack.enter_context(closing(connect(url)))
        check(redis, url)
        with reachable():
            tenure = Tenure(redis, studio_id(self.settings.home))
            tenure.take()
        stack.callback(tenure.release)
        log.info("Redis is at %s", masked(url))
        return redis

    def _begin(self, stack: ExitStack, redis: Redis) -> None:
        """In this order: at the end each still finds what it needs."""
        settings = self.settings
        db = stack.enter_context(closing(Database(settings.database)))
        entrance = self._admit(db)
        artifacts = open_artifacts(settings)
        about.mark_folder(settings.artifacts)
        about.announce(redis, about.store_of(settings))
        self._redis, self._blobs = redis, Blobs(artifacts, open_parcels(settings), redis, db)
        datasets = Datasets(db, artifacts, settings.upload_limit, settings.read_memory)
        stack.callback(datasets.close)
        recorder = Recorder(redis, db)
        recorder.start()
        stack.callback(recorder.stop)
        told = stack.enter_context(FactWriter(redis, settings.spool, SOURCE))
        logs.set_up(settings, SOURCE, told.put, settings.logs / "studio.log")
        stack.callback(logs.set_up, settings, SOURCE, None, settings.logs / "studio.log")
        spool.replay(settings.spool, lambda lines: facts.send(redis, lines))
        queue.set_limit(redis, settings.concurrent_jobs)
        reaper = Reaper(redis, db, datasets, settings)
        reaper.start()
        stack.callback(reaper.stop)
        workers = LocalWorkers(settings)
        stack.callback(workers.stop)
        workers.start()
        choices = catalog.choices()
        self._client = Client(db, datasets, artifacts, redis, settings, choices, local_workers=workers)
        self._serving = Serving(self._client, settings.warm_memory)
        self._explaining = Explaining(self._client, self._serving)
        self._questions = Questions(self._client, settings)
        self._entrance, self._people = entrance, People(db, entrance)
        self._newsroom = Newsroom(db, redis)
        self._newsroom.start()
        stack.callback(self._newsroom.stop)

    def _admit(self, db: Database) -> Entrance:
        """Who may come in. Raises NotAllowed where others could, and nobody has a login."""
        entrance = Entrance(db, self.settings)
        entrance.add_from_settings()
        if entrance.needed and not entrance.anybody and not self._first_admin:
            raise NotAllowed(
                f"Nobody has a login yet, so the studio does not listen on {self.settings.host}.",
                "Make the first administrator: `flowml user add NAME --role admin`, or set "
                "FLOWML_ADMIN_PASSWORD, or add --first-admin, which prints a code to make it in the browser.",
            )
        return entrance


def _ensure(server: EmbeddedRedis) -> float:
    server.ensure()
    return WATCH_S


def _not_running() -> NotReady:
    return NotReady("The studio is not running.", "Start it first.")
