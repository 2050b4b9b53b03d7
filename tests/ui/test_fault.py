"""A page with a fault of its own: calm words on the screen, the traceback in the log."""

from __future__ import annotations

import logging

import pytest
from streamlit import config
from streamlit.error_util import handle_user_script_exception
from streamlit.testing.v1 import AppTest

from flowml.ui.app import OPTIONS, UNCAUGHT, once


def page() -> None:
    from flowml.ui.app import note_fault

    try:
        raise ValueError("secret detail")
    except ValueError as error:
        shown = note_fault(error)
    if not shown:
        raise RuntimeError("Streamlit would show the fault itself")


def test_readers_are_told_what_to_do_and_the_log_why(caplog: pytest.LogCaptureFixture) -> None:
    shown = AppTest.from_function(page, default_timeout=60).run()
    assert not shown.exception
    (box,) = shown.error
    assert "Reload the page" in box.value
    assert "/logs?level=error" in box.value
    assert "secret detail" not in box.value
    assert "secret detail" in caplog.text
    assert "Traceback" in caplog.text


def test_a_fault_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("streamlit.error_util.invoke_script_error_handler", lambda *_: True)
    rich = config.get_option("logger.enableRich")
    config.set_option("logger.enableRich", OPTIONS["logger.enableRich"])
    log = logging.getLogger(UNCAUGHT)
    monkeypatch.setattr(log, "propagate", True)
    log.addFilter(once)
    try:
        handle_user_script_exception(ValueError("secret detail"), None)
        log.error("Another")
    finally:
        log.removeFilter(once)
        config.set_option("logger.enableRich", rich)
    assert {record.message for record in caplog.records} == {"Another"}
