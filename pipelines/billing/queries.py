"""Read the marts that the statements of a period are made of: each mart once, for all units.

Assumes a connection on which the marts are readable by their bare names. Every query orders its
rows, so that the same publication gives the same statements. Money that does not arrive as an
exact decimal is refused: a float on a bill is a defect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.billing.records import (
    CHARGE,
    BillItem,
    BillScope,
    Confidence,
    Period,
    RunStamp,
    StatementLine,
)
from pipelines.errors import BuildError, UsageError

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

IS_OF_SCOPE = "scenario_id = ? and period_id = ? and version = ?"


class ServiceAmount(NamedTuple):
    """What a unit is billed for a service, in charges and in all."""

    name: str
    charged: Decimal
    amount: Decimal


def is_unit(business_unit_id: str) -> bool:
    """Whether the id is that of a business unit, not of money that reached none."""
    return not business_unit_id.startswith("(")


def fetch_rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> list[Row]:
    """The result as one dictionary per row."""
    result = connection.execute(sql, list(parameters))
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def to_money(value: Any, column: str) -> Decimal:
    """An exact amount. Raises BuildError for a float or a null."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise BuildError(
        f"{column}: expected an exact decimal, got {type(value).__name__} {value!r}. "
        "The mart's contract is broken; build again."
    )


def to_optional_money(value: Any, column: str) -> Decimal | None:
    """The same for an amount that may be absent."""
    return None if value is None else to_money(value, column)


def to_measure(value: Any) -> Decimal | None:
    """A quantity, rate or share, which may be a double in the marts."""
    if value is None or isinstance(value, Decimal):
        return value
    return Decimal(str(value))


def read_run(connection: duckdb.DuckDBPyConnection) -> RunStamp:
    """The run that published the figures."""
    rows = fetch_rows(
        connection,
        "select run_id, built_at, workspace_name, currency_code, code_version, fingerprint "
        "from dim_run order by built_at desc limit 1",
    )
    if not rows:
        raise UsageError("nothing is published: dim_run is empty. Run 'apportion run' first.")
    return RunStamp(**rows[0])


def read_period(
    connection: duckdb.DuckDBPyConnection, scenario_id: str, period_id: str
) -> tuple[Period, int]:
    """The period and the latest version of its bills. Raises UsageError listing what there is."""
    rows = fetch_rows(
        connection,
        "select period_id, business_unit_id, max(version) as version from ("
        "select period_id, business_unit_id, version from rpt_bill_lines where scenario_id = $1 "
        "union all select period_id, business_unit_id, version from fct_bill_items_monthly "
        "where scenario_id = $1) group by all order by period_id",
        [scenario_id],
    )
    versions: dict[str, int] = {}
    for row in rows:
        if is_unit(row["business_unit_id"]):
            found = versions.get(row["period_id"], 0)
            versions[row["period_id"]] = max(found, int(row["version"]))
    if period_id not in versions:
        known = list_some(list(versions)) or "none"
        raise UsageError(
            f"period {period_id}: nothing is billed in the scenario '{scenario_id}'. "
            f"Periods with bills: {known}."
        )
    rows = fetch_rows(
        connection,
        "select period_id, period_name, period_start, period_end, period_state from dim_periods "
        "where period_id = ?",
        [period_id],
    )
    if not rows:
        raise BuildError(
            f"period {period_id} has bills but is missing in dim_periods. Build again."
        )
    row = rows[0]
    period = Period(
        row["period_id"],
        row["period_name"],
        row["period_start"],
        row["period_end"],
        row["period_state"] or "open",
    )
    return period, versions[period_id]


def list_some(names: list[str], limit: int = 30) -> str:
    """Names for an error message: all of them, or the last `limit` and how many were left out."""
    shown = ", ".join(names[-limit:])
    left_out = len(names) - limit
    return f"{left_out} earlier ones, {shown}" if left_out > 0 else shown


