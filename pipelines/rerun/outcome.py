"""What a rerun says, set against what is published: who bears how much more or less, proven.

A figure is what stands on the charge lines: charged to a business unit, at cost or at a price, or
shown to it where the service is a showback. What nobody bears (unallocated, unmapped, idle, out of
scope ...) has rows of its own, and so has what prices leave of the cost or recover above it, so
that the rows sum to what the ledger delivered, before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import ControlError
from pipelines.rerun.engine import PUBLISHED, Rerun

if TYPE_CHECKING:
    import duckdb

CHARGES = "marts.fct_charges_monthly"
CERTIFICATE = "marts.rpt_certificate"
CONSERVATION = "marts.rpt_conservation"
TARGETS = (CHARGES, CERTIFICATE, CONSERVATION)

DETAILS = ("business-unit", "cost-centre", "service")
"""What a row may stand for."""

ZERO = Decimal("0.00")
QUARANTINED = "(quarantined)"
"""Delivered by the ledger and on no charge line: it stands in a row of its own."""
NOT_RECOVERED = "(not_recovered)"
"""Cost without what is charged for it by prices: above zero where they do not recover it."""

Ids = tuple[str, str, str]
"""Business unit, cost centre, service; '(unallocated)' for a unit where nobody bears the cost."""


@dataclass(frozen=True)
class Figures:
    """The charge lines of a scenario and period, summed, in the reporting currency."""

    lines: dict[Ids, Decimal]
    names: dict[str, dict[str, str]]
    """By detail and id."""
    charged: Decimal
    """The part of the cost that is charged; the rest is shown or borne by nobody."""
    delivered: Decimal
    """What the ledger delivered, from the certificate."""

    def sum_by(self, detail: str) -> dict[str, Decimal]:
        """Amounts by business unit, cost centre or service; what nobody bears under its own id."""
        sums: dict[str, Decimal] = {}
        for ids, amount in self.lines.items():
            row = find_row(ids, detail)
            sums[row] = sums.get(row, ZERO) + amount
        return sums

    def sum_parts(self, detail: str) -> dict[str, dict[str, Decimal]]:
        """The same taken apart by the name of the service, of a service by the business unit."""
        other = "business-unit" if detail == "service" else "service"
        sums: dict[str, dict[str, Decimal]] = {}
        for ids, amount in self.lines.items():
            if detail == "service" and is_unborne(ids[0]):
                continue  # No business unit has it.
            own = sums.setdefault(find_row(ids, detail), {})
            part_id = ids[DETAILS.index(other)]
            name = self.name_of(other, part_id) or part_id
            own[name] = own.get(name, ZERO) + amount
        return sums

    def name_of(self, detail: str, item_id: str) -> str:
        return self.names[detail].get(item_id, "")


@dataclass(frozen=True)
class Line:
    """One row of a comparison. `through` names the service that most of its change comes by, of a
    service the business unit."""

    row_id: str
    row_name: str
    before: Decimal
    after: Decimal
    through: str = ""
    through_change: Decimal = ZERO

    @property
    def change(self) -> Decimal:
        return self.after - self.before

    @property
    def is_borne(self) -> bool:
        return not is_unborne(self.row_id)


def add_figures(one: Figures, other: Figures) -> Figures:
    """Both together, such as two periods."""
    lines = dict(one.lines)
    for ids, amount in other.lines.items():
        lines[ids] = lines.get(ids, ZERO) + amount
    names = {detail: one.names[detail] | other.names[detail] for detail in DETAILS}
    return Figures(lines, names, one.charged + other.charged, one.delivered + other.delivered)


def read_published_figures(rerun: Rerun) -> Figures:
    """The figures of the rerun's scope as they are published."""
    return _read_figures(rerun, f"{PUBLISHED}.")


def read_proven_figures(rerun: Rerun) -> Figures:
    """Run what is stale and read it. Raises ControlError where the rerun does not tie."""
    rerun.run(TARGETS)
    for mart, column in ((CERTIFICATE, "amount_cents"), (CONSERVATION, "difference_amount")):
        condition = "side = 'difference' and" if mart == CERTIFICATE else ""
        found = rerun.connection.execute(
            f"select * from {mart} where {condition} {column} <> 0"
        ).fetchall()
        if found:
            raise ControlError(
                f"the rerun does not tie: {mart} expected differences of 0.00, found {found[0]}. "
                "This is a defect, please report it; what is published is not touched."
            )
    figures = _read_figures(rerun, "")
    total = sum(figures.lines.values(), ZERO)
    if total != figures.delivered:
        raise ControlError(
            f"the rerun does not tie: its charge lines sum to {total}, expected "
            f"{figures.delivered} as delivered. This is a defect, please report it."
        )
    return figures


