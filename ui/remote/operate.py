"""Workers, the cluster, counts, logs and health of a studio."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flowml.storage.errors import NotReady
from flowml.ui.api.bodies.operate import (
    Cluster,
    Health,
    JoinAnswer,
    LogLineAnswer,
    MomentAnswer,
    StartedWorker,
    Stats,
    WorkerAnswer,
)
from flowml.ui.remote.wire import Wire, adapter, quoted


class OperatePart(Wire):
    def workers(self) -> list[WorkerAnswer]:
        """Those online, then those known from before."""
        return self._one(list[WorkerAnswer], "GET", "workers")

    def worker(self, name: str) -> WorkerAnswer:
        return self._one(WorkerAnswer, "GET", f"workers/{quoted(name)}")

    def start_worker(self) -> str:
        """Start a worker on the studio's machine, and give its name: it is online within seconds.

        It lives as long as the studio. Administrators only. Raises Conflict for too many.
        """
        return self._one(StartedWorker, "POST", "workers").name

    def forget_worker(self, name: str) -> None:
        """Take an offline worker out of the list."""
        self._ask("DELETE", f"workers/{quoted(name)}")

    def pause_worker(self, name: str) -> WorkerAnswer:
        """It ends the job that it has, and takes no other."""
        return self._one(WorkerAnswer, "POST", f"workers/{quoted(name)}/pause")

    def drain_worker(self, name: str) -> WorkerAnswer:
        """It gives its job back, to go on elsewhere, and takes no other."""
        return self._one(WorkerAnswer, "POST", f"workers/{quoted(name)}/drain")

    def resume_worker(self, name: str) -> WorkerAnswer:
        """It takes jobs again."""
        return self._one(WorkerAnswer, "POST", f"workers/{quoted(name)}/resume")

    def worker_history(self, name: str) -> list[MomentAnswer]:
        """How it was in the last hour, oldest first."""
        return self._one(list[MomentAnswer], "GET", f"workers/{quoted(name)}/history")

    def cluster(self) -> Cluster:
        """Queues, and what all machines have together."""
        return self._one(Cluster, "GET", "cluster")

    def join(self, new: bool = False) -> JoinAnswer:
        """The command and the token with which another machine joins; with `new` another token is made.

        Administrators only. Raises Conflict where the studio is open to this machine alone.
        """
        return self._one(JoinAnswer, "POST" if new else "GET", "cluster/join")

    def counts(self) -> Stats:
        """How many datasets, jobs, models and workers there are."""
        return self._one(Stats, "GET", "stats")

    def health(self) -> Health:
        return self._one(Health, "GET", "health")

    def ready(self) -> bool:
        """Whether it can do its work now: it answers, and so do its database and its Redis."""
        try:
            self._ask("GET", "ready")
        except NotReady:
            return False
        return True

    def backup(self, to: Path | str) -> Path:
        """Write all of the studio to one file, for `flowml restore`; administrators only."""
        return self._save("backup", to)

    def metrics(self) -> str:
        """Figures in the format of Prometheus."""
        return self._ask("GET", "metrics").text

    def logs(
        self, text: str = "", level: str = "", source: str = "", job_id: str = "", limit: int = 500
    ) -> list[LogLineAnswer]:
        """The last lines of all machines, oldest first."""
        params = _given(text=text, level=level, source=source, job_id=job_id) | {"limit": limit}
        return self._one(list[LogLineAnswer], "GET", "logs", params=params)

    def follow_logs(
        self, text: str = "", level: str = "", source: str = "", job_id: str = "", last: int = 20
    ) -> Iterator[LogLineAnswer]:
        """The last lines, then each as it is said; without an end."""
        params = _given(text=text, level=level, source=source, job_id=job_id) | {"last": last}
        for block in self._events("GET", "logs/follow", params=params):
            yield adapter(LogLineAnswer).validate_python(json.loads(block["data"]))


def _given(**wanted: str) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if value}
