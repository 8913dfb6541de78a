"""One word, one amount: no two pages or papers state different amounts under one term of the
glossary, in a month with notes, adjustments, mark-up and prices and in a month without any."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.method_sheets.glossary import read_terms
from tests.e2e.closed_year import LATE, Year
from tests.e2e.papers import Papers
from tests.e2e.stated_amounts import MARTS, STATED, UNSEEN, Stated, is_same, read_marts

PLAIN, NOTED, PRICED = "2026-03", LATE[0].posted, LATE[1].posted
MONTHS = (PLAIN, NOTED, PRICED)
DIGITS = 4
"""Decimals of a rate in a table of the app and of a price in FOCUS that need no more."""
BUDGET = {"Budgeted cost", "Budgeted bill"}
"""Not terms of their own: the glossary's *Budget* of a cost and of a bill."""


@pytest.fixture(scope="module")
def papers(year: Year, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Papers]]:
    """The papers of each month; the statements of the unit that is billed most and of one of the
    Swiss company, which alone has a mark-up."""
    found = {}
    for month in MONTHS:
        own = Papers(year.root, month, tmp_path_factory.mktemp(month), ())
        rows = own.query(
            "select business_unit_id, legal_entity_id, sum(amount) as amount "
            "from fct_bill_items_monthly where scenario_id = 'actual' and period_id = $month "
            "group by all order by amount desc"
        )
        swiss = next(unit for unit, entity, _ in rows if entity == "CH01")
        found[month] = Papers(year.root, month, own.directory, (rows[0][0], swiss))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPORTION_WORKSPACE", str(year.root))
        yield found


def test_the_months_are_what_they_stand_for(papers: dict[str, Papers]) -> None:
    """Else the comparison would prove nothing: billed is charged in one month only."""
    kinds = "select distinct item_kind from fct_bill_items_monthly where scenario_id = 'actual' "
    found = {
        month: {row[0] for row in own.query(f"{kinds} and period_id = $month")}
        for month, own in papers.items()
    }
    assert found[PLAIN] == {"charge"}
    assert found[NOTED] == {"charge", "correction", "adjustment"}
    assert found[PRICED] == {"charge", "correction", "adjustment", "mark_up"}
    assert not read_marts(papers[PLAIN], "Price")
    assert set(read_marts(papers[PRICED], "Price")) == {
        *("workplace-laptop", "email-collaboration", "mobile", "file-storage", "contact-centre"),
    }


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("term", MARTS)
def test_a_term_is_one_amount_wherever_it_is_stated(
    papers: dict[str, Papers], term: str, month: str
) -> None:
    own = papers[month]
    expected = read_marts(own, term)
    problems = []
    for stated in STATED:
        if stated.term == term:
            problems += compare(stated, own, expected)
    assert problems == []


def compare(stated: Stated, own: Papers, expected: dict[str, Decimal]) -> list[str]:
    """What a place states otherwise than the mart, or states of something that the mart has not."""
    problems = []
    for key, amount in stated.read(own).items():
        known = expected.get(key)
        if known is None and is_nothing(amount):
            continue
        if known is None or not is_same(amount, known):
            problems.append(f"{stated.place}, {key or 'total'}: {amount}, the mart has {known}")
    return problems


def is_nothing(amount: object) -> bool:
    return str(amount) in ("0", "0.00", "0.0")


def test_every_place_states_something_in_some_month(papers: dict[str, Papers]) -> None:
    """A reading that finds nothing at all compares nothing."""
    silent = [
        f"{stated.term}: {stated.place}"
        for stated in STATED
        if not any(stated.read(own) for own in papers.values())
    ]
    assert silent == []


def test_every_amount_of_the_glossary_is_compared() -> None:
    """A new term with a mart column needs its rows in MARTS and its places in STATED, or a reason
    in UNSEEN; and a term is stated in one column only."""
    amounts = {term.name: term.column for term in read_terms() if term.column}
    compared = {stated.term for stated in STATED}
    assert set(MARTS) - BUDGET - {"IT cost"} == set(amounts) - set(UNSEEN)
    assert compared == set(MARTS)
    for name, column in amounts.items():
        mart, _, field = column.partition(".")
        assert name in UNSEEN or (mart in MARTS[name] and field in MARTS[name])


NO_AMOUNT = Path(__file__).with_name("terms_without_amount.txt")


def test_every_term_of_the_glossary_has_an_entry() -> None:
    """A term states an amount, by its mart column, or is listed as one that states none."""
    without = set(NO_AMOUNT.read_text("utf-8").split("\n")) - {""}
    named = {term.name for term in read_terms()}
    amounts = {term.name for term in read_terms() if term.column} | {"Budget", "IT cost"}
    assert named == without | amounts
    assert not without & amounts
