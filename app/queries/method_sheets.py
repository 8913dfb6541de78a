"""The door of the method sheets to the published figures: rows instead of frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.queries.published import Published, read_frame
from app.selection import Selection
from pipelines.method_sheets.build_sheet import make_sheet
from pipelines.method_sheets.queries import Read, Row
from pipelines.method_sheets.records import Sheet


def make_reader(published: Published) -> Read:
    """Rows of a query with named parameters, through the cache of the app."""

    def read(sql: str, parameters: Mapping[str, Any]) -> list[Row]:
        frame = read_frame(published, sql, parameters)
        return [
            {str(name): _clean(value) for name, value in row.items()}
            for row in frame.to_dict("records")
        ]

    return read


def read_sheet(
    published: Published, selection: Selection, service_id: str, business_unit_id: str | None
) -> Sheet:
    """The method sheet of a service in the selected period, with an example of the unit."""
    return make_sheet(
        make_reader(published),
        selection.scenario_id,
        selection.period_id,
        service_id,
        business_unit_id,
    )


def _clean(value: Any) -> Any:
    """Whatever a frame puts in the place of a missing value becomes None."""
    if isinstance(value, list | tuple | dict):
        return value
    return None if pd.isna(value) else value
