"""The page on the data checks of the run: what was checked, and what was found."""

from __future__ import annotations

from pipelines.close.evidence_pack.frozen_figures import FrozenFigures
from pipelines.close.evidence_pack.records import Page, Section, Table

CHECK_COLUMNS = (
    *("source", "check", "kind", "if_not", "holds", "what_should_hold", "what_to_do"),
    *("records_checked", "records_in_question"),
)


def make_checks(figures: FrozenFigures) -> Page:
    """Every check of actual and planned deliveries, and the findings of those that do not hold."""
    checks = figures.read(
        "select source_id, check_id, check_kind, severity_code, is_passed, sentence, what_to_do, "
        "checked_record_count, broken_record_count from marts.rpt_data_checks "
        "order by is_passed, source_id, check_order, check_id"
    )
    findings = figures.read(
        "select source_id, check_id, period_id, sentence, record_count, amount_local, "
        "currency_code from marts.rpt_data_check_findings "
        "order by source_id, check_id, finding_order, sentence"
    )
    failed = [row for row in checks if not row[4]]
    own = sum(row[2] == figures.period_id for row in findings)
    return Page(
        "checks",
        "Data checks",
        f"{len(checks) - len(failed)} of {len(checks)} checks hold; {own} findings are of "
        f"{figures.period_id}.",
        (
            Section(
                "What was found",
                (
                    "Checks that do not hold, with what was found in the deliveries. An error "
                    "would have stopped the run; a warning of the period blocks its approval until "
                    "somebody accepts it by name (see exceptions).",
                ),
                Table(
                    ("source", "check", "period", "found", "records", "amount", "currency"),
                    tuple(findings),
                    numeric=(4, 5),
                    file="checks_findings.csv",
                ),
                "Every check holds.",
            ),
            Section(
                "All checks",
                ("Those of the run that made the figures, over all deliveries that it read.",),
                Table(
                    CHECK_COLUMNS,
                    tuple(checks),
                    numeric=(7, 8),
                    file="checks.csv",
                ),
            ),
        ),
    )
