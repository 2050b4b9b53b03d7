"""Each machine serves the queues that its probe earns, in the order of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowml.runner.tiers import GIB, QUEUES, TIERS, lacking, queues_for
from flowml.storage.records import Capabilities, Gpu

PLAIN = Capabilities("a processor", 8, 4, 8, 3000.0, 16 * GIB, 12 * GIB)


def card(gib: float) -> Gpu:
    return Gpu(0, "a card", vram_total=int(gib * GIB))


@pytest.mark.parametrize(
    ("capabilities", "queues"),
    [
        (PLAIN, ("priority", "cpu")),
        (replace(PLAIN, ollama="0.9.1"), ("priority", "llm", "cpu")),
        (replace(PLAIN, gpus=(card(3),)), ("priority", "cpu")),
        (replace(PLAIN, gpus=(card(4),)), ("priority", "gpu", "cpu")),
        (replace(PLAIN, gpus=(card(7.6), card(7.6))), ("priority", "gpu.vram8", "gpu.vram6", "gpu", "cpu")),
        (replace(PLAIN, ollama="1", gpus=(card(23.6),)), QUEUES),
        (replace(PLAIN, gpus=(card(80),), gpu_libraries={"xgboost": "no CUDA"}), ("priority", "cpu")),
        (
            replace(PLAIN, gpus=(card(6),), gpu_libraries={"xgboost": "", "catboost": "no kernel"}),
            ("priority", "gpu.vram6", "gpu", "cpu"),
        ),
    ],
)
def test_queues_follow_from_capabilities(capabilities: Capabilities, queues: tuple[str, ...]) -> None:
    assert queues_for(capabilities) == queues


def test_every_tier_has_a_name_of_its_own_and_says_what_it_needs() -> None:
    assert len(set(QUEUES)) == len(TIERS)
    assert all(tier.needs for tier in TIERS)
    assert QUEUES[0] == "priority"
    assert QUEUES[-1] == "cpu"


def test_what_a_machine_lacks_for_the_queues_that_it_was_told_to_serve() -> None:
    assert [tier.queue for tier in lacking(("gpu.vram8", "cpu", "llm"), PLAIN)] == ["llm", "gpu.vram8"]
    assert lacking(queues_for(PLAIN), PLAIN) == ()
