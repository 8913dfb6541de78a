"""Read the marts that a statement is made of.

Assumes a connection on which the marts are readable by their bare names. Every query orders its
rows, so that the same publication gives the same statement. Money that does not arrive as an
exact decimal is refused: a float on a bill is a defect.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.billing.records import (
    BillKey,
    CertificateIdentity,
    CertificateTerm,
    Period,
    RunStamp,
    ServiceQuality,
    StatementLine,
)
from pipelines.errors import BuildError, UsageError

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]

# Business units and services in parentheses stand for money that reached nobody.
IS_REAL_UNIT = "business_unit_id not like '(%'"


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
    billed = fetch_rows(
        connection,
        "select period_id, max(version) as version from rpt_bill_lines "
        f"where scenario_id = ? and {IS_REAL_UNIT} group by period_id order by period_id",
        [scenario_id],
    )
    versions = {row["period_id"]: int(row["version"]) for row in billed}
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


def read_billed_units(
    connection: duckdb.DuckDBPyConnection,
    scenario_id: str,
    period_id: str,
    version: int,
) -> dict[str, str]:
    """Name by id of every business unit that has a line in the period, in order of id."""
    rows = fetch_rows(
        connection,
        "select business_unit_id, max(business_unit_name) as business_unit_name "
        "from rpt_bill_lines where scenario_id = ? and period_id = ? and version = ? "
        f"and {IS_REAL_UNIT} group by business_unit_id order by business_unit_id",
        [scenario_id, period_id, version],
    )
    return {row["business_unit_id"]: row["business_unit_name"] for row in rows}


def read_billed_to_nobody(
    connection: duckdb.DuckDBPyConnection, scenario_id: str, period_id: str, version: int
) -> tuple[Decimal, list[str]]:
    """What is charged to cost centres without a business unit, and their ids."""
    rows = fetch_rows(
        connection,
        "select cost_centre_id, sum(charged_amount) as charged_amount from rpt_bill_lines "
        "where scenario_id = ? and period_id = ? and version = ? and charged_amount <> 0 "
        f"and not ({IS_REAL_UNIT}) group by cost_centre_id order by cost_centre_id",
        [scenario_id, period_id, version],
    )
    column = "rpt_bill_lines.charged_amount"
    amounts = [to_money(row["charged_amount"], column) for row in rows]
    return sum(amounts, Decimal("0.00")), [row["cost_centre_id"] for row in rows]


def read_lines(connection: duckdb.DuckDBPyConnection, key: BillKey) -> tuple[StatementLine, ...]:
    """The unit's lines by cost centre, the largest amount first within each."""
    rows = fetch_rows(
        connection,
        "select lines.*, services.unit_name as service_unit_name, "
        "services.unit_code as service_unit_code "
        "from rpt_bill_lines as lines left join dim_services as services using (service_id) "
        "where lines.scenario_id = ? and lines.period_id = ? and lines.version = ? "
        "and lines.business_unit_id = ? "
        "order by cost_centre_name, cost_centre_id, charged_amount desc, cost_amount desc, "
        "service_name, service_id",
        key,
    )
    return tuple(_to_line(row) for row in rows)


def _to_line(row: Row) -> StatementLine:
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
        charged_amount=to_money(row["charged_amount"], "rpt_bill_lines.charged_amount"),
        cost_amount=to_money(row["cost_amount"], "rpt_bill_lines.cost_amount"),
        previous_charged_amount=to_optional_money(
            row["previous_charged_amount"], "rpt_bill_lines.previous_charged_amount"
        ),
        budget_amount=to_optional_money(row["budget_amount"], "rpt_bill_lines.budget_amount"),
    )


def read_charges_by_service(
    connection: duckdb.DuckDBPyConnection, key: BillKey
) -> dict[str, tuple[str, Decimal]]:
    """Service id -> (name, charged amount) of the unit, from fct_charges_monthly."""
    rows = fetch_rows(
        connection,
        "select service_id, max(service_name) as service_name, "
        "sum(charged_amount) as charged_amount from fct_charges_monthly "
        "where scenario_id = ? and period_id = ? and version = ? and business_unit_id = ? "
        "group by service_id order by service_id",
        key,
    )
    column = "fct_charges_monthly.charged_amount"
    return {
        row["service_id"]: (
            row["service_name"] or row["service_id"],
            to_money(row["charged_amount"], column),
        )
        for row in rows
    }


