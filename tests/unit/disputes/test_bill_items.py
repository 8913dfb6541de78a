"""The line of a bill is found by what people call it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import duckdb
import pytest

from pipelines.disputes.bill_items import find_charge, find_item
from pipelines.errors import UsageError

MARTS = """
create table dim_run as select 'EUR' as currency_code;
create table fct_bill_items_monthly as
    select 'actual' as scenario_id, '2026-01' as period_id, version, bill_item_id, item_kind,
        service_id, upper(service_id) as service_name, cost_centre_id,
        cost_centre_id as cost_centre_name, 'SAL' as business_unit_id,
        'Sales' as business_unit_name, 'c0' as origin_charge_id, amount::decimal(28, 2) as amount
    from (values
        (1, 'old', 'charge', 'mail', 'cc1', 10), (2, 'c1', 'charge', 'mail', 'cc1', 12.34),
        (2, 'c2', 'charge', 'erp', 'cc2', 5), (2, 'n1', 'correction', 'mail', 'cc1', -3)
    ) as items (version, bill_item_id, item_kind, service_id, cost_centre_id, amount);
insert into fct_bill_items_monthly
    select * replace ('budget' as scenario_id, 99 as amount) from fct_bill_items_monthly;
"""


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        yield connection


def test_charge_is_found_in_the_newest_version(marts: duckdb.DuckDBPyConnection) -> None:
    found = find_charge(marts, "2026-01", "mail", "cc1")
    assert (found.bill_item_id, found.version, found.amount) == ("c1", 2, Decimal("12.34"))
    assert (found.charge_id, found.business_unit_name, found.currency_code) == (
        *("c1", "Sales"),
        "EUR",
    )


def test_other_item_refers_to_its_charge(marts: duckdb.DuckDBPyConnection) -> None:
    found = find_item(marts, "2026-01", "n1")
    assert (found.item_kind, found.charge_id, found.amount) == ("correction", "c0", Decimal(-3))


def test_line_that_is_not_there_is_told_with_what_is(marts: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="cc2 is charged for: erp"):
        find_charge(marts, "2026-01", "mail", "cc2")
    with pytest.raises(UsageError, match="mail is charged to: cc1"):
        find_charge(marts, "2026-01", "mail", "cc9")
    with pytest.raises(UsageError, match="the bills of 2026-02 charge cc9 nothing"):
        find_charge(marts, "2026-02", "fax", "cc9")
    with pytest.raises(UsageError, match="no bill of 2026-01 has the item 'old'"):
        find_item(marts, "2026-01", "old")
