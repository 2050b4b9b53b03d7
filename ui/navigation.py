"""The pages of the studio, in the order and sections of the sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class PageRow:
    key: str  # file in pages/, and the path in the URL
    title: str
    icon: str  # a Material symbol, served by the studio itself
    section: str
    help: str
    default: bool = False

    @property
    def path(self) -> str:
        """Its place in the URL: the default page stands at the root."""
        return "" if self.default else self.key

    @property
    def file(self) -> Path:
        return FOLDER / "pages" / f"{self.key}.py"


PAGES: tuple[PageRow, ...] = (
    PageRow("dashboard", "Dashboard", "space_dashboard", "", "What runs, what stands", default=True),
    PageRow("data", "Data", "database", "Build", "Tables: upload, look into, delete"),
    PageRow("train", "Train", "tune", "Build", "Start a training job"),
    PageRow("live", "Live", "monitoring", "Build", "Watch a job while it trains"),
    PageRow("results", "Results", "leaderboard", "Use", "Leaderboard, diagnostics and the champion"),
    PageRow("explain", "Explain", "insights", "Use", "What a model looks at, and why it answers as it does"),
    PageRow("predict", "Predict", "online_prediction", "Use", "Ask a model: one row or a file"),
    PageRow("models", "Models", "deployed_code", "Use", "Names, versions and stages; take them along"),
    PageRow("workers", "Workers", "memory", "Operate", "Machines that train"),
    PageRow("logs", "Logs", "article", "Operate", "What the studio and its workers said"),
    PageRow("settings", "Settings", "settings", "Operate", "What is set, users, tokens, storage, about"),
)


def sections() -> dict[str, list[st.Page]]:
    """The rows as Streamlit pages; must be called inside a script run."""
    table: dict[str, list[st.Page]] = {}
    for row in PAGES:
        page = st.Page(
            row.file,
            title=row.title,
            icon=f":material/{row.icon}:",
            url_path=row.key,
            default=row.default,
            help=row.help,
        )
        table.setdefault(row.section, []).append(page)
    return table


def file_of(key: str) -> str:
    """The path that st.switch_page and st.page_link understand."""
    return f"pages/{next(row for row in PAGES if row.key == key).key}.py"
