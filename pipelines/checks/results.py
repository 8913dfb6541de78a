"""What the checks found, as values, and the file `checks.json` that keeps them.

The file is for programs: amounts are texts (never floats), paths are relative to it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.checks.rules import Severity
from pipelines.checks.upstream import UpstreamFinding

RESULTS_FILE = "checks.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class BrokenRow:
    """One record that breaks a check: the file and row that it came from, and some values."""

    file_id: str
    """SHA-256 of the delivered file."""
    row_number: int
    values: tuple[tuple[str, str | None], ...]
    """(column, value as text)"""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one expectation over the records of one contract."""

    contract_id: str
    check_id: str
    severity: Severity
    sentence: str
    is_success: bool
    unexpected_count: int
    """Number of records that break it. Of an empty delivery none, though the check fails."""
    record_count: int
    """Number of records that were looked at."""
    sample: tuple[BrokenRow, ...] = ()

    @property
    def stops_build(self) -> bool:
        """Whether the build must not go on."""
        return self.severity == "error" and not self.is_success


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


def make_report(
    results: tuple[CheckResult, ...],
    findings: tuple[UpstreamFinding, ...],
    data_docs_path: Path,
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
        "upstream_findings": [_finding_to_json(finding) for finding in report.upstream_findings],
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


def _result_to_json(result: CheckResult) -> dict[str, Any]:
    document = asdict(result)
    for row, entry in zip(result.sample, document["sample"], strict=True):
        entry["values"] = dict(row.values)
    return document


def _finding_to_json(finding: UpstreamFinding) -> dict[str, Any]:
    document = asdict(finding)
    document["figures"] = {name: format_figure(value) for name, value in finding.figures}
    return document


def format_figure(value: Decimal) -> str:
    """A number in full digits, without exponent or trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
