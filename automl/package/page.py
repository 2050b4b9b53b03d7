"""The model card as one HTML page that needs nothing else: no script, font or picture from anywhere."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from flowml.automl.card import to_markdown
from flowml.storage.records import Json

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 2rem; font-size: 1.15rem; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; }
th, td { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .3rem .6rem; }
th:first-child, td:first-child { padding-left: 0; }
code { font: .9em ui-monospace, monospace; }
"""
ESCAPED = re.compile(r"\\([\\`*_{}\[\]<>#|!])")
CELL = re.compile(r"(?<!\\)\|")
BOLD, CODE = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"`([^`]+)`")


def to_html(card: Json, package: str = "") -> str:
    """`package`: see `to_markdown`."""
    markdown = to_markdown(card, package)
    title = html.escape(_bare(markdown.splitlines()[0].removeprefix("# ")))
    body = "\n".join(_blocks(markdown))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}<style>{STYLE}</style></head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _blocks(markdown: str) -> Iterator[str]:
    """Headings, lists, tables and paragraphs: all that a card is made of."""
    for block in markdown.strip().split("\n\n"):
        lines = block.splitlines()
        if block.startswith("#"):
            level = len(block) - len(block.lstrip("#"))
            yield f"<h{level}>{_inline(block.lstrip('# '))}</h{level}>"
        elif block.startswith("- "):
            yield f"<ul>{''.join(f'<li>{_inline(line[2:])}</li>' for line in lines)}</ul>"
        elif block.startswith("|"):
            yield _table(lines)
        else:
            yield f"<p>{_inline(' '.join(lines))}</p>"


def _table(lines: list[str]) -> str:
    head, _, *rows = ([cell.strip() for cell in CELL.split(line.strip()[1:-1])] for line in lines)
    names = "".join(f"<th>{_inline(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _inline(text: str) -> str:
    """Safe text with what is bold and what is code."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(html.escape(match[1]))
        return f"\0{len(kept) - 1}\0"

    marked = html.escape(ESCAPED.sub(keep, text), quote=False)
    marked = BOLD.sub(r"<strong>\1</strong>", CODE.sub(r"<code>\1</code>", marked))
    return re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], marked)


def _bare(text: str) -> str:
    return ESCAPED.sub(r"\1", text)
