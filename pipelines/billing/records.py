"""The figures of one statement, as read from the marts: frozen, typed, nothing formatted.

Every amount is a Decimal in the reporting currency. Charged amounts have cents, as published;
quantities and rates keep the precision of the marts and are rounded only where they are shown.
The records can be pickled, so a statement may be rendered in another process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from pipelines.workspace.materiality import USUAL_MATERIALITY, Materiality

ZERO = Decimal("0.00")

POLICY_SHOWBACK = "showback"
FINAL_STATES = ("closed",)
CHARGE = "charge"
ITEM_KINDS = {
    CHARGE: "Charges",
    "correction": "Credit and debit notes",
    "adjustment": "Adjustments",
    "service_credit": "Service credits",
    "mark_up": "Mark-up between legal entities",
    "tax": "Tax",
    "true_up": "True-up of the fiscal year",
}
"""What a bill may be made of (`item_kind`), in the order in which a statement shows it."""


class BillScope(NamedTuple):
    """What the bills of a period are found by in the marts."""

    scenario_id: str
    period_id: str
    version: int


@dataclass(frozen=True)
class RunStamp:
    """The run that published the figures. `built_at` is UTC."""

    run_id: str
    built_at: datetime
    workspace_name: str
    currency_code: str
    code_version: str
    fingerprint: str


@dataclass(frozen=True)
class Period:
    """A period of the fiscal calendar; `end` is exclusive."""

    period_id: str
    name: str
    start: date
    end: date
    state: str

    @property
    def is_final(self) -> bool:
        """Whether the figures can no longer change."""
        return self.state.lower() in FINAL_STATES


@dataclass(frozen=True)
class Recipient:
    """The business unit that is billed."""

    business_unit_id: str
    name: str
    division_name: str | None


@dataclass(frozen=True)
class Confidence:
    """A cost by the worst that it rests on, on its whole way; the four sum to the cost."""

    measured: Decimal = ZERO
    estimated: Decimal = ZERO
    stale: Decimal = ZERO
    fallback: Decimal = ZERO

    def __add__(self, other: Confidence) -> Confidence:
        return Confidence(
            self.measured + other.measured,
            self.estimated + other.estimated,
            self.stale + other.stale,
            self.fallback + other.fallback,
        )

    @property
    def total(self) -> Decimal:
        """The cost."""
        return self.measured + self.estimated + self.stale + self.fallback


@dataclass(frozen=True)
class StatementLine:
    """What one cost centre pays for one service (or, as showback, would have cost)."""

    cost_centre_id: str
    cost_centre_name: str
    legal_entity_id: str | None
    service_id: str
    service_name: str
    charging_policy: str | None
    driver_name: str | None
    driver_quality: str | None
    quantity: Decimal | None
    unit_code: str | None
    unit_name: str | None
    unit_rate: Decimal | None
    charged_amount: Decimal
    cost_amount: Decimal
    previous_charged_amount: Decimal | None
    budget_amount: Decimal | None
    confidence: Confidence

    @property
    def is_showback(self) -> bool:
        """Shown for information; its cost is not charged."""
        return self.charging_policy == POLICY_SHOWBACK


@dataclass(frozen=True)
class BillItem:
    """What is billed besides charges: a note, an adjustment, tax. A credit is negative.

    `origin_period_id` is the period that it belongs to, where that is another one, and
    `origin_number` the statement that it corrects; `reference_id` what it was decided or counted
    by. Any of them may be empty.
    """

    item_id: str
    kind: str
    service_id: str
    service_name: str
    cost_centre_id: str
    cost_centre_name: str
    legal_entity_id: str | None
    origin_period_id: str | None
    origin_number: str | None
    reference_id: str | None
    reason: str | None
    amount: Decimal


@dataclass(frozen=True)
class KindAmount:
    """The part of the total that is of one kind of item."""

    kind: str
    title: str
    count: int
    amount: Decimal


@dataclass(frozen=True)
class ServiceSummary:
    """One service over all cost centres of the unit.

    `quantity` and `unit_name` are None where the lines do not share a unit. `unit_rate` is None
    where there is none or, with `has_various_rates`, more than one; rates that read the same are
    one, that of the line with the largest quantity. `previous_amount` and `budget_amount` are None
    where there is nothing to compare with.
    """

    service_id: str
    service_name: str
    quantity: Decimal | None
    unit_name: str | None
    unit_rate: Decimal | None
    has_various_rates: bool
    amount: Decimal
    previous_amount: Decimal | None
    budget_amount: Decimal | None


@dataclass(frozen=True)
class LegalEntityAmount:
    """The part of the total that a legal entity of the unit bears."""

    legal_entity_id: str
    legal_entity_name: str
    amount: Decimal


@dataclass(frozen=True)
class PoolAmount:
    """What the charged services cost in a pool. `exact_amount` is the engine's; `amount` has
    cents, dealt so that the pools of a service sum to its cost."""

    cost_pool_id: str
    cost_pool_name: str
    exact_amount: Decimal
    amount: Decimal


@dataclass(frozen=True)
class ServiceCost:
    """What a charged service costs, by pool (in cents), beside what is charged for it."""

    service_id: str
    service_name: str
    parts: dict[str, Decimal]
    """By cost pool; they sum to `cost`."""
    cost: Decimal
    charged: Decimal

    @property
    def recovery(self) -> Decimal:
        """What is charged above its cost (over-recovery), or below (negative)."""
        return self.charged - self.cost


@dataclass(frozen=True)
class ServiceBridge:
    """Why the charges of one service changed; the terms sum to the change."""

    service_id: str
    service_name: str
    before: Decimal
    after: Decimal
    terms: dict[str, Decimal]


@dataclass(frozen=True)
class BridgeTerm:
    """One cause of a change. `told` names what it is mostly made of; it may be empty."""

    term_id: str
    name: str
    amount: Decimal
    told: str


@dataclass(frozen=True)
class RecoveryTerm:
    """A row of what happened to the recovery: charged minus cost of what is charged at a price."""

    name: str
    amount: Decimal
    is_total: bool = False


@dataclass(frozen=True)
class Bridge:
    """Why the total changed since the period before: `before` + terms = `after`, to the cent."""

    before_name: str
    before: Decimal
    after: Decimal
    terms: tuple[BridgeTerm, ...]
    services: tuple[ServiceBridge, ...]
    recovery: tuple[RecoveryTerm, ...] = ()
    """From the recovery of the period before to that of this one; empty where nothing has a
    price. It is no part of the total."""


@dataclass(frozen=True)
class Closing:
    """How the books sealed the period: what a statement of it can be checked against."""

    close_number: int
    manifest_hash: str
    closed_at: str
    approved_by: str
    head_number: int
    head_hash: str
    """The newest close when the statement was written: the head of the chain."""


@dataclass(frozen=True)
class ServiceQuality:
    """Service levels of one service in the period, over all of its consumers."""

    service_id: str
    service_name: str
    owner_name: str | None
    owner_email: str | None
    availability_share: Decimal | None
    availability_target_share: Decimal | None
    sla_attainment_share: Decimal | None
    sla_attainment_target_share: Decimal | None
    ticket_count: int | None
    outage_minutes: Decimal | None


@dataclass(frozen=True)
class CertificateTerm:
    """One term of an identity. `side` is 'left', 'right' or 'difference'."""

    term_id: str
    term_name: str
    side: str
    amount: Decimal
    amount_cents: Decimal


@dataclass(frozen=True)
class CertificateIdentity:
    """One equation of the certificate, over the whole company."""

    identity_id: str
    identity_name: str
    terms: tuple[CertificateTerm, ...]

    @property
    def difference(self) -> Decimal | None:
        """The published difference at full precision; None where the mart has no such term."""
        found = [term.amount for term in self.terms if term.side == "difference"]
        return sum(found, Decimal(0)) if found else None


@dataclass(frozen=True)
class Comparison:
    """Something that the total is held against; `charged` is the part of it that is charges."""

    name: str
    amount: Decimal
    charged: Decimal


@dataclass(frozen=True)
class ReplacedVersion:
    """The version of this statement that the present one takes the place of."""

    version: int
    total: Decimal


@dataclass(frozen=True)
class Reassignment:
    """A cost centre that changed its business unit. `kind`:

    'joined' since the period before, 'left' since the period before, 'moved_later' after this
    period. `other_unit_name` is the unit on the other side, `amount` is what the cost centre
    was charged: in this period, and for 'left' in the period before.
    """

    kind: str
    cost_centre_id: str
    cost_centre_name: str
    other_unit_name: str
    amount: Decimal


@dataclass(frozen=True)
class Statement:
    """A statement of one business unit and period.

    Guaranteed by `make_statement`: `total` is the sum of the unit's rows in
    fct_bill_items_monthly; `kinds` and `legal_entities` sum to it, and so do the charged lines
    and `items` together; `services` sum to the charges, to `previous.charged` and to
    `budget.charged`; `service_costs` have their charges, and their pools sum to their costs.
    """

    number: str
    scenario_id: str
    version: int
    run: RunStamp
    period: Period
    closing: Closing | None
    issuer_name: str
    recipient: Recipient
    lines: tuple[StatementLine, ...]
    items: tuple[BillItem, ...]
    kinds: tuple[KindAmount, ...]
    charged: Decimal
    total: Decimal
    showback_total: Decimal
    previous: Comparison | None
    budget: Comparison | None
    bridge: Bridge | None
    why_no_bridge: str
    """Empty where there is one."""
    services: tuple[ServiceSummary, ...]
    showback_services: tuple[ServiceSummary, ...]
    legal_entities: tuple[LegalEntityAmount, ...]
    pools: tuple[PoolAmount, ...]
    service_costs: tuple[ServiceCost, ...]
    confidence: Confidence
    quality: tuple[ServiceQuality, ...]
    certificate: tuple[CertificateIdentity, ...]
    certificate_id: str
    replaced: ReplacedVersion | None
    reassignments: tuple[Reassignment, ...]
    comparable: Comparison | None = None
    """The period before with the cost centres of this one; None where they are the same."""
    missing: str = ""
    """What is missing in this period or in the one before, of which nothing is a rise or a fall."""
    materiality: Materiality = USUAL_MATERIALITY

    @property
    def charged_lines(self) -> tuple[StatementLine, ...]:
        """The lines that make up the total."""
        return tuple(line for line in self.lines if not line.is_showback)

    @property
    def showback_lines(self) -> tuple[StatementLine, ...]:
        """The lines that are shown but not charged."""
        return tuple(line for line in self.lines if line.is_showback)

    @property
    def recovery(self) -> Decimal:
        """What the charges are above (or, negative, below) the cost of their services."""
        return sum_amounts([service.recovery for service in self.service_costs])

    @property
    def is_final(self) -> bool:
        """Whether this is what is owed: of a closed period, and of no other scenario."""
        return self.period.is_final and self.scenario_id == "actual"

    @property
    def currency_code(self) -> str:
        """Currency of every amount."""
        return self.run.currency_code

    @property
    def is_certified(self) -> bool:
        """Whether there is a certificate and every identity of it has the difference zero."""
        return bool(self.certificate) and all(
            identity.difference == 0 for identity in self.certificate
        )


def sum_amounts(amounts: Iterable[Decimal]) -> Decimal:
    """Sum with cents kept, also of nothing."""
    return sum(amounts, ZERO)
