"""The quarantine desk as a person uses it: commands, exit codes, and what the lake gives then."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import ask_sql, run_apportion

HEADER = (
    "line_id,period_id,posting_date,legal_entity_id,account_id,cost_centre_id,vendor_name,"
    "document_id,description,currency_code,amount_local"
)
GOOD = "L1,2026-03,2026-03-31,E1,6000,CC1,Vendor,D1,Text,EUR,100.00"
LINES = (
    GOOD,
    GOOD.replace("L1", "L2").replace("100.00", "1e3"),
    GOOD.replace("L1", "L3").replace("EUR", "eur"),
)
WHERE = ("general_ledger", "gl.csv")


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose ledger has one good record, one with 1e3 and one with a currency eur."""
    root = tmp_path_factory.mktemp("quarantine") / "ws"
    run_apportion("init", root, "--template", "empty")
    inbox = root / "inbox" / "general_ledger"
    inbox.mkdir(parents=True)
    (inbox / "gl.csv").write_text("\n".join((HEADER, *LINES, "")), encoding="utf-8")
    run_apportion("land", "-w", root, expect=3)
    return root


@pytest.fixture
def workspace(landed: Path, tmp_path: Path) -> Path:
    """A copy of it to decide on."""
    return Path(shutil.copytree(landed, tmp_path / "ws"))


def decide(workspace: Path, *words: str, expect: int = 0) -> str:
    """One command of the group; its output and errors."""
    done = run_apportion("quarantine", *words, "-w", workspace, expect=expect)
    return done.stdout + done.stderr


def list_states(workspace: Path) -> dict[int, str]:
    """State by record number."""
    answer: Any = json.loads(decide(workspace, "list", "--state", "all", "--json"))
    return {item["row_number"]: item["state"] for item in answer["records"]}


def test_list_and_show_say_what_is_wrong(landed: Path) -> None:
    workspace = landed
    shown = decide(workspace, "list")
    for text in ("amount_local", "'1e3'", "currency_code", "'eur'", "100 eur", "open", "Totals"):
        assert text in shown
    answer: Any = json.loads(decide(workspace, "list", "--source", "general_ledger", "--json"))
    totals = [(item["currency_code"], Decimal(item["amount_local"])) for item in answer["totals"]]
    assert totals == [("EUR", Decimal(0)), ("eur", Decimal(100))]
    assert answer["totals"][0]["unreadable_records"] == 1
    record: Any = json.loads(decide(workspace, "show", *WHERE, "2", "--json"))
    assert record["delivered"]["amount_local"] == "1e3"
    assert "has the wrong form" in decide(workspace, "show", *WHERE, "2")


def test_release_and_discard_settle_the_records(workspace: Path) -> None:
    words = ("release", *WHERE, "2", "--set", "amount_local=1000.00", "--why", "a thousand")
    assert "record 2 released" in decide(workspace, *words)
    assert "the same way" in decide(workspace, *words, expect=4)
    assert "1 records" not in decide(workspace, "discard", *WHERE, "3", "--why", "a test")
    assert list_states(workspace) == {2: "released", 3: "discarded"}
    assert decide(workspace, "list").strip() == "No open records."
    shown = decide(workspace, "show", *WHERE, "2")
    assert "amount_local: '1e3' became '1000.00'" in shown
    assert "a thousand" in shown
    assert "records are in quarantine" not in run_apportion("doctor", "-w", workspace).stdout


def test_all_of_a_file_leaves_what_does_not_pass(workspace: Path) -> None:
    words = ("general_ledger", "--all-of", "gl.csv", "--why", "the export shouts not")
    shown = decide(workspace, "release", *words, "--set", "currency_code=EUR", expect=3)
    assert "record 3 released" in shown
    assert "record 2, field amount_local" in shown
    assert list_states(workspace) == {2: "open", 3: "released"}
    assert "record 2 discarded" in decide(workspace, "discard", *words)


