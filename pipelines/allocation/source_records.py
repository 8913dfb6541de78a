"""Walk from a cost line to the records of the deliveries behind it.

A ledger line names its file and row. A metered line (cloud bill) is the sum of records that share
its attributes: the query that finds them is kept with the publication, and is run here over the
lake. A balancing line stands for what the claimed ledger lines say beyond the detail feed, so its
records are those ledger lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.landing.quarantine_log import NO_DECISIONS
from pipelines.landing.typed_records import has_records
from pipelines.warehouse.lake_views import (
    ActiveLoad,
    create_lake_views,
    read_corrections,
    read_published_replaced,
)
from pipelines.warehouse.latest_records import find_updated_key
from pipelines.warehouse.pins import name_files, read_pins
from pipelines.warehouse.publication import read_publication
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

LINEAGE_ORDER = (
    *("stg_model__settings", "stg_model__periods", "stg_model__feeds"),
    "stg_model__tagging_scope",
)
CLOUD_QUERIES = ("stg_cloud_bill__lines", "stg_cloud_bill__keyed_lines")
LINEAGE_TABLES = (
    *("model.settings", "model.periods", "model.feeds", "model.tagging_scope"),
    "tagging.int_tagging__matches",
)
"""What the lineage queries read beside the lake: settings, and what the rules decided."""


@dataclass(frozen=True)
class SourceRecord:
    """One record of one delivery: file, its hash, record number (1 = first after the header)."""

    ledger_line_id: str
    file_name: str
    file_id: str
    row_number: int
    text: str
    currency_code: str
    amount_local: Decimal


def find_source_records(
    workspace: Workspace,
    published: duckdb.DuckDBPyConnection,
    ledger_line_ids: Sequence[str],
    scenario_id: str | None = None,
) -> list[SourceRecord]:
    """Records behind cost lines, in the order of the lines, then of file and row."""
    import duckdb

    ids = list(ledger_line_ids)
    loads = read_published_loads(workspace, published)
    with duckdb.connect(":memory:") as lake:
        names = prepare_lake(lake, workspace, published, loads)
        records = _find_cloud_records(lake, ids, scenario_id) if names else []
        records += _find_ledger_records(lake, published, ids, scenario_id)
    files = name_files(loads, read_pins(workspace, published))
    order = {line_id: number for number, line_id in enumerate(ids)}
    found = [
        SourceRecord(line, files.get(file_id, file_id), file_id, row, text or "", code, amount)
        for line, file_id, row, text, code, amount in records
    ]
    return sorted(found, key=lambda r: (order[r.ledger_line_id], r.file_name, r.row_number))


def read_published_loads(
    workspace: Workspace, published: duckdb.DuckDBPyConnection
) -> list[ActiveLoad]:
    """The loads that the published run read, as far as their records are still in the lake."""
    sources = workspace.config.sources
    rows = published.execute(
        "select load_id, source_id, contract_id, scenario_id, file_name, file_id, "
        "records_accepted, records_quarantined, directory_name from model.loads order by load_id"
    ).fetchall()
    corrections = read_corrections(published)
    replaced = read_published_replaced(published)
    loads = []
    for load_id, source, contract, scenario, file_name, file_id, accepted, waiting, name in rows:
        load = (load_id, source, contract, scenario, file_name, file_id, accepted, waiting)
        released = corrections.get(load_id, NO_DECISIONS)
        key = find_updated_key(sources[source], contract) if source in sources else ()
        directory = workspace.lake / source / name
        without = replaced.get(load_id, ())
        loads.append(
            ActiveLoad(
                *load,
                directory,
                released,
                updated_key=key,
                replaced_periods=without,
                periods=workspace.config.calendar.spans,
            )
        )
    return [load for load in loads if has_records(load.directory)]


def prepare_lake(
    lake: duckdb.DuckDBPyConnection,
    workspace: Workspace,
    published: duckdb.DuckDBPyConnection,
    loads: list[ActiveLoad],
) -> bool:
    """Rebuild the views of the lineage query under the name of the warehouse that they name.

    False where the published run had no such query; the lake has its views all the same."""
    catalog = read_publication(workspace).files[0].name.removesuffix(".duckdb")
    lake.execute(f"attach ':memory:' as \"{catalog}\"")
    lake.execute(f'use "{catalog}"')
    pins = read_pins(workspace, published)
    create_lake_views(lake, loads, pins=pins, clock=workspace.config.clock)
    for schema in ("model", "tagging", "staging"):
        lake.execute(f"create schema {schema}")
    for table in LINEAGE_TABLES:
        frame = published.sql(f"select * from {table}").to_arrow_table()
        lake.register("frame", frame)
        lake.execute(f"create table {table} as select * from frame")
        lake.unregister("frame")
    queries = dict(
        published.execute("select query_name, sql from model.lineage_queries").fetchall()
    )
    for name in (*LINEAGE_ORDER, *CLOUD_QUERIES):
        if name not in queries:
            return False
        lake.execute(queries[name])
    return True


def _find_cloud_records(
    lake: duckdb.DuckDBPyConnection, ids: list[str], scenario_id: str | None
) -> list[tuple[str, str, int, str, str, Decimal]]:
    """Bill lines by the cost at which they are passed on, and behind a discount what is not."""
    text = "concat_ws(', ', provider_name, service_name, charge_description), billing_currency"
    own = "($scenario is null or scenario_id = $scenario)"
    query = f"""
        select source_id || ':' || cloud_line_key as ledger_line_id, file_id, row_number, {text},
            passed_on_amount_local
        from staging.stg_cloud_bill__keyed_lines
        where list_contains($ids, source_id || ':' || cloud_line_key) and {own}
        union all
        select concat_ws(':', source_id, 'discount', period_id, provider_name, billing_currency)
            as ledger_line_id, file_id, row_number, {text}, amount_local - passed_on_amount_local
        from staging.stg_cloud_bill__keyed_lines
        where list_contains($ids, ledger_line_id) and amount_local <> passed_on_amount_local
            and {own}
    """
    if not _has_column(lake, "stg_cloud_bill__keyed_lines", "passed_on_amount_local"):
        # Published before use could be passed on at another cost than the one that ties.
        query = query.split("union all", maxsplit=1)[0].replace(
            "passed_on_amount_local", "amount_local"
        )
    return lake.execute(query, {"ids": ids, "scenario": scenario_id}).fetchall()


def _has_column(lake: duckdb.DuckDBPyConnection, view: str, column: str) -> bool:
    return column in lake.sql(f"select * from staging.{view} limit 0").columns


def _find_ledger_records(
    lake: duckdb.DuckDBPyConnection,
    published: duckdb.DuckDBPyConnection,
    ids: list[str],
    scenario_id: str | None,
) -> list[tuple[str, str, int, str, str, Decimal]]:
    """Ledger and budget lines by themselves, and the claimed lines behind balancing lines."""
    own = published.execute(
        """
        select lines.ledger_line_id, lines.file_id, lines.row_number,
            concat_ws(', ', lines.vendor_name, lines.description), lines.currency_code,
            lines.amount_local
        from fct_ledger_lines as lines
        where list_contains($ids, lines.ledger_line_id) and lines.file_id is not null
            and ($scenario is null or lines.scenario_id = $scenario)
        """,
        {"ids": ids, "scenario": scenario_id},
    ).fetchall()
    balancing = published.execute(
        """
        select ledger_line_id, source_id, period_id, account_id, cost_centre_id, legal_entity_id,
            currency_code
        from fct_ledger_lines where is_balancing and list_contains($ids, ledger_line_id)
            and scenario_id = $scenario
        """,
        {"ids": ids, "scenario": scenario_id or "actual"},
    ).fetchall()
    claims = published.execute(
        "select source_id, line_id, feed_source_id from ledger.int_ledger__claims"
    ).fetchall()
    if not balancing or not claims:
        return own
    lake.execute("create temp table claims (source_id varchar, line_id varchar, feed varchar)")
    lake.executemany("insert into claims values (?, ?, ?)", claims)
    for line_id, feed, period, account, centre, entity, currency in balancing:
        own += lake.execute(
            """
            select ?, lines._file_id, lines._row_number,
                concat_ws(', ', lines.vendor_name, lines.description), lines.currency_code,
                lines.amount_local
            from lake.general_ledger as lines
            inner join claims on lines._source_id = claims.source_id
                and lines.line_id = claims.line_id and claims.feed = ?
            where lines.period_id = ? and lines.account_id = ? and lines.cost_centre_id = ?
                and lines.legal_entity_id = ? and lines.currency_code = ?
                and lines._scenario_id = ?
            """,
            [line_id, feed, period, account, centre, entity, currency, scenario_id or "actual"],
        ).fetchall()
    return own
