"""The words that all packages share: frozen records and the enums of their states.

Times are seconds since 1970 (UTC) as float; durations are seconds; sizes are bytes. Every record becomes
plain JSON with `to_dict` and comes back with `from_dict`, which ignores keys it does not know, so that a
newer sender can talk to an older reader.
"""

from __future__ import annotations

from flowml.storage.records.answers import Inquiry, Named, Sentence, Statement
from flowml.storage.records.drift import (
    ColumnDrift,
    ColumnReference,
    DriftReference,
    DriftSummary,
    VersionDifference,
)
from flowml.storage.records.foreign import ForeignAnswer, ForeignGraph, ForeignModel, Port
from flowml.storage.records.jobs import Day, Job, JobSpec, Phase, Receipt
from flowml.storage.records.machines import (
    Capabilities,
    Event,
    Fact,
    Gpu,
    GpuLoad,
    LogLine,
    Moment,
    Worker,
)
from flowml.storage.records.models import (
    Artifact,
    Compact,
    Importance,
    LeaderboardRow,
    Model,
    ModelEntry,
    ModelSummary,
    TrialRecord,
)
from flowml.storage.records.people import (
    OWNER,
    SCOPES,
    SHARED,
    AuditEntry,
    Person,
    Project,
    Session,
    Token,
    User,
)
from flowml.storage.records.predictions import FileScored, NamedFile, Scoring
from flowml.storage.records.profiles import Association, ColumnProfile, Profile, TargetAssociation
from flowml.storage.records.record import Json, Record, read_record
from flowml.storage.records.registry import RegisteredModel
from flowml.storage.records.studies import Recipe, Source, StudyRecord
from flowml.storage.records.tables import (
    COMMA_DECIMALS,
    COMMA_THOUSANDS,
    Column,
    Dataset,
    DatasetEntry,
    DatasetSchema,
    DatasetTotals,
    Finding,
)
from flowml.storage.records.verdicts import Agreement, Verdict, Verifying
from flowml.storage.records.words import (
    ACTIVE,
    ENDED,
    FEATURE_ROLES,
    Control,
    EventKind,
    FactKind,
    JobKind,
    JobState,
    Level,
    Role,
    Scope,
    Severity,
    Task,
    TrialState,
    UserRole,
)

__all__ = [
    "ACTIVE",
    "COMMA_DECIMALS",
    "COMMA_THOUSANDS",
    "ENDED",
    "FEATURE_ROLES",
    "OWNER",
    "SCOPES",
    "SHARED",
    "Agreement",
    "Artifact",
    "Association",
    "AuditEntry",
    "Capabilities",
    "Column",
    "ColumnDrift",
    "ColumnProfile",
    "ColumnReference",
    "Compact",
    "Control",
    "Dataset",
    "DatasetEntry",
    "DatasetSchema",
    "DatasetTotals",
    "Day",
    "DriftReference",
    "DriftSummary",
    "Event",
    "EventKind",
    "Fact",
    "FactKind",
    "FileScored",
    "Finding",
    "ForeignAnswer",
    "ForeignGraph",
    "ForeignModel",
    "Gpu",
    "GpuLoad",
    "Importance",
    "Inquiry",
    "Job",
    "JobKind",
    "JobSpec",
    "JobState",
    "Json",
    "LeaderboardRow",
    "Level",
    "LogLine",
    "Model",
    "ModelEntry",
    "ModelSummary",
    "Moment",
    "Named",
    "NamedFile",
    "Person",
    "Phase",
    "Port",
    "Profile",
    "Project",
    "Receipt",
    "Recipe",
    "Record",
    "RegisteredModel",
    "Role",
    "Scope",
    "Scoring",
    "Sentence",
    "Session",
    "Severity",
    "Source",
    "Statement",
    "StudyRecord",
    "TargetAssociation",
    "Task",
    "Token",
    "TrialRecord",
    "TrialState",
    "User",
    "UserRole",
    "Verdict",
    "Verifying",
    "VersionDifference",
    "Worker",
    "read_record",
]
