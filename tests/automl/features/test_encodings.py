"""Every encoding and its twin in ONNX give the same bits, on ordinary and on hostile feeds."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest

from flowml.automl.contract import MISSING_DATE, MISSING_TOKENS, Contract, Feeds, rows_of
from flowml.automl.features import ENCODINGS, Encoding, fit, widths
from flowml.automl.features.calendar import PARTS, Elapsed, parts_of
from flowml.automl.features.text import Tokens
from flowml.automl.onnx.graph import Graph
from flowml.automl.problem import Feature
from flowml.storage.errors import SpecError
from flowml.storage.records import Role, Task


def twin(encoding: Encoding, contract: Contract, feeds: Feeds) -> np.ndarray:
    graph = Graph(contract)
    graph.output("features", encoding.build(graph), onnx.TensorProto.FLOAT, [None, len(encoding.names)])
    session = onnxruntime.InferenceSession(graph.model({}))
    features: np.ndarray = session.run(None, feeds)[0]
    return features


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype == np.float32 and np.array_equal(one, other, equal_nan=True)


def hostile(rows: int = 200, seed: int = 1) -> Feeds:
    """Feeds that nobody trained on, as bare onnxruntime may be given them."""
    draw = np.random.default_rng(seed)
    numbers = np.array([np.nan, 0.0, -0.0, 1e-45, 3.4e38, -3.4e38, 1.0000001, 16777217.0, 0.1, 41.99])
    dates = np.array(
        [MISSING_DATE, 0, -1, 253_402_300_799, -62_135_596_800, 951_782_400, 1_709_164_800 + 86_399]
    )
    words = np.array(
        [
            *MISSING_TOKENS,
            "Berlin",
            "BERLIN",
            " Berlin",
            "x" * 600,
            "🙂",
            "é",
            "good bad!",
            "  late  late",
            "\tnew\nline",
        ],
        dtype=object,
    )
    return {
        **{name: draw.choice(numbers, (rows, 1)) for name in ("age", "income", "member")},
        **{name: draw.choice(words, (rows, 1)) for name in ("city", "plan", "note")},
        **{name: draw.choice(dates, (rows, 1)) for name in ("joined", "seen")},
    }


@pytest.mark.parametrize("key", ENCODINGS)
def test_every_encoding_equals_its_twin_bit_by_bit(key: str, contract: Contract, mixed: pl.DataFrame) -> None:
    feeds, _ = contract.accept(mixed)
    encoding = fit(key, contract, feeds)
    for given in (feeds, hostile(), {name: values[:1] for name, values in hostile().items()}):
        matrix = encoding.transform(given)
        assert matrix.shape == (rows_of(given), len(encoding.names))
        assert matrix.flags.c_contiguous
        assert same_bits(matrix, twin(encoding, contract, given))


@pytest.mark.parametrize("key", ENCODINGS)
def test_every_encoding_comes_back_from_json(key: str, contract: Contract, mixed: pl.DataFrame) -> None:
    feeds, _ = contract.accept(mixed)
    encoding = fit(key, contract, feeds)
    again = Encoding.from_dict(json.loads(json.dumps(encoding.to_dict())))
    assert again == encoding
    assert same_bits(again.transform(feeds), encoding.transform(feeds))


@pytest.mark.parametrize("key", ENCODINGS)
def test_a_column_changes_just_the_features_that_name_it_as_their_source(
    key: str, contract: Contract, mixed: pl.DataFrame
) -> None:
    feeds, _ = contract.accept(mixed)
    encoding = fit(key, contract, feeds)
    sources = np.array(encoding.sources)
    assert len(sources) == len(encoding.names)
    assert set(sources) == set(feeds)
    before = encoding.transform(feeds)
    for name, values in feeds.items():
        after = encoding.transform({**feeds, name: values[::-1].copy()})
        changed = ((before != after) & ~(np.isnan(before) & np.isnan(after))).any(axis=0)
        spans = np.array(["days from" in feature for feature in encoding.names])  # of two columns
        assert set(sources[changed & ~spans]) == {name}


@pytest.mark.parametrize("key", ENCODINGS)
@pytest.mark.parametrize("role", [Role.NUMERIC, Role.CATEGORICAL, Role.DATETIME, Role.TEXT])
def test_columns_without_a_value_make_features_too(key: str, role: Role) -> None:
    frame = pl.DataFrame({"x": [None, None, None]})
    contract = Contract.learn(frame, [Feature("x", role, "")], task=Task.BINARY)
    feeds, _ = contract.accept(frame)
    encoding = fit(key, contract, feeds)
    assert len(encoding.names) >= 1
    assert same_bits(encoding.transform(feeds), twin(encoding, contract, feeds))


def test_an_unknown_encoding_is_named(contract: Contract) -> None:
    with pytest.raises(SpecError, match="no encoding 'hashed'"):
        fit("hashed", contract, {})


def test_native_codes_are_whole_numbers_within_their_cardinality(
    contract: Contract, mixed: pl.DataFrame
) -> None:
    encoding = fit("native", contract, contract.accept(mixed)[0])
    assert [encoding.names[place] for place in encoding.categorical] == ["city", "plan"]
    codes = encoding.transform(hostile())[:, encoding.categorical]
    assert np.array_equal(codes, codes.astype(int))
    assert codes.min() >= 0
    assert (codes.max(axis=0) < [encoding.cardinalities[place] for place in encoding.categorical]).all()


def test_codes_run_by_frequency_and_rare_ones_share_one() -> None:
    frame = pl.DataFrame({"x": ["b"] * 30 + ["a"] * 20 + ["once", None]})
    contract = Contract.learn(frame, [Feature("x", Role.CATEGORICAL, "string")], task=Task.BINARY)
    feeds, _ = contract.accept(frame)
    codes = fit("ordinal", contract, feeds).transform(feeds).ravel()
    assert codes[[0, 30, 50]].tolist() == [0.0, 1.0, 2.0]
    assert np.isnan(codes[51])
    unseen, _ = contract.accept([{"x": "never"}])
    assert fit("ordinal", contract, feeds).transform(unseen).ravel().tolist() == [2.0]
    assert fit("onehot", contract, feeds).names == ("x = b", "x = a", "x = <other>", "x = <missing>")


def test_linear_features_are_standardised_and_flag_gaps() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, None]})
    contract = Contract.learn(frame, [Feature("x", Role.NUMERIC, "number")], task=Task.REGRESSION)
    feeds, _ = contract.accept(frame)
    encoding = fit("onehot", contract, feeds)
    assert encoding.names == ("x", "x is missing")
    matrix = encoding.transform(feeds)
    assert matrix.mean(axis=0).tolist() == [0.0, 0.25]
    assert matrix[:, 0].std() == pytest.approx(1.0)


def test_parts_of_dates_are_those_of_the_calendar() -> None:
    draw = np.random.default_rng(0)
    seconds = np.concatenate([draw.integers(-62_135_596_800, 253_402_300_800, 2_000), [0, -1, 951_782_400]])
    parts, empty = parts_of(seconds.reshape(-1, 1), tuple(PARTS))
    moments = [dt.datetime(1970, 1, 1) + dt.timedelta(seconds=int(s)) for s in seconds]
    expected = [
        (
            m.year,
            m.month,
            m.day,
            m.month * 100 + m.day,
            m.weekday(),
            m.hour,
            (m.date() - dt.date(1970, 1, 1)).days,
        )
        for m in moments
    ]
    assert parts.tolist() == [list(each) for each in expected]
    assert not empty.any()


def test_parts_that_never_vary_are_left_out(contract: Contract, mixed: pl.DataFrame) -> None:
    names = fit("ordinal", contract, contract.accept(mixed)[0]).names
    assert "joined hour" not in names
    assert "seen hour" in names


def test_spellings_of_a_word_share_its_feature(contract: Contract, mixed: pl.DataFrame) -> None:
    encoding = fit("ordinal", contract, contract.accept(mixed)[0])
    assert "note has 'good'" in encoding.names
    feeds, _ = contract.accept(
        [{**contract.example, "note": text} for text in ("good", "Good", "GOOD", None)]
    )
    column = encoding.names.index("note has 'good'")
    assert encoding.transform(feeds)[:, column].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_texts_are_split_as_in_the_graph_whatever_they_hold() -> None:
    texts = ["a  b", " a", "", "NaN", "é" * 9, "tab\tand\nline", "🙂 🙂 🙂", "x" * 600]
    tokens = Tokens.of(np.array(texts, dtype=object).reshape(-1, 1))
    assert tokens.lengths.tolist() == [4, 2, 0, 0, 9, 12, 5, 600]
    assert list(zip(tokens.rows.tolist(), tokens.words.to_list(), strict=True)) == [
        (0, "a"), (0, "b"), (1, "a"), (4, "é" * 9), (5, "tab\tand\nline"),
        (6, "🙂"), (6, "🙂"), (6, "🙂"), (7, "x" * 600),
    ]  # fmt: skip
    assert tokens.rows_with_each() == {"a": 2, "b": 1, "é" * 9: 1, "tab\tand\nline": 1, "🙂": 1, "x" * 600: 1}


def test_widths_are_about_those_of_the_encodings(contract: Contract, mixed: pl.DataFrame) -> None:
    feeds, _ = contract.accept(mixed)
    for width, key in zip(widths(contract), ("ordinal", "onehot"), strict=True):
        words = 60 - sum("note has" in name for name in fit(key, contract, feeds).names)  # there are but few
        assert width - words == pytest.approx(len(fit(key, contract, feeds).names), rel=0.35)


ELAPSED = [
    ([86_400 * day for day in (3, 5, 900)], "days", [0, 2, 897]),
    ([0, 60, 3_600], "minutes", [0, 1, 60]),
    ([5, 6, 70], "seconds", [0, 1, 65]),
    ([1, 1 + 86_400 * 2], "hours", [0, 48]),
    ([1, 1 + 86_400 * 365 * 20], "days", [0, 7_300]),
    ([-62_135_596_800, 253_402_300_799], "days", [0, 3_652_058]),
    ([], "days", []),
]


@pytest.mark.parametrize(("seconds", "unit", "elapsed"), ELAPSED)
def test_time_elapsed_has_the_unit_that_fits(seconds: list[int], unit: str, elapsed: list[int]) -> None:
    dates = np.array(seconds, np.int64).reshape(-1, 1)
    fitted = Elapsed.fit(np.concatenate([dates, [[MISSING_DATE]]]))
    assert fitted.name == unit
    assert fitted.of(dates).ravel().tolist() == elapsed


def test_days_between_dates_are_features() -> None:
    first = [dt.date(2024, 1, 1), dt.date(2024, 2, 1), None, dt.date(2024, 3, 1)]
    last = [dt.date(2024, 1, 8), dt.date(2024, 1, 31), dt.date(2024, 1, 1), None]
    frame = pl.DataFrame({"first": first, "last": last})
    columns = [Feature(name, Role.DATETIME, "date") for name in frame.columns]
    contract = Contract.learn(frame, columns, task=Task.BINARY)
    feeds, _ = contract.accept(frame)
    for key, expected in (("ordinal", [7, -1, np.nan, np.nan]), ("onehot", [1, -1, 0, 0])):
        encoding = fit(key, contract, feeds)
        place = encoding.names.index("days from first to last")
        assert np.array_equal(encoding.transform(feeds)[:, place], expected, equal_nan=True)
        assert same_bits(encoding.transform(feeds), twin(encoding, contract, feeds))
    gaps = encoding.transform(feeds)[:, encoding.names.index("last is missing")]
    assert gaps.tolist() == [0, 0, 0, 1]
