"""A small company, its published marts written by hand.

Tables are made from the contracts of the marts, so that the fixture cannot drift from them. All
amounts are in EUR; the figures that the tests expect are worked out here.

| Feb 2026, actual        |  cost | Sales CC10 | Sales CC11 | Finance CC20 | none  |
|-------------------------|------:|-----------:|-----------:|-------------:|------:|
| E-mail (at cost)        |   400 |        240 |         60 |          100 |       |
| Storage (at cost)       |   450 |        150 |            |          300 |       |
| Intranet (showback)     |    80 |         80 |            |              |       |
| Fax (no driver)         |    40 |            |            |              |    40 |
| (unmapped)              |    30 |            |            |              |    30 |
| Hosting (shared)        |     0 |            |            |              |       |
| **IT cost**             |  1000 |        470 |         60 |          400 |    70 |

Billed 850: Sales 240 + 60 + 150 = 450, Finance 100 + 300 = 400. Shown only 80. No payer 70.
Ledger: 1000 + capitalised 50 + out of scope 20 + recovery postings -800 = 270.
Hosting's direct cost of 200 is borne by E-mail (100) and Storage (100).
CC11 belongs to Finance today: as it is, Sales is billed 390 and Finance 460.

January: E-mail 380 (220 + 60 + 100), Storage 400 (100 + 300), Intranet 80: IT cost 860, billed 780.
Budget: January 390 + 410 + 70 = 870; February and March 390 + 430 + 70 = 890 each.
Year: actual 1860 against 1760 to date; outlook 1860 + 890 = 2750 against 2650.

The ledger line L1 of 600 is the cloud bill: 450 have a service by the feed, 30 by a rule, 90 name
nothing, 30 the unknown "fxa"; so 480 / 600 = 80.0 % have one. No line names a consumer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from tests.app.check_marts import build_check_marts
from tests.app.sheet_marts import build_sheet_marts

CONTRACTS = sorted((Path(__file__).parents[2] / "dbt_project/models/marts").glob("_*.yml"))

Row = Mapping[str, Any]
Marts = dict[str, list[Row]]

JAN, FEB, MAR = "2026-01", "2026-02", "2026-03"
SALES, FINANCE = ("SAL", "Sales"), ("FIN", "Finance")
COST_CENTRES = {
    "CC10": ("Field sales", SALES, SALES),
    "CC11": ("Sales control", SALES, FINANCE),
    "CC20": ("Accounting", FINANCE, FINANCE),
}
"""Name, business unit as it was, business unit as it is today."""

SERVICES = {
    "mail": ("E-mail", "Workplace", "seat", "at_cost", False, "Seats"),
    "storage": ("Storage", "Infrastructure", "gb-month", "at_cost", False, "Gigabytes"),
    "intranet": ("Intranet", "Workplace", "view", "showback", False, "Views"),
    "fax": ("Fax", "Workplace", "page", "at_cost", False, None),
    "hosting": ("Hosting", "Infrastructure", "rack-unit", "at_cost", True, "Rack units"),
}
SHARES: dict[tuple[str, str], dict[str, dict[str, int]]] = {
    ("actual", FEB): {
        "mail": {"CC10": 240, "CC11": 60, "CC20": 100},
        "storage": {"CC10": 150, "CC20": 300},
        "intranet": {"CC10": 80},
    },
    ("actual", JAN): {
        "mail": {"CC10": 220, "CC11": 60, "CC20": 100},
        "storage": {"CC10": 100, "CC20": 300},
        "intranet": {"CC10": 80},
    },
    ("budget", JAN): {
        "mail": {"CC10": 230, "CC11": 60, "CC20": 100},
        "storage": {"CC10": 110, "CC20": 300},
        "intranet": {"CC10": 70},
    },
    ("budget", FEB): {
        "mail": {"CC10": 230, "CC11": 60, "CC20": 100},
        "storage": {"CC10": 130, "CC20": 300},
        "intranet": {"CC10": 70},
    },
    ("budget", MAR): {
        "mail": {"CC10": 230, "CC11": 60, "CC20": 100},
        "storage": {"CC10": 130, "CC20": 300},
        "intranet": {"CC10": 70},
    },
}
"""Cost by scenario, period, service and cost centre."""

WITHOUT_SERVICE = {
    ("actual", FEB): {
        "(unmapped)": 30,
        "(capitalised)": 50,
        "(out_of_scope)": 20,
        "(recovery)": -800,
    }
}
QUANTITIES = {"mail": 40, "storage": 9000, "intranet": 1600}
"""Use of a service in every period; so E-mail costs 400 / 40 = 10.00 a seat in February."""

PASSED_ON = {("actual", FEB): {"hosting": 200, "mail": -100, "storage": -100}}
"""What direct cost has more than delivered cost."""


def build_company() -> Marts:
    """All marts of the company."""
    marts: Marts = _build_dimensions()
    for key in ("fct_service_costs_monthly", "fct_charges_monthly", "rpt_bill_lines"):
        marts[key] = []
    marts["fct_prices_monthly"] = [
        _make_policy(scenario, period, service_id)
        for scenario, period in SHARES
        for service_id in SERVICES
    ]
    for (scenario, period), services in SHARES.items():
        _add_services(marts, scenario, period, services)
    _add_fax_and_rest(marts)
    marts["fct_bill_items_monthly"] = _list_bill_items(marts["fct_charges_monthly"])
    return marts | _build_facts(marts) | build_check_marts() | build_sheet_marts()


def without(marts: Marts, *names: str) -> Marts:
    """The marts with some of them empty."""
    return {name: [] if name in names else rows for name, rows in marts.items()}


def without_budget(marts: Marts) -> Marts:
    """A company that delivers actual cost only, no tickets, no references."""
    kept = {
        name: [row for row in rows if row.get("scenario_id") != "budget"]
        for name, rows in marts.items()
    }
    kept["dim_periods"] = [
        {**row, "has_budget": False} for row in marts["dim_periods"] if row["has_actuals"]
    ]
    kept["rpt_bill_lines"] = [{**row, "budget_amount": None} for row in kept["rpt_bill_lines"]]
    kept["rpt_year_outlook"] = [
        {**row, "budget_to_date_amount": 0, "budget_rest_amount": 0, "budget_year_amount": 0}
        for row in marts["rpt_year_outlook"]
    ]
    return without(
        kept,
        "fct_benchmarks",
        "fct_service_quality_monthly",
        "fct_service_capacity_monthly",
        "rpt_open_items",
        "rpt_measure_next",
    )


def publish(workspace: Path, marts: Marts, run_id: str = "run-1") -> Path:
    """Write the marts as the current publication of a workspace; a workspace if there is none."""
    warehouse = workspace / "warehouse"
    warehouse.mkdir(parents=True, exist_ok=True)
    (workspace / "apportion.yml").write_text("name: Small company\n", "utf-8")
    name = f"{run_id}.duckdb"
    with duckdb.connect(str(warehouse / name)) as connection:
        connection.execute("create schema marts")
        connection.execute("create schema model")
        connection.execute("create table model.quarantine (source_id varchar, period_id varchar)")
        for mart, columns in read_contracts().items():
            body = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            connection.execute(f"create table marts.{mart} ({body})")
            rows = marts.get(mart, [])
            if "run_id" in columns:
                rows = [{"run_id": run_id, **row} for row in rows]
            _insert(connection, mart, columns, rows)
    publication = {
        "run_id": run_id,
        "fingerprint": run_id,
        "published_at": "2026-03-02T08:00:00+00:00",
        "files": [{"name": name, "role": "open", "sha256": "", "bytes": 0}],
    }
    (warehouse / "CURRENT").write_text(json.dumps(publication), "utf-8")
    return workspace


@cache
def read_contracts() -> dict[str, dict[str, str]]:
    """Type by column of every mart, from its contract."""
    return {
        model["name"]: {column["name"]: column["data_type"] for column in model["columns"]}
        for path in CONTRACTS
        for model in yaml.safe_load(path.read_text("utf-8"))["models"]
    }


def _insert(
    connection: duckdb.DuckDBPyConnection,
    mart: str,
    columns: Mapping[str, str],
    rows: Sequence[Row],
) -> None:
    unknown = {column for row in rows for column in row} - set(columns)
    assert not unknown, f"{mart} has no column {sorted(unknown)}"
    if rows:
        places = ", ".join("?" for _ in columns)
        connection.executemany(
            f"insert into marts.{mart} values ({places})",
            [[row.get(column) for column in columns] for row in rows],
        )


def _build_dimensions() -> Marts:
    return {
        "dim_run": [
            {
                "built_at": datetime(2026, 3, 2, 8, 0),
                "workspace_name": "Small company",
                "currency_code": "EUR",
                "code_version": "test",
                "fingerprint": "test",
            }
        ],
        "dim_periods": [
            {
                "period_id": f"2026-{month:02d}",
                "period_name": f"{name} 2026",
                "period_start": date(2026, month, 1),
                "period_end": date(2026, month + 1, 1),
                "fiscal_year": 2026,
                "fiscal_period": month,
                "has_actuals": month < 3,
                "has_budget": True,
                "period_state": "closed" if month == 1 else "open",
            }
            for month, name in enumerate(("Jan", "Feb", "Mar"), start=1)
        ],
        "dim_services": [_describe_service(service_id) for service_id in SERVICES],
        "dim_service_offerings": [
            {
                "service_id": "mail",
                "offering_id": "mail-50",
                "offering_name": "50 GB",
                "description": "A mailbox of 50 GB",
            }
        ],
        "dim_business_units": [
            {"business_unit_id": unit_id, "business_unit_name": name, "division_name": "Group"}
            for unit_id, name in (SALES, FINANCE)
        ],
    }


def _make_policy(scenario: str, period: str, service_id: str) -> Row:
    """No service of the company has a price."""
    name, _, unit, policy, *_ = SERVICES[service_id]
    return {
        "scenario_id": scenario,
        "period_id": period,
        "version": 1,
        "service_id": service_id,
        "service_name": name,
        "charging_policy": policy,
        "unit_code": unit,
        "tier_number": 1,
    }


def _describe_service(service_id: str) -> Row:
    name, category, unit, policy, is_shared, driver = SERVICES[service_id]
    has_level = service_id == "mail"
    return {
        "service_id": service_id,
        "service_name": name,
        "category_name": category,
        "description": f"{name} for everybody",
        "owner_name": "Ada Berg",
        "owner_email": "ada@example.com",
        "business_processes": "Order to cash",
        "unit_code": unit,
        "unit_name": unit,
        "driver_id": driver and driver.lower(),
        "driver_name": driver,
        "driver_description": driver and "Counted at the end of the month",
        "split_method": "driver",
        "charging_policy": policy,
        "is_shared": is_shared,
        "availability_target_share": Decimal("0.995") if has_level else None,
        "response_target_minutes": 60 if has_level else None,
        "resolution_target_minutes": 240 if has_level else None,
        "sla_attainment_target_share": Decimal("0.95") if has_level else None,
        "how_to_order": "In the portal",
        "how_to_use_less": "Return what is not used",
    }


def _add_services(
    marts: Marts, scenario: str, period: str, services: Mapping[str, Mapping[str, int]]
) -> None:
    key = {"scenario_id": scenario, "period_id": period, "version": 1}
    passed_on = PASSED_ON.get((scenario, period), {})
    for service_id, shares in services.items():
        name, _, unit, policy, _, driver = SERVICES[service_id]
        total, quantity = sum(shares.values()), QUANTITIES[service_id]
        is_charged = policy == "at_cost"
        rate = Decimal(total) / quantity
        marts["fct_service_costs_monthly"].append(
            {
                **key,
                "service_id": service_id,
                "service_name": name,
                "direct_amount": total + passed_on.get(service_id, 0),
                "delivered_amount": total,
                "full_amount": total,
                "charged_amount": total if is_charged else 0,
                "idle_amount": 0,
                "quantity": quantity,
                "unit_code": unit,
                "unit_cost": rate,
            }
        )
        for cost_centre, cost in shares.items():
            centre_name, was, is_now = COST_CENTRES[cost_centre]
            line = {
                **key,
                "charge_id": f"{scenario}-{period}-{service_id}-{cost_centre}",
                "service_id": service_id,
                "service_name": name,
                "cost_centre_id": cost_centre,
                "cost_centre_name": centre_name,
                "business_unit_id": was[0],
                "business_unit_name": was[1],
                "legal_entity_id": "DE01",
                "charging_policy": policy,
                "driver_name": driver,
                "driver_quality": "measured",
                "quantity": Decimal(cost) / rate,
                "unit_code": unit,
                "unit_rate": rate,
                "cost_amount": cost,
                "charged_amount": cost if is_charged else 0,
                # The intranet is split evenly, because its driver is missing.
                "measured_amount": cost if is_charged else 0,
                "estimated_amount": 0,
                "stale_amount": 0,
                "fallback_amount": 0 if is_charged else cost,
            }
            marts["fct_charges_monthly"].append(
                {
                    **line,
                    "division_name": "Group",
                    "business_unit_as_is_id": is_now[0],
                    "business_unit_as_is_name": is_now[1],
                    "disposition": "allocated",
                }
            )
            before = SHARES.get((scenario, JAN), {}).get(service_id, {}).get(cost_centre)
            planned = SHARES[("budget", period)].get(service_id, {}).get(cost_centre)
            marts["rpt_bill_lines"].append(
                {
                    **line,
                    "previous_charged_amount": (before if is_charged else 0)
                    if period == FEB and before is not None
                    else None,
                    "previous_cost_amount": before if period == FEB else None,
                    "budget_amount": planned if is_charged else 0,
                }
            )


def _list_bill_items(charges: Sequence[Row]) -> list[Row]:
    """What is charged is billed as it is."""
    copied = (
        *("scenario_id", "period_id", "version", "service_id", "service_name", "cost_centre_id"),
        *("cost_centre_name", "business_unit_id", "business_unit_name", "legal_entity_id"),
    )
    return [
        {
            **{name: line[name] for name in copied},
            "bill_item_id": line["charge_id"],
            "item_kind": "charge",
            "origin_period_id": line["period_id"],
            "origin_version": line["version"],
            "origin_charge_id": line["charge_id"],
            "amount": line["charged_amount"],
        }
        for line in charges
        if line["disposition"] == "allocated" and line["charged_amount"]
    ]


def _add_fax_and_rest(marts: Marts) -> None:
    """Fax, which nobody is known to use; hosting, which passes all on; money without a service."""
    key = {"scenario_id": "actual", "period_id": FEB, "version": 1}
    costs, charges = marts["fct_service_costs_monthly"], marts["fct_charges_monthly"]
    costs += [
        _cost(key, "fax", "Fax", direct=40, delivered=40, full=40),
        _cost(key, "hosting", "Hosting", direct=200, delivered=0, full=200),
    ]
    charges.append(_open_charge(key, "fax", "(unallocated)", 40))
    for place, amount in WITHOUT_SERVICE["actual", FEB].items():
        costs.append(_cost(key, place, place, direct=amount, delivered=amount, full=0))
        charges.append(_open_charge(key, place, place, amount))


def _cost(key: Row, service_id: str, name: str, *, direct: int, delivered: int, full: int) -> Row:
    return {
        **key,
        "service_id": service_id,
        "service_name": name,
        "direct_amount": direct,
        "delivered_amount": delivered,
        "full_amount": full,
        "charged_amount": 0,
        "unit_code": SERVICES[service_id][2] if service_id in SERVICES else None,
    }


def _open_charge(key: Row, service_id: str, place: str, amount: int) -> Row:
    return {
        **key,
        "charge_id": f"{service_id}-{place}",
        "service_id": service_id,
        "service_name": service_id,
        "cost_centre_id": place,
        "cost_centre_name": place,
        "business_unit_id": place,
        "business_unit_name": place,
        "business_unit_as_is_id": place,
        "business_unit_as_is_name": place,
        "disposition": place.strip("()"),
        "charging_policy": "at_cost",
        "cost_amount": amount,
        "charged_amount": 0,
    }


def _build_facts(marts: Marts) -> Marts:
    key = {"scenario_id": "actual", "period_id": FEB, "version": 1}
    ledger: list[Row] = [
        {
            **key,
            "ledger_line_id": f"L{number}",
            "amount": amount,
            "source_id": "bill" if number == 1 else "ledger",
            "is_balancing": False,
        }
        for number, amount in enumerate((600, 400, 50, 20, -800), start=1)
    ]
    ledger += [
        {"scenario_id": scenario, "period_id": period, "version": 1, "amount": amount}
        for scenario, period, amount in (
            ("actual", JAN, 860),
            ("budget", JAN, 870),
            ("budget", FEB, 890),
            ("budget", MAR, 890),
        )
    ]
    return {
        "fct_ledger_lines": ledger,
        "fct_service_cost_breakdown_monthly": _list_breakdown(key),
        "fct_service_quality_monthly": [
            {
                **key,
                "service_id": "mail",
                "incident_count": 12,
                "request_count": 7,
                "change_count": 1,
                "ticket_count": 20,
                "sla_attainment_share": Decimal("0.9"),
                "median_response_minutes": 30,
                "median_resolution_minutes": 300,
                "ticket_effort_hours": Decimal("8.5"),
                "outage_minutes": 40,
                "planned_outage_minutes": 0,
                "availability_share": Decimal("0.999"),
                "support_cost_per_ticket_amount": 20,
            }
        ],
        "fct_service_capacity_monthly": [
            {
                **key,
                "service_id": "storage",
                "capacity_quantity": 12000,
                "capacity_unit_code": "gb-month",
                "used_quantity": 9000,
                "utilisation_share": Decimal("0.75"),
            }
        ],
        "fct_benchmarks": [
            _reference("B1", "storage", "unit_cost", "gb-month", "EUR", "0.04", 2025),
            _reference("B2", "storage", "unit_cost", "gb-month", "USD", "0.03", 2026),
            _reference("B3", "mail", "availability", "percent", None, "99.8", 2025),
        ],
        "fct_unit_costs_monthly": [
            {
                **key,
                "service_id": "mail",
                "business_unit_id": unit_id,
                "business_unit_name": name,
                "quantity": quantity,
                "unit_code": "seat",
                "cost_amount": quantity * 10,
                "unit_cost": 10,
            }
            for (unit_id, name), quantity in ((SALES, 30), (FINANCE, 10))
        ],
        "rpt_certificate": _list_certificate(key),
        "rpt_delivered_currencies": [
            {
                **key,
                "currency_code": code,
                "delivered_record_count": 3,
                "counted_record_count": 3 - left_out,
                "quarantined_record_count": left_out,
                "discarded_record_count": 0,
                "unreadable_record_count": 0,
                "delivered_amount_local": amount,
                "counted_amount_local": amount if not left_out else 0,
                "quarantined_amount_local": amount if left_out else 0,
                "discarded_amount_local": 0,
                "exchange_rate": rate,
                "delivered_amount": None if rate is None else amount * rate,
            }
            for code, amount, left_out, rate in (("EUR", 270, 0, 1), ("(unknown)", 12, 3, None))
        ],
        "rpt_conservation": [
            {
                **key,
                "stop_order": number,
                "stop_name": name,
                "arrived_amount": 270,
                "left_amount": 270,
                "difference_amount": 0,
            }
            for number, name in enumerate(("ledger", "cost pools", "towers"), start=1)
        ],
        "rpt_open_items": [
            {
                **key,
                "item_kind": "unallocated",
                "item_key": "fax",
                "item_name": "Fax",
                "amount": 40,
                "what_to_do": "Deliver its driver",
            },
            {
                **key,
                "item_kind": "unmapped_account",
                "item_key": "6990",
                "item_name": "Clearing account",
                "amount": 30,
                "what_to_do": "Add a pool rule",
            },
        ],
        "rpt_measure_next": [
            {
                **key,
                "measure_rank": 1,
                "stop_code": "consumers",
                "basis_code": "fallback",
                "subject_kind": "service",
                "subject_id": "intranet",
                "subject_name": "Intranet",
                "driver_id": "views",
                "driver_name": "Views",
                "contract_id": "service_usage",
                "column_names": "period_id, service_id, quantity",
                "amount": 80,
                "year_amount": 160,
                "what_to_do": "Deliver service_usage of this period",
                "what_changes": "Quantities decide between 2 receivers, instead of an even split",
            },
            {
                **key,
                "measure_rank": 2,
                "stop_code": "open",
                "basis_code": "unmapped",
                "subject_kind": "account",
                "subject_id": "6990",
                "subject_name": "Clearing account",
                "amount": 30,
                "year_amount": 30,
                "what_to_do": "Add a pool rule",
                "what_changes": "The money gets a place; nobody bears it now",
            },
        ],
        "rpt_cost_flow": _list_flow(key),
        "rpt_tag_coverage": _list_coverage(key),
        "rpt_unmapped_keys": [
            _unmapped_key(key, "service", "sub_account", "", "acc-9", 80, 3),
            _unmapped_key(key, "service", "unknown_value", "", "fxa", 30, 1),
            _unmapped_key(key, "service", "tag", "project", "<b>", 10, 1),
            _unmapped_key(key, "consumer", "sub_account", "", "acc-9", 120, 4),
        ],
        "rpt_tag_drift": [
            {
                **key,
                "drift_kind": "spelling",
                "tag_key": "env",
                "found_text": "Base Load",
                "proposed_text": "BaseLoad",
                "edit_distance": 0,
                "amount": 12,
                "line_count": 2,
            }
        ],
        "rpt_year_outlook": [
            {
                "fiscal_year": 2026,
                "service_id": service_id,
                "service_name": service_id,
                "actual_to_date_amount": actual,
                "budget_to_date_amount": budget,
                "budget_rest_amount": rest,
                "outlook_amount": actual + rest,
                "budget_year_amount": budget + rest,
                "last_actual_period_id": FEB,
            }
            for service_id, actual, budget, rest in (
                ("mail", 780, 780, 390),
                ("storage", 850, 840, 430),
                ("intranet", 160, 140, 70),
                ("fax", 40, 0, 0),
                ("(unmapped)", 30, 0, 0),
                ("(capitalised)", 50, 0, 0),
                ("(recovery)", -800, 0, 0),
            )
        ],
    }


def _list_coverage(key: Row) -> list[Row]:
    """Per target the ways in which the 600 of the bill are mapped."""
    ways = {
        "service": (("feed", 450, 5), ("rule", 30, 1), ("unmapped", 90, 3), ("unknown", 30, 1)),
        "consumer": (("driver", 480, 6), ("unmapped", 120, 4)),
    }
    return [
        {
            **key,
            "source_id": "bill",
            "target_kind": target,
            "mapping_method": method,
            "is_mapped": method not in ("unmapped", "unknown"),
            "amount": amount,
            "source_amount": 600,
            "amount_share": Decimal(amount) / 600,
            "line_count": count,
        }
        for target, parts in ways.items()
        for method, amount, count in parts
    ]


def _unmapped_key(
    key: Row, target: str, kind: str, name: str, value: str, amount: int, count: int
) -> Row:
    return {
        **key,
        "source_id": "bill",
        "target_kind": target,
        "key_kind": kind,
        "key_name": name,
        "key_value": value,
        "key_rank": 1,
        "amount": amount,
        "line_count": count,
    }


def _reference(
    benchmark_id: str,
    service_id: str,
    metric: str,
    unit: str,
    currency: str | None,
    median: str,
    year: int,
) -> Row:
    return {
        "benchmark_id": benchmark_id,
        "service_id": service_id,
        "metric": metric,
        "unit_code": unit,
        "currency_code": currency,
        "low_value": Decimal(median) * Decimal("0.5"),
        "median_value": Decimal(median),
        "high_value": Decimal(median) * Decimal("1.5"),
        "source_name": "Peer survey",
        "publication_year": year,
        "note": "Large companies only",
    }


def _list_breakdown(key: Row) -> list[Row]:
    """E-mail's 400: staffing 250 + 50 in End user, hardware 100 in Data centre."""
    return [
        {
            **key,
            "service_id": "mail",
            "cost_pool_id": pool_id,
            "cost_pool_name": pool,
            "tower_id": tower_id,
            "tower_name": tower,
            "direct_amount": direct,
            "delivered_amount": delivered,
        }
        for pool_id, pool, tower_id, tower, direct, delivered in (
            ("staffing", "Staffing", "end-user", "End user", 250, 250),
            ("software", "Software", "end-user", "End user", 50, 50),
            ("hardware", "Hardware", "dc", "Data centre", 0, 100),
        )
    ]


