from __future__ import annotations

import pytest
from redis import Redis

from flowml.runner.tenure import KEY, Tenure
from flowml.storage.errors import Conflict


def test_one_studio_serves_a_redis(redis: Redis) -> None:
    first = Tenure(redis, "home-1")
    first.take()
    with pytest.raises(Conflict, match="serves another studio"):
        Tenure(redis, "home-2").take()
    first.release()
    second = Tenure(redis, "home-2")
    second.take()
    second.release()
    assert not redis.exists(KEY)


def test_the_next_studio_of_the_same_folder_goes_on(redis: Redis) -> None:
    crashed, restarted = Tenure(redis, "home-1"), Tenure(redis, "home-1")
    crashed.take()
    restarted.take()
    assert 0 < redis.ttl(KEY) <= 30
    for tenure in (crashed, restarted):
        tenure.release()
