"""The general ledger of IT, month by month, and the budget beside it.

Amounts are integers in cents of the line's currency. What the ledger books follows from the
items (contracts and teams), the assets (depreciation) and the cloud bill (account 6410).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from pipelines.sample_company.assets import DEPRECIATION_ACCOUNTS, depreciation_by_line
from pipelines.sample_company.basics import (
    BUDGET_MONTHS,
    Month,
    Row,
    Settings,
    divide_half_up,
    format_cents,
    month_of,
    scale_figure,
)
from pipelines.sample_company.cloud import PROVIDER, SUPPORT_FEE_CENTS
from pipelines.sample_company.company import (
    BUSINESS_CENTRES,
    BUSINESS_UNITS,
    ENTITY_CURRENCY,
    heads_at,
    unit_at,
)
from pipelines.sample_company.ledger_items import FACTS, ITEMS, Item
from pipelines.sample_company.rates import convert_cents

STORAGE_PRICE_RISE = month_of("2026-03")
CLOUD_ACCOUNT, CLOUD_CENTRE = "6410", "CC9100"
RECOVERED_PERMILLE = 955
"""Of the month's IT cost, what the chargeback journal recovers (the rest is showback)."""


@dataclass(frozen=True)
class Line:
    """One posting, before it has a number."""

    posted: date
    entity: str
    account: str
    centre: str
    vendor: str
    document: str
    text: str
    currency: str
    cents: int

    @property
    def is_cost(self) -> bool:
        """Whether it is IT cost of the month: not capital, not out of scope, not recovery."""
        return self.account.startswith("6")


@dataclass(frozen=True)
class Event:
    """A posting that happens once."""

    period: str
    day: int
    account: str
    centre: str
    vendor: str
    text: str
    cents: int


EVENTS = (
    Event(
        "2025-06", 18, "6320", "CC9050", "Erpwerk SE",
        "Credit note: maintenance of users returned in January", -2_784_000,
    ),
    Event(
        "2025-09", 24, "6110", "CC9080", "Redcell Security",
        "Emergency help after phishing wave", 3_846_500,
    ),
    Event(
        "2026-05", 12, "6110", "CC9050", "Erpwerk Consulting",
        "Integration tests SAP release - service period March 2026 (invoice received late)",
        6_431_250,
    ),
    Event(
        "2026-06", 22, "6310", "CC9050", "Erpwerk SE",
        "Credit note: licence true-up 2025 settled in our favour", -18_640_000,
    ),
    Event(
        "2026-09", 15, "6990", "CC9010", "Unknown payee",
        "Card payment without receipt (to be cleared)", 231_740,
    ),
    Event(
        "2026-10", 14, "6990", "CC9010", "Unknown payee",
        "Card payment without receipt (to be cleared)", 188_925,
    ),
)  # fmt: skip


def actual_item_cents(settings: Settings, item: Item, month: Month) -> int:
    """What the item really cost in the month: mean, noise, and the storage vendor's price rise."""
    rng = settings.random("ledger", item.account, item.centre, item.text, month.period_id)
    cents = item.mean_cents(month)
    if item.vendor == "Stratos Storage" and month >= STORAGE_PRICE_RISE:
        cents = scale_figure(cents, 1380)
    moved = 10_000 + rng.randint(-item.noise * 10, item.noise * 10)
    return divide_half_up(cents * moved, 10_000)


def list_month_lines(
    settings: Settings,
    month: Month,
    cloud_cents: int,
    previous: list[Line] | None,
    rates: dict[tuple[str, str], int],
) -> list[Line]:
    """All postings of a month. `previous` are last month's, from which the recovery is made."""
    lines = [line for item in ITEMS for line in _post_item(settings, item, month)]
    lines += _post_depreciation(month)
    lines += _post_cloud(month, cloud_cents)
    lines += [_post_event(event, month) for event in EVENTS if event.period == month.period_id]
    lines += _post_non_cost(settings, month)
    recovered_from = [line for line in (previous or lines) if line.is_cost]
    recovered_month = month.previous
    lines += _post_recovery(recovered_from, recovered_month, month, rates)
    return lines


