"""The compiled rules of a frozen file as rules that can be read and compared: one by one, with the
names and values of their fields.

Which tables hold rules is said here: the known ones with a title and what they mean, and any other
table of schema `model` under its own name, so that a kind of rule that is added later is neither
left out nor unseen in the changes. Tables of the machinery (loads, compiled SQL) are no rules, nor
is what belongs to one period.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipelines.close.evidence_pack.frozen_figures import FrozenFigures
from pipelines.cost_model.compile_splits import WHOLE

NO_RULES = frozenset(
    {
        *("compiled_models", "corrections", "findings", "lineage_queries", "loads"),
        *("tagging_scope", "minor_units"),
    }
)
PLUMBING = frozenset({"run_id", "fingerprint", "built_at", "code_version", "has_receivers"})
"""Columns that differ from run to run, or only say what another table says."""
RECEIVERS = {"tower_rule_receivers": "tower_rules", "service_rule_receivers": "service_rules"}
RECEIVERS |= {"service_receivers": "services"}
PARTS = {"towers": "tower_rules", "services": "service_rules", "consumers": "services"}
"""Stop of a split -> the table of the rules that it belongs to."""

TITLES = {
    "settings": "Settings of the workspace",
    "pools": "Cost pools",
    "pool_rules": "Rules from accounts to cost pools",
    "towers": "Resource towers",
    "tower_rules": "Rules from cost pools to towers",
    "services": "Services, and how each is split among its consumers",
    "service_rules": "Rules from towers to services",
    "service_offerings": "Offerings of services",
    "shared_service_order": "Order of shared services",
    "drivers": "Drivers",
    "driver_table_rows": "Typed-in drivers",
    "rate_card": "Rate card",
    "feeds": "Detail feeds and what they claim",
    "tagging_rules": "Tagging rules",
    "tagging_keys": "Spellings of tags",
    "tagging_merges": "Merged values of tags",
    "taxonomies": "Taxonomies",
    "taxonomy_mappings": "Places in taxonomies",
    "taxonomy_sub_pools": "Sub-pools of taxonomies",
}
KEYS = {
    "settings": ("workspace_name",),
    "shared_service_order": ("position",),
    "tagging_merges": ("tag_key", "found_value"),
    "tagging_keys": ("tag_key", "spelling"),
    "rate_card": ("price_id", "tier_number"),
    "feeds": ("source_id",),
    "driver_table_rows": ("driver_id", "sender_id", "receiver_kind", "receiver_id", "valid_from"),
    "taxonomy_mappings": ("taxonomy_id", "layer_code", "entity_id"),
    "taxonomy_sub_pools": ("taxonomy_id", "category_name", "sub_category_name"),
    "service_offerings": ("service_id", "offering_id"),
}


@dataclass(frozen=True)
class Rule:
    """One rule: its kind (a table), its name, and its fields as text; empty ones are left out."""

    kind: str
    rule_id: str
    fields: dict[str, str] = field(default_factory=dict)
    holds: bool = True
    """Whether it holds in the period, by its dates."""

    @property
    def text(self) -> str:
        """All of its fields in a line."""
        return "; ".join(f"{name}: {value}" for name, value in self.fields.items())


def name_kind(kind: str) -> str:
    """What a kind of rule is called."""
    return TITLES.get(kind, kind.replace("_", " ").capitalize())


def read_rules(figures: FrozenFigures) -> list[Rule]:
    """Every rule of the file, by kind and name. Whether one holds is said for the file's period."""
    start = _find_start(figures)
    names = [name.removeprefix("model.") for name in figures.tables if name.startswith("model.")]
    others = {*NO_RULES, *RECEIVERS, "split_parts"}
    own = [
        name
        for name in names
        if name not in others and "period_id" not in _list_columns(figures, name)
    ]
    order = {kind: number for number, kind in enumerate(TITLES)}
    details = _read_details(figures)
    rules: list[Rule] = []
    for kind in sorted(own, key=lambda name: (order.get(name, len(order)), name)):
        rules += _read_kind(figures, kind, start, details)
    return rules


def _find_start(figures: FrozenFigures) -> date:
    rows = figures.read("select period_start from model.periods where period_id = $period")
    start: date = rows[0][0]
    return start


