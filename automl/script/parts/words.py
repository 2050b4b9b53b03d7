"""Features of text: its length, how many words it has, which frequent words occur in it."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import polars as pl

from flowml.automl.features.text import LENGTHS, MOST_COMMON_SHARE, MOST_SPELLINGS, bare
from flowml.automl.metrics import Array


class Words(NamedTuple):
    """The words of texts that a vocabulary knows, one entry for each, and the size of the vocabulary."""

    rows: Array
    numbers: Array
    size: int


def split(texts: pl.Series) -> pl.DataFrame:
    """A line for each word of each text; they end at a space."""
    frame = pl.DataFrame({"word": texts.str.split(" ")}).with_row_index("row")
    return frame.explode("word").filter(pl.col("word") != "")


def known_words(texts: pl.Series, most: int, rarest: int) -> Words:
    """The most frequent words, whose spellings ("Late", "late,") count as one."""
    tokens = split(texts)
    by_word = dict[str, list[str]]()
    spelled = Counter(tokens.unique()["word"].to_list())
    for token in sorted(spelled, key=lambda token: (-spelled[token], token)):
        by_word.setdefault(bare(token), []).append(token)
    by_word.pop("", None)
    named = tokens.with_columns(pl.col("word").map_elements(bare, return_dtype=pl.String))
    found = Counter(named.unique()["word"].to_list())
    kept = [word for word in by_word if rarest <= found[word] <= MOST_COMMON_SHARE * len(texts)]
    numbers = dict[str, int]()
    for number, word in enumerate(sorted(kept, key=lambda word: (-found[word], word))[:most]):
        likely = [start + end for start in (word, word.capitalize()) for end in ("", ".", ",")]
        spellings = by_word[word][:MOST_SPELLINGS] + [each for each in likely if bare(each) == word]
        numbers |= dict.fromkeys(spellings, number)
    known = tokens.filter(pl.col("word").is_in(list(numbers)))
    places = known["word"].replace_strict(numbers or {"": 0}, return_dtype=pl.Int64).to_numpy()
    return Words(known["row"].to_numpy().astype(np.int64), places, len(set(numbers.values())))


def word_features(texts: pl.Series, most: int) -> Array:
    words = known_words(texts, most, max(2, len(texts) // 200))
    features = np.zeros((len(texts), 2 + words.size), np.float32)
    features[:, 0] = np.searchsorted(LENGTHS, texts.str.len_chars().to_numpy(), side="right")
    features[:, 1] = np.bincount(split(texts)["row"].to_numpy(), minlength=len(texts))
    features[words.rows, 2 + words.numbers] = 1
    return features
