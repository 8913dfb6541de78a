"""`apportion rates`: which price a unit should have next year."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.output import JsonOption, WorkspaceOption, print_json
from pipelines.cli.tabular import Table, TableFormat, print_tables
from pipelines.errors import UsageError

if TYPE_CHECKING:
    from pipelines.planning.propose_rates import RateProposals


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(help="Prices of services.", no_args_is_help=True)
    group.command("propose")(propose)
    app.add_typer(group, name="rates")


def propose(
    year: Annotated[int, typer.Option("--year", help="Fiscal year that has a budget.")],
    service: Annotated[
        list[str] | None, typer.Option("--service", help="Only this one; may be given again.")
    ] = None,
    digits: Annotated[
        int, typer.Option(min=1, max=10, help="Significant digits of a proposed price.")
    ] = 3,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Write entries for rate_card.yml.")
    ] = False,
    form: Annotated[
        TableFormat, typer.Option("--format", help="How to write the table.")
    ] = TableFormat.TABLE,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Propose prices: planned cost / planned volume, rounded, with the volume that breaks even."""
    from pipelines.planning.propose_rates import propose_rates, write_rate_card
    from pipelines.warehouse.reader import open_published
    from pipelines.workspace.workspace import Workspace

    if as_yaml and as_json:
        raise UsageError("--yaml and --json exclude each other")
    with open_published(Workspace.open(workspace)) as connection:
        found = propose_rates(connection, year, services=tuple(service or ()), digits=digits)
    if as_json:
        print_json(vars(found))
    elif as_yaml:
        print(write_rate_card(found))
    else:
        print_tables([_make_table(found)], form)
        if form is not TableFormat.CSV:
            print(
                "Break-even: price x volume = fixed cost + variable cost per unit x volume. What "
                "no pool rule declares to be variable counts as fixed."
            )
    return 0


def _make_table(found: RateProposals) -> Table:
    from pipelines.planning.propose_rates import write_volume

    rows = [
        (
            item.service_id,
            item.planned_cost,
            write_volume(item.planned_volume),
            item.unit_code,
            f"{item.planned_unit_cost:f}",
            f"{item.price:f}",
            item.planned_recovery,
            item.fixed_cost,
            "never" if item.break_even_volume is None else write_volume(item.break_even_volume),
        )
        for item in found.proposals
    ]
    columns = (
        *("service", "planned cost", "planned volume", "unit", "planned unit cost", "price"),
        *("recovers", "of cost fixed", "breaks even at"),
    )
    title = f"Proposed prices for the fiscal year {found.fiscal_year}, {found.currency_code}"
    return Table(title, columns, rows, numeric=(1, 2, 4, 5, 6, 7, 8))
