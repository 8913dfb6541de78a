"""Of a source with `redelivery: update_records`, let only the latest record of each key count.

A system that is asked for what changed since the last time tells of a record again whenever it
changes. Every such delivery stays in the lake as it came; what the model reads is, per key, the
record of the load that landed last. A record that went into quarantine there does not count, so
that the one before it does until somebody decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.contracts.contract import load_contract
from pipelines.workspace.config import Source

if TYPE_CHECKING:
    from pipelines.warehouse.lake_views import ActiveLoad


def find_updated_key(source: Source, contract_id: str) -> tuple[str, ...]:
    """The fields by which a later record of the source takes the place of an earlier one; none
    where all of its records count."""
    if source.redelivery != "update_records":
        return ()
    return load_contract(contract_id).key if source.unique_key is None else source.unique_key


def keep_latest_records(body: str, loads: Sequence[ActiveLoad]) -> str:
    """SQL over the records that `body` selects: those of other sources, and the latest ones of
    the sources that update theirs.

    `loads` are those of one contract, in the order they landed; `body` selects the contract's
    fields, `_source_id`, `_file_id` and `_row_number`.
    """
    keys = {load.source_id: load.updated_key for load in loads if load.updated_key}
    if not keys:
        return body
    named = ", ".join(map(_as_text, keys))
    parts = [f"select * from delivered where _source_id not in ({named})"]
    for source_id, key in keys.items():
        order = ", ".join(_as_text(load.sha256) for load in loads if load.source_id == source_id)
        fields = ", ".join(f'"{name}"' for name in key)
        parts.append(
            f"select * from delivered where _source_id = {_as_text(source_id)} "
            f"qualify row_number() over (partition by {fields} "
            f"order by list_position([{order}], _file_id) desc, _row_number desc) = 1"
        )
    return f"with delivered as ({body}) {' union all '.join(parts)}"


def _as_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
