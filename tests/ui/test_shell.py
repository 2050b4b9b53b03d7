"""The HTML behind every page."""

from __future__ import annotations

from flowml.ui import shell
from flowml.ui.guard import page_policy, streamlit_html


def test_it_is_streamlits_html_that_names_the_backend_first() -> None:
    html = shell.shell()
    assert html.index("BACKEND_BASE_URL") < html.index('<script type="module"')
    assert "<title>FlowML Studio</title>" in html
    assert html.count("modulepreload") == streamlit_html().count("modulepreload")


def test_its_policy_allows_both_inline_scripts() -> None:
    assert page_policy(shell.shell()).count("'sha256-") == page_policy(streamlit_html()).count("'sha256-") + 1


def test_it_has_something_to_paint_before_any_script_runs() -> None:
    html = shell.shell()
    assert '<div id="root"><div class="flowml-opening">FlowML Studio</div></div>' in html
    assert "prefers-color-scheme: dark" in html
    assert html.count("<noscript>") == 1
    assert "allow it for this address" in html


def test_each_path_has_a_route() -> None:
    assert [route.path for route in shell.routes(["", "live"])] == ["/", "/live"]
