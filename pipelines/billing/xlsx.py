"""Write a statement as an Excel workbook: what the PDF says, in cells to calculate with.

Amounts have the cents of the marts. How a cell, a table and a total are written is in
xlsx_cells.py; this file says what stands on which sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from pipelines.billing.bridge import TERM_NAMES
from pipelines.billing.files import write_atomically
from pipelines.billing.formats import format_date, format_time
from pipelines.billing.notes import (
    collect_notes,
    describe_missing_close,
    name_total,
    write_summary,
)
from pipelines.billing.pdf_figures import name_recovery
from pipelines.billing.records import ServiceSummary, Statement, StatementLine, sum_amounts
from pipelines.billing.xlsx_cells import (
    AMOUNT_FORMAT,
    COUNT_FORMAT,
    EXACT_FORMAT,
    FINE_SHARE_FORMAT,
    QUANTITY_FORMAT,
    RATE_FORMAT,
    SHARE_FORMAT,
    Cell,
    Column,
    Sheet,
    add_sheet,
    make_formats,
    write_cell,
    write_pair,
    write_paragraph,
    write_section,
    write_table,
    write_title,
)

CONFIDENCE_COLUMNS = ("Measured cost", "Estimated cost", "Stale cost", "Fallback cost")
RECOVERY = "Over- or under-recovery"


def write_xlsx(statement: Statement, path: Path) -> None:
    """Write the workbook to `path`, replacing what is there in one step."""
    write_atomically(path, render_xlsx(statement))


def render_xlsx(statement: Statement) -> bytes:
    """The workbook's bytes, the same for the same statement."""
    from xlsxwriter import Workbook

    buffer = BytesIO()
    # A name from a delivery must not become a formula or a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = Workbook(buffer, options)
    workbook.set_properties(
        {
            "title": f"IT cost statement {statement.number}",
            "author": statement.issuer_name,
            "company": statement.run.workspace_name,
            "created": statement.run.built_at,
        }
    )
    formats = make_formats(workbook)
    _fill_statement(add_sheet(workbook, formats, "Statement"), statement)
    _fill_lines(add_sheet(workbook, formats, "Lines"), statement)
    _fill_items(add_sheet(workbook, formats, "Other billed items"), statement)
    _fill_bridge(add_sheet(workbook, formats, "Bridge"), statement)
    _fill_pools(add_sheet(workbook, formats, "Cost by pool"), statement)
    _fill_certificate(add_sheet(workbook, formats, "Certificate"), statement)
    workbook.close()
    return buffer.getvalue()


def _fill_statement(sheet: Sheet, statement: Statement) -> None:
    write_title(sheet, "IT cost statement")
    _fill_heading(sheet, statement)
    currency = statement.currency_code
    if statement.items:
        write_section(sheet, "What the total is made of")
        write_table(
            sheet,
            [
                Column("Kind", 34),
                Column("Items", 18, COUNT_FORMAT),
                Column(f"Amount ({currency})", 18, AMOUNT_FORMAT),
            ],
            [(kind.title, kind.count, kind.amount) for kind in statement.kinds],
            {2: statement.total},
            name_total(statement),
        )
    write_section(sheet, "Charges by service")
    _fill_services(sheet, statement)
    if len(statement.legal_entities) > 1:
        write_section(sheet, "Of which by legal entity")
        write_table(
            sheet,
            [
                Column("Legal entity", 34),
                Column("Code", 18),
                Column(f"Amount ({currency})", 18, AMOUNT_FORMAT),
            ],
            [
                (entity.legal_entity_name, entity.legal_entity_id, entity.amount)
                for entity in statement.legal_entities
            ],
            {2: statement.total},
            name_total(statement),
        )
    if statement.showback_services:
        write_section(sheet, "Showback: for information, not charged")
        _fill_showback(sheet, statement)
    if statement.quality:
        write_section(sheet, f"Service levels in {statement.period.name}, over all users")
        _fill_quality(sheet, statement)
    write_section(sheet, "Notes")
    for note in collect_notes(statement):
        write_paragraph(sheet, note.title, note.text)


