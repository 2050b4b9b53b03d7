"""One study on three hosts, and what happens to hosts: killed, cut off, Redis killed, the studio killed.

The studio with its Redis is one host, two workers are the others; each has its own data folder, so that
tables and what trials left behind travel over the network. The workers join with the studio's own command.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chaos.network import Network
from chaos.stage import ROW, Program, Stage, insist, table
from chaos.verdict import judge
from flowml.runner.embedded import read_endpoint
from flowml.runner.joining import join_command
from flowml.runner.notes import read_note
from flowml.storage.errors import FlowMLError, NotReady
from flowml.storage.records import ENDED, TrialRecord, TrialState
from flowml.ui.client import Studio

HOSTS = ("studio", "one", "two")
ROWS = 3_000
CUT_S = 30.0
STEP_S = 300.0  # for each thing that is waited for
ALGORITHMS = ["logistic", "lightgbm", "extra_trees", "xgboost"]


def run(folder: Path, minutes: float) -> int:
    """Lays the network, tells the story inside it, and takes the network away; the exit code."""
    network = Network(int.from_bytes(secrets.token_bytes(2)), HOSTS)
    try:
        network.open()
        inside = [sys.executable, "-m", "chaos", "--hosts", "--inside", str(network.tag)]
        inside += ["--folder", str(folder), "--minutes", str(minutes)]
        command = ["ip", "netns", "exec", network.namespace(HOSTS[0]), *inside]
        return subprocess.run(command, check=False).returncode
    finally:
        network.close()


class Story:
    """`tell` returns the report. What it waits for and does not see in time is NotReady."""

    def __init__(self, network: Network, folder: Path, minutes: float) -> None:
        self._network, self._folder, self._minutes = network, folder, minutes
        self._began = time.monotonic()
        self._stage = Stage(folder, {})
        self._job = ""
        self._seen: dict[str, Any] = {}

    def tell(self) -> dict[str, Any]:
        try:
            self._bring_up()
            self._train()
            lead, other = self._kill_the_lead()
            self._cut_off(other)
            self._kill_redis()
            self._kill_the_studio()
            self._wait_for_the_end(lead, other)
            self._stage.stop()
            time.sleep(2.0)
            left = self._stage.left_behind()
        finally:
            self._stage.end()
        verdict = judge(self._folder / "studio" / "flowml.duckdb", [self._job])
        return {**self._seen, **verdict, "seconds": self._now(), "processes_left": left}

    # --- the acts -----------------------------------------------------------------------------------------

    def _bring_up(self) -> None:
        home = self._home("studio")
        environ = {"FLOWML_HOME": str(home), "FLOWML_ADMIN_PASSWORD": secrets.token_urlsafe(16)}
        address = self._network.address("studio")
        up = f"flowml up --lan --host {address} --workers 0"
        self._stage.programs["studio"] = Program(self._network.on("studio", up), environ)
        self._stage.start("studio")
        self._until(lambda: read_note(home) is not None and self._healthy(), "the studio answers")
        endpoint = read_endpoint(home)
        assert endpoint is not None
        for name in HOSTS[1:]:
            join = f"env {join_command(endpoint)} --name {name}"
            environ = {"FLOWML_HOME": str(self._home(name))}
            self._stage.programs[name] = Program(self._network.on(name, join), environ)
            self._stage.start(name)
        self._until(lambda: self._online() == set(HOSTS[1:]), "both workers are online")
        machines = {worker.capabilities.hostname for worker in insist(self._studio().workers)}
        self._say(f"hosts of the workers: {', '.join(sorted(machines))}")

    def _train(self) -> None:
        dataset = insist(lambda: self._studio().upload(table(self._folder / "table.csv", ROWS)))
        wishes = {"time_budget": self._minutes, "model_types": ALGORITHMS}
        self._job = self._studio().train(dataset.id, "y", **wishes)
        self._until(lambda: self._both_completed(0.0), "both hosts have ended trials")
        self._say("trials come from both hosts")

    def _kill_the_lead(self) -> tuple[str, str]:
        """Its machine stays away until the other has taken over, and then comes back."""
        lead = insist(lambda: self._studio().job(self._job)).worker
        other = next(name for name in HOSTS[1:] if name != lead)
        self._until(lambda: self._running(lead), f"a trial runs on {lead}")
        held = {trial.number for trial in self._running(lead)}
        killed_at = time.time()
        self._stage.kill(lead)
        self._say(f"{lead}, which leads, is killed with the trials {sorted(held)} under way")
        self._until(lambda: self._studio().job(self._job).worker == other, f"{other} leads")
        self._seen["takeover_s"] = round(time.time() - killed_at, 1)
        self._say(f"{other} leads {self._seen['takeover_s']} s later")
        self._until(lambda: self._begun_again(held, other), "what it held runs again or has ended")
        self._seen["trials_again_s"] = round(time.time() - killed_at, 1)
        self._stage.start(lead)
        started_at = time.time()
        self._until(lambda: self._completed(lead, started_at), f"{lead} is back and ends trials")
        self._say(f"{lead} is back and helps")
        return lead, other

    def _cut_off(self, host: str) -> None:
        self._network.cut(host)
        self._say(f"{host}, which leads now, is cut off for {CUT_S:g} s")
        time.sleep(CUT_S)
        self._network.mend(host)
        mended_at = time.time()
        self._until(lambda: self._completed(host, mended_at), f"{host} ends trials")
        self._seen["heard_again_s"] = round(time.time() - mended_at, 1)
        self._seen["lead_after_the_cut"] = insist(lambda: self._studio().job(self._job)).worker
        self._say(f"{host} was heard from {self._seen['heard_again_s']} s after the cable was back")

    def _kill_redis(self) -> None:
        servers = self._stage.servers()
        if not servers:
            raise NotReady("No Redis server was found below the studio.")
        for server in servers:
            server.kill()
        at = time.time()
        self._say("Redis is killed")
        self._until(lambda: self._both_completed(at), "both hosts end trials")
        self._seen["after_redis_s"] = round(time.time() - at, 1)
        self._say(f"both hosts ended trials {self._seen['after_redis_s']} s later")

    def _kill_the_studio(self) -> None:
        self._stage.kill("studio")
        at = time.time()
        self._say("the studio is killed, and its Redis with it")
        time.sleep(2.0)
        self._stage.start("studio")
        self._until(self._healthy, "the studio answers again")
        self._seen["studio_back_s"] = round(time.time() - at, 1)
        back_at = time.time()
        self._until(lambda: self._both_completed(back_at), "both hosts end trials")
        self._seen["after_studio_s"] = round(time.time() - at, 1)
        self._say(f"both hosts ended trials {self._seen['after_studio_s']} s later")

    def _wait_for_the_end(self, lead: str, other: str) -> None:
        self._until(self._over, "the study ends", self._minutes * 60.0 + STEP_S)
        studio = self._studio()
        job = insist(lambda: studio.job(self._job))
        board = insist(lambda: studio.leaderboard(self._job)).models
        ranked = Counter(row.worker for row in board if row.rank is not None and row.trial is not None)
        self._seen |= {
            "killed": lead,
            "cut_off": other,
            "on_the_leaderboard": dict(ranked),
            "prediction": str(insist(lambda: studio.predict(job.champion, ROW)).prediction),
        }
        self._say(f"the study has ended: {job.status}")

    # --- what is seen -------------------------------------------------------------------------------------

    def _home(self, host: str) -> Path:
        return self._folder / host

    def _studio(self) -> Studio:
        note = read_note(self._home("studio"))
        if note is None:
            raise NotReady("The studio has not announced itself.")
        return Studio(note.address, note.key, timeout_s=30)

    def _healthy(self) -> bool:
        return bool(self._stage.alive("studio") and self._studio().jobs() is not None)

    def _online(self) -> set[str]:
        return {worker.name for worker in self._studio().workers() if worker.status != "offline"}

    def _over(self) -> bool:
        return self._studio().job(self._job).status in ENDED

    def _trials(self) -> list[TrialRecord]:
        return self._studio().trials(self._job)

    def _running(self, host: str) -> list[TrialRecord]:
        running = [trial for trial in self._trials() if trial.state is TrialState.RUNNING]
        return [trial for trial in running if trial.worker == host]

    def _completed(self, host: str, since: float) -> bool:
        """Whether a trial of this host has ended that began since then."""
        ended = [trial for trial in self._trials() if trial.state is TrialState.COMPLETE]
        return any(trial.worker == host and trial.started_at >= since for trial in ended)

    def _both_completed(self, since: float) -> bool:
        return all(self._completed(host, since) for host in HOSTS[1:])

    def _begun_again(self, numbers: set[int], host: str) -> bool:
        rows = [trial for trial in self._trials() if trial.number in numbers]
        open_ = (TrialState.RUNNING, TrialState.LOST)
        return all(row.worker == host or row.state not in open_ for row in rows)

    def _until(self, seen: Callable[[], object], what: str, timeout_s: float = STEP_S) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if seen():
                    return
            except FlowMLError:  # it is away
                pass
            time.sleep(0.3)
        raise NotReady(f"Not within {timeout_s:g} s: {what}.", f"Look at the logs in {self._folder}.")

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 1)

    def _say(self, text: str) -> None:
        sys.stdout.write(f"{self._now():7.1f} s  {text}\n")
        sys.stdout.flush()


def failures(report: dict[str, Any]) -> list[str]:
    """What the story promises beyond the counts."""
    found = []
    if report["takeover_s"] > 60.0 or report["trials_again_s"] > 60.0:
        found.append("The takeover took more than 60 s.")
    if set(report["on_the_leaderboard"]) != set(HOSTS[1:]):
        found.append("The leaderboard has not trials of both hosts.")
    if report["prediction"] not in ("yes", "no"):
        found.append(f"The model predicts {report['prediction']!r}.")
    return found