def _list_certificate(key: Row) -> list[Row]:
    terms = (
        ("ledger", "The ledger is accounted for", "delivered", "Delivered", "left", 270),
        ("ledger", "The ledger is accounted for", "recovery", "Recovery", "right", -800),
        ("ledger", "The ledger is accounted for", "other", "Outside IT", "right", 70),
        ("ledger", "The ledger is accounted for", "cost", "IT cost", "right", 1000),
        ("ledger", "The ledger is accounted for", "difference", "Difference", "difference", 0),
        ("charged", "Charges equal cost", "charged", "Charged", "left", 850),
        ("charged", "Charges equal cost", "cost", "Cost of charged services", "right", 850),
        ("charged", "Charges equal cost", "difference", "Difference", "difference", 0),
        ("billed", "Bills equal charges", "billed", "Billed", "left", 850),
        ("billed", "Bills equal charges", "charged", "Charged", "right", 850),
        ("billed", "Bills equal charges", "difference", "Difference", "difference", 0),
    )
    return [
        {
            **key,
            "identity_id": identity_id,
            "identity_name": identity,
            "term_order": number,
            "term_id": term_id,
            "term_name": term,
            "side": side,
            "amount": amount,
            "amount_cents": amount,
        }
        for number, (identity_id, identity, term_id, term, side, amount) in enumerate(terms)
    ]


