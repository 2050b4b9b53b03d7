"""The tree of everything that can go wrong and that we explain.

FlowMLError
├── InputError            what was asked cannot be done; the asker can mend it        (HTTP 400, 422)
│   ├── FileError             a file cannot be read as a table
│   │   ├── EmptyFile             it has no bytes or no rows
│   │   ├── UnknownFormat         its content is none of the formats we read
│   │   ├── BrokenFile            it is of a known format, but damaged or inconsistent
│   │   ├── UnknownTable          it has no sheet, table or member of the name that was asked for
│   │   └── FileTooLarge          it is over the limit
│   ├── DataError             the table cannot be learned from
│   │   ├── UnknownColumn         a named column is not in the table
│   │   ├── BadTarget             the target is constant, empty, or unfit for the task
│   │   └── TooFewRows            fewer rows than the split needs
│   ├── QueryError            a SQL query is wrong, takes too much, or asks for more than its table
│   ├── SpecError             a setting of a job is out of its range or unknown
│   ├── ContractError         rows do not fit what the model expects
│   └── SettingError          a FLOWML_* setting is unknown or of the wrong type
├── NotFound              no such dataset, job, model, worker or artifact             (HTTP 404)
├── Conflict              it exists already, or its state forbids this                (HTTP 409)
├── NotReady              the studio's Redis, or a worker, is not there (now)         (HTTP 503)
├── NotAllowed            refused for safety, or for want of a right                  (HTTP 403)
├── NotSignedIn           nobody is signed in, or the login was wrong                 (HTTP 401)
├── TooMany               asked too often in too short a time                         (HTTP 429)
├── TrialError            one trial failed; the study goes on
│   ├── TrialTimeout          it outran its time
│   ├── TrialOutOfMemory      it outran its memory
│   └── TrialCrashed          its process died
├── ExportError           the model cannot be written as ONNX
│   └── ParityError           the written model does not predict the same
└── StorageError          the disk or the database refused
"""

from __future__ import annotations

from typing import ClassVar


class FlowMLError(Exception):
    """Root of the tree.

    `message` says what was wrong and what was expected; `advice` says what to do next (may be empty).
    `code` is the stable name that programs read; `status` the HTTP status that the REST API answers with.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class InputError(FlowMLError):
    code = "input"
    status = 422


class FileError(InputError):
    code = "file"


class EmptyFile(FileError):
    code = "empty_file"


class UnknownFormat(FileError):
    code = "unknown_format"


class BrokenFile(FileError):
    code = "broken_file"


class UnknownTable(FileError):
    code = "unknown_table"


class FileTooLarge(FileError):
    code = "file_too_large"
    status = 413


class DataError(InputError):
    code = "data"


class UnknownColumn(DataError):
    code = "unknown_column"


class BadTarget(DataError):
    code = "bad_target"


class TooFewRows(DataError):
    code = "too_few_rows"


class QueryError(InputError):
    code = "query"


class SpecError(InputError):
    code = "spec"


class ContractError(InputError):
    code = "contract"


class SettingError(InputError):
    code = "setting"


class NotFound(FlowMLError):
    code = "not_found"
    status = 404


class Conflict(FlowMLError):
    code = "conflict"
    status = 409


class NotReady(FlowMLError):
    code = "not_ready"
    status = 503


class NotAllowed(FlowMLError):
    code = "not_allowed"
    status = 403


class NotSignedIn(FlowMLError):
    code = "not_signed_in"
    status = 401


class TooMany(FlowMLError):
    """`wait_s` says after how many seconds to ask again."""

    code = "too_many"
    status = 429
    wait_s: float = 1.0


class TrialError(FlowMLError):
    code = "trial"


class TrialTimeout(TrialError):
    code = "trial_timeout"


class TrialOutOfMemory(TrialError):
    code = "trial_out_of_memory"


class TrialCrashed(TrialError):
    code = "trial_crashed"


class ExportError(FlowMLError):
    code = "export"


class ParityError(ExportError):
    code = "parity"


class StorageError(FlowMLError):
    code = "storage"


def error_of(code: str, message: str, advice: str = "") -> FlowMLError:
    """The error that another process told of by its code; the root where the code is not known here."""
    found, open_ = FlowMLError, [FlowMLError]
    while open_:
        kind = open_.pop()
        found = kind if vars(kind).get("code") == code else found  # not the subclasses that share it
        open_ += kind.__subclasses__()
    return found(message, advice)
