"""Files that lie on the server already: added where an administrator lists their folders."""

from __future__ import annotations

import streamlit as st

from flowml.ui import session, words
from flowml.ui.components.faults import explained


def form() -> None:
    """Nothing where no folder is listed."""
    roots = session.studio().settings.data_roots
    if not roots:
        return
    with st.expander("Add a file of the server", icon=":material/folder_open:"):
        with st.form("server-files", border=False):
            path = st.text_input("File or folder", placeholder=roots[0], help=f"Below {', '.join(roots)}.")
            table = st.text_input(
                "Sheet or table, if the file has several",
                key="server-table",
                help="Its name as it stands in the file.",
            )
            wanted = st.form_submit_button("Add", icon=":material/add:")
        if wanted and path.strip():
            _add(path.strip(), table.strip())


def _add(path: str, table: str) -> None:
    with explained(), st.spinner("Reading the table"):
        found = session.client().register(path, table=table)
    for each in found:
        if each.error:
            st.error(f"{words.plain(each.path)}: {words.plain(str(each.error))}")
    added = [each.dataset.name for each in found if each.dataset]
    if added:
        session.leave_notice(f"Added {words.plural(len(added), 'table')}: {', '.join(added[:5])}.")
        st.rerun()
