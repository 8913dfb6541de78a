"""Trace a charge back to the source lines that it is made of.

A traced part is the source amount times the product of the shares along the path, as an exact
fraction, so that the parts do not depend on the end from which one looks and never divide by an
amount (a pool may net to zero). The engine rounds at every stop to a millionth of a cent and makes
cents once; one row 'rounding' makes the parts the line, to the cent.

Reads the published file for weights and lines, and the lake for the records behind lines that the
build had summed (cloud bills).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pipelines.errors import UsageError
from pipelines.money import ENGINE_DIGITS, minor_unit_digits

if TYPE_CHECKING:
    import duckdb

PART_DECIMALS = 8

CellKey = tuple[Any, ...]
"""(cost pool, tower rule, cost centre, tagged service, tagged consumer): what shares depend on."""


@dataclass(frozen=True)
class TracedLine:
    """One cost line and the part of it that is in the charge."""

    ledger_line_id: str
    source_id: str
    account_id: str
    cost_centre_id: str
    vendor_name: str | None
    description: str | None
    cost_pool_id: str
    is_balancing: bool
    file_id: str | None
    row_number: int | None
    currency_code: str
    amount_local: Decimal
    service_rule_id: str | None
    consumer_rule_id: str | None
    """Tagging rules that gave a bill line its service and its consumer."""
    line_amount: Decimal
    """The whole line in the reporting currency."""
    share: Fraction
    part: Fraction
    """share x line_amount, exact."""


@dataclass(frozen=True)
class Trace:
    """A charge line and everything that it is made of; parts + rounding = amount."""

    period_id: str
    scenario_id: str
    version: int
    service_id: str
    service_name: str
    cost_centre_id: str
    cost_centre_name: str
    amount: Decimal
    currency_code: str
    driver_name: str | None
    quantity: Decimal | None
    unit_code: str | None
    lines: tuple[TracedLine, ...]
    paths: tuple[tuple[str, str, str, Fraction], ...]
    """(cost pool, tower, direct service, part), largest first."""
    rounding: Fraction


def trace_charge(
    connection: duckdb.DuckDBPyConnection,
    period_id: str,
    service_id: str,
    cost_centre_id: str,
    scenario_id: str = "actual",
) -> Trace:
    """Trace one charge line. Raises UsageError if there is no such line, naming what there is."""
    charge = _find_charge(connection, scenario_id, period_id, service_id, cost_centre_id)
    version = charge["version"]
    key = {"scenario": scenario_id, "period": period_id, "version": version}
    shares, paths_of = _find_shares(connection, key, service_id, cost_centre_id)
    lines = _find_lines(connection, key, shares)
    amount = Fraction(charge["cost_amount"])
    traced = sum((line.part for line in lines), Fraction(0))
    cell_sums: dict[CellKey, Fraction] = defaultdict(Fraction)
    for cell, line_amount in _sum_cells(connection, key).items():
        cell_sums[cell] = line_amount
    totals: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for cell, parts in paths_of.items():
        for (tower, service), share in parts.items():
            totals[cell[0], tower, service] += share * cell_sums[cell]
    paths = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))
    return Trace(
        period_id=period_id,
        scenario_id=scenario_id,
        version=version,
        service_id=service_id,
        service_name=charge["service_name"],
        cost_centre_id=cost_centre_id,
        cost_centre_name=charge["cost_centre_name"],
        amount=charge["cost_amount"],
        currency_code=charge["currency_code"],
        driver_name=charge["driver_name"],
        quantity=charge["quantity"],
        unit_code=charge["unit_code"],
        lines=tuple(sorted(lines, key=lambda line: (-abs(line.part), line.ledger_line_id))),
        paths=tuple((*name, part) for name, part in paths),
        rounding=amount - traced,
    )


def to_decimal(value: Fraction, decimals: int = PART_DECIMALS) -> Decimal:
    """A fraction as a decimal, rounded half away from zero."""
    scaled = Decimal(value.numerator * 10**decimals) / Decimal(value.denominator)
    return scaled.quantize(Decimal(1), ROUND_HALF_UP).scaleb(-decimals)


def _find_charge(
    connection: duckdb.DuckDBPyConnection,
    scenario_id: str,
    period_id: str,
    service_id: str,
    cost_centre_id: str,
) -> dict[str, Any]:
    result = connection.execute(
        """
        select version, service_name, cost_centre_name, cost_amount, driver_name, quantity,
            unit_code, (select currency_code from dim_run) as currency_code
        from fct_charges_monthly
        where scenario_id = ? and period_id = ? and service_id = ? and cost_centre_id = ?
            and disposition in ('allocated', 'unmapped', 'unallocated', 'idle')
        """,
        [scenario_id, period_id, service_id, cost_centre_id],
    )
    row = result.fetchone()
    if row is not None:
        return dict(zip([column[0] for column in result.description], row, strict=True))
    raise UsageError(_describe_absence(connection, period_id, service_id, cost_centre_id))


def _describe_absence(
    connection: duckdb.DuckDBPyConnection, period_id: str, service_id: str, cost_centre_id: str
) -> str:
    found = connection.execute(
        """
        select list(distinct cost_centre_id order by cost_centre_id) filter (service_id = $service),
            list(distinct service_id order by service_id)
        from fct_charges_monthly where scenario_id = 'actual' and period_id = $period
        """,
        {"service": service_id, "period": period_id},
    ).fetchone()
    centres, services = found or (None, None)
    message = (
        f"no charge of service '{service_id}' to cost centre '{cost_centre_id}' in {period_id}"
    )
    if not services:
        return f"{message}: the period has no charges. See: apportion sql 'from dim_periods'"
    if not centres:
        return f"{message}: services of that period are {', '.join(services)}"
    return f"{message}: consumers of that service are {', '.join(centres)}"


def _find_shares(
    connection: duckdb.DuckDBPyConnection,
    key: dict[str, Any],
    service_id: str,
    cost_centre_id: str,
) -> tuple[dict[CellKey, Fraction], dict[CellKey, dict[tuple[str, str], Fraction]]]:
    """The share of every pool cell that ends in the charge, in all and by (tower, service)."""
    rows = connection.execute(
        _PATHS_SQL, key | {"service": service_id, "consumer": cost_centre_id}
    ).fetchall()
    shares: dict[CellKey, Fraction] = defaultdict(Fraction)
    paths: dict[CellKey, dict[tuple[str, str], Fraction]] = defaultdict(
        lambda: defaultdict(Fraction)
    )
    for *cell, tower, service, t1, t2, s1, s2, d1, d2, c1, c2 in rows:
        share = Fraction(t1, t2) * Fraction(s1, s2) * Fraction(d1, d2) * Fraction(c1, c2)
        shares[tuple(cell)] += share
        paths[tuple(cell)][tower, service] += share
    return shares, paths


def _find_lines(
    connection: duckdb.DuckDBPyConnection, key: dict[str, Any], shares: dict[CellKey, Fraction]
) -> list[TracedLine]:
    currency = connection.execute("select currency_code from dim_run").fetchone()
    assert currency is not None
    digits = minor_unit_digits(currency[0]) + ENGINE_DIGITS
    rows = connection.execute(
        """
        select cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
            ledger_line_id, source_id, account_id, vendor_name, description, is_balancing, file_id,
            row_number, currency_code, amount_local, service_rule_id, consumer_rule_id, amount_units
        from fct_ledger_lines
        where scenario_id = $scenario and period_id = $period and version = $version
            and disposition = 'allocated'
        """,
        key,
    ).fetchall()
    lines = []
    for (
        pool,
        rule,
        centre,
        tag,
        consumer,
        line_id,
        *rest,
        service_rule,
        consumer_rule,
        units,
    ) in rows:
        share = shares.get((pool, rule, centre, tag, consumer))
        if not share:
            continue
        source, account, vendor, text, balancing, file_id, number, code, local = rest
        amount = Fraction(int(units), 10**digits)
        lines.append(
            TracedLine(
                ledger_line_id=line_id,
                source_id=source,
                account_id=account,
                cost_centre_id=centre,
                vendor_name=vendor,
                description=text,
                cost_pool_id=pool,
                is_balancing=balancing,
                file_id=file_id,
                row_number=number,
                currency_code=code,
                amount_local=local,
                service_rule_id=service_rule,
                consumer_rule_id=consumer_rule,
                line_amount=Decimal(int(units)).scaleb(-digits),
                share=share,
                part=amount * share,
            )
        )
    return lines


def _sum_cells(
    connection: duckdb.DuckDBPyConnection, key: dict[str, Any]
) -> dict[CellKey, Fraction]:
    rows = connection.execute(
        """
        select cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
            sum(amount_units), max(settings.minor_unit_digits)
        from stops.int_cost_pools__cells cross join model.settings as settings
        where scenario_id = $scenario and period_id = $period and version = $version
            and disposition = 'allocated'
        group by all
        """,
        key,
    ).fetchall()
    return {
        tuple(cell): Fraction(int(units), 10 ** (digits + ENGINE_DIGITS))
        for *cell, units, digits in rows
    }


# Every way from a pool cell to the charge with its four shares as integers (part, whole). A line
# that is tagged with its consumer takes no part in the shares of services and consumers; money that
# a rule held goes no further.
_PATHS_SQL = """
with cells as (
    select distinct
        cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id
    from stops.int_cost_pools__cells
    where scenario_id = $scenario and period_id = $period and version = $version
        and disposition = 'allocated' and tower_rule_id is not null
),
tower_shares as (
    select cells.*, weights.receiver_id as tower_id, weights.receiver_disposition,
        weights.weight as t1, weights.weight_total as t2
    from cells
    inner join stops.int_towers__weights as weights
        on cells.tower_rule_id = weights.rule_id and cells.cost_centre_id = weights.sender_id
    where weights.scenario_id = $scenario and weights.period_id = $period
        and weights.version = $version
),
towers as (
    select * exclude (receiver_disposition) from tower_shares
    where receiver_disposition = 'allocated'
),
matched as (
    select towers.*, matches.rule_id,
        coalesce(matches.to_tagged_service, false) as to_tagged_service
    from towers
    inner join stops.int_services__rule_matches as matches
        on towers.tower_id = matches.tower_id and towers.cost_pool_id = matches.cost_pool_id
        and (towers.tagged_service_id is not null) = matches.is_tagged
    where matches.scenario_id = $scenario and matches.period_id = $period
),
service_shares as (
    select matched.*, weights.receiver_id as service_id, weights.receiver_disposition,
        weights.weight as s1, weights.weight_total as s2
    from matched
    inner join stops.int_services__weights as weights
        on matched.rule_id = weights.rule_id and matched.tower_id = weights.sender_id
    where not matched.to_tagged_service
        and weights.scenario_id = $scenario and weights.period_id = $period
        and weights.version = $version
),
services as (
    select * exclude (receiver_disposition) from service_shares
    where receiver_disposition = 'allocated'
    union all
    select *, tagged_service_id as service_id, 1 as s1, 1 as s2
    from matched
    where to_tagged_service
),
delivered as (
    select services.*, ranges.weight as d1, ranges.weight_total as d2
    from services
    inner join stops.int_delivered_services__ranges as ranges
        on services.service_id = ranges.from_service_id
    where services.tagged_consumer_id is null and ranges.to_service_id = $service
        and ranges.scenario_id = $scenario and ranges.period_id = $period
        and ranges.version = $version
    union all
    select *, 1 as d1, 1 as d2
    from services
    where tagged_consumer_id = $consumer and service_id = $service
),
consumer as (
    select sum(weight) as c1, max(weight_total) as c2
    from stops.int_consumers__weights
    where scenario_id = $scenario and period_id = $period and version = $version
        and service_id = $service and receiver_id = $consumer
)
select
    cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
    tower_id, service_id, t1, t2, s1, s2, d1, d2,
    case when tagged_consumer_id is null then coalesce(consumer.c1, 0) else 1 end,
    case when tagged_consumer_id is null then coalesce(consumer.c2, 1) else 1 end
from delivered
cross join consumer
union all
select
    cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
    tower_id, tower_id, t1, t2, 1, 1, 1, 1, 1, 1
from tower_shares
where receiver_disposition = 'unallocated' and $service = '(unallocated)'
union all
select
    cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
    tower_id, service_id, t1, t2, s1, s2, 1, 1, 1, 1
from service_shares
where receiver_disposition = 'unallocated' and $service = '(unallocated)'
"""