def read_units(connection: duckdb.DuckDBPyConnection, scope: BillScope) -> dict[str, str]:
    """Name by id of every business unit with a line or an item in the period, in order of id."""
    rows = fetch_rows(
        connection,
        "select business_unit_id, max(business_unit_name) as business_unit_name from ("
        "select business_unit_id, business_unit_name from rpt_bill_lines "
        "where scenario_id = $1 and period_id = $2 and version = $3 "
        "union all select business_unit_id, business_unit_name from fct_bill_items_monthly "
        "where scenario_id = $1 and period_id = $2 and version = $3) "
        "group by business_unit_id order by business_unit_id",
        scope,
    )
    return {
        row["business_unit_id"]: row["business_unit_name"] or row["business_unit_id"]
        for row in rows
        if is_unit(row["business_unit_id"])
    }


def read_billed_to_nobody(
    connection: duckdb.DuckDBPyConnection, scope: BillScope
) -> tuple[Decimal, list[str]]:
    """What is billed to cost centres without a business unit, and their ids."""
    rows = fetch_rows(
        connection,
        "select business_unit_id, cost_centre_id, sum(amount) as amount "
        f"from fct_bill_items_monthly where {IS_OF_SCOPE} and amount <> 0 "
        "group by all order by cost_centre_id, business_unit_id",
        scope,
    )
    lost = [row for row in rows if not is_unit(row["business_unit_id"])]
    amounts = [to_money(row["amount"], "fct_bill_items_monthly.amount") for row in lost]
    return sum(amounts, Decimal("0.00")), [row["cost_centre_id"] for row in lost]


def read_lines(
    connection: duckdb.DuckDBPyConnection, scope: BillScope
) -> dict[str, tuple[StatementLine, ...]]:
    """The lines of every unit by cost centre, the largest amount first within each."""
    rows = fetch_rows(
        connection,
        "select lines.*, services.unit_name as service_unit_name, "
        "services.unit_code as service_unit_code "
        "from rpt_bill_lines as lines left join dim_services as services using (service_id) "
        "where lines.scenario_id = ? and lines.period_id = ? and lines.version = ? "
        "order by business_unit_id, cost_centre_name, cost_centre_id, charged_amount desc, "
        "cost_amount desc, service_name, service_id",
        scope,
    )
    found: dict[str, list[StatementLine]] = defaultdict(list)
    for row in rows:
        found[row["business_unit_id"]].append(_to_line(row))
    return {unit: tuple(lines) for unit, lines in found.items()}


def _to_line(row: Row) -> StatementLine:
    def money(name: str) -> Decimal:
        return to_money(row[name], f"rpt_bill_lines.{name}")

    def optional(name: str) -> Decimal | None:
        return to_optional_money(row[name], f"rpt_bill_lines.{name}")

    has_same_unit = row["unit_code"] == row["service_unit_code"]
    return StatementLine(
        cost_centre_id=row["cost_centre_id"],
        cost_centre_name=row["cost_centre_name"] or row["cost_centre_id"],
        legal_entity_id=row["legal_entity_id"],
        service_id=row["service_id"],
        service_name=row["service_name"] or row["service_id"],
        charging_policy=row["charging_policy"],
        driver_name=row["driver_name"],
        driver_quality=row["driver_quality"],
        quantity=to_measure(row["quantity"]),
        unit_code=row["unit_code"],
        unit_name=(row["service_unit_name"] if has_same_unit else None) or row["unit_code"],
        unit_rate=to_measure(row["unit_rate"]),
        charged_amount=money("charged_amount"),
        cost_amount=money("cost_amount"),
        previous_charged_amount=optional("previous_charged_amount"),
        budget_amount=optional("budget_amount"),
        confidence=Confidence(
            money("measured_amount"),
            money("estimated_amount"),
            money("stale_amount"),
            money("fallback_amount"),
        ),
    )


def read_items(
    connection: duckdb.DuckDBPyConnection, scope: BillScope
) -> dict[str, tuple[BillItem, ...]]:
    """What every unit is billed besides charges, in the order of service and cost centre.

    The statement that an item corrects is that of the unit which was charged then.
    """
    rows = fetch_rows(
        connection,
        "with items as (from fct_bill_items_monthly "
        "where scenario_id = $1 and period_id = $2 and version = $3 and item_kind <> 'charge'), "
        "origins as (select scenario_id, period_id, charge_id, "
        "max(business_unit_id) as origin_unit_id from fct_charges_monthly "
        "semi join (select distinct origin_charge_id as charge_id from items) using (charge_id) "
        "group by all) "
        "select items.*, origins.origin_unit_id from items left join origins "
        "on items.scenario_id = origins.scenario_id "
        "and items.origin_period_id = origins.period_id "
        "and items.origin_charge_id = origins.charge_id "
        "order by items.business_unit_id, items.item_kind, items.origin_period_id nulls last, "
        "items.service_name nulls last, items.cost_centre_name, items.bill_item_id",
        scope,
    )
    found: dict[str, list[BillItem]] = defaultdict(list)
    for row in rows:
        found[row["business_unit_id"]].append(_to_item(row, scope))
    return {unit: tuple(items) for unit, items in found.items()}


