"""Read closed periods that an older version froze, without the marts that came later.

A frozen file is never written again, so that it keeps the tables of its time. A column that came
later is empty in its rows; a mart that came later is made of the ones that it has, by a query that
gives the rows which that version billed by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# Before bills had items of other kinds, the lines of charges were all that a bill had.
_ITEMS_OF_LINES = """
select
    scenario_id, period_id, version, charge_id as bill_item_id, 'charge' as item_kind,
    service_id, service_name, cost_centre_id, cost_centre_name,
    business_unit_id, business_unit_name, legal_entity_id,
    period_id as origin_period_id, version as origin_version, charge_id as origin_charge_id,
    cast(null as varchar) as reference_id, cast(null as varchar) as reason,
    charged_amount as amount
from {database}.marts.rpt_bill_lines where charging_policy <> 'showback'
"""
# Of the prices of then only the policy is known: the price of a line is in its rate.
_POLICIES_OF_CHARGES = """
select
    scenario_id, period_id, version, service_id, any_value(service_name) as service_name,
    any_value(charging_policy) as charging_policy, max(unit_code) as unit_code, 1 as tier_number
from {database}.marts.fct_charges_monthly where disposition = 'allocated'
group by scenario_id, period_id, version, service_id
"""
STAND_INS = {
    "fct_bill_items_monthly": _ITEMS_OF_LINES,
    "fct_prices_monthly": _POLICIES_OF_CHARGES,
}
"""Mart -> the query that stands in for it in a frozen file without it."""


def stand_in(table: str, database: str) -> str | None:
    """What to select instead of a mart that the attached file does not have; None where a file
    without it has nothing to say."""
    query = STAND_INS.get(table)
    return None if query is None else query.format(database=database)


def find_relation(connection: duckdb.DuckDBPyConnection, table: str, database: str) -> str:
    """A mart of an attached frozen file, or what stands in for it, to select from."""
    found = connection.execute(
        "select count(*) from duckdb_tables() "
        "where database_name = ? and schema_name = 'marts' and table_name = ?",
        [database, table],
    ).fetchone()
    query = stand_in(table, database) if found == (0,) else None
    return f"{database}.marts.{table}" if query is None else f"({query})"
