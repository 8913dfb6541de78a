"""Two columns that were swapped refuse the file; values in an undeclared form do not say so."""

from __future__ import annotations

import pytest

from tests.unit.landing.company import Company, ledger, record
from tests.unit.landing.own_source import land_own

ASSETS = (
    "asset_id,asset_name,asset_class,legal_entity_id,cost_centre_id,purchase_date,currency_code,"
    "purchase_amount_local,useful_life_months,capacity_quantity,capacity_unit_code,"
    "residual_amount_local\n"
)


def _assets(*residuals: str) -> bytes:
    lines = (
        f"{1000 + n},Server,server,DE01,4711,2026-01-01,EUR,1000.00,60,,,{residual}\n"
        for n, residual in enumerate(residuals)
    )
    return (ASSETS + "".join(lines)).encode()


@pytest.mark.parametrize("text", ["n/a", "none", "-", "N.A.", "k.A", "xx"])
@pytest.mark.parametrize("count", [1, 199])
def test_one_bad_value_in_an_empty_column_is_one_record(
    company: Company, text: str, count: int
) -> None:
    """The identifiers of assets are numbers, and `n/a` has the form of an identifier."""
    mapping = {
        "contract": "assets",
        "columns": {name: name for name in ASSETS.strip().split(",")},
    }
    result = land_own(company, mapping, _assets(*[""] * count, text))
    assert (result.state, result.records_accepted, result.records_quarantined) == (
        "landed",
        count,
        1,
    )
    assert (
        f"record {count + 1}, field residual_amount_local: has the wrong form"
        in (result.reasons[0])
    )


@pytest.mark.parametrize(
    "texts",
    [
        ["100.00-", "20.00-"],
        ["100.00CR", "20.00DR"],
        ["1.234.56", "EUR 5"],
        ["n/a", "n/a"],
        ["1e3", "2e3"],
    ],
)
def test_amounts_in_an_undeclared_form_throughout_are_quarantined(
    company: Company, texts: list[str]
) -> None:
    records = [record(f"{n}", text, account_id="6400") for n, text in enumerate(texts)]
    result = company.land_one(ledger(*records))
    assert (result.state, result.records_quarantined) == ("landed", len(texts))
    assert "field amount_local: has the wrong form; expected a number" in result.reasons[0]


@pytest.mark.parametrize("text", ["31.01.2026", "Jan-26", "20260131", "01/2026"])
def test_periods_in_an_undeclared_form_throughout_are_quarantined(
    company: Company, text: str
) -> None:
    """The document of each record is called by its period, which is a period's form."""
    records = [record(f"L{n}", period_id=text, document_id="2026-01") for n in range(3)]
    result = company.land_one(ledger(*records))
    assert (result.state, result.records_quarantined) == ("landed", 3)


def test_swapped_columns_refuse_the_file(company: Company) -> None:
    records = [record(f"L{n}", f"CC{n}", cost_centre_id=f"{n}00.00") for n in range(1, 4)]
    result = company.land_one(ledger(*records))
    assert result.state == "refused"
    assert "seems to have the columns amount_local and" in result.message
