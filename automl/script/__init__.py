"""Every row of a leaderboard as a script of its own, which rebuilds it with public libraries.

A script holds the row's params, and of `parts` only what its encoding, split, algorithm and metric need. It
reads the table as Parquet and prints the score of each fold beside the one that the row has.

To make an algorithm writable: one function in `parts` and one row in WRITTEN.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from importlib.metadata import version

from flowml.automl.algorithms import ALGORITHMS
from flowml.automl.script.basis import Basis
from flowml.automl.script.encodings import categorical, names
from flowml.automl.script.expressions import metric_expression
from flowml.automl.script.literals import assigned
from flowml.automl.script.rebuilding import rebuild, scored
from flowml.automl.script.source import Source
from flowml.automl.script.written import PARTS, WRITTEN
from flowml.storage.errors import SpecError
from flowml.storage.records import TrialRecord

__all__ = ["Basis", "notebook_of", "script_of"]

FUTURE = "from __future__ import annotations"
END = """if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].endswith(".parquet"):
        sys.exit("Name the table as a Parquet file, as FlowML gives it: Download on the page of its dataset.")
    found, all_rows = rebuild(sys.argv[1])
    for number, pair in enumerate(zip(found, STORED, strict=True), start=1):
        print("fold {}: {:.9g}, stored {:.9g}".format(number, *pair))
    print(f"all rows: {all_rows}, stored {SCORE}")"""
RUN = 'scores, score = rebuild("table.parquet")  # Download on its page\n[scores, STORED, score, SCORE]'
SAME = "# --- how the table is read, split and scored; the same for all rows -----------------------------"
AGAIN = "# --- the row, once more --------------------------------------------------------------------------"
OWN = ("table", "folds", "features", "words", "means", "scoring", "models", "linear")
MODULES = (*(f"{PARTS}.{name}" for name in OWN), "flowml.automl.growth")  # where names are looked for


@dataclass(frozen=True)
class _Sections:
    title: str
    help: str
    imports: str
    constants: str  # of the row
    functions: str  # as in other scripts
    rebuild: str


def script_of(row: TrialRecord, basis: Basis) -> str:
    """Python that runs on its own. Raises SpecError for a row that cannot be written."""
    s = _sections(row, basis)
    top = f'"""{s.title}\n\n{s.help}\n"""\n\n{FUTURE}\n\n{s.imports}\n\n{s.constants}'
    return f"{top}\n\n{SAME}\n\n{s.functions}\n\n\n{AGAIN}\n\n\n{s.rebuild}\n\n\n{END}\n"


def notebook_of(row: TrialRecord, basis: Basis) -> str:
    """The same as a notebook, in its JSON. Raises SpecError."""
    s = _sections(row, basis)
    code = (s.imports, s.constants, f"{FUTURE}\n\n{s.functions}", s.rebuild, RUN)
    cells = [_cell("markdown", f"# {s.title}\n\n{s.help}", 0)]
    cells += [_cell("code", text, number) for number, text in enumerate(code, start=1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def _cell(kind: str, text: str, number: int) -> dict[str, object]:
    more: dict[str, object] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    lines = text.splitlines(keepends=True)
    return {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": lines, **more}


def _sections(row: TrialRecord, basis: Basis) -> _Sections:
    _check(row, basis)
    call = WRITTEN[row.algorithm](row, basis)
    source = Source()
    score = source.add_expression("flowml.automl.metrics", metric_expression(basis.known.metric))
    tail = (scored(basis, score), rebuild(row, basis, call), END)
    for used in _names("\n\n".join(tail)):
        next((module for module in MODULES if source.find(module, used)), None)
    source.imports["sys"] = ("sys", "")
    constants = {
        "TARGET": basis.known.target,
        "CLASSES": list(basis.classes),
        **names(basis),
        "SETTINGS": call.settings,
        "CATEGORICAL": categorical(ALGORITHMS[row.algorithm].encoding_for(row.params), basis),
        "SEED": row.seed,
        "THREADS": row.threads,
        "ROUNDS": list(row.rounds),
        "STORED": list(row.fold_scores),
        "SCORE": row.score,
    }
    named = set(_names("\n\n".join(tail)))
    return _Sections(
        _title(row, basis),
        _help(row, basis),
        source.import_lines(),
        "\n".join(assigned(name, value) for name, value in constants.items() if name in named),
        "\n\n\n".join((source.values, *source.functions, tail[0])),
        tail[1],
    )


def _check(row: TrialRecord, basis: Basis) -> None:
    if row.algorithm not in WRITTEN:
        raise SpecError(
            f"Rows of {row.algorithm!r} cannot be written as a script yet.", "`flowml verify` rebuilds them."
        )
    if not row.fold_scores:
        raise SpecError(f"Trial {row.number} has no scores to rebuild.", row.cause)
    if row.device != "cpu":
        raise SpecError(
            f"Trial {row.number} ran on a GPU, whose sums vary from one time to the next.",
            "Rows that ran on a CPU can be written as scripts.",
        )
    basis.check()


def _names(text: str) -> list[str]:
    return [each.id for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Name)]


def _title(row: TrialRecord, basis: Basis) -> str:
    return f"Trial {row.number} of {_bare(basis.job_id)}: {ALGORITHMS[row.algorithm].label}, once more."


def _help(row: TrialRecord, basis: Basis) -> str:
    known = {"polars": version("polars"), **row.versions}
    pins = " ".join(f"{_bare(name)}=={_bare(number)}" for name, number in sorted(known.items()))
    return (
        "Rebuilds the folds, the features and the models of one row of a leaderboard, and prints\n"
        f"its {_bare(basis.known.metric)} on each fold beside the one that was stored.\n\n"
        f"    pip install {pins}\n"
        f"    python trial-{row.number}.py table.parquet    # SHA-256 {_bare(basis.sha256) or 'unknown'}\n"
        "    # that table is the dataset as FlowML gives it: Download on its page"
    )


def _bare(text: str) -> str:
    """Nothing that could end a docstring."""
    return re.sub(r"[^\w.+-]", "", text)
