"""Who may use the studio: add a user, change its role, keep it out, remove it. For administrators."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from flowml.storage.errors import FlowMLError
from flowml.storage.records import User, UserRole
from flowml.ui import session, words
from flowml.ui.components import clock, layout
from flowml.ui.components.faults import box, explained

PAGE = 25
ROLES = {
    UserRole.VIEWER: "Viewer: looks and predicts",
    UserRole.EDITOR: "Editor: brings tables and trains",
    UserRole.ADMIN: "Administrator: sees all, decides who may what",
}


def view() -> None:
    with explained():
        found = session.studio().people.users()
    if not found:
        layout.empty(
            "group",
            "Nobody signs in",
            "Whoever uses this machine is the owner of the studio. Add users to share it: the first must be "
            "an administrator, and from then on everybody signs in, you too.",
        )
    _add(first=not found)
    if not found:
        return
    number = int(st.session_state.get("users-page", 1))
    with st.container(border=True, gap="xsmall"):
        for user in found[PAGE * (number - 1) : PAGE * number]:
            _row(user)
    if len(found) > PAGE:
        st.pagination(-(-len(found) // PAGE), key="users-page")


def _add(first: bool) -> None:
    with (
        st.expander("Add a user", icon=":material/person_add:", expanded=first),
        st.form("add-user", border=False, clear_on_submit=False),
    ):
        left, right = st.columns(2)
        name = left.text_input(
            "Name", max_chars=64, help="Letters, digits and . _ @ + -. It is never changed."
        )
        role = right.selectbox(
            "Role",
            [UserRole.ADMIN] if first else list(UserRole),
            index=0 if first else list(UserRole).index(UserRole.EDITOR),
            format_func=ROLES.__getitem__,
            help="Viewers look and predict, editors also bring tables and train, admins may do everything.",
        )
        password = left.text_input(
            "Password",
            type="password",
            help="At least ten characters. Empty: only by a login elsewhere, which needs the address.",
        )
        email = right.text_input(
            "Mail address", help="By which a login elsewhere is recognised. May stay empty."
        )
        if st.form_submit_button("Add", type="primary", icon=":material/person_add:"):
            _done(
                lambda: session.studio().people.add_user(name.strip(), role, password, email.strip()),
                f"Added {name.strip()}.",
            )


def _row(user: User) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    line.container(width="stretch").markdown(f"**{words.plain(words.short(user.name, 30))}**")
    with line.container(width=80):
        st.badge(user.role.value, color="violet" if user.role is UserRole.ADMIN else "gray")
    line.container(width=210).caption(
        words.plain(words.short(user.email, 36)) if user.email else words.MISSING
    )
    line.container(width=140).caption(f"added {clock.ago(user.created_at)}")
    if user.disabled:
        with line.container(width="content"):
            st.badge("kept out", color="orange", icon=":material/block:")
    with line.popover("Change", icon=":material/edit:", key=f"change-{user.id}"):
        _change(user)


def _change(user: User) -> None:
    people = session.studio().people
    role: UserRole = st.selectbox(
        "Role",
        list(ROLES),
        index=list(ROLES).index(user.role),
        format_func=ROLES.__getitem__,
        key=f"role-{user.id}",
        help="Viewers look and predict, editors also bring tables and train, admins may do everything.",
    )
    if st.button("Give this role", disabled=role is user.role, key=f"give-{user.id}"):
        _done(partial(people.change_user, user.id, role=role), f"{user.name} is {role.value}.")
    password = st.text_input(
        "Another password",
        type="password",
        key=f"password-{user.id}",
        help="At least ten characters. Sessions of this user end.",
    )
    if st.button("Set the password", disabled=not password, key=f"set-{user.id}"):
        _done(partial(people.set_password, user.id, password), f"{user.name} has another password.")
    if user.disabled:
        if st.button("Let in again", icon=":material/check:", key=f"enable-{user.id}"):
            _done(partial(people.change_user, user.id, disabled=False), f"{user.name} may come in again.")
    elif st.button("Keep out", icon=":material/block:", key=f"disable-{user.id}", help="Ends its sessions."):
        _done(partial(people.change_user, user.id, disabled=True), f"{user.name} cannot come in any more.")
    sure = st.checkbox(
        "Remove it: sessions and tokens end, what it made stays",
        key=f"sure-{user.id}",
        help="Tick it to be able to press Remove.",
    )
    if st.button("Remove", icon=":material/delete:", disabled=not sure, key=f"remove-{user.id}"):
        _done(partial(people.remove_user, user.id), f"Removed {user.name}.")


def _done(act: Callable[[], object], said: str) -> None:
    """Does it and draws the page again with a word of it; what is refused is explained where it was asked."""
    try:
        act()
    except FlowMLError as error:
        box(error)
        return
    session.leave_notice(said)
    st.rerun()
