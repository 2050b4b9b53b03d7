"""Delimited text, JSON, YAML and TOML."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from tests.storage.hostile.common import MB, Content


def texts() -> Iterator[tuple[str, Content]]:
    yield "nul.csv", b"a,b\n1,\x002\n"
    yield "nul-everywhere.csv", b"a,b\n" + b"\0" * 1000
    yield "nul-far-down.csv", b"a,b\n" + b"1,2\n" * 200_000 + b"1,\0\n"
    yield (
        "mixed-encodings.csv",
        "a,b\nGröße,1\n".encode() + "Größe,2\n".encode("latin-1") + "日本,3\n".encode("shift-jis"),
    )
    yield "utf-16-cut.csv", "a,b\n1,2\n".encode("utf-16")[:-1]
    yield "utf-16-wrong.csv", b"\xff\xfe" + b"\x00\xd8" * 100
    yield "utf-32.csv", "a,b\n1,2\n".encode("utf-32")
    yield "mark-only.csv", b"\xef\xbb\xbf"
    yield "mark-16-only.csv", b"\xff\xfe"
    yield (
        "hundred-thousand-columns.csv",
        lambda: b",".join(b"c%d" % n for n in range(100_000)) + b"\n" + b"1," * 99_999 + b"1\n",
    )
    yield (
        "two-thousand-columns.csv",
        lambda: b",".join(b"c%d" % n for n in range(2_000)) + b"\n" + b"1," * 1_999 + b"1\n",
    )
    yield (
        "two-thousand-columns-of-many-rows.csv",
        lambda: b",".join(b"c%d" % n for n in range(2_000)) + b"\n" + (b"0.25," * 1_999 + b"1\n") * 300,
    )
    yield "fifty-megabytes.csv", lambda: b"a,b\n1," + b"x" * (50 * MB) + b"\n"
    yield "long-header.csv", lambda: b"x" * (5 * MB) + b",b\n1,2\n"
    yield "open-quote.csv", lambda: b'a,b\n1,"' + b"x\n" * 100_000
    yield "quotes-only.csv", b'"' * 1001
    yield "delimiters-only.csv", b",,,,\n,,,,\n"
    yield "lines-only.csv", b"\n" * 100_000
    yield "header-only.csv", b"a,b,c\n"
    yield "same-headers.csv", b"a,a,a,a_2\n1,2,3,4\n"
    yield "no-headers.csv", b",,\n1,2,3\n"
    yield "formulas.csv", b"=1+1,@x\n=cmd|' /C calc'!A0,+1\n-2,@SUM(A1)\n"
    yield "ragged.csv", b"a,b\n1\n1,2,3\n,,,,\n"
    yield "carriage-returns.csv", b"a,b\r1,2\r3,4\r"
    yield "huge-numbers.csv", b"a,b\n1e400,99999999999999999999999999\n-1e400,1\n"
    yield "far-dates.csv", b"a,b\n0000-00-00,9999999-01-01\n2020-02-30,1\n"
    yield "right-to-left.csv", "\u202ea,b\u202c\n1,2\n".encode()
    yield "surrogates.csv", b"a,b\n\xed\xa0\x80,1\n"
    yield "overlong.csv", b"a,b\n\xc0\xaf,1\n"
    yield "escapes.csv", b"a,b\n\x1b[31mred,1\n"
    yield "noise.csv", random.Random(1).randbytes(100_000)
    yield "noise-of-letters.csv", bytes(random.Random(2).choices(b",;\t|'\" \nab1", k=100_000))
    yield "blanks.txt", b" " * 100_000
    yield "one-letter.csv", b"a"
    yield "deep-quotes.csv", b'a,b\n"' + b'""' * 100_000 + b'",1\n'
    yield "dates-of-all-kinds.csv", b"d\n2020-01-01\n01/02/2020\n3 March 2020\n1577836800\nnever\n" * 100


# --- JSON, YAML, TOML -------------------------------------------------------------------------------------


def objects() -> Iterator[tuple[str, Content]]:
    yield "deep-lists.json", b"[" * 10_000 + b"]" * 10_000
    yield "deep-objects.json", b'{"a":' * 10_000 + b"1" + b"}" * 10_000
    yield "deep-cell.json", b'[{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}]"
    yield "deep-open.json", b"[" * 1_000_000
    yield "deep.jsonl", (b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"\n") * 3
    yield "wide.json", lambda: json.dumps([{f"k{n}": n for n in range(100_000)}]).encode()
    yield "ever-other-keys.jsonl", lambda: b"\n".join(b'{"k%d": 1}' % n for n in range(11_000))
    yield "cut.json", b'[{"a": 1}, {"a": 2'
    yield "trailing.json", b'[{"a": 1}] x'
    yield "surrogate.json", b'[{"a": "\\ud800"}]'
    yield "not-a-number.json", b'[{"a": NaN}, {"a": Infinity}]'
    yield "huge-integer.json", b'[{"a": ' + b"9" * 10_000 + b"}]"
    yield "same-keys.json", b'[{"a": 1, "a": 2}]'
    yield "no-key.json", b'[{"": 1}, {"": 2}]'
    yield "nul.json", b'[{"a": "\\u0000"}, {"a": "\x00"}]'
    yield "latin.json", '[{"a": "Größe"}]'.encode("latin-1")
    yield "utf-16.json", '[{"a": 1}]'.encode("utf-16")
    yield "mixed.json", b'[{"a": 1}, {"a": "x"}, {"a": [1]}, {"a": {"b": 1}}, {"a": null}]'
    yield "unequal.json", b'{"a": [1, 2], "b": [1]}'
    yield "not-records.json", b'[1, [2], {"a": 3}]'
    yield "bad-line.jsonl", b'{"a": 1}\n' * 100 + b'{"a": \n'
    yield "long-value.json", lambda: b'[{"a": "' + b"x" * (10 * MB) + b'"}]'
    yield "empty-records.json", b"[{}, {}, {}]"
    yield "prototype.json", b'[{"__proto__": {"x": 1}, "constructor": 2}]'


def documents() -> Iterator[tuple[str, Content]]:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
    )
    yield "laughs.yaml", b"---\n" + laughs.encode()
    yield "circle.yaml", b"- &a\n  b: *a\n"
    yield "python.yaml", b"- !!python/object/apply:os.system ['touch evil']\n"
    yield "python-name.yaml", b"- a: !!python/name:os.system\n- a: 1\n"
    yield "own-tag.yaml", b"- !x {a: 1}\n"
    yield "deep.yaml", b"---\n" + b"[" * 10_000 + b"]" * 10_000
    yield "deep-blocks.yaml", b"---\n" + b"".join(b" " * n + b"a:\n" for n in range(2_000))
    yield "tabs.yaml", b"- a: 1\n\tb: 2\n"
    yield "open.yaml", b'- a: "x\n- a: 1\n'
    yield "nul.yaml", b"- a: \0\n"
    yield "latin.yaml", "- a: Größe\n".encode("latin-1")
    yield "documents.yaml", lambda: b"---\na: 1\n" * 10_000
    yield "binary.yaml", b"- a: !!binary aGVsbG8=\n"
    yield "set.yaml", b"--- !!set {a, b}\n"
    yield "key.yaml", b"---\n? {a: 1}\n: 2\n"
    yield "sexagesimal.yaml", b"- a: 190:20:30\n- a: 0o17\n- a: 1_000\n"
    yield "scalar.yaml", b"---\njust words\n"
    yield "deep.toml", b"a = " + b"[" * 10_000 + b"]" * 10_000
    yield "deep-keys.toml", b"[[r]]\n" + b".".join([b"a"] * 5_000) + b" = 1\n"
    yield "same-keys.toml", b"[[r]]\na = 1\na = 2\n"
    yield "date.toml", b"[[r]]\na = 2020-02-30\n"
    yield "huge-integer.toml", b"[[r]]\na = " + b"9" * 10_000 + b"\n"
    yield "no-table.toml", b'title = "x"\n'
