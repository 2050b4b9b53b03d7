"""Sessions of onnxruntime, all opened alike: threads that do not spin, one unless more are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flowml.storage.errors import ExportError, NotFound

QUIET = 3  # errors only


def open_session(model: bytes | Path | Any, threads: int = 1) -> Any:
    """A session, unless `model` is one already.

    One thread: many sessions live side by side, and trees answer alike for one row and for many.

    More are for files of many rows; answers then differ in the last digit, as those of networks always do.
    """
    if not isinstance(model, bytes | Path):
        return model
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = QUIET
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")  # by itself it asks the content
    if isinstance(model, Path) and not model.is_file():
        raise NotFound(f"There is no model file {model.name}.", "Check the path.")
    source = str(model) if isinstance(model, Path) else model
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own classes share no base below Exception
        first = (str(error).splitlines() or [""])[0][:300]
        raise ExportError(
            f"The model cannot be opened by onnxruntime: {first}", "Export it again."
        ) from error
