"""The records of the deliveries that a published run read: file, hash, row, and what they say.

Conditions are on fields of the contract; `period_id` narrows a contract that has a date or a time
instead by the period of it, on the workspace's clock, `cost_centre_id` one that has a receiver, and
`scenario_id` all.
A condition on a field that a contract does not have cannot narrow it, and is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.allocation.source_records import read_published_loads
from pipelines.contracts.contract import Contract, load_contract_in
from pipelines.contracts.periods import PeriodClock
from pipelines.warehouse.lake_views import as_text, create_lake_views
from pipelines.warehouse.pins import name_files, read_pins
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    import duckdb


PERIODS_OF_THEIR_OWN = ("cloud_bill",)
"""Contracts whose times are boundaries that the sender set; no clock moves them."""


@dataclass(frozen=True)
class DeliveredRecord:
    """One record: where it came from, and its fields as text."""

    source_id: str
    file_name: str
    file_id: str
    """SHA-256 of the delivered bytes."""
    row_number: int
    values: dict[str, str | None]


@dataclass(frozen=True)
class DeliveredRecords:
    """The records of one contract that meet the conditions."""

    contract_id: str
    count: int
    records: tuple[DeliveredRecord, ...]
    """The first ones, by source, file and row."""
    not_narrowed_by: tuple[str, ...]
    """Conditions on fields that the contract does not have."""


def find_records(
    workspace: Workspace,
    published: duckdb.DuckDBPyConnection,
    contract_ids: tuple[str, ...],
    conditions: Mapping[str, str],
    limit: int | None,
) -> list[DeliveredRecords]:
    """Records of each contract that the published run read; `limit` of them, or all with None. The
    contracts that the conditions narrow most come first."""
    import duckdb

    loads = read_published_loads(workspace, published)
    pins = read_pins(workspace, published)
    names = name_files(loads, pins)
    with duckdb.connect(":memory:") as lake:
        create_lake_views(lake, loads, pins=pins, clock=workspace.config.clock)
        found = [
            _find(
                lake,
                load_contract_in(contract_id, workspace.config.calendar.spans),
                conditions,
                limit,
                names,
                workspace,
            )
            for contract_id in contract_ids
        ]
    return sorted(found, key=lambda part: (len(part.not_narrowed_by), part.contract_id))


def _find(
    lake: duckdb.DuckDBPyConnection,
    contract: Contract,
    conditions: Mapping[str, str],
    limit: int | None,
    names: dict[str, str],
    workspace: Workspace,
) -> DeliveredRecords:
    clauses, foreign = [], []
    for field, value in conditions.items():
        text = _text_of(contract, field, workspace.config.clock)
        if text is None:
            foreign.append(field)
        else:
            clauses.append(f"{text} = {as_text(value)}")
    where = " and ".join(clauses) or "true"
    relation = f"lake.{contract.contract_id} where {where}"
    fields = [field.name for field in contract.fields]
    shown = ", ".join(f'cast("{name}" as varchar)' for name in fields)
    rows = lake.execute(
        f"select _source_id, _file_id, _row_number, {shown} from {relation} "
        f"order by _source_id, _file_id, _row_number {'' if limit is None else f'limit {limit}'}"
    ).fetchall()
    count = lake.execute(f"select count(*) from {relation}").fetchone()
    assert count is not None
    records = tuple(
        DeliveredRecord(
            source, names.get(file, file), file, row, dict(zip(fields, values, strict=True))
        )
        for source, file, row, *values in rows
    )
    return DeliveredRecords(contract.contract_id, count[0], records, tuple(foreign))


def _text_of(contract: Contract, name: str, clock: PeriodClock) -> str | None:
    """SQL for what a condition compares, None where the contract has nothing like it."""
    names = {field.name for field in contract.fields}
    if name in names:
        return f'cast("{name}" as varchar)'
    if name == "scenario_id":
        return "_scenario_id"
    if name == "cost_centre_id" and "receiver_id" in names:
        return '"receiver_id"'
    if name == "period_id" and contract.period_field is not None:
        moment = f'"{contract.period_field}"'
        is_time = contract.field(contract.period_field).type == "timestamp"
        if is_time and contract.contract_id not in PERIODS_OF_THEIR_OWN:
            moment = f"({moment} at time zone 'UTC') at time zone {as_text(clock.time_zone)}"
        return clock.periods.of_day(moment)
    return None
