"""Frames as files to download.

Guarantees exact decimals (nothing passes through a float that was not one) and text that a
spreadsheet does not run as a formula.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pandas as pd

from app.formats import neutralise_formula


def write_csv(frame: pd.DataFrame) -> bytes:
    """The frame as CSV in UTF-8 with a byte order mark, so that spreadsheets read the names right.

    One row per row of the frame, columns under their mart names, a missing value as nothing.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([neutralise_formula(str(column)) for column in frame.columns])
    for row in frame.itertuples(index=False, name=None):
        writer.writerow([_to_cell(value) for value in row])
    return buffer.getvalue().encode("utf-8-sig")


def _to_cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return neutralise_formula(" ".join(str(part) for part in value))
    if pd.isna(value):
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return neutralise_formula(value)
