"""The main job on the sample company, through the command that a person types."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from tests.e2e.command import ask_sql, run_apportion
from tests.e2e.sample_ledger import INBOX, count_ledger

LATEST = "2026-10"


def test_certificate_gives_back_the_delivered_ledger(sample: Path) -> None:
    rows = ask_sql(
        sample,
        "select period_id, max(amount) filter (term_id = 'delivered') as delivered, "
        "sum(amount) filter (side = 'right') as accounted "
        "from rpt_certificate where scenario_id = 'actual' and identity_id = 'ledger' group by all",
    )
    expected = count_ledger()
    assert len(expected) == 24
    assert {row["period_id"]: Decimal(row["delivered"]) for row in rows} == expected
    assert {row["period_id"]: Decimal(row["accounted"]) for row in rows} == expected


def test_every_difference_is_zero_in_every_period(sample: Path) -> None:
    rows = ask_sql(
        sample,
        "select scenario_id, period_id, identity_id, amount, amount_cents from rpt_certificate "
        "where side = 'difference'",
    )
    actual = [row for row in rows if row["scenario_id"] == "actual"]
    assert len(actual) == 24 * 3
    assert {Decimal(row["amount"]) for row in rows} == {Decimal(0)}
    assert {Decimal(row["amount_cents"]) for row in rows} == {Decimal(0)}


def test_run_answers_with_totals_bills_and_time(sample_run: tuple[Path, dict[str, Any]]) -> None:
    _, answer = sample_run
    summary = answer["summary"]
    by_pool = sum((Decimal(amount) for _, amount in summary["by_pool"]), Decimal(0))
    by_service = sum(Decimal(amount) for _, amount in summary["by_service"])
    assert by_pool.quantize(Decimal("0.01"), ROUND_HALF_UP) == by_service
    assert {Decimal(row[-1]) for row in summary["controls"]} == {Decimal(0)}
    assert len(summary["controls"]) == 24
    assert {"land", "dbt build", "audit", "publish"} <= set(answer["seconds"])
    assert len(list(Path(answer["bills"]).glob("*.pdf"))) == len(summary["by_business_unit"])


def test_second_run_lands_and_builds_nothing(sample: Path) -> None:
    answer = json.loads(run_apportion("run", "--json", "-w", sample).stdout)
    assert answer["build"]["is_new"] is False
    assert {load["state"] for load in answer["landing"]} == {"known"}


def test_statement_of_a_unit_that_is_no_longer_billed_does_not_stay(
    sample: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sample, copy)
    stale = copy / "bills" / LATEST / f"{LATEST}_GONE.pdf"
    other = copy / "bills" / LATEST / "2026-09_SCE.pdf"
    for path in (stale, other):
        path.write_bytes(b"an earlier statement")
    run_apportion("bill", LATEST, "--business-unit", "SCE", "-w", copy)
    assert stale.exists()  # one unit's statement says nothing about the others
    run_apportion("bill", LATEST, "-w", copy)
    assert not stale.exists()
    assert other.exists()


def test_bill_adds_up_to_the_charges_in_pdf_and_workbook(sample: Path, tmp_path: Path) -> None:
    unit = ask_sql(
        sample,
        "select business_unit_id, sum(charged_amount) as total from fct_charges_monthly "
        f"where scenario_id = 'actual' and period_id = '{LATEST}' and disposition = 'allocated' "
        "group by all order by total desc limit 1",
    )[0]
    name, total = unit["business_unit_id"], Decimal(unit["total"])
    done = run_apportion(
        *("bill", LATEST, "--business-unit", name, "-o", tmp_path, "--json", "-w", sample)
    )
    files = json.loads(done.stdout)[0]
    assert Decimal(files["total"]) == total
    text = "".join(page.extract_text() for page in pypdf.PdfReader(files["pdf"]).pages)
    assert f"{total:,.2f}" in text.replace("\u202f", ",").replace("\u2009", ",")
    rows = list(openpyxl.load_workbook(files["xlsx"])["Lines"].iter_rows(values_only=True))
    column = rows[0].index("Charged (EUR)")
    lines = [row for row in rows[1:] if str(row[0]).startswith("CC")]
    assert sum(Decimal(str(row[column])) for row in lines) == total


def test_unknown_business_unit_is_named_with_the_known_ones(sample: Path) -> None:
    done = run_apportion("bill", LATEST, "--business-unit", "NOPE", "-w", sample, expect=2)
    assert "NOPE" in done.stderr
    assert "SCE (Sales Central Europe)" in done.stderr


@pytest.fixture(scope="module")
def traced(sample: Path) -> dict[str, Any]:
    """The trace of the largest charge of a cloud-fed service."""
    charge = ask_sql(
        sample,
        "select service_id, cost_centre_id from fct_charges_monthly "
        f"where scenario_id = 'actual' and period_id = '{LATEST}' and disposition = 'allocated' "
        "order by cost_amount desc limit 1",
    )[0]
    done = run_apportion(
        *("trace", LATEST, "--service", charge["service_id"]),
        *("--cost-centre", charge["cost_centre_id"], "--json", "-w", sample),
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_traced_parts_sum_to_the_charge(traced: dict[str, Any]) -> None:
    parts = sum(Fraction(line["part"]) for line in traced["lines"])
    gap = Fraction(traced["amount"]) - parts - Fraction(traced["rounding"])
    # Each part is printed with eight decimals, so the printed sum may be off by half a unit each.
    assert abs(gap) <= Fraction(1, 10**8) * len(traced["lines"])
    assert abs(Decimal(traced["rounding"])) < Decimal("0.01")


def test_trace_ends_at_records_that_exist_with_that_amount(
    traced: dict[str, Any], sample: Path
) -> None:
    files: dict[str, list[dict[str, str]]] = {}
    checked = 0
    for line in traced["lines"]:
        assert line["records"], f"{line['ledger_line_id']} leads to no record"
        for record in line["records"]:
            original = next((sample / "lake").glob(f"*/{record['sha256']}/original"))
            if record["sha256"] not in files:
                with original.open(encoding="utf-8", newline="") as file:
                    files[record["sha256"]] = list(csv.DictReader(file))
            delivered = files[record["sha256"]][record["record"] - 1]
            amount = delivered.get("amount_local") or delivered["BilledCost"]
            assert Decimal(amount) == Decimal(record["amount_local"])
            checked += 1
    assert checked >= len(traced["lines"])


def test_a_record_leads_back_to_the_charge_with_the_same_part(
    traced: dict[str, Any], sample: Path, tmp_path: Path
) -> None:
    """From a charge to its largest cost line that names its record, and from there onwards."""
    line = next(n for n in traced["lines"] if n["ledger_line_id"].startswith("general_ledger:"))
    [record] = line["records"]
    picture = tmp_path / "source.svg"
    done = run_apportion(
        *("trace", "--from-source", f"{record['file']}:{record['record']}", "--json"),
        *("--picture", picture, "-w", sample),
    )
    found = json.loads(done.stdout)
    [charge] = [
        charge
        for charge in found["charges"]
        if (charge["service_id"], charge["cost_centre_id"])
        == (traced["service_id"], traced["cost_centre_id"])
    ]
    assert charge["exact_part"] == line["exact_part"]
    assert charge["share"] == line["share"]
    parts = sum(Fraction(charge["exact_part"]) for charge in found["charges"])
    assert parts == Fraction(found["amount"]) == Fraction(line["line_amount"])
    assert found["rounding"] == "0.00000000"
    assert picture.read_text("utf-8").startswith("<svg")


def test_trace_of_nothing_says_what_there_is(sample: Path) -> None:
    done = run_apportion(
        *("trace", LATEST, "--service", "sap-erp", "--cost-centre", "NOPE", "-w", sample), expect=2
    )
    assert "NOPE" in done.stderr
    assert "CC" in done.stderr


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to '/tmp/x.csv'",
        "attach '/tmp/x.duckdb'",
        "set enable_external_access = true",
        "insert into dim_run select * from dim_run",
    ],
)
def test_sql_can_neither_read_files_nor_write(sample: Path, query: str) -> None:
    done = run_apportion("sql", query, "-w", sample, expect=2)
    assert "refused" in done.stderr


def test_doctor_finds_a_flipped_byte_in_what_is_published(sample: Path, tmp_path: Path) -> None:
    run_apportion("doctor", "-w", sample)
    copy = tmp_path / "copy"
    shutil.copytree(sample, copy)
    pointer = json.loads((copy / "warehouse" / "CURRENT").read_text("utf-8"))
    file = copy / "warehouse" / pointer["files"][0]["name"]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    done = run_apportion("doctor", "-w", copy, expect=4)
    assert "was changed after it was published" in done.stdout


def test_records_walk_back_from_a_mart_to_rows_of_the_delivered_files(sample: Path) -> None:
    """README: 51 thousand words are what CC2220 used of Translation in March 2026."""
    done = run_apportion(
        *("records", "fct_driver_quantities_monthly", "--json", "-w", sample),
        *("--where", "period_id=2026-03", "--where", "service_id=translation"),
        expect=2,
    )
    assert "no mart and no contract" in done.stderr
    done = run_apportion(
        *("records", "fct_charges_monthly", "--json", "--limit", "0", "-w", sample),
        *("--where", "period_id=2026-03", "--where", "service_id=translation"),
        *("--where", "cost_centre_id=CC2220", "--where", "scenario_id=actual"),
    )
    parts = {part["contract_id"]: part for part in json.loads(done.stdout)}
    assert {"general_ledger", "service_usage", "exchange_rates"} <= set(parts)
    usage = parts["service_usage"]
    assert (usage["count"], usage["not_narrowed_by"]) == (1, [])
    (record,) = usage["records"]
    assert Decimal(record["values"]["quantity"]) == 51
    path = INBOX / "service_usage" / record["file_name"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == record["file_id"]
    with path.open(newline="") as file:
        row = list(csv.DictReader(file))[record["row_number"] - 1]
    assert (row["service_id"], row["receiver_id"], row["quantity"]) == (
        "translation",
        "CC2220",
        "51",
    )
    assert "service_id" in parts["exchange_rates"]["not_narrowed_by"]