def _fill_heading(sheet: Sheet, statement: Statement) -> None:
    period, recipient, run = statement.period, statement.recipient, statement.run
    write_pair(sheet, "Company", run.workspace_name)
    write_pair(sheet, "From", statement.issuer_name)
    write_pair(sheet, "To", recipient.name)
    write_pair(sheet, "Business unit", recipient.business_unit_id)
    if recipient.division_name:
        write_pair(sheet, "Division", recipient.division_name)
    write_pair(sheet, "Statement", statement.number)
    write_pair(sheet, "Period", period.name)
    write_pair(sheet, "Period starts", format_date(period.start))
    write_pair(sheet, "State of the period", period.state)
    write_pair(sheet, "Status", "final" if statement.is_final else "PREVIEW, NOT FINAL")
    write_pair(sheet, "Issued", format_time(run.built_at))
    write_pair(sheet, "Currency", statement.currency_code)
    write_pair(sheet, name_total(statement), statement.total, "big")
    for other in (statement.previous, statement.comparable, statement.budget):
        if other is None:
            continue
        write_pair(sheet, other.name, other.amount, AMOUNT_FORMAT)
        if not statement.missing:
            change = statement.total - other.amount
            write_pair(sheet, f"Change against {other.name}", change, AMOUNT_FORMAT)
    sheet.row += 1
    write_paragraph(sheet, "Summary", write_summary(statement))


def _fill_services(sheet: Sheet, statement: Statement) -> None:
    currency = statement.currency_code
    columns = [
        Column("Service", 34),
        Column("Quantity", 18, QUANTITY_FORMAT),
        Column("Unit", 18),
        Column(f"Rate ({currency})", 16, RATE_FORMAT),
        Column(f"Charged ({currency})", 18, AMOUNT_FORMAT),
    ]
    totals = {4: statement.charged}
    for other in (statement.previous, statement.budget):
        if other is not None:
            totals[len(columns)] = other.charged
            columns.append(Column(f"{other.name} ({currency})", 18, AMOUNT_FORMAT))

    def row_of(service: ServiceSummary) -> list[Cell]:
        compared: list[Cell] = []
        if statement.previous is not None:
            compared.append(service.previous_amount)
        if statement.budget is not None:
            compared.append(service.budget_amount)
        return [*_service_cells(service), *compared]

    rows = [row_of(service) for service in statement.services]
    write_table(sheet, columns, rows, totals, "All charges")


def _service_cells(service: ServiceSummary) -> list[Cell]:
    rate: Cell = "various" if service.has_various_rates else service.unit_rate
    return [service.service_name, service.quantity, service.unit_name, rate, service.amount]


def _fill_showback(sheet: Sheet, statement: Statement) -> None:
    currency = statement.currency_code
    columns = [
        Column("Service (showback)", 34),
        Column("Quantity", 18, QUANTITY_FORMAT),
        Column("Unit", 18),
        Column(f"Rate ({currency})", 16, RATE_FORMAT),
        Column(f"Showback ({currency})", 18, AMOUNT_FORMAT),
    ]
    rows = [_service_cells(service) for service in statement.showback_services]
    label = "Showback: cost shown, not charged"
    write_table(sheet, columns, rows, {4: statement.showback_total}, label)


def _fill_quality(sheet: Sheet, statement: Statement) -> None:
    columns = [
        Column("Service", 34),
        Column("Owner", 18),
        Column("Availability", 18, FINE_SHARE_FORMAT),
        Column("Target", 16, FINE_SHARE_FORMAT),
        Column("Tickets in time", 18, SHARE_FORMAT),
        Column("Target", 18, SHARE_FORMAT),
        Column("Tickets", 18, QUANTITY_FORMAT),
        Column("Contact", 34),
    ]
    rows = [
        (
            service.service_name,
            service.owner_name,
            service.availability_share,
            service.availability_target_share,
            service.sla_attainment_share,
            service.sla_attainment_target_share,
            service.ticket_count,
            service.owner_email,
        )
        for service in statement.quality
    ]
    write_table(sheet, columns, rows)


