"""Compile the workspace's configuration and rules into tables that the build reads.

The tables are written as Parquet, hashed with the run, and loaded into the schema `model` of the
fresh warehouse file. dbt reads them as sources: no seeds, no variables.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.cost_model.compile_rate_card import compile_policies, compile_rate_card
from pipelines.cost_model.compile_splits import (
    PART_COLUMNS,
    SERVICE_RECEIVER_COLUMNS,
    compile_parts,
    compile_receivers,
    compile_service_parts,
    compile_service_receivers,
    find_deciding_driver,
)
from pipelines.cost_model.compile_tagging import Row, Table, compile_tagging
from pipelines.cost_model.compile_taxonomy import compile_taxonomies
from pipelines.cost_model.compile_transfers import compile_transfers
from pipelines.cost_model.forms import Approvable, Dated
from pipelines.cost_model.load import CostModel
from pipelines.cost_model.schema import Driver, DriverTable, LineMatch
from pipelines.cost_model.splits import Split, find_driver
from pipelines.money import list_minor_unit_exceptions, minor_unit_digits
from pipelines.warehouse.parquet_copy import copy_to_parquet
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.phasing import list_phases

if TYPE_CHECKING:
    import duckdb

SENDER_KINDS = {
    "service_usage": "service",
    "licence_seats": "service",
    "ticket_count": "service",
    "timesheet_hours_by_tower": "cost_centre",
    "timesheet_hours_by_service": "tower",
}

UNDECLARED = "undeclared"

MATCH = "accounts varchar[], cost_centres varchar[], vendors varchar[], legal_entities varchar[], "
MATCH += "sources varchar[], categories varchar[]"
SPLIT = "method varchar, to_tagged_service boolean, driver_id varchar, fallback varchar, "
SPLIT += "has_receivers boolean"
RECEIVERS = "rule_id varchar, receiver_id varchar, weight hugeint, part_code varchar"
SPAN = "valid_from date, valid_to date"
APPROVAL = "approved_by varchar, approved_on date"


@dataclass(frozen=True)
class RunStamp:
    """What identifies a run: id, hash of all that went in, time, version of the code."""

    run_id: str
    fingerprint: str
    built_at: str | None
    code_version: str


def compile_tables(config: WorkspaceConfig, model: CostModel, stamp: RunStamp) -> dict[str, Table]:
    """All tables by name: (column definitions, rows)."""
    return {
        "settings": _compile_settings(config, model, stamp),
        "periods": (
            "period_id varchar, period_start date, period_end date, fiscal_year integer, "
            "fiscal_period integer",
            list(config.calendar.periods()),
        ),
        "phasing": _compile_phasing(config),
        "feeds": _compile_feeds(config),
        "minor_units": (
            "currency_code varchar, digits integer",
            [
                (code, digits)
                for digits, codes in list_minor_unit_exceptions().items()
                for code in codes
            ],
        ),
        **_compile_pools(model),
        **_compile_towers(model),
        **_compile_services(model),
        **_compile_allocation(model),
        "split_parts": (PART_COLUMNS, _list_parts(model)),
        **compile_tagging(config, model.tagging),
        **compile_taxonomies(model.pools, model.towers, model.services, model.crosswalk),
        "rate_card": compile_rate_card(model.rate_card),
        "service_policies": compile_policies(model.services),
        "transfers": compile_transfers(config),
        "drivers": (
            "driver_id varchar, driver_name varchar, driver_kind varchar, unit_code varchar, "
            "asset_classes varchar[], description varchar, quality varchar, sender_kind varchar, "
            "owner_name varchar, attested_by varchar, attested_on date, attested_until date",
            [_driver_row(driver) for driver in model.drivers.drivers],
        ),
        "driver_table_rows": (
            "driver_id varchar, sender_id varchar, receiver_kind varchar, receiver_id varchar, "
            f"quantity decimal(38, 12), {SPAN}",
            _compile_driver_rows(model),
        ),
    }


def write_tables(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, Table], directory: Path
) -> None:
    """Create schema `model` with every table, and a Parquet copy of each in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    create_tables(connection, tables, "model")
    for name in tables:
        copy_to_parquet(connection, f"model.{name}", directory / f"{name}.parquet")


def create_tables(
    connection: duckdb.DuckDBPyConnection, tables: dict[str, Table], schema: str
) -> None:
    """Create `schema` with every table."""
    connection.execute(f"create schema if not exists {schema}")
    for name, (columns, rows) in tables.items():
        connection.execute(f"create or replace table {schema}.{name} ({columns})")
        if rows:
            places = ", ".join("?" for _ in rows[0])
            connection.executemany(f"insert into {schema}.{name} values ({places})", rows)


