"""Write what the checks found into the marts that the app reads, before the file is sealed.

The marts `rpt_data_*` are models of dbt like all others, with enforced contracts, and empty when
dbt is done: the checks run beside it and are ready last. This fills them. Each row names its run,
so that a file of an earlier run beside this one cannot be taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.checks.plan import name_source

if TYPE_CHECKING:
    import duckdb

    from pipelines.checks.results import CheckReport, CheckResult

SHARE_STEP = Decimal("0.000001")

Row = tuple[Any, ...]


def write_check_marts(database: Path, report: CheckReport, run_id: str) -> None:
    """Fill the marts of the checks in a file that dbt has built."""
    import duckdb

    with duckdb.connect(str(database)) as connection:
        connection.execute("begin")
        for mart, rows in {
            "rpt_data_checks": [*_list_checks(report), *_list_columns(report)],
            "rpt_data_check_findings": [*_list_findings(report), *_list_column_findings(report)],
            "rpt_data_check_records": _list_records(report),
            "rpt_data_sources": _list_sources(report),
            "rpt_data_source_periods": _list_periods(report),
        }.items():
            _insert(connection, mart, run_id, rows)
        connection.execute("commit")


def _insert(
    connection: duckdb.DuckDBPyConnection, mart: str, run_id: str, rows: Iterable[Row]
) -> None:
    given = [(run_id, *row) for row in rows]
    if given:
        places = ", ".join("?" for _ in given[0])
        connection.executemany(f"insert into marts.{mart} values ({places})", given)


def _name_sources(result: CheckResult) -> str:
    return ", ".join(result.source_ids)


def _list_checks(report: CheckReport) -> Iterator[Row]:
    for number, result in enumerate(report.results):
        has_count = any(finding.record_count is not None for finding in result.findings)
        broken = result.unexpected_count if has_count or result.is_success else None
        yield (
            _name_sources(result),
            result.scenario_id,
            result.check_id,
            number,
            result.source_name,
            result.kind,
            result.severity,
            result.sentence,
            result.what_to_do,
            result.is_success,
            result.record_count,
            broken,
        )


def _list_columns(report: CheckReport) -> Iterator[Row]:
    """A cost column that came broken from upstream is a failed check, if no record of it is."""
    scenarios = {source.source_id: source.scenario_id for source in report.sources}
    for number, finding in enumerate(report.upstream_findings, len(report.results)):
        yield (
            finding.source_id,
            scenarios.get(finding.source_id, "actual"),
            _name_column(finding.scope, finding.currency_code, finding.column),
            number,
            name_source(finding.source_id),
            "column",
            "warning",
            f"{name_source(finding.source_id)}: expected {finding.expected}.",
            finding.remedy,
            False,
            int(finding.get_figure("line_count")),
            None,
        )


def _name_column(scope: str, currency: str, column: str) -> str:
    return f"{column} of {scope} in {currency}"


def _list_findings(report: CheckReport) -> Iterator[Row]:
    for result in report.results:
        for number, finding in enumerate(result.findings):
            yield (
                _name_sources(result),
                result.check_id,
                number,
                finding.period_id or None,
                finding.sentence,
                finding.record_count,
                finding.currency_code or None,
                finding.amount_local,
            )


def _list_column_findings(report: CheckReport) -> Iterator[Row]:
    for finding in report.upstream_findings:
        check_id = _name_column(finding.scope, finding.currency_code, finding.column)
        yield (finding.source_id, check_id, 0, None, finding.sentence, None, None, None)


def _list_records(report: CheckReport) -> Iterator[Row]:
    for result in report.results:
        for record in result.sample:
            values = (
                f"{name} = {'(empty)' if value is None else value}" for name, value in record.values
            )
            yield (
                _name_sources(result),
                result.check_id,
                record.file_id,
                record.row_number,
                record.file_name or None,
                "; ".join(values),
            )


def _list_sources(report: CheckReport) -> Iterator[Row]:
    for number, source in enumerate(report.sources):
        own = [result for result in report.results if source.source_id in result.source_ids]
        failed = [result.severity for result in own if not result.is_success]
        columns = sum(f.source_id == source.source_id for f in report.upstream_findings)
        known_count = source.named_count - source.unknown_count
        yield (
            source.source_id,
            source.scenario_id,
            number,
            source.latest_period_id or None,
            source.landed_date,
            source.source_name,
            source.contract_id,
            source.file_count,
            source.record_count,
            source.periods_behind,
            _divide(source.filled_count, source.optional_count),
            _divide(known_count, source.named_count),
            len(own) + columns,
            failed.count("error"),
            failed.count("warning") + columns,
        )


def _divide(part: int, whole: int) -> Decimal | None:
    """A share, cut off: one that is not whole is never written as 1."""
    return (Decimal(part) / whole).quantize(SHARE_STEP, ROUND_DOWN) if whole else None


def _list_periods(report: CheckReport) -> Iterator[Row]:
    scenarios = {source.source_id: source.scenario_id for source in report.sources}
    for period in report.periods:
        yield (
            period.source_id,
            scenarios[period.source_id],
            period.period_id or None,
            period.currency_code or None,
            period.record_count,
            period.previous_record_count,
            period.amount_local,
            period.previous_amount_local,
            period.last_date,
        )
