"""The page on inputs: which deliveries the figures were made of, with hashes, records and sums."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.close.evidence_pack.frozen_figures import FrozenFigures
from pipelines.close.evidence_pack.records import Page, Row, Section, Table
from pipelines.landing.load_log import name_directory

if TYPE_CHECKING:
    from sqlalchemy import Connection

COLUMNS = (
    *("source", "scenario", "file", "sha256", "bytes", "records_accepted", "records_quarantined"),
    *("sums_accepted", "sums_of_period", "landed_at", "landed_by"),
)


@dataclass(frozen=True)
class Input:
    """A delivery of the run: as frozen, with what the books say of the same reading of it."""

    load_id: int
    source_id: str
    scenario_id: str
    file_name: str
    sha256: str
    records_accepted: int
    records_quarantined: int
    is_of_period: bool
    """Whether it holds the period, or belongs to no period, as a master does."""
    bytes: int | None
    landed_at: str | None
    landed_by: str | None
    sums: str | None
    """Accepted sum by currency: 'EUR 1277.95, USD 300.00'."""
    period_sums: str | None
    """The same of the records of the period alone."""


def list_inputs(figures: FrozenFigures, connection: Connection) -> list[Input]:
    """Every delivery that the run read, in the order in which they landed."""
    frozen = figures.read(
        "select load_id, source_id, scenario_id, file_name, file_id, records_accepted, "
        "records_quarantined, directory_name from model.loads order by load_id"
    )
    known = _read_loads(connection, [row[0] for row in frozen])
    periods = _read_periods(connection, list(known))
    amounts = _read_amounts(connection, figures.period_id)
    replaced = _list_replaced(figures)
    inputs = []
    for number, source, scenario, file, sha256, accepted, quarantined, directory in frozen:
        load = known.get(number)
        if load is not None and name_directory(load.sha256, load.reading) != directory:
            load = None  # read again since, under another mapping
        own = periods.get(number, set())
        inputs.append(
            Input(
                load_id=number,
                source_id=source,
                scenario_id=scenario,
                file_name=file,
                sha256=sha256,
                records_accepted=accepted,
                records_quarantined=quarantined,
                is_of_period=number not in replaced and (not own or figures.period_id in own),
                bytes=load.bytes if load else None,
                landed_at=load.landed_at if load else None,
                landed_by=load.landed_by if load else None,
                sums=_write_sums(load.amounts) if load else None,
                period_sums=amounts.get(number) if load and number not in replaced else None,
            )
        )
    return inputs


def make_inputs(figures: FrozenFigures, inputs: Sequence[Input]) -> Page:
    """Sums by source and period, then each file."""
    sources = figures.read(
        "select source_id, scenario_id, record_count, currency_code, amount_local "
        "from marts.rpt_data_source_periods where period_id = $period order by all"
    )
    own = [item for item in inputs if item.is_of_period]
    others = [item for item in inputs if not item.is_of_period]
    return Page(
        "inputs",
        "Inputs",
        f"The figures rest on {len(own)} deliveries of the period or of all periods; "
        f"{len(others)} of other periods were read by the same run.",
        (
            Section(
                "By source",
                ("Records and sums of the period as the run read them, in their own currency.",),
                Table(
                    ("source", "scenario", "records", "currency", "amount"),
                    tuple(sources),
                    numeric=(2, 4),
                    file="inputs_by_source.csv",
                ),
            ),
            Section(
                "Deliveries of the period",
                (
                    "Each is one file. The SHA-256 is that of the bytes that were delivered: "
                    "'sha256sum FILE' over the sender's copy gives the same. A master belongs to "
                    "all periods. What was read again since then has no sums here.",
                ),
                Table(COLUMNS, _list_rows(own), numeric=(4, 5, 6), file="inputs.csv"),
            ),
            Section(
                "Deliveries of other periods",
                ("Read by the same run, without a part in the figures of this period's ledger.",),
                Table(COLUMNS, _list_rows(others), numeric=(4, 5, 6), file="inputs_others.csv"),
            ),
        ),
    )


def _list_rows(inputs: Sequence[Input]) -> tuple[Row, ...]:
    return tuple(
        (
            *(item.source_id, item.scenario_id, item.file_name, item.sha256, item.bytes),
            *(item.records_accepted, item.records_quarantined, item.sums, item.period_sums),
            *(item.landed_at, item.landed_by),
        )
        for item in inputs
    )


def _list_replaced(figures: FrozenFigures) -> set[int]:
    """Loads in whose place another one counted in the period; none where periods were closed before
    loads were replaced by period."""
    (there,) = figures.read(
        "select count(*) from information_schema.tables "
        "where table_schema = 'model' and table_name = 'replaced_periods'"
    )[0]
    if not there:
        return set()
    rows = figures.read("select load_id, period_id from model.replaced_periods")
    return {load_id for load_id, period_id in rows if period_id == figures.period_id}


def _read_loads(connection: Connection, numbers: list[int]) -> dict[int, Any]:
    from pipelines.books.tables import loads

    rows = connection.execute(loads.select().where(loads.c.load_id.in_(numbers)))
    return {row.load_id: row for row in rows}


def _read_periods(connection: Connection, numbers: list[int]) -> dict[int, set[str]]:
    from pipelines.books.tables import load_periods as table

    found: dict[int, set[str]] = {}
    for row in connection.execute(table.select().where(table.c.load_id.in_(numbers))):
        found.setdefault(row.load_id, set()).add(row.period_id)
    return found


def _read_amounts(connection: Connection, period_id: str) -> dict[int, str]:
    from pipelines.books.tables import load_amounts as table

    found: dict[int, list[str]] = {}
    query = table.select().where(table.c.period_id == period_id).order_by(table.c.currency_code)
    for row in connection.execute(query):
        amount = f"{row.currency_code} {Decimal(row.amount_local):f}"
        found.setdefault(row.load_id, []).append(amount)
    return {number: ", ".join(amounts) for number, amounts in found.items()}


def _write_sums(amounts: str) -> str:
    by_currency: dict[str, dict[str, str]] = json.loads(amounts)
    return ", ".join(f"{code} {sums['accepted']}" for code, sums in sorted(by_currency.items()))
