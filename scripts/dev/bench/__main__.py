"""`scripts/benchmark`: one table after another; what is known so far is written after each."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import polars as pl

from bench import flowml_itself
from bench.answers import score
from bench.report import Report, Row
from bench.rivals import RIVALS
from bench.tables import Table, split, tables
from flowml.runner.kinds import duration, parts
from flowml.runner.limits import allowance
from flowml.runner.probe import cpu_model, versions


def asked(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="Parquet files and their manifest.json")
    parser.add_argument("--budget", default="60s", help="of each table: 60s, 5m (default 60s)")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the training (default 0)")
    parser.add_argument("--only", default="", help="names of tables, with commas between")
    parser.add_argument("--jobs", type=int, help="cores to use; all without it")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="with commas between; empty for none")
    parser.add_argument("--out", type=Path, default=Path("benchmark"), help="folder (default benchmark)")
    return parser.parse_args(arguments)


def main() -> int:
    options = asked()
    budget_s = duration(options.budget)
    wanted = parts(options.only)
    chosen = [table for table in tables(options.folder) if not wanted or table.name in wanted]
    rows: list[Row] = []
    for table in chosen:
        say(f"{table.name}: {table.task}, {table.metric}")
        rows.append(measure(table, budget_s, options))
        say(f"  {figures(rows[-1])}")
        Report(about(options), tuple(rows)).write(options.out)
    say("")
    say(Report(about(options), tuple(rows)).markdown())
    return 0 if rows and all(row.scores["flowml"] is not None for row in rows) else 1


def measure(table: Table, budget_s: float, options: argparse.Namespace) -> Row:
    frame = table.read()
    train, held_out = split(table, frame, options.seed)
    row = Row(table.name, table.task.value, table.metric, frame.height, frame.width - 1, {"flowml": None})
    truth = held_out[table.target]
    for name in parts(options.rivals):
        row = _with_rival(row, name, table, train, held_out, budget_s, options)
    with tempfile.TemporaryDirectory(prefix="flowml-bench-") as folder:
        known, unknown = Path(folder) / f"{table.name}.parquet", Path(folder) / "rows.parquet"
        train.write_parquet(known)
        held_out.drop(table.target).write_parquet(unknown)
        out = Path(folder) / "out"
        try:
            done = flowml_itself.train(table, known, out, budget_s, options.seed, options.jobs)
        except flowml_itself.TrainingFailed as error:
            return replace(row, trouble=str(error))
        answers = flowml_itself.predict(table, out / "model.onnx", unknown)
    return replace(row, scores={**row.scores, "flowml": score(table, truth, answers)}, **vars(done))


def _with_rival(
    row: Row,
    name: str,
    table: Table,
    train: pl.DataFrame,
    held_out: pl.DataFrame,
    budget_s: float,
    options: argparse.Namespace,
) -> Row:
    threads, began = options.jobs or allowance().cpus, time.monotonic()
    try:
        answers = RIVALS[name](table, train, held_out, budget_s, options.seed, threads)
        found: float | None = score(table, held_out[table.target], answers)
    except Exception as error:  # whatever another library raises is one cell of the table
        found, row = None, replace(row, trouble=f"{name}: {error}")
    seconds = {**row.rival_s, name: time.monotonic() - began}
    return replace(row, scores={**row.scores, name: found}, rival_s=seconds)


def figures(row: Row) -> str:
    scores = ", ".join(f"{name} {value:.5g}" for name, value in row.scores.items() if value is not None)
    return row.trouble or f"{scores}; {row.wall_s:.1f} s, {row.trials} trials, {row.champion}"


def about(options: argparse.Namespace) -> dict[str, object]:
    found = {name: version for name, version in versions().items() if version}
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "budget": options.budget,
        "seed": options.seed,
        "cores": options.jobs or allowance().cpus,
        "processor": cpu_model(),
        "python": sys.version.split()[0],
        **found,
    }


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
