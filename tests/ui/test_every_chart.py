"""What all charts have in common, wherever they are drawn and whoever adds one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from flowml.ui.charts.figure import Chart, axis, layout

ROOT = Path(__file__).resolve().parents[2]
CHARTS, TESTS = ROOT / "ui" / "charts", ROOT / "tests" / "ui"
DRAWERS = frozenset(
    f"{name}_chart" for name in ("plotly", "line", "bar", "area", "scatter", "altair", "vega_lite", "bokeh")
) | {"pyplot", "graphviz_chart", "pydeck_chart", "map"}
LIBRARIES = frozenset({"plotly", "altair", "matplotlib", "bokeh", "pydeck", "graphviz", "seaborn"})
PYTHON = sorted(path for room in ("pages", "components") for path in (ROOT / "ui" / room).rglob("*.py"))
SCRIPTS = sorted((ROOT / "ui" / "components").rglob("*.js"))


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pages_and_components_draw_with_the_one_component(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    drawn = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & DRAWERS
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not drawn, f"{path.name} calls {drawn}: make a Chart in ui/charts and show it with chart.show"
    assert not {name.partition(".")[0] for name in names} & LIBRARIES


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_other_script_draws(path: Path) -> None:
    words = ("Plotly", "<canvas", "'canvas'", "<svg", "createElementNS")
    found = [word for word in words if word in path.read_text("utf-8")]
    assert not found or path.name in (
        "chart.js",
        "sparks.js",
    )  # sparks: lines without axes beside their figures


def test_each_chart_is_drawn_by_a_test() -> None:
    """So that what a Chart demands of itself is asked of each of them."""
    tested = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for path in TESTS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    }
    forgotten = [f"{path.stem}.{name}" for path in CHARTS.glob("*.py") for name in _drawing(path)]
    forgotten = [name for name in forgotten if name.partition(".")[2] not in tested]
    # Those of a group are drawn by the function that gives the group, which is tested.
    assert set(forgotten) <= GROUPED


GROUPED = {
    "confusion.confusion",
    "curves.calibration",
    "residuals.actual_and_predicted",
    "residuals.by_prediction",
}


def _drawing(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.returns is not None
        and "Chart" in ast.unparse(node.returns)
    ]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"title": " "}, "title"),
        ({"alt": ""}, "alt"),
        ({"layout": layout(axis(""), axis("Rows"))}, "xaxis title"),
        ({"layout": {"xaxis": axis("Day")}}, "yaxis title"),
        ({"layout": {**layout(axis("Day"), axis("Rows")), "yaxis2": {"title": "Hours"}}}, "yaxis2 title"),
    ],
)
def test_a_chart_that_a_reader_could_not_read_is_refused(changes: dict[str, object], missing: str) -> None:
    whole = {"title": "Jobs", "alt": "Two jobs.", "traces": (), "layout": layout(axis("Day"), axis("Rows"))}
    assert Chart(**whole).title == "Jobs"  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"has no {missing};"):
        Chart(**{**whole, **changes})  # type: ignore[arg-type]
