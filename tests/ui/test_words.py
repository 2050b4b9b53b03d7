from __future__ import annotations

import pytest

from flowml.ui import words

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.9134, "0.9134"),
        (0.91345678, "0.9135"),
        (0.0, "0.0000"),
        (0.00012, "0.00012"),
        (9.99999, "10.0000"),
        (12.3456, "12.346"),
        (53231.77, "53,232"),
        (-0.25, "-0.2500"),
    ],
)
def test_score(amount: float | None, text: str) -> None:
    assert words.score(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        (29, "29"),
        (7043.0, "7,043"),
        (18.25, "18.25"),
        (1397.5, "1,397.5"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "1e-07"),
        (1_200_000.5, "1,200,000"),
        (4_078_027_310.2, "4,078,027,310"),
        (1e16, "1e+16"),
        (-0.5, "-0.5"),
        (float("inf"), "–"),
    ],
)
def test_number(amount: float | None, text: str) -> None:
    assert words.number(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0, "0.0 s"),
        (0.0004, "under 1 ms"),
        (0.04, "40 ms"),
        (0.0996, "0.1 s"),
        (9.9, "9.9 s"),
        (9.97, "10 s"),
        (60, "1 min"),
        (65, "1 min 5 s"),
        (3600, "1 h"),
        (7400, "2 h 3 min"),
        (90_000, "1 day 1 h"),
        (3 * 86_400, "3 days"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (401, "06:41"), (3723, "1:02:03"), (-4, "00:00")]
)
def test_clock(seconds: float, text: str) -> None:
    assert words.clock(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (15_200_000, "15.2 MB"),
        (999_600, "1.0 MB"),
        (2e9, "2.0 GB"),
        (3e12, "3.0 TB"),
    ],
)
def test_size(amount: float, text: str) -> None:
    assert words.size(amount) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0 %"), (0.0004, "< 0.1 %"), (0.016, "1.6 %"), (0.73, "73 %"), (1.0, "100 %")]
)
def test_percent(share: float, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (2, "just now"),
        (-5, "just now"),
        (60, "1 min ago"),
        (3590, "1 h ago"),
        (7200, "2 h ago"),
        (86_400, "1 day ago"),
        (5 * 86_400, "5 days ago"),
        (40 * 86_400, "6 Dec 2026"),
    ],
)
def test_ago(before: float, text: str) -> None:
    assert words.ago(NOW - before, NOW) == text


def test_a_given_name_is_shown_as_text_whatever_it_holds() -> None:
    assert words.plain("a*b") == "\u2068a\\*b\u2069"
    assert words.plain(":material/home:<b>") == "\u2068\\:material\\/home\\:\\<b\\>\u2069"
    assert words.plain("line\nend\u202e") == "\u2068line end \u2069"


def test_commands_in_a_message_are_set_apart_and_nothing_else_is() -> None:
    assert words.said("a*b") == words.plain("a*b")
    told = words.said("Start it (`ollama serve`), *then* ask.")
    assert told == f"{words.plain('Start it (')}`ollama serve`{words.plain('), *then* ask.')}"
    assert words.said("a ` alone") == words.plain("a ` alone")


def test_lists_and_plurals() -> None:
    assert words.listing([]) == ""
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.listing(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert words.plural(1, "row") == "1 row"
    assert words.plural(2000, "row") == "2,000 rows"
    assert words.plural(2, "class", "classes") == "2 classes"


def test_short_and_sentence() -> None:
    assert words.short("abcdef", 4) == "abc…"
    assert words.short("abcd", 4) == "abcd"
    assert words.middle("sensor 003 in the hall", 11) == "senso…hall"
    assert words.middle("a table · target", 9) == "a ta…rget"
    assert words.middle("abcd", 4) == "abcd"
    assert words.sentence("it failed") == "It failed."
    assert words.sentence("Why?") == "Why?"
    assert words.sentence("") == ""
