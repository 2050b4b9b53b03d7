"""`flowml datasets`: the tables of a studio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowml.ui.cli import completing
from flowml.ui.cli.asking import (
    Column,
    Json,
    StudioUrl,
    Yes,
    asking,
    done,
    moment,
    saved,
    show,
    show_one,
    sure,
)
from flowml.ui.cli.projects import Into, lies, place_of

if TYPE_CHECKING:
    from flowml.ui.api.bodies.datasets import PreviewAnswer

app = typer.Typer(help="The tables of a studio.", no_args_is_help=True)

Id = Annotated[
    str,
    typer.Argument(
        help="Id or name of a dataset; a name means its newest version, NAME:2 the second.",
        metavar="DATASET",
        autocompletion=completing.datasets,
    ),
]
LIST: tuple[Column, ...] = (
    ("ID", lambda d: d.id),
    ("NAME", lambda d: f"{d.name} v{d.version}"),
    ("ROWS", lambda d: f"{d.rows:,}"),
    ("COLUMNS", lambda d: str(d.columns)),
    ("OWNER", lambda d: d.owner),
    ("ADDED", lambda d: moment(d.created_at)),
)
ONE: tuple[Column, ...] = (
    ("id", lambda d: d.id),
    ("name", lambda d: f"{d.name} v{d.version}"),
    ("rows", lambda d: f"{d.rows:,}"),
    ("from", lambda d: f"{d.source} ({d.format})"),
    ("added", lambda d: moment(d.created_at)),
    ("columns", lambda d: ", ".join(f"{c.name} ({c.role})" for c in d.table.columns)),
)


@app.command("list")
def list_(
    name: Annotated[str, typer.Option(help="Only those whose name holds this.")] = "",
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """List the datasets, newest first."""
    with asking(studio) as asked:
        show(asked.datasets(name), LIST, as_json, "No dataset yet; `flowml datasets upload FILE` adds one.")


@app.command("show")
def show_(dataset: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Show one dataset with its columns and what they are for."""
    with asking(studio) as asked:
        show_one(asked.dataset(dataset), ONE, as_json)


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="The table: CSV, Excel, Parquet, JSON, SQLite …")],
    name: Annotated[str, typer.Option(help="Its name; else the file's.")] = "",
    table: Annotated[str, typer.Option(help="The sheet, table or member to read.")] = "",
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Send a file. The same name again makes a new version."""
    with asking(studio) as asked:
        from flowml.storage.errors import NotFound

        if not file.is_file():
            raise NotFound(f"There is no file {file}.", "Check the path.")
        show_one(asked.upload(file, name, table, show=False if as_json else None), ONE, as_json)


@app.command()
def preview(
    dataset: Id,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="So many.")] = 20,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Show the first rows."""
    with asking(studio) as asked:
        told = asked.preview(dataset, rows)
        if as_json:
            show_one(told, (), True)
        else:
            rows_of(told)


def rows_of(told: PreviewAnswer) -> None:
    """Rows of a table, for people."""
    columns: list[Column] = [
        (name, lambda row, place=place: "" if row[place] is None else str(row[place]))  # type: ignore[misc]
        for place, name in enumerate(told.columns)
    ]
    show(told.rows, columns, False, "It has no rows.")


@app.command()
def download(
    dataset: Id,
    out: Annotated[Path, typer.Option(help="Where it goes: .parquet, .csv or .xlsx.")],
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Write the whole table to a file: CSV or Excel where its name says so, else Parquet."""
    with asking(studio) as asked:
        asked.download_dataset(dataset, out)
        saved(out, as_json)


@app.command()
def move(
    dataset: Id,
    project: Into,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Put a dataset into another project, for others to see or to see no more."""
    with asking(studio) as asked:
        told = asked.move_dataset(dataset, place_of(asked, project))
        done("" if as_json else lies(asked, told.project), as_json, id=told.id, project=told.project)


@app.command()
def delete(dataset: Id, yes: Yes = False, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Delete a dataset. Its jobs and models stay."""
    with asking(studio) as asked:
        meant = asked.dataset(dataset)
        sure(f"Delete version {meant.version} of the dataset {meant.name!r}?", yes or as_json)
        asked.delete_dataset(meant.id)
        done("Deleted.", as_json, deleted=meant.id)
