"""Notice ends of spans that are their last day, where the contract wants the day after it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import ValidationError

from pipelines.contracts.contract import Contract
from pipelines.mappings.file_head import FileHead

SPANS = (
    ("billing_period_start", "billing_period_end"),
    ("charge_period_start", "charge_period_end"),
)
"""Fields of the first and of the last moment of a span, the last one exclusive."""
LOOKED_AT = 50


def find_inclusive_ends(
    head: FileHead, contract: Contract, settings: dict[str, Any]
) -> tuple[str, ...]:
    """Fields whose days are the last of their span: the end of a whole month is never its last day,
    and no span ends on the midnight on which it begins."""
    from pipelines.mappings.preview import load_open_mapping, read_head_records

    columns = settings["columns"]
    spans = [span for span in SPANS if set(span) <= set(columns)]
    if not spans:
        return ()
    try:
        mapping = load_open_mapping(settings)
    except ValidationError:
        return ()
    records = read_head_records(head, contract, mapping, head.records[:LOOKED_AT])
    found = []
    for start, end in spans:
        pairs = [(_read_day(values[start]), _read_day(values[end])) for values, _ in records]
        known = [(one, two) for one, two in pairs if one is not None and two is not None]
        if len(known) == len(pairs) and any(_is_last_day(one, two) for one, two in known):
            found.append(end)
    return tuple(found)


def _is_last_day(start: dt.date, end: dt.date) -> bool:
    is_month = start.day == 1 and (end + dt.timedelta(days=1)).day == 1
    return end == start or (is_month and end > start)


def _read_day(text: str | None) -> dt.date | None:
    """The day of a time at midnight; None where there is none, or where it has an hour."""
    try:
        moment = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.date() if moment.time() == dt.time() else None
