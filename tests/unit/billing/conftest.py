"""The marts of Example Works, March 2026, worked by hand.

Two services are charged, one is shown. Retail has the cost centres 4100 and 4200, Logistics has
5100. Mail costs 12.50 per mailbox; hosting costs 1,000.00 for three servers, which is a third
each: 333.33, 333.33 and 333.34.

| March          | mail (mailboxes) | hosting (servers) | Wi-Fi, not charged | charged  |
|----------------|------------------|-------------------|--------------------|----------|
| 4100 Retail    | 120 -> 1,500.00  | 1 -> 333.33       | 10 -> 100.00       | 1,833.33 |
| 4200 Retail    |  80 -> 1,000.00  | 1 -> 333.33       |                    | 1,333.33 |
| 5100 Logistics |  40 ->   500.00  | 1 -> 333.34       |                    |   833.34 |
|                |        3,000.00  |      1,000.00     |           100.00   | 4,000.00 |

Retail pays 1,833.33 + 1,333.33 = 3,166.66. In February it paid 1,450.00 + 950.00 for mail,
300.00 for hosting and 66.66 for printing, which has ended: 2,766.66, so March is 400.00 more
(400.00 / 2,766.66 = 14.458 %). Its budget is 2,600.00 + 700.00 = 3,300.00, 133.34 more than the
bill (133.34 / 3,300.00 = 4.041 %).

Its pools: staff 1,500.00, licences 1,000.00, hardware 400.00, cloud 266.66666667, which rounds to
266.67; the four make 3,166.67, so a rounding of -0.01 leads to 3,166.66.

Ledger: 4,000.00 charged + 100.00 showback + 50.00 out of scope = 4,150.00.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.billing.records import Statement
from pipelines.billing.statement import load_statement
from pipelines.warehouse.publication import (
    Publication,
    PublishedFile,
    hash_file,
    write_publication,
)
from pipelines.workspace.workspace import Workspace

TABLES = {
    "dim_run": "run_id text, built_at timestamp, workspace_name text, currency_code text, "
    "code_version text, fingerprint text",
    "dim_periods": "period_id text, period_name text, period_start date, period_end date, "
    "period_state text, has_actuals boolean",
    "rpt_data_sources": "source_id text, source_name text, source_order bigint",
    "rpt_data_source_periods": "source_id text, scenario_id text, period_id text, "
    "record_count bigint, last_date date",
    "dim_services": "service_id text, service_name text, owner_name text, owner_email text, "
    "unit_code text, unit_name text, charging_policy text, "
    "availability_target_share decimal(9,6), sla_attainment_target_share decimal(9,6)",
    "dim_cost_centres": "cost_centre_id text, cost_centre_name text, business_unit_id text, "
    "business_unit_name text, legal_entity_id text, legal_entity_name text, is_it boolean, "
    "valid_from date, valid_to date",
    "fct_charges_monthly": "scenario_id text, period_id text, version integer, service_id text, "
    "service_name text, cost_centre_id text, cost_centre_name text, business_unit_id text, "
    "business_unit_name text, division_name text, business_unit_as_is_id text, "
    "business_unit_as_is_name text, charged_amount decimal(38,2)",
    "fct_bill_items_monthly": "scenario_id text, period_id text, version integer, "
    "bill_item_id text, item_kind text, service_id text, service_name text, cost_centre_id text, "
    "cost_centre_name text, business_unit_id text, business_unit_name text, "
    "legal_entity_id text, origin_period_id text, origin_version integer, "
    "origin_charge_id text, reference_id text, reason text, amount decimal(38,2)",
    "fct_charge_breakdown_monthly": "scenario_id text, period_id text, version integer, "
    "service_id text, cost_centre_id text, business_unit_id text, cost_pool_id text, "
    "cost_pool_name text, amount decimal(38,8)",
    "fct_service_quality_monthly": "scenario_id text, period_id text, version integer, "
    "service_id text, ticket_count bigint, sla_attainment_share double, "
    "outage_minutes double, availability_share double",
    "rpt_certificate": "scenario_id text, period_id text, version integer, identity_id text, "
    "identity_name text, term_order integer, term_id text, term_name text, side text, "
    "amount decimal(38,8), amount_cents decimal(38,2)",
    "rpt_bill_lines": "scenario_id text, period_id text, version integer, business_unit_id text, "
    "business_unit_name text, cost_centre_id text, cost_centre_name text, legal_entity_id text, "
    "service_id text, service_name text, charging_policy text, driver_name text, "
    "driver_quality text, quantity decimal(38,8), unit_code text, unit_rate decimal(28,10), "
    "charged_amount decimal(38,2), cost_amount decimal(38,2), "
    "previous_charged_amount decimal(38,2), budget_amount decimal(38,2)",
}

Rows = Sequence[Sequence[Any]]


def create_tables(connection: duckdb.DuckDBPyConnection, schema: str = "main") -> None:
    """Every mart that a statement reads, empty."""
    connection.execute(f"create schema if not exists {schema}")
    for table, columns in TABLES.items():
        connection.execute(f"create table {schema}.{table} ({columns})")


def insert_rows(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Rows, schema: str = "main"
) -> None:
    """Rows in the order of the columns above. Amounts are texts or integers, never floats."""
    for row in rows:
        marks = ", ".join("?" for _ in row)
        connection.execute(f"insert into {schema}.{table} values ({marks})", list(row))


MARCH = ("actual", "2026-03", 1)
FEBRUARY = ("actual", "2026-02", 1)
BUDGET = ("budget", "2026-03", 1)
RETAIL = ("RETAIL", "Retail")
LOGISTICS = ("LOGISTICS", "Logistics")
NORTH = ("4100", "Stores North")
SOUTH = ("4200", "Stores South")
DEPOT = ("5100", "Depot")
MAIL = ("mail", "E-mail")
HOSTING = ("hosting", "Server hosting")
PRINTING = ("print", "Printing")
WIFI = ("wifi", "Guest Wi-Fi")
THIRD = "333.3333333333"

DIMENSIONS: dict[str, Rows] = {
    "dim_run": [
        ("run-0007", "2026-04-03 06:30:00", "Example Works", "EUR", "1.2.3", "ab12" * 16),
    ],
    "dim_periods": [
        ("2026-02", "Feb 2026", "2026-02-01", "2026-03-01", "closed", True),
        ("2026-03", "Mar 2026", "2026-03-01", "2026-04-01", "closed", True),
    ],
    "dim_services": [
        (*MAIL, "Ana Weber", "ana@example.org", "mailbox", "mailbox", "at_cost", "0.999", "0.9"),
        (*HOSTING, "Ben Okafor", None, "server", "server-month", "at_cost", "0.995", None),
        (*WIFI, "Ana Weber", None, "access_point", "access point", "showback", None, None),
    ],
    "dim_cost_centres": [
        (*NORTH, *RETAIL, "E1", "Example Works GmbH", False, "2020-01-01", None),
        (*SOUTH, *RETAIL, "E2", "Example Works SAS", False, "2020-01-01", None),
        (*DEPOT, *LOGISTICS, "E1", "Example Works GmbH", False, "2020-01-01", None),
        ("9000", "IT", "IT", "Group IT", "E1", "Example Works GmbH", True, "2020-01-01", None),
    ],
}

FACTS: dict[str, Rows] = {
    "rpt_bill_lines": [
        (*MARCH, *RETAIL, *NORTH, "E1", *MAIL, "at_cost", "Mailboxes", "measured",
         "120", "mailbox", "12.5", "1500.00", "1500.00", "1450.00", "1550.00"),
        (*MARCH, *RETAIL, *SOUTH, "E2", *MAIL, "at_cost", "Mailboxes", "measured",
         "80", "mailbox", "12.5", "1000.00", "1000.00", "950.00", "1050.00"),
        (*MARCH, *RETAIL, *NORTH, "E1", *HOSTING, "at_cost", "Servers", "estimated",
         "1", "server", THIRD, "333.33", "333.33", "300.00", "700.00"),
        (*MARCH, *RETAIL, *SOUTH, "E2", *HOSTING, "at_cost", "Servers", "measured",
         "1", "server", THIRD, "333.33", "333.33", None, None),
        (*MARCH, *RETAIL, *NORTH, "E1", *WIFI, "showback", "Access points", "measured",
         "10", "access_point", "10", "0.00", "100.00", "0.00", None),
        (*MARCH, *LOGISTICS, *DEPOT, "E1", *MAIL, "at_cost", "Mailboxes", "measured",
         "40", "mailbox", "12.5", "500.00", "500.00", "600.00", None),
        (*MARCH, *LOGISTICS, *DEPOT, "E1", *HOSTING, "at_cost", "Servers", "measured",
         "1", "server", THIRD, "333.34", "333.34", None, None),
        (*FEBRUARY, *RETAIL, *NORTH, "E1", *MAIL, "at_cost", "Mailboxes", "measured",
         "116", "mailbox", "12.5", "1450.00", "1450.00", None, None),
    ],
    "fct_charges_monthly": [
        (*MARCH, *MAIL, *NORTH, *RETAIL, "Consumer", *RETAIL, "1500.00"),
        (*MARCH, *MAIL, *SOUTH, *RETAIL, "Consumer", *RETAIL, "1000.00"),
        (*MARCH, *HOSTING, *NORTH, *RETAIL, "Consumer", *RETAIL, "333.33"),
        (*MARCH, *HOSTING, *SOUTH, *RETAIL, "Consumer", *RETAIL, "333.33"),
        (*MARCH, *WIFI, *NORTH, *RETAIL, "Consumer", *RETAIL, "0.00"),
        (*MARCH, *MAIL, *DEPOT, *LOGISTICS, "Supply", *LOGISTICS, "500.00"),
        (*MARCH, *HOSTING, *DEPOT, *LOGISTICS, "Supply", *LOGISTICS, "333.34"),
        (*FEBRUARY, *MAIL, *NORTH, *RETAIL, "Consumer", *RETAIL, "1450.00"),
        (*FEBRUARY, *MAIL, *SOUTH, *RETAIL, "Consumer", *RETAIL, "950.00"),
        (*FEBRUARY, *HOSTING, *NORTH, *RETAIL, "Consumer", *RETAIL, "300.00"),
        (*FEBRUARY, *PRINTING, *NORTH, *RETAIL, "Consumer", *RETAIL, "66.66"),
        (*FEBRUARY, *MAIL, *DEPOT, *LOGISTICS, "Supply", *LOGISTICS, "600.00"),
        (*BUDGET, *MAIL, *NORTH, *RETAIL, "Consumer", *RETAIL, "1550.00"),
        (*BUDGET, *MAIL, *SOUTH, *RETAIL, "Consumer", *RETAIL, "1050.00"),
        (*BUDGET, *HOSTING, *NORTH, *RETAIL, "Consumer", *RETAIL, "700.00"),
    ],
    "fct_charge_breakdown_monthly": [
        (*MARCH, "mail", "4100", "RETAIL", "staff", "Staff", "900"),
        (*MARCH, "mail", "4200", "RETAIL", "staff", "Staff", "600"),
        (*MARCH, "mail", "4100", "RETAIL", "licences", "Software licences", "600"),
        (*MARCH, "mail", "4200", "RETAIL", "licences", "Software licences", "400"),
        (*MARCH, "hosting", "4100", "RETAIL", "hardware", "Hardware", "200"),
        (*MARCH, "hosting", "4200", "RETAIL", "hardware", "Hardware", "200"),
        (*MARCH, "hosting", "4100", "RETAIL", "cloud", "Cloud services", "133.33333333"),
        (*MARCH, "hosting", "4200", "RETAIL", "cloud", "Cloud services", "133.33333334"),
        (*MARCH, "wifi", "4100", "RETAIL", "hardware", "Hardware", "100"),
        (*MARCH, "mail", "5100", "LOGISTICS", "staff", "Staff", "500"),
        (*MARCH, "hosting", "5100", "LOGISTICS", "cloud", "Cloud services", "333.33333333"),
    ],
    "fct_service_quality_monthly": [
        (*MARCH, "mail", 42, 0.875, 30.0, 0.9993),
        (*MARCH, "hosting", 5, 1.0, 0.0, 1.0),
    ],
    "rpt_certificate": [
        (*MARCH, "ledger", "Ledger", 1, "ledger", "General ledger", "left", "4150", "4150"),
        (*MARCH, "ledger", "Ledger", 1, "scope", "Out of scope", "right", "50", "50"),
        (*MARCH, "ledger", "Ledger", 2, "held", "Unallocated", "right", "0", "0"),
        (*MARCH, "ledger", "Ledger", 3, "shown", "Showback services", "right", "100", "100"),
        (*MARCH, "ledger", "Ledger", 4, "cost", "Charged services", "right", "4000", "4000"),
        (*MARCH, "ledger", "Ledger", 9, "gap", "Difference", "difference", "0", "0"),
        (*MARCH, "charged", "Charges", 1, "charged", "Charged", "left", "4000", "4000"),
        (*MARCH, "charged", "Charges", 1, "cost", "Charged services", "right", "4000", "4000"),
        (*MARCH, "charged", "Charges", 2, "over", "Over-recovery", "right", "0", "0"),
        (*MARCH, "charged", "Charges", 9, "gap", "Difference", "difference", "0", "0"),
        (*MARCH, "billed", "Bills", 1, "billed", "Billed", "left", "4000", "4000"),
        (*MARCH, "billed", "Bills", 1, "charged", "Charged", "right", "4000", "4000"),
        (*MARCH, "billed", "Bills", 9, "gap", "Difference", "difference", "0", "0"),
    ],
}  # fmt: skip


def fill_marts(connection: duckdb.DuckDBPyConnection, schema: str = "main") -> None:
    """Put Example Works into empty marts."""
    for table, rows in {**DIMENSIONS, **FACTS}.items():
        insert_rows(connection, table, rows, schema)
    connection.execute(f"alter table {schema}.fct_charges_monthly add column charge_id text")
    connection.execute(
        f"update {schema}.fct_charges_monthly "
        "set charge_id = concat_ws('|', service_id, cost_centre_id)"
    )
    for quality in ("measured", "estimated", "stale", "fallback"):
        column = f"{quality}_amount"
        lines = f"{schema}.rpt_bill_lines"
        connection.execute(f"alter table {lines} add column {column} decimal(38,2)")
        connection.execute(
            f"update {lines} set {column} = "
            f"case when driver_quality = '{quality}' then cost_amount else 0 end"
        )
    bill_charges(connection, schema)


def bill_charges(connection: duckdb.DuckDBPyConnection, schema: str = "main") -> None:
    """Make the items of kind charge anew of fct_charges_monthly, after it was changed."""
    items = f"{schema}.fct_bill_items_monthly"
    connection.execute(f"delete from {items} where item_kind = 'charge'")
    connection.execute(
        f"insert into {items} select scenario_id, period_id, version, charge_id, 'charge', "
        "service_id, service_name, cost_centre_id, cost_centre_name, business_unit_id, "
        "business_unit_name, null, period_id, version, charge_id, null, null, charged_amount "
        f"from {schema}.fct_charges_monthly where service_id <> 'wifi'"
    )


def charge_at_cost(connection: duckdb.DuckDBPyConnection) -> None:
    """Let every charged line cost what it is charged, after charges were changed, and bill it."""
    connection.execute(
        "update rpt_bill_lines set cost_amount = charged_amount where service_id <> 'wifi'"
    )
    bill_charges(connection)


def add_item(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    amount: str,
    *,
    unit: tuple[str, str] = RETAIL,
    centre: tuple[str, str] = NORTH,
    origin: tuple[str, int] = ("2026-03", 1),
    reference: str | None = None,
    reason: str | None = None,
) -> None:
    """Bill something besides charges in March: for mail, to Retail's 4100 unless said otherwise."""
    row = (
        *(*MARCH, f"{kind}-{amount}", kind, *MAIL, *centre, *unit, "E1", *origin),
        *(f"mail|{centre[0]}", reference, reason, amount),
    )
    insert_rows(connection, "fct_bill_items_monthly", [row])


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts in memory, under their bare names; a test may change them."""
    connection = duckdb.connect(":memory:")
    create_tables(connection)
    fill_marts(connection)
    yield connection
    connection.close()


@pytest.fixture
def retail(marts: duckdb.DuckDBPyConnection) -> Statement:
    """Retail's statement of March 2026: 3,166.66."""
    return load_statement(marts, "2026-03", "RETAIL")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace that has published the marts in one file."""
    root = tmp_path / "workspace"
    (root / "warehouse").mkdir(parents=True)
    (root / "apportion.yml").write_text("name: Example Works\n", "utf-8")
    path = root / "warehouse" / "run-0007.duckdb"
    with duckdb.connect(str(path)) as connection:
        create_tables(connection, "marts")
        fill_marts(connection, "marts")
    file = PublishedFile(path.name, "open", hash_file(path), path.stat().st_size)
    workspace = Workspace.open(root)
    publication = Publication("run-0007", "ab12" * 16, "2026-04-03T06:30:00Z", (file,))
    write_publication(workspace, publication)
    return workspace
