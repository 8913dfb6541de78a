"""Arrow columns made of their buffers.

Of a list or a NumPy array, pyarrow asks whether it is one of pandas', and loads pandas for it,
which takes longer than to solve the weights of a period.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def make_numbers(values: Any, numpy_type: Any, arrow_type: pa.DataType) -> pa.Array:
    """Numbers without a null; `numpy_type` has the bytes of `arrow_type`."""
    import numpy as np
    import pyarrow as pa

    content = np.ascontiguousarray(values, numpy_type)
    return pa.Array.from_buffers(arrow_type, len(content), [None, pa.py_buffer(content)])


def make_texts(values: Sequence[str]) -> pa.Array:
    """Texts without a null."""
    import numpy as np
    import pyarrow as pa

    contents = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, contents)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(contents))]
    return pa.Array.from_buffers(pa.string(), len(contents), buffers)
