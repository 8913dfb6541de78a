"""Check what landed: one suite per contract, run inside DuckDB; results as values and as pages.

What it does: runs every suite, reads a short sample of the records that break a check, looks for
columns that came broken from upstream, and writes `checks.json` and `data_docs/index.html` into
the evidence directory. What was there of an earlier run is replaced.

Assumes: the database file holds `lake.<contract_id>` for each contract, with the columns of the
contract and `_source_id`, `_scenario_id`, `_file_id`, `_row_number`; nobody else has it open. The
file is not named `lake.*`, or DuckDB could not tell the schema `lake` from the file.

Guarantees: the database is not changed; an expectation that cannot be evaluated is an exception,
never a passed check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.checks.results import (
    BrokenRow,
    CheckReport,
    CheckResult,
    format_figure,
    make_report,
    write_results,
)
from pipelines.checks.upstream import find_unusable_columns
from pipelines.contracts.contract import Contract, load_contract
from pipelines.errors import ApportionError

if TYPE_CHECKING:
    import duckdb

    from pipelines.checks.validation import Outcome

LANDED_COLUMNS = ("_source_id", "_scenario_id", "_file_id", "_row_number")
DOCS_DIRECTORY = "data_docs"


class LakeIncompleteError(ApportionError):
    """The lake lacks a table or a column that the checks of a contract need."""

    def __init__(self, contract_id: str, missing: Sequence[str], found: int) -> None:
        what = "the table" if not found else f"its columns {', '.join(missing)}"
        super().__init__(
            f"lake.{contract_id}: expected {what}, found none. "
            "The lake was put together without it; report this as a defect."
        )


def run_checks(
    lake_database: Path,
    contract_ids: Sequence[str],
    evidence_directory: Path,
    on_progress: Callable[[str], None] | None = None,
) -> CheckReport:
    """Run the suites of the contracts over the lake and write the evidence.

    Raises KeyError for an unknown contract, LakeIncompleteError for a missing table or column and
    CheckBrokenError for an expectation that could not be evaluated.
    """
    from pipelines.checks.data_docs import clear_pages, finish_pages
    from pipelines.checks.validation import validate_contracts

    tell = on_progress or (lambda _message: None)
    contracts = [load_contract(contract_id) for contract_id in contract_ids]
    _require_columns(lake_database, contracts)
    docs_directory = evidence_directory / DOCS_DIRECTORY
    clear_pages(docs_directory)
    docs_directory.mkdir(parents=True)
    outcomes = validate_contracts(lake_database, contracts, docs_directory, tell)
    report = make_report(
        results=_add_samples(lake_database, outcomes),
        findings=find_unusable_columns(lake_database, contract_ids),
        data_docs_path=docs_directory / "index.html",
    )
    finish_pages(docs_directory, contracts, report)
    write_results(report, evidence_directory)
    return report


def _connect(lake_database: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(str(lake_database), read_only=True)


def _require_columns(lake_database: Path, contracts: Sequence[Contract]) -> None:
    """Look before the suites run: a missing column would show as an obscure error of theirs."""
    query = "select column_name from duckdb_columns() where schema_name = 'lake' and table_name = ?"
    with _connect(lake_database) as connection:
        for contract in contracts:
            found = {row[0] for row in connection.execute(query, [contract.contract_id]).fetchall()}
            expected = [*LANDED_COLUMNS, *(field.name for field in contract.fields)]
            missing = [name for name in expected if name not in found]
            if missing:
                raise LakeIncompleteError(contract.contract_id, missing, len(found))


def _add_samples(lake_database: Path, outcomes: Sequence[Outcome]) -> tuple[CheckResult, ...]:
    with _connect(lake_database) as connection:
        return tuple(
            CheckResult(
                contract_id=outcome.contract_id,
                check_id=outcome.check_id,
                severity=outcome.severity,
                sentence=outcome.sentence,
                is_success=outcome.is_success,
                unexpected_count=outcome.unexpected_count,
                record_count=outcome.record_count,
                sample=_read_sample(connection, outcome),
            )
            for outcome in outcomes
        )


def _read_sample(connection: duckdb.DuckDBPyConnection, outcome: Outcome) -> tuple[BrokenRow, ...]:
    """The first broken records by file and row; the second query is paid for by failures only."""
    from pipelines.checks.validation import SAMPLE_SIZE

    if outcome.is_success or not outcome.broken_rows:
        return ()
    broken = outcome.broken_rows.replace("{batch}", f"lake.{outcome.contract_id}")
    cursor = connection.execute(
        f"select * from ({broken}) as broken order by _file_id, _row_number limit {SAMPLE_SIZE}"
    )
    names = [column[0] for column in cursor.description or ()][2:]
    return tuple(
        BrokenRow(
            file_id=str(row[0]),
            row_number=int(row[1]),
            values=tuple(zip(names, map(_format_value, row[2:]), strict=True)),
        )
        for row in cursor.fetchall()
    )


def _format_value(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return format_figure(value)
    return value.isoformat() if isinstance(value, date) else str(value)
