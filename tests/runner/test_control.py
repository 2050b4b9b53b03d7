from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from redis import Redis

from flowml.runner import control
from flowml.runner.control import ControlWatch
from flowml.storage.records import Control


def test_what_is_asked_is_seen_soon(redis: Redis, eventually: Callable[..., None]) -> None:
    with closing(ControlWatch(redis, "job-1", interval_s=0.02)) as wish:
        assert wish.first() is None
        control.ask(redis, "job-1", Control.STOP)
        eventually(lambda: wish() is Control.STOP)
        control.forget(redis, "job-1")
        eventually(lambda: wish() is None)


def test_the_first_look_sees_what_was_asked_before(redis: Redis) -> None:
    control.ask(redis, "job-1", Control.CANCEL)
    with closing(ControlWatch(redis, "job-1")) as wish:
        assert wish.first() is Control.CANCEL
