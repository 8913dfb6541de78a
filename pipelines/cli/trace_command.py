"""`apportion trace`: from a charge to the records that it is made of, or from a record onwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    format_money,
    print_json,
    print_table,
)
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from pipelines.allocation.source_records import SourceRecord
    from pipelines.allocation.source_trace import SourceTrace
    from pipelines.allocation.trace import Trace, TracedLine

SHOWN_LINES = 15
SHOWN_PATHS = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace")(trace)


def trace(
    period: Annotated[
        str | None, typer.Argument(help="Period of the charge, such as 2026-10.")
    ] = None,
    service: Annotated[str | None, typer.Option("--service", help="Service of the charge.")] = None,
    cost_centre: Annotated[
        str | None, typer.Option("--cost-centre", help="Consumer of the charge.")
    ] = None,
    from_source: Annotated[
        str | None,
        typer.Option(
            "--from-source",
            help="Walk the other way: FILE:ROW, SHA256:ROW or the id of a cost line.",
        ),
    ] = None,
    scenario: Annotated[str, typer.Option(help="actual, budget or restated.")] = "actual",
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the way of the money to this SVG file.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every line.")] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Walk from a bill line back to the records of the deliveries that it is made of, or from a
    record to every bill line that carries a part of it."""
    if picture is not None and picture.suffix.lower() != ".svg":
        raise UsageError(
            f"--picture writes SVG: expected a name that ends in .svg, found {picture}"
        )
    if from_source is not None:
        if period or service or cost_centre:
            raise UsageError(
                "--from-source names a record, which has its period: leave PERIOD, --service and "
                "--cost-centre out"
            )
        return _trace_source(workspace, from_source, picture, show_all, as_json)
    if not (period and service and cost_centre):
        raise UsageError(
            "a trace starts from PERIOD, --service and --cost-centre, or from --from-source"
        )
    return _trace_charge(
        workspace, (period, service, cost_centre, scenario), picture, show_all, as_json
    )


def _trace_charge(
    workspace: Path,
    charge: tuple[str, str, str, str],
    picture: Path | None,
    show_all: bool,
    as_json: bool,
) -> int:
    from pipelines.allocation.source_records import find_source_records
    from pipelines.allocation.trace import trace_charge
    from pipelines.allocation.trace_picture import draw_charge
    from pipelines.warehouse.reader import open_published
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    with open_published(space) as connection:
        result = trace_charge(connection, *charge)
        lines = result.lines if show_all or as_json else result.lines[:SHOWN_LINES]
        records = find_source_records(
            space, connection, [line.ledger_line_id for line in lines], result.scenario_id
        )
        drawn = draw_charge(connection, result) if picture else None
    if as_json:
        print_json(_trace_as_json(result, records))
    else:
        _print_trace(result, records, len(lines))
    _write_picture(picture, drawn, is_said=not as_json)
    return 0


def _trace_source(
    workspace: Path, text: str, picture: Path | None, show_all: bool, as_json: bool
) -> int:
    from pipelines.allocation.source_lookup import find_source
    from pipelines.allocation.source_trace import trace_source
    from pipelines.allocation.trace_picture import draw_source
    from pipelines.warehouse.reader import open_published
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    with open_published(space) as connection:
        result = trace_source(connection, find_source(space, connection, text))
        drawn = draw_source(connection, result) if picture else None
    if as_json:
        print_json(_source_as_json(result))
    else:
        _print_source(result, len(result.charges) if show_all else SHOWN_LINES)
    _write_picture(picture, drawn, is_said=not as_json)
    return 0


def _write_picture(path: Path | None, drawn: str | None, *, is_said: bool) -> None:
    if path is None or drawn is None:
        return
    path.write_text(drawn, "utf-8")
    if is_said:
        print(f"Picture: {path}")


