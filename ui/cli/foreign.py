"""`flowml foreign`: ONNX files that were made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from flowml.ui.cli.asking import (
    Column,
    Json,
    StudioUrl,
    Yes,
    asking,
    done,
    moment,
    show,
    show_one,
    space,
    sure,
)

app = typer.Typer(help="ONNX files made elsewhere, to be tried in a studio.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="Id of such a file.")]


def _ports(ports: Any) -> str:
    shapes = ("×".join("any" if length is None else str(length) for length in port.shape) for port in ports)
    return ", ".join(f"{port.name} {port.type}[{shape}]" for port, shape in zip(ports, shapes, strict=True))


LIST: tuple[Column, ...] = (
    ("ID", lambda m: m.id),
    ("NAME", lambda m: m.name),
    ("SIZE", lambda m: space(m.size)),
    ("BY", lambda m: m.owner),
    ("ADDED", lambda m: moment(m.created_at)),
)
ONE: tuple[Column, ...] = (
    *((heading.lower(), text) for heading, text in LIST),
    ("takes", lambda m: _ports(m.inputs)),
    ("gives", lambda m: _ports(m.outputs)),
    ("made by", lambda m: m.producer),
    ("operators", lambda m: ", ".join(m.operators)),
    ("note", lambda m: m.note),
)


@app.command("list")
def list_(studio: StudioUrl = "", as_json: Json = False) -> None:
    """List the ONNX files of others that were let in."""
    with asking(studio) as asked:
        show(asked.foreign_models(), LIST, as_json, "None yet.")


@app.command("show")
def show_(id: Id, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Show what one takes and gives."""
    with asking(studio) as asked:
        show_one(asked.foreign_model(id), ONE, as_json)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The .onnx file.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option(help="What it is called; else the name of the file.")] = "",
    note: Annotated[str, typer.Option(help="For people: where it is from.")] = "",
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Let an ONNX file in, for all to ask. For administrators; operators that are on no list are refused."""
    with asking(studio) as asked:
        made = asked.add_foreign(file, name, note)
        done(f"{made.id}: takes {_ports(made.inputs)}, gives {_ports(made.outputs)}.", as_json, id=made.id)


@app.command()
def predict(
    id: Id,
    rows: Annotated[
        Path, typer.Argument(help="JSON: a row, or a list of rows.", exists=True, dir_okay=False)
    ],
    studio: StudioUrl = "",
) -> None:
    """Ask one: a value, or a list of values, for each input. Answers as JSON."""
    with asking(studio) as asked:
        from flowml.storage.errors import InputError

        try:
            data = json.loads(rows.read_text("utf-8"))
        except ValueError as error:
            raise InputError(f"{rows} is no JSON: {error}.", 'Write a row such as {"X": [1, 2]}.') from error
        told = asked.ask_foreign(id, data)
        typer.echo(json.dumps(told.outputs, ensure_ascii=False))


@app.command()
def remove(id: Id, yes: Yes = False, studio: StudioUrl = "", as_json: Json = False) -> None:
    """Remove one."""
    with asking(studio) as asked:
        sure(f"Remove {id}?", yes or as_json)
        asked.remove_foreign(id)
        done("Removed.", as_json)
