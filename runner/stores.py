"""Which store of artifacts the settings name, for the studio, its workers and the commands alike."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from flowml.runner.settings import Settings
from flowml.storage.artifacts import Artifacts, LocalArtifacts
from flowml.storage.errors import SettingError

PARCELS = "parcels"
EXPECTED = "expected s3://BUCKET/PREFIX, file:///FOLDER or an absolute path"


def open_artifacts(settings: Settings, url: str | None = None) -> Artifacts:
    """The store of the settings, or another one that is reached with the same keys. Raises SettingError."""
    return _open(settings, settings.data_url if url is None else url)


def open_parcels(settings: Settings) -> Artifacts:
    """Beside it, a store for what only running jobs need."""
    return _open(settings, settings.data_url, PARCELS)


def _open(settings: Settings, url: str, within: str = "") -> Artifacts:
    if not url:
        return LocalArtifacts(settings.artifacts / within)
    parts = urlsplit(url)
    if parts.scheme == "s3" and parts.netloc:
        from flowml.storage.s3 import Access, S3Artifacts  # loads a library that a folder does not need

        access = Access(
            settings.s3_endpoint, settings.s3_access_key, settings.s3_secret_key, settings.s3_region
        )
        prefix = f"{parts.path.strip('/')}/{within}".strip("/")
        return S3Artifacts(parts.netloc, prefix, access, settings.cache / within)
    if parts.scheme in ("", "file") and not parts.netloc and parts.path.startswith("/"):
        return LocalArtifacts(Path(unquote(parts.path) if parts.scheme else url) / within)
    raise SettingError(f"{url!r} names no store of artifacts; {EXPECTED}.", "Set FLOWML_ARTIFACTS_URL.")
