"""Every committed row against its contract, and every id against the file that defines it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.contracts.contract import Contract, ContractField, load_contract
from pipelines.cost_model.load import CostModel
from pipelines.sample_company.cloud import FOCUS_COLUMNS
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.yaml_files import read_yaml_model

Rows = list[dict[str, str]]

PATTERNS = {
    "code": r"\S+",
    "period": r"\d{4}-(0[1-9]|1[0-2])",
    "date": r"\d{4}-\d{2}-\d{2}",
    "timestamp": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z",
    "integer": r"-?\d+",
    "decimal": r"-?\d+(\.\d{1,12})?",
    "currency": r"[A-Z]{3}",
    "boolean": r"true|false",
}
SOURCES = [
    "general_ledger",
    "budget",
    "cloud_bill",
    "exchange_rates",
    "chart_of_accounts",
    "cost_centres",
    "assets",
    "asset_relations",
    "service_usage",
    "planned_usage",
    "licences",
    "headcount",
    "timesheets",
    "tickets",
    "outages",
    "benchmarks",
]


def contract_of(source: str) -> Contract:
    return load_contract("service_usage" if source == "planned_usage" else source)


def to_snake(name: str) -> str:
    """BillingPeriodStart -> billing_period_start."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def fault_of(field: ContractField, value: str) -> str | None:
    """What is wrong with a value, or None."""
    if value == "":
        return "missing" if field.is_required else None
    pattern = PATTERNS.get(field.type)
    if pattern and not re.fullmatch(pattern, value):
        return f"not a {field.type}"
    if field.allowed_values and value not in field.allowed_values:
        return "not an allowed value"
    if field.minimum is not None and Decimal(value) < field.minimum:
        return "below the minimum"
    if field.minor_unit_of and len(value.partition(".")[2]) > 2:
        return "more than two decimals"
    return None


@pytest.mark.parametrize("source", SOURCES)
def test_rows_fit_their_contract(deliveries: dict[str, Rows], source: str) -> None:
    contract = contract_of(source)
    rows = deliveries[source]
    if source == "cloud_bill":
        rows = [{to_snake(name): value for name, value in row.items()} for row in rows]
    faults = [
        (number, field.name, row.get(field.name, ""), fault)
        for number, row in enumerate(rows, start=1)
        for field in contract.fields
        if (fault := fault_of(field, row.get(field.name, ""))) is not None
    ]
    assert faults == []


@pytest.mark.parametrize("source", [source for source in SOURCES if source != "cloud_bill"])
def test_keys_are_unique(deliveries: dict[str, Rows], source: str) -> None:
    contract = contract_of(source)
    keys = [tuple(row[name] for name in contract.key) for row in deliveries[source]]
    assert len(set(keys)) == len(keys)


def test_the_check_of_a_row_finds_faults() -> None:
    field = load_contract("general_ledger").field("amount_local")
    assert fault_of(field, "12.34") is None
    assert fault_of(field, "12.345") == "more than two decimals"
    assert fault_of(field, "12,34") == "not a decimal"
    assert fault_of(field, "") == "missing"


def test_every_source_of_the_workspace_has_a_delivery(
    samples: Path, deliveries: dict[str, Rows]
) -> None:
    config = read_yaml_model(samples / "apportion.yml", WorkspaceConfig)
    assert set(config.sources) == set(SOURCES) == set(deliveries)
    for source in config.sources.values():
        assert list((samples / "inbox").glob(source.inbox))
    assert config.calendar.periods()[0][0] == "2024-11"
    assert config.calendar.periods()[-1][0] == "2026-12"


def test_the_ledger_has_24_periods_and_the_budget_26(deliveries: dict[str, Rows]) -> None:
    ledger = {row["period_id"] for row in deliveries["general_ledger"]}
    budget = {row["period_id"] for row in deliveries["budget"]}
    assert (len(ledger), min(ledger), max(ledger)) == (24, "2024-11", "2026-10")
    assert (len(budget), min(budget), max(budget)) == (26, "2024-11", "2026-12")
    counts = [sum(r["period_id"] == p for r in deliveries["general_ledger"]) for p in ledger]
    assert 250 <= min(counts) <= max(counts) <= 320


def test_a_posting_is_dated_in_its_period(deliveries: dict[str, Rows]) -> None:
    wrong = [r for r in deliveries["general_ledger"] if r["posting_date"][:7] != r["period_id"]]
    assert wrong == []


