"""What the checks found, as values, and the file `checks.json` that keeps them.

The file is for programs: amounts are texts (never floats), paths are relative to it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.checks.check import CheckKind
from pipelines.checks.rules import Severity
from pipelines.checks.upstream import UpstreamFinding

RESULTS_FILE = "checks.json"
FORMAT_VERSION = 2


@dataclass(frozen=True)
class BrokenRow:
    """One record that breaks a check: the file and row that it came from, and some values."""

    file_id: str
    """SHA-256 of the delivered file."""
    row_number: int
    values: tuple[tuple[str, str | None], ...]
    """(column, value as text)"""
    file_name: str = ""
    """Name of the delivered file, where the plan knows it."""


@dataclass(frozen=True)
class Finding:
    """What a failed check found in one period and currency, in the words of finance."""

    sentence: str
    """Source, period, what was found, what was expected, and by how much."""
    period_id: str = ""
    """'' where the source has no periods."""
    record_count: int | None = None
    """Records that break the check; None where the finding is about the period as a whole."""
    currency_code: str = ""
    amount_local: Decimal | None = None
    """The money of those records in that currency; None where they carry none."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check over the records of one source, or of a family of sources."""

    source_ids: tuple[str, ...]
    """One source; several where the check looks at all sources of a contract and scenario."""
    source_name: str
    contract_id: str
    scenario_id: str
    check_id: str
    kind: CheckKind
    severity: Severity
    sentence: str
    """What holds when the check passes."""
    is_success: bool
    unexpected_count: int
    """Number of records that break it, or of findings where it judges whole periods. Of an empty
    delivery none, though the check fails."""
    record_count: int
    """Number of records that were looked at."""
    what_to_do: str = ""
    findings: tuple[Finding, ...] = ()
    """The latest periods first, a few of them."""
    sample: tuple[BrokenRow, ...] = ()

    @property
    def stops_build(self) -> bool:
        """Whether the build must not go on."""
        return self.severity == "error" and not self.is_success


@dataclass(frozen=True)
class PeriodFigures:
    """What one source delivered for one period, in one currency where it carries money."""

    source_id: str
    period_id: str
    currency_code: str
    record_count: int
    previous_record_count: int | None
    """Of the month before; None where nothing came for it."""
    amount_local: Decimal | None
    previous_amount_local: Decimal | None
    last_date: date | None = None
    """The last day that one of its records is of; None where its contract names no day."""


@dataclass(frozen=True)
class SourceFigures:
    """One source at a glance: what came of it, how fresh, how complete, how well known."""

    source_id: str
    source_name: str
    contract_id: str
    scenario_id: str
    record_count: int
    file_count: int
    landed_date: date | None
    """Day on which its newest file landed."""
    latest_period_id: str
    """'' where the source has no periods; what follows is then of all its records."""
    periods_behind: int | None
    """Months before the latest period of the control total; None where it is not compared."""
    optional_count: int
    filled_count: int
    """Values that optional fields could have in the latest period, and that they have."""
    named_count: int
    unknown_count: int
    """Codes that records of the latest period name, and those that no master knows."""


@dataclass(frozen=True)
class CheckReport:
    """All results of one run. Counts are of failed checks, not of records."""

    is_success: bool
    """No check of severity 'error' failed. Upstream findings do not count: the caller decides."""
    error_count: int
    warning_count: int
    results: tuple[CheckResult, ...]
    data_docs_path: Path
    """index.html of the pages for people."""
    upstream_findings: tuple[UpstreamFinding, ...] = ()
    sources: tuple[SourceFigures, ...] = ()
    periods: tuple[PeriodFigures, ...] = ()


def make_report(
    results: tuple[CheckResult, ...],
    findings: tuple[UpstreamFinding, ...],
    data_docs_path: Path,
    sources: tuple[SourceFigures, ...] = (),
    periods: tuple[PeriodFigures, ...] = (),
) -> CheckReport:
    """Count what failed."""
    failed = [result.severity for result in results if not result.is_success]
    error_count = failed.count("error")
    return CheckReport(
        is_success=error_count == 0,
        error_count=error_count,
        warning_count=failed.count("warning"),
        results=results,
        data_docs_path=data_docs_path,
        upstream_findings=findings,
        sources=sources,
        periods=periods,
    )


def write_results(report: CheckReport, evidence_directory: Path) -> Path:
    """Write `checks.json` into the directory and return its path."""
    path = evidence_directory / RESULTS_FILE
    document = {
        "format_version": FORMAT_VERSION,
        "is_success": report.is_success,
        "error_count": report.error_count,
        "warning_count": report.warning_count,
        "data_docs": report.data_docs_path.relative_to(evidence_directory).as_posix(),
        "results": [_result_to_json(result) for result in report.results],
        "sources": [_to_json(source) for source in report.sources],
        "periods": [_to_json(period) for period in report.periods],
        "upstream_findings": [_finding_to_json(finding) for finding in report.upstream_findings],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


def _result_to_json(result: CheckResult) -> dict[str, Any]:
    document = _to_json(result)
    document["findings"] = [_to_json(finding) for finding in result.findings]
    for row, entry in zip(result.sample, document["sample"], strict=True):
        entry["values"] = dict(row.values)
    return document


def _to_json(value: Any) -> dict[str, Any]:
    """The fields of a result; amounts and days as texts."""
    return {
        name: format_figure(item)
        if isinstance(item, Decimal)
        else item.isoformat()
        if isinstance(item, date)
        else item
        for name, item in asdict(value).items()
    }


def _finding_to_json(finding: UpstreamFinding) -> dict[str, Any]:
    document = asdict(finding)
    document["figures"] = {name: format_figure(value) for name, value in finding.figures}
    return document


def format_figure(value: Decimal) -> str:
    """A number in full digits, without exponent or trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
