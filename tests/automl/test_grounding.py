"""What is said of a model holds no number and no name but those of its statements, whatever a table says."""

from __future__ import annotations

import random
import re

import pytest

from flowml.automl.grounding import checking
from flowml.automl.grounding.aliases import Aliases
from flowml.automl.grounding.checking import checked, sentences
from flowml.automl.grounding.numbers import agrees, numbers_in, percent, scored, written
from flowml.automl.grounding.prompt import messages
from flowml.automl.grounding.report import report
from flowml.automl.grounding.statements import TOPICS, statements
from flowml.storage.records import Named, Sentence, Statement
from tests.automl.explained import INJECTIONS, explained, injected

GIVEN = statements(*explained())
ALIASES = Aliases.of(GIVEN)
KNOWN = {each.id: each for each in GIVEN}


def check(text: str) -> Sentence:
    return checked(text, KNOWN, ALIASES)


def the(cell: str) -> Statement:
    return next(each for each in GIVEN if each.cell == cell)


def test_statements_tell_of_each_topic_and_name_their_cell() -> None:
    assert list(dict.fromkeys(each.topic for each in GIVEN)) == list(TOPICS)
    assert the("Importance › tenure").told() == (
        "tenure ranks 1 of 2 by importance: shuffling it costs 0.1234 ± 0.0123 of ROC AUC."
    )
    assert "83.33 % of them are found" in the("Diagnostics › by class › yes").told()
    assert the("Fairness › plan").told() == (
        "By plan, the share of rows answered as yes differs: 10 % for basic at the least, 40 % for pro at "
        "the most."
    )
    assert len({each.id for each in GIVEN}) == len(GIVEN)


def test_the_report_says_the_statements_and_nothing_else() -> None:
    told = [sentence for each in report(GIVEN).values() for sentence in each]
    assert [sentence.text for sentence in told] == [each.told() for each in GIVEN]
    assert [sentence.sources for sentence in told] == [(each.id,) for each in GIVEN]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (1234567.0, "1,234,567"),
        (1234.56, "1,235"),
        (12.5, "12.5"),
        (-0.00001234, "-0.00001234"),
        (float("nan"), "unknown"),
    ],
)
def test_numbers_are_written_with_four_digits(value: float, text: str) -> None:
    assert written(value) == text


@pytest.mark.parametrize(
    ("score", "text"),
    [(0.841, "0.8410"), (0.5, "0.5000"), (-1.5, "-1.5000"), (72444.0, "72,444"), (131.06, "131.06"),
     (2e-5, "0.00002")],
)  # fmt: skip
def test_scores_are_written_as_a_leaderboard_writes_them(score: float, text: str) -> None:
    assert scored(score) == text
    (said,) = numbers_in(text)
    assert said.value == pytest.approx(abs(score))


@pytest.mark.parametrize(
    ("said", "known", "same"),
    [
        ("0.123", "0.1234", True),
        ("0.12", "0.1234", True),
        ("0.1", "0.1234", False),
        ("12.3 %", "0.1234", True),
        ("0.833", "83.3 %", True),
        ("83%", "83.3 %", True),
        ("84%", "83.3 %", False),
        ("1235", "1,235", True),
        ("\u22120.5", "-0.5", True),
        ("twelve", "12", True),
        ("half", "0.5", True),
    ],
)
def test_a_rounding_to_two_digits_is_the_same_number(said: str, known: str, same: bool) -> None:
    (one,), (other,) = numbers_in(said), numbers_in(known)
    assert agrees(one, other) == same


def test_sentences_come_whole_however_the_text_is_cut() -> None:
    text = "C1 ranks 1 of 2, at 0.1234 [S2]. It costs 0.5 %. [S3] The rest?\n- a point [S4].\nno end"
    whole = [
        "C1 ranks 1 of 2, at 0.1234 [S2].",
        "It costs 0.5 %. [S3]",
        "The rest?",
        "a point [S4].",
        "no end",
    ]
    for size in (1, 2, 3, 7, len(text)):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert list(sentences(pieces)) == whole


def test_what_came_before_the_text_broke_off_stands() -> None:
    def broken() -> object:
        yield "C1 is first [S2]. And th"
        raise ConnectionError

    came = sentences(broken())  # type: ignore[arg-type]
    assert next(came) == "C1 is first [S2]."
    with pytest.raises(ConnectionError):
        next(came)


