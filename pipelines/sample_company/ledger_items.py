"""What the IT of Meridian Group buys: the contracts and teams behind the ledger and the budget.

The contracts are listed in facts/ledger_items.csv; pay is made from the teams. Each item is
planned at `amount` a month in the fiscal year 2025. From 2026 the plan steps up by `growth`
thousandths. What is really spent lies `over` thousandths above the plan in 2026 (half of that
before), moved by season and by noise.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from pipelines.sample_company.basics import Month, divide_half_up, scale_figure
from pipelines.sample_company.company import BY_ID, ENTITY_CURRENCY

FACTS = Path(__file__).parent / "facts"

SEASONS: dict[str, tuple[int, ...]] = {
    "none": (1000,) * 12,
    "projects": (960, 1020, 1060, 1040, 1030, 1040, 960, 780, 1080, 1120, 1100, 810),
    "power": (1010, 990, 970, 950, 970, 1030, 1110, 1120, 1010, 960, 940, 940),
    "roaming": (960, 960, 980, 990, 1010, 1030, 1110, 1100, 1010, 970, 950, 930),
    "travel": (850, 1050, 1150, 1080, 1090, 1060, 780, 600, 1180, 1200, 1150, 810),
    "shop": (960, 950, 980, 990, 990, 1000, 980, 970, 1010, 1030, 1090, 1050),
}
"""Thousandths by calendar month, January first; each sums to about 12,000."""

MEASURED_FROM = 14
"""Index of 2026-01: the year in which plan and reality part."""


@dataclass(frozen=True)
class Item:
    """A contract or a team's pay; amounts in whole units of its currency."""

    account: str
    centre: str
    vendor: str
    text: str
    amount: int
    growth: int = 20
    over: int = 0
    noise: int = 0
    season: str = "none"
    currency: str = ""
    is_accrued: bool = False

    @property
    def entity(self) -> str:
        return BY_ID[self.centre].entity

    @property
    def currency_code(self) -> str:
        return self.currency or ENTITY_CURRENCY[self.entity]

    def plan_cents(self, month: Month) -> int:
        """What the budget says for the month; pay rises in April, contracts in January."""
        cents = self.amount * 100
        if self.account.startswith("60"):
            for start, permille in ((5, 28), (17, 32)):
                if month.index >= start:
                    cents = scale_figure(cents, 1000 + permille)
        elif month.year >= 2026:
            cents = scale_figure(cents, 1000 + self.growth)
        if self.season == "power":
            cents = scale_figure(cents, SEASONS["power"][month.number - 1])
        return divide_half_up(cents, 1000) * 1000

    def mean_cents(self, month: Month) -> int:
        """What is spent in the month before noise."""
        over = self.over if month.index >= MEASURED_FROM else divide_half_up(self.over, 2)
        season = 1000 if self.season == "power" else SEASONS[self.season][month.number - 1]
        return scale_figure(self.plan_cents(month), 1000 + over, season)


def _salaries() -> list[Item]:
    """Pay by team and group: full-time equivalents times the group's pay, with its add-ons."""
    items = []
    groups = (
        ("Specialists", 620, 6_050),
        ("Engineers", 250, 7_300),
        ("Team leads", 90, 9_100),
    )
    for centre in BY_ID.values():
        if not centre.is_it:
            continue
        # Swiss pay is higher in its own currency.
        level = 1450 if centre.entity == "CH01" else 1000
        total = 0
        for group, permille, pay in groups:
            amount = scale_figure(centre.heads * pay, permille, level)
            total += amount
            items.append(Item("6010", centre.id, "", f"Salaries {group}", amount, noise=6))
        trainees = scale_figure(centre.heads * 2_600, 40, level)
        items.append(Item("6010", centre.id, "", "Salaries trainees", trainees, noise=25))
        items.append(
            Item(
                "6020",
                centre.id,
                "",
                "Social security",
                scale_figure(total, 196),
                noise=4,
            )
        )
        items.append(
            Item(
                "6021",
                centre.id,
                "",
                "Pension scheme",
                scale_figure(total, 31),
                noise=4,
            )
        )
        items.append(Item("6030", centre.id, "", "Provision for bonuses", scale_figure(total, 52)))
        items.append(
            Item(
                "6031",
                centre.id,
                "",
                "Overtime and standby",
                scale_figure(total, 18),
                over=30,
                noise=90,
            )
        )
    return items


def _contracts() -> list[Item]:
    """The contracts of facts/ledger_items.csv."""
    with (FACTS / "ledger_items.csv").open(encoding="utf-8", newline="") as stream:
        return [
            Item(
                account=row["account"],
                centre=row["centre"],
                vendor=row["vendor"],
                text=row["text"],
                amount=int(row["amount"]),
                growth=int(row["growth"]),
                over=int(row["over"]),
                noise=int(row["noise"]),
                season=row["season"],
                currency=row["currency"],
                is_accrued=row["is_accrued"] == "true",
            )
            for row in csv.DictReader(stream)
        ]


ITEMS: tuple[Item, ...] = (*_salaries(), *_contracts())
