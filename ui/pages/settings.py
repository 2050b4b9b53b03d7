"""What is set, who may come in, what is kept, who did what, and what this is."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from flowml.storage.records import Scope
from flowml.ui import session
from flowml.ui.components import layout
from flowml.ui.components.faults import explained
from flowml.ui.components.settings import about, audit, in_force, storage, tokens, users

ADMINISTRATORS: dict[str, Callable[[], None]] = {
    "In force": in_force.view,
    "Users": users.view,
    "Tokens": tokens.view,
    "Storage": storage.view,
    "Audit": audit.view,
    "About": about.view,
}
OTHERS = ("Tokens", "About")

layout.heading("Settings", "What the studio goes by, who may use it, and what it keeps.")
with explained():
    allowed = list(ADMINISTRATORS) if session.person().may(Scope.ADMIN) else list(OTHERS)
view = st.segmented_control(
    "View",
    allowed,
    default=allowed[0],
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
if len(allowed) == len(OTHERS):
    st.caption("Administrators see here also the settings in force, users, storage and the audit log.")
ADMINISTRATORS[view]()
