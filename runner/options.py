"""Options of `flowml.fit` and of the estimators: fields of a JobSpec, as people write them in Python."""

from __future__ import annotations

import dataclasses
from typing import Any

from flowml.runner.kinds import duration
from flowml.storage.errors import SpecError
from flowml.storage.records import JobSpec, fitting

APART = ("target", "budget_s")  # have parameters of their own
FIELDS = {field.name: str(field.type) for field in dataclasses.fields(JobSpec) if field.name not in APART}
KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "True or False",
    "tuple[str, ...]": "a list of names",
    "dict[str, Role]": "a dict with the role of each column that is named, as {'customer': 'ignored'}",
}


def spec_of(target: str, budget: str | float, options: dict[str, Any]) -> JobSpec:
    """Raises SpecError for an option that there is not, and for a value of the wrong kind."""
    if unknown := [name for name in options if name not in FIELDS]:
        raise SpecError(f"There is no option {', '.join(unknown)}.", f"There are: {', '.join(FIELDS)}.")
    try:
        budget_s = duration(str(budget))
    except ValueError:
        raise SpecError(f"The budget is {budget!r}.", "Give one such as '60s', '5m' or seconds.") from None
    return JobSpec(target, budget_s=budget_s, **{name: _read(name, options[name]) for name in options})


def _read(name: str, given: Any) -> Any:
    """As the spec holds it; numbers may be NumPy's."""
    kind = FIELDS[name].removesuffix(" | None")
    value = given.item() if hasattr(given, "item") else given
    if value is None and FIELDS[name] != kind:
        return None
    try:
        if isinstance(value, str) != (kind == "str") or isinstance(value, bool) != (kind == "bool"):
            raise TypeError(name)  # Python would take a text for a list of letters, and True for 1
        return fitting(JobSpec, name, value)
    except (TypeError, ValueError):
        raise SpecError(f"The option {name} is {given!r}.", f"Give {KINDS[kind]}.") from None