def _read_kind(
    figures: FrozenFigures, kind: str, start: date, details: dict[tuple[str, str], dict[str, str]]
) -> list[Rule]:
    columns = _list_columns(figures, kind)
    rows = [
        dict(zip(columns, row, strict=True))
        for row in figures.read(f'select * from model."{kind}" order by all')
    ]
    key = _find_key(kind, columns)
    counts = Counter(_name_rule(row, key) for row in rows)
    rules = []
    seen: Counter[str] = Counter()
    for row in rows:
        name = _name_rule(row, key)
        if counts[name] > 1:
            seen[name] += 1
            name = f"{name} ({seen[name]})"
        fields = {
            _name_field(column): text
            for column, value in row.items()
            if column not in PLUMBING and column not in key and (text := write_value(value))
        }
        fields |= details.get((kind, str(row[key[0]])), {})
        rules.append(Rule(kind, name, fields, _holds(row, start)))
    return sorted(rules, key=lambda rule: rule.rule_id)


def _list_columns(figures: FrozenFigures, kind: str) -> list[str]:
    rows = figures.connection.execute(
        "select column_name from duckdb_columns() where database_name = 'figures' "
        "and schema_name = 'model' and table_name = ? order by column_index",
        [kind],
    ).fetchall()
    return [row[0] for row in rows]


def _find_key(kind: str, columns: list[str]) -> tuple[str, ...]:
    """The columns that name a rule: the known ones, else all ids that the table begins with."""
    known = tuple(name for name in KEYS.get(kind, ()) if name in columns)
    if known:
        return known
    count = next(
        (number for number, name in enumerate(columns) if not name.endswith("_id")), len(columns)
    )
    return tuple(columns[: max(count, 1)]) if kind not in TITLES else (columns[0],)


def _name_rule(row: dict[str, Any], key: tuple[str, ...]) -> str:
    return " / ".join(write_value(row[name]) for name in key if write_value(row[name]))


def _name_field(column: str) -> str:
    for ending in ("_id", "_name", "_code"):
        column = column.removesuffix(ending)
    return column.replace("_", " ")


def _holds(row: dict[str, Any], start: date) -> bool:
    """By the dates that a rule may have: valid_from inclusive, valid_to exclusive."""
    valid_from, valid_to = row.get("valid_from"), row.get("valid_to")
    return (valid_from is None or valid_from <= start) and (valid_to is None or start < valid_to)


def _read_details(figures: FrozenFigures) -> dict[tuple[str, str], dict[str, str]]:
    """What other tables say of a rule, as fields of it: the parts of a split and its receivers."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    if figures.has("model.split_parts"):
        for stop, rule, part, *values in figures.read(
            "select stop_code, rule_id, part_code, method, driver_id, fallback, negative, "
            "default_weight from model.split_parts order by all"
        ):
            names = ("method", "driver", "fallback", "negative use", "weight of others")
            text = ", ".join(
                f"{name} {write_value(value)}"
                for name, value in zip(names, values, strict=True)
                if value is not None
            )
            kind = PARTS.get(stop)
            if kind is not None:
                found.setdefault((kind, rule), {})[_name_part("split", part)] = text
    for table, kind in RECEIVERS.items():
        if figures.has(f"model.{table}"):
            for (rule, part), text in _read_receivers(figures, table).items():
                found.setdefault((kind, rule), {})[_name_part("receivers", part)] = text
    return found


def _read_receivers(figures: FrozenFigures, table: str) -> dict[tuple[str, str], str]:
    rows: dict[tuple[str, str], list[tuple[str, int | None]]] = {}
    for rule, part, receiver, weight in figures.read(
        f"select rule_id, part_code, receiver_id, weight from model.{table} order by all"
    ):
        rows.setdefault((rule, part), []).append((receiver, weight))
    return {key: _write_receivers(receivers) for key, receivers in rows.items()}


def _write_receivers(receivers: list[tuple[str, int | None]]) -> str:
    """'compute 60 %, desk 40 %' of shares; 'crm weight 2, erp weight 1' of weights."""
    weights = [weight or 0 for _, weight in receivers]
    if sum(weights) == WHOLE:
        return ", ".join(
            f"{name} {write_value(Decimal(weight or 0) * 100 / WHOLE)} %"
            for name, weight in receivers
        )
    if len(set(weights)) == 1:
        return ", ".join(name for name, _ in receivers)
    return ", ".join(f"{name} weight {weight}" for name, weight in receivers)


def _name_part(what: str, part: str) -> str:
    return what if part == "all" else f"{what} ({part})"


def write_value(value: Any) -> str:
    """A value as people read it: no needless zeros, lists with commas, nothing as nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return " ".join(f"{name} {write_value(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(write_value(item) for item in value)
    return str(value)