def _fill_lines(sheet: Sheet, statement: Statement) -> None:
    currency = statement.currency_code
    columns = [
        Column("Cost centre", 14),
        Column("Cost centre name", 30),
        Column("Legal entity", 14),
        Column("Service id", 18),
        Column("Service", 34),
        Column("Policy", 12),
        Column("Driver", 24),
        Column("Driver quality", 14),
        Column("Quantity", 16, QUANTITY_FORMAT),
        Column("Unit", 16),
        Column(f"Rate ({currency})", 16, RATE_FORMAT),
        Column(f"Charged ({currency})", 18, AMOUNT_FORMAT),
        Column(f"Cost ({currency})", 18, AMOUNT_FORMAT),
        Column(f"Charged in the period before ({currency})", 18, AMOUNT_FORMAT),
        Column(f"Budget ({currency})", 18, AMOUNT_FORMAT),
        *(Column(f"{name} ({currency})", 18, AMOUNT_FORMAT) for name in CONFIDENCE_COLUMNS),
    ]
    cost = sum_amounts(line.cost_amount for line in statement.lines)
    rows = [_line_cells(line) for line in statement.lines]
    first, last = write_table(sheet, columns, rows, {11: statement.charged, 12: cost})
    sheet.worksheet.freeze_panes(1, 0)
    sheet.worksheet.autofilter(first - 1, 0, max(last, first), len(columns) - 1)
    sheet.worksheet.repeat_rows(0)


def _line_cells(line: StatementLine) -> list[Cell]:
    return [
        line.cost_centre_id,
        line.cost_centre_name,
        line.legal_entity_id,
        line.service_id,
        line.service_name,
        "showback, not charged" if line.is_showback else line.charging_policy,
        line.driver_name,
        line.driver_quality,
        line.quantity,
        line.unit_name,
        line.unit_rate,
        line.charged_amount,
        line.cost_amount,
        line.previous_charged_amount,
        line.budget_amount,
        line.confidence.measured,
        line.confidence.estimated,
        line.confidence.stale,
        line.confidence.fallback,
    ]


def _fill_items(sheet: Sheet, statement: Statement) -> None:
    if not statement.items:
        write_cell(sheet, 0, 0, "There are no other billed items.")
        return
    columns = [
        Column("Kind", 28),
        Column("Service id", 18),
        Column("Service", 34),
        Column("Cost centre", 14),
        Column("Cost centre name", 30),
        Column("Legal entity", 14),
        Column("Of period", 12),
        Column("Of statement", 24),
        Column("Reference", 24),
        Column("Reason", 50),
        Column(f"Amount ({statement.currency_code})", 18, AMOUNT_FORMAT),
    ]
    titles = {kind.kind: kind.title for kind in statement.kinds}
    rows = [
        (
            titles[item.kind],
            item.service_id,
            item.service_name,
            item.cost_centre_id,
            item.cost_centre_name,
            item.legal_entity_id,
            item.origin_period_id,
            item.origin_number,
            item.reference_id,
            item.reason,
            item.amount,
        )
        for item in statement.items
    ]
    total = sum_amounts(item.amount for item in statement.items)
    write_table(sheet, columns, rows, {10: total}, "All other billed items")
    sheet.worksheet.freeze_panes(1, 0)
    sheet.worksheet.repeat_rows(0)


def _fill_bridge(sheet: Sheet, statement: Statement) -> None:
    """The terms of the total, and below them those of each service."""
    bridge = statement.bridge
    if bridge is None:
        write_paragraph(sheet, "Bridge", statement.why_no_bridge)
        return
    amount = f"Amount ({statement.currency_code})"
    columns = [Column("Term", 34), Column(amount, 18, AMOUNT_FORMAT), Column("Mostly", 50)]
    rows: list[Sequence[Cell]] = [(bridge.before_name, bridge.before, None)]
    rows += [(term.name, term.amount, term.told or None) for term in bridge.terms]
    write_table(sheet, columns, rows, {1: bridge.after}, statement.period.name)
    if bridge.recovery:
        write_section(sheet, "Recovery: charged minus cost of services with a price")
        *first, last = ((term.name, term.amount) for term in bridge.recovery)
        write_table(sheet, columns[:2], first, {1: last[1]}, last[0])
    write_section(sheet, "Charges by service")
    shown = {term for item in bridge.services for term, value in item.terms.items() if value}
    terms = [term for term in TERM_NAMES if term in shown]
    heads = [bridge.before_name, *(TERM_NAMES[term] for term in terms), statement.period.name]
    columns = [
        Column("Service", 34),
        *(Column(f"{head} ({statement.currency_code})", 18, AMOUNT_FORMAT) for head in heads),
    ]
    amounts = [
        (item.before, *(item.terms[term] for term in terms), item.after) for item in bridge.services
    ]
    rows = [(item.service_name, *own) for item, own in zip(bridge.services, amounts, strict=True)]
    totals = {
        column: sum_amounts(own[column - 1] for own in amounts) for column in range(1, len(columns))
    }
    write_table(sheet, columns, rows, totals, "All charges")


