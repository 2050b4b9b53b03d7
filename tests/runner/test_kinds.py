from __future__ import annotations

import pytest

from flowml.runner.kinds import KINDS, duration, flag, size, written

DURATIONS = [("90", 90.0), ("90s", 90.0), ("5m", 300.0), ("1.5 h", 5400.0), ("2min", 120.0)]
SIZES = [("1048576", 2**20), ("200MB", 200 * 10**6), ("1.5GiB", 3 * 2**29), ("2 gb", 2 * 10**9)]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(("text", "number"), SIZES)
def test_sizes(text: str, number: int) -> None:
    assert size(text) == number


@pytest.mark.parametrize("text", ["", "-5", "5 weeks", "soon", "1e3"])
def test_what_is_none_is_refused(text: str) -> None:
    for parse in (duration, size, flag):
        with pytest.raises(ValueError):
            parse(text)


EXAMPLES = {
    "text": "local",
    "integer": 3,
    "flag": True,
    "list": ("a", "b"),
    "duration": 90.0,
    "size": 10,
    "folder": "/x",
    "file": "/x/y",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_reads_what_it_writes(kind: str) -> None:
    value = KINDS[kind].parse(written(EXAMPLES[kind]))
    assert KINDS[kind].parse(written(value)) == value
    assert KINDS[kind].expected
