"""A proposed rate is planned cost over planned volume, on figures worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
import yaml

from pipelines.cost_model.rate_card import RateCard
from pipelines.errors import UsageError
from pipelines.planning.propose_rates import propose_rates, round_rate, write_rate_card


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """Two planned months of mail: 1,000.00 for 150 mailboxes each; of the full cost of 2,400.00 a
    quarter is variable. Fax has no volume; storage declares nothing."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema model; create schema fairness;
            create table model.periods as from (values
                ('2026-12', 2026, date '2026-12-01', date '2027-01-01'),
                ('2027-01', 2027, date '2027-01-01', date '2027-02-01'),
                ('2027-02', 2027, date '2027-02-01', date '2027-03-01')
            ) as periods (period_id, fiscal_year, period_start, period_end);
            create table fct_charges_monthly as
            select scenario_id, period_id, service_id, upper(service_id) as service_name, unit_code,
                'at_cost' as charging_policy, disposition, cost::decimal(28, 2) as cost_amount,
                quantity::decimal(38, 12) as quantity
            from (values
                ('budget', '2026-12', 'mail', 'mailbox', 'allocated', 9999, 1),
                ('budget', '2027-01', 'mail', 'mailbox', 'allocated', 600, 100),
                ('budget', '2027-01', 'mail', 'mailbox', 'allocated', 400, 50),
                ('budget', '2027-02', 'mail', 'mailbox', 'allocated', 1000, 150),
                ('budget', '2027-02', 'mail', 'mailbox', 'unmapped', 7777, 10),
                ('actual', '2027-01', 'mail', 'mailbox', 'allocated', 8888, 10),
                ('budget', '2027-01', 'fax', 'page', 'allocated', 50, null),
                ('budget', '2027-01', 'storage', 'gb', 'allocated', 30, 4000)
            ) as lines (scenario_id, period_id, service_id, unit_code, disposition, cost, quantity);
            create table fairness.int_fairness__services as from (values
                ('budget', '2027-01', 'mail', 1200::hugeint, 600::hugeint, 300::hugeint),
                ('budget', '2027-02', 'mail', 1200, 900, 0),
                ('budget', '2027-01', 'storage', 30, 0, 30)
            ) as services (scenario_id, period_id, service_id, joint_units, fixed_units,
                undeclared_units);
            create table dim_run as select 'run-1' as run_id, 'EUR' as currency_code;
            """
        )
        yield connection


def test_rates_are_as_worked_by_hand(marts: duckdb.DuckDBPyConnection) -> None:
    """Mail: 2,000 / 300 = 6.6666666667, rounded 6.67, which recovers 2,001 - 2,000 = 1.00 more.
    Variable 600 / 2,400 = 25 % of 2,000 = 500, 1.6666.. a mailbox, so fixed 1,500: it breaks even
    at 1,500 / (6.67 - 1.6666..) = 299.8000.., said as 299.81.
    Storage: 30 / 4,000 = 0.0075; all fixed, 30 / 0.0075 = 4,000."""
    found = propose_rates(marts, 2027)
    mail, storage = found.proposals
    assert mail.service_id == "mail"
    assert (mail.planned_cost, mail.planned_volume) == (Decimal(2000), Decimal(300))
    assert (str(mail.planned_unit_cost), str(mail.price)) == ("6.6666666667", "6.67")
    assert (str(mail.planned_recovery), str(mail.fixed_cost)) == ("1.00", "1500.00")
    assert mail.break_even_volume == Decimal("299.81")
    assert (str(storage.price), str(storage.planned_recovery)) == ("0.00750", "0.00")
    assert storage.break_even_volume == 4000


def test_proposals_are_entries_of_a_rate_card(marts: duckdb.DuckDBPyConnection) -> None:
    text = write_rate_card(propose_rates(marts, 2027, services=("mail",), digits=2))
    (price,) = RateCard.model_validate(yaml.safe_load(f"prices:\n{text}")).prices
    assert (price.id, price.unit, price.price) == ("mail-2027", "mailbox", Decimal("6.7"))
    assert (str(price.valid_from), str(price.valid_to)) == ("2027-01-01", "2027-03-01")


@pytest.mark.parametrize(
    ("year", "services", "said"),
    [
        (2030, (), "no budget is published for the fiscal year 2030"),
        (2027, ("fax",), "no planned volume of fax in 2027; there is one of mail, storage"),
    ],
)
def test_what_cannot_be_proposed_is_said(
    marts: duckdb.DuckDBPyConnection, year: int, services: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        propose_rates(marts, year, services=services)


@pytest.mark.parametrize(
    ("exact", "digits", "rate"),
    [
        ("608.0741", 3, "608"),
        ("16905", 3, "16900"),
        ("16950", 3, "17000"),
        ("98.45", 3, "98.5"),
        ("9.995", 3, "10.00"),
        ("0.02606", 3, "0.0261"),
        ("0.00000000014", 3, "1E-10"),
        ("0", 3, "0.00"),
    ],
)
def test_a_rate_has_significant_digits(exact: str, digits: int, rate: str) -> None:
    assert round_rate(Fraction(exact), digits) == Decimal(rate)
