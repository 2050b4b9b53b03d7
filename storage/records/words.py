"""The enums of states, roles and kinds, and the sets that are built on them."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


class Role(StrEnum):
    """What a column is for. The first six become features."""

    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    CATEGORICAL = "categorical"
    DATETIME = "datetime"
    TEXT = "text"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    IGNORED = "ignored"
    TARGET = "target"
    GROUP = "group"
    TIME = "time"
    WEIGHT = "weight"


FEATURE_ROLES = frozenset({Role.NUMERIC, Role.BOOLEAN, Role.CATEGORICAL, Role.DATETIME, Role.TEXT, Role.TIME})


class JobKind(StrEnum):
    TRAINING = "training"
    PREDICTION = "prediction"
    EXPLANATION = "explanation"
    VERIFICATION = "verification"


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHING = "finishing"
    FINISHED = "finished"
    STOPPED = "stopped"  # ended early by the user, the best model was kept
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"  # the lease of its worker expired; it will run again


ENDED = frozenset({JobState.FINISHED, JobState.STOPPED, JobState.CANCELLED, JobState.FAILED})
ACTIVE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.PAUSED, JobState.FINISHING, JobState.LOST})


class TrialState(StrEnum):
    RUNNING = "running"
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    LOST = "lost"


class Control(StrEnum):
    """What a user may ask of a running job."""

    STOP = "stop"  # stop and keep the best
    CANCEL = "cancel"
    PAUSE = "pause"


class EventKind(StrEnum):
    """Kinds of progress, told live; the stream that carries them may be trimmed."""

    STAGE = "stage"  # text: what the job does now
    TRIAL_STARTED = "trial_started"
    TRIAL_FINISHED = "trial_finished"
    LOG = "log"
    STATE = "state"


class FactKind(StrEnum):
    """Kinds of facts, each of which reaches DuckDB exactly once."""

    JOB = "job"  # a change of a job's state, with its cause, champion and receipt
    TRIAL = "trial"
    MODEL = "model"
    WORKER = "worker"
    LOG = "log"


class Level(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Severity(StrEnum):
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


class UserRole(StrEnum):
    """What a user is to the studio; each may do what the one before may."""

    VIEWER = "viewer"  # looks and predicts
    EDITOR = "editor"  # brings tables and trains
    ADMIN = "admin"  # sees all, and decides who may what


class Scope(StrEnum):
    """What one may be allowed to do."""

    READ = "read"
    PREDICT = "predict"
    WRITE = "write"  # add, change and delete tables, jobs and models
    ADMIN = "admin"  # users, workers, backups, the audit log
