"""`apportion coverage`: how much of the cloud bills is mapped, and what to write for the rest."""

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

if TYPE_CHECKING:
    from pipelines.allocation.tag_coverage import Coverage

SHOWN_KEYS = 10
FIRST_PRIORITY = 100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("coverage")(coverage)


def coverage(
    period: Annotated[
        str | None, typer.Argument(help="Period, such as 2026-10; default the latest with a bill.")
    ] = None,
    limit: Annotated[
        int, typer.Option(help="Unmapped keys to show and to propose rules for; 0 for all.")
    ] = SHOWN_KEYS,
    workspace: WorkspaceOption = Path(),
    as_json: JsonOption = False,
) -> int:
    """Say how much of the cloud bills has a service and a consumer, and propose rules."""
    from pipelines.allocation.tag_coverage import read_coverage
    from pipelines.cost_model.load import load_cost_model
    from pipelines.cost_model.tagging_snippets import propose_rules, propose_spellings
    from pipelines.warehouse.reader import open_published
    from pipelines.workspace.workspace import Workspace

    space = Workspace.open(workspace)
    with open_published(space) as connection:
        found = read_coverage(connection, period)
    priorities = [rule.priority for rule in load_cost_model(space).tagging.rules]
    keys = found.keys[:limit] if limit else found.keys
    rules = propose_rules(keys, max(priorities, default=FIRST_PRIORITY - 10) + 10)
    spellings = propose_spellings(found.drift)
    if as_json:
        print_json(_as_json(found, rules, spellings))
        return 0
    _print_parts(found)
    _print_keys(found, len(keys))
    _print_drift(found)
    for section, text in (("rules", rules), ("spellings", spellings)):
        if text:
            print(f"Proposed {section} for cost_model/tagging.yml; keep what is right:\n\n{text}")
    return 0


def _print_parts(found: Coverage) -> None:
    from pipelines.allocation.tag_coverage import METHOD_NAMES

    rows: list[tuple[Any, ...]] = []
    for part in found.parts:
        percent = "" if part.percent is None else f"{part.percent:.1f} %"
        rows.append(
            (
                part.source_id,
                part.target_kind,
                METHOD_NAMES[part.mapping_method],
                format_money(part.amount),
                percent,
                f"{part.line_count:,}",
            )
        )
    print_table(
        f"How the cloud bills of {found.period_id} are mapped",
        ("bill", "to a", "how", found.currency_code, "of the money", "lines"),
        rows,
        numeric=[3, 4, 5],
    )


def _print_keys(found: Coverage, shown: int) -> None:
    if not found.keys:
        print("Every line is mapped.")
        return
    rows = [
        (
            key.source_id,
            key.target_kind,
            key.key_kind.replace("_", " "),
            f"{key.key_name}={key.key_value}" if key.key_name else key.key_value,
            format_money(key.amount),
            f"{key.line_count:,}",
        )
        for key in found.keys[:shown]
    ]
    if shown < len(found.keys):
        rows.append((f"{len(found.keys) - shown} more (--limit 0)", "", "", "", "", ""))
    print_table(
        "What unmapped lines have in common, largest first; a line counts under each of its keys",
        ("bill", "without a", "key", "value", found.currency_code, "lines"),
        rows,
        numeric=[4, 5],
    )


def _print_drift(found: Coverage) -> None:
    if not found.drift:
        return
    rows = [
        (
            "(key)" if item.drift_kind == "key" else item.tag_key,
            item.found_text,
            item.proposed_text,
            item.drift_kind,
            format_money(item.amount),
        )
        for item in found.drift
    ]
    print_table(
        "Spellings that look like one; nothing is merged until tagging.yml says so",
        ("tag", "found", "like", "how", found.currency_code),
        rows,
        numeric=[4],
    )


def _as_json(found: Coverage, rules: str, spellings: str) -> dict[str, Any]:
    return {
        "period_id": found.period_id,
        "currency_code": found.currency_code,
        "coverage": [vars(part) | {"percent": part.percent} for part in found.parts],
        "unmapped_keys": [vars(key) for key in found.keys],
        "drift": [vars(item) for item in found.drift],
        "proposed_rules": rules,
        "proposed_spellings": spellings,
    }
