"""One record beyond the limit of an amount is refused before the build, with its file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.cost_model.compile import RunStamp, compile_tables, write_tables
from pipelines.cost_model.load import load_cost_model
from pipelines.errors import ControlError
from pipelines.money import AMOUNT_LIMIT
from pipelines.warehouse.lake_views import create_lake_views, create_load_tables
from pipelines.warehouse.limit_checks import refuse_converted_amounts, refuse_priced_quantities
from pipelines.workspace.workspace import Workspace
from tests.unit.cost_model.model_files import write_files


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return write_files(tmp_path)


@pytest.fixture
def connection(workspace: Workspace, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A dollar is 90.123456789012 EUR in January; a minute of mail costs 0.0002 EUR."""
    with duckdb.connect() as opened:
        create_lake_views(opened, [])
        stamp = RunStamp("run", "f", None, "code")
        tables = compile_tables(workspace.config, load_cost_model(workspace), stamp)
        write_tables(opened, tables, tmp_path / "model")
        create_load_tables(opened, [])
        opened.execute(
            "insert into model.loads by name select 'ledger' as source_id, "
            "'f1' as file_id, 'gl.csv' as file_name"
        )
        opened.execute(
            "insert into lake.exchange_rates by name select 'average' as rate_type, "
            "'USD' as from_currency_code, 'EUR' as to_currency_code, '2026-01' as period_id, "
            "90.123456789012 as exchange_rate"
        )
        opened.execute(
            "create or replace table model.rate_card as select 'mail' as service_id, "
            "cast(0.0002 as decimal(28, 10)) as unit_price_rate, "
            "cast(null as decimal(28, 10)) as peak_price_rate"
        )
        yield opened


def post(connection: duckdb.DuckDBPyConnection, amount: str, currency: str) -> None:
    connection.execute(
        "insert into lake.general_ledger by name select 'ledger' as _source_id, 'f1' as _file_id, "
        "7 as _row_number, '2026-01' as period_id, ? as currency_code, "
        "cast(? as decimal(38, 12)) as amount_local",
        [currency, amount],
    )


def test_amount_that_its_rate_carries_over_the_limit(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace
) -> None:
    """10^13 x 90.12 is 9.01 x 10^14; 1.11 x 10^13 x 90.12 is 1.0004 x 10^15."""
    post(connection, "10000000000000.00", "USD")
    post(connection, "-500000000000000.00", "EUR")
    refuse_converted_amounts(connection, workspace)
    post(connection, "-11100000000000.00", "USD")
    with pytest.raises(ControlError, match=f"reach {AMOUNT_LIMIT:,} EUR") as caught:
        refuse_converted_amounts(connection, workspace)
    assert "gl.csv record 7: -11100000000000 USD at 90.123456789012 in 2026-01" in str(caught.value)


def test_quantity_that_its_price_carries_over_the_limit(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace
) -> None:
    """4.9 x 10^18 of 0.0002 are 9.8 x 10^14, 5 x 10^18 are the limit."""
    for quantity, is_refused in (("4900000000000000000", False), ("5000000000000000000", True)):
        connection.execute(
            "insert into lake.service_usage by name select 'ledger' as _source_id, "
            "'f1' as _file_id, 3 as _row_number, '2026-01' as period_id, 'mail' as service_id, "
            "cast(? as decimal(38, 12)) as quantity",
            [quantity],
        )
        if not is_refused:
            refuse_priced_quantities(connection, workspace)
    with pytest.raises(ControlError, match=r"1 charges reach .* EUR by the rate card") as caught:
        refuse_priced_quantities(connection, workspace)
    assert "gl.csv record 3: 5000000000000000000 of mail at 0.0002 EUR" in str(caught.value)
