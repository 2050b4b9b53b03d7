"""Progress that redraws itself in a terminal, calmly: twice a second, nothing jumps."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live as Redrawn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flowml.storage.records import Level
from flowml.storage.shown import harmless
from flowml.ui.cli.plain import SHOWN
from flowml.ui.cli.standing import Standing

LEADERS = 8


@dataclass
class Live(Standing):
    console: Console = field(default_factory=Console)

    def log(self, level: Level, text: str, trial: int | None = None) -> None:
        if level in SHOWN:
            where = "" if trial is None else f"trial {trial}: "
            self._redrawn.console.print(Text(harmless(f"{where}{text}"), style="yellow"))

    def __enter__(self) -> Live:
        self._redrawn = Redrawn(
            get_renderable=self.draw, console=self.console, refresh_per_second=2, transient=True
        )
        self._redrawn.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._redrawn.stop()

    def draw(self) -> RenderableType:
        headline = Text(harmless(self.headline()), style="bold")
        return Group(headline, self._clock(), self._figures(), self._leaders())

    def _clock(self) -> RenderableType:
        left = max(0.0, self.budget_s - self.elapsed_s)
        row = Table.grid(padding=(0, 2))
        row.add_row(
            ProgressBar(self.budget_s, min(self.elapsed_s, self.budget_s), width=40, complete_style="cyan"),
            f"{left:.0f} s left of {self.budget_s:.0f} s",
            Text(self.doing, style="cyan"),
        )
        return row

    def _figures(self) -> RenderableType:
        parts = [f"{self.trials} {'trial' if self.trials == 1 else 'trials'}", f"{self.running} running"]
        parts += [f"{self.failed} failed"] if self.failed else []
        best = "" if self.best is None else f"best {self.metric} {self.best:#.5g}   "
        return Text.assemble((best, "bold green"), ", ".join(parts))

    def _leaders(self) -> RenderableType:
        table = Table(box=None, padding=(0, 2), header_style="dim")
        table.add_column("algorithm", min_width=20)
        table.add_column(self.metric or "score", justify="right", min_width=10)
        table.add_column("seconds", justify="right", min_width=8)
        for record in self.leaders(LEADERS):
            table.add_row(record.algorithm, f"{record.score:#.5g}", f"{record.seconds:.1f}")
        return table