def _print_trace(result: Trace, records: list[SourceRecord], shown: int) -> None:
    from pipelines.allocation.trace import to_decimal

    code = result.currency_code
    quantity = f" for {result.quantity:,.2f} {result.unit_code}" if result.quantity else ""
    print(
        f"{result.service_name} for {result.cost_centre_id} {result.cost_centre_name} in "
        f"{result.period_id}: cost {format_money(result.amount)} {code}, charged "
        f"{format_money(result.charged_amount)} {code}{quantity}"
        f" (driver: {result.driver_name or 'none'})"
    )
    if result.charged_amount != result.amount:
        print(
            f"The charge follows the policy {result.charging_policy} of services.yml. What follows "
            "is what the cost is made of."
        )
    paths = [(*names, format_money(to_decimal(part))) for *names, part in result.paths[:12]]
    print_table(
        "By the way that the money went",
        ("cost pool", "tower", "service", code),
        paths,
        numeric=[3],
    )
    by_line: dict[str, list[SourceRecord]] = {}
    for record in records:
        by_line.setdefault(record.ledger_line_id, []).append(record)
    rows: list[tuple[Any, ...]] = []
    for line in result.lines[:shown]:
        own = by_line.get(line.ledger_line_id, [])
        where = f"{own[0].file_name}, record {own[0].row_number}" if own else ""
        if len(own) > 1:
            where += f" and {len(own) - 1} more"
        share = to_decimal(line.share * 100, 4)
        rows.append(
            (
                where,
                line.account_id,
                _describe_line(line),
                f"{format_money(line.amount_local)} {line.currency_code}",
                f"{share} %",
                format_money(to_decimal(line.part)),
            )
        )
    rest = result.lines[shown:]
    if rest:
        amount = format_money(to_decimal(sum((line.part for line in rest), start=0 * rest[0].part)))
        rows.append((f"{len(rest)} more lines (--all shows them)", "", "", "", "", amount))
    rows.append(("rounding to the cent", "", "", "", "", f"{to_decimal(result.rounding):f}"))
    rows.append(("cost of the charge line", "", "", "", "", format_money(result.amount)))
    columns = ("source", "account", "what", "source amount", "share", code)
    print_table("By source record, largest first", columns, rows, numeric=[3, 4, 5])


def _describe_line(line: TracedLine) -> str:
    """Vendor or text, and the tagging rules that decided where a bill line goes."""
    rules = (("service", line.service_rule_id), ("consumer", line.consumer_rule_id))
    found = [f"{kind} by rule {rule_id}" for kind, rule_id in rules if rule_id]
    return ", ".join([line.vendor_name or line.description or "", *found])


def _trace_as_json(result: Trace, records: list[SourceRecord]) -> dict[str, Any]:
    from pipelines.allocation.trace import to_decimal

    by_line: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        text = {"file": record.file_name, "sha256": record.file_id, "record": record.row_number}
        amounts = {"amount_local": record.amount_local, "currency_code": record.currency_code}
        by_line.setdefault(record.ledger_line_id, []).append(text | amounts)
    return {
        "period_id": result.period_id,
        "scenario_id": result.scenario_id,
        "version": result.version,
        "service_id": result.service_id,
        "cost_centre_id": result.cost_centre_id,
        "disposition": result.disposition,
        "driver_name": result.driver_name,
        "quantity": result.quantity,
        "unit_code": result.unit_code,
        "amount": result.amount,
        "cost_amount": result.amount,
        "charged_amount": result.charged_amount,
        "charging_policy": result.charging_policy,
        "currency_code": result.currency_code,
        "rounding": to_decimal(result.rounding),
        "lines": [
            {
                "ledger_line_id": line.ledger_line_id,
                "account_id": line.account_id,
                "cost_pool_id": line.cell.cost_pool_id,
                "service_rule_id": line.service_rule_id,
                "consumer_rule_id": line.consumer_rule_id,
                "amount_local": line.amount_local,
                "currency_code": line.currency_code,
                "line_amount": line.line_amount,
                "share": line.share,
                "part": to_decimal(line.part),
                "exact_part": line.part,
                "records": by_line.get(line.ledger_line_id, []),
            }
            for line in result.lines
        ],
        "paths": [
            {
                "cost_pool_id": pool,
                "tower_id": tower,
                "direct_service_id": direct,
                "part": to_decimal(part),
            }
            for pool, tower, direct, part in result.paths
        ],
    }