def _compile_settings(config: WorkspaceConfig, model: CostModel, stamp: RunStamp) -> Table:
    digits = minor_unit_digits(config.currency)
    return (
        "run_id varchar, fingerprint varchar, built_at timestamp, code_version varchar, "
        "workspace_name varchar, currency_code varchar, minor_unit_digits integer, "
        "control_source_id varchar, rate_type varchar, time_zone varchar, shared_method varchar, "
        "true_up varchar",
        [
            (
                stamp.run_id,
                stamp.fingerprint,
                stamp.built_at,
                stamp.code_version,
                config.name,
                config.currency,
                digits,
                config.control_total.source_ids[0],
                config.rate_type,
                config.time_zone,
                model.allocation.shared_services.method,
                config.recovery.true_up,
            )
        ],
    )


def _compile_phasing(config: WorkspaceConfig) -> Table:
    return (
        "source_id varchar, delivered_period_id varchar, period_id varchar, position integer, "
        "weight bigint, shape_period_id varchar",
        [
            (source_id, *phase)
            for source_id, source in config.sources.items()
            if source.phasing is not None
            for phase in list_phases(config.calendar.periods(), source.phasing)
        ],
    )


def _compile_feeds(config: WorkspaceConfig) -> Table:
    columns = (
        "source_id varchar, is_control_total boolean, has_claims boolean, "
        f"{MATCH}, legal_entity_id varchar, cost_centre_id varchar, account_id varchar, "
        "measure varchar, service_from varchar, consumer_from varchar, consumer_name_from varchar, "
        "business_unit_from varchar, defines_services boolean, defines_consumers boolean, "
        "contract_id varchar, consumers_pay varchar, discount_category varchar, "
        "unused_category varchar, depreciation_convention varchar"
    )
    usual = "full_month" if config.calendar.spans.are_whole_months else "by_day"
    rows: list[Row] = []
    for source_id, source in config.sources.items():
        feed = source.detail_feed
        if feed is None:
            continue
        rows.append(
            (
                source_id,
                source_id in config.control_total.source_ids,
                feed.claims is not None,
                *_match_row(feed.claims or LineMatch()),
                feed.legal_entity,
                feed.cost_centre,
                feed.account,
                feed.measure,
                feed.service_from,
                feed.consumer_from,
                feed.consumer_name_from,
                feed.business_unit_from,
                feed.defines_services,
                feed.defines_consumers,
                source.contract,
                feed.consumers_pay,
                feed.discount_category,
                feed.unused_category,
                feed.depreciation or usual,
            )
        )
    return columns, rows


def _compile_pools(model: CostModel) -> dict[str, Table]:
    rules = [
        (
            rule.id,
            rule.priority,
            *_match_row(rule.match),
            rule.pool,
            rule.sub_pool,
            rule.exclude_as,
            rule.cost_behaviour or (UNDECLARED if rule.pool else None),
            rule.owner,
            rule.reason,
            *_span(rule),
            *_approval(rule),
        )
        for rule in model.pools.rules
    ]
    return {
        "pools": (
            "cost_pool_id varchar, cost_pool_name varchar, description varchar",
            [(pool.id, pool.name, pool.description) for pool in model.pools.pools],
        ),
        "pool_rules": (
            f"rule_id varchar, priority integer, {MATCH}, cost_pool_id varchar, "
            "sub_pool_name varchar, exclude_as varchar, cost_behaviour varchar, "
            "owner_name varchar, "
            f"reason varchar, {SPAN}, {APPROVAL}",
            rules,
        ),
    }


def _compile_towers(model: CostModel) -> dict[str, Table]:
    rules = [
        (
            rule.id,
            rule.priority,
            *_match_row(rule.match),
            rule.match.pool,
            rule.match.sub_pool,
            *_split_row(rule.split),
            rule.owner,
            rule.reason,
            *_span(rule),
            *_approval(rule),
        )
        for rule in model.towers.rules
    ]
    return {
        "towers": (
            "tower_id varchar, tower_name varchar, sub_tower_name varchar, handles_tickets boolean",
            [
                (tower.id, tower.name, tower.sub_name, tower.handles_tickets)
                for tower in model.towers.towers
            ],
        ),
        "tower_rules": (
            f"rule_id varchar, priority integer, {MATCH}, pools varchar[], sub_pools varchar[], "
            f"{SPLIT}, owner_name varchar, reason varchar, {SPAN}, {APPROVAL}",
            rules,
        ),
        "tower_rule_receivers": (
            RECEIVERS,
            [row for rule in model.towers.rules for row in compile_receivers(rule.id, rule.split)],
        ),
    }