def _list_flow(key: Row) -> list[Row]:
    """Two pools and a credit, one tower, two services, two business units; 930 in all."""
    flows = (
        ("cost_pool", "staffing", "tower", "it", 600),
        ("cost_pool", "hardware", "tower", "it", 270),
        ("cost_pool", "refunds", "tower", "it", -20),
        ("cost_pool", "(unmapped)", "tower", "(unmapped)", 30),
        ("cost_pool", "(recovery)", "tower", "(recovery)", -800),
        ("tower", "it", "service", "mail", 400),
        ("tower", "it", "service", "storage", 450),
        ("tower", "(unmapped)", "service", "(unmapped)", 30),
        ("service", "mail", "business_unit", "SAL", 300),
        ("service", "mail", "business_unit", "FIN", 100),
        ("service", "storage", "business_unit", "SAL", 150),
        ("service", "storage", "business_unit", "FIN", 300),
        ("service", "(unmapped)", "business_unit", "(unmapped)", 30),
    )
    return [
        {
            **key,
            "from_stop": from_stop,
            "from_id": from_id,
            "from_name": from_id,
            "to_stop": to_stop,
            "to_id": to_id,
            "to_name": to_id,
            "amount": amount,
        }
        for from_stop, from_id, to_stop, to_id, amount in flows
    ]
