"""The first page of a pack: what it is, what it says, how to read it and how to check it.

Written twice, as HTML and as Markdown, which any editor shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.close.evidence_pack.records import Page, Row, Section, Table
from pipelines.close.evidence_pack.trail_pages import AUDIT_FILE, AUDIT_HASHES, RECOMPUTE
from pipelines.close.period_states import PeriodState

SUMS_NAME = "SHA256SUMS"
CHECK_FILES = f"    sha256sum -c {SUMS_NAME}"
CHECK_MANIFEST = "    sha256sum manifest.json"


def make_overview(
    company: str, state: PeriodState, pages: Sequence[Page], *, is_preview: bool
) -> Page:
    """The page README of a pack with these other pages."""
    rows: list[Row] = [(f"{page.name}.html", page.title, page.summary) for page in pages]
    name = f"{state.period_id} version {state.version}"
    kind = f"A preview: {name} is {state.state}" if is_preview else f"{name}, as it was closed"
    what = (
        "This folder holds what an auditor asks of the close of one period of the IT chargeback of "
        f"{company}. It can be read with a browser, a spreadsheet or an editor; nothing of the "
        "program that wrote it is needed. Every page is a file that loads nothing and runs "
        "nothing. Every table is a CSV file as well (UTF-8, exact decimals, times in UTC); a text "
        "that a spreadsheet would run as a formula has an apostrophe in front."
    )
    return Page(
        "README",
        f"Evidence of {state.period_id}",
        f"{company}: {kind}.",
        (
            Section("What this is", (what,)),
            Section(
                "What it says",
                (),
                Table(("page", "about", "finding"), tuple(rows)),
            ),
            Section("How to check that nothing was changed", _explain_hashes(is_preview)),
            Section("Where the figures come from", (_explain_origin(state, is_preview),)),
        ),
    )


def _explain_hashes(is_preview: bool) -> tuple[str, ...]:
    steps = [
        f"{SUMS_NAME} has the SHA-256 of every other file of this folder. In the folder:",
        CHECK_FILES,
        "(On macOS: shasum -a 256 -c.) The hash of the file itself was printed when the pack was "
        "written and, for a closed period, stands in the audit log of the books.",
    ]
    if not is_preview:
        steps += [
            "manifest.json is the manifest of the close, byte for byte. Its hash is the head of "
            "the chain as of this close; it stands in the books, in the audit log, and in the "
            "manifest of the next close as its previous hash:",
            CHECK_MANIFEST,
        ]
    steps += [
        f"{AUDIT_FILE} has the records of the audit log, {AUDIT_HASHES} their hashes. Each is the "
        "hash of its line:",
        RECOMPUTE,
    ]
    return tuple(steps)


def _explain_origin(state: PeriodState, is_preview: bool) -> str:
    if is_preview:
        return (
            f"From the published run {state.run_id}. The same period gives other bytes once it is "
            "closed."
        )
    return (
        "Figures, checks and rules are read from the frozen file of the close, whose bytes were "
        "compared with the manifest before; who did what is read from the books. The same close "
        "and the same books give the same bytes."
    )


def render_markdown(page: Page) -> bytes:
    """The overview as Markdown."""
    lines = [f"# {_plain(page.title)}", "", _plain(page.summary)]
    for section in page.sections:
        lines += ["", f"## {_plain(section.heading)}"]
        for text in section.paragraphs:
            lines += ["", text if text.startswith("    ") else _plain(text)]
        if section.table is not None:
            lines += ["", *_write_table(section.table)]
    return ("\n".join(lines) + "\n").encode()


def _write_table(table: Table) -> list[str]:
    rows = [table.columns, ["---"] * len(table.columns), *table.rows]
    return [
        "| " + " | ".join(_plain(str(cell)).replace("|", "\\|") for cell in row) + " |"
        for row in rows
    ]


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: no HTML, no links, no line breaks."""
    for mark in ("\\", "<", ">", "*", "[", "]", "`"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
