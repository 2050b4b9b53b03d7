from __future__ import annotations

from collections.abc import Callable

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from flowml.runner import routine
from flowml.runner.routine import Routine


@pytest.mark.parametrize("error", [RedisConnectionError("away"), ValueError("odd")])
def test_it_outlives_what_goes_wrong_and_says_it_once(
    error: Exception,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[..., None],
) -> None:
    monkeypatch.setattr(routine, "TROUBLE_PAUSE_S", 0.01)
    steps: list[int] = []

    def step() -> float:
        steps.append(len(steps))
        if 2 <= len(steps) <= 5:
            raise error
        return 0.01

    working = Routine("test", step)
    working.start()
    eventually(lambda: len(steps) > 8)
    working.stop()
    working.stop()
    assert [record.message for record in caplog.records if "test tries again" in record.message][1:] == []
    assert str(error) in caplog.text