def _post_item(settings: Settings, item: Item, month: Month) -> list[Line]:
    cents = actual_item_cents(settings, item, month)
    rng = settings.random("posting", item.account, item.centre, item.text, month.period_id)
    if item.account.startswith("60") and not item.vendor:
        number = f"PAY-{month.year}{month.number:02d}"
        return [_line(item, month.day(27), number, f"{item.text} {month.period_id}", cents)]
    day = month.day(rng.randint(3, 26))
    number = f"RE{rng.randint(100000, 999999)}"
    if not item.is_accrued:
        return [_line(item, day, number, f"{item.text} {month.period_id}", cents)]
    # The invoice comes a month late: last month's accrual is reversed, its invoice is posted,
    # and this month is accrued.
    before = month.previous
    estimate, reversed_estimate = _estimate(item, month), _estimate(item, before)
    invoiced = actual_item_cents(settings, item, before)
    return [
        _line(
            item,
            month.day(2),
            "",
            f"Reversal of accrual {item.text} {before.period_id}",
            -reversed_estimate,
        ),
        _line(item, day, number, f"{item.text} {before.period_id}", invoiced),
        _line(item, month.day(31), "", f"Accrual {item.text} {month.period_id}", estimate),
    ]


def _estimate(item: Item, month: Month) -> int:
    """The accrual: the expected cost in full hundreds."""
    return divide_half_up(item.mean_cents(month), 10_000) * 10_000


def _line(item: Item, day: date, document: str, text: str, cents: int) -> Line:
    return Line(
        day,
        item.entity,
        item.account,
        item.centre,
        item.vendor,
        document,
        text,
        item.currency_code,
        cents,
    )


def _post_depreciation(month: Month) -> list[Line]:
    return [
        Line(
            month.day(31),
            entity,
            DEPRECIATION_ACCOUNTS[asset_class],
            centre,
            "",
            f"AFA-{month.year}{month.number:02d}",
            f"Depreciation {asset_class} {month.period_id}",
            ENTITY_CURRENCY[entity],
            cents,
        )
        for (asset_class, entity, centre), cents in depreciation_by_line(month).items()
    ]


def _post_cloud(month: Month, cloud_cents: int) -> list[Line]:
    number = f"NB{month.year}{month.number:02d}"
    parts = (
        (f"{number}-4471", f"Cloud services {month.period_id}", cloud_cents),
        (f"{number}-4472", f"Support contract {month.period_id}", SUPPORT_FEE_CENTS),
    )
    return [
        Line(
            month.day(28),
            "DE01",
            CLOUD_ACCOUNT,
            CLOUD_CENTRE,
            PROVIDER,
            document,
            text,
            "USD",
            cents,
        )
        for document, text, cents in parts
    ]


def _post_event(event: Event, month: Month) -> Line:
    document = f"RE-{event.period}-{event.day:02d}"
    return Line(
        month.day(event.day),
        "DE01",
        event.account,
        event.centre,
        event.vendor,
        document,
        event.text,
        "EUR",
        event.cents,
    )


def _post_non_cost(settings: Settings, month: Month) -> list[Line]:
    """Lines that the feed brings and that are not IT cost: canteen, building, capital projects."""
    rng = settings.random("non-cost", month.period_id)
    rows = (
        ("4710", "CC9020", "Kantine Sued", "Canteen by site allocation", 418_000, 60),
        (
            "4720",
            "CC9010",
            "Reinraum GmbH",
            "Cleaning of offices by site allocation",
            262_000,
            40,
        ),
        (
            "0710",
            "CC9060",
            "Blue Harbour Labs",
            "Capitalised: new dealer portal",
            6_850_000,
            150,
        ),
        (
            "0710",
            "CC9050",
            "Erpwerk Consulting",
            "Capitalised: SAP planning module",
            4_930_000,
            150,
        ),
        (
            "0720",
            "CC9040",
            "Netzkraft GmbH",
            "Capitalised: cabling of hall 4",
            2_140_000,
            250,
        ),
    )
    return [
        Line(
            month.day(rng.randint(5, 28)),
            "DE01",
            account,
            centre,
            vendor,
            f"RE{rng.randint(100000, 999999)}",
            f"{text} {month.period_id}",
            "EUR",
            scale_figure(cents, 1000 + rng.randint(-noise, noise)),
        )
        for account, centre, vendor, text, cents, noise in rows
    ]


