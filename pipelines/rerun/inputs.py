"""What a rerun may change: the inputs of the flow, never a figure that the flow makes.

Quantities are changed where all drivers come together, cost where lines still have their own
currency, rules as compiled tables. Everything after that is the published SQL.

Assumes a rerun with a scope. Quantities are changed in all periods and scenarios and not only in
those of the scope: a driver may fall back on an earlier period, and a budget borrows the actual
use. Only the scope's money is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.rerun.engine import PUBLISHED, Rerun
from pipelines.warehouse.lake_views import as_text

if TYPE_CHECKING:
    from pipelines.cost_model.compile_tagging import Row

QUANTITIES = "drivers.int_drivers__delivered"
"""Where all drivers come together, before a scenario borrows from another."""
NATIVE_LINES = "ledger.int_ledger__native_lines"
POOLED_LINES = "stops.int_cost_pools__lines"
CONTROL_TOTALS = "ledger.int_ledger__control_totals"
RATES = "ledger.int_ledger__rates"
LEDGER = "staging.stg_general_ledger__lines"
OTHER_DELIVERIES = ("staging.stg_budget__lines", "staging.stg_cloud_bill__lines")
COST_CENTRES = "staging.stg_cost_centres__assignments"
SETTINGS = "model.settings"
RATE_CARD = "model.rate_card"
POLICIES = "model.service_policies"
RATE_COLUMNS = (
    *("unit_price_rate", "base_fee_amount", "peak_price_rate", "minimum_amount", "maximum_amount"),
)
"""All that the rate card says in money."""

IS_COST = "disposition not in ('recovery', 'out_of_scope', 'capitalised')"
"""Which lines of the ledger a change of cost is about, in SQL."""


@dataclass(frozen=True)
class Scaling:
    """Rows that `condition` finds, times `factor`."""

    condition: str
    factor: Decimal


def scale_quantities(rerun: Rerun, scalings: Sequence[Scaling]) -> None:
    """Multiply driver quantities, one scaling after the other."""
    rerun.run((QUANTITIES,))
    for item in scalings:
        rerun.replace(
            QUANTITIES,
            f"select * replace (case when {item.condition} "
            f"then cast(quantity * {_write_factor(item.factor)} as decimal(38, 12)) "
            "else quantity end as quantity) from {relation}",
        )


def scale_lines(rerun: Rerun, scalings: Sequence[Scaling]) -> None:
    """Multiply amounts of cost lines, in their own currency, one scaling after the other.

    Conditions are on int_cost_pools__lines. What the deliveries say is changed by the same amounts:
    a posting of each difference is added to them, and the control totals are counted again.
    """
    rerun.run((POOLED_LINES, CONTROL_TOTALS, RATES))
    execute = rerun.connection.execute
    execute(
        "create or replace temp table scaled_lines as "
        f"select ledger_line_id, amount_local as amount_before, amount_local from {NATIVE_LINES}"
    )
    for item in scalings:
        execute(
            "update temp.main.scaled_lines set amount_local = "
            "cast(cast(amount_local as decimal(38, 12)) "
            f"* {_write_factor(item.factor)} as decimal(38, 12)) where ledger_line_id in ("
            f"select ledger_line_id from {POOLED_LINES} where {IS_COST} and ({item.condition}))"
        )
    execute(f"create or replace temp table delivered_totals as from {CONTROL_TOTALS}")
    control_source = f"(select control_source_id from {SETTINGS}) as source_id"
    delivered = (
        f"select scenario_id, period_id, account_id, currency_code, amount_local, {control_source} "
        "from temp.main.delivered_totals union all "
        "select lines.scenario_id, lines.period_id, lines.account_id, lines.currency_code, "
        f"scaled.amount_local - scaled.amount_before, {control_source} "
        f"from {NATIVE_LINES} as lines "
        "inner join temp.main.scaled_lines as scaled using (ledger_line_id)"
    )
    nothing = dict.fromkeys(OTHER_DELIVERIES, "from {relation} where false")
    rerun.run_with(CONTROL_TOTALS, {LEDGER: delivered, **nothing})
    # The amounts decide neither which currencies are in use nor at which rate.
    rerun.keep((RATES,))
    rerun.replace(
        NATIVE_LINES,
        "select lines.* replace (scaled.amount_local as amount_local) from {relation} as lines "
        "inner join temp.main.scaled_lines as scaled using (ledger_line_id)",
    )


def remove_consumers(rerun: Rerun, cost_centre_ids: Sequence[str]) -> None:
    """Take cost centres out: their use of everything, and their place in the master.

    Cost that was tagged with them stays: it goes the way of its service's other cost.
    """
    ids = ", ".join(map(as_text, cost_centre_ids))
    rerun.run((QUANTITIES,))
    rerun.replace(
        QUANTITIES,
        f"from {{relation}} where receiver_kind <> 'consumer' or receiver_id not in ({ids})",
    )
    rerun.replace(COST_CENTRES, f"from {{relation}} where cost_centre_id not in ({ids})")
    (tagged,) = rerun.connection.execute(
        f"select count(*) from {NATIVE_LINES} where tagged_consumer_id in ({ids})"
    ).fetchall()[0]
    if tagged:
        # Neither a currency nor what was delivered changes.
        rerun.keep((RATES, CONTROL_TOTALS))
        rerun.replace(
            NATIVE_LINES,
            "select * replace (case when tagged_consumer_id in "
            f"({ids}) then null else tagged_consumer_id end as tagged_consumer_id) "
            "from {relation}",
        )


def replace_method(rerun: Rerun, method: str) -> None:
    """Let shared services pass their cost on by another method."""
    rerun.replace(
        SETTINGS,
        f"select * replace ({as_text(method)} as shared_method) from {{relation}}",
        column="shared_method",
    )


def scale_prices(rerun: Rerun, scalings: Sequence[Scaling]) -> None:
    """Multiply all that the rate card and agreed amounts say of services, whatever the period.

    Conditions are on service_id. A price keeps its ten decimals.
    """
    for relation, columns, digits in (
        (RATE_CARD, RATE_COLUMNS, 10),
        (POLICIES, ("fixed_amount",), 2),
    ):
        for item in scalings:
            scaled = ", ".join(
                f"case when {item.condition} then cast(cast({column} as decimal(24, {digits})) "
                f"* {_write_factor(item.factor)} as decimal(28, {digits})) else {column} end "
                f"as {column}"
                for column in columns
            )
            rerun.replace(relation, f"select * replace ({scaled}) from {{relation}}")


def replace_rules(rerun: Rerun, table: str, rows: Sequence[Row]) -> None:
    """Put other rows into one of the compiled tables of the cost model."""
    connection = rerun.connection
    connection.execute(
        f"create or replace temp table incoming as from {PUBLISHED}.model.{table} limit 0"
    )
    if rows:
        places = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into temp.main.incoming values ({places})", rows)
    rerun.replace(f"model.{table}", "from temp.main.incoming")


def _write_factor(factor: Decimal) -> str:
    return f"cast('{factor:f}' as decimal(12, 6))"
