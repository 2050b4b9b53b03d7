"""Rows of a leaderboard as scripts and notebooks that rebuild them with public libraries."""

from __future__ import annotations

from flowml.runner.client import Client
from flowml.storage.errors import NotFound, NotReady
from flowml.storage.records import TrialRecord

SCRIPT, NOTEBOOK = "py", "ipynb"
FORMATS = (SCRIPT, NOTEBOOK)


def script_of(client: Client, job_id: str, trial: int, format: str = SCRIPT) -> str:
    """The row of a trial as Python, or as a notebook in its JSON.

    Raises NotFound for a job, trial or table that is not there, NotReady for a job without a model, and
    SpecError for a row that cannot be written.
    """
    from flowml.automl.script import Basis, notebook_of
    from flowml.automl.script import script_of as written

    job, row = client.job(job_id), row_of(client, job_id, trial)
    dataset = client.dataset(job.spec.dataset_id)
    if not job.champion:
        raise NotReady(f"Job {job_id} has no model, whose contract a script follows.", "Wait for its end.")
    model = client.model(job.champion)
    rows = int(model.card.get("training", {}).get("rows", dataset.rows))
    basis = Basis(job.id, job.spec, dataset.schema, model.contract, rows, dataset.sha256)
    return notebook_of(row, basis) if format == NOTEBOOK else written(row, basis)


def row_of(client: Client, job_id: str, trial: int) -> TrialRecord:
    """Raises NotFound."""
    found = next((each for each in client.trials(job_id) if each.number == trial), None)
    if found is None:
        raise NotFound(f"Job {job_id} has no trial {trial}.", "Its leaderboard has their numbers.")
    return found


def name_of(job_id: str, trial: int, format: str) -> str:
    """Of the file."""
    return f"{job_id}-trial-{trial}.{format}"
