"""Make the data docs readable without a network, and put an index for people in front of them.

Great Expectations' pages take their style, icons and tables from servers elsewhere; opened from a
folder they show neither a status nor, on the index, any result. Here everything foreign is taken
out of them, icons become words, a small style is put in, and the index is written anew: what was
checked, what failed in the words of finance, and where the record came from.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path

from pipelines.checks.results import (
    BrokenRow,
    CheckReport,
    CheckResult,
    Finding,
    format_figure,
)
from pipelines.checks.subjects import Subject
from pipelines.checks.upstream import UpstreamFinding
from pipelines.readable_text import LAYOUT, show_text

STYLE = (Path(__file__).parent / "data_docs.css").read_text("utf-8")

# No page may run or fetch anything, whatever a delivered text contains.
SEALED = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)

# In this order: what needs a server or a script goes, then icons become words.
_REMOVED = (
    re.compile(r"<script\b.*?</script>", re.DOTALL),
    re.compile(r"<link\b[^>]*>"),
    re.compile(r"<img\b[^>]*>", re.DOTALL),
    re.compile(r"<footer\b.*?</footer>", re.DOTALL),
)
_ICONS = (
    (re.compile(r"<i class=\"fas fa-check-circle[^>]*></i>"), "passed"),
    (re.compile(r"<i class=\"fas fa-times[^>]*></i>"), "failed"),
    (re.compile(r"<i class=\"fas fa-exclamation-triangle[^>]*></i>"), "not evaluated"),
)


def clear_pages(docs_directory: Path) -> None:
    """Remove the pages of an earlier run, so that none of them is taken for this one's."""
    if docs_directory.exists():
        shutil.rmtree(docs_directory)


def finish_pages(docs_directory: Path, subjects: Sequence[Subject], report: CheckReport) -> None:
    """Make all pages self-contained and write `index.html`."""
    # Fonts and pictures of the tool; nothing refers to them any more.
    shutil.rmtree(docs_directory / "static", ignore_errors=True)
    for page in sorted(docs_directory.rglob("*.html")):
        html = _detach_page(page.read_text("utf-8"))
        page.write_text(show_text(html, keep=LAYOUT), "utf-8")
    index = _write_index(docs_directory, subjects, report)
    (docs_directory / "index.html").write_text(show_text(index, keep=LAYOUT), "utf-8")


def _detach_page(html: str) -> str:
    """The page without anything that is fetched from elsewhere, in our style."""
    for pattern in _REMOVED:
        html = pattern.sub("", html)
    for pattern, word in _ICONS:
        html = pattern.sub(_show_status(word), html)
    html = html.replace("<head>", f"<head>{SEALED}", 1)
    return html.replace("</head>", f"<style>{STYLE}</style></head>", 1)


def _show_status(word: str) -> str:
    return f'<span class="status {word.replace(" ", "-")}">{word}</span>'


def _write_index(docs_directory: Path, subjects: Sequence[Subject], report: CheckReport) -> str:
    failed = [result for result in report.results if not result.is_success]
    failed.sort(key=lambda result: result.severity != "error")
    parts = [
        "<h1>Checks on deliveries</h1>",
        f"<p>{_summarise(report)}</p>",
        *_section("What failed", list(map(_show_failure, failed))),
        *_section("Unusable columns", list(map(_show_finding, report.upstream_findings))),
        "<h2>What was checked</h2>",
        _show_subjects(docs_directory, subjects, report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"{SEALED}"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Checks on deliveries</title><style>{STYLE}</style></head>\n"
        f'<body class="index">{chr(10).join(parts)}</body></html>\n'
    )


def _summarise(report: CheckReport) -> str:
    verdict = (
        "No check that stops the build failed."
        if report.is_success
        else f"{_count(report.error_count, 'failure')} that stop the build."
    )
    return (
        f"{_count(len(report.results), 'check')} made. {verdict} "
        f"{_count(report.warning_count, 'warning')}, "
        f"{_count(len(report.upstream_findings), 'unusable column')}."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _section(title: str, entries: list[str]) -> list[str]:
    return [f"<h2>{title}</h2>", *entries] if entries else []


def _show_failure(result: CheckResult) -> str:
    where = f"{result.source_name} ({result.contract_id}.{result.check_id})"
    found = "".join(map(_show_found, result.findings))
    return (
        f'<div class="finding"><p>{_show_status(result.severity)} '
        f"<strong>{escape(result.sentence)}</strong></p><p>{escape(where)}</p>"
        f"<ul>{found}</ul><p>{escape(result.what_to_do)}</p>{_show_sample(result.sample)}</div>"
    )


def _show_found(finding: Finding) -> str:
    return f"<li>{escape(finding.sentence)}</li>"


def _show_sample(sample: tuple[BrokenRow, ...]) -> str:
    if not sample:
        return ""
    names = [name for name, _value in sample[0].values]
    head = "".join(f"<th>{escape(name)}</th>" for name in ("file", "row", *names))
    body = "".join(
        f'<tr><td title="{escape(row.file_id)}">{escape(row.file_name or row.file_id[:12])}</td>'
        f"<td>{row.row_number}</td>"
        + "".join(f"<td>{_show_value(value)}</td>" for _name, value in row.values)
        + "</tr>"
        for row in sample
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _show_value(value: str | None) -> str:
    return "<em>empty</em>" if value is None else escape(value)


def _show_finding(finding: UpstreamFinding) -> str:
    figures = ", ".join(f"{name} {format_figure(value)}" for name, value in finding.figures)
    return (
        f'<div class="finding"><p>{_show_status("open item")} '
        f"<strong>{escape(finding.sentence)}</strong></p>"
        f"<p>Expected {escape(finding.expected)}. {escape(finding.remedy)}</p>"
        f"<p>Source {escape(finding.source_id)}: {escape(figures)}.</p></div>"
    )


def _show_subjects(docs_directory: Path, subjects: Sequence[Subject], report: CheckReport) -> str:
    rows = []
    for subject in subjects:
        results = [r for r in report.results if r.source_ids == subject.source_ids]
        failed = [result.severity for result in results if not result.is_success]
        errors, warnings = failed.count("error"), failed.count("warning")
        cells = (
            _link_page(docs_directory, subject),
            _show_status("failed" if errors else "passed"),
            str(results[0].record_count),
            str(len(results)),
            str(errors),
            str(warnings),
        )
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    names = ("Source", "Status", "Records", "Checks", "Errors", "Warnings")
    head = "".join(f"<th>{name}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _link_page(docs_directory: Path, subject: Subject) -> str:
    """A link to the page of results; its path holds the time of the run, so it is looked up."""
    pages = sorted((docs_directory / "validations" / subject.name).rglob("*.html"))
    title = f"{escape(subject.title)} ({subject.contract_id})"
    if not pages:
        return title
    return f'<a href="{escape(pages[-1].relative_to(docs_directory).as_posix())}">{title}</a>'
