"""The pages on money: the certificate, and what each business unit is billed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from pipelines.close.evidence_pack.frozen_figures import FrozenFigures
from pipelines.close.evidence_pack.records import Page, Row, Section, Table

NOTHING = Decimal("0.00")
ITEMS = "marts.fct_bill_items_monthly"

CURRENCIES = "marts.rpt_delivered_currencies"
CURRENCY_COLUMNS = (
    *("currency_code", "delivered_record_count", "counted_record_count"),
    *("quarantined_record_count", "discarded_record_count", "unreadable_record_count"),
    *("delivered_amount_local", "counted_amount_local", "quarantined_amount_local"),
    *("discarded_amount_local", "exchange_rate", "delivered_amount"),
)

KIND_NAMES = {
    "charge": "Charges",
    "correction": "Credit and debit notes",
    "adjustment": "Adjustments",
    "service_credit": "Service credits",
    "mark_up": "Mark-up",
    "tax": "Tax",
    "true_up": "True-up",
}

NOTE_COLUMNS = (
    *("kind", "business_unit_id", "cost_centre_id", "service_id", "origin_period"),
    *("origin_version", "origin_charge_id", "reference", "reason", "amount"),
)


def make_certificate(figures: FrozenFigures, currency: str) -> Page:
    """The identities that say that nothing was lost, each with its difference."""
    rows = figures.read_period(
        "marts.rpt_certificate",
        "identity_id, identity_name, term_order, term_id, term_name, side, amount, amount_cents",
        "identity_id, term_order, term_id",
    )
    differences = [row[7] for row in rows if row[5] == "difference"]
    summary = (
        f"{len(differences)} identities, each with the difference 0.00."
        if differences and not any(differences)
        else f"{sum(bool(item) for item in differences)} of {len(differences)} identities differ."
    )
    columns = ("identity", "side", "term", f"{currency}_exact", f"{currency}_cents")
    sections = [
        Section(
            "How to read it",
            (
                "Each identity is a sum: what stands on the left side equals the sum of what "
                "stands on the right. The line 'difference' is left less right. Amounts are exact "
                "to eight decimals; the last column has the cents that are charged.",
            ),
        )
    ]
    for identity in dict.fromkeys(row[0] for row in rows):
        own = [row for row in rows if row[0] == identity]
        lines: list[Row] = [(row[1], row[5], row[4], row[6], row[7]) for row in own]
        file = f"certificate_{identity}.csv"
        table = Table(columns, tuple(lines), numeric=(3, 4), file=file)
        sections.append(Section(own[0][1], table=table))
    sections += _make_currencies(figures)
    return Page("certificate", "Certificate", summary, tuple(sections))


def _make_currencies(figures: FrozenFigures) -> tuple[Section, ...]:
    """What was delivered in its own currency; none where an earlier version froze the period."""
    if not figures.has(CURRENCIES):
        return ()
    rows = figures.read_period(CURRENCIES, ", ".join(CURRENCY_COLUMNS), "currency_code")
    table = Table(
        CURRENCY_COLUMNS,
        tuple(rows),
        numeric=tuple(range(1, len(CURRENCY_COLUMNS))),
        file="delivered_currencies.csv",
    )
    said = (
        "Records and amounts of the control total as its files name them. What is in quarantine or "
        "discarded is delivered and does not count. A record without a readable amount is in the "
        "counts and in no amount; a currency without a rate is in no amount of the certificate."
    )
    return (Section("Delivered, by currency", (said,), table),)


def make_bills(figures: FrozenFigures, currency: str) -> Page:
    """What each business unit pays, by kind of item, and that it ties to the certificate."""
    items = figures.read_period(
        ITEMS,
        "business_unit_id, business_unit_name, item_kind, amount",
        "business_unit_id, item_kind, bill_item_id",
    )
    kinds = [kind for kind in KIND_NAMES if any(row[2] == kind for row in items)]
    kinds += sorted({row[2] for row in items} - set(kinds))
    units = dict.fromkeys((row[0], row[1]) for row in items)
    sums = {
        (unit, kind): _add(row[3] for row in items if row[:3] == (*unit, kind))
        for unit in units
        for kind in kinds
    }
    rows: list[Row] = [
        (*unit, *(sums[unit, kind] for kind in kinds), _add(sums[unit, kind] for kind in kinds))
        for unit in units
    ]
    totals = [_add(sums[unit, kind] for unit in units) for kind in kinds]
    total = _add(totals)
    if rows:
        rows.append(("", "All", *totals, total))
    columns = ("business_unit_id", "business_unit", *(_name(kind) for kind in kinds), "billed")
    numeric = tuple(range(2, len(columns)))
    table = Table(columns, tuple(rows), numeric=numeric, file="bills.csv")
    ties, sentence = _tie(figures, total, currency)
    summary = f"{len(units)} business units are billed {total:,.2f} {currency}; {ties}."
    intro = f"Amounts in {currency}. {sentence}"
    notes = _make_notes(figures)
    return Page("bills", "Bills", summary, (Section("By business unit", (intro,), table), *notes))


def _make_notes(figures: FrozenFigures) -> tuple[Section, ...]:
    """Every item of a bill that is no charge of the period itself."""
    rows = figures.read_period(
        ITEMS,
        "item_kind, business_unit_id, cost_centre_id, service_id, origin_period_id, "
        "origin_version, origin_charge_id, reference_id, reason, amount",
        "item_kind, business_unit_id, bill_item_id",
    )
    others = tuple(row for row in rows if row[0] != "charge")
    table = Table(NOTE_COLUMNS, others, numeric=(9,), file="bill_items_other_than_charges.csv")
    said = "Credit and debit notes, adjustments and what else stands on the bills beside charges."
    return (Section("Items other than charges", (said,), table),)


def _tie(figures: FrozenFigures, total: Decimal, currency: str) -> tuple[str, str]:
    rows = figures.read(
        "select sum(amount_cents) from marts.rpt_certificate where scenario_id = 'actual' "
        "and period_id = $period and identity_id = 'billed' and term_id = 'billed'"
    )
    billed = rows[0][0]
    if not figures.has(ITEMS) or billed is None:
        return "an earlier version froze no items", "The items of bills were not frozen then."
    difference = total - billed
    said = (
        f"The certificate has {billed:,.2f} {currency} billed, the items sum to {total:,.2f}: "
        f"difference {difference:,.2f}."
    )
    return ("it ties to the certificate" if not difference else "IT DOES NOT TIE"), said


def _add(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, NOTHING)


def _name(kind: str) -> str:
    return KIND_NAMES.get(kind, kind).lower().replace(" ", "_").replace("-", "_")
