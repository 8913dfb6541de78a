"""Say which times of a delivery name no zone, and are read as UTC because nobody named one.

Only the first records are looked at: one system writes its times in one form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.landing.delivery import Delivery
from pipelines.readers.column_texts import bare_text
from pipelines.readers.delivered import Delivered
from pipelines.readers.text_marks import literal

if TYPE_CHECKING:
    import duckdb

LOOKED_AT_RECORDS = 100
HOUR = r"\d:\d\d"
ZONE = r"(?i)(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"


def say_zoneless_times(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, delivered: Delivered
) -> tuple[str, ...]:
    """A note that names the fields, or nothing where a zone is declared or in the texts."""
    mapping = delivery.mapping
    if mapping.time_zone is not None:
        return ()
    texts = {
        field.name: bare_text(mapping.column_names(field.name), mapping, delivered.header)
        for field in delivery.contract.fields
        if field.type == "timestamp" and field.name in mapping.columns
    }
    if not texts:
        return ()
    tests = ", ".join(
        f"coalesce(bool_or(regexp_matches({text}, {literal(HOUR)}) "
        f"and not regexp_matches(trim({text}), {literal(ZONE)})), false)"
        for text in texts.values()
    )
    first = f"(select * from {delivered.relation} limit {LOOKED_AT_RECORDS})"
    with delivered.reading():
        row = connection.execute(f"select {tests} from {first}").fetchone()
    assert row is not None
    named = [name for name, is_zoneless in zip(texts, row, strict=True) if is_zoneless]
    if not named:
        return ()
    return (
        f"times without a zone are read as UTC: {', '.join(named)}; name their zone as time_zone "
        "in the mapping",
    )
