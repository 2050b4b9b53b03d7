"""What one click on a finding changes of its dataset."""

from __future__ import annotations

from flowml.storage.records import Dataset, Finding, Role


def roles_after(dataset: Dataset, finding: Finding) -> dict[str, Role]:
    """The roles that users gave the dataset, with those of the fix: what it splits by is a role as well."""
    roles = dict(dataset.roles)
    roles |= {name: Role(role) for name, role in finding.fix.get("roles", {}).items()}
    kind, _, column = str(finding.fix.get("split", "")).partition(":")
    if column:
        roles = {name: role for name, role in roles.items() if role is not Role(kind)}  # one column has it
        roles[column] = Role(kind)
    return roles
