from __future__ import annotations

import pytest

from flowml.storage import keys

KEYS: tuple[str, ...] = (
    "id",
    "ID",
    "Id",
    "customerID",
    "customer_id",
    "Customer Id",
    "PassengerId",
    "userid",
    "order no",
    "orderNo",
)
KEYS += ("uuid", "row_number", "rownum", "index", "invoice_number", "primary key", "EmployeeNumber", "ids")
NO_KEYS = (
    "paid",
    "valid",
    "humid",
    "grid",
    "fluid",
    "covid",
    "acid",
    "Number",
    "no",
    "age",
    "",
    "idea",
    "keyboard_type",
)


@pytest.mark.parametrize("name", KEYS)
def test_names_of_keys(name: str) -> None:
    assert keys.names_keys(name)


@pytest.mark.parametrize("name", NO_KEYS)
def test_names_that_only_end_alike(name: str) -> None:
    assert not keys.names_keys(name)


@pytest.mark.parametrize(
    "name", ["zip", "zipcode", "Zip Code", "postal_code", "billing_zip", "PLZ", "postcode"]
)
def test_names_of_places(name: str) -> None:
    assert keys.names_places(name)
    assert not keys.names_places("zipped")


def test_names_are_parted_into_words() -> None:
    assert keys.words_of("HTTPStatusCode2 of customerID") == [
        "http",
        "status",
        "code2",
        "of",
        "customer",
        "id",
    ]
