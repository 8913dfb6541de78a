"""The stories that the README promises are in the data, and the money ties where it must."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fnmatch import fnmatch
from itertools import pairwise

from pipelines.cost_model.load import CostModel

Rows = list[dict[str, str]]
Deliveries = dict[str, Rows]


def sum_ledger(deliveries: Deliveries, period: str, account: str, vendor: str = "*") -> Decimal:
    """Amount of the matching postings, in whatever one currency they have."""
    lines = [
        row
        for row in deliveries["general_ledger"]
        if row["period_id"] == period
        and row["account_id"] == account
        and fnmatch(row["vendor_name"], vendor)
    ]
    assert len({row["currency_code"] for row in lines}) == 1
    return sum((Decimal(row["amount_local"]) for row in lines), Decimal(0))


def sum_use(deliveries: Deliveries, period: str, service: str) -> Decimal:
    return sum(
        (
            Decimal(row["quantity"])
            for row in deliveries["service_usage"]
            if row["period_id"] == period and row["service_id"] == service
        ),
        Decimal(0),
    )


def minutes_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60


def test_depreciation_on_the_ledger_is_that_of_the_register(deliveries: Deliveries) -> None:
    # STO-001 to 003 and the two libraries, 398,000 + 425,000 + 439,000 + 246,000 + 273,000 over
    # 60 months: 29,683.33 a month; STO-004 adds 648,000 / 60 = 10,800.00 from March 2026.
    assert abs(sum_ledger(deliveries, "2026-02", "6211") - Decimal("29683.33")) <= Decimal("0.02")
    assert abs(sum_ledger(deliveries, "2026-03", "6211") - Decimal("40483.33")) <= Decimal("0.02")


def test_depreciation_of_a_class_sums_to_cost_over_life(deliveries: Deliveries) -> None:
    # All data centre plant is in use throughout, so that 24 months are 24 / life of its cost.
    plant = [row for row in deliveries["assets"] if row["asset_class"] == "data-centre"]
    for entity in ("DE01", "CH01"):
        expected = sum(
            (
                Decimal(row["purchase_amount_local"]) * 24 / int(row["useful_life_months"])
                for row in plant
                if row["legal_entity_id"] == entity
            ),
            Decimal(0),
        )
        booked = sum(
            (
                Decimal(row["amount_local"])
                for row in deliveries["general_ledger"]
                if row["account_id"] == "6214" and row["legal_entity_id"] == entity
            ),
            Decimal(0),
        )
        # Each asset is rounded cumulatively: off by at most half a cent at either end.
        assert abs(booked - expected) <= Decimal("0.01") * len(plant)


def test_the_cloud_account_is_invoice_plus_support(deliveries: Deliveries) -> None:
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for row in deliveries["cloud_bill"]:
        billed[row["BillingPeriodStart"][:7]] += Decimal(row["BilledCost"])
    assert len(billed) == 24
    for period, amount in billed.items():
        invoice = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert sum_ledger(deliveries, period, "6410") == invoice + Decimal("6450.00")


def test_about_an_eighth_of_the_cloud_bill_is_untagged(deliveries: Deliveries) -> None:
    lines = deliveries["cloud_bill"]
    total = sum((Decimal(row["BilledCost"]) for row in lines), Decimal(0))
    untagged = [row for row in lines if '"service"' not in row["Tags"]]
    amount = sum((Decimal(row["BilledCost"]) for row in untagged), Decimal(0))
    assert Decimal("0.11") < amount / total < Decimal("0.13")
    decimals = max(len(row["BilledCost"].partition(".")[2]) for row in lines)
    assert decimals == 10


def test_cloud_spend_grows_faster_than_its_budget(deliveries: Deliveries) -> None:
    budget = {
        row["period_id"]: Decimal(row["amount_local"])
        for row in deliveries["budget"]
        if row["account_id"] == "6410"
    }
    assert sum_ledger(deliveries, "2024-11", "6410") < budget["2024-11"]
    assert sum_ledger(deliveries, "2026-10", "6410") > budget["2026-10"] * Decimal("1.2")


def test_storage_gets_dearer_in_march_2026(deliveries: Deliveries) -> None:
    before = sum_ledger(deliveries, "2026-02", "6220", "Stratos Storage")
    after = sum_ledger(deliveries, "2026-03", "6220", "Stratos Storage")
    assert Decimal("1.36") < after / before < Decimal("1.40")


def test_mes_misses_ever_more_targets_and_fails_longer(deliveries: Deliveries) -> None:
    def late_share(first: str, last: str) -> float:
        tickets = [
            row
            for row in deliveries["tickets"]
            if row["service_id"] == "mes" and first <= row["opened_at"][:7] <= last
        ]
        late = [
            row
            for row in tickets
            if not row["resolved_at"]
            or minutes_between(row["opened_at"], row["resolved_at"])
            > int(row["resolution_target_minutes"])
        ]
        return len(late) / len(tickets)

    def outage_minutes(period: str) -> float:
        return sum(
            minutes_between(row["started_at"], row["ended_at"])
            for row in deliveries["outages"]
            if row["service_id"] == "mes"
            and row["is_planned"] == "false"
            and row["started_at"].startswith(period)
        )

    assert late_share("2024-11", "2025-12") < 0.15
    assert late_share("2026-07", "2026-10") > 0.45
    assert outage_minutes("2026-10") > 4 * outage_minutes("2026-02") > 0


def test_tickets_run_forward(deliveries: Deliveries) -> None:
    for row in deliveries["tickets"]:
        if row["responded_at"]:
            assert row["opened_at"] < row["responded_at"]
        if row["resolved_at"]:
            assert row["responded_at"] <= row["resolved_at"]
    assert any(not row["resolved_at"] for row in deliveries["tickets"])


def test_e_commerce_leaves_the_crm(deliveries: Deliveries) -> None:
    seats: dict[str, set[str]] = defaultdict(set)
    for row in deliveries["licences"]:
        if row["product_id"] == "PRD-CRM":
            seats[row["period_id"]].add(row["cost_centre_id"])
    assert {"CC2410", "CC2420"} <= seats["2026-05"]
    for period in ("2026-06", "2026-07", "2026-10"):
        assert not {"CC2410", "CC2420"} & seats[period]
        assert "CC2120" in seats[period]


def test_the_compute_cluster_is_four_times_too_large(deliveries: Deliveries) -> None:
    for period in ("2024-11", "2026-10"):
        hosts = [
            row
            for row in deliveries["assets"]
            if row["capacity_unit_code"] == "vcpu-month"
            and row["purchase_date"][:7] <= period
            and (not row["retired_date"] or row["retired_date"][:7] > period)
        ]
        capacity = sum(int(row["capacity_quantity"]) for row in hosts)
        assert capacity == 30 * 140
        assert 3.5 < capacity / float(sum_use(deliveries, period, "compute-cluster")) < 4.5


def test_the_ai_assistant_doubles_every_five_months(deliveries: Deliveries) -> None:
    periods = ["2024-11", "2025-04", "2025-09", "2026-02", "2026-07"]
    used = [float(sum_use(deliveries, period, "ai-assistant")) for period in periods]
    for before, after in pairwise(used):
        assert 1.8 < after / before < 2.3


def test_the_reorganisation_is_half_open(deliveries: Deliveries) -> None:
    spans: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for row in deliveries["cost_centres"]:
        spans[row["cost_centre_id"]].append(
            (row["valid_from"], row["valid_to"], row["business_unit_id"])
        )
    moved = {centre: rows for centre, rows in spans.items() if len(rows) > 1}
    assert {centre: [row[2] for row in rows] for centre, rows in moved.items()} == {
        "CC1330": ["LOG", "CSV"],
        "CC2420": ["ECO", "SCE"],
        "CC2530": ["CSV", "RND"],
    }
    for first, second in moved.values():
        assert first[1] == second[0] == "2026-07-01"
        assert second[1] == ""


def test_credit_and_late_invoice_are_posted_once(deliveries: Deliveries) -> None:
    ledger = deliveries["general_ledger"]
    credit = [r for r in ledger if r["amount_local"] == "-186400.00"]
    assert [(r["period_id"], r["account_id"]) for r in credit] == [("2026-06", "6310")]
    late = [r for r in ledger if "invoice received late" in r["description"]]
    assert [(r["period_id"], r["amount_local"]) for r in late] == [("2026-05", "64312.50")]
    assert "March 2026" in late[0]["description"]


def test_accruals_are_reversed_in_the_next_month(deliveries: Deliveries) -> None:
    accrued: dict[tuple[str, str], Decimal] = {}
    reversed_: dict[tuple[str, str], Decimal] = {}
    for row in deliveries["general_ledger"]:
        text, period = row["description"].rsplit(" ", 1)
        if text.startswith("Accrual "):
            accrued[text.removeprefix("Accrual "), period] = Decimal(row["amount_local"])
        if text.startswith("Reversal of accrual "):
            key = (text.removeprefix("Reversal of accrual "), period)
            reversed_[key] = Decimal(row["amount_local"])
    # The reversals of November 2024 are of October, before the first ledger; October 2026 is
    # still open.
    pairs = {key: amount for key, amount in accrued.items() if key[1] != "2026-10"}
    assert len(pairs) == 23 * 8
    assert all(reversed_[key] == -amount for key, amount in pairs.items())
    assert {key[1] for key in reversed_.keys() - pairs.keys()} == {"2024-10"}


def test_recovery_is_last_months_journal(deliveries: Deliveries) -> None:
    lines = [r for r in deliveries["general_ledger"] if r["account_id"] == "9900"]
    assert all(Decimal(row["amount_local"]) < 0 for row in lines)
    march = {row["description"][:22] for row in lines if row["period_id"] == "2026-03"}
    assert march == {"IT chargeback 2026-02 " + name[22:] for name in march}
    assert sum_ledger(deliveries, "2026-03", "9900") < -4_000_000


def test_deliberately_unknown_is_there_and_small(deliveries: Deliveries, model: CostModel) -> None:
    globs = [glob for rule in model.pools.rules for glob in rule.match.account or []]
    unmapped = [
        (row["period_id"], row["amount_local"])
        for row in deliveries["general_ledger"]
        if not any(fnmatch(row["account_id"], glob) for glob in globs)
    ]
    assert unmapped == [("2026-09", "2317.40"), ("2026-10", "1889.25")]
    stray = [
        (row["period_id"], row["service_id"], row["quantity"])
        for row in deliveries["service_usage"]
        if row["receiver_id"] == "CC9900"
    ]
    assert stray == [("2026-10", "file-storage", "420")]
    assert sum_use(deliveries, "2026-09", "fax-gateway") == 35
    assert sum_use(deliveries, "2026-08", "translation") > 0
    assert sum_use(deliveries, "2026-09", "translation") == 0
    assert sum_use(deliveries, "2026-10", "translation") == 0
    fallbacks = {service.id: service.fallback for service in model.services.services}
    assert fallbacks["translation"] == "hold"


def test_use_mostly_runs_along_the_order(deliveries: Deliveries, model: CostModel) -> None:
    order = {service: place for place, service in enumerate(model.allocation.shared_services.order)}
    edges = {
        (row["service_id"], row["receiver_id"])
        for row in deliveries["service_usage"]
        if row["receiver_kind"] == "service"
    }
    backward = {edge for edge in edges if order[edge[0]] > order[edge[1]]}
    assert 3 <= len(backward) <= len(edges) * 0.1
    shared = {service.id for service in model.services.services if service.is_shared}
    assert {sender for sender, _ in edges} <= shared


def test_it_uses_some_services_itself(deliveries: Deliveries) -> None:
    it = {row["cost_centre_id"] for row in deliveries["cost_centres"] if row["is_it"] == "true"}
    used = {row["service_id"] for row in deliveries["service_usage"] if row["receiver_id"] in it}
    assert {"workplace-laptop", "network", "ai-assistant"} <= used
