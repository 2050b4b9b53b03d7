"""Each control of the pages tells in plain words what it is for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from flowml.ui import navigation

INPUTS = frozenset(
    [
        "checkbox",
        "date_input",
        "datetime_input",
        "file_uploader",
        "multiselect",
        "number_input",
        "pills",
        "radio",
        "segmented_control",
        "select_slider",
        "selectbox",
        "slider",
        "text_area",
        "text_input",
        "toggle",
    ]
)
ELSEWHERE = frozenset({"components/linked.py"})  # hands on what it is given


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_ours = isinstance(node.func.value, ast.Name) and node.func.value.id == "linked"
            if of_ours or node.func.attr in INPUTS:
                yield node


def test_every_control_with_a_label_has_a_help_text() -> None:
    seen, bare = 0, []
    for folder in ("components", "pages"):
        for path in sorted((navigation.FOLDER / folder).rglob("*.py")):
            name = str(path.relative_to(navigation.FOLDER))
            for call in calls(path) if name not in ELSEWHERE else ():
                given = {keyword.arg for keyword in call.keywords}
                shown = "label_visibility" not in given
                seen += shown
                if shown and "help" not in given:
                    bare.append(f"{name}:{call.lineno}")
    assert bare == []
    assert seen > 50
