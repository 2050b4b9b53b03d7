from __future__ import annotations

import pytest

from flowml.runner.connection import LEAST_VERSION, check, connect, masked, reachable
from flowml.storage.errors import NotReady, SettingError

MASKED = [
    ("redis://:secret@host:6379/0", "redis://:***@host:6379/0"),
    ("redis://worker:secret@host/1", "redis://worker:***@host/1"),
    ("unix://:secret@/run/redis.sock", "unix://:***@/run/redis.sock"),
    ("redis://host:6379", "redis://host:6379"),
]


@pytest.mark.parametrize(("url", "shown"), MASKED)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(SettingError, match="redis://"):
        connect("localhost:6379")


def test_a_redis_that_is_not_there_is_told_so() -> None:
    with pytest.raises(NotReady, match=r"does not answer: .*[^.]\.$"), reachable():
        connect("redis://127.0.0.1:1/0").ping()


def test_a_wrong_password_is_told_so(redis_url: str) -> None:
    wrong = "unix://:wrong@" + redis_url.partition("@")[2]
    with pytest.raises(NotReady, match="refused the password") as refused, reachable():
        connect(wrong).ping()
    assert "flowml token worker" in refused.value.advice


def test_a_redis_of_today_is_new_enough(redis_url: str) -> None:
    check(connect(redis_url), redis_url)
    assert LEAST_VERSION == (6, 2)
