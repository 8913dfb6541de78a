"""Which bill a bridge explains: a charge, all of a service, or all of a cost centre or unit.

A business unit has the cost centres that the master gives it in each of the two periods, which are
not the same where the organisation changed. Figures are those of bill lines as published: what is
charged, and the cost of what is shown where a service is a showback, or borne by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from pipelines.errors import UsageError
from pipelines.rerun.engine import PUBLISHED, Scope

if TYPE_CHECKING:
    import duckdb

    from pipelines.rerun.bill_states import LineKey

CHARGES = f"{PUBLISHED}.marts.fct_charges_monthly"
CENTRES = f"{PUBLISHED}.marts.dim_cost_centres"
NO_PRICE = ("at_cost", "showback")


@dataclass(frozen=True)
class Wanted:
    """What is asked for: a service, a consumer, or both."""

    service_id: str | None = None
    cost_centre_id: str | None = None
    business_unit_id: str | None = None


class Charge(NamedTuple):
    """A published bill line. What nobody bears has names in brackets."""

    service_id: str
    service_name: str
    cost_centre_id: str
    cost_centre_name: str
    cost_amount: Decimal
    charging_policy: str
    charged_amount: Decimal

    @property
    def has_price(self) -> bool:
        """Whether it is charged another amount than its cost; what nobody bears is not charged."""
        return self.charging_policy not in NO_PRICE and not self.cost_centre_id.startswith("(")

    @property
    def bill_amount(self) -> Decimal:
        """The price where one is charged, else the cost, also of what is shown."""
        return self.charged_amount if self.has_price else self.cost_amount

    @property
    def line(self) -> LineKey:
        return self.service_id, self.cost_centre_id


@dataclass(frozen=True)
class Bill:
    """The published lines of the bill in one period."""

    charges: tuple[Charge, ...]

    @property
    def costs(self) -> dict[LineKey, Decimal]:
        """Cost by line."""
        return _sum_lines((item.line, item.cost_amount) for item in self.charges)

    @property
    def amounts(self) -> dict[LineKey, Decimal]:
        """What the bill says, by line."""
        return _sum_lines((item.line, item.bill_amount) for item in self.charges)

    @property
    def shown(self) -> Decimal:
        """The part that is shown and not charged."""
        return sum(
            (item.cost_amount for item in self.charges if item.charging_policy == "showback"),
            Decimal(0),
        )


def _sum_lines(amounts: Iterable[tuple[LineKey, Decimal]]) -> dict[LineKey, Decimal]:
    sums: dict[LineKey, Decimal] = {}
    for line, amount in amounts:
        sums[line] = sums.get(line, Decimal(0)) + amount
    return sums


@dataclass(frozen=True)
class Subject:
    """What is explained, by name, with its published bills."""

    wanted: Wanted
    service_name: str
    """Empty where all services are meant."""
    consumer_name: str
    """Of the cost centre or business unit; empty where all consumers are meant."""
    members_before: frozenset[str] | None
    """Cost centres of the business unit in the other period; None where no unit is meant."""
    members_after: frozenset[str] | None
    before: Bill
    after: Bill

    @property
    def is_showback(self) -> bool:
        """Whether all of it is shown and nothing charged."""
        charges = self.before.charges + self.after.charges
        return all(item.charging_policy == "showback" for item in charges)

    def wants_before(self, line: LineKey) -> bool:
        """Whether a line is in the bill of the other period."""
        return _wants(self.wanted, line, self.members_before)

    def wants_after(self, line: LineKey) -> bool:
        """Whether a line is in the bill that is explained."""
        return _wants(self.wanted, line, self.members_after)

    @property
    def part_names(self) -> dict[str, str]:
        """Names of what the bill is made of: services, or the consumers of one service."""
        charges = self.before.charges + self.after.charges
        if self.wanted.service_id is None:
            return {item.service_id: item.service_name for item in charges}
        return {item.cost_centre_id: item.cost_centre_name for item in charges}


def find_subject(
    connection: duckdb.DuckDBPyConnection, scope: Scope, against: Scope, wanted: Wanted
) -> Subject:
    """The bill that is wanted. Raises UsageError where it is in neither period."""
    if wanted == Wanted():
        raise UsageError(
            "expected the bill to explain: --service, --cost-centre or --business-unit, or a "
            "service together with one of the two"
        )
    if wanted.cost_centre_id is not None and wanted.business_unit_id is not None:
        raise UsageError("--cost-centre and --business-unit exclude each other")
    members = [_read_members(connection, item.period_id, wanted) for item in (against, scope)]
    every = [_read_charges(connection, item) for item in (against, scope)]
    bills = [
        Bill(tuple(item for item in charges if _wants(wanted, item.line, own)))
        for charges, own in zip(every, members, strict=True)
    ]
    charges = bills[0].charges + bills[1].charges
    if not charges:
        raise UsageError(
            f"no charge of {_say_wanted(wanted)} in {against.period_id} or {scope.period_id}: "
            + _list_known(connection, every[0] + every[1], wanted)
        )
    last = charges[-1]
    consumer = last.cost_centre_name if wanted.cost_centre_id is not None else ""
    if wanted.business_unit_id is not None:
        consumer = _read_unit_name(connection, wanted.business_unit_id)
    service = last.service_name if wanted.service_id is not None else ""
    return Subject(wanted, service, consumer, members[0], members[1], bills[0], bills[1])


def _wants(wanted: Wanted, line: LineKey, members: frozenset[str] | None) -> bool:
    service, centre = line
    return (
        wanted.service_id in (None, service)
        and wanted.cost_centre_id in (None, centre)
        and (members is None or centre in members)
    )


def _read_charges(connection: duckdb.DuckDBPyConnection, scope: Scope) -> list[Charge]:
    rows = connection.execute(
        "select service_id, service_name, cost_centre_id, cost_centre_name, cost_amount, "
        f"charging_policy, charged_amount from {CHARGES} where {scope.as_condition()} order by all"
    ).fetchall()
    return [Charge(*row) for row in rows]


def _read_members(
    connection: duckdb.DuckDBPyConnection, period_id: str, wanted: Wanted
) -> frozenset[str] | None:
    """Cost centres of the business unit as fct_charges_monthly sees them in a period."""
    if wanted.business_unit_id is None:
        return None
    units = read_units(connection, period_id)
    return frozenset(centre for centre, unit in units.items() if unit == wanted.business_unit_id)


def read_units(connection: duckdb.DuckDBPyConnection, period_id: str) -> dict[str, str]:
    """Business unit by cost centre, as fct_charges_monthly sees them in a period."""
    rows = connection.execute(
        f"select centres.cost_centre_id, centres.business_unit_id from {CENTRES} as centres "
        f"inner join {PUBLISHED}.model.periods as periods on periods.period_id = ? "
        "and centres.valid_from < periods.period_end "
        "and (centres.valid_to is null or centres.valid_to > periods.period_start) "
        "qualify row_number() over ("
        "partition by centres.cost_centre_id order by centres.valid_from) = 1",
        [period_id],
    ).fetchall()
    return dict(rows)


def _read_unit_name(connection: duckdb.DuckDBPyConnection, business_unit_id: str) -> str:
    (name,) = connection.execute(
        f"select business_unit_name from {CENTRES} where business_unit_id = ? "
        "order by valid_from desc, cost_centre_id limit 1",
        [business_unit_id],
    ).fetchall()[0]
    return str(name)


def _say_wanted(wanted: Wanted) -> str:
    options = (
        ("--service", wanted.service_id),
        ("--cost-centre", wanted.cost_centre_id),
        ("--business-unit", wanted.business_unit_id),
    )
    return " and ".join(f"{name} '{value}'" for name, value in options if value is not None)


def _list_known(
    connection: duckdb.DuckDBPyConnection, charges: list[Charge], wanted: Wanted
) -> str:
    services = sorted({item.service_id for item in charges})
    if wanted.service_id is not None and wanted.service_id not in services:
        return f"services are {', '.join(services)}"
    if wanted.business_unit_id is not None:
        units = connection.execute(
            f"select distinct business_unit_id from {CENTRES} order by all"
        ).fetchall()
        return f"business units are {', '.join(unit for (unit,) in units)}"
    centres = {item.cost_centre_id for item in charges if wanted.service_id in (None, item[0])}
    return f"consumers are {', '.join(sorted(centres))}"