@pytest.mark.parametrize(
    ("words", "sentence", "code"),
    [
        (("release", *WHERE, "2", "--why", "x"), "record 2, field amount_local", 4),
        (("release", *WHERE, "1", "--why", "x"), "record 1 is not in quarantine", 2),
        (("release", *WHERE, "2", "--why", " ", "--set", "amount_local=1"), "needs a reason", 2),
        (("discard", *WHERE, "2"), "--why", 2),
        (("discard", *WHERE, "--why", "x"), "--all-of", 2),
        (("discard", *WHERE, "2", "--all-of", "gl.csv", "--why", "x"), "--all-of", 2),
        (("release", *WHERE, "2", "--why", "x", "--set", "amount"), "FIELD=VALUE", 2),
        (("release", *WHERE, "2", "--why", "x", "--set", "sum=1"), "no field 'sum'", 2),
        (("show", "general_ledger", "other.csv", "2"), "'other.csv'", 2),
        (("list", "--source", "ledger"), "no source is called 'ledger'", 2),
    ],
)
def test_wrong_use_is_said_and_changes_nothing(
    landed: Path, words: tuple[str, ...], sentence: str, code: int
) -> None:
    assert sentence in decide(landed, *words, expect=code)
    assert list_states(landed) == {2: "open", 3: "open"}


