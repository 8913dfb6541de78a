"""For every guard in dbt_project/tests, inputs that it must refuse: its twins.

A twin is (what is broken, SQL that breaks it, a text that the guard's answer must hold). The SQL
runs on the warehouse of the small company; ../golden/small_company/README.md has its figures.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

TOO_WIDE = "cast('5192296858534827628530496329220096' as hugeint)"
"""2^112, from which on a total of weights is refused."""


class Twin(NamedTuple):
    """One way to break the warehouse, and what the guard must name."""

    what: str
    sql: str
    found: str


def move(table: str, column: str, new: str, where: str, found: str) -> Twin:
    """Amounts that change their key: the total stays, the part is wrong."""
    return Twin(
        f"{column} of {table}", f"update {table} set {column} = '{new}' where {where}", found
    )


def double(table: str, where: str, found: str) -> Twin:
    return Twin(
        f"{table} doubled", f"insert into {table} select * from {table} where {where}", found
    )


def lose(table: str, found: str, where: str = "true") -> Twin:
    row = f"select min(rowid) from {table} where {where}"
    return Twin(f"row of {table} lost", f"delete from {table} where rowid = ({row})", found)


def _schedule(*accumulated: float) -> str:
    """Three months of an asset of 30.00 that lives from January to March 2026, as SQL."""
    rows = ", ".join(
        f"('2026-{month:02d}', {after} - {before}, {after})"
        for month, (before, after) in enumerate(pairwise(accumulated), start=1)
    )
    return (
        "insert into marts.fct_depreciation_monthly select 'actual', period_id, 'assets', 'a1', "
        "'Server', 'server', 'de', 'it1', date '2026-01-01', 3, 'full_month', 'EUR', 30, 0, "
        f"depreciation, accumulated, 30 - accumulated from (values {rows}) "
        "as months (period_id, depreciation, accumulated)"
    )


STOPS = (
    "ledger.int_ledger__lines",
    "stops.int_cost_pools__lines",
    "stops.int_cost_pools__cells",
    "stops.int_towers__cells",
    "stops.int_services__cells",
    "stops.int_delivered_services__cells",
    "stops.int_consumers__cells",
    "stops.int_charges__lines",
)

STOPS_AFTER_POOLS = STOPS[3:]

MARTS = (
    ("fct_ledger_lines", "amount", "true"),
    ("fct_cost_pools_monthly", "amount", "true"),
    ("fct_towers_monthly", "amount", "true"),
    ("fct_service_costs_monthly", "direct_amount", "direct_amount <> 0"),
    ("fct_service_costs_monthly", "delivered_amount", "delivered_amount <> 0"),
    ("fct_service_cost_breakdown_monthly", "direct_amount", "direct_amount <> 0"),
    ("fct_service_cost_breakdown_monthly", "delivered_amount", "delivered_amount <> 0"),
    ("fct_charges_monthly", "cost_amount", "true"),
    ("fct_charge_breakdown_monthly", "amount", "true"),
    ("rpt_cost_flow", "amount", "from_stop = 'cost_pool'"),
    ("rpt_cost_flow", "amount", "from_stop = 'tower'"),
    ("rpt_cost_flow", "amount", "from_stop = 'service'"),
)

# Mart, what its money changes in the twin, which rows do, and the amount that the guard names.
BREAKDOWNS = (
    ("fct_cost_pools_monthly", "cost_pool_id", "cost_pool_id = 'software'", "amount"),
    ("fct_towers_monthly", "tower_id", "tower_id = 'desk'", "amount"),
    (
        "fct_service_cost_breakdown_monthly",
        "tower_id",
        "tower_id = 'desk' and direct_amount <> 0",
        "direct_amount",
    ),
    (
        "fct_service_cost_breakdown_monthly",
        "cost_pool_id",
        "service_id = 'erp' and delivered_amount <> 0",
        "delivered_amount",
    ),
    ("fct_service_costs_monthly", "service_id", "service_id = 'network'", "direct_amount"),
    ("fct_charge_breakdown_monthly", "tower_id", "tower_id = 'desk'", "amount"),
)

QUANTITIES = "drivers.fct_driver_quantities"
RATES = "ledger.int_ledger__rates"
CHARGES = "stops.int_charges__lines"
RANGES = "stops.int_delivered_services__ranges"

INPUTS: dict[str, list[Twin]] = {
    "assert_no_line_is_claimed_twice": [
        Twin(
            "a second feed",
            "insert into ledger.int_ledger__claims values ('general_ledger', 'L3', 'labour_feed')",
            "cloud_bill, labour_feed",
        )
    ],
    "assert_every_currency_has_one_rate": [
        Twin("none", f"update {RATES} set exchange_rate = null where currency_code = 'USD'", "USD"),
        Twin("zero", f"update {RATES} set exchange_rate = 0 where currency_code = 'USD'", "USD"),
        double(RATES, "currency_code = 'USD'", "USD"),
    ],
    "assert_every_ledger_is_counted": [
        Twin(
            "a second ledger",
            "update model.settings set control_source_id = 'other_ledger'",
            "general_ledger",
        ),
        Twin(
            "a second bill without a ledger",
            "update model.settings set control_source_id = 'other_bill'; "
            "insert into model.feeds (source_id, is_control_total) values ('other_bill', true)",
            "cloud_bill",
        ),
    ],
    "assert_no_driver_quantity_is_negative": [
        Twin("one", f"update {QUANTITIES} set quantity = -1 where receiver_id = 'cc-x'", "cc-x"),
        Twin(
            "one that another service clamps",
            f"update {QUANTITIES} set quantity = -1 where receiver_id = 'cc-x'; "
            "update model.split_parts set negative = 'clamp' where rule_id <> 'erp'",
            "cc-x",
        ),
    ],
    "assert_no_driver_quantity_is_doubled": [
        double(QUANTITIES, "receiver_id = 'cc-x' and scenario_id = 'actual'", "cc-x")
    ],
    "assert_no_rule_matches_twice": [
        double("stops.int_cost_pools__rule_matches", "account_id = '6500'", "6500"),
        double("stops.int_services__rule_matches", "tower_id = 'desk'", "desk"),
        double("tagging.int_tagging__matches", "tagged_service_id = 'crm'", "crm"),
    ],
}

WEIGHTS: dict[str, list[Twin]] = {
    "assert_tower_weights_are_sound": [
        lose("stops.int_towers__weights", "it1", "sender_id = 'it1' and receiver_id = 'compute'"),
        Twin(
            "a weight below zero",
            "update stops.int_towers__weights set weight = -1 where receiver_id = 'network'",
            "it1",
        ),
        Twin(
            "a weight too large",
            f"update stops.int_towers__weights set weight = {TOO_WIDE}, weight_from = 0, "
            f"weight_to = {TOO_WIDE}, weight_total = {TOO_WIDE} where sender_id = 'it2'",
            "it2",
        ),
    ],
    "assert_service_weights_are_sound": [
        Twin(
            "a gap",
            "update stops.int_services__weights set weight_from = weight_from + 1, "
            "weight = weight - 1 where receiver_id = 'erp'",
            "compute",
        ),
        Twin(
            "a total too large",
            f"update stops.int_services__weights set weight_total = {TOO_WIDE} "
            "where sender_id = 'compute'",
            "compute",
        ),
    ],
    "assert_delivered_service_weights_are_sound": [
        lose(RANGES, "network", "from_service_id = 'network' and to_service_id = 'erp'"),
        Twin(
            "another scale",
            f"update {RANGES} set weight = 5, weight_to = 5, weight_total = 5 "
            "where from_service_id = 'erp'",
            "erp",
        ),
    ],
    "assert_tower_receivers_have_a_weight": [
        Twin(
            "no weight",
            "update stops.int_towers__weights set weight = null where receiver_id = 'network'",
            "network",
        )
    ],
    "assert_service_receivers_have_a_weight": [
        Twin(
            "no weight",
            "update stops.int_services__weights set weight = null where receiver_id = 'erp'",
            "erp",
        )
    ],
    "assert_consumer_receivers_have_a_weight": [
        Twin(
            "no weight",
            "update stops.int_delivered_services__use set weight = null where receiver_id = 'cc-x'",
            "cc-x",
        )
    ],
    "assert_consumer_weights_are_sound": [
        # In January, where it has two receivers: without its only one a sender is not there.
        lose("stops.int_consumers__weights", "crm", "service_id = 'crm' and period_id = '2026-01'"),
        Twin(
            "two totals",
            "update stops.int_consumers__weights set weight_total = 7 where receiver_id = 'cc-x'",
            "erp",
        ),
    ],
}

CONSERVATION: dict[str, list[Twin]] = {
    "assert_every_stop_gives_back_the_deliveries": [
        *(lose(stop, stop.split(".")[1]) for stop in STOPS),
        *(
            Twin(
                f"null in {stop}",
                f"update {stop} set amount_units = null where period_id = '2026-02'",
                "2026-02",
            )
            for stop in STOPS
        ),
    ],
    "assert_pools_keep_accounts": [
        move(
            "stops.int_cost_pools__lines",
            "account_id",
            "6500",
            "ledger_line_id = 'general_ledger:L2'",
            "6500",
        ),
        move(
            "stops.int_cost_pools__lines",
            "currency_code",
            "USD",
            "ledger_line_id = 'general_ledger:L4'",
            "USD",
        ),
        move(
            "ledger.int_ledger__lines",
            "account_id",
            "6500",
            "ledger_line_id = 'general_ledger:L2'",
            "int_ledger__lines",
        ),
    ],
    "assert_money_outside_the_flow_stays_outside": [
        *(
            move(stop, "disposition", "allocated", "disposition = 'recovery'", stop.split(".")[1])
            for stop in STOPS_AFTER_POOLS
        ),
        move(
            "stops.int_towers__cells",
            "cost_pool_id",
            "cloud",
            "disposition = 'capitalised'",
            "capitalised",
        ),
    ],
    "assert_ledger_lines_keep_local_amounts": [
        Twin(
            "a local amount",
            "update ledger.int_ledger__lines set amount_local = amount_local + 0.000000000001 "
            "where ledger_line_id = 'general_ledger:L1'",
            "6000",
        ),
        lose("ledger.int_ledger__lines", "6410", "is_balancing"),
    ],
    "assert_tagging_keeps_bill_lines": [
        lose("metering.met_cloud_costs", "cloud_bill", "tagged_service_id = 'crm'"),
        Twin(
            "an amount by its last digit",
            "update metering.met_cloud_costs set amount_local = amount_local + 0.000000000001 "
            "where tagged_service_id is null",
            "0.000000000001",
        ),
        Twin(
            "a line that is counted twice, of no cost",
            "update metering.met_cloud_costs set line_count = line_count + 1 "
            "where tagged_service_id is null",
            "cloud_bill",
        ),
    ],
    "assert_pool_cells_keep_pools": [
        move(
            "stops.int_cost_pools__cells",
            "cost_pool_id",
            "cloud",
            "cost_pool_id = 'software'",
            "software",
        )
    ],
    "assert_towers_keep_pools": [
        move(
            "stops.int_towers__cells",
            "cost_pool_id",
            "cloud",
            "cost_pool_id = 'software'",
            "software",
        )
    ],
    "assert_services_keep_pools_and_towers": [
        move("stops.int_services__cells", "tower_id", "desk", "tower_id = 'network'", "network")
    ],
    "assert_delivered_services_keep_pools_and_towers": [
        move(
            "stops.int_delivered_services__cells",
            "tower_id",
            "desk",
            "tower_id = 'network'",
            "network",
        )
    ],
    "assert_consumers_keep_services": [
        move("stops.int_consumers__cells", "service_id", "erp", "service_id = 'crm'", "crm")
    ],
    "assert_charge_lines_keep_consumers": [
        move(CHARGES, "cost_centre_id", "cc-hr", "cost_centre_id = 'cc-ops'", "cc-ops")
    ],
    "assert_worse_drivers_are_kept": [
        Twin(
            "estimated money that becomes measured at the consumers",
            "update stops.int_consumers__cells set estimated_or_worse_units = 0 "
            "where service_id = 'erp' and scenario_id = 'actual'",
            "erp",
        ),
        Twin(
            "a fallback that is forgotten at the charge line",
            f"update {CHARGES} set fallback_units = 0 where period_id = '2026-02'",
            "charge lines",
        ),
    ],
    "assert_cents_give_back_the_control_total": [
        Twin(
            "one cent too much",
            f"update {CHARGES} set cost_cents = cost_cents + 1 where cost_centre_id = 'cc-x'",
            "2026-01",
        ),
        lose(CHARGES, "2026-02", "period_id = '2026-02'"),
    ],
    "assert_cents_stay_beside_their_amount": [
        Twin(
            "a cent moved",
            f"update {CHARGES} set cost_cents = cost_cents + "
            "case cost_centre_id when 'cc-sales' then 1 else -1 end "
            "where service_id = 'crm' and scenario_id = 'actual'",
            "cc-sales",
        ),
        Twin(
            "no cents",
            f"update {CHARGES} set cost_cents = null where cost_centre_id = 'cc-hr'",
            "cc-hr",
        ),
    ],
    "assert_certificate_has_no_difference": [
        Twin(
            "a hundred-millionth",
            "update marts.rpt_certificate set amount = 0.00000001 "
            "where side = 'difference' and identity_id = 'ledger'",
            "ledger",
        ),
        Twin(
            "a cent",
            "update marts.rpt_certificate set amount_cents = -0.01 "
            "where side = 'difference' and identity_id = 'billed'",
            "billed",
        ),
    ],
}

MART_GUARDS: dict[str, list[Twin]] = {
    "assert_adjustments_are_billed": [
        Twin(
            "a credit on no bill",
            "insert into model.adjustments values ('actual', 'D-2026-0001', '2026-01', "
            "'adjustment', 'mail', 'cc-hr', '2026-01', 1, null, 'lost', -1.00)",
            "D-2026-0001",
        ),
    ],
    "assert_bills_give_back_charges": [
        lose("marts.rpt_bill_lines", "cc-ops", "cost_centre_id = 'cc-ops'"),
        double("marts.rpt_bill_lines", "cost_centre_id = 'cc-hr'", "cc-hr"),
        move(
            "marts.rpt_bill_lines",
            "business_unit_id",
            "market",
            "business_unit_id = 'staff'",
            "market",
        ),
    ],
    "assert_bill_items_hold_charges": [
        lose("marts.fct_bill_items_monthly", "cc-ops", "cost_centre_id = 'cc-ops'"),
        double("marts.fct_bill_items_monthly", "cost_centre_id = 'cc-hr'", "cc-hr"),
    ],
    "assert_notes_give_back_restated_charges": [
        Twin(
            "restated charge without a note",
            "insert into bills.int_bills__posting_period values ('actual', '2026-03', 1); "
            "insert into marts.fct_charges_monthly "
            "select * replace ('restated' as scenario_id, 'restated' as charge_id) "
            "from marts.fct_charges_monthly where scenario_id = 'actual' "
            "and service_id = 'erp' and cost_centre_id = 'cc-ops'",
            "erp",
        ),
    ],
    "assert_corrections_leave_no_difference": [
        Twin(
            "change of the ledger that nothing accounts for",
            "insert into marts.rpt_corrections select 'actual', '2026-02', 1, '2026-01', 1, "
            "'late.csv', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1",
            "2026-01",
        ),
    ],
    "assert_charges_have_a_business_unit": [
        move(
            "marts.fct_charges_monthly",
            "business_unit_id",
            "(allocated)",
            "cost_centre_id = 'cc-hr'",
            "cc-hr",
        ),
        Twin(
            "no legal entity",
            "update marts.fct_charges_monthly set legal_entity_id = null "
            "where cost_centre_id = 'cc-ops'",
            "cc-ops",
        ),
    ],
    "assert_cost_sources_give_back_services": [
        lose("marts.fct_service_cost_sources_monthly", "erp", "from_service_id = 'erp'"),
        Twin(
            "a unit too much",
            "update marts.fct_service_cost_sources_monthly set amount = amount + 0.00000001 "
            "where service_id = 'crm' and from_service_id = 'network'",
            "crm",
        ),
    ],
    "assert_method_sheets_keep_money": [
        lose("method_sheets.int_method_sheets__tower_money", "towers", "tower_id = 'desk'"),
        lose("method_sheets.int_method_sheets__service_money", "services", "service_id = 'erp'"),
        move(
            "method_sheets.int_method_sheets__service_money",
            "tower_id",
            "network",
            "tower_id = 'desk'",
            "desk",
        ),
    ],
    "assert_fairness_adds_up": [
        Twin(
            "a Shapley value off by a cent",
            "update marts.rpt_fairness set shapley_amount = shapley_amount + 0.01 "
            "where consumer_id = 'cc-x'",
            "erp",
        ),
        Twin(
            "two that sum but are out of order",
            "update marts.rpt_fairness set shapley_amount = case consumer_id "
            "when 'cc-sales' then 651.93 - 56.24 else 56.24 end "
            "where service_id = 'crm' and scenario_id = 'actual'",
            "order",
        ),
        Twin(
            "bills that are not those of the charges",
            "update marts.rpt_fairness set bill_amount = bill_amount + "
            "case consumer_id when 'cc-sales' then 1 else -1 end "
            "where service_id = 'crm' and scenario_id = 'actual'",
            "bill",
        ),
        lose("marts.rpt_fairness", "sum", "service_id = 'network'"),
    ],
    "assert_confidence_adds_up": [
        Twin(
            "a cent too much",
            "update marts.fct_charges_monthly set measured_amount = measured_amount + 0.01 "
            "where cost_centre_id = 'cc-hr'",
            "sum of the parts",
        ),
        Twin(
            "estimated money called measured",
            "update marts.fct_charges_monthly set measured_amount = measured_amount + 0.01, "
            "estimated_amount = estimated_amount - 0.01 where cost_centre_id = 'cc-hr'",
            "what is not measured",
        ),
        Twin(
            "cents far from their units",
            f"update {CHARGES} set fallback_units = fallback_units + 1000001 "
            "where cost_centre_id = 'cc-hr'",
            "what is not measured",
        ),
        Twin(
            "another part on the bill",
            "update marts.rpt_bill_lines set stale_amount = 0.01 where cost_centre_id = 'cc-hr'",
            "bill line",
        ),
    ],
    "assert_charges_keep_lines": [
        double("marts.fct_charges_monthly", "cost_centre_id = 'cc-hr'", "cc-hr"),
        lose("marts.fct_charges_monthly", "cc-x", "cost_centre_id = 'cc-x'"),
    ],
    "assert_tag_coverage_gives_back_the_bill": [
        lose("marts.rpt_tag_coverage", "consumer", "target_kind = 'consumer'"),
        Twin(
            "a unit too much",
            "update marts.rpt_tag_coverage set amount = amount + 0.00000001 "
            "where mapping_method = 'unmapped' and target_kind = 'service'",
            "service",
        ),
        Twin(
            "another total",
            "update marts.rpt_tag_coverage set source_amount = source_amount + 0.00000001 "
            "where target_kind = 'service'",
            "service",
        ),
        Twin(
            "a line left out",
            "update marts.rpt_tag_coverage set line_count = line_count - 1 "
            "where target_kind = 'service' and mapping_method = 'feed'",
            "service",
        ),
    ],
    "assert_detail_feeds_tie": [
        Twin(
            "a last digit",
            "update marts.rpt_detail_feeds set explained_amount_local = "
            "explained_amount_local + 0.000000000001",
            "6410",
        ),
    ],
    "assert_depreciation_adds_up": [
        Twin("a month that is lost", _schedule(0, 10, 20, 40), "2026-03"),
        Twin("a cent too much", _schedule(0, 10, 20, 30.01), "30.01"),
        Twin("a cent too little", _schedule(0, 10, 20, 29.99), "0.01"),
    ],
    "assert_reorganisations_keep_charges": [
        lose("marts.rpt_reorganisation", "2026-01"),
        Twin(
            "a unit that nobody left",
            "update marts.rpt_reorganisation set moved_in_amount = 1, "
            "charged_as_is_amount = charged_as_is_amount + 1 where business_unit_id = 'staff'",
            "2026-01",
        ),
        Twin(
            "a move that is not named",
            "update marts.rpt_reorganisation set moved_in_amount = 1, moved_out_amount = 1 "
            "where business_unit_id = 'staff'",
            "2026-01",
        ),
    ],
    "assert_taxonomies_keep_cost": [
        double("marts.rpt_taxonomy", "layer_code = 'service'", "service"),
        lose("marts.rpt_taxonomy", "cost_pool", "layer_code = 'cost_pool'"),
        move("marts.rpt_taxonomy", "taxonomy_id", "other", "layer_code = 'tower'", "other"),
    ],
    "assert_ledger_mart_keeps_lines": [
        double("marts.fct_ledger_lines", "account_id = '6500'", "6500")
    ],
    "assert_ledger_mart_bridges_accounts_and_pools": [
        move(
            "marts.fct_ledger_lines",
            "cost_pool_id",
            "cloud",
            "cost_pool_id = 'software'",
            "software",
        ),
        move(
            "marts.fct_ledger_lines",
            "disposition",
            "out_of_scope",
            "disposition = 'recovery'",
            "out_of_scope",
        ),
    ],
    "assert_services_recover_their_cost": [
        Twin(
            "a cent from one service to another",
            "update marts.fct_charges_monthly set charged_amount = charged_amount + "
            "case service_id when 'crm' then 0.01 else -0.01 end "
            "where cost_centre_id = 'cc-ops' and scenario_id = 'actual'",
            "crm",
        ),
        Twin(
            "showback that is charged",
            "update marts.fct_charges_monthly set charged_amount = cost_amount "
            "where service_id = 'network'",
            "network",
        ),
        Twin(
            "recovery that nobody was charged",
            "update marts.fct_recovery_monthly set recovery_amount = 0.01 "
            "where service_id = 'crm' and scenario_id = 'actual'",
            "crm",
        ),
    ],
    "assert_prices_are_charged": [
        Twin(
            "a price that no charge has",
            "insert into stops.int_charges__prices select scenario_id, period_id, version, "
            "service_id, cost_centre_id, 'rate', true, quantity, 0, 1, null "
            "from marts.fct_charges_monthly where service_id = 'crm' and cost_centre_id = 'cc-ops'",
            "crm",
        ),
        Twin(
            "a charge without its price",
            "update marts.fct_charges_monthly set charging_policy = 'rate' "
            "where service_id = 'crm' and cost_centre_id = 'cc-ops'",
            "crm",
        ),
    ],
    "assert_true_ups_settle_the_year": [
        Twin(
            "a recovery that is not settled",
            "update model.settings set true_up = 'year_end'; "
            "update model.periods set fiscal_period = 12 where period_id = '2026-02'; "
            "update marts.fct_recovery_monthly set recovery_to_date_amount = 5 "
            "where service_id = 'crm' and period_id = '2026-02' and scenario_id = 'actual'",
            "crm",
        ),
        Twin(
            "a settlement of nothing",
            "insert into marts.fct_bill_items_monthly select * replace ('true_up' as item_kind) "
            "from marts.fct_bill_items_monthly where service_id = 'crm'",
            "crm",
        ),
    ],
    "assert_marts_keep_pools_and_towers": [
        move(f"marts.{mart}", key, "elsewhere", where, f"{mart}.{column}")
        for mart, key, where, column in BREAKDOWNS
    ],
    "assert_marts_give_back_the_deliveries": [
        lose(f"marts.{mart}", f"{mart}.{column}", condition) for mart, column, condition in MARTS
    ],
    "assert_keys_are_unique": [
        double("ledger.int_ledger__lines", "account_id = '6500'", "int_ledger__lines"),
        Twin(
            "marts.rpt_tag_drift doubled",
            "insert into marts.rpt_tag_drift select 'actual', '2026-01', 1, 'spelling', 'env', "
            "'Prod', 'prod', 0, 1, 1 from range(2)",
            "rpt_tag_drift",
        ),
        *(
            double(f"marts.{mart}", "true", mart)
            for mart in (
                "dim_business_units",
                "dim_cost_centres",
                "dim_periods",
                "dim_services",
                "fct_charge_breakdown_monthly",
                "fct_bill_items_monthly",
                "fct_charges_monthly",
                "fct_cost_pools_monthly",
                "fct_ledger_lines",
                "fct_prices_monthly",
                "fct_recovery_monthly",
                "fct_service_cost_breakdown_monthly",
                "fct_service_costs_monthly",
                "fct_service_quality_monthly",
                "fct_towers_monthly",
                "fct_unit_costs_monthly",
                "rpt_bill_lines",
                "rpt_certificate",
                "rpt_conservation",
                "rpt_delivered_currencies",
                "rpt_detail_feeds",
                "rpt_reorganisation",
                "rpt_cost_flow",
                "rpt_tag_coverage",
                "rpt_taxonomy",
                "rpt_unmapped_keys",
                "rpt_year_outlook",
            )
        ),
    ],
}

GENERIC: dict[str, list[Twin]] = {
    "assert_driver_qualities_are_known": [
        Twin("a guess", f"update {QUANTITIES} set quality = 'guess'", "guess")
    ],
    "assert_driver_receivers_are_known": [
        Twin("a moon", f"update {QUANTITIES} set receiver_kind = 'moon'", "moon")
    ],
}

TWINS = INPUTS | WEIGHTS | CONSERVATION | MART_GUARDS | GENERIC
