"""The README's worked charge, computed again from the CSV files by plain decimal arithmetic.

Nothing of Apportion is used here. The steps are those of the README; each figure that it shows is
recomputed and must stand in the row where the README shows it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import pytest

from tests.unit.docs.markdown_text import read_table_rows, split_sections

PERIOD = "2026-03"
TOWER = "application-support"
SERVICE = "translation"
TEAMS = ("CC9050", "CC9060", "CC9070", "CC9210")
CENT = Decimal("0.01")

Sums = dict[tuple[str, str], dict[str, Decimal]]


class Example:
    """The five steps. Money is exact: amounts, rates and hours are decimals, quotients have 40
    digits."""

    def __init__(self, inbox: Path) -> None:
        self.inbox = inbox
        with localcontext(prec=40):
            self.rates = self.read_rates()
            self.local = self.sum_postings()
            self.eur = {key: self.convert(value) for key, value in self.local.items()}
            self.hours = self.sum_hours()
            self.in_tower = self.split_to_tower()
            self.direct = self.split_to_service()
            self.total = sum(self.direct.values(), Decimal(0))
            self.used = self.read_use()
            self.exact = {
                centre: self.total * quantity / sum(self.used.values())
                for centre, quantity in self.used.items()
            }
        self.charged = self.make_cents()

    def read(self, name: str) -> list[dict[str, str]]:
        path = self.inbox / name / f"{name}_2026.csv"
        with path.open(encoding="utf-8", newline="") as file:
            return [row for row in csv.DictReader(file) if row["period_id"] == PERIOD]

    def read_rates(self) -> dict[str, Decimal]:
        rows = [row for row in self.read("exchange_rates") if row["rate_type"] == "average"]
        return {"EUR": Decimal(1)} | {
            row["from_currency_code"]: Decimal(row["exchange_rate"]) for row in rows
        }

    def sum_postings(self) -> Sums:
        kinds = {"60": "staffing", "61": "outside", "63": "software"}
        kinds |= {"6710": "training", "6720": "travel"}
        sums: Sums = defaultdict(lambda: defaultdict(Decimal))
        for row in self.read("general_ledger"):
            account = row["account_id"]
            kind = kinds.get(account) or kinds.get(account[:2])
            if kind is not None:
                centre = "all" if kind == "travel" else row["cost_centre_id"]
                sums[kind, centre][row["currency_code"]] += Decimal(row["amount_local"])
        return sums

    def convert(self, amounts: dict[str, Decimal]) -> Decimal:
        return sum((amount * self.rates[code] for code, amount in amounts.items()), Decimal(0))

    def sum_hours(self) -> dict[tuple[str, str], Decimal]:
        hours: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.read("timesheets"):
            quantity = Decimal(row["hours_quantity"])
            hours[row["cost_centre_id"], "all"] += quantity
            hours[row["cost_centre_id"], row["tower_id"]] += quantity
            if row["tower_id"] == TOWER:
                hours[TOWER, row["service_id"]] += quantity
                hours[TOWER, "all"] += quantity
        return hours

    def share_by_hours(self, kind: str, team: str) -> Decimal:
        return self.eur[kind, team] * self.hours[team, TOWER] / self.hours[team, "all"]

    def split_to_tower(self) -> dict[str, Decimal]:
        eur = self.eur
        software = eur["software", "CC9050"] + eur["software", "CC9210"]
        outside = eur["outside", "CC9050"] + eur["outside", "CC9210"]
        teams = [team for team in TEAMS if ("training", team) in eur]
        return {
            "software": software + eur["software", "CC9060"] * Decimal("0.70"),
            "staffing": sum((self.share_by_hours("staffing", t) for t in TEAMS), Decimal(0)),
            "outside": outside * Decimal("0.65"),
            "training": sum((self.share_by_hours("training", t) for t in teams), Decimal(0)),
            "travel": eur["travel", "all"] / 4,
        }

    def split_to_service(self) -> dict[str, Decimal]:
        worked = self.hours[TOWER, SERVICE] / self.hours[TOWER, "all"]
        tower = self.in_tower
        return {
            "software": tower["software"] * Decimal("0.005"),
            "staffing": tower["staffing"] * worked,
            "outside": tower["outside"] * worked,
            "misc": (tower["training"] + tower["travel"]) * worked,
        }

    def read_use(self) -> dict[str, Decimal]:
        rows = [row for row in self.read("service_usage") if row["service_id"] == SERVICE]
        assert {row["receiver_kind"] for row in rows} == {"consumer"}
        return {row["receiver_id"]: Decimal(row["quantity"]) for row in rows}

    def make_cents(self) -> dict[str, Decimal]:
        """Largest remainder: whole cents below, then a cent each for the largest rests."""
        cents = {key: value.quantize(CENT, ROUND_DOWN) for key, value in self.exact.items()}
        missing = int((self.total.quantize(CENT, ROUND_HALF_UP) - sum(cents.values())) / CENT)
        by_rest = sorted(cents, key=lambda key: self.exact[key] - cents[key], reverse=True)
        return {key: cents[key] + CENT * (key in by_rest[:missing]) for key in cents}


@pytest.fixture(scope="module")
def example(root: Path) -> Example:
    return Example(root / "data" / "samples" / "inbox")


@pytest.fixture(scope="module")
def section(readme: str) -> str:
    return split_sections(readme, 2)["One charge, worked by hand"]


@pytest.fixture(scope="module")
def rows(section: str) -> list[list[str]]:
    return read_table_rows(section.replace("**", ""))


def show(amount: Decimal, places: int = 4) -> str:
    return f"{amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"


def show_postings(amounts: dict[str, Decimal]) -> str:
    order = [code for code in ("EUR", "CHF", "USD") if code in amounts]
    return " + ".join(f"{show(amounts[code], 2)} {code}" for code in order)


def test_the_charge_is_the_one_of_the_headline(example: Example, section: str) -> None:
    assert f"**{show(example.charged['CC2220'], 2)} EUR** for *Translation*" in section


def test_rates(example: Example, section: str) -> None:
    assert f"CHF are converted at {example.rates['CHF']}" in section
    assert f"USD at {example.rates['USD']}" in section


def test_step_1_postings_and_their_conversion(example: Example, rows: list[list[str]]) -> None:
    shown = [
        ("software", ("CC9050", "CC9060", "CC9210")),
        ("staffing", TEAMS),
        ("outside", ("CC9050", "CC9210")),
        ("training", TEAMS),
        ("travel", ("all",)),
    ]
    expected = [
        [centre, show_postings(example.local[kind, centre]), show(example.eur[kind, centre])]
        for kind, centres in shown
        for centre in centres
    ]
    first = next(number for number, row in enumerate(rows) if row[0] == "pool (accounts)")
    assert [row[1:] for row in rows[first + 2 : first + 2 + len(expected)]] == expected


def test_step_2_staffing_and_training_by_hours(example: Example, rows: list[list[str]]) -> None:
    expected = [
        [
            team,
            show(example.hours[team, TOWER], 1),
            show(example.hours[team, "all"], 1),
            show(example.eur["staffing", team]),
            show(example.share_by_hours("staffing", team)),
            show(example.eur["training", team]),
            show(example.share_by_hours("training", team)),
        ]
        for team in TEAMS
    ]
    sums = [show(example.in_tower["staffing"]), show(example.in_tower["training"])]
    expected.append(["sum", "", "", "", sums[0], "", sums[1]])
    assert [row for row in rows if len(row) == 7][2:] == expected


def test_step_2_only_these_teams_work_for_the_tower(example: Example) -> None:
    assert {key[0] for key in example.hours if key[1] == TOWER} == set(TEAMS)


def test_step_2_the_written_sums(example: Example, section: str) -> None:
    eur, tower = example.eur, example.in_tower
    text = " ".join(section.split())
    software = [show(eur["software", centre]) for centre in ("CC9050", "CC9210", "CC9060")]
    assert (
        f"{software[0]} + {software[1]} + 0.70 x {software[2]} = **{show(tower['software'])}**"
        in text
    )
    outside = [show(eur["outside", centre]) for centre in ("CC9050", "CC9210")]
    assert f"0.65 x ({outside[0]} + {outside[1]}) = **{show(tower['outside'])}**" in text
    assert f"{show(eur['travel', 'all'])} / 4 = **{show(tower['travel'])}**" in text
    assert f"the same hours: **{show(tower['training'])}**" in text


def test_step_3_direct_cost(example: Example, rows: list[list[str]]) -> None:
    hours = example.hours
    by_hours = f"{show(hours[TOWER, SERVICE], 1)} / {show(hours[TOWER, 'all'], 1)}"
    tower, direct = example.in_tower, example.direct
    misc = tower["training"] + tower["travel"]
    expected = [
        ["Software & SaaS", show(tower["software"]), "0.5 %", show(direct["software"])],
        ["Staffing", show(tower["staffing"]), by_hours, show(direct["staffing"])],
        ["Outside Services", show(tower["outside"]), by_hours, show(direct["outside"])],
        ["Misc Costs", show(misc), by_hours, show(direct["misc"])],
        ["sum", "", "", show(example.total)],
    ]
    first = next(number for number, row in enumerate(rows) if row[:2] == ["pool", "in the tower"])
    assert rows[first + 2 : first + 7] == expected


def test_step_4_no_service_and_translation_use_each_other(example: Example) -> None:
    use = [row for row in example.read("service_usage") if row["receiver_kind"] == "service"]
    assert use
    assert SERVICE not in {row["receiver_id"] for row in use} | {row["service_id"] for row in use}


def test_step_5_lines_in_cents(example: Example, rows: list[list[str]]) -> None:
    expected = [
        [
            centre,
            show(quantity, 0),
            show(example.exact[centre]),
            show(example.exact[centre].quantize(CENT, ROUND_DOWN), 2),
            show(example.charged[centre], 2),
        ]
        for centre, quantity in example.used.items()
    ]
    below = sum((v.quantize(CENT, ROUND_DOWN) for v in example.exact.values()), Decimal(0))
    charged = sum(example.charged.values(), Decimal(0))
    quantity = show(sum(example.used.values(), Decimal(0)), 0)
    expected.append(["sum", quantity, show(example.total), show(below, 2), show(charged, 2)])
    assert [row for row in rows if len(row) == 5][2:] == expected


def test_the_remainders_that_get_a_cent(example: Example, section: str) -> None:
    text = " ".join(section.split())
    rests = {
        centre: (value % CENT / CENT).quantize(CENT, ROUND_HALF_UP)
        for centre, value in example.exact.items()
    }
    got = sorted(rests, key=lambda centre: rests[centre], reverse=True)[:3]
    assert set(got) == {"CC2220", "CC3420", "CC2530"}
    assert rests["CC2220"] == rests["CC3420"]
    assert f"CC3420 and CC2220 ({rests['CC2220']} of a cent each)" in text
    assert f"CC2530 ({rests['CC2530']})" in text
