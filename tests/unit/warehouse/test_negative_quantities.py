"""Use below zero is refused with its records, unless its split says how it counts."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.errors import ControlError
from pipelines.warehouse.preconditions import refuse_negative_quantities

TABLES = """
create schema model;
create schema lake;
create table model.loads as select 'use' as source_id, 'f1' as file_id, 'use.csv' as file_name;
create table model.services as
    select * from (values ('mail', 'box'), ('lan', 'port')) as rows (service_id, unit_code);
create table model.drivers as
    select * from (values ('boxes', 'service_usage'), ('heads', 'headcount'))
        as rows (driver_id, driver_kind);
create table model.split_parts (stop_code text, rule_id text, driver_id text, negative text);
create table lake.service_usage (
    _scenario_id text, _source_id text, _file_id text, _row_number bigint, period_id text,
    service_id text, receiver_kind text, receiver_id text, quantity decimal(38, 12),
    unit_code text
);
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(TABLES)
        yield opened


def use(
    connection: duckdb.DuckDBPyConnection, *quantities: int, unit: str = "box", to: str = "cc-a"
) -> None:
    """Records of the use of mail in one period, by one receiver."""
    for quantity in quantities:
        connection.execute(
            "insert into lake.service_usage select 'actual', 'use', 'f1', count(*) + 1, '2026-01', "
            "'mail', 'consumer', ?, ?, ? from lake.service_usage",
            [to, quantity, unit],
        )


def split(connection: duckdb.DuckDBPyConnection, negative: str, driver: str = "boxes") -> None:
    row = ["consumers", "mail", driver, negative]
    connection.execute("insert into model.split_parts values (?, ?, ?, ?)", row)


def test_every_negative_record_is_named(connection: duckdb.DuckDBPyConnection) -> None:
    split(connection, "refuse")
    use(connection, 4, -3, -2)
    use(connection, -1, to="cc-b")
    with pytest.raises(ControlError) as caught:
        refuse_negative_quantities(connection)
    assert str(caught.value).startswith(
        "3 records of use make the use of a receiver negative: "
        "use.csv record 2: cc-a used -3 box of mail in 2026-01; "
        "use.csv record 3: cc-a used -2 box of mail in 2026-01; "
        "use.csv record 4: cc-b used -1 box of mail in 2026-01. "
    )


def test_a_correction_that_leaves_use_is_no_negative_use(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    split(connection, "refuse")
    use(connection, 4, -3)
    refuse_negative_quantities(connection)


@pytest.mark.parametrize("negative", ["clamp", "absolute"])
def test_a_split_may_say_how_it_counts(
    connection: duckdb.DuckDBPyConnection, negative: str
) -> None:
    split(connection, negative)
    use(connection, -3)
    refuse_negative_quantities(connection)


def test_what_does_not_count_is_not_refused(connection: duckdb.DuckDBPyConnection) -> None:
    """Use in another unit, and use of a service that does not split by its use."""
    split(connection, "refuse")
    use(connection, -3, unit="gb")
    refuse_negative_quantities(connection)
    connection.execute("delete from model.split_parts; delete from lake.service_usage")
    split(connection, "refuse", driver="heads")
    use(connection, -3)
    refuse_negative_quantities(connection)