def latest_version(
    connection: duckdb.DuckDBPyConnection, scenario_id: str, period_id: str
) -> int | None:
    """The latest version of the charges of a period; None where there are none."""
    rows = fetch_rows(
        connection,
        "select max(version) as version from fct_charges_monthly "
        "where scenario_id = ? and period_id = ?",
        [scenario_id, period_id],
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


def read_pools(
    connection: duckdb.DuckDBPyConnection, key: BillKey, service_ids: Sequence[str]
) -> list[tuple[str, str, Decimal]]:
    """(pool id, pool name, exact amount) of the unit's charged services, largest first."""
    rows = fetch_rows(
        connection,
        "select cost_pool_id, max(cost_pool_name) as cost_pool_name, sum(amount) as amount "
        "from fct_charge_breakdown_monthly "
        "where scenario_id = ? and period_id = ? and version = ? and business_unit_id = ? "
        "and list_contains(?, service_id) "
        "group by cost_pool_id order by amount desc, cost_pool_id",
        [*key, list(service_ids)],
    )
    return [
        (
            row["cost_pool_id"],
            row["cost_pool_name"] or row["cost_pool_id"],
            to_money(row["amount"], "fct_charge_breakdown_monthly.amount"),
        )
        for row in rows
    ]


def read_quality(
    connection: duckdb.DuckDBPyConnection, period_id: str, service_ids: Sequence[str]
) -> tuple[ServiceQuality, ...]:
    """Service levels of the services, in the order given; services without any are left out."""
    rows = fetch_rows(
        connection,
        "select quality.service_id, services.service_name, services.owner_name, "
        "services.owner_email, quality.availability_share, services.availability_target_share, "
        "quality.sla_attainment_share, services.sla_attainment_target_share, "
        "quality.ticket_count, quality.outage_minutes "
        "from fct_service_quality_monthly as quality "
        "left join dim_services as services using (service_id) "
        "where quality.scenario_id = 'actual' and quality.period_id = ? "
        "and list_contains(?, quality.service_id) "
        "qualify quality.version = max(quality.version) over () "
        "order by list_position(?, quality.service_id)",
        [period_id, list(service_ids), list(service_ids)],
    )
    return tuple(_to_quality(row) for row in rows)


def _to_quality(row: Row) -> ServiceQuality:
    return ServiceQuality(
        service_id=row["service_id"],
        service_name=row["service_name"] or row["service_id"],
        owner_name=row["owner_name"],
        owner_email=row["owner_email"],
        availability_share=to_measure(row["availability_share"]),
        availability_target_share=to_measure(row["availability_target_share"]),
        sla_attainment_share=to_measure(row["sla_attainment_share"]),
        sla_attainment_target_share=to_measure(row["sla_attainment_target_share"]),
        ticket_count=None if row["ticket_count"] is None else int(row["ticket_count"]),
        outage_minutes=to_measure(row["outage_minutes"]),
    )


def read_certificate(
    connection: duckdb.DuckDBPyConnection,
    scenario_id: str,
    period_id: str,
    version: int,
) -> tuple[CertificateIdentity, ...]:
    """The identities of the period in the order of the proof: ledger, charged, billed."""
    rows = fetch_rows(
        connection,
        "select identity_id, identity_name, term_id, term_name, side, amount, amount_cents "
        "from rpt_certificate where scenario_id = ? and period_id = ? and version = ? "
        "order by list_position(['ledger', 'charged', 'billed'], identity_id) nulls last, "
        "identity_id, list_position(['left', 'right', 'difference'], side) nulls last, "
        "term_order, term_id",
        [scenario_id, period_id, version],
    )
    names = {row["identity_id"]: row["identity_name"] for row in rows}
    return tuple(
        CertificateIdentity(
            identity_id,
            name,
            tuple(_to_term(row) for row in rows if row["identity_id"] == identity_id),
        )
        for identity_id, name in names.items()
    )


def _to_term(row: Row) -> CertificateTerm:
    return CertificateTerm(
        row["term_id"],
        row["term_name"],
        row["side"],
        to_money(row["amount"], "rpt_certificate.amount"),
        to_money(row["amount_cents"], "rpt_certificate.amount_cents"),
    )


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


def read_division(connection: duckdb.DuckDBPyConnection, key: BillKey) -> str | None:
    """The division that the unit belonged to in the period."""
    rows = fetch_rows(
        connection,
        "select max(division_name) as division_name from fct_charges_monthly "
        "where scenario_id = ? and period_id = ? and version = ? and business_unit_id = ?",
        key,
    )
    return rows[0]["division_name"] or None


def read_legal_entity_names(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Name by id of every legal entity."""
    rows = fetch_rows(
        connection,
        "select legal_entity_id, max(legal_entity_name) as legal_entity_name "
        "from dim_cost_centres where legal_entity_id is not null "
        "group by legal_entity_id order by legal_entity_id",
    )
    return {row["legal_entity_id"]: row["legal_entity_name"] for row in rows}


def read_replaced_total(
    connection: duckdb.DuckDBPyConnection, key: BillKey
) -> tuple[int, Decimal] | None:
    """(version, total) of the latest version before this one, if it is still published."""
    rows = fetch_rows(
        connection,
        "select version, sum(charged_amount) as total from rpt_bill_lines "
        "where scenario_id = ? and period_id = ? and version < ? and business_unit_id = ? "
        "group by version order by version desc limit 1",
        key,
    )
    if not rows:
        return None
    return int(rows[0]["version"]), to_money(rows[0]["total"], "rpt_bill_lines.charged_amount")


def read_membership(connection: duckdb.DuckDBPyConnection, key: BillKey) -> list[Row]:
    """The unit's cost centres of a period: name, today's unit, charged amount."""
    return fetch_rows(
        connection,
        "select cost_centre_id, max(cost_centre_name) as cost_centre_name, "
        "max(business_unit_as_is_id) as as_is_id, max(business_unit_as_is_name) as as_is_name, "
        "sum(charged_amount) as amount from fct_charges_monthly "
        "where scenario_id = ? and period_id = ? and version = ? and business_unit_id = ? "
        "group by cost_centre_id order by cost_centre_id",
        key,
    )


def read_units_of_cost_centres(
    connection: duckdb.DuckDBPyConnection,
    scenario_id: str,
    period_id: str,
    version: int,
    cost_centre_ids: Sequence[str],
) -> dict[str, tuple[str, str]]:
    """Cost centre -> (business unit id, name) as it was in that period."""
    rows = fetch_rows(
        connection,
        "select cost_centre_id, max(business_unit_id) as business_unit_id, "
        "max(business_unit_name) as business_unit_name from fct_charges_monthly "
        "where scenario_id = ? and period_id = ? and version = ? "
        "and list_contains(?, cost_centre_id) group by cost_centre_id order by cost_centre_id",
        [scenario_id, period_id, version, list(cost_centre_ids)],
    )
    return {
        row["cost_centre_id"]: (row["business_unit_id"], row["business_unit_name"]) for row in rows
    }
