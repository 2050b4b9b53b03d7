"""Files that are broken, or made to do harm. Each is a name and what writes it."""

from __future__ import annotations

from tests.storage.hostile import binary, others, packed, texts, workbooks
from tests.storage.hostile.common import Content

__all__ = ["FAMILIES", "corpus"]

FAMILIES = (
    packed.damaged,
    packed.packed,
    packed.archives,
    workbooks.workbooks,
    texts.texts,
    texts.objects,
    texts.documents,
    binary.columnar,
    binary.databases,
    others.arffs,
    others.strangers,
)


def corpus() -> dict[str, Content]:
    found: dict[str, Content] = {}
    for family in FAMILIES:
        for name, content in family():
            assert name not in found, name
            found[name] = content
    return found
