"""The first day: a ledger export and a list of business units become a showback, worked by hand.

The export has March and February 2026, in German form, without a key and without a period. March:

| accounts | lines                            |     sum |
|----------|----------------------------------|--------:|
| 64xxxx   | 1000.01 + 2500.50 - 0.50 + 100.00 | 3600.01 |
| 61xxxx   | 333.33 - 33.30 + 700.00          | 1000.03 |
| 67xxxx   | 0.02 + 199.98 + 0.01             |  200.01 |
|          |                                  | 4800.05 |

February: 640010 500.00 and 610000 100.01.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import ask_sql, run_apportion

EXPORT = """\
Buchungsdatum;Konto;Kontobezeichnung;Kostenstelle;Lieferant;Buchungstext;Betrag
31.03.2026;640010;Software;9050;ACME;CRM;1.000,01
30.03.2026;640020;Cloud;9050;Nimbus;March;2.500,50
30.03.2026;640010;Software;9050;ACME;Discount;-0,50
17.03.2026;640020;Cloud;9060;Nimbus;Backup;100,00
15.03.2026;610000;External staff;9060;Helpers;Project;333,33
16.03.2026;610000;External staff;9060;Helpers;Credit;-33,30
16.03.2026;610000;External staff;9050;Helpers;Project;700,00
18.03.2026;671000;Travel;9050;;Parking;0,02
19.03.2026;671000;Travel;9050;;Train;199,98
20.03.2026;671000;Travel;9060;;Rounding;0,01
28.02.2026;640010;Software;9050;ACME;CRM;500,00
27.02.2026;610000;External staff;9060;Helpers;Project;100,01
"""
UNITS = "Business unit,Cost centres\nSales,CC10;CC11\nProduction,CC20\nFinance & Control,CC30\n"
UNITS_WITH_HEADS = (
    "Business unit,Cost centres,Heads\n"
    "Sales,CC10;CC11,10\nProduction,CC20,20.5\nFinance & Control,CC30,3\n"
)


def _start(root: Path, units: str, *more: str | Path) -> Path:
    (root / "export.csv").write_text(EXPORT, "utf-8")
    (root / "units.csv").write_text(units, "utf-8")
    workspace = root / "acme"
    files = ("--ledger", root / "export.csv", "--units", root / "units.csv", *more)
    run_apportion("init", workspace, "--template", "ledger", *files)
    return workspace


def _measure(workspace: Path, period: str) -> list[dict[str, Any]]:
    answer = json.loads(run_apportion("measure", period, "--json", "-w", workspace).stdout)
    assert answer["period_id"] == period
    items: list[dict[str, Any]] = answer["items"]
    return items


def _amounts(items: list[dict[str, Any]]) -> list[tuple[str, str, str, Decimal, Decimal]]:
    return [
        (
            item["subject_id"],
            item["basis_code"],
            item["contract_id"],
            Decimal(item["amount"]),
            Decimal(item["year_amount"]),
        )
        for item in items
    ]


def _bills(workspace: Path) -> dict[tuple[str, str], Decimal]:
    rows = ask_sql(
        workspace,
        "select business_unit_name, service_id, cost_amount, charged_amount from rpt_bill_lines "
        "where scenario_id = 'actual' and period_id = '2026-03'",
    )
    assert {Decimal(row["charged_amount"]) for row in rows} == {Decimal(0)}
    return {
        (row["business_unit_name"], row["service_id"]): Decimal(row["cost_amount"]) for row in rows
    }


def _by_unit(bills: dict[tuple[str, str], Decimal]) -> dict[str, Decimal]:
    units: dict[str, Decimal] = {}
    for (unit, _), amount in bills.items():
        units[unit] = units.get(unit, Decimal(0)) + amount
    return units


@pytest.fixture(scope="module")
def even(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace without heads, after its run."""
    workspace = _start(tmp_path_factory.mktemp("even"), UNITS)
    done = run_apportion("run", "-w", workspace)
    assert "Showback of business units" in done.stdout
    assert "What to measure next" in done.stdout
    return workspace


