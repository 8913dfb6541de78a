"""Put the sources together and write them as CSV files, one per source and calendar year."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from pipelines.contracts.contract import load_contract
from pipelines.sample_company.assets import list_asset_rows, list_relation_rows
from pipelines.sample_company.basics import (
    ACTUAL_MONTHS,
    BUDGET_MONTHS,
    Month,
    Row,
    Settings,
)
from pipelines.sample_company.benchmarks import list_benchmark_rows
from pipelines.sample_company.catalogue import read_services
from pipelines.sample_company.cloud import FOCUS_COLUMNS, invoice_cents, list_bill_rows
from pipelines.sample_company.company import list_cost_centre_rows, list_headcount_rows
from pipelines.sample_company.labour import list_timesheet_rows
from pipelines.sample_company.ledger import (
    Line,
    list_account_rows,
    list_budget_rows,
    list_month_lines,
    to_ledger_rows,
)
from pipelines.sample_company.quality import list_outage_rows, list_ticket_rows
from pipelines.sample_company.rates import average_rates, list_rate_rows
from pipelines.sample_company.usage import (
    FIRST_PLANNED,
    list_licence_rows,
    list_planned_rows,
    list_usage_rows,
)

Files = dict[str, list[Row]]
"""Path below the inbox -> rows."""


def generate_files(settings: Settings) -> Files:
    """All files of the inbox. The same settings always give the same rows in the same order."""
    files: Files = defaultdict(list)
    _add_masters(files, settings)
    _add_money(files, settings)
    _add_use(files, settings)
    return dict(files)


def _add_masters(files: Files, settings: Settings) -> None:
    masters = {
        "cost_centres": list_cost_centre_rows(settings),
        "chart_of_accounts": list_account_rows(),
        "assets": list_asset_rows(ACTUAL_MONTHS[-1]),
        "asset_relations": list_relation_rows(),
        "benchmarks": list_benchmark_rows(read_services()),
    }
    for source, rows in masters.items():
        files[f"{source}/{source}.csv"] = rows
    _add_by_year(files, "exchange_rates", list_rate_rows(settings))
    _add_by_year(files, "headcount", list_headcount_rows(ACTUAL_MONTHS))


def _add_money(files: Files, settings: Settings) -> None:
    rates = average_rates(settings)
    previous: list[Line] | None = None
    for month in ACTUAL_MONTHS:
        bill = list_bill_rows(settings, month)
        lines = list_month_lines(settings, month, invoice_cents(bill), previous, rates)
        _add(files, "cloud_bill", month, bill)
        _add(files, "general_ledger", month, to_ledger_rows(lines, month))
        previous = lines
    _add_by_year(files, "budget", list_budget_rows())


def _add_use(files: Files, settings: Settings) -> None:
    services = read_services()
    for month in ACTUAL_MONTHS:
        tickets = list_ticket_rows(settings, services, month, ACTUAL_MONTHS[-1])
        usage = list_usage_rows(settings, services, month)
        _add(files, "tickets", month, tickets)
        _add(files, "service_usage", month, usage)
        _add(files, "licences", month, list_licence_rows(settings, month))
        _add(files, "timesheets", month, list_timesheet_rows(settings, month))
        _add(files, "outages", month, list_outage_rows(settings, month))
    for month in BUDGET_MONTHS[FIRST_PLANNED:]:
        _add(files, "planned_usage", month, list_planned_rows(services, month))


def _add(files: Files, source: str, month: Month, rows: list[Row]) -> None:
    files[f"{source}/{source}_{month.year}.csv"].extend(rows)


def _add_by_year(files: Files, source: str, rows: Iterable[Row]) -> None:
    for row in rows:
        files[f"{source}/{source}_{row['period_id'][:4]}.csv"].append(row)


def list_columns(source: str) -> list[str]:
    """The header of a source's files: FOCUS names for the cloud bill, else the contract's."""
    if source == "cloud_bill":
        return list(FOCUS_COLUMNS)
    contract_id = "service_usage" if source == "planned_usage" else source
    return [field.name for field in load_contract(contract_id).fields]


def write_files(files: Files, inbox: Path) -> None:
    """Write each file below the inbox as UTF-8 CSV with a header and '\\n' line ends."""
    for name, rows in files.items():
        path = inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            # An optional field that this company does not deliver has no column.
            named = {key for row in rows for key in row}
            columns = [name for name in list_columns(path.parent.name) if name in named]
            writer = csv.DictWriter(stream, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
