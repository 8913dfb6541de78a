"""Make a workspace of the template `ledger` ready for the files of a company's first day.

The ledger export goes into the inbox as it is, with a mapping; the list of business units becomes
two canonical deliveries, cost centres and heads, because a list is no delivery of either. The rules
that are written are a start: a pool and a service per group of accounts, split by heads where the
list has them, else evenly over the business units, and all of it shown, not charged.

Assumes a fresh copy of the template, whose comments stay.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipelines.first_showback.account_groups import AccountGroup, group_accounts
from pipelines.first_showback.ledger_export import (
    LedgerExport,
    read_accounts,
    read_ledger_export,
)
from pipelines.first_showback.unit_list import BusinessUnit, read_unit_list
from pipelines.mappings.answers import Answers
from pipelines.mappings.write_proposal import write_proposal

MAPPING_ID = "ledger"
LEGAL_ENTITY = "main"
UNCLASSIFIED = "unclassified"
LEAST_PRIORITY = 900


@dataclass(frozen=True)
class FirstFiles:
    """What a company has on its first day; each may be missing."""

    ledger: Path | None = None
    units: Path | None = None
    accounts: Path | None = None
    currency: str | None = None
    answers: Answers = field(default_factory=Answers)
    """What is said of the ledger's columns."""


@dataclass(frozen=True)
class FirstShowback:
    """What was written, for a person to look at."""

    groups: tuple[AccountGroup, ...]
    units: tuple[BusinessUnit, ...]
    split: str
    """How the cost is split over the business units."""
    decisions: tuple[str, ...]
    """What the ledger export leaves open, or what was filled in."""


def write_first_showback(directory: Path, files: FirstFiles) -> FirstShowback:
    """Write deliveries, mapping and rules into `directory`. Raises UsageError where a file cannot
    be used; nothing of the directory is to be kept then."""
    names = read_accounts(files.accounts) if files.accounts else {}
    units = read_unit_list(files.units) if files.units else []
    export = None
    if files.ledger:
        export = read_ledger_export(files.ledger, files.currency, files.answers)
    groups: list[AccountGroup] = []
    if export is not None:
        for file in export.files:
            shutil.copyfile(file, _place(directory, "general_ledger", file.name))
        write_proposal(export.proposal, directory / "mappings" / f"{MAPPING_ID}.yml")
        known = {account: names.get(account) or name for account, name in export.accounts.items()}
        groups = group_accounts(export.accounts, known, export.amounts)
        if any(known.values()):
            others = {account: name or account for account, name in known.items()}
            names = names | {key: name for key, name in others.items() if key not in names}
    _write_settings(directory, export, files.currency)
    if units:
        _write_units(directory, units, _find_first_period(directory))
    if names:
        rows = ((account, name, "expense") for account, name in names.items())
        header = ("account_id", "account_name", "account_class")
        _write_table(_place(directory, "chart_of_accounts", "accounts.csv"), header, rows)
    _write_rules(directory, groups, units)
    return FirstShowback(
        tuple(groups),
        tuple(units),
        _say_split(units),
        export.proposal.decisions if export else (),
    )


def _say_split(units: Sequence[BusinessUnit]) -> str:
    if not units:
        return "evenly over the cost centres that you deliver, or by heads"
    if units[0].heads is not None:
        return f"by heads over {len(units)} business units"
    return f"evenly over {len(units)} business units"


def _place(directory: Path, source: str, name: str) -> Path:
    folder = directory / "inbox" / source
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _write_settings(directory: Path, export: LedgerExport | None, currency: str | None) -> None:
    """Currency, calendar and mapping, in the template's own text: its comments are to stay."""
    path = directory / "apportion.yml"
    text = path.read_text("utf-8")
    changes = {}
    if export is not None:
        first, last = export.first_month, f"{export.last_month[:4]}-12"
        changes = {
            "  first_period: 2026-01": f"  first_period: {first}",
            "  last_period: 2026-12": f"  last_period: {last}",
            "    mapping: canonical": f"    mapping: {MAPPING_ID}",
        }
        currency = export.currency
    if currency is not None:
        changes["currency: EUR"] = f"currency: {currency}"
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ValueError(f"the template ledger has no single line {old!r}")
        text = text.replace(old, new)
    path.write_text(text, "utf-8")