def _post_recovery(
    lines: list[Line], recovered: Month, month: Month, rates: dict[tuple[str, str], int]
) -> list[Line]:
    """Last month's chargeback journal: credits of IT by business unit and legal entity."""
    rate_month = recovered if recovered.index >= 0 else month
    cost = sum(convert_cents(line.cents, line.currency, rate_month, rates) for line in lines)
    # October 2024 is before the first ledger: a little below the month after it.
    target = scale_figure(cost, RECOVERED_PERMILLE, 1000 if recovered.index >= 0 else 985)
    heads: dict[tuple[str, str], int] = defaultdict(int)
    for centre in BUSINESS_CENTRES:
        heads[unit_at(centre, recovered), centre.entity] += heads_at(centre, recovered)
    all_heads, posted, counted = sum(heads.values()), 0, 0
    result = []
    for (unit, entity), count in sorted(heads.items()):
        counted += count
        cents = divide_half_up(target * counted, all_heads) - posted
        posted += cents
        text = f"IT chargeback {recovered.period_id} {BUSINESS_UNITS[unit][0]}"
        document = f"APP-{recovered.period_id}-{unit}"
        result.append(
            Line(
                month.day(5),
                entity,
                "9900",
                "CC9010",
                "",
                document,
                text,
                "EUR",
                -cents,
            )
        )
    return result


def to_ledger_rows(lines: list[Line], month: Month) -> list[Row]:
    """Rows of the contract general_ledger, in the order of posting."""
    ordered = sorted(enumerate(lines), key=lambda pair: (pair[1].posted, pair[0]))
    return [
        {
            "line_id": f"{month.year}{month.number:02d}{number:04d}",
            "period_id": month.period_id,
            "posting_date": line.posted.isoformat(),
            "legal_entity_id": line.entity,
            "account_id": line.account,
            "cost_centre_id": line.centre,
            "vendor_name": line.vendor,
            "document_id": line.document,
            "description": line.text,
            "currency_code": line.currency,
            "amount_local": format_cents(line.cents),
        }
        for number, (_, line) in enumerate(ordered, start=1)
    ]


def list_account_rows() -> list[Row]:
    """Rows of the contract chart_of_accounts."""
    with (FACTS / "chart_of_accounts.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


CLOUD_PLAN_DOLLARS = {2024: 262_000, 2025: 298_000, 2026: 328_000}
"""Planned cloud spend a month, support included; it grew faster."""


def list_budget_rows() -> list[Row]:
    """Rows of the contract budget: items by account, cost centre and vendor, and the rest."""
    rows: list[Row] = []
    for month in BUDGET_MONTHS:
        totals: dict[tuple[str, str, str, str, str], int] = defaultdict(int)
        for item in ITEMS:
            key = (
                item.account,
                item.centre,
                item.entity,
                item.currency_code,
                item.vendor,
            )
            totals[key] += item.plan_cents(month)
        for (asset_class, entity, centre), cents in _planned_depreciation(month).items():
            account = DEPRECIATION_ACCOUNTS[asset_class]
            totals[account, centre, entity, ENTITY_CURRENCY[entity], ""] += cents
        cloud = CLOUD_PLAN_DOLLARS[month.year] * 100
        totals[CLOUD_ACCOUNT, CLOUD_CENTRE, "DE01", "USD", PROVIDER] += cloud
        rows += [
            _to_budget_row(month, number, key, cents)
            for number, (key, cents) in enumerate(sorted(totals.items()), start=1)
        ]
    return rows


def _planned_depreciation(month: Month) -> dict[tuple[str, str, str], int]:
    """Depreciation as planned: rounded to 100, and without the array bought in March 2026."""
    planned = depreciation_by_line(month)
    if month >= STORAGE_PRICE_RISE:
        before = depreciation_by_line(STORAGE_PRICE_RISE.previous)
        planned |= {key: cents for key, cents in before.items() if key[0] == "storage"}
    return {key: divide_half_up(cents, 10_000) * 10_000 for key, cents in planned.items()}


def _to_budget_row(
    month: Month, number: int, key: tuple[str, str, str, str, str], cents: int
) -> Row:
    account, centre, entity, currency, vendor = key
    return {
        "line_id": f"B{month.year}{month.number:02d}{number:03d}",
        "period_id": month.period_id,
        "legal_entity_id": entity,
        "account_id": account,
        "cost_centre_id": centre,
        "vendor_name": vendor,
        "description": "",
        "currency_code": currency,
        "amount_local": format_cents(cents),
    }
