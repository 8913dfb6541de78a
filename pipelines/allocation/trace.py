"""Trace a charge back to the source lines that it is made of.

A traced part is the source amount times the product of the shares along the path, as an exact
fraction, so that the parts do not depend on the end from which one looks and never divide by an
amount (a pool may net to zero). The engine rounds at every stop to a millionth of a cent and makes
cents once; one row 'rounding' makes the parts the line, to the cent.

Reads the published file for weights and lines, and the lake for the records behind lines that the
build had summed (cloud bills). The other direction is `source_trace`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pipelines.allocation.money_paths import (
    Cell,
    End,
    Figures,
    Way,
    find_ends,
    find_known_consumers,
    find_receivers,
    find_ways,
)
from pipelines.errors import UsageError
from pipelines.money import ENGINE_DIGITS, minor_unit_digits

if TYPE_CHECKING:
    import duckdb

PART_DECIMALS = 8


@dataclass(frozen=True)
class TracedLine:
    """One cost line and the part of it that is in the charge."""

    ledger_line_id: str
    source_id: str
    account_id: str
    cell: Cell
    """Cost pool, tower rule, cost centre and tags: what its share depends on."""
    vendor_name: str | None
    description: str | None
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
    """A charge line and everything that its cost is made of; parts + rounding = amount, the cost.
    What is charged for it may be another amount."""

    period_id: str
    scenario_id: str
    version: int
    service_id: str
    service_name: str
    cost_centre_id: str
    cost_centre_name: str
    disposition: str
    amount: Decimal
    currency_code: str
    driver_name: str | None
    quantity: Decimal | None
    unit_code: str | None
    lines: tuple[TracedLine, ...]
    paths: tuple[tuple[str, str, str, Fraction], ...]
    """(cost pool, tower, direct service, part), largest first."""
    ways: tuple[tuple[Way, Fraction], ...]
    """The ways that reach it, each with the share of its cell that does."""
    rounding: Fraction
    charged_amount: Decimal = Decimal("0.00")
    """What is charged for the line: its cost where it is at cost, 0 for showback."""
    charging_policy: str = "at_cost"


def trace_charge(
    connection: duckdb.DuckDBPyConnection,
    period_id: str,
    service_id: str,
    cost_centre_id: str,
    scenario_id: str = "actual",
) -> Trace:
    """Trace one charge line, or an end in brackets such as '(unallocated)'.

    Raises UsageError if there is no such line, naming what there is.
    """
    charge = _find_charge(connection, scenario_id, period_id, service_id, cost_centre_id)
    figures = Figures(scenario_id, period_id, charge["version"])
    end = End(service_id, cost_centre_id, charge["disposition"])
    reaching = _find_reaching(connection, figures, end)
    shares: dict[Cell, Fraction] = defaultdict(Fraction)
    for way, share in reaching:
        shares[way.cell] += share
    lines = _find_lines(connection, figures, shares)
    cell_amounts: dict[Cell, Fraction] = defaultdict(Fraction)
    for line in lines:
        cell_amounts[line.cell] += Fraction(line.line_amount)
    totals: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for way, share in reaching:
        names = (way.cell.cost_pool_id, way.tower_id, way.direct_service_id)
        totals[names] += share * cell_amounts[way.cell]
    paths = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))
    return Trace(
        period_id=period_id,
        scenario_id=scenario_id,
        version=figures.version,
        service_id=service_id,
        service_name=charge["service_name"],
        cost_centre_id=cost_centre_id,
        cost_centre_name=charge["cost_centre_name"],
        disposition=charge["disposition"],
        amount=charge["cost_amount"],
        currency_code=charge["currency_code"],
        driver_name=charge["driver_name"],
        quantity=charge["quantity"],
        unit_code=charge["unit_code"],
        lines=tuple(sorted(lines, key=lambda line: (-abs(line.part), line.ledger_line_id))),
        paths=tuple((*names, part) for names, part in paths),
        ways=tuple(reaching),
        rounding=Fraction(charge["cost_amount"]) - sum((n.part for n in lines), Fraction(0)),
        charged_amount=charge["charged_amount"],
        charging_policy=charge["charging_policy"],
    )


def to_decimal(value: Fraction, decimals: int = PART_DECIMALS) -> Decimal:
    """A fraction as a decimal, rounded half away from zero; exact however large it is."""
    scaled = abs(value) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(f"{'-' if value < 0 else ''}{whole}e-{decimals}")


def count_unit_digits(connection: duckdb.DuckDBPyConnection) -> int:
    """Decimals of an engine unit in the reporting currency: 8 for EUR."""
    row = connection.execute("select currency_code from dim_run").fetchone()
    assert row is not None
    return minor_unit_digits(row[0]) + ENGINE_DIGITS


def _find_charge(
    connection: duckdb.DuckDBPyConnection,
    scenario_id: str,
    period_id: str,
    service_id: str,
    cost_centre_id: str,
) -> dict[str, Any]:
    result = connection.execute(
        """
        select version, disposition, service_name, cost_centre_name, cost_amount, driver_name,
            charged_amount, charging_policy, quantity, unit_code,
            (select currency_code from dim_run) as currency_code
        from fct_charges_monthly
        where scenario_id = ? and period_id = ? and service_id = ? and cost_centre_id = ?
        order by disposition
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


def _find_reaching(
    connection: duckdb.DuckDBPyConnection, figures: Figures, end: End
) -> list[tuple[Way, Fraction]]:
    """The ways that reach a charge line, with the share of their cell that does."""
    receivers = find_receivers(connection, figures, end.service_id)
    known = find_known_consumers(connection, figures.period_id)
    ways = find_ways(connection, figures, service_id=end.service_id)
    found = [
        (way, way.share * find_ends(way, receivers, known).get(end, Fraction(0))) for way in ways
    ]
    return [(way, share) for way, share in found if share]


def _find_lines(
    connection: duckdb.DuckDBPyConnection, figures: Figures, shares: dict[Cell, Fraction]
) -> list[TracedLine]:
    digits = count_unit_digits(connection)
    rows = connection.execute(
        """
        select cost_pool_id, tower_rule_id, cost_centre_id, tagged_service_id, tagged_consumer_id,
            ledger_line_id, source_id, account_id, vendor_name, description, is_balancing, file_id,
            row_number, currency_code, amount_local, service_rule_id, consumer_rule_id, amount_units
        from fct_ledger_lines
        where scenario_id = $scenario_id and period_id = $period_id and version = $version
        """,
        figures._asdict(),
    ).fetchall()
    lines = []
    for row in rows:
        cell = Cell(*row[:5])
        share = shares.get(cell)
        if not share:
            continue
        line_id, source, account, vendor, text, balancing, file_id, number, code, local = row[5:15]
        service_rule, consumer_rule, units = row[15:]
        amount = Decimal(f"{int(units)}e-{digits}")
        lines.append(
            TracedLine(
                ledger_line_id=line_id,
                source_id=source,
                account_id=account,
                cell=cell,
                vendor_name=vendor,
                description=text,
                is_balancing=balancing,
                file_id=file_id,
                row_number=number,
                currency_code=code,
                amount_local=local,
                service_rule_id=service_rule,
                consumer_rule_id=consumer_rule,
                line_amount=amount,
                share=share,
                part=Fraction(amount) * share,
            )
        )
    return lines
