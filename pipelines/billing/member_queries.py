"""Who the statements of a period are for and from: issuer, divisions, entities, cost centres."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from pipelines.billing.queries import IS_OF_SCOPE, fetch_rows, to_money
from pipelines.billing.records import BillScope, Period

if TYPE_CHECKING:
    import duckdb


class Member(NamedTuple):
    """A cost centre in a period: its unit then and now, and what it was charged."""

    cost_centre_name: str
    business_unit_id: str
    business_unit_name: str
    as_is_id: str | None
    as_is_name: str | None
    amount: Decimal


def read_issuer(connection: duckdb.DuckDBPyConnection, period: Period) -> str:
    """Name of the business unit that the IT cost centres of the period belong to."""
    rows = fetch_rows(
        connection,
        "select distinct business_unit_name from dim_cost_centres "
        "where is_it and (valid_from is null or valid_from < ?) "
        "and (valid_to is null or valid_to > ?)",
        [period.end, period.start],
    )
    return str(rows[0]["business_unit_name"]) if len(rows) == 1 else "IT organisation"


def read_divisions(
    connection: duckdb.DuckDBPyConnection, scope: BillScope
) -> dict[str, str | None]:
    """The division that each unit belonged to in the period."""
    rows = fetch_rows(
        connection,
        "select business_unit_id, max(division_name) as division_name from fct_charges_monthly "
        f"where {IS_OF_SCOPE} group by all order by business_unit_id",
        scope,
    )
    return {row["business_unit_id"]: row["division_name"] or None for row in rows}


def read_legal_entity_names(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Name by id of every legal entity."""
    rows = fetch_rows(
        connection,
        "select legal_entity_id, max(legal_entity_name) as legal_entity_name "
        "from dim_cost_centres where legal_entity_id is not null "
        "group by legal_entity_id order by legal_entity_id",
    )
    return {row["legal_entity_id"]: row["legal_entity_name"] for row in rows}


def read_members(connection: duckdb.DuckDBPyConnection, scope: BillScope) -> dict[str, Member]:
    """Every cost centre that was charged in a period, or used what is shown, by its id."""
    rows = fetch_rows(
        connection,
        "select cost_centre_id, max(cost_centre_name) as cost_centre_name, "
        "max(business_unit_id) as business_unit_id, "
        "max(business_unit_name) as business_unit_name, max(business_unit_as_is_id) as as_is_id, "
        "max(business_unit_as_is_name) as as_is_name, sum(charged_amount) as amount "
        f"from fct_charges_monthly where {IS_OF_SCOPE} group by all order by cost_centre_id",
        scope,
    )
    return {
        row["cost_centre_id"]: Member(
            row["cost_centre_name"] or row["cost_centre_id"],
            row["business_unit_id"],
            row["business_unit_name"],
            row["as_is_id"],
            row["as_is_name"],
            to_money(row["amount"], "fct_charges_monthly.charged_amount"),
        )
        for row in rows
    }


def read_billed(connection: duckdb.DuckDBPyConnection, scope: BillScope) -> dict[str, Decimal]:
    """What every cost centre was billed in a period, charges and all other items."""
    rows = fetch_rows(
        connection,
        f"select cost_centre_id, sum(amount) as amount from fct_bill_items_monthly "
        f"where {IS_OF_SCOPE} group by cost_centre_id order by cost_centre_id",
        scope,
    )
    column = "fct_bill_items_monthly.amount"
    return {row["cost_centre_id"]: to_money(row["amount"], column) for row in rows}