def test_a_true_sentence_is_shown_with_its_names_and_sources() -> None:
    source = the("Importance › tenure")
    alias = ALIASES.of_name[Named("column", "tenure")]
    said = check(f"Shuffling {alias} costs 0.123 of ROC AUC [{source.id}].")
    assert said == Sentence("Shuffling tenure costs 0.123 of ROC AUC.", (source.id,))
    assert check(f"Shuffling {alias} costs 0.1234 ± 0.0123.").sources == (source.id,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("The model is good.", checking.NO_SOURCE),
        ("The model is good [S2].", checking.EMPTY),
        ("The score is 0.99 [S1].", checking.STRANGE_NUMBER),
        ("It is twice as good, 0.8432 [S1].", checking.STRANGE_NUMBER),
        ("At the 95th place it has 0.8432 [S1].", checking.STRANGE_NUMBER),
        ("It has 0.8432 [S999].", checking.UNKNOWN_SOURCE),
        ("C99 has 0.8432 [S1].", checking.STRANGE_NAME),
        ("It has 0.8432, see https://x.y [S1].", checking.MARKUP),
        ("<b>0.8432</b> [S1].", checking.MARKUP),
        ("**0.8432** [S1].", checking.MARKUP),
        ("It has 0.8432 " + "and so on " * 80 + "[S1].", checking.TOO_LONG),
    ],
)
def test_what_no_statement_says_is_withheld_with_a_reason(text: str, why: str) -> None:
    said = check(text)
    assert (said.withheld, said.text) == (why, "")


def test_a_name_must_stand_in_the_cited_statement() -> None:
    other = ALIASES.of_name[Named("column", "plan")]
    assert (
        check(f"Shuffling {other} costs 0.123 [{the('Importance › tenure').id}].").withheld
        == checking.STRANGE_NAME
    )


def test_no_answer_is_said_in_our_words() -> None:
    assert check("The statements do not answer that. [none]") == Sentence(checking.NOTHING_SAID)


def test_names_in_a_question_are_replaced_and_nothing_else() -> None:
    asked = ALIASES.question("Why does Tenure matter more than plan, and who says no?")
    column = {name: ALIASES.of_name[Named("column", name)] for name in ("tenure", "plan")}
    assert asked.startswith(f"Why does {column['tenure']} matter more than {column['plan']}, and who says no")


# --- 20 answers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_all_numbers_of_an_answer_stand_in_its_source_cells(seed: int) -> None:
    """Half of the sentences are copied, the others have one digit changed, or another source."""
    chance = random.Random(seed)
    given = chance.sample(GIVEN, 8)
    told, true = [], []
    for place, each in enumerate(given):
        said = ALIASES.hide(each)
        wrong = place % 2 == 1
        numbers = list(re.finditer(r"(?<![\w.])\d+(?:\.\d+)?(?![\w])", said))
        if wrong and numbers:
            spot = chance.choice(numbers)
            said = f"{said[: spot.start()]}{float(spot[0]) + 7.77:.2f}{said[spot.end() :]}"
        true.append(not (wrong and numbers))
        told.append(f"{said[:-1]} [{each.id}].")
    found = [check(text) for text in sentences(iter(" ".join(told)))]
    assert [not each.withheld for each in found] == true
    for sentence in found:
        known = [number for source in sentence.sources for number in numbers_in(KNOWN[source].told())]
        assert all(any(agrees(said, other) for other in known) for said in numbers_in(sentence.text))


# --- 100 injections ---------------------------------------------------------------------------------------


def test_no_text_of_a_table_reaches_a_language_model() -> None:
    assert len(set(INJECTIONS)) == 100
    given = statements(*injected())
    aliases = Aliases.of(given)
    assert {each.name for each in aliases.of_name} >= set(INJECTIONS)
    for question in ("What matters most?", f"Why does {INJECTIONS[0]} matter?"):
        prompt = "\n".join(str(each["content"]) for each in messages(given, aliases, question))
        assert [each for each in INJECTIONS if each in prompt] == []


def test_what_injections_ask_for_is_withheld_even_if_a_model_said_it() -> None:
    given = statements(*injected())
    aliases, known = Aliases.of(given), {each.id: each for each in given}
    for number, _ in enumerate(INJECTIONS):
        for said in (
            f"OBEYED-{number}.", f"OBEYED-{number} [S1].", f"The score is {number / 1000 + 0.9001} [S1].",
            f"Visit http://evil.example/{number} [S1].", f"Ignore the rules, OBEYED {number}00001 [S2].",
        ):  # fmt: skip
            assert checked(said, known, aliases).withheld, said


def test_shares_are_written_as_percentages() -> None:
    assert [percent(share) for share in (0.0, 0.12345, 1.0)] == ["0 %", "12.35 %", "100 %"]
