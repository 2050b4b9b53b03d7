import numpy as np
import pytest

from flowml.automl.fitted import Fitted, floor32, pack, unpack
from flowml.storage.errors import ExportError


def test_arrays_come_back_as_they_were_packed():
    arrays = {"coef": np.arange(6, dtype=np.float64).reshape(3, 2), "missing_left": np.array([True, False])}
    back = unpack(pack(arrays))
    assert list(back) == ["coef", "missing_left"]
    assert all(
        (back[name] == arrays[name]).all() and back[name].dtype == arrays[name].dtype for name in arrays
    )


def test_python_objects_are_refused():
    with pytest.raises(ValueError, match="Object arrays"):
        pack({"objects": np.array([{}], dtype=object)})


def test_floor32_decides_for_every_float32_as_the_exact_threshold_does():
    generator = np.random.default_rng(0)
    thresholds = generator.normal(size=2000)
    near = thresholds.astype(np.float32)
    rows = np.concatenate([near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))])
    exact = rows.astype(np.float64) <= np.tile(thresholds, 3)
    assert (exact == (rows <= np.tile(floor32(thresholds), 3))).all()


@pytest.mark.parametrize(("form", "link"), [("pickle", "identity"), ("linear", "magic")])
def test_unknown_words_are_refused(form: str, link: str):
    with pytest.raises(ExportError, match="Use one of"):
        Fitted(form, link, b"", 1)