def test_only_the_deliberate_ids_are_unknown(deliveries: dict[str, Rows], model: CostModel) -> None:
    centres = {row["cost_centre_id"] for row in deliveries["cost_centres"]}
    accounts = {row["account_id"] for row in deliveries["chart_of_accounts"]}
    services = {service.id for service in model.services.services}
    towers = {tower.id for tower in model.towers.towers}
    known = {
        "cost_centre_id": centres,
        "account_id": accounts,
        "service_id": services,
        "tower_id": towers,
    }
    unknown = {
        (source, name, row[name])
        for source, rows in deliveries.items()
        for row in rows
        for name, ids in known.items()
        if row.get(name) and row[name] not in ids
    }
    unknown |= {
        (source, "receiver_id", row["receiver_id"])
        for source in ("service_usage", "planned_usage")
        for row in deliveries[source]
        if row["receiver_id"] not in (centres if row["receiver_kind"] == "consumer" else services)
    }
    assert unknown == {
        ("service_usage", "receiver_id", "CC9900"),
        ("service_usage", "service_id", "fax-gateway"),
    }


def test_use_is_counted_in_the_unit_of_its_service(
    deliveries: dict[str, Rows], model: CostModel
) -> None:
    units = {service.id: service.unit for service in model.services.services}
    drivers = {driver.id: driver for driver in model.drivers.drivers}
    for service in model.services.services:
        assert service.driver is not None
        assert drivers[service.driver].unit == service.unit
    found = {
        (row["service_id"], row["unit_code"])
        for source in ("service_usage", "planned_usage")
        for row in deliveries[source]
    }
    assert found - set(units.items()) == {("fax-gateway", "fax-page")}


def test_every_asset_leads_to_a_service(deliveries: dict[str, Rows], model: CostModel) -> None:
    services = {service.id for service in model.services.services}
    links = deliveries["asset_relations"]
    applications = {row["from_id"] for row in links if row["from_kind"] == "application"}
    linked = {
        row["from_id"]
        for row in links
        if row["from_kind"] == "asset" and row["to_id"] in applications
    }
    assert {row["asset_id"] for row in deliveries["assets"]} == linked
    assert {row["to_id"] for row in links if row["to_kind"] == "service"} <= services


def test_timesheets_cover_every_team_with_staff_cost(deliveries: dict[str, Rows]) -> None:
    paid = {
        (row["period_id"], row["cost_centre_id"])
        for row in deliveries["general_ledger"]
        if row["account_id"].startswith(("60", "671"))
    }
    booked = {(row["period_id"], row["cost_centre_id"]) for row in deliveries["timesheets"]}
    assert paid - booked == set()
    assert len(paid) == 24 * 12


def test_the_cloud_bill_has_the_columns_of_focus(deliveries: dict[str, Rows]) -> None:
    row = deliveries["cloud_bill"][0]
    assert tuple(row) == tuple(FOCUS_COLUMNS)
    mandatory = {
        "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
        "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass",
        "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
        "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
        "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
    }  # fmt: skip
    assert mandatory - set(row) == set()
    for line in deliveries["cloud_bill"]:
        tags = json.loads(line["Tags"])
        assert set(tags) in ({"service", "environment"}, set())


def test_services_are_written_for_their_readers(model: CostModel) -> None:
    services = model.services.services
    assert (len(services), sum(service.is_shared for service in services)) == (36, 10)
    showback = {service.id for service in services if service.policy[0].kind == "showback"}
    assert showback == {"video-conferencing", "website", "e-signature"}
    assert set(model.allocation.shared_services.order) == {service.id for service in services}
    for service in services:
        assert service.owner_email is not None
        assert service.owner_email.endswith("@meridian.example")
        assert 1 <= len(service.offerings) <= 3
        assert len(service.how_to_use_less) > 60
        assert service.how_to_order


def test_every_rule_says_who_owns_it_and_why(model: CostModel) -> None:
    stated = [(rule.id, rule.owner, rule.reason) for rule in model.pools.rules]
    stated += [(rule.id, rule.owner, rule.reason) for rule in model.towers.rules]
    stated += [(rule.id, rule.owner, rule.reason) for rule in model.allocation.rules]
    for rule_id, owner, reason in stated:
        assert owner, rule_id
        assert len(reason) > 20, rule_id
    methods = {rule.split.method for rule in model.towers.rules}
    methods |= {rule.split.method for rule in model.allocation.rules}
    assert methods == {"direct", "driver", "fixed", "even"}
