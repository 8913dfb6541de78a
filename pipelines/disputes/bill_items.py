"""Find the item of a bill that somebody disputes, in what is published."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import UsageError

if TYPE_CHECKING:
    import duckdb

# A reopened period may hold its versions beside each other; what counts is the newest.
_ITEMS = """
    with items as (
        select * from fct_bill_items_monthly
        where scenario_id = 'actual' and period_id = $period
        qualify version = max(version) over ()
    )
    select items.period_id, items.version, items.bill_item_id, items.item_kind,
        case when items.item_kind = 'charge' then items.bill_item_id else items.origin_charge_id end
            as charge_id,
        items.service_id, items.service_name, items.cost_centre_id, items.cost_centre_name,
        items.business_unit_id, items.business_unit_name, run.currency_code, items.amount
    from items cross join dim_run as run
"""


@dataclass(frozen=True)
class BillItem:
    """An item of a bill, with its names as they stand there; `amount` in cents, exact."""

    period_id: str
    version: int
    bill_item_id: str
    item_kind: str
    charge_id: str | None
    """Charge line that it is, or refers to."""
    service_id: str
    service_name: str
    cost_centre_id: str
    cost_centre_name: str
    business_unit_id: str
    business_unit_name: str
    currency_code: str
    amount: Decimal


def find_charge(
    marts: duckdb.DuckDBPyConnection, period_id: str, service_id: str, cost_centre_id: str
) -> BillItem:
    """What a cost centre was charged for a service. Raises UsageError where it was not."""
    rows = marts.execute(
        f"{_ITEMS} where items.item_kind = 'charge' and items.service_id = $service "
        "and items.cost_centre_id = $cost_centre order by items.bill_item_id",
        {"period": period_id, "service": service_id, "cost_centre": cost_centre_id},
    ).fetchall()
    if not rows:
        raise UsageError(
            f"the bills of {period_id} charge {cost_centre_id} nothing for {service_id}. "
            + _list_choices(marts, period_id, service_id, cost_centre_id)
        )
    return BillItem(*rows[0])


def find_item(marts: duckdb.DuckDBPyConnection, period_id: str, bill_item_id: str) -> BillItem:
    """An item by its id, of whatever kind. Raises UsageError where there is none."""
    rows = marts.execute(
        f"{_ITEMS} where items.bill_item_id = $item",
        {"period": period_id, "item": bill_item_id},
    ).fetchall()
    if not rows:
        raise UsageError(
            f"no bill of {period_id} has the item '{bill_item_id}'. 'apportion sql \"from "
            f"fct_bill_items_monthly where period_id = '{period_id}'\"' lists them."
        )
    return BillItem(*rows[0])


def _list_choices(
    marts: duckdb.DuckDBPyConnection, period_id: str, service_id: str, cost_centre_id: str
) -> str:
    """What was meant, perhaps: the services of the cost centre, or who else has the service."""
    for column, wanted, shown in (
        ("cost_centre_id", cost_centre_id, "service_id"),
        ("service_id", service_id, "cost_centre_id"),
    ):
        found = marts.execute(
            f"select distinct {shown} from fct_bill_items_monthly where scenario_id = 'actual' "
            f"and item_kind = 'charge' and period_id = $period and {column} = $wanted "
            f"order by 1 limit 8",
            {"period": period_id, "wanted": wanted},
        ).fetchall()
        if found:
            what = "is charged for" if shown == "service_id" else "is charged to"
            return f"{wanted} {what}: {', '.join(row[0] for row in found)}."
    return "It knows neither the service nor the cost centre, or has no bills."