def _print_source(result: SourceTrace, shown: int) -> None:
    from pipelines.allocation.trace import to_decimal

    source, code = result.source, result.currency_code
    amount = f"{format_money(source.amount_local)} {source.currency_code}"
    if source.currency_code != code:
        amount += f", {format_money(to_decimal(source.amount))} {code}"
    print(
        f"{source.name}: {source.description or source.account_id}, account {source.account_id}, "
        f"{source.figures.period_id}, {source.figures.scenario_id}: {amount}"
    )
    if source.feed_source_id is not None:
        together = (
            f"; the amount is that of {source.claimed_count} postings that it explains together"
            if source.claimed_count > 1
            else ""
        )
        print(
            f"The detail feed '{source.feed_source_id}' stands in its place: its lines and what "
            f"they leave open are followed{together}."
        )
    _print_source_paths(result)
    rows: list[tuple[Any, ...]] = [
        (
            charge.service_name,
            f"{charge.end.cost_centre_id} {charge.cost_centre_name}".strip()
            if charge.end.cost_centre_id != charge.cost_centre_name
            else charge.end.cost_centre_id,
            charge.business_unit_name,
            charge.end.disposition,
            format_money(charge.charge_amount),
            "" if charge.share is None else f"{to_decimal(charge.share * 100, 4)} %",
            format_money(to_decimal(charge.part)),
        )
        for charge in result.charges[:shown]
    ]
    rest = result.charges[shown:]
    if rest:
        what = f"{len(rest)} more lines (--all shows them)"
        rows.append((what, "", "", "", "", "", _write_sum(charge.part for charge in rest)))
    rows.append(("rounding", "", "", "", "", "", f"{to_decimal(result.rounding):f}"))
    rows.append(("source", "", "", "", "", "", format_money(to_decimal(source.amount))))
    columns = ("service", "consumer", "business unit", "became", "its cost", "share", code)
    print_table("By charge line, largest first", columns, rows, numeric=[4, 5, 6])


def _print_source_paths(result: SourceTrace) -> None:
    """The ways up to the services, whoever uses them."""
    ways: dict[tuple[str, ...], Fraction] = {}
    for path in result.paths:
        key = (path.cost_pool_id, path.tower_id, path.direct_service_id, path.service_id)
        ways[key] = ways.get(key, 0 * path.part) + path.part
    ordered = sorted(ways.items(), key=lambda item: (-abs(item[1]), item[0]))
    rows = [(*key, _write_sum([part])) for key, part in ordered[:SHOWN_PATHS]]
    rest = ordered[SHOWN_PATHS:]
    if rest:
        rows.append((f"{len(rest)} more", "", "", "", _write_sum(part for _, part in rest)))
    columns = ("cost pool", "tower", "service", "charged through", result.currency_code)
    print_table("By the way that the money went", columns, rows, numeric=[4])


def _write_sum(parts: Iterable[Fraction]) -> str:
    from fractions import Fraction

    from pipelines.allocation.trace import to_decimal

    return format_money(to_decimal(sum(parts, Fraction(0))))


def _source_as_json(result: SourceTrace) -> dict[str, Any]:
    from pipelines.allocation.trace import to_decimal

    source = result.source
    return {
        "kind": source.kind,
        "file": source.file_name,
        "sha256": source.file_id,
        "record": source.row_number,
        "description": source.description,
        **source.figures._asdict(),
        "account_id": source.account_id,
        "amount_local": source.amount_local,
        "source_currency_code": source.currency_code,
        "feed_source_id": source.feed_source_id,
        "claimed_count": source.claimed_count,
        "amount": to_decimal(source.amount),
        "currency_code": result.currency_code,
        "rounding": to_decimal(result.rounding),
        "cost_lines": [
            {
                "ledger_line_id": line.ledger_line_id,
                "cost_pool_id": line.cell.cost_pool_id,
                "amount": to_decimal(line.amount),
            }
            for line in source.lines
        ],
        "charges": [
            {
                **charge.end._asdict(),
                "business_unit_id": charge.business_unit_id,
                "cost_amount": charge.charge_amount,
                "share": charge.share,
                "part": to_decimal(charge.part),
                "exact_part": charge.part,
            }
            for charge in result.charges
        ],
        "paths": [
            {
                "cost_pool_id": path.cost_pool_id,
                "tower_id": path.tower_id,
                "direct_service_id": path.direct_service_id,
                "service_id": path.service_id,
                "business_unit_id": path.business_unit_id,
                "part": to_decimal(path.part),
            }
            for path in result.paths
        ],
    }
