"""Sentences of a language model against the statements that it was given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flowml.automl.grounding.aliases import ALIAS, Aliases
from flowml.automl.grounding.numbers import Number, agrees, numbers_in, without_numbers
from flowml.storage.records import Sentence, Statement

CITED = re.compile(r"\[\s*(none|S\d+(?:\s*[,;]?\s*S\d+)*)\s*\]", re.IGNORECASE)
ENDED = re.compile(r"(?:[.!?…]+[\"')]*(?:\s*\[[^\]\n]{0,80}\])+|[.!?…]+[\"')]*(?=\s+[^\s\[])|\n)")
BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
STRANGE = re.compile(r"https?:|www\.|[<>`{}|\\]|\]\(|\*\*|__|#")
UNANSWERED = re.compile(r"\bdo(?:es)? not answer\b", re.IGNORECASE)
LONGEST = 600  # letters of a sentence

NOTHING_SAID = "What was computed does not answer that."
NO_SOURCE = "It names no source."
UNKNOWN_SOURCE = "It names a source that does not exist."
STRANGE_NUMBER = "It holds a number that its source does not."
STRANGE_NAME = "It names something that its source does not tell of."
EMPTY = "It repeats nothing of its source."
MARKUP = "It holds a link or markup."
TOO_LONG = "It is longer than a sentence."


def sentences(pieces: Iterable[str]) -> Iterator[str]:
    """Whole sentences, as soon as they are, of a text that comes in pieces; the rest when it ends."""
    text = ""
    for piece in pieces:
        text += piece
        while (found := ENDED.search(text)) and not _may_go_on(text, found):
            yield from _one(text[: found.end()])
            text = text[found.end() :]
        if len(text) > 2 * LONGEST:
            yield text
            text = ""
    yield from _one(text)


def _may_go_on(text: str, found: re.Match[str]) -> bool:
    """Whether a further source may follow the end of what has come."""
    return found[0] != "\n" and not text[found.end() :].strip()


def _one(text: str) -> Iterator[str]:
    bare = BULLET.sub("", text.strip())
    if bare:
        yield bare


def checked(text: str, statements: Mapping[str, Statement], aliases: Aliases) -> Sentence:
    """The sentence with the names again and its sources; withheld where it is not what they say."""
    named = [each.upper() for found in CITED.finditer(text) for each in re.findall(r"[sS]\d+", found[1])]
    bare = " ".join(CITED.sub(" ", text).split())
    bare = re.sub(r"\s+([.,;!?…])", r"\1", bare)
    if UNANSWERED.search(bare) and not named and not numbers_in(bare):
        return Sentence(NOTHING_SAID)
    sources = tuple(dict.fromkeys(named)) or _only_source(bare, statements, aliases)
    why = _why_not(bare, sources, statements, aliases)
    return Sentence("", sources, why) if why else Sentence(aliases.reveal(bare), sources)


def _why_not(bare: str, sources: Sequence[str], statements: Mapping[str, Statement], aliases: Aliases) -> str:
    if len(bare) > LONGEST:
        return TOO_LONG
    if STRANGE.search(bare):
        return MARKUP
    if not sources:
        return NO_SOURCE
    if any(source not in statements for source in sources):
        return UNKNOWN_SOURCE
    cited = [statements[source] for source in sources]
    met = set(ALIAS.findall(bare))
    if not met <= frozenset().union(*(aliases.of_statement(each) for each in cited)):
        return STRANGE_NAME
    plain = ALIAS.sub(" ", bare)
    said, known = numbers_in(plain), _known(cited)
    if not all(any(agrees(number, other) for other in known) for number in said):
        return STRANGE_NUMBER
    words = {word for each in cited for word in re.findall(r"[^\W\d]\w*\d\w*", each.text)}  # such as F1
    if any(word not in words for word in re.findall(r"\w*\d\w*", without_numbers(plain))):
        return STRANGE_NUMBER
    return "" if met or said else EMPTY


def _only_source(bare: str, statements: Mapping[str, Statement], aliases: Aliases) -> tuple[str, ...]:
    """The one statement that holds all names and numbers of a sentence that cites none."""
    met, said = set(ALIAS.findall(bare)), numbers_in(ALIAS.sub(" ", bare))
    if not said or not (met or any(number.digits > 1 for number in said)):
        return ()
    fitting = [
        each.id
        for each in statements.values()
        if met <= aliases.of_statement(each)
        and all(any(agrees(number, other) for other in _known([each])) for number in said)
    ]
    return tuple(fitting) if len(fitting) == 1 else ()


def _known(statements: Iterable[Statement]) -> list[Number]:
    return [number for each in statements for number in numbers_in(re.sub(r"\{\d+\}", " ", each.text))]