def _find_first_period(directory: Path) -> str:
    """Heads hold from the first period of the calendar on, so that every period has some."""
    config = yaml.safe_load((directory / "apportion.yml").read_text("utf-8"))
    return str(config["calendar"]["first_period"])


def _write_units(directory: Path, units: Sequence[BusinessUnit], period: str) -> None:
    header = (
        *("cost_centre_id", "cost_centre_name", "business_unit_id", "business_unit_name"),
        *("legal_entity_id", "legal_entity_name", "is_it", "valid_from"),
    )
    fixed = (LEGAL_ENTITY, LEGAL_ENTITY, "false", f"{period}-01")
    rows = [
        (centre, centre, unit.unit_id, unit.name, *fixed)
        for unit in units
        for centre in unit.cost_centres
    ]
    _write_table(_place(directory, "cost_centres", "business_units.csv"), header, rows)
    heads = [
        (period, unit.cost_centres[0], str(unit.heads)) for unit in units if unit.heads is not None
    ]
    if heads:
        header_of_heads = ("period_id", "cost_centre_id", "headcount_quantity")
        _write_table(_place(directory, "headcount", "business_units.csv"), header_of_heads, heads)


def _write_rules(
    directory: Path, groups: Sequence[AccountGroup], units: Sequence[BusinessUnit]
) -> None:
    """A pool and a service per group beside those that the template has for the rest."""
    pools = [{"id": f"accounts-{group.group_id}", "name": group.name} for group in groups]
    pool_rules = [
        {
            "id": f"pool-{group.group_id}",
            "priority": 100 + number,
            "match": {"account": [group.glob]},
            "pool": f"accounts-{group.group_id}",
            "reason": "Accounts that begin alike; say what they bought.",
        }
        for number, group in enumerate(groups)
    ]
    service_rules = [
        {
            "id": f"service-{group.group_id}",
            "priority": 100 + number,
            "match": {"pool": [f"accounts-{group.group_id}"]},
            "split": {"method": "direct", "to": [f"it-{group.group_id}"]},
            "reason": "A service per group of accounts, until the catalogue says more.",
        }
        for number, group in enumerate(groups)
    ]
    model = directory / "cost_model"
    _insert(model / "pools.yml", "rules", pools)
    _insert(model / "pools.yml", f"  - id: pool-{UNCLASSIFIED}", pool_rules)
    _insert(model / "allocation.yml", "  - id: service-everything", service_rules)
    path = model / "services.yml"
    text = path.read_text("utf-8")
    if units:
        # One cost centre for each business unit: an even split is even over units, not centres.
        first = [unit.cost_centres[0] for unit in units]
        text = text.replace('    consumers: ["*"]', f"    consumers: {_flow(first)}")
        if units[0].heads is not None:
            text = text.replace("    fallback: even", "    fallback: prior_period")
    path.write_text(text, "utf-8")
    _add_services(path, groups)


def _insert(path: Path, marker: str, items: Sequence[dict[str, Any]]) -> None:
    """Put list entries into a rule file of the template, above the line that begins so."""
    if not items:
        return
    lines = path.read_text("utf-8").split("\n")
    index = next(number for number, line in enumerate(lines) if line.startswith(marker))
    lines[index:index] = [f"  - {_flow(item)}" for item in items]
    path.write_text("\n".join(lines), "utf-8")


def _add_services(path: Path, groups: Sequence[AccountGroup]) -> None:
    """A service per group, with all that the template's service `it` says."""
    document = yaml.safe_load(path.read_text("utf-8"))
    pattern = document["services"][0]
    services = [
        {
            **pattern,
            # A list of its own each time: YAML would write one that is shared as a reference.
            "consumers": list(pattern["consumers"]),
            "id": f"it-{group.group_id}",
            "name": f"IT: {group.name}",
            "description": f"What the accounts {group.glob} bought, until the catalogue says more.",
        }
        for group in groups
    ]
    if services:
        text = yaml.safe_dump(services, sort_keys=False, allow_unicode=True, width=100)
        indented = "".join(f"  {line}\n" for line in text.rstrip("\n").split("\n"))
        with path.open("a", encoding="utf-8") as file:
            file.write(indented)


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    text: str = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text.strip()
