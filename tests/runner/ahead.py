"""A process like a work-horse whose worker has loaded the libraries ahead, for tests to run as a program."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from flowml.runner.crew import Answered, Crew, Happening, Lost
from flowml.runner.forkserver import FORK_SERVER, NAME, ForkServer
from flowml.runner.preloading import Preloading
from flowml.runner.slot import Slot
from flowml.runner.waiting import wait_until
from flowml.storage.records import Json

GIB = 2**30
THREADS = 2


def say(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def until(crew: Crew, over: Callable[[Happening], bool]) -> Happening:
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        for happening in crew.wait(1.0):
            if over(happening):
                return happening
    raise AssertionError("not within 100 s")


def answer(crew: Crew, slot: Slot, command: str = "", **fields: Any) -> Any:
    if command:
        slot.send(command, threads=THREADS, **fields)
    happening = until(crew, lambda each: isinstance(each, Answered | Lost))
    return happening.answer if isinstance(happening, Answered) else happening


def evaluated(crew: Crew, slot: Slot, request: dict[str, Any], work: str) -> Iterator[Any]:
    """What a trial of each algorithm came to, or Lost; `crew` has one child that is starting."""
    from flowml.automl.algorithms import ALGORITHMS
    from flowml.automl.candidate import Candidate
    from flowml.automl.shape import Shape

    assert answer(crew, slot)["answer"] == "ready"
    shape = Shape.from_dict(answer(crew, slot, "prepare", **request["prepare"])["shape"])
    for number, key in enumerate(request["algorithms"]):
        params = ALGORITHMS[key].defaults(shape)
        few: Json = {name: 20 for name in ("rounds", "trees") if name in params}
        candidate = Candidate(number, key, {**params, **few}).to_dict()
        yield answer(crew, slot, "evaluate", candidate=candidate, work=work, deadline_s=60.0)


def alike(request: dict[str, Any]) -> None:
    """The same trials by a child that is forked, then by one that starts as a program."""
    for way in ("forked", "started"):
        crew = Crew(THREADS, 8 * GIB)
        slot = crew.add()
        child = psutil.Process(pid_of(slot))
        name, mine = child.name(), child.ppid() == os.getpid()
        records = [each["record"] for each in evaluated(crew, slot, request, f"{request['work']}/{way}")]
        say(way=way, name=name, mine=mine, records=records)
        crew.close()
        FORK_SERVER.set(None)


def falling(request: dict[str, Any]) -> None:
    """A trial that crashes, then a child that is killed, then the server; at the end it waits for its own."""
    crew = Crew(1, 8 * GIB)
    slot = crew.add()
    (lost,) = evaluated(crew, slot, request, request["work"])
    say(cause=lost.error.message)
    crew.restart(slot)
    assert answer(crew, slot)["answer"] == "ready"
    os.kill(pid_of(slot), signal.SIGKILL)
    say(cause=answer(crew, slot).error.message)
    crew.restart(slot)
    assert answer(crew, slot)["answer"] == "ready"
    (server,) = [each for each in psutil.Process().children() if each.name() == NAME]
    server.kill()
    server.wait()
    assert answer(crew, crew.add())["answer"] == "ready"
    FORK_SERVER.set(ForkServer())
    assert wait_until(lambda: NAME in {each.name() for each in psutil.Process().children()}, 60.0)
    family = psutil.Process().children()
    say(names=[each.name() for each in family], pids=[each.pid for each in family])
    time.sleep(60)


def pid_of(slot: Slot) -> int:
    assert slot._process is not None
    return slot._process.pid


def crash(*_: Any) -> Any:
    ctypes.string_at(0)


def main() -> None:
    ahead = Preloading(1e-9)
    while not ahead.done:
        ahead.step()
    opened = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    threads = [each.joinpath("comm").read_text().strip() for each in Path("/proc/self/task").iterdir()]
    say(threads=threads[1:], gpus=[name for name in opened if "nvidia" in name])
    request = json.load(sys.stdin)
    from flowml.automl.algorithms import ALGORITHMS

    if request["crashes"]:
        ALGORITHMS[request["crashes"]] = replace(ALGORITHMS[request["crashes"]], fit=crash)
    FORK_SERVER.set(ForkServer())
    {"alike": alike, "falling": falling}[sys.argv[1]](request)


if __name__ == "__main__":
    main()
