"""What an ONNX file says about itself: JSON by name, except for a few plain words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import onnx

from flowml.automl.serve import PREFIX, WORDS


def to_texts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Names without the prefix and any JSON, as an ONNX file holds them."""
    return {
        PREFIX + name: str(value) if name in WORDS else json.dumps(value, ensure_ascii=False)
        for name, value in metadata.items()
    }


def add(content: bytes, metadata: Mapping[str, Any]) -> bytes:
    """The same model with more said about it; names that are there already are replaced."""
    model = onnx.load_from_string(content)
    texts = {each.key: each.value for each in model.metadata_props} | to_texts(metadata)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, texts)
    changed: bytes = model.SerializeToString()
    return changed
