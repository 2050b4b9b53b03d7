"""A running studio from Python, over its REST API.

    with Studio("http://127.0.0.1:8501") as studio:
        dataset = studio.upload("churn.csv")                                   # or a DataFrame
        job = studio.wait(studio.train(dataset.id, "churn", time_budget=1))
        print(studio.leaderboard(job.id).models[0].name)
        print(studio.predict(job.champion, {"tenure": 12}).prediction)
        print(studio.predict(job.champion, new_rows))                          # a DataFrame in, one out

What goes wrong there is raised here as the same error of `flowml.storage.errors`.
"""

from __future__ import annotations

from pathlib import Path

from flowml.runner.address import LOCAL, find
from flowml.runner.trust import of_authorities
from flowml.ui.remote.batches import BatchesPart
from flowml.ui.remote.explaining import ExplainingPart
from flowml.ui.remote.foreign import ForeignPart
from flowml.ui.remote.keeping import KeepingPart
from flowml.ui.remote.operate import OperatePart
from flowml.ui.remote.people import PeoplePart
from flowml.ui.remote.results import ResultsPart
from flowml.ui.remote.tables import TablesPart
from flowml.ui.remote.training import TrainingPart


class Studio(
    TablesPart,
    TrainingPart,
    ResultsPart,
    ExplainingPart,
    BatchesPart,
    ForeignPart,
    PeoplePart,
    OperatePart,
    KeepingPart,
):
    """One studio, by its address; `token` is sent where it asks for a login.

    Without an address: the one of FLOWML_STUDIO_URL, else the studio of this user on this machine, whose key
    lies in its data folder, else the usual port. Without a token: that of FLOWML_TOKEN. `ca` is a PEM file
    with the certificates to believe a studio by that answers by HTTPS; without it: that of FLOWML_TLS_CA.
    """

    def __init__(
        self, url: str = "", token: str | None = None, timeout_s: float = 60.0, ca: Path | str | None = None
    ) -> None:
        trusted = of_authorities(Path(ca)) if ca else None
        if not url or token is None:
            known = find(url)
            url, token = known.url, token or known.token
            trusted = known.trusted if trusted is None else trusted
        super().__init__(url, token, timeout_s, True if trusted is None else trusted)


__all__ = ["LOCAL", "Studio"]
