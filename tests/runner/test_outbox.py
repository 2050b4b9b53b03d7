from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from flowml.runner.outbox import Outbox


class Post:
    """Takes what is sent, or is away."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.away = threading.Event()
        self.heard: list[int] = []

    def send(self, batch: list[int]) -> None:
        if self.away.is_set():
            raise RedisConnectionError("away")
        self.taken += batch

    def hear(self, batch: list[int]) -> None:
        self.heard += batch


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def box(post: Post) -> Iterator[Callable[..., Outbox[int]]]:
    opened: list[Outbox[int]] = []

    def make(limit: int | None = None) -> Outbox[int]:
        opened.append(Outbox(post.send, "test", interval_s=0.01, limit=limit, away=post.hear))
        return opened[-1]

    yield make
    for each in opened:
        each.close(0.0)


def test_everything_is_sent_in_order(post: Post, box: Callable[..., Outbox[int]]) -> None:
    outbox = box()
    for number in range(1200):
        outbox.put(number)
    assert outbox.flush(5)
    assert post.taken == list(range(1200))


def test_nothing_is_lost_while_the_other_side_is_away(
    post: Post, box: Callable[..., Outbox[int]], eventually: Callable[..., None]
) -> None:
    outbox = box()
    post.away.set()
    for number in range(700):
        outbox.put(number)
    eventually(lambda: post.heard == list(range(700)))
    assert not outbox.flush(0.05)
    post.away.clear()
    assert outbox.flush(10)
    assert post.taken == list(range(700))
    assert post.heard == list(range(700))


def test_the_oldest_are_dropped_at_the_limit(post: Post, box: Callable[..., Outbox[int]]) -> None:
    outbox = box(limit=10)
    post.away.set()
    for number in range(50):
        outbox.put(number)
    post.away.clear()
    assert outbox.flush(10)
    assert post.taken == list(range(40, 50))


def test_what_was_not_sent_comes_back_at_the_end(post: Post, box: Callable[..., Outbox[int]]) -> None:
    outbox = box()
    post.away.set()
    outbox.put(1)
    outbox.put(2)
    assert outbox.close(0.05) == [1, 2]
