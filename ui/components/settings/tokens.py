"""Keys with which programs come in: made with scopes and an end, shown once, revoked; and one's password."""

from __future__ import annotations

import time

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.records import Scope, Token
from flowml.ui import session, words
from flowml.ui.components import clock, layout
from flowml.ui.components.confirm import confirm
from flowml.ui.components.faults import box, explained
from flowml.ui.session import Key

ENDS: dict[str, float | None] = {
    "7 days": 7,
    "30 days": 30,
    "90 days": 90,
    "a year": 365,
    "never": None,
}
MEANS = {
    Scope.READ: "read: look at tables, jobs and models",
    Scope.PREDICT: "predict: ask models",
    Scope.WRITE: "write: bring tables, train, delete",
    Scope.ADMIN: "admin: users, workers, backups",
}


def view() -> None:
    if not session.signs_in():
        layout.empty(
            "key",
            "No token is needed here",
            "Programs on this machine come in without one. Tokens belong to users: add some, and make their "
            "tokens here.",
        )
        return
    people = session.studio().people
    everybody = False
    if session.person().may(Scope.ADMIN):
        everybody = st.toggle(
            "Those of everybody",
            key="everybody",
            bind="query-params",
            help="Lists also the tokens of other users.",
        )
    with explained():
        found = people.tokens(everybody)
        names = people.names() if everybody else {}
    _make()
    _fresh()
    if found:
        with st.container(border=True, gap="xsmall"):
            for token in found:
                _row(token, names.get(token.user_id, ""))
    else:
        layout.empty("key", "No token yet", "A program sends its token as FLOWML_TOKEN, or in a header.")
    _password()


def _make() -> None:
    may = session.person().scopes
    offered = [scope for scope in Scope if scope in may]
    with (
        st.expander("Make a token", icon=":material/add:", expanded=False),
        st.form("make-token", border=False),
    ):
        left, right = st.columns(2)
        name = left.text_input(
            "What it is for",
            max_chars=80,
            placeholder="Nightly scoring",
            help="Helps you to know it again when you look at this list.",
        )
        end = right.selectbox("It ends after", list(ENDS), index=2, help="From then on the token is refused.")
        scopes = st.pills(
            "It may",
            offered,
            selection_mode="multi",
            default=[scope for scope in offered if scope in (Scope.READ, Scope.PREDICT)],
            format_func=MEANS.__getitem__,
            help="What programs that send the token are let do; never more than you may yourself.",
        )
        if st.form_submit_button("Make it", type="primary", icon=":material/key:"):
            try:
                issued = session.studio().people.issue_token(name, scopes, ENDS[end])
            except FlowMLError as error:
                box(error)
            else:
                st.session_state[Key.SECRET] = issued.secret


def _fresh() -> None:
    """The secret of a token just made. It is taken out of the session: the next look does not show it."""
    secret = st.session_state.pop(Key.SECRET, "")
    if not secret:
        return
    with st.container(border=True):
        st.success("Keep it now: it is not shown again.", title="The token is made", icon=":material/key:")
        st.code(secret, language=None, wrap_lines=True)


def _row(token: Token, owner: str) -> None:
    ended = token.expires_at is not None and token.expires_at < time.time()
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    line.container(width="stretch").markdown(f"**{words.plain(words.short(token.name, 34))}**")
    if owner:
        line.container(width=110).caption(words.plain(words.short(owner, 16)))
    line.container(width=170).caption(", ".join(token.scopes))
    until = "never ends" if token.expires_at is None else f"ends {clock.moment(token.expires_at)}"
    line.container(width=185).caption("ended" if ended else until)
    used = f"used {clock.ago(token.used_at)}" if token.used_at else "never used"
    line.container(width=110).caption(used)
    question = f"Revoke **{words.plain(token.name)}**? Programs that use it are refused from now on."
    if confirm(line, "Revoke", "block", question, "Revoke it", f"revoke-{token.id}"):
        with explained():
            session.studio().people.revoke_token(token.id)
        session.leave_notice(f"Revoked {token.name}.")
        st.rerun()


def _password() -> None:
    with (
        st.expander("Change your password", icon=":material/password:"),
        st.form("own-password", border=False, clear_on_submit=True),
    ):
        current = st.text_input("The one now", type="password", help="The password with which you signed in.")
        fresh = st.text_input("The new one", type="password", help="At least ten characters.")
        if st.form_submit_button("Change it: all your sessions end"):
            try:
                session.studio().people.set_password(session.person().id, fresh, current)
            except FlowMLError as error:
                box(error)
            else:
                st.rerun()
