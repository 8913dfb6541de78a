"""Check what landed: one suite per source, judged inside DuckDB; results as values and as pages.

What it does: measures every source in a few scans, has every check judged, says what the failed
ones found with a short sample of the records, looks for columns that came broken from upstream,
and writes `checks.json` and `data_docs/index.html` into the evidence directory. What was there of
an earlier run is replaced.

Assumes: the database file holds `lake.<contract_id>` for each contract of the plan, with the
columns of the contract and `_source_id`, `_scenario_id`, `_file_id`, `_row_number`; nobody else
has it open. The file is not named `lake`, `subjects` or `figures`, or DuckDB could not tell it
from the schema of that name.

Guarantees: the lake is not changed; what is measured goes into the schemas `figures` and
`subjects` beside it. A check that cannot be evaluated is an exception, never a passed check. The
same lake and plan give the same results, whatever the day.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.checks.figures import (
    compare_periods,
    create_figures,
    measure_lateness,
    measure_references,
    measure_source,
)
from pipelines.checks.findings import WHAT_TO_DO, list_findings, read_sample
from pipelines.checks.plan import CheckPlan
from pipelines.checks.results import CheckReport, CheckResult, make_report, write_results
from pipelines.checks.subjects import Subject, create_views, list_subjects
from pipelines.checks.summaries import read_periods, read_sources
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


class SourceTwiceError(ApportionError):
    """A plan names a source twice; its figures would be mixed up."""

    def __init__(self, source_id: str) -> None:
        super().__init__(
            f"source '{source_id}': expected it once in what is to be checked, found it twice. "
            "A source has one contract and one scenario; report this as a defect."
        )


def run_checks(
    lake_database: Path,
    plan: CheckPlan,
    evidence_directory: Path,
    on_progress: Callable[[str], None] | None = None,
) -> CheckReport:
    """Run the checks of the plan over the lake and write the evidence.

    Raises KeyError for an unknown contract, LakeIncompleteError for a missing table or column and
    CheckBrokenError for a check that could not be evaluated.
    """
    from pipelines.checks.data_docs import clear_pages, finish_pages
    from pipelines.checks.validation import validate_subjects

    tell = on_progress or (lambda _message: None)
    _require_single_sources(plan)
    _require_columns(lake_database, [load_contract(name) for name in plan.contract_ids])
    docs_directory = evidence_directory / DOCS_DIRECTORY
    clear_pages(docs_directory)
    docs_directory.mkdir(parents=True)
    subjects = list_subjects(plan)
    _measure(lake_database, plan, subjects, tell)
    outcomes = validate_subjects(lake_database, subjects, docs_directory, tell)
    with _connect(lake_database) as connection:
        results = _make_results(connection, plan, outcomes)
        sources, periods = read_sources(connection, plan), read_periods(connection, plan)
    findings = find_unusable_columns(lake_database, plan.contract_ids)
    index = docs_directory / "index.html"
    report = make_report(results, findings, index, sources, periods)
    finish_pages(docs_directory, subjects, report)
    write_results(report, evidence_directory)
    return report


def _measure(
    lake_database: Path,
    plan: CheckPlan,
    subjects: Sequence[Subject],
    tell: Callable[[str], None],
) -> None:
    import duckdb

    conditions = {
        source_id: [check for check in subject.checks if check.counting == "record"]
        for subject in subjects
        for source_id in subject.source_ids
        if len(subject.source_ids) == 1
    }
    with duckdb.connect(str(lake_database)) as connection:
        create_views(connection, list(subjects))
        create_figures(connection, plan)
        for source in plan.sources:
            tell(f"measuring {source.title.lower()}")
            measure_source(connection, source, conditions[source.source_id])
            measure_references(connection, source, plan)
        compare_periods(connection, plan.periods)
        measure_lateness(connection, plan)


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


def _require_single_sources(plan: CheckPlan) -> None:
    names = [source.source_id for source in plan.sources]
    for name in names:
        if names.count(name) > 1:
            raise SourceTwiceError(name)


def _make_results(
    connection: duckdb.DuckDBPyConnection, plan: CheckPlan, outcomes: Sequence[Outcome]
) -> tuple[CheckResult, ...]:
    counts = {
        outcome.subject.source_ids[0]: outcome.record_count
        for outcome in outcomes
        if outcome.record_count is not None
    }
    names = {file.file_id: file.file_name for source in plan.sources for file in source.files}
    return tuple(_make_result(connection, names, counts, outcome) for outcome in outcomes)


def _make_result(
    connection: duckdb.DuckDBPyConnection,
    file_names: dict[str, str],
    counts: dict[str, int],
    outcome: Outcome,
) -> CheckResult:
    """A result with its findings and its sample; the queries are paid for by failures only."""
    subject, check, failed = outcome.subject, outcome.check, not outcome.is_success
    return CheckResult(
        source_ids=subject.source_ids,
        source_name=subject.title,
        contract_id=subject.contract_id,
        scenario_id=subject.scenario_id,
        check_id=check.check_id,
        kind=check.kind,
        severity=check.severity,
        sentence=check.sentence,
        is_success=outcome.is_success,
        unexpected_count=outcome.unexpected_count,
        record_count=sum(counts[source_id] for source_id in subject.source_ids),
        what_to_do=WHAT_TO_DO[check.kind],
        findings=list_findings(connection, subject, check) if failed else (),
        sample=read_sample(connection, subject, check, file_names) if failed else (),
    )
