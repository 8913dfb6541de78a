"""The page of prices: its finding, its figures, and what it says where nothing has a price."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from app.charts.recovery import draw_recovery, draw_recovery_trend
from app.context import Context
from app.findings import state_recovery
from app.navigation import PRICES, SERVICE_CATALOGUE, SERVICE_DETAIL
from app.queries.recovery import read_recovery, read_recovery_trend
from tests.app.conftest import FEBRUARY, OpenPage, clean, go_to, read_title
from tests.app.marts import FEB, JAN, Row, build_company, publish
from tests.app.test_pages import read_all, read_figures


def make_row(period: str, service_id: str, cost: int, charged: int, before: int = 0) -> Row:
    return {
        "scenario_id": "actual",
        "period_id": period,
        "version": 1,
        "fiscal_year": 2026,
        "service_id": service_id,
        "service_name": {"mail": "E-mail", "storage": "Storage"}[service_id],
        "charging_policy": "rate" if period == FEB and service_id == "mail" else "at_cost",
        "quantity": 40,
        "unit_code": "seat",
        "cost_rate": Decimal(cost) / 40,
        "charged_rate": Decimal(charged) / 40,
        "cost_amount": cost,
        "charged_amount": charged,
        "recovery_amount": charged - cost,
        "cost_to_date_amount": cost,
        "charged_to_date_amount": charged,
        "recovery_to_date_amount": charged - cost + before,
    }


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """E-mail is at cost in January and charged 10.50 a seat in February; storage is at cost."""
    rows = [
        make_row(JAN, "mail", 380, 380),
        make_row(JAN, "storage", 400, 400),
        make_row(FEB, "mail", 400, 420),
        make_row(FEB, "storage", 450, 450),
    ]
    marts = build_company() | {"fct_recovery_monthly": rows}
    price = {"price_id": "mail-2026", "tier_mode": "graduated", "from_quantity": 0}
    price |= {"charging_policy": "rate", "unit_price": Decimal("10.5"), "base_fee_amount": 0}
    marts["fct_prices_monthly"] = [
        {**row, **price} if row["period_id"] == FEB and row["service_id"] == "mail" else row
        for row in marts["fct_prices_monthly"]
    ]
    return publish(tmp_path_factory.mktemp("priced"), marts)


def test_the_page_states_who_over_recovers(priced: Path, open_page: OpenPage) -> None:
    test = open_page(priced, PRICES)
    assert read_title(test) == (
        "E-mail over-recovers 20.00 EUR in the fiscal year 2026 to Feb 2026"
    )
    assert read_figures(test) == {
        "Charged by price Feb 2026": ("420.00 EUR", ""),
        "Cost of these services": ("400.00 EUR", ""),
        "Recovery Feb 2026": ("+20.00 EUR", ""),
        "Fiscal year 2026": ("+20.00 EUR", ""),
    }
    table = test.dataframe[0].value
    assert list(table["service"]) == ["E-mail"]
    assert list(table["policy"]) == ["rate card"]
    assert clean(table["price"][0]) == "10.50 EUR per seat"
    assert (table["charged_rate"][0], table["unit_cost"][0]) == ("10.50", "10.00")
    assert clean(table["terms"][0]) == (
        "It is charged by its price: 10.50 EUR per seat, times the quantity of each consumer."
    )


def test_pages_give_a_price_and_a_unit_cost_their_own_names(
    priced: Path, open_page: OpenPage
) -> None:
    """10.50 a seat are charged and 10.00 are its cost; in January there is no price."""
    test = open_page(priced, SERVICE_DETAIL, service="mail")
    figures = read_figures(test)
    assert figures["Price per seat"] == ("10.50 EUR", "one price for all units")
    assert figures["Unit cost per seat"][0] == "10.00 EUR"
    text = read_all(test)
    assert "charged by its price: 10.50 EUR per seat" in text
    assert "share of the cost" not in text
    test = go_to(test, SERVICE_DETAIL, service="mail", period=JAN)
    assert "Price per seat" not in read_figures(test)
    assert "each consumer is charged its share of the cost" in read_all(test)
    test = go_to(test, SERVICE_CATALOGUE, period=FEB)
    assert read_title(test).endswith("1 has a price, 3 are charged at cost")
    cards = clean(next(part.value for part in test.html if "<article" in part.value))
    assert "Price</small> 10.50 EUR" in cards
    assert "Unit cost 10.00 EUR" in cards


def test_nothing_with_a_price_says_what_to_do(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, PRICES)
    assert read_title(test) == "Nothing is charged by price up to Feb 2026"
    assert "apportion rates propose" in read_all(test)
    assert not test.dataframe


def test_recovery_is_read_per_service_and_month(
    priced: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.queries.published import find_published

    monkeypatch.setenv("APPORTION_WORKSPACE", str(priced))
    published = find_published()
    frame = read_recovery(published, FEBRUARY)
    assert list(frame["service_id"]) == ["mail"]
    trend = read_recovery_trend(published, FEBRUARY)
    assert list(trend["period_id"]) == [JAN, FEB]
    assert list(trend["recovery_to_date_amount"]) == [Decimal(0), Decimal(20)]


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        (["5.00", "-30.00"], "Prices charge 25.00 EUR below the cost in the fiscal year 2026 to "
         "Feb 2026; B is furthest below (-30.00 EUR)"),
        (["5.00", "-5.00"], "All prices together charge the cost in the fiscal year 2026 to Feb "
         "2026"),
        (["0.00"], "Prices recover the cost of every service in the fiscal year 2026 to Feb 2026, "
         "to the cent"),
    ],
)  # fmt: skip
def test_finding_names_the_service_that_is_furthest_from_its_cost(
    amounts: list[str], said: str
) -> None:
    frame = pd.DataFrame(
        {
            "service_name": ["A", "B"][: len(amounts)],
            "recovery_to_date_amount": list(map(Decimal, amounts)),
        }
    )
    assert state_recovery(frame, FEBRUARY, "EUR").replace("\u00a0", " ") == said


def test_under_recovery_is_hatched() -> None:
    frame = pd.DataFrame(
        {
            "service_id": ["a", "b"],
            "service_name": ["A", "B"],
            "recovery_to_date_amount": [Decimal(5), Decimal(-30)],
        }
    )
    (bars,) = draw_recovery(frame, "EUR").data
    assert list(bars.y) == ["b", "a"]
    assert list(bars.marker.pattern.shape) == ["/", ""]
    trend = pd.DataFrame(
        {
            "period_name": ["Jan", "Feb"],
            "recovery_amount": [Decimal(1), Decimal(-2)],
            "recovery_to_date_amount": [Decimal(1), Decimal(-1)],
        }
    )
    bars, line = draw_recovery_trend(trend, "EUR").data
    assert list(bars.y) == [1.0, -2.0]
    assert list(line.y) == [1.0, -1.0]
