"""The predict contract: one way in for training, playground, REST, batch, command line, Python and ONNX."""

from flowml.automl.contract.column import ContractColumn, Kind
from flowml.automl.contract.contract import Contract
from flowml.automl.contract.feeds import MISSING_DATE, MISSING_TOKENS, Feeds, missing, rows_of, take
from flowml.automl.contract.surprises import RowWarning, Surprise, Tally, Warnings
from flowml.automl.contract.tables import Rows

__all__ = [
    "MISSING_DATE",
    "MISSING_TOKENS",
    "Contract",
    "ContractColumn",
    "Feeds",
    "Kind",
    "RowWarning",
    "Rows",
    "Surprise",
    "Tally",
    "Warnings",
    "missing",
    "rows_of",
    "take",
]
