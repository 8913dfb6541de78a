"""What every charge line of two periods is charged by: policies, prices, quantities, shares.

Reads what is published, in one query each. Prices are those of the compiled rate card, by which the
audit works out each charge again; what is used at peak and the weights of shares are those that the
build divided by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from pipelines.rerun.charge_terms import Charge, Policy
from pipelines.rerun.engine import PUBLISHED, Scope
from pipelines.warehouse.audit_prices import read_price_terms

if TYPE_CHECKING:
    import duckdb

    from pipelines.rerun.bill_states import LineKey, Split

CHARGES = f"{PUBLISHED}.marts.fct_charges_monthly"


class ChargedLine(NamedTuple):
    """A published charge line of a consumer."""

    cost: Decimal
    charged: Decimal
    quantity: Decimal | None
    unit_code: str | None


@dataclass(frozen=True)
class PeriodFacts:
    """All charge lines of one period and what they are charged by."""

    policies: Mapping[str, Policy]
    """By service; a service that is not there is at cost."""
    lines: Mapping[LineKey, ChargedLine]
    peaks: Mapping[LineKey, Fraction]
    splits: Mapping[str, Split]

    def find_policy(self, line: LineKey) -> Policy:
        """The policy of a line. What no consumer bears has its cost and no price."""
        service, centre = line
        return Policy() if centre.startswith("(") else self.policies.get(service, Policy())

    def has_price(self, service_id: str) -> bool:
        """Whether a service is charged another amount than its cost."""
        return self.policies.get(service_id, Policy()).has_price

    def find_charge(self, line: LineKey) -> Charge:
        """The facts of a line, also of one that is not there."""
        policy, found = self.find_policy(line), self.lines.get(line)
        if found is None:
            return Charge(policy)
        split = self.splits.get(line[0])
        weights = (
            {
                centre: receiver.weight
                for centre, receiver in (split.outside.items() if split else ())
                if not centre.startswith("(")
            }
            if policy.fixed_per == "period"
            else {}
        )
        return Charge(
            policy,
            True,
            found.cost,
            found.quantity or Decimal(0),
            self.peaks.get(line, Fraction(0)),
            weights.get(line[1], Fraction(0)),
            sum(weights.values(), Fraction(0)),
        )


def read_facts(
    connection: duckdb.DuckDBPyConnection,
    scopes: tuple[Scope, Scope],
    splits: tuple[Mapping[str, Split], Mapping[str, Split]],
) -> tuple[PeriodFacts, PeriodFacts]:
    """The facts of both periods, before and after."""
    cards = read_price_terms(connection, f"{PUBLISHED}.")
    before, after = (
        _read_period(connection, scope, own) for scope, own in zip(scopes, splits, strict=True)
    )
    found = []
    for scope, facts in zip(scopes, (before, after), strict=True):
        policies = {
            service: replace(policy, card=cards.get((service, scope.period_id)))
            for service, policy in facts.policies.items()
        }
        found.append(replace(facts, policies=policies))
    return found[0], found[1]


def _read_period(
    connection: duckdb.DuckDBPyConnection, scope: Scope, splits: Mapping[str, Split]
) -> PeriodFacts:
    policies = {
        service: Policy(kind, percent, amount, per)
        for service, kind, percent, amount, per in connection.execute(
            "select service_id, charging_policy, percent, fixed_amount, fixed_per "
            f"from {PUBLISHED}.stops.int_charges__policies where period_id = ? order by all",
            [scope.period_id],
        ).fetchall()
    }
    lines = {
        (service, centre): ChargedLine(cost, charged, quantity, unit)
        for service, centre, cost, charged, quantity, unit in connection.execute(
            "select service_id, cost_centre_id, sum(cost_amount), sum(charged_amount), "
            f"sum(quantity), max(unit_code) from {CHARGES} where {scope.as_condition()} "
            "and disposition = 'allocated' group by all order by all"
        ).fetchall()
    }
    peaks = {}
    for service, centre, peak, delivered in connection.execute(
        "select usage.service_id, usage.receiver_id, sum(usage.peak_quantity), sum(usage.quantity) "
        f"from {PUBLISHED}.metering.met_service_usage as usage "
        f"inner join {PUBLISHED}.model.services as services using (service_id, unit_code) "
        f"inner join {PUBLISHED}.model.drivers as drivers "
        "on services.driver_id = drivers.driver_id and drivers.driver_kind = 'service_usage' "
        f"where usage.receiver_kind = 'consumer' and {scope.as_condition()} "
        "group by all having sum(usage.peak_quantity) <> 0 order by all"
    ).fetchall():
        line = lines.get((service, centre))
        used = Fraction(line.quantity or 0) if line else Fraction(0)
        # Of another quantity than was delivered the same part is at peak, as the build has it.
        part = Fraction(peak) / Fraction(delivered) if delivered else Fraction(0)
        peaks[service, centre] = used * part
    return PeriodFacts(policies, lines, peaks, splits)
