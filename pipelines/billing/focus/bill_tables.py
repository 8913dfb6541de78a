"""The bills of a period as the tables of FOCUS, made by SQL of what is published.

A business unit is a billing account, a cost centre a sub-account, a statement an invoice. Assumes
a read connection with the marts under their bare names. Guarantees one row of Cost and Usage per
item of a bill, with its amount as BilledCost, so that the rows of an invoice sum to the statement.

Limits: a day of the ledger has no clock, so that periods begin at midnight UTC. What the catalogue
says of a service (category, unit) is as it is now, also for a closed period; names and money are
as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.billing import member_queries, queries
from pipelines.billing.focus.columns import find_datasets, list_service_categories
from pipelines.billing.records import BillScope, Period
from pipelines.errors import ControlError, UsageError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from pipelines.workspace.config import FocusSettings

DIRECTORY = Path(__file__).parent
KINDS = (
    "charge",
    "correction",
    "adjustment",
    "service_credit",
    "mark_up",
    "tax",
    "true_up",
)


@dataclass(frozen=True)
class Issue:
    """When the bills of a period were made: UTC as ISO 8601. `issued_at` None: not yet."""

    created_at: str
    updated_at: str
    issued_at: str | None


@dataclass(frozen=True)
class BillTables:
    """The tables of a period, and what they must sum to."""

    period_id: str
    version: int
    currency_code: str
    tables: dict[str, pa.Table]
    """Dataset -> its rows, with the columns that have values; amounts are decimals."""
    invoices: dict[str, Decimal]
    """Invoice -> what the bill items of that business unit sum to."""

    @property
    def total(self) -> Decimal:
        return sum(self.invoices.values(), Decimal("0.00"))


def load_bill_tables(
    marts: duckdb.DuckDBPyConnection,
    settings: FocusSettings,
    period_id: str,
    focus_version: str,
    issue: Issue,
) -> BillTables:
    """The tables of a period. Raises UsageError where nothing is billed in it, ControlError where
    something is billed to no business unit."""
    period, version, currency = _read_period(marts, period_id)
    _refuse_billed_to_nobody(marts, period_id, version)
    values: dict[str, Any] = {
        "period": period_id,
        "version": version,
        "currency": currency,
        "issuer": member_queries.read_issuer(marts, period),
        "payment_terms": settings.payment_terms,
        "created": issue.created_at,
        "updated": issue.updated_at,
        "issued": issue.issued_at,
        "kinds": list(KINDS),
        **_map_categories(settings),
    }
    query, named = _read_query("items", values)
    marts.execute(f"create or replace temp table focus_items as {query}", named)
    tables = {}
    for dataset in find_datasets(focus_version):
        query, named = _read_query(dataset, values)
        tables[dataset] = marts.sql(query, params=named).to_arrow_table()
    return BillTables(period_id, version, currency, tables, _read_invoices(marts, values))


def _read_query(name: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """One of the queries beside this file, and those of the values that it names."""
    query = (DIRECTORY / f"{name}.sql").read_text("utf-8")
    return query, {key: value for key, value in values.items() if f"${key}" in query}


def _read_period(marts: duckdb.DuckDBPyConnection, period_id: str) -> tuple[Period, int, str]:
    rows = queries.fetch_rows(
        marts,
        "select periods.*, versions.version, (select currency_code from dim_run) as currency_code "
        "from dim_periods as periods inner join ("
        "select period_id, max(version) as version from fct_bill_items_monthly "
        "where scenario_id = 'actual' group by period_id"
        ") as versions on periods.period_id = versions.period_id where periods.period_id = ?",
        [period_id],
    )
    if not rows:
        raise UsageError(f"nothing is billed in {period_id}: 'apportion period list'")
    row = rows[0]
    period = Period(
        period_id, row["period_name"], row["period_start"], row["period_end"], row["period_state"]
    )
    return period, int(row["version"]), row["currency_code"]


def _refuse_billed_to_nobody(
    marts: duckdb.DuckDBPyConnection, period_id: str, version: int
) -> None:
    scope = BillScope("actual", period_id, version)
    amount, cost_centres = queries.read_billed_to_nobody(marts, scope)
    if cost_centres:
        raise ControlError(
            f"period {period_id}: {amount:,.2f} are billed to cost centres that belong to no "
            f"business unit: {queries.list_some(cost_centres)}. Nothing was written. Give them a "
            "business unit from that day on and run again."
        )


def _map_categories(settings: FocusSettings) -> dict[str, Sequence[str]]:
    """Own categories and those of FOCUS that they are, position by position."""
    own = {name.lower(): name for name in list_service_categories()}
    own |= {name.lower(): str(target) for name, target in settings.service_categories.items()}
    return {"own_categories": list(own), "focus_categories": list(own.values())}


def _read_invoices(marts: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> dict[str, Decimal]:
    rows = marts.execute(
        "select business_unit_id, sum(amount) from fct_bill_items_monthly "
        "where scenario_id = 'actual' and period_id = ? and version = ? "
        "group by business_unit_id order by business_unit_id",
        [values["period"], values["version"]],
    ).fetchall()
    scope = BillScope("actual", values["period"], values["version"])
    return {queries.statement_number(scope, unit): amount for unit, amount in rows}
