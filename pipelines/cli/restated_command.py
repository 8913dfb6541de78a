"""`apportion period restated`: a closed period as it was reported and as it is restated."""

from __future__ import annotations

from decimal import Decimal
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
from pipelines.errors import EXIT_DONE

if TYPE_CHECKING:
    from pipelines.close.restated import RestatedPeriod


def restated(
    period: Annotated[str, typer.Argument(help="Closed period, such as 2026-03.")],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="A past date (end of its day, UTC) or moment; now where left out."
        ),
    ] = None,
    business_unit: Annotated[
        str | None, typer.Option("--business-unit", help="Only this business unit.")
    ] = None,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Show a closed period as reported, the notes posted for it since, and as restated."""
    from pipelines.close.desk import open_desk
    from pipelines.close.restated import parse_moment, read_restated
    from pipelines.workspace.workspace import Workspace

    moment = parse_moment(as_of) if as_of else None
    with open_desk(Workspace.open(workspace)) as desk:
        found = read_restated(
            desk.workspace, desk.books, period, as_of=moment, business_unit_id=business_unit
        )
        currency = desk.workspace.config.currency
    if as_json:
        print_json(_as_json(found, currency))
    else:
        _print(found, currency)
    return EXIT_DONE


def _as_json(found: RestatedPeriod, currency: str) -> dict[str, Any]:
    return {
        "period_id": found.period_id,
        "version": found.version,
        "closed_at": found.closed_at,
        "as_of": found.as_of,
        "business_unit_id": found.business_unit_id,
        "currency_code": currency,
        "services": [
            {
                "service_id": item.service_id,
                "service_name": item.service_name,
                "reported_amount": item.reported_amount,
                "posted_amount": item.posted_amount,
                "open_amount": item.open_amount,
                "restated_amount": item.restated_amount,
            }
            for item in found.services
        ],
        "notes": list(found.notes),
    }


def _print(found: RestatedPeriod, currency: str) -> None:
    when = f"as of {found.as_of[:16].replace('T', ' ')} UTC" if found.as_of else "as of now"
    whose = f", {found.business_unit_id}" if found.business_unit_id else ""
    amounts = [
        (item.reported_amount, item.posted_amount, item.open_amount, item.restated_amount)
        for item in found.services
    ]
    total = tuple(sum(column, Decimal("0.00")) for column in zip(*amounts, strict=True))
    names = [*(item.service_name for item in found.services), "sum"]
    print_table(
        f"{found.period_id}, version {found.version}, {when}{whose}, {currency}",
        ["service", "as reported", "notes posted", "notes not closed yet", "as restated"],
        [
            (name, *map(format_money, row))
            for name, row in zip(names, [*amounts, total], strict=True)
        ],
        numeric=[1, 2, 3, 4],
    )
    if found.notes:
        print_table(
            "Credit and debit notes",
            ["note", "service", "cost centre", "business unit", currency, "reason"],
            [
                (
                    note.reference_id,
                    note.service_name,
                    note.cost_centre_id,
                    note.business_unit_id,
                    format_money(note.amount),
                    note.reason,
                )
                for note in found.notes
            ],
            numeric=[4],
        )
