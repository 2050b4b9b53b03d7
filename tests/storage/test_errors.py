"""Each error of the tree has a name of its own and comes back from another process as itself."""

from __future__ import annotations

from flowml.storage import errors
from flowml.storage.errors import FlowMLError, error_of

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FlowMLError)]


def test_codes_are_unique() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


def test_every_error_comes_back_by_its_code() -> None:
    for kind in KINDS:
        back = error_of(kind.code, "what was wrong", "what to do")
        assert type(back) is kind
        assert (back.message, back.advice) == ("what was wrong", "what to do")


def test_an_unknown_code_of_a_newer_sender_is_the_root() -> None:
    assert type(error_of("of_tomorrow", "m")) is FlowMLError


def test_the_drawn_tree_names_every_class() -> None:
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in KINDS)
