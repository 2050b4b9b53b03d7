"""The command line: `flowml`, and `flowml-worker` in `worker`.

Only the command that runs imports what it needs, so that each answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowml.ui.cli import completing, foreign, jobs, looks, models, projects, storage, tokens, users, workers
from flowml.ui.cli.asking import StudioUrl
from flowml.ui.cli.ending import ended
from flowml.ui.cli.versions import program

app = typer.Typer(
    name="flowml",
    help="FlowML Studio: private AutoML for tables, on your own machines.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for name, part in (
    ("datasets", looks.app),
    ("jobs", jobs.app),
    ("models", models.app),
    ("foreign", foreign.app),
    ("workers", workers.app),
    ("token", tokens.app),
    ("user", users.app),
    ("projects", projects.app),
    ("storage", storage.app),
):
    app.add_typer(part, name=name)

app.callback(help=app.info.help)(program)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


@app.command()
def up(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; beyond this machine it needs logins.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the pages and the REST API; 0: any free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Local workers to start.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="The data folder.", file_okay=False)] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Add two small tables to start with.")] = False,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the browser.")] = False,
    lan: Annotated[
        bool, typer.Option("--lan", help="Let machines of the local network join as workers; needs logins.")
    ] = False,
    tailscale: Annotated[
        bool, typer.Option("--tailscale", help="Let machines of the Tailscale network join as workers.")
    ] = False,
    first_admin: Annotated[
        bool, typer.Option("--first-admin", help="Print a code that makes the first login in the browser.")
    ] = False,
) -> None:
    """Start the studio: pages, REST API, and a local worker. Ctrl-C stops all and loses nothing."""
    from flowml.ui.cli.up import start

    with ended():
        mode = "lan" if lan else "tailscale" if tailscale else None
        start(host, port, workers, data_dir, sample, open_, first_admin, mode)


@app.command()
def train(
    file: Annotated[Path, typer.Argument(help="The table: CSV, Excel, Parquet, JSON, SQLite …")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    out: Annotated[Path, typer.Option(help="Folder for the model and its papers; made if missing.")],
    task: Annotated[str, typer.Option(help="auto, binary, multiclass or regression.")] = "auto",
    metric: Annotated[
        str, typer.Option(help="auto, or the key of a metric such as roc_auc or rmse.")
    ] = "auto",
    budget: Annotated[str, typer.Option(help="Time from start to finished model: 60s, 5m, 1h.")] = "60s",
    seed: Annotated[int, typer.Option(min=0, help="The same seed asks the same questions.")] = 0,
    algorithms: Annotated[str, typer.Option(help="Only these, with commas between.")] = "",
    trials: Annotated[int | None, typer.Option(min=1, help="At most so many trials.")] = None,
    split: Annotated[str, typer.Option(help="auto, random, holdout, group:COLUMN or time:COLUMN.")] = "auto",
    folds: Annotated[int | None, typer.Option(min=2, help="Folds of the cross-validation.")] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=ROLE", help="What a column is for, if guessed wrongly; may be repeated."
        ),
    ] = None,
    max_latency_ms: Annotated[float | None, typer.Option(help="Longest time for one row.")] = None,
    max_size: Annotated[str, typer.Option(help="Largest model file: 20MB, 1.5MB; 0: no limit.")] = "20MB",
    jobs: Annotated[int | None, typer.Option(min=1, help="Cores to use; all without it.")] = None,
    table: Annotated[
        str, typer.Option(help="The sheet, table or member to read, if the file has several.")
    ] = "",
    studio: Annotated[str, typer.Option(help="Train on this studio and its workers instead.")] = "",
    json: Json = False,
) -> None:
    """Train models on a table and export the best as one ONNX file. No studio is needed.

    The first Ctrl-C stops the search and keeps the best model, the second cancels.
    """
    from flowml.storage.records import JobSpec
    from flowml.ui.cli.wishes import names, seconds, size
    from flowml.ui.cli.wishes import role as role_of

    spec = JobSpec(
        target=target,
        task=task,
        metric=metric,
        budget_s=seconds(budget),
        seed=seed,
        algorithms=names(algorithms),
        max_trials=trials,
        split=split,
        folds=folds,
        roles=dict(map(role_of, role or ())),
        max_latency_ms=max_latency_ms,
        max_size_bytes=size(max_size) or None,
        jobs=jobs,
        name=file.name,
    )
    with ended():
        if studio:
            from flowml.ui.cli.submit import train_on
            from flowml.ui.client import Studio

            with Studio(studio) as asked:
                train_on(asked, file, spec, out, json, table)
            return
        from flowml.ui.cli.train import train_table

        train_table(file, spec, out, json, table)


@app.command()
def predict(
    model: Annotated[
        str, typer.Argument(help="A model.onnx or its folder; or on a studio an id, or NAME@ALIAS.")
    ],
    file: Annotated[Path, typer.Argument(help="The table with the rows to predict.")],
    out: Annotated[Path, typer.Option(help="Where the predictions go: .csv, .parquet or .xlsx.")],
    table: Annotated[
        str, typer.Option(help="The sheet, table or member to read, if the file has several.")
    ] = "",
    studio: StudioUrl = "",
    json: Json = False,
) -> None:
    """Predict the rows of a table: a column `prediction`, probabilities of classes, and warnings."""
    from flowml.ui.cli.predict import predict_table

    with ended():
        predict_table(model, file, out, json, table, studio)


@app.command()
def drift(
    model: Annotated[
        str, typer.Argument(help="A model.onnx or its folder; or on a studio an id, or NAME@ALIAS.")
    ],
    file: Annotated[Path, typer.Argument(help="The table to compare with the one of the training.")],
    table: Annotated[
        str, typer.Option(help="The sheet, table or member to read, if the file has several.")
    ] = "",
    studio: StudioUrl = "",
    json: Json = False,
) -> None:
    """Tell how the rows of a table differ from those of the training, before any is predicted."""
    from flowml.ui.cli.predict import compare_table

    with ended():
        compare_table(model, file, json, table, studio)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="The folder that `flowml train --out` wrote.")],
    row: Annotated[int | None, typer.Option(min=0, help="Only the trial with this number.")] = None,
    data: Annotated[Path | None, typer.Option(help="The table that was trained on, if it was moved.")] = None,
    json: Json = False,
) -> None:
    """Evaluate every row of a leaderboard again and compare the scores of its folds.

    Ends with 1 if a row that should come out the same does not.
    """
    from flowml.ui.cli.verify import verify_study

    with ended():
        verify_study(folder, data, row, json)


@app.command()
def package(
    model: Annotated[Path, typer.Argument(help="A model.onnx that FlowML wrote, or its folder.")],
    out: Annotated[Path, typer.Option(help="Where the package goes: a .zip.")],
    compact: Annotated[bool, typer.Option("--compact", help="Of the compact variant in the folder.")] = False,
    ml: Annotated[int, typer.Option(help="Version of ai.onnx.ml: 5, or 3 for older runtimes.")] = 5,
    json: Json = False,
) -> None:
    """Pack a model, its card and a script that predicts without FlowML into one zip."""
    from flowml.ui.cli.package import package_model

    with ended():
        package_model(model, out, compact, ml, json)


@app.command()
def watch(
    job: Annotated[
        str,
        typer.Argument(
            help="Id of a job; else the newest that waits or runs.", autocompletion=completing.jobs
        ),
    ] = "",
    studio: StudioUrl = "",
    json: Json = False,
) -> None:
    """Watch a job of a studio live. Ctrl-C only ends the watching; the job goes on."""
    from flowml.ui.cli.watch import watch_job
    from flowml.ui.client import Studio

    with ended(), Studio(studio) as asked:
        watch_job(asked, job, json)


@app.command()
def logs(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show each line as it is said.")] = False,
    last: Annotated[int, typer.Option("--last", "-n", min=0, max=1000, help="So many from before.")] = 50,
    text: Annotated[str, typer.Option(help="Only lines that hold it.")] = "",
    level: Annotated[str, typer.Option(help="The least severe: debug, info, warning or error.")] = "",
    source: Annotated[str, typer.Option(help="studio, or a worker's name.")] = "",
    job: Annotated[str, typer.Option(help="Only lines of this job.")] = "",
    studio: StudioUrl = "",
    json: Json = False,
) -> None:
    """Show what a studio and its workers said."""
    from flowml.ui.cli.logs import show_logs
    from flowml.ui.client import Studio

    with ended(), Studio(studio) as asked:
        show_logs(asked, follow, last, json, text, level, source, job)


@app.command()
def config(
    changed: Annotated[bool, typer.Option("--changed", help="Only what is not at its default.")] = False,
    json: Json = False,
) -> None:
    """Show the settings in force, and where each comes from. Secrets are hidden."""
    from flowml.ui.cli.configuration import show_settings

    with ended():
        show_settings(json, changed)


@app.command()
def backup(
    out: Annotated[Path, typer.Argument(help="Where the backup goes: a .tar.", dir_okay=False)],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    studio: StudioUrl = "",
    json: Json = False,
) -> None:
    """Write all of a studio to one file: tables, models and files. It goes on working meanwhile."""
    from flowml.ui.cli.backup import back_up

    with ended():
        back_up(out, studio, force, json)


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="What `flowml backup` wrote.")],
    data_dir: Annotated[Path | None, typer.Option(help="The new data folder; else FLOWML_HOME.")] = None,
    json: Json = False,
) -> None:
    """Put a backup into an empty data folder."""
    from flowml.ui.cli.backup import bring_back

    with ended():
        bring_back(backup, data_dir, json)


@app.command()
def doctor(json: Json = False) -> None:
    """Look whether this machine has all that FlowML needs, and say what to do where not."""
    from flowml.ui.cli.doctor import examine

    with ended():
        examine(json)


@app.command()
def version(json: Json = False) -> None:
    """Print the version."""
    from flowml.storage.version import VERSION

    typer.echo(f'{{"version": "{VERSION}"}}' if json else VERSION)


def main() -> None:
    app()
