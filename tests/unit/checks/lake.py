"""A lake per test run: Parquet files with a view over each, as the build puts it together.

`GOOD` holds a few right records per contract. `BROKEN` holds records that are put beside them;
the comments say which check each of them breaks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines.checks.plan import plan_lake
from pipelines.checks.results import CheckReport, CheckResult
from pipelines.checks.run_checks import run_checks
from pipelines.contracts.contract import DUCKDB_TYPES, load_contract
from pipelines.workspace.check_settings import ResolvedChecks, UnknownCodes

from . import further_records

Row = Mapping[str, Any]

FILE_ID = "a" * 64
TODAY = date(2026, 4, 20)

# The few records here name codes that no master knows; thresholds have tests of their own.
RECORDS_ONLY = ResolvedChecks(unknown_codes=UnknownCodes(severity="ignore"))


def _posting(line_id: str, amount: str, **changes: Any) -> Row:
    row = {
        "line_id": line_id,
        "period_id": "2026-03",
        "posting_date": "2026-03-15",
        "legal_entity_id": "DE01",
        "account_id": "640000",
        "cost_centre_id": "CC100",
        "currency_code": "EUR",
        "amount_local": amount,
    }
    return {**row, **changes}


def _charge(provider: str, billed: str, effective: str | None, **changes: Any) -> Row:
    row = {
        "provider_name": provider,
        "billing_account_id": f"{provider}-1",
        "billing_period_start": "2026-03-01 00:00:00",
        "billing_period_end": "2026-04-01 00:00:00",
        "charge_period_start": "2026-03-02 00:00:00",
        "charge_period_end": "2026-03-03 00:00:00",
        "charge_category": "Usage",
        "service_name": "Compute",
        "billing_currency": "USD",
        "billed_cost": billed,
        "effective_cost": effective,
    }
    return {**row, **changes}


def _centre(centre: str, start: str, end: str | None, **changes: Any) -> Row:
    row = {
        "cost_centre_id": centre,
        "cost_centre_name": "Retail",
        "business_unit_id": "BU1",
        "business_unit_name": "Retail",
        "legal_entity_id": "DE01",
        "legal_entity_name": "Acme",
        "is_it": "false",
        "valid_from": start,
        "valid_to": end,
    }
    return {**row, **changes}


def _rate(period: str, source: str, target: str, rate: str) -> Row:
    return {
        "rate_type": "average",
        "period_id": period,
        "from_currency_code": source,
        "to_currency_code": target,
        "exchange_rate": rate,
        "source_name": "central bank",
    }


def _ticket(ticket_id: str, **changes: Any) -> Row:
    row = {
        "ticket_id": ticket_id,
        "ticket_type": "incident",
        "service_id": "mail",
        "priority": 2,
        "opened_at": "2026-03-02 09:00:00",
        "responded_at": "2026-03-02 09:10:00",
        "resolved_at": "2026-03-02 11:00:00",
        "effort_minutes": 30,
        "response_target_minutes": 30,
        "resolution_target_minutes": 240,
    }
    return {**row, **changes}


def _outage(outage_id: str, start: str, end: str, service_id: str = "mail") -> Row:
    return {
        "outage_id": outage_id,
        "service_id": service_id,
        "started_at": start,
        "ended_at": end,
        "is_planned": "false",
    }


def _usage(receiver_id: str, quantity: str, unit: str, service_id: str = "mail") -> Row:
    return {
        "period_id": "2026-03",
        "service_id": service_id,
        "receiver_kind": "consumer",
        "receiver_id": receiver_id,
        "quantity": quantity,
        "unit_code": unit,
    }


def _seats(product: str, service: str, centre: str, seats: str) -> Row:
    return {
        "period_id": "2026-03",
        "product_id": product,
        "product_name": product,
        "service_id": service,
        "cost_centre_id": centre,
        "seats_quantity": seats,
    }


def _entry(entry_id: str, person: str | None, hours: str) -> Row:
    return {
        "entry_id": entry_id,
        "period_id": "2026-03",
        "cost_centre_id": "CC900",
        "person_id": person,
        "tower_id": "platform",
        "hours_quantity": hours,
    }


def _asset(asset_id: str, **changes: Any) -> Row:
    row = {
        "asset_id": asset_id,
        "asset_name": asset_id,
        "asset_class": "server",
        "legal_entity_id": "DE01",
        "cost_centre_id": "CC900",
        "purchase_date": "2025-01-10",
        "currency_code": "EUR",
        "purchase_amount_local": "6000.00",
        "useful_life_months": 60,
        "capacity_quantity": "64",
        "capacity_unit_code": "GB",
    }
    return {**row, **changes}


def _link(from_kind: str, from_id: str, to_kind: str, to_id: str, weight: str) -> Row:
    return {
        "from_kind": from_kind,
        "from_id": from_id,
        "to_kind": to_kind,
        "to_id": to_id,
        "share_weight": weight,
    }


def _benchmark(benchmark_id: str, **changes: Any) -> Row:
    row = {
        "benchmark_id": benchmark_id,
        "service_id": "mail",
        "metric": "unit_cost",
        "unit_code": "mailbox",
        "currency_code": "EUR",
        "low_value": "2",
        "median_value": "3",
        "high_value": "5",
        "source_name": "survey",
        "publication_year": 2025,
    }
    return {**row, **changes}


def _head(centre: str, people: str) -> Row:
    return {"period_id": "2026-03", "cost_centre_id": centre, "headcount_quantity": people}


def _account(account_id: str, account_class: str) -> Row:
    return {"account_id": account_id, "account_name": "Cloud", "account_class": account_class}


def _budget(line_id: str, amount: str) -> Row:
    row = dict(_posting(line_id, amount))
    del row["posting_date"]
    return row


GOOD: dict[str, list[Row]] = {
    "asset_relations": [
        _link("asset", "srv1", "application", "crm", "3"),
        _link("application", "crm", "service", "mail", "1"),
    ],
    "assets": [_asset("srv1"), _asset("srv2", retired_date="2026-01-01")],
    "benchmarks": [_benchmark("b1"), _benchmark("b2", metric="availability", currency_code=None)],
    "budget": [_budget("B1", "900.00")],
    "chart_of_accounts": [_account("640000", "expense")],
    # A commitment is paid in advance: billed, and free when used. That is not a broken column.
    "cloud_bill": [
        _charge("AWS", "12.3456", "12.3456", tags='{"team": "crm"}'),
        _charge("AWS", "0.5", "0.25"),
        _charge("Prepaid", "1200.50", "0", charge_category="Purchase"),
        _charge("Prepaid", "0", "100"),
    ],
    "cost_centres": [
        _centre("CC100", "2025-01-01", "2026-01-01"),
        _centre("CC100", "2026-01-01", None, business_unit_id="BU2"),
    ],
    "exchange_rates": [
        _rate("2026-02", "USD", "EUR", "0.92"),
        _rate("2026-03", "USD", "EUR", "0.93"),
        _rate("2026-03", "EUR", "EUR", "1"),
    ],
    "general_ledger": [
        _posting("1", "1000.00", document_id="D1"),
        _posting("2", "1000.00", document_id="D2"),
        _posting("3", "-250.00"),
    ],
    "headcount": [_head("CC100", "12.5")],
    "licences": [_seats("P1", "mail", "CC100", "10"), _seats("P1", "mail", "CC200", "4")],
    "outages": [
        _outage("O1", "2026-03-01 10:00:00", "2026-03-01 11:00:00"),
        _outage("O2", "2026-03-01 11:00:00", "2026-03-01 12:00:00"),
    ],
    "service_usage": [_usage("CC100", "5", "mailbox"), _usage("CC200", "0", "mailbox")],
    "tickets": [_ticket("T1"), _ticket("T2", responded_at=None, resolved_at=None)],
    "timesheets": [_entry("E1", "p1", "160"), _entry("E2", None, "2000")],
}

BROKEN: dict[str, list[Row]] = {
    "asset_relations": [
        _link("asset", "srv9", "application", "crm", "0"),  # no weight above zero
        _link("asset", "srv1", "service", "mail", "-1"),  # below the minimum
        _link("application", "crm", "application", "erp", "1"),  # application to application
    ],
    "assets": [
        _asset("srv3", retired_date="2024-12-31"),  # retired before purchase
        _asset("srv4", purchase_amount_local="-1.00"),  # negative
        _asset("srv5", capacity_unit_code=None),  # capacity without a unit
        _asset("srv6", useful_life_months=0),  # below the minimum of 1
    ],
    "benchmarks": [
        _benchmark("b3", low_value="9"),  # quartiles not in order
        _benchmark("b4", currency_code=None),  # a cost without a currency
        _benchmark("b5", metric="happiness"),  # not allowed
    ],
    "budget": [_budget("B2", "-1000000000000000.00")],  # 10^15
    "chart_of_accounts": [
        _account("640000", "expense"),  # account a second time: both records break the key
        _account(" ", "expense"),  # blank
        _account("650000", "opex"),  # not allowed
    ],
    "cloud_bill": [
        _charge("GCP", "1.5", "1.5", billing_period_end="2026-03-01 00:00:00"),  # ends at start
        _charge("GCP", "1.5", "1.5", charge_period_end="2026-03-01 00:00:00"),  # ends before
        _charge("GCP", "1.5", "1.5", charge_category="Refund"),  # not allowed
        _charge("GCP", "1.5", "1.5", charge_class="Fix"),  # not Correction
        _charge("GCP", "1.5", "1.5", tags="team=crm"),  # not JSON
        _charge("AWS", "3.25", "3.25", billing_currency="EUR"),  # AWS-1 is billed in USD too
        _charge("GCP", "1000000000000000", "1.5"),  # 10^15
    ],
    "cost_centres": [
        _centre("CC100", "2026-02-01", None),  # overlaps the assignment from 2026-01-01
        _centre("CC100", "2026-03-01", "2026-04-01"),  # so does this one
        _centre("CC300", "2026-02-01", "2026-02-01"),  # never in force
        # Right: another source, of another scenario.
        _centre("CC400", "2026-01-01", None, _scenario_id="budget", _source_id="plan"),
        _centre("CC400", "2026-01-01", None),
    ],
    "exchange_rates": [
        _rate("2026-04", "USD", "EUR", "0"),  # zero
        _rate("2026-05", "USD", "EUR", "-0.5"),  # negative, also below the minimum of 0
        _rate("2026-03", "CHF", "CHF", "1.01"),  # not 1
        _rate("2026-02", "EUR", "JPY", "160"),
        _rate("2026-03", "EUR", "JPY", "0.00625"),  # quoted the other way round
    ],
    "general_ledger": [
        _posting("1", "5.00", _source_id="other_erp"),  # right: another system numbers too
        _posting("2", "5.00"),  # line 2 a second time: both records break the key
        _posting("4", None),  # type: ignore[arg-type]  # no amount
        _posting("5", "1000000000000000.00"),  # 10^15
        _posting("6", "40.00", document_id="D7", vendor_name="ACME"),
        _posting("7", "40.00", document_id="D7", vendor_name="ACME"),  # 6 and 7 are one document
        _posting("8", "1.00", posting_date="2021-03-15"),  # five years off
        _posting("9", "1.00", account_id="  "),  # blank
        # 20 postings of 10.00 and one of 201.00, which is larger than all of them together.
        *(_posting(f"A{n}", "10.00", period_id="2026-04") for n in range(20)),
        _posting("A20", "201.00", period_id="2026-04"),
        # 20 postings of 10.00 and one of 200.00: not larger.
        *(_posting(f"B{n}", "10.00", period_id="2026-05") for n in range(20)),
        _posting("B20", "200.00", period_id="2026-05"),
    ],
    "headcount": [_head("CC200", "-1"), _head("CC100", "3")],  # negative; CC100 a second time
    "licences": [_seats("P2", "mail", "CC100", "1"), _seats("P2", "crm", "CC200", "1")],
    "outages": [
        _outage("O3", "2026-03-02 10:00:00", "2026-03-02 09:00:00"),  # ends before it starts
        _outage("O4", "2026-03-01 11:30:00", "2026-03-01 11:40:00"),  # within O2
    ],
    "service_usage": [
        _usage("CC100", "7", "GB", "storage"),
        _usage("CC200", "9", "TB", "storage"),  # another unit: both records break the rule
        _usage("CC300", "-2", "mailbox"),  # negative
        {**_usage("CC400", "5", "mailbox"), "peak_quantity": "6"},  # more at peak than in all
    ],
    "tickets": [
        _ticket("T3", resolved_at="2026-03-02 08:59:59"),  # resolved before opened
        _ticket("T4", responded_at="2026-03-01 09:00:00"),  # answered before opened
        _ticket("T5", effort_minutes=100001),  # implausible
        _ticket("T6", ticket_type="problem"),  # not allowed
        _ticket("T7", priority=0),  # below the minimum of 1
    ],
    "timesheets": [_entry("E3", "p2", "400"), _entry("E4", "p2", "345")],  # together 745 hours
}

# In the order in which the contracts are listed.
GOOD = dict(sorted({**GOOD, **further_records.GOOD}.items()))
BROKEN = {**BROKEN, **further_records.BROKEN}


@dataclass(frozen=True)
class Run:
    """A run over one lake: what it was run on and what came of it."""

    lake_database: Path
    evidence_directory: Path
    report: CheckReport
    messages: tuple[str, ...]

    def find(self, contract_id: str, check_id: str) -> CheckResult:
        """The result of that check; it exists exactly once."""
        (result,) = [
            result
            for result in self.report.results
            if (result.contract_id, result.check_id) == (contract_id, check_id)
            # The source is named after its contract, unless a record says otherwise.
            and contract_id in result.source_ids
        ]
        return result


def build_lake(directory: Path, tables: Mapping[str, Sequence[Row]]) -> Path:
    """A DuckDB file with a view per contract over a Parquet file of the given rows."""
    database = directory / "checked.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema lake")
        for contract_id, rows in tables.items():
            types = {
                **{
                    field.name: DUCKDB_TYPES[field.type]
                    for field in load_contract(contract_id).fields
                },
                "_source_id": "varchar",
                "_scenario_id": "varchar",
                "_file_id": "varchar",
                "_row_number": "bigint",
            }
            columns = ", ".join(f"{name} {type_name}" for name, type_name in types.items())
            connection.execute(f"create or replace temp table landed ({columns})")
            for number, row in enumerate(rows, start=1):
                landed = {
                    "_source_id": contract_id,
                    "_scenario_id": "actual",
                    "_file_id": FILE_ID,
                    "_row_number": number,
                    **row,
                }
                names = ", ".join(landed)
                marks = ", ".join("?" for _name in landed)
                connection.execute(
                    f"insert into landed ({names}) values ({marks})", list(landed.values())
                )
            parquet = directory / f"{contract_id}.parquet"
            connection.execute(f"copy landed to '{parquet}' (format parquet)")
            connection.execute(
                f"create view lake.{contract_id} as select * from read_parquet('{parquet}')"
            )
    return database


def run_over(
    directory: Path,
    tables: Mapping[str, Sequence[Row]],
    checks: ResolvedChecks = RECORDS_ONLY,
    **known: Any,
) -> Run:
    """Build a lake and check it; `known` goes into the plan."""
    database = build_lake(directory, tables)
    evidence = directory / "evidence"
    messages: list[str] = []
    plan = plan_lake(database, tuple(tables), TODAY)
    sources = tuple(replace(source, checks=checks) for source in plan.sources)
    plan = replace(plan, **{"sources": sources, **known})
    report = run_checks(database, plan, evidence, messages.append)
    return Run(database, evidence, report, tuple(messages))