def _to_item(row: Row, scope: BillScope) -> BillItem:
    origin = row["origin_period_id"] if row["origin_period_id"] != scope.period_id else None
    unit = row["origin_unit_id"] or row["business_unit_id"]
    number = None
    if origin is not None and row["origin_version"] is not None:
        number = statement_number(
            BillScope(scope.scenario_id, origin, int(row["origin_version"])), unit
        )
    return BillItem(
        item_id=row["bill_item_id"],
        kind=row["item_kind"],
        service_id=row["service_id"] or "",
        service_name=row["service_name"] or row["service_id"] or "",
        cost_centre_id=row["cost_centre_id"] or "",
        cost_centre_name=row["cost_centre_name"] or row["cost_centre_id"] or "",
        legal_entity_id=row["legal_entity_id"],
        origin_period_id=origin,
        origin_number=number,
        reference_id=row["reference_id"],
        reason=row["reason"],
        amount=to_money(row["amount"], "fct_bill_items_monthly.amount"),
    )


def statement_number(scope: BillScope, business_unit_id: str) -> str:
    """The same for the same figures: period, unit, version, and the scenario unless actual."""
    prefix = "" if scope.scenario_id == "actual" else f"{scope.scenario_id.upper()}-"
    return f"{prefix}{scope.period_id}-{business_unit_id}-v{scope.version}"


def read_amounts(
    connection: duckdb.DuckDBPyConnection, scope: BillScope
) -> dict[str, dict[str, ServiceAmount]]:
    """What every unit is billed by service, from fct_bill_items_monthly."""
    rows = fetch_rows(
        connection,
        "select business_unit_id, service_id, max(service_name) as service_name, "
        f"coalesce(sum(amount) filter (where item_kind = '{CHARGE}'), 0) as charged, "
        f"sum(amount) as amount from fct_bill_items_monthly where {IS_OF_SCOPE} "
        "group by business_unit_id, service_id order by business_unit_id, service_id",
        scope,
    )
    column = "fct_bill_items_monthly.amount"
    found: dict[str, dict[str, ServiceAmount]] = defaultdict(dict)
    for row in rows:
        service = row["service_id"] or ""
        found[row["business_unit_id"]][service] = ServiceAmount(
            row["service_name"] or service,
            to_money(row["charged"], column),
            to_money(row["amount"], column),
        )
    return dict(found)


def latest_version(
    connection: duckdb.DuckDBPyConnection,
    scenario_id: str,
    period_id: str,
    before: int | None = None,
) -> int | None:
    """The latest version of the items of a period, or the latest before one; None where there is
    none."""
    rows = fetch_rows(
        connection,
        "select max(version) as version from fct_bill_items_monthly "
        "where scenario_id = $1 and period_id = $2 and ($3 is null or version < $3)",
        [scenario_id, period_id, before],
    )
    return None if rows[0]["version"] is None else int(rows[0]["version"])


def read_previous_period(
    connection: duckdb.DuckDBPyConnection, period: Period
) -> tuple[str, str] | None:
    """(id, name) of the period before, or None for the first of the calendar."""
    rows = fetch_rows(
        connection,
        "select period_id, period_name from dim_periods where period_start < ? "
        "order by period_start desc limit 1",
        [period.start],
    )
    return (rows[0]["period_id"], rows[0]["period_name"]) if rows else None


def read_period_name(connection: duckdb.DuckDBPyConnection, period_id: str) -> str:
    """'Oct 2026' of '2026-10'."""
    rows = fetch_rows(
        connection, "select period_name from dim_periods where period_id = ?", [period_id]
    )
    return str(rows[0]["period_name"]) if rows else period_id
