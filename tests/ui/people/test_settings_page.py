"""The Settings page, as the owner of a studio without logins, an administrator and a viewer see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from flowml.runner.studio import Studio
from flowml.storage.records import SCOPES, Person, UserRole
from flowml.ui import navigation, session

SCRIPT = str(navigation.FOLDER / "main.py")
Opened = Callable[..., AppTest]


@pytest.fixture
def opened(staffed: Studio, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """A view of the page as a user of the staffed studio sees it."""

    def open_(view: str, name: str, role: UserRole) -> AppTest:
        person = Person(ids[name], name, role, SCOPES[role])
        monkeypatch.setattr(session, "person", lambda: person)
        session.bind(staffed)
        app = AppTest.from_file(SCRIPT, default_timeout=90)
        app.query_params["view"] = view
        app.run().switch_page(navigation.file_of("settings")).run()
        assert not app.exception
        return app

    yield open_
    session.bind(None)


def told(app: AppTest) -> str:
    parts: list[Any] = [*app.markdown, *app.caption, *app.error, *app.info, *app.success, *app.code]
    return "\n".join(str(part.value) for part in parts)


def pressed(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def test_settings_in_force_hide_secrets(opened: Opened) -> None:
    app = opened("In force", "root", UserRole.ADMIN)
    table = app.dataframe[0].value
    assert "FLOWML_HOME" in table["setting"].tolist()
    home = table[table["setting"] == "FLOWML_HOME"].iloc[0]
    assert home["from"] == "command line"
    shown = dict(zip(table["setting"], table["value"], strict=True))
    assert (shown["FLOWML_UPLOAD_LIMIT"], shown["FLOWML_SESSION_LENGTH"]) == ("2.0 MB", "7 days")
    assert (shown["FLOWML_PORT"], shown["FLOWML_CORS_ORIGINS"]) == ("8501", "–")
    app.text_input(key="setting").set_value("s3_").run()
    assert len(app.dataframe[0].value) == 5


def test_a_user_is_added_changed_kept_out_and_removed(opened: Opened, staffed: Studio) -> None:
    app = opened("Users", "root", UserRole.ADMIN)
    name = next(box for box in app.text_input if box.label == "Name")
    name.set_value("eve")
    next(box for box in app.text_input if box.label == "Password").set_value("short")
    assert "expected 10 to 200" in told(pressed(app, "Add"))
    next(box for box in app.text_input if box.label == "Password").set_value("a long enough phrase")
    pressed(app, "Add")
    eve = next(user for user in staffed.people.users() if user.name == "eve")
    assert eve.role is UserRole.EDITOR
    app.selectbox(key=f"role-{eve.id}").set_value(UserRole.VIEWER).run()
    app.button(key=f"give-{eve.id}").click().run()
    app.button(key=f"disable-{eve.id}").click().run()
    assert (staffed.people.user(eve.id).role, staffed.people.user(eve.id).disabled) == (UserRole.VIEWER, True)
    assert app.button(key=f"remove-{eve.id}").disabled
    app.checkbox(key=f"sure-{eve.id}").check().run()
    app.button(key=f"remove-{eve.id}").click().run()
    assert "eve" not in {user.name for user in staffed.people.users()}


def test_a_token_is_shown_once_and_revoked(opened: Opened, staffed: Studio, ids: dict[str, str]) -> None:
    app = opened("Tokens", "vic", UserRole.VIEWER)
    next(box for box in app.text_input if box.label == "What it is for").set_value("nightly")
    pressed(app, "Make it")
    assert "Keep it now" in told(app)
    secret = app.code[0].value
    person = staffed.entrance.of_token(secret)
    assert person is not None
    assert person.name == "vic"
    app.run()
    assert secret not in told(app)
    token = next(
        each for each in staffed.people.tokens(True) if (each.user_id, each.name) == (ids["vic"], "nightly")
    )
    assert {str(scope) for scope in token.scopes} == {"read", "predict"}
    app.button(key=f"revoke-{token.id}").click().run()
    assert token.id not in {each.id for each in staffed.people.tokens(True)}


def test_storage_is_measured_and_cleared(opened: Opened) -> None:
    app = opened("Storage", "root", UserRole.ADMIN)
    assert app.metric[0].label == "Kept"
    assert "Tables and models" in app.dataframe[0].value["what"].tolist()
    app.button(key="garbage-look").click().run()
    assert "0 files" in told(app)
    app.button(key="garbage-remove").click().run()
    assert not app.error


def test_the_audit_log_is_read_by_administrators(opened: Opened) -> None:
    app = opened("Audit", "root", UserRole.ADMIN)
    assert "user.add" in app.dataframe[0].value["action"].tolist()


def test_about_tells_of_privacy_and_licences(opened: Opened) -> None:
    app = opened("About", "vic", UserRole.VIEWER)
    assert "Nothing leaves your machines" in told(app)
    assert "streamlit" in app.dataframe[0].value["name"].tolist()


@pytest.mark.parametrize("view", ["In force", "Users", "Storage", "Audit"])
def test_a_viewer_is_not_led_to_what_is_not_for_it(opened: Opened, view: str) -> None:
    app = opened(view, "vic", UserRole.VIEWER)
    assert app.segmented_control(key="view").options == ["Tokens", "About"]
    assert app.segmented_control(key="view").value == "Tokens"
