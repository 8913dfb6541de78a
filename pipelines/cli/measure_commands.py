"""`apportion measure`: what to measure next, ranked by the money that rests on estimates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import (
    JsonOption,
    WorkspaceOption,
    format_money,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from pipelines.warehouse.measure_next import MeasureItem

SHOWN_ITEMS = 20


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("measure")(measure)


def measure(
    period: Annotated[
        str | None, typer.Argument(help="Period, such as 2026-10. Default: the latest one.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Show every item.")] = False,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Say what to measure next: what rests on estimates, and what to deliver, by money."""
    from pipelines.warehouse.measure_next import read_measure_next
    from pipelines.warehouse.reader import open_published
    from pipelines.workspace.workspace import Workspace

    with open_published(Workspace.open(workspace)) as connection:
        period_id, items = read_measure_next(connection, period)
        row = connection.execute("select currency_code from dim_run").fetchone()
    assert row is not None
    if as_json:
        print_json({"period_id": period_id, "currency_code": row[0], "items": items})
    elif not items:
        print(f"Everything of {period_id} is measured." if period_id else "No actual figures yet.")
    else:
        print_items(items if show_all else items[:SHOWN_ITEMS], str(period_id), row[0])
        if len(items) > SHOWN_ITEMS and not show_all:
            print(f"{len(items) - SHOWN_ITEMS} smaller ones: --all")
    return 0


def print_items(items: list[MeasureItem], period_id: str, currency: str) -> None:
    """The items as a table. An amount may stand in several rows, so there is no total."""
    rows = [
        (
            item.measure_rank,
            item.subject_name,
            item.basis_code,
            format_money(item.amount),
            format_money(item.year_amount),
            f"{item.what_to_do}. {item.what_changes}.",
        )
        for item in items
    ]
    print_table(
        f"What to measure next, {period_id}",
        ("", "what", "rests on", currency, f"{currency}, year", "what to do, and what it changes"),
        rows,
        numeric=[0, 3, 4],
    )
