"""Of a source with `redelivery: update_records`, let only the latest record of each key count.

A system that is asked for what changed since the last time tells of a record again whenever it
changes. Every such delivery stays in the lake as it came; what the model reads is, per key, the
record of the load that landed last. A record that went into quarantine there does not count, so
that the one before it does until somebody decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract

if TYPE_CHECKING:
    from pipelines.warehouse.lake_views import ActiveLoad


def keep_latest_records(body: str, loads: Sequence[ActiveLoad], contract: Contract) -> str:
    """SQL over the records that `body` selects: those of other sources, and the latest ones of
    the sources that update theirs.

    `loads` are those of the contract, in the order they landed; `body` selects the contract's
    fields, `_source_id`, `_file_id` and `_row_number`.
    """
    updating = [load for load in loads if load.updates_records]
    if not updating or not contract.key:
        return body
    sources = ", ".join(dict.fromkeys(_as_text(load.source_id) for load in updating))
    order = ", ".join(_as_text(load.sha256) for load in updating)
    key = ", ".join(f'"{name}"' for name in contract.key)
    return (
        f"with delivered as ({body}) "
        f"select * from delivered where _source_id not in ({sources}) "
        f"union all select * from delivered where _source_id in ({sources}) "
        f"qualify row_number() over (partition by _source_id, {key} "
        f"order by list_position([{order}], _file_id) desc, _row_number desc) = 1"
    )


def _as_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
