"""What is in a table of a studio, and tables made from it: more of `flowml datasets`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flowml.storage.shown import harmless
from flowml.ui.cli.asking import Column, Json, StudioUrl, asking, done, moment, show, show_one
from flowml.ui.cli.datasets import ONE, Id, app, rows_of

__all__ = ["app"]

Sql = Annotated[str, typer.Argument(help="One SELECT … FROM dataset.", metavar="SQL")]
Target = Annotated[str, typer.Option(help="The column to predict.")]
PROFILE: tuple[Column, ...] = (
    ("COLUMN", lambda c: c.column),
    ("KIND", lambda c: c.kind),
    ("MISSING", lambda c: f"{c.missing:,}"),
    ("DISTINCT", lambda c: f"{'' if c.exact else '~'}{c.distinct:,}"),
    ("FROM", lambda c: _short(c.minimum)),
    ("MEDIAN", lambda c: _short(c.quantiles.get("0.5"))),
    ("TO", lambda c: _short(c.maximum)),
    ("FREQUENT", lambda c: ", ".join(map(_short, c.top[:3]))),
)
CHECK: tuple[Column, ...] = (
    ("NR", lambda each: str(each[0])),
    ("SEVERITY", lambda each: each[1].severity),
    ("FINDING", lambda each: each[1].message),
    ("ADVICE", lambda each: each[1].advice),
    ("FIX", lambda each: ", ".join(each[1].fix)),
)
ROLES: tuple[Column, ...] = (
    ("COLUMN", lambda each: each[0].name),
    ("TYPE", lambda each: each[0].type),
    ("ROLE", lambda each: each[1]),
    ("WHY", lambda each: each[0].reason if each[1] == each[0].role else "you said so"),
)
VERSIONS: tuple[Column, ...] = (
    ("ID", lambda d: d.id),
    ("VERSION", lambda d: str(d.version)),
    ("ROWS", lambda d: f"{d.rows:,}"),
    ("COLUMNS", lambda d: str(d.columns)),
    ("FROM", lambda d: d.source),
    ("ADDED", lambda d: moment(d.created_at)),
)
CHANGES: tuple[Column, ...] = (
    ("COLUMN", lambda c: c.column),
    ("PSI", lambda c: "" if c.psi is None else f"{c.psi:.3f}"),
    ("MISSING", lambda c: f"{c.missing_before:.1%} → {c.missing_now:.1%}"),
    ("NOTICED", lambda c: c.message),
)


def _short(value: Any) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else text[:23] + "…"


@app.command()
def profile(dataset: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Show what each column holds: counts, spread, frequent values."""
    with asking(studio) as asked:
        told = asked.profile(dataset)
        if as_json:
            show_one(told, (), True)
            return
        show(told.columns, PROFILE, False)
        repeated = "not counted" if told.duplicates is None else f"{told.duplicates:,}"
        typer.echo(f"{told.rows:,} rows; rows that repeat another: {repeated}.")


@app.command()
def check(
    dataset: Id,
    target: Target = "",
    split: Annotated[str, typer.Option(help="auto, random, holdout, group:COLUMN or time:COLUMN.")] = "auto",
    fix: Annotated[int | None, typer.Option(min=1, help="Apply the fix of the finding with this NR.")] = None,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Look for what would make a score a lie or a model useless: leakage, ids, gaps, wrong splits."""
    with asking(studio) as asked:
        found = asked.check(dataset, target, split=split)
        if fix is None:
            numbered = found if as_json else list(enumerate(found, 1))
            show(numbered, CHECK, as_json, "Nothing was noticed.")
            return
        if fix > len(found) or not found[fix - 1].fix:
            raise typer.BadParameter(f"There is no finding {fix} with a fix.", param_hint="--fix")
        show_one(asked.apply(dataset, found[fix - 1].fix), ONE, as_json)


@app.command()
def roles(
    dataset: Id,
    say: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=ROLE", help="What a column is for; may be repeated."),
    ] = None,
    guessed: Annotated[bool, typer.Option("--guessed", help="Go back to the guessed roles.")] = False,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Show what columns are for and why, or say it."""
    from flowml.ui.cli.wishes import role

    with asking(studio) as asked:
        known = asked.dataset(dataset)
        if say or guessed:
            wanted = {} if guessed else {str(name): each for name, each in known.roles.items()}
            known = asked.set_roles(dataset, {**wanted, **dict(map(role, say or ()))})
        found = [(column, str(known.roles.get(column.name, column.role))) for column in known.table.columns]
        lines = [{**column.model_dump(mode="json"), "role": each} for column, each in found]
        show(lines if as_json else found, ROLES, as_json)


@app.command()
def versions(dataset: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """List all versions of a dataset's name, newest first."""
    with asking(studio) as asked:
        show(asked.versions(dataset), VERSIONS, as_json)


@app.command()
def diff(
    dataset: Id,
    since: Annotated[str, typer.Option(help="Id of the other; else the version before.")] = "",
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Show what changed between two versions: rows, columns, types and values."""
    from flowml.storage.errors import NotFound

    with asking(studio) as asked:
        if not since:
            now = asked.dataset(dataset)
            before = [each for each in asked.versions(dataset) if each.version < now.version]
            if not before:
                raise NotFound(f"{now.name} has no version before {now.version}.", "Name one with --since.")
            since = before[0].id
        told = asked.difference(dataset, since)
        if as_json:
            show_one(told, (), True)
            return
        typer.echo(f"{told.rows_before:,} rows before, {told.rows_now:,} now.")
        for name, columns in (("Added", told.added), ("Removed", told.removed)):
            if columns:
                typer.echo(harmless(f"{name}: {', '.join(columns)}."))
        for name, (was, now_is) in told.retyped.items():
            typer.echo(harmless(f"{name}: {was} before, {now_is} now."))
        show(told.values.drifted, CHANGES, False, "The values are spread as before.")


@app.command()
def query(
    dataset: Id,
    sql: Sql,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="So many.")] = 20,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Show the first rows of what a query on one dataset gives."""
    with asking(studio) as asked:
        told = asked.query(dataset, sql, rows)
        if as_json:
            show_one(told, (), True)
            return
        rows_of(told)
        typer.echo(f"{told.total:,} rows in all.")


@app.command()
def derive(
    dataset: Id,
    sql: Sql,
    name: Annotated[str, typer.Option(help="Of another dataset; else it is the next version.")] = "",
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Keep what a query gives as the next version, or under another name."""
    with asking(studio) as asked:
        made = asked.derive(dataset, sql, name)
        if as_json:
            show_one(made, (), True)
        else:
            done(f"Made {made.name} v{made.version}: {made.id}, {made.rows:,} rows.", False)
