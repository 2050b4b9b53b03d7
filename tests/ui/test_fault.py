"""A page with a fault of its own: calm words on the screen, the traceback in the log."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


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
