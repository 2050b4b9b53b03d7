"""The HTML behind every page."""

from __future__ import annotations

from flowml.ui import shell
from flowml.ui.guard import page_policy, streamlit_html


def test_it_is_streamlits_html_that_names_the_backend_first() -> None:
    html = shell.shell()
    assert html.index("BACKEND_BASE_URL") < html.index('<script type="module"')
    assert "<title>FlowML Studio</title>" in html
    assert len(html) > len(streamlit_html())


def test_its_policy_allows_both_inline_scripts() -> None:
    assert page_policy(shell.shell()).count("'sha256-") == page_policy(streamlit_html()).count("'sha256-") + 1


def test_each_path_has_a_route() -> None:
    assert [route.path for route in shell.routes(["", "live"])] == ["/", "/live"]