def _fill_pools(sheet: Sheet, statement: Statement) -> None:
    """The pools of all charges, and below them those of each service."""
    if not statement.pools:
        write_pair(sheet, "No cost breakdown is published for these charges.", None)
        return
    currency = statement.currency_code
    cost = sum_amounts(pool.amount for pool in statement.pools)
    columns = [
        Column("Cost pool", 40),
        Column("Share", 18, SHARE_FORMAT),
        Column(f"Amount ({currency})", 18, AMOUNT_FORMAT),
        Column(f"Exact amount ({currency})", 24, EXACT_FORMAT),
    ]
    rows: list[Sequence[Cell]] = [
        (
            pool.cost_pool_name,
            pool.amount / cost if cost > 0 else None,
            pool.amount,
            pool.exact_amount,
        )
        for pool in statement.pools
    ]
    if statement.recovery:
        rows.append((name_recovery(statement.recovery), None, statement.recovery, None))
    write_table(sheet, columns, rows, {2: statement.charged}, "All charges")
    write_section(sheet, "By service")
    pools = [pool.cost_pool_id for pool in statement.pools]
    heads = [*(pool.cost_pool_name for pool in statement.pools), "Cost", RECOVERY, "Charged"]
    columns = [
        Column("Service", 40),
        *(Column(f"{head} ({currency})", 18, AMOUNT_FORMAT) for head in heads),
    ]
    nothing = Decimal("0.00")
    rows = [
        (
            service.service_name,
            *(service.parts.get(pool, nothing) for pool in pools),
            service.cost,
            service.recovery,
            service.charged,
        )
        for service in statement.service_costs
    ]
    totals = {number: pool.amount for number, pool in enumerate(statement.pools, start=1)}
    place = len(pools) + 1
    totals |= {place: cost, place + 1: statement.recovery, place + 2: statement.charged}
    write_table(sheet, columns, rows, totals, "All charges")


def _fill_certificate(sheet: Sheet, statement: Statement) -> None:
    run = statement.run
    write_title(sheet, f"Certificate of {statement.period.name}, over the whole company")
    write_pair(sheet, "Run", run.run_id)
    write_pair(sheet, "Built", format_time(run.built_at))
    write_pair(sheet, "Fingerprint", run.fingerprint)
    write_pair(sheet, "Code version", run.code_version)
    write_pair(sheet, "Version of the statement", statement.version)
    write_pair(sheet, "All differences are zero", "yes" if statement.is_certified else "NO")
    write_pair(sheet, "Certificate", statement.certificate_id or "none")
    _fill_closing(sheet, statement)
    sheet.row += 1
    columns = [
        Column("Identity", 30),
        Column("Term", 44),
        Column("Side", 12),
        Column(f"Amount ({statement.currency_code})", 20, AMOUNT_FORMAT),
        Column(f"Exact amount ({statement.currency_code})", 26, EXACT_FORMAT),
    ]
    rows = [
        (identity.identity_name, term.term_name, term.side, term.amount_cents, term.amount)
        for identity in statement.certificate
        for term in identity.terms
    ]
    write_table(sheet, columns, rows)


def _fill_closing(sheet: Sheet, statement: Statement) -> None:
    """The close in full, so that its hashes can be compared."""
    closing = statement.closing
    if closing is None:
        write_pair(sheet, "Close", describe_missing_close(statement))
        return
    write_pair(sheet, "Close", closing.close_number)
    write_pair(sheet, "Closed at", closing.closed_at)
    write_pair(sheet, "Approved by", closing.approved_by)
    write_pair(sheet, "Manifest", closing.manifest_hash)
    write_pair(sheet, "Head of the chain, close", closing.head_number)
    write_pair(sheet, "Head of the chain", closing.head_hash)
