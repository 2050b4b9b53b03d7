"""`flowml token`: keys with which programs come in."""

from __future__ import annotations

from typing import Annotated

import typer

from flowml.ui.cli.asking import Column, Json, StudioUrl, asking, done, moment, show

app = typer.Typer(help="Keys with which programs come into a studio with logins.", no_args_is_help=True)

LIST: tuple[Column, ...] = (
    ("ID", lambda t: t.id),
    ("NAME", lambda t: t.name),
    ("SCOPES", lambda t: ", ".join(t.scopes)),
    ("MADE", lambda t: moment(t.created_at)),
    ("EXPIRES", lambda t: moment(t.expires_at) or "never"),
    ("LAST USED", lambda t: moment(t.used_at) or "never"),
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scopes: Annotated[str, typer.Option(help="Some of read, predict, write, admin.")] = "read,predict",
    days: Annotated[float, typer.Option(min=0, help="Until it expires; 0: never.")] = 90,
    user: Annotated[str, typer.Option(help="Whose; else one's own. Others': administrators only.")] = "",
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """Make a token and print it. It is shown this once."""
    from flowml.runner.kinds import parts

    with asking(studio) as asked:
        ids = {named: id for id, named in asked.user_names().items()} if user else {}
        issued = asked.issue_token(name, parts(scopes), days or None, ids.get(user, user))
        if as_json:
            done("", True, **issued.model_dump(mode="json"))
            return
        typer.echo(issued.secret)
        typer.echo("Keep it: it is not shown again. Programs send it as FLOWML_TOKEN.", err=True)


@app.command("list")
def list_(
    all: Annotated[bool, typer.Option("--all", help="Those of everybody.")] = False,
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """List one's own tokens."""
    with asking(studio) as asked:
        show(asked.tokens(all), LIST, as_json, "No token yet.")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Id of a token.")],
    studio: StudioUrl = "",
    as_json: Json = False,
) -> None:
    """End a token now."""
    with asking(studio) as asked:
        asked.revoke_token(token)
        done("Revoked.", as_json, revoked=token)


@app.command()
def worker(
    new: Annotated[bool, typer.Option("--new", help="Make another one; the old one lets nobody in.")] = False,
    studio: Annotated[str, typer.Option("--studio", help="Its address; else that of this data folder.")] = "",
    as_json: Json = False,
) -> None:
    """Print the command with which another machine joins a studio as a worker."""
    from flowml.ui.cli.ending import ended
    from flowml.ui.cli.joining import show_command

    with ended():
        show_command(new, studio, as_json)
