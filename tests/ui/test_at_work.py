"""What the Live page says of the machines that work on a job."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from flowml.storage.records import Capabilities, GpuLoad, Worker
from flowml.ui.components import at_work, figures

MACHINE = Capabilities("CPU", 8, 4, 8, None, 16_000_000_000, 8_000_000_000)


@pytest.mark.parametrize(
    ("worker", "words"),
    [
        (None, "offline"),
        (Worker("m", ("cpu",), MACHINE, 0.0, 0.0), "load not told yet"),
        (
            Worker("m", ("cpu",), MACHINE, 0.0, 0.0, cpu_percent=93.4, memory_used=4_000_000_000),
            "CPU 93 % of 8 cores · 4.0 GB of 16.0 GB",
        ),
        (
            Worker("m", ("cpu",), MACHINE, 0.0, 0.0, cpu_percent=5.0, gpu_loads=(GpuLoad(1, 80.0),)),
            "CPU 5 % of 8 cores · GPU 1 80 %",
        ),
    ],
)  # fmt: skip
def test_the_load_of_a_machine_is_said_as_far_as_it_is_known(worker: Worker | None, words: str) -> None:
    assert at_work.load(worker) == words


def test_each_machine_has_its_trials_and_many_are_counted() -> None:
    def page() -> None:
        from flowml.storage.records import Capabilities, Worker
        from flowml.ui.components import at_work
        from flowml.ui.watch import Running

        machine = Capabilities("CPU", 8, 4, 8, None, 16_000_000_000, 8_000_000_000)
        names = ["lead", *(f"m{i}" for i in range(9))]
        workers = [Worker(n, ("cpu",), machine, 0.0, 0.0, "busy", "job", cpu_percent=50.0) for n in names]
        trials = [Running(i, "ridge", "search", 0.0, "" if i < 12 else "<b>m0") for i in range(14)]
        at_work.machines("lead", trials, workers, "job")

    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    said = "\n".join(each.value for each in (*app.markdown, *app.caption))
    assert said.count(":gray[trial ") == at_work.TRIALS + 2
    assert "4 more trials." in said
    assert "5 more machines with 0 trials." in said
    assert "\\<b\\>m0" in said
    assert "offline" in said


def test_a_machine_with_two_workers_counts_once() -> None:
    one, two = (replace(MACHINE, hostname=name) for name in ("one", "two"))
    workers = [Worker(str(n), ("cpu",), machine, 0.0, 0.0) for n, machine in enumerate((one, one, two))]
    assert figures.machines(workers) == (one, two)
    app = AppTest.from_function(_studio)
    app.session_state["workers"] = workers
    app.run()
    assert not app.exception
    (shown,) = [each for each in app.metric if each.label == "Workers online"]
    assert (shown.value, shown.proto.delta_description) == ("3", "16 cores")


def _studio() -> None:
    import streamlit as st

    from flowml.storage.records import DatasetTotals
    from flowml.ui.components import figures

    figures.studio([], 0, DatasetTotals(0, 0, 0), st.session_state["workers"])