def require_equal_totals(figures: dict[str, Figures]) -> Decimal:
    """What the ledger delivered, the same in all. Raises ControlError where one differs."""
    totals = {name: item.delivered for name, item in figures.items()}
    if len(set(totals.values())) != 1:
        listed = ", ".join(f"{name} {total}" for name, total in totals.items())
        raise ControlError(f"totals expected to be equal, found {listed}; please report it")
    return next(iter(totals.values()))


def compare(before: Figures, after: Figures, detail: str) -> list[Line]:
    """Rows by size of their change, those that nobody bears last."""
    old, new = before.sum_by(detail), after.sum_by(detail)
    old_parts, new_parts = before.sum_parts(detail), after.sum_parts(detail)
    lines = []
    for row in old.keys() | new.keys():
        name = after.name_of(detail, row) or before.name_of(detail, row)
        largest = find_largest(_subtract(new_parts.get(row, {}), old_parts.get(row, {})))
        lines.append(Line(row, name, old.get(row, ZERO), new.get(row, ZERO), *largest))
    return sorted(lines, key=lambda line: (not line.is_borne, -abs(line.change), line.row_id))


def _subtract(after: dict[str, Decimal], before: dict[str, Decimal]) -> dict[str, Decimal]:
    names = after.keys() | before.keys()
    return {name: after.get(name, ZERO) - before.get(name, ZERO) for name in names}


def find_largest(parts: dict[str, Decimal]) -> tuple[str, Decimal]:
    """The name with the largest change, whatever its sign; none where nothing has changed."""
    name = max(sorted(parts), key=lambda item: abs(parts[item]), default="")
    return (name, parts[name]) if name and parts[name] else ("", ZERO)


def find_row(ids: Ids, detail: str) -> str:
    """The row that a charge line counts in."""
    return ids[0] if is_unborne(ids[0]) else ids[DETAILS.index(detail)]


def is_unborne(row_id: str) -> bool:
    """Whether a row is cost that no business unit bears."""
    return row_id.startswith("(")


def _read_figures(rerun: Rerun, catalogue: str) -> Figures:
    assert rerun.scope is not None
    where = rerun.scope.as_condition()
    execute = rerun.connection.execute
    rows = execute(
        "select case when disposition = 'allocated' then business_unit_id "
        "else '(' || disposition || ')' end, business_unit_name, cost_centre_id, "
        "cost_centre_name, service_id, service_name, sum(cost_amount), "
        "sum(case when disposition = 'allocated' "
        "and charging_policy not in ('at_cost', 'showback') "
        "then charged_amount else cost_amount end), sum(charged_amount) "
        f"from {catalogue}{CHARGES} where {where} group by all order by all"
    ).fetchall()
    lines: dict[Ids, Decimal] = {}
    for unit, _, centre, _, service, _, cost, borne, _ in rows:
        lines[unit, centre, service] = borne
        if cost != borne:
            lines[NOT_RECOVERED, centre, service] = cost - borne
    names = {
        detail: {row[2 * place]: row[2 * place + 1] for row in rows}
        for place, detail in enumerate(DETAILS)
    }
    charged = sum((row[-1] for row in rows), ZERO)
    delivered, quarantined = _read_delivered(rerun.connection, catalogue, where)
    if quarantined:
        lines[QUARANTINED, "", ""] = quarantined
    return Figures(lines, names, charged, delivered)


def _read_delivered(
    connection: duckdb.DuckDBPyConnection, catalogue: str, where: str
) -> tuple[Decimal, Decimal]:
    """Cents that the ledger delivered, and of them what is in quarantine or discarded and so on no
    charge line."""
    (amounts,) = connection.execute(
        "select coalesce(sum(amount_cents) filter (term_id = 'delivered'), 0), "
        "coalesce(sum(amount_cents) filter (term_id in ('quarantined', 'discarded')), 0) "
        f"from {catalogue}{CERTIFICATE} where {where} and identity_id = 'ledger'"
    ).fetchall()
    return Decimal(amounts[0]), Decimal(amounts[1])
