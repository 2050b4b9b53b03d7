"""Whom this machine believes to be the studio when it answers by HTTPS."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from flowml.storage.errors import SettingError

FIRST = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def of_authorities(file: Path | None) -> ssl.SSLContext | bool:
    """Studios with a certificate that these sign, or that is one of these; without a file, as usual.

    Raises SettingError for a file that holds no certificate.
    """
    if file is None:
        return True
    try:
        context = ssl.create_default_context(cafile=str(file))
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"The certificates in {file} cannot be used: {error.strerror or error}.",
            "FLOWML_TLS_CA names a PEM file, as that of the studio's certificate.",
        ) from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def of_this_machine(file: Path) -> ssl.SSLContext | bool:
    """The studio with exactly this certificate, by whatever name it was reached; as usual if it has gone."""
    try:
        found = FIRST.search(file.read_text("ascii", "replace"))
    except OSError:
        return True
    if found is None:
        return True
    context = ssl.create_default_context(cadata=found[0])
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