def _compile_services(model: CostModel) -> dict[str, Table]:
    services: list[Row] = []
    offerings: list[Row] = []
    for item in model.services.services:
        level = item.service_level
        services.append(
            (
                item.id,
                item.name,
                item.category,
                item.description,
                item.owner,
                item.owner_email,
                ", ".join(item.business_processes),
                item.unit,
                item.unit_name,
                *find_deciding_driver(item),
                item.consumers,
                item.is_shared,
                _to_share(level.availability_percent),
                level.response_minutes,
                level.resolution_minutes,
                _to_share(level.sla_attainment_percent),
                item.how_to_order,
                item.how_to_use_less,
            )
        )
        offerings += [
            (item.id, offering.id, offering.name, offering.description)
            for offering in item.offerings
        ]
    return {
        "services": (
            "service_id varchar, service_name varchar, category_name varchar, description varchar, "
            "owner_name varchar, owner_email varchar, business_processes varchar, "
            "unit_code varchar, "
            "unit_name varchar, driver_id varchar, fallback varchar, consumers varchar[], "
            "is_shared boolean, availability_target_share decimal(9, 6), "
            "response_target_minutes integer, resolution_target_minutes integer, "
            "sla_attainment_target_share decimal(9, 6), how_to_order varchar, "
            "how_to_use_less varchar",
            services,
        ),
        "service_offerings": (
            "service_id varchar, offering_id varchar, offering_name varchar, description varchar",
            offerings,
        ),
        "service_receivers": (
            SERVICE_RECEIVER_COLUMNS,
            [row for item in model.services.services for row in compile_service_receivers(item)],
        ),
    }


def _compile_allocation(model: CostModel) -> dict[str, Table]:
    rules = [
        (
            rule.id,
            rule.priority,
            rule.match.tower,
            rule.match.pool,
            rule.match.is_tagged,
            *_split_row(rule.split),
            rule.owner,
            rule.reason,
            *_span(rule),
            *_approval(rule),
        )
        for rule in model.allocation.rules
    ]
    order = model.allocation.shared_services.order
    return {
        "service_rules": (
            "rule_id varchar, priority integer, towers varchar[], pools varchar[], "
            f"is_tagged boolean, {SPLIT}, owner_name varchar, reason varchar, {SPAN}, {APPROVAL}",
            rules,
        ),
        "service_rule_receivers": (
            RECEIVERS,
            [
                row
                for rule in model.allocation.rules
                for row in compile_receivers(rule.id, rule.split)
            ],
        ),
        "shared_service_order": (
            "service_id varchar, position integer",
            [(service_id, position) for position, service_id in enumerate(order)],
        ),
    }


def _driver_row(driver: Driver) -> Row:
    return (
        driver.id,
        driver.name,
        driver.kind,
        driver.unit,
        driver.asset_class,
        driver.description,
        driver.quality,
        driver.table.senders if driver.table else SENDER_KINDS.get(driver.kind),
        *_attestation(driver.table),
    )


def _attestation(table: DriverTable | None) -> Row:
    if table is None:
        return (None, None, None, None)
    return (table.owner, table.attested_by, table.attested_on, table.ends_on)


def _compile_driver_rows(model: CostModel) -> list[Row]:
    receivers = {item.id: item.table.receivers for item in model.drivers.drivers if item.table}
    return [
        (
            row.driver_id,
            row.sender_id,
            receivers[row.driver_id],
            row.receiver_id,
            row.quantity,
            row.valid_from,
            row.valid_to,
        )
        for row in model.driver_rows
    ]


def _match_row(match: LineMatch) -> Row:
    return (
        match.account,
        match.cost_centre,
        match.vendor,
        match.legal_entity,
        match.source,
        match.category,
    )


def _list_parts(model: CostModel) -> list[Row]:
    """The parts of all splits: of tower rules, of service rules, and of services."""
    parts: list[Row] = []
    for tower_rule in model.towers.rules:
        parts += compile_parts("towers", tower_rule.id, tower_rule.split)
    for rule in model.allocation.rules:
        parts += compile_parts("services", rule.id, rule.split)
    for service in model.services.services:
        parts += compile_service_parts(service)
    return parts


def _split_row(split: Split) -> Row:
    part = find_driver(split) or split
    return (
        split.method,
        split.to_tagged_service,
        part.driver,
        part.fallback,
        bool(split.to or split.shares or split.weights),
    )


def _span(item: Dated) -> Row:
    return (item.valid_from, item.valid_to)


def _approval(rule: Approvable) -> Row:
    return (rule.approved_by, rule.approved_on)


def _to_share(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else percent.scaleb(-2)


def tables_as_json(tables: dict[str, Table]) -> str:
    """A stable text of all tables but the run's id, for the fingerprint of a run."""
    content = {name: rows for name, (_, rows) in tables.items()}
    content["settings"] = [row[4:] for row in content["settings"]]
    return json.dumps(content, sort_keys=True, default=str)
