"""For every guard in dbt_project/tests, inputs that it must refuse: its twins.

A twin is (what is broken, SQL that breaks it, a text that the guard's answer must hold). The SQL
runs on the warehouse of the small company; ../golden/small_company/README.md has its figures.
"""

from __future__ import annotations

from typing import NamedTuple

HUGE = "cast('100000000000000000000000000000000' as hugeint)"


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
        Twin("one", f"update {QUANTITIES} set quantity = -1 where receiver_id = 'cc-x'", "cc-x")
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
            "an amount too large",
            f"update stops.int_cost_pools__cells set amount_units = -{HUGE} "
            "where cost_centre_id = 'it2'",
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
            "an amount too large",
            f"update stops.int_towers__cells set amount_units = {HUGE} where tower_id = 'compute'",
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
    "assert_consumer_weights_are_sound": [
        lose("stops.int_consumers__weights", "crm", "service_id = 'crm'"),
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
    "assert_ledger_mart_keeps_lines": [
        double("marts.fct_ledger_lines", "account_id = '6500'", "6500")
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
                "fct_charges_monthly",
                "fct_cost_pools_monthly",
                "fct_ledger_lines",
                "fct_service_cost_breakdown_monthly",
                "fct_service_costs_monthly",
                "fct_service_quality_monthly",
                "fct_towers_monthly",
                "fct_unit_costs_monthly",
                "rpt_bill_lines",
                "rpt_certificate",
                "rpt_conservation",
                "rpt_cost_flow",
                "rpt_tag_coverage",
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
