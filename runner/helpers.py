"""How a lead sees the lanes on other workers that help its study: a few calls, none of which waits.

`NoHelpers` is a study on one machine. `leading` has the other kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flowml.runner.journal import Past
from flowml.runner.needs import Serves
from flowml.runner.phase import Phase
from flowml.runner.team import Evaluated, Failed, Said
from flowml.storage.records import TrialRecord

if TYPE_CHECKING:
    from flowml.automl.candidate import Candidate


@dataclass(frozen=True)
class Begun:
    """A helper began an offered trial."""

    number: int
    worker: str


@dataclass(frozen=True)
class Waits:
    """A trial that a helper had began waits for another one."""

    number: int
    cause: str


@dataclass(frozen=True)
class Recalled:
    """An offered trial that no helper took is the lead's again."""

    candidate: Candidate


Word = Begun | Waits | Recalled | Evaluated | Failed | Said


class Helpers(Protocol):
    def recover(self, past: Past) -> Past:
        """What this machine knows of an earlier attempt, with what all others know. May wait."""

    def begin(self) -> None:
        """The search begins: from now on helpers are invited."""

    @property
    def has_room(self) -> bool:
        """Whether the helpers could use another candidate of some kind."""

    def room(self, kind: str) -> int:
        """How many candidates more of a kind (`needs`) they could use, one ahead for each few slots."""

    def may_serve(self, kind: str) -> bool:
        """Whether one of them, or a worker that could become one, serves the kind."""

    def offer(self, candidate: Candidate, kind: str) -> None: ...

    def recall(self, own: Serves) -> None:
        """Asks for one offered trial back that nobody has begun, and that the lead could run."""

    def heard(self) -> Sequence[Word]:
        """What came since the last call."""

    def asked(self, candidate: Candidate) -> None:
        """A trial that was decided on, wherever it will run."""

    def ended(self, record: TrialRecord) -> None:
        """A trial that the lead itself evaluated."""

    def tell(self, phase: Phase, left_s: float, used_s: float) -> None:
        """How the search stands; OVER ends all trials of the helpers."""

    def close(self) -> None: ...


class NoHelpers:
    has_room = False

    def recover(self, past: Past) -> Past:
        return past

    def begin(self) -> None: ...
    def room(self, _kind: str) -> int:
        return 0

    def may_serve(self, _kind: str) -> bool:
        return False

    def offer(self, candidate: Candidate, kind: str) -> None: ...
    def recall(self, own: Serves) -> None: ...

    def heard(self) -> Sequence[Word]:
        return ()

    def asked(self, candidate: Candidate) -> None: ...
    def ended(self, record: TrialRecord) -> None: ...
    def tell(self, phase: Phase, left_s: float, used_s: float) -> None: ...
    def close(self) -> None: ...
