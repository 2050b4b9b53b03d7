"""`flowml models`: fitted models, and their names in the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    space,
    sure,
)

app = typer.Typer(help="The models of a studio, and their names in its registry.", no_args_is_help=True)

Ref = Annotated[
    str,
    typer.Argument(
        help="Id of a model, NAME@ALIAS or NAME:VERSION.", metavar="MODEL", autocompletion=completing.models
    ),
]
Name = Annotated[str, typer.Argument(help="Name in the registry.")]
Version = Annotated[int, typer.Argument(min=1, help="Version of that name.")]
Anyway = Annotated[
    bool,
    typer.Option("--anyway", help="Move the alias also to a model of another task, or with further columns."),
]
LIST: tuple[Column, ...] = (
    ("ID", lambda m: m.id),
    ("NAME", lambda m: m.name),
    ("TASK", lambda m: m.task.value),
    ("SCORE", lambda m: f"{m.metric} {m.score:#.5g}"),
    ("JOB", lambda m: m.job_id),
    ("MADE", lambda m: moment(m.created_at)),
)
ONE: tuple[Column, ...] = (
    *((heading.lower(), text) for heading, text in LIST),
    ("size", lambda m: space(m.size)),
    ("columns", lambda m: ", ".join(each["name"] for each in m.contract.get("columns", ()))),
    ("matters", lambda m: ", ".join(each.column for each in m.importances[:10])),
)
NAMES: tuple[Column, ...] = (
    ("NAME", lambda r: r.name),
    ("VERSIONS", lambda r: str(r.versions)),
    ("LATEST", lambda r: r.latest.model_id),
    ("ALIASES", lambda r: ", ".join(f"{alias} → {version}" for alias, version in r.aliases.items())),
)
VERSIONS: tuple[Column, ...] = (
    ("VERSION", lambda r: str(r.version)),
    ("MODEL", lambda r: r.model_id),
    ("ALIASES", lambda r: ", ".join(r.aliases)),
    ("BY", lambda r: r.owner),
    ("REGISTERED", lambda r: moment(r.created_at)),
    ("NOTE", lambda r: r.note),
)


@app.command("list")
def list_(
    job: Annotated[str, typer.Option(help="Only those of this job.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 30,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """List the models, newest first."""
    with asking(studio) as asked:
        show(asked.models(job) if job else asked.all_models(limit), LIST, as_json, "No model yet.")


@app.command("show")
def show_(model: Ref, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Show one model: its score, the columns it expects, what matters to it."""
    with asking(studio) as asked:
        show_one(asked.model(model), ONE, as_json)


@app.command()
def download(
    model: Ref,
    out: Annotated[Path, typer.Option(help="Where the file goes.")],
    format: Annotated[str, typer.Option(help="onnx, package, card or script.")] = "onnx",
    compact: Annotated[bool, typer.Option("--compact", help="The smaller model beside it.")] = False,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Write a model's file, its package, or what is written about it."""
    with asking(studio) as asked:
        asked.download(model, out, format, "compact" if compact else "champion")
        saved(out, as_json)


@app.command()
def report(
    model: Ref,
    out: Annotated[Path, typer.Option(help="Where the HTML file goes.")],
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Write the report of a model: one HTML file with its charts inside, which prints well."""
    with asking(studio) as asked:
        asked.report(model, out)
        saved(out, as_json)


@app.command()
def names(studio: StudioUrl = "", as_json: Json = False) -> None:
    """List the names in the registry."""
    with asking(studio) as asked:
        show(asked.registry(), NAMES, as_json, "No model is registered yet.")


@app.command()
def versions(name: Name, studio: StudioUrl = "", as_json: Json = False) -> None:
    """List the versions of a name."""
    with asking(studio) as asked:
        show(asked.registered(name), VERSIONS, as_json)


@app.command()
def register(
    model: Ref,
    name: Name,
    alias: Annotated[str, typer.Option(help="Points at it from now on, as production.")] = "",
    note: Annotated[str, typer.Option(help="For people: why this one.")] = "",
    anyway: Anyway = False,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Make a model the next version of a name."""
    with asking(studio) as asked:
        made = asked.register(name, model, note, alias, anyway)
        done(f"{made.name}:{made.version}", as_json, name=made.name, version=made.version)


@app.command()
def promote(
    name: Name,
    version: Version,
    alias: Annotated[str, typer.Argument(help="As production.")],
    anyway: Anyway = False,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Point an alias at a version, wherever it pointed before."""
    with asking(studio) as asked:
        asked.promote(name, version, alias, anyway)
        done(f"{name}@{alias} is version {version}.", as_json, name=name, version=version, alias=alias)


@app.command()
def demote(
    name: Name,
    alias: Annotated[str, typer.Argument(help="As production.")],
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Take an alias away. The version that it pointed to stays."""
    with asking(studio) as asked:
        asked.drop_alias(name, alias)
        done(f"{name}@{alias} is no version now.", as_json, name=name, demoted=alias)


@app.command()
def unregister(
    name: Name, version: Version, yes: Yes = False, studio: StudioUrl = "", as_json: Json = False
) -> None:
    """Take a version out of the registry. The model itself stays."""
    with asking(studio) as asked:
        sure(f"Take version {version} of {name} out of the registry?", yes or as_json)
        asked.unregister(name, version)
        done("Taken out.", as_json, name=name, version=version)
