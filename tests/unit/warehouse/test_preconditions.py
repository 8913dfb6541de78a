"""Depreciation in a currency without a rate is refused before it would become nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.cost_model.compile import RunStamp, compile_tables, write_tables
from pipelines.cost_model.load import load_cost_model
from pipelines.errors import ControlError
from pipelines.warehouse.lake_views import create_lake_views
from pipelines.warehouse.preconditions import refuse_missing_rates
from tests.unit.cost_model.model_files import write_files

FEED = """\
  assets:
    contract: assets
    inbox: assets/*.csv
    detail_feed: {claims: {account: ["68*"]}, account: "6800"}
"""


@pytest.fixture
def works(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A ledger with January and March; an asset of yen in use from 10 February for two months."""
    workspace = write_files(tmp_path)
    path = workspace.root / "apportion.yml"
    path.write_text(path.read_text("utf-8") + FEED, "utf-8")
    connection = duckdb.connect()
    create_lake_views(connection, [])
    stamp = RunStamp("run", "f", None, "code")
    tables = compile_tables(workspace.config, load_cost_model(workspace), stamp)
    write_tables(connection, tables, tmp_path / "model")
    connection.execute(
        "insert into lake.general_ledger by name select 'ledger' as _source_id, period_id, "
        "'EUR' as currency_code from (values ('2026-01'), ('2026-03')) as periods (period_id)"
    )
    connection.execute(
        "create table model.period_versions as select distinct period_id from lake.general_ledger"
    )
    connection.execute(
        "insert into lake.assets by name select 'assets' as _source_id, 'JPY' as currency_code, "
        "date '2026-01-05' as purchase_date, date '2026-02-10' as in_service_date, "
        "2 as useful_life_months"
    )
    return connection


def test_missing_rate_of_a_depreciation_is_refused(
    works: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """February has no ledger, March has, April is after the life of the asset."""
    workspace = write_files(tmp_path)
    with pytest.raises(ControlError, match=r"1 exchange rates .*: JPY for 2026-03 \(1 lines\)"):
        refuse_missing_rates(works, workspace)
    works.execute(
        "insert into lake.exchange_rates by name select 'average' as rate_type, "
        "'JPY' as from_currency_code, 'EUR' as to_currency_code, '2026-03' as period_id"
    )
    refuse_missing_rates(works, workspace)


@pytest.mark.parametrize(
    "change",
    [
        "update lake.assets set retired_date = date '2026-03-01'",
        "update lake.assets set currency_code = 'EUR'",
        "update lake.assets set _source_id = 'register_that_feeds_nothing'",
    ],
)
def test_what_is_not_depreciated_needs_no_rate(
    works: duckdb.DuckDBPyConnection, tmp_path: Path, change: str
) -> None:
    works.execute(change)
    refuse_missing_rates(works, write_files(tmp_path))


@pytest.mark.parametrize(("month", "is_refused"), [("2026-02", False), ("2026-03", True)])
def test_a_bill_needs_a_rate_once_its_month_has_a_ledger(
    works: duckdb.DuckDBPyConnection, tmp_path: Path, month: str, is_refused: bool
) -> None:
    works.execute("update lake.assets set currency_code = 'EUR'")
    works.execute(
        "insert into lake.cloud_bill by name select 'bill' as _source_id, 'USD' as "
        f"billing_currency, timestamp '{month}-01 00:00:00' as billing_period_start"
    )
    if is_refused:
        with pytest.raises(ControlError, match="USD for 2026-03"):
            refuse_missing_rates(works, write_files(tmp_path))
    else:
        refuse_missing_rates(works, write_files(tmp_path))