def test_commands_stay_light_to_import() -> None:
    """Help answers at once: none of the heavy libraries is loaded for it."""
    code = (
        "import sys, pipelines.cli.main; heavy = {'duckdb', 'sqlalchemy', 'pydantic', 'pandas'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CENTRES = """cost_centre_id,cost_centre_name,business_unit_id,business_unit_name,division_name,\
legal_entity_id,legal_entity_name,manager_name,is_it,valid_from,valid_to
CC1,One,B1,Unit one,,E1,Entity,,false,2020-01-01,
CC2,Two,B2,Unit two,,E1,Entity,,false,2020-01-01,
"""
RATES = (
    "rate_type,period_id,from_currency_code,to_currency_code,exchange_rate,source_name\n"
    "average,2026-03,USD,EUR,0.9,x\n"
)
MARCH = "2026-03"
HEADS = "period_id,cost_centre_id,headcount_quantity\n2026-03,CC1,1\n2026-03,CC2,2\n"


def test_decisions_reach_charges_and_certificate(workspace: Path) -> None:
    """100 accepted + 1,000 released are the cost; what is discarded or in quarantine stays in the
    proof, in every period and currency: 30 discarded and 10 USD x 0.9 in quarantine in March, 70 in
    a February without one good record, 500 in quarantine and 5 discarded of no known period."""
    bad = GOOD.replace("2026-03-31", "2026-02-31")
    more = "\n".join(
        (
            HEADER,
            GOOD.replace("L1", "L5").replace("100.00", "0.00"),
            bad.replace("L1", "L4").replace("100.00", "30.00"),
            bad.replace("L1", "L6").replace("100.00", "10.00").replace("EUR", "USD"),
            bad.replace("L1", "L7").replace("100.00", "70.00").replace("2026-03", "2026-02"),
            GOOD.replace("L1", "L8").replace("100.00", "500.00").replace("2026-03,", ","),
            GOOD.replace("L1", "L9").replace("100.00", "5.00").replace("2026-03,", "2026-13,"),
            bad.replace("L1", "L10").replace("6000", "60 00").replace("100.00", "1e2"),
            "",
        )
    )
    deliveries = {
        "cost_centres": CENTRES,
        "headcount": HEADS,
        "exchange_rates": RATES,
        "general_ledger": more,
    }
    for source, text in deliveries.items():
        (workspace / "inbox" / source).mkdir(exist_ok=True)
        (workspace / "inbox" / source / "more.csv").write_text(text, encoding="utf-8")
    config = workspace / "apportion.yml"
    config.write_text(
        config.read_text("utf-8").replace(
            "inbox: general_ledger/*.csv", "inbox: general_ledger/*.csv\n    redelivery: append"
        ),
        encoding="utf-8",
    )
    run_apportion("land", "-w", workspace, expect=3)
    decide(workspace, "release", *WHERE, "2", "--why", "meant", "--set", "amount_local=1000.00")
    for number in ("2", "6"):
        decide(workspace, "discard", "general_ledger", "more.csv", number, "--why", "a test")
    run_apportion("build", "-w", workspace)
    figures = {
        (row["period_id"], row["term_id"]): Decimal(row["amount_cents"])
        for row in ask_sql(
            workspace,
            "select period_id, term_id, amount_cents from rpt_certificate "
            "where identity_id = 'ledger'",
        )
    }
    assert {key: amount for key, amount in figures.items() if amount} == {
        # 100 + 1,000 + 30 + 9; beside it 100 in 'eur', which is no currency, and one record
        # whose amount cannot be read.
        (MARCH, "delivered"): Decimal("1139.00"),
        (MARCH, "showback"): Decimal("1100.00"),
        (MARCH, "quarantined"): Decimal("9.00"),
        (MARCH, "discarded"): Decimal("30.00"),
        ("2026-02", "delivered"): Decimal("70.00"),
        ("2026-02", "quarantined"): Decimal("70.00"),
        ("(unknown)", "delivered"): Decimal("505.00"),
        ("(unknown)", "quarantined"): Decimal("500.00"),
        ("(unknown)", "discarded"): Decimal("5.00"),
    }
    names = ask_sql(
        workspace,
        "select term_name from rpt_certificate where period_id = '2026-03' "
        "and term_id in ('delivered', 'quarantined') order by term_order",
    )
    beside = "1 record without a readable amount, 100.00 in an unknown currency"
    assert [row["term_name"] for row in names] == [
        f"Delivered by the ledger, plus {beside}",
        "Quarantined: not counted until it is decided, 3 records",
    ]
    currencies = ask_sql(
        workspace,
        "select period_id, currency_code, delivered_record_count as delivered, "
        "counted_record_count as counted, quarantined_amount_local as amount, "
        "delivered_amount from rpt_delivered_currencies order by 1, 2",
    )
    assert [
        (
            *(row[name] for name in ("period_id", "currency_code", "delivered", "counted")),
            Decimal(row["amount"]),
            row["delivered_amount"] and Decimal(row["delivered_amount"]),
        )
        for row in currencies
    ] == [
        ("(unknown)", "EUR", 2, 0, 500, 505),
        ("2026-02", "EUR", 1, 0, 70, 70),
        (MARCH, "(unknown)", 1, 0, 100, None),
        (MARCH, "EUR", 5, 3, 0, 1130),
        (MARCH, "USD", 1, 0, 10, 9),
    ]
    items = ask_sql(
        workspace,
        "select item_kind, item_name, amount from rpt_open_items order by item_kind, item_key, "
        "period_id",
    )
    assert [
        (i["item_kind"], i["item_name"], i["amount"] and Decimal(i["amount"])) for i in items
    ] == [
        ("period_unknown", "1 record in quarantine of more.csv, period unknown", 500),
        (
            "quarantined",
            "1 record in quarantine of gl.csv; not in the amount: 100.00 in an unknown currency",
            None,
        ),
        ("quarantined", "1 record in quarantine of more.csv", 70),
        (
            "quarantined",
            "2 records in quarantine of more.csv; not in the amount: 1 record without a readable "
            "amount",
            9,
        ),
    ]
    shown = run_apportion("period", "show", MARCH, "-w", workspace).stdout
    assert "period_unknown" in shown
    refused = run_apportion(
        *("period", "accept", MARCH, "period_unknown", "--why", "x", "-w", workspace), expect=4
    )
    assert "cannot be accepted" in refused.stderr
    assert "505.00" in run_apportion("run", "-w", workspace).stdout
