"""Children are real processes here; what they run is a few lines that the test gives them."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from flowml.runner.crew import Answered, Crew, Happening, Lost, Printed
from flowml.runner.deaths import DEATHS, crashed
from flowml.runner.slot import Doing
from flowml.storage.errors import TrialOutOfMemory, TrialTimeout

GIB = 2**30
HELLO = "import sys, json; print(json.dumps({'answer': 'ready'}), flush=True); "


@contextmanager
def crew_of(program: str, memory_limit: int = GIB) -> Iterator[Crew]:
    crew = Crew(1, memory_limit, (sys.executable, "-c", program))
    try:
        yield crew
    finally:
        crew.close()


def collect(crew: Crew, enough: Callable[[list[Happening]], bool], limit_s: float = 10) -> list[Happening]:
    seen: list[Happening] = []
    deadline = time.monotonic() + limit_s
    while not enough(seen) and time.monotonic() < deadline:
        seen += crew.wait(0.2)
    return seen


def lost(seen: list[Happening]) -> list[Lost]:
    return [happening for happening in seen if isinstance(happening, Lost)]


def test_commands_go_in_and_answers_come_out() -> None:
    echo = (
        HELLO + "[print(json.dumps({'answer': json.loads(line)['word']}), flush=True) for line in sys.stdin]"
    )
    with crew_of(echo) as crew:
        slot = crew.add()
        slot.send("say", word="x" * 100_000)
        seen = collect(crew, lambda seen: len(seen) == 2)
        assert seen == [Answered(slot, {"answer": "ready"}), Answered(slot, {"answer": "x" * 100_000})]


def test_what_a_library_prints_is_kept_apart_from_answers() -> None:
    with crew_of("import sys; sys.stderr.write('a warning\\n'); sys.exit(3)") as crew:
        slot = crew.add()
        seen = collect(crew, lambda seen: bool(lost(seen)))
        assert Printed(slot, "a warning") in seen
        assert str(lost(seen)[0].error) == str(crashed(3, "a warning"))
        assert slot.doing is Doing.NOTHING


@pytest.mark.parametrize("number", sorted(DEATHS))
def test_a_death_by_signal_is_told_in_words(number: int) -> None:
    with crew_of(f"import os; os.kill(os.getpid(), {number})") as crew:
        crew.add()
        (end,) = lost(collect(crew, lambda seen: bool(lost(seen))))
        assert (end.error.message, end.error.advice) == DEATHS[number]
        assert signal.Signals(number).name in end.error.message


def test_an_unknown_signal_still_has_a_name() -> None:
    assert "SIGXCPU" in crashed(-signal.SIGXCPU).message
    assert "exit code 7" in crashed(7).message


def test_a_kill_takes_all_that_the_child_started() -> None:
    family = (
        "import subprocess, sys, json, time; "
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(json.dumps({'answer': other.pid}), flush=True); time.sleep(60)"
    )
    with crew_of(family) as crew:
        slot = crew.add()
        (said,) = collect(crew, bool)
        assert isinstance(said, Answered)
        grandchild = psutil.Process(said.answer["answer"])
        crew.kill(slot)
        grandchild.wait(20)


def test_a_grandchild_goes_though_the_child_is_dead() -> None:
    orphan = (
        "import subprocess, sys, json, os, time; "
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(json.dumps({'answer': other.pid}), flush=True); os._exit(4)"
    )
    with crew_of(orphan) as crew:
        crew.add()
        seen = collect(crew, lambda seen: bool(lost(seen)))
        assert isinstance(seen[0], Answered)
        psutil.wait_procs(
            [psutil.Process(pid) for pid in [seen[0].answer["answer"]] if psutil.pid_exists(pid)], 5
        )
        assert not psutil.pid_exists(seen[0].answer["answer"])


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os, time; os.close(1); time.sleep(60)", "closed the pipe"),
        ("import time; print('hello', flush=True); time.sleep(60)", "wrote other things"),
    ],
)
def test_a_child_that_cannot_be_heard_is_lost(program: str, words: str) -> None:
    with crew_of(program) as crew:
        crew.add()
        (end,) = lost(collect(crew, lambda seen: bool(lost(seen))))
        assert words in end.error.message
        assert end.error.advice


def test_a_child_that_prints_without_end_neither_holds_the_crew_nor_fills_its_log() -> None:
    shout = "import os\nos.write(2, b'x' * 2**20)\nwhile True: os.write(2, b'a line of words\\n' * 1000)"
    with crew_of(shout) as crew:
        crew.add()
        began = time.monotonic()
        seen = collect(crew, lambda _: time.monotonic() - began > 1.0)
        assert time.monotonic() - began < 20
        lines = [happening.line for happening in seen if isinstance(happening, Printed)]
        assert lines[-1] == "(It prints on; the rest is left out.)"
        assert sum(map(len, lines)) < 2**19


def test_a_closed_pipe_of_words_costs_no_processor_time() -> None:
    with crew_of("import os, time; os.close(2); time.sleep(60)") as crew:
        crew.add()
        collect(crew, lambda _: False, 0.5)
        used = time.process_time()
        for _ in range(5):
            assert crew.wait(0.1) == []
        assert time.process_time() - used < 0.1


def test_a_child_that_outruns_its_time_is_killed() -> None:
    with crew_of(HELLO + "import time; time.sleep(60)") as crew:
        slot = crew.add()
        collect(crew, bool)
        slot.now(Doing.EVALUATING, limit_s=0.2, grace_s=0.1)
        started = time.monotonic()
        (end,) = lost(collect(crew, lambda seen: bool(lost(seen))))
        assert 0.2 < time.monotonic() - started < 10
        assert isinstance(end.error, TrialTimeout)
        assert (end.doing, slot.doing) == (Doing.EVALUATING, Doing.NOTHING)


def test_the_largest_child_goes_when_memory_runs_out() -> None:
    greedy = (
        "import json, sys, time\nheld = bytearray(json.loads(sys.stdin.readline())['size'])\n"
        "print('{}', flush=True)\ntime.sleep(60)"
    )
    with crew_of(greedy, memory_limit=400 << 20) as crew:
        small, large = crew.add(), crew.add()
        small.send("hold", size=50 << 20)
        large.send("hold", size=600 << 20)
        (end,) = lost(collect(crew, lambda seen: bool(lost(seen))))
        assert end.slot is large
        assert isinstance(end.error, TrialOutOfMemory)
        assert "400 MiB" in end.error.message
        assert crew.doing(Doing.NOTHING) == [large]
        assert large.memory() == 0


def test_waiting_costs_no_processor_time() -> None:
    with crew_of("import time; time.sleep(60)") as crew:
        crew.add()
        started, used = time.monotonic(), time.process_time()
        for _ in range(10):
            assert crew.wait(0.1) == []
        assert time.monotonic() - started >= 1.0
        assert time.process_time() - used < 0.1


def test_libraries_are_told_how_many_threads_they_may_use() -> None:
    names = "import os, json; print(json.dumps(dict(os.environ)), flush=True)"
    crew = Crew(3, GIB, (sys.executable, "-c", names))
    crew.add()
    (said, *_) = collect(crew, bool)
    crew.close()
    assert isinstance(said, Answered)
    assert said.answer["OMP_NUM_THREADS"] == "3"
    assert said.answer["POLARS_MAX_THREADS"] == "3"
    assert "OMP_WAIT_POLICY" not in said.answer
