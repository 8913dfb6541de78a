"""The sentences of a method sheet say what the rows say, in words that are right in each case."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pipelines.method_sheets.build_sheet import build_sheet
from pipelines.method_sheets.queries import SheetRows
from pipelines.method_sheets.records import Section, Sheet
from tests.unit.method_sheets.sheet_rows import (
    make_facts,
    make_method,
    make_price,
    make_rows,
    make_unit,
)

PART = "How your part is found"
COUNT = "How it is counted"


def build(rows: SheetRows, unit: str | None = None) -> Sheet:
    return build_sheet(rows, "2026-03", unit)


def find(sheet: Sheet, heading: str) -> Section:
    return next(section for section in sheet.sections if section.heading == heading)


def read_text(section: Section) -> str:
    return " ".join((*section.paragraphs, section.note)).replace("\u00a0", " ")


def test_example_is_of_the_unit_that_asks() -> None:
    """120 of 1,500 seats are 8.0 %, and 8 % of 12,000 are 960."""
    assert (
        "Example: in Mar 2026 Sales had 120 of 1,500 seats. That is 8.0 %, so it is charged "
        "8.0 % of 12,000.00 EUR: 960.00 EUR."
    ) in read_text(find(build(make_rows(), "SAL"), PART))
    assert "Finance had 1,380 of 1,500 seats" in read_text(find(build(make_rows(), "FIN"), PART))


def test_example_does_not_say_so_where_the_bill_is_no_share_of_the_use() -> None:
    rows = make_rows(units=[make_unit("SAL", "Sales", 120, "6000.00")])
    text = read_text(find(build(rows), PART))
    assert "That is 8.0 % of the use; it is charged 6,000.00 EUR of 12,000.00 EUR." in text
    assert "so it is charged" not in text


def test_every_method_has_its_sentence() -> None:
    for method, words in (
        ("weighted", "each times its agreed weight"),
        ("capacity", "Room that nobody uses is shown as such"),
        ("new_method", "new method."),
    ):
        text = read_text(find(build(make_rows(method=make_method(split_method=method))), PART))
        assert words in text
    rest = make_rows(method=make_method(split_method="fixed"))
    assert "The rest is split by seats" in read_text(find(build(rest), PART))


def test_agreed_percentages_need_no_count() -> None:
    rows = make_rows(
        facts=make_facts(driver_name=None),
        method=make_method(split_method="fixed", driver_name=None),
        units=[make_unit("SAL", "Sales", None, "960.00")],
    )
    sheet = build(rows)
    assert sheet.summary == "It is charged at cost, in agreed percentages, in Mar\u00a02026."
    text = read_text(find(sheet, PART))
    assert "The shares are agreed percentages, whatever is used." in text
    assert "Example: in Mar 2026 Sales is charged 8.0 % of 12,000.00 EUR: 960.00 EUR." in text


def test_showback_is_shown_and_not_paid() -> None:
    rows = make_rows(prices=[make_price("showback")])
    sheet = build(rows, "SAL")
    assert sheet.finding.replace("\u00a0", " ") == (
        "CRM is shown by seats: unit cost 8.00 EUR per seat per month in Mar 2026"
    )
    assert "so it is shown 8.0 %" in read_text(find(sheet, PART))
    table = find(sheet, PART).table
    assert table is not None
    assert table.columns[-1] == "Cost, EUR"


def test_service_without_known_users_is_paid_by_nobody() -> None:
    rows = make_rows(
        method=make_method(quality_code="held", last_counted_period_id="2026-01"),
        units=[
            make_unit("(unallocated)", "(unallocated)", None, "12000", is_borne=False)
            | {"charged_amount": Decimal("0.00")}
        ],
    )
    sheet = build(rows)
    assert (
        sheet.summary == "It has no known users in Mar\u00a02026, so its cost is charged to nobody."
    )
    table = find(sheet, PART).table
    assert table is not None
    assert table.rows[0][0] == "Nobody: no use is known"
    assert table.columns[-2:] == ("Cost, EUR", "Charged, EUR")
    assert table.rows[0][-2:] == ("12,000.00", "0.00")
    assert "Last counted: Jan 2026." in read_text(find(sheet, COUNT))


def test_quality_and_fallback_are_said_in_words() -> None:
    rows = make_rows(method=make_method(quality_code="stale", fallback="prior_period"))
    text = read_text(find(build(rows), COUNT))
    assert "The figures come from the licence register." in text
    assert "the latest ones before it are used in their place" in text
    assert "If a month has no figures, the latest month that has some is used instead" in text


def test_unknown_codes_are_said_by_their_own_words() -> None:
    """A kind of driver, quality, policy or fallback that is new to this page loses nothing."""
    rows = make_rows(
        prices=[make_price("new_policy")],
        method=make_method(driver_kind="new_kind", quality_code="half_sure", fallback="ask_owner"),
    )
    sheet = build(rows)
    text = read_text(find(sheet, COUNT))
    assert "Seats at the end of the month." in text
    assert "half sure" in text
    assert "ask owner" in text
    assert "new policy" in read_text(find(sheet, "What you pay"))


def test_a_price_is_charged_and_its_cost_stands_beside_it() -> None:
    """120 seats at 9.50 are 1,140.00; their cost is 960.00, and 8.00 a seat is no price."""
    sales = make_unit("SAL", "Sales", 120, "960.00") | {"charged_amount": Decimal("1140.00")}
    rows = make_rows(prices=[make_price("rate", "9.5")], units=[sales])
    sheet = build(rows)
    assert sheet.summary.replace("\u00a0", " ") == (
        "It is charged by its price: 9.50 EUR per seat per month in Mar 2026."
    )
    assert sheet.price.replace("\u00a0", " ") == "9.50 EUR per seat per month"
    assert sheet.unit_cost.replace("\u00a0", " ") == "8.00 EUR per seat per month"
    text = read_text(find(sheet, "What you pay"))
    assert "times the quantity of each consumer" in text
    assert "share of the cost" not in text
    assert "Its unit cost is 8.00 EUR per seat per month" in text
    section = find(sheet, PART)
    assert (
        "It is charged 120 \u00d7 9.50 EUR = 1,140.00 EUR; the cost of that use is 960.00 EUR."
    ) in read_text(section)
    assert section.table is not None
    assert section.table.columns[-2:] == ("Cost, EUR", "Charged, EUR")
    assert section.table.rows[0][-2:] == ("960.00", "1,140.00")


def test_every_policy_has_its_true_sentence() -> None:
    """What is charged by a price or a fee is never said to be a share of the cost."""
    tiers = [
        make_price("rate", "0.62", tier_mode=mode, base_fee_amount=Decimal(250))
        | {"minimum_amount": Decimal(10)}
        for mode in ("graduated", "volume")
    ]
    second = make_price("rate", "0.54", from_quantity=Decimal(5000))
    fixed: dict[str, Any] = {"fixed_amount": Decimal("400"), "fixed_per": "consumer"}
    for prices, expected in (
        ([make_price("at_cost")], "each consumer is charged its share of the cost."),
        ([make_price("showback")], "is shown its share of the cost and charged nothing."),
        (
            [make_price("cost_plus", cost_plus_percent=Decimal("5.00"))],
            "its share of the cost and 5 % of it.",
        ),
        (
            [make_price("cost_plus", cost_plus_percent=Decimal("-2.5"))],
            "its share of the cost less 2.5 % of it.",
        ),
        (
            [tiers[0], second],
            "0.62 EUR per seat per month, 0.54 from 5,000 on; each unit of a consumer at the price "
            "of the tier that it falls into. A base fee of 250.00 EUR per consumer and period is "
            "added. The charge is at least 10.00 EUR per consumer and period.",
        ),
        ([tiers[1], second], "all units of a consumer at the price of the tier that its quantity"),
        (
            [make_price("market", "62.5", source_name="Tender of 2026.")],
            "It is charged by its market price: 62.50 EUR per seat per month, times the quantity "
            "of each consumer. Source of the price: Tender of 2026.",
        ),
        (
            [make_price("rate", "0.165", peak_unit_price=Decimal("0.2"))],
            "A unit used at peak is charged at 0.20 EUR.",
        ),
        ([make_price("fixed", **fixed)], "400.00 EUR per consumer and period, whatever is used."),
        (
            [make_price("fixed", **fixed | {"fixed_per": "period"})],
            "400.00 EUR per period, of which each consumer is charged its share of the use.",
        ),
    ):
        sheet = build(make_rows(prices=prices))
        said = read_text(find(sheet, "What you pay"))
        assert expected in said
        is_apart = prices[0]["unit_price"] is not None or prices[0]["fixed_amount"] is not None
        assert ("share of the cost" in said) != is_apart


def test_lines_that_name_their_consumer_need_no_count() -> None:
    rows = make_rows(facts=make_facts(driver_name=None), method=None)
    sheet = build(rows)
    assert "each says who it is for" in sheet.summary
    assert "Example" not in read_text(find(sheet, PART))
    assert COUNT not in [section.heading for section in sheet.sections]


def test_service_without_cost_or_count_says_so() -> None:
    held = make_method(driver_name=None, quality_code="held")
    sheet = build(make_rows(facts=make_facts(driver_name=None), method=held, cost=None, units=[]))
    assert sheet.summary == "It had no cost in Mar\u00a02026."
    assert "no line of its cost says who it is for" in read_text(find(sheet, PART))
    assert "In Mar 2026 it had no cost." in read_text(find(sheet, "What you pay"))


def test_shared_service_names_the_services_that_bear_it() -> None:
    rows = make_rows(
        units=[],
        other_users=[
            {
                "consumer_name": "Web shop",
                "quantity": Decimal(3),
                "amount": Decimal("30.00"),
                "total_amount": Decimal("120.00"),
            }
        ],
        cost={
            "delivered_amount": Decimal(0),
            "full_amount": Decimal("120.00"),
            "received_amount": Decimal("20.00"),
            "charged_amount": Decimal(0),
            "unit_cost": Decimal("10"),
        },
    )
    sheet = build(rows)
    table = find(sheet, PART).table
    assert table is not None
    assert table.rows == (("Web shop", "3", "25.0\u00a0%", "30.00"),)
    text = read_text(find(sheet, "What you pay"))
    assert "No cost centre uses it itself" in text
    assert "20.00 EUR of that came from other services" in text


def test_a_small_part_is_not_said_to_be_nothing() -> None:
    pools = [
        {"cost_pool_name": name, "amount": Decimal(amount), "total_amount": Decimal("10000")}
        for name, amount in (("Staff", "9991"), ("Hardware", "5"), ("Lines", "4"))
    ]
    table = find(build(make_rows(pools=pools)), "What the money is spent on").table
    assert table is not None
    shares = [row[1].replace("\u00a0", " ") for row in table.rows]
    assert shares == ["99.9 %", "0.1 %", "under 0.1 %"]


def test_rules_that_bring_less_than_one_percent_are_counted_and_not_listed() -> None:
    rules = [
        {
            "stop_code": "services",
            "rule_id": rule_id,
            "method": method,
            "to_tagged_service": False,
            "driver_name": driver,
            "owner_name": None,
            "reason": "It is so",
            "amount": Decimal(amount),
            "total_amount": Decimal(1000),
        }
        for rule_id, method, driver, amount in (
            ("work", "driver", "Hours by service", 980),
            ("at-one", "weighted", None, 10),
            ("below", "even", None, "9.99"),
        )
    ]
    section = find(build(make_rows(rules=rules)), "Who decides what this service costs")
    assert section.table is not None
    assert [row[0] for row in section.table.rows] == [
        "in proportion to hours by service",
        "by use, times an agreed weight",
    ]
    assert "1 more rule brings less than 1 % each" in read_text(section)