@pytest.fixture(scope="module")
def by_heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with heads, after its run."""
    workspace = _start(tmp_path_factory.mktemp("heads"), UNITS_WITH_HEADS)
    run_apportion("run", "-w", workspace)
    return workspace


def test_even_split_over_business_units(even: Path) -> None:
    # 3600.01 / 3 = 1200.003…: 1200.00 each and a cent; 1000.03 / 3 = 333.343…: 333.34 each and a
    # cent; 200.01 / 3 = 66.67. The cent goes to the largest remainder: at the inner stop the thirds
    # of a millionth of a cent round to 33, 34, 33 in the order of the cost centres, so to CC20.
    thirds = {
        ("Sales", "it-64"): "1200.00",
        ("Production", "it-64"): "1200.01",
        ("Finance & Control", "it-64"): "1200.00",
        ("Sales", "it-61"): "333.34",
        ("Production", "it-61"): "333.35",
        ("Finance & Control", "it-61"): "333.34",
        ("Sales", "it-67"): "66.67",
        ("Production", "it-67"): "66.67",
        ("Finance & Control", "it-67"): "66.67",
    }
    bills = _bills(even)
    assert bills == {key: Decimal(amount) for key, amount in thirds.items()}
    assert _by_unit(bills) == {
        "Sales": Decimal("1600.01"),
        "Production": Decimal("1600.03"),
        "Finance & Control": Decimal("1600.01"),
    }


def test_split_by_heads(by_heads: Path) -> None:
    # 33.5 heads. 3600.01: 1074.6298…, 2202.9911…, 322.3889…; two cents missing, to Sales (.98 of a
    # cent) and Finance (.89). 1000.03: 298.5164…, 611.9586…, 89.5549…; two missing, to Production
    # (.86) and Sales (.64). 200.01: 59.7044…, 122.3941…, 17.9113…; one missing, to Sales (.44).
    shares = {
        ("Sales", "it-64"): "1074.63",
        ("Production", "it-64"): "2202.99",
        ("Finance & Control", "it-64"): "322.39",
        ("Sales", "it-61"): "298.52",
        ("Production", "it-61"): "611.96",
        ("Finance & Control", "it-61"): "89.55",
        ("Sales", "it-67"): "59.71",
        ("Production", "it-67"): "122.39",
        ("Finance & Control", "it-67"): "17.91",
    }
    bills = _bills(by_heads)
    assert bills == {key: Decimal(amount) for key, amount in shares.items()}
    assert sum(bills.values()) == Decimal("4800.05")


def test_even_splits_say_that_heads_are_missing(even: Path) -> None:
    items = _measure(even, "2026-03")
    assert _amounts(items) == [
        ("it-64", "fallback", "headcount", Decimal("3600.01"), Decimal("4100.01")),
        ("it-61", "fallback", "headcount", Decimal("1000.03"), Decimal("1100.04")),
        ("it-67", "fallback", "headcount", Decimal("200.01"), Decimal("200.01")),
    ]
    assert items[0]["what_to_do"] == (
        "Deliver headcount (period_id, cost_centre_id, headcount_quantity) of this period"
    )
    assert items[0]["what_changes"] == (
        "Quantities decide between 3 receivers, instead of an even split"
    )


def test_heads_are_called_estimated_and_then_stale(by_heads: Path) -> None:
    # The list has no month: its heads stand at the first one of the export, and hold from there.
    assert _amounts(_measure(by_heads, "2026-02")) == [
        ("it-64", "estimated", "service_usage", Decimal("500.00"), Decimal("500.00")),
        ("it-61", "estimated", "service_usage", Decimal("100.01"), Decimal("100.01")),
    ]
    assert _amounts(_measure(by_heads, "2026-03")) == [
        ("it-64", "stale", "headcount", Decimal("3600.01"), Decimal("4100.01")),
        ("it-61", "stale", "headcount", Decimal("1000.03"), Decimal("1100.04")),
        ("it-67", "stale", "headcount", Decimal("200.01"), Decimal("200.01")),
    ]


def test_pools_are_named_after_their_accounts(by_heads: Path) -> None:
    rows = ask_sql(
        by_heads,
        "select cost_pool_name, sum(amount) as amount from fct_cost_pools_monthly "
        "where period_id = '2026-03' group by all",
    )
    assert {row["cost_pool_name"]: Decimal(row["amount"]) for row in rows} == {
        "Software, Cloud": Decimal("3600.01"),
        "External staff": Decimal("1000.03"),
        "Travel": Decimal("200.01"),
    }


def test_nothing_is_made_of_a_ledger_that_lacks_its_amounts(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text("Konto;Buchungsdatum;Kostenstelle\n640010;31.03.2026;9050\n", "utf-8")
    done = run_apportion(
        "init", tmp_path / "acme", "--template", "ledger", "--ledger", export, expect=2
    )
    assert "a column for amount_local" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["export.csv"]


def test_files_belong_to_the_template_ledger(tmp_path: Path) -> None:
    done = run_apportion("init", tmp_path / "acme", "--units", tmp_path / "u.csv", expect=2)
    assert "add --template ledger" in done.stderr


def test_template_alone_runs_on_canonical_files(tmp_path: Path) -> None:
    workspace = tmp_path / "acme"
    run_apportion("init", workspace, "--template", "ledger")
    for name, text in {
        "general_ledger/gl.csv": "line_id,period_id,posting_date,legal_entity_id,account_id,"
        "cost_centre_id,currency_code,amount_local\n"
        "1,2026-03,2026-03-31,main,6400,it,EUR,100.01\n",
        "cost_centres/cc.csv": "cost_centre_id,cost_centre_name,business_unit_id,"
        "business_unit_name,legal_entity_id,legal_entity_name,is_it,valid_from\n"
        "C1,C1,a,A,main,Main,false,2026-01-01\nC2,C2,b,B,main,Main,false,2026-01-01\n",
    }.items():
        path = workspace / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    run_apportion("run", "-w", workspace, "--no-bills")
    # 100.01 / 2 = 50.005: half a cent each, so one of the two has 50.01.
    assert sorted(_bills(workspace).values()) == [Decimal("50.00"), Decimal("50.01")]
    run_apportion("doctor", "-w", workspace)
