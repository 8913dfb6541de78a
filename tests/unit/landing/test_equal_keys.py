"""Records of one key: refused as a repetition, unless the source declares that they are right."""

from __future__ import annotations

import pytest

from tests.unit.landing.company import Company, open_company

HEADER = "period_id,product_id,product_name,service_id,cost_centre_id,seats_quantity\n"
TERMS = HEADER + "2026-03,E3,E3 monthly,m365,CC-A,10\n2026-03,E3,E3 annual,m365,CC-A,5\n"
"""One licence with two terms: 10 + 5 = 15 seats."""


def _open(company: Company, setting: str) -> Company:
    config = company.workspace.root / "apportion.yml"
    source = f'  seats: {{contract: licences, inbox: "seats/*"{setting}}}\n'
    config.write_text(config.read_text("utf-8") + source, "utf-8")
    return open_company(company.workspace.root)


@pytest.mark.parametrize(
    "setting",
    [
        ", unique_key: []",
        ", unique_key: [period_id, product_id, cost_centre_id, product_name]",
    ],
)
def test_two_terms_of_one_licence_are_fifteen_seats(company: Company, setting: str) -> None:
    opened = _open(company, setting)
    result = opened.land_one(TERMS.encode(), "seats/l2.csv")
    assert result.state == "landed", result.message
    sql = "select cast(sum(seats_quantity) as integer), count(*) from records"
    assert opened.read(result, sql) == [(15, 2)]


def test_a_refusal_says_how_equal_keys_are_declared(company: Company) -> None:
    result = _open(company, "").land_one(TERMS.encode(), "seats/l2.csv")
    assert result.state == "refused"
    assert "(2026-03, E3, CC-A) in records 1, 2" in result.message
    assert (
        "'unique_key: [period_id, product_id, cost_centre_id, product_name]' if product_name "
        "tells them apart, or 'unique_key: []' if they add up" in result.message
    )


def test_a_whole_repetition_is_told_apart_by_nothing(company: Company) -> None:
    """The same line twice: no field makes the two records different ones."""
    line = "2026-03,E3,E3 monthly,m365,CC-A,10\n"
    result = _open(company, "").land_one((HEADER + line * 2).encode(), "seats/l2.csv")
    assert "tells them apart" not in result.message
    assert "'unique_key: []' if they add up" in result.message


def test_a_wider_key_still_refuses_a_repetition_of_it(company: Company) -> None:
    opened = _open(company, ", unique_key: [period_id, product_id, product_name, cost_centre_id]")
    line = "2026-03,E3,E3 annual,m365,CC-A,5\n"
    result = opened.land_one((TERMS + line).encode(), "seats/l2.csv")
    assert "in records 2, 3" in result.message
