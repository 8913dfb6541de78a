"""Ready mappings land the public files that they are for; totals are worked out apart from them.

The files lie beside the checkout; a test whose file is not there says so and is skipped.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.books.books import Books
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.workspace.workspace import Workspace
from tests.unit.landing.company import read_load

DATA = Path(__file__).parents[4] / "shared" / "data"
TOOLKIT = "focus_toolkit_1_2_1_3"


def _find(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the public file {name} is not beside the checkout")
    return path


def _land(root: Path, mapping: str, contract: str, *files: tuple[str, bytes]) -> list[LoadResult]:
    source: dict[str, Any] = {"contract": contract, "mapping": mapping, "inbox": "*"}
    source["redelivery"] = "append"
    config = {
        "name": "Example",
        "currency": "EUR",
        "calendar": {"first_period": "2026-01", "last_period": "2026-12"},
        "control_total": {"source": "own"},
        "sources": {"own": source},
    }
    (root / "inbox").mkdir(parents=True)
    (root / "apportion.yml").write_text(yaml.safe_dump(config), "utf-8")
    for name, content in files:
        (root / "inbox" / name).write_bytes(content)
    workspace = Workspace.open(root)
    results = land_inbox(workspace, Books.open(workspace))
    assert [result.message for result in results] == [""] * len(files)
    return results


def _read(root: Path, result: LoadResult, sql: str) -> list[tuple[Any, ...]]:
    return read_load(root / "lake" / "own" / result.sha256, sql)


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _total(result: LoadResult, currency: str, part: str = "accepted") -> Decimal:
    assert result.amounts is not None
    return Decimal(result.amounts[currency][part])


def _has_few_decimals(row: dict[str, str]) -> bool:
    """Whether the engine's twelve decimals hold both costs that a charge may depend on."""
    costs = (row["BilledCost"], row["EffectiveCost"])
    return all(len(cost.partition(".")[2].rstrip("0")) <= 12 for cost in costs)


def test_gla_ledger(tmp_path: Path) -> None:
    content = _find("gla_ledger_2008_2013/all.csv").read_bytes()
    (result,) = _land(tmp_path, "gla_ledger", "general_ledger", ("all.csv", content))
    rows = _rows(content)
    coded = [row for row in rows if row["AccountCode"]]
    assert (len(rows), len(coded)) == (28145, 19481)
    assert (result.records_accepted, result.records_quarantined) == (19481, 8664)
    assert _total(result, "GBP") == sum(Decimal(row["Amount"]) for row in coded)
    assert _total(result, "GBP") + _total(result, "GBP", "quarantined") == sum(
        Decimal(row["Amount"]) for row in rows
    )


def test_oakland_budget_holds_expense_only(tmp_path: Path) -> None:
    content = _find("oakland_budget/FY21-22__adopted.csv").read_bytes()
    (result,) = _land(tmp_path, "oakland_budget", "budget", ("fy.csv", content))
    rows = _rows(content)
    expense = [row for row in rows if row["account_type"] == "Expense"]
    assert (result.records_accepted, result.records_delivered) == (len(expense), len(rows))
    assert _total(result, "USD") == sum(Decimal(row["amount"]) for row in expense)
    periods = _read(tmp_path, result, "select distinct period_id from records")
    assert periods == [("2021-07",)]


def test_servicenow_log_becomes_last_states(tmp_path: Path) -> None:
    """The data set's page (UCI 498) says: 141,712 events of 24,918 incidents."""
    content = _find("itsm_uci_servicenow/incident_event_log.csv.gz").read_bytes()
    mapping = "servicenow_incidents"
    (result,) = _land(tmp_path, mapping, "tickets", ("log.csv.gz", content))
    assert result.records_delivered == 24918
    header, *events = csv.reader(io.StringIO(gzip.decompress(content).decode(), newline=""))
    number, changes = header.index("number"), header.index("sys_mod_count")
    last: dict[str, list[str]] = {}
    for event in events:
        known = last.get(event[number])
        if known is None or int(event[changes]) >= int(known[changes]):
            last[event[number]] = event
    second = [index for index, name in enumerate(header) if name == "category"][1]
    served = [event for event in last.values() if event[second] != "?"]
    assert result.records_accepted == len(served)
    priority = header.index("priority")
    urgent = sum(event[priority] == "1" for event in served)
    found = _read(tmp_path, result, "select count(*) from records where priority = 1")
    assert found == [(urgent,)]
    opened = _read(
        tmp_path,
        result,
        "select cast(opened_at as varchar) from records where ticket_id = '0000045'",
    )
    assert opened == [("2016-02-29 01:16:00",)]


def test_aws_report_of_two_months_with_other_columns(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    names = [f"aws_cur_workshop_2018/{month}2018-WorkshopCUR-00001.snappy.parquet"
             for month in ("Nov", "Oct")]  # fmt: skip
    paths = [_find(name) for name in names]
    headers = [set(pq.read_schema(path).names) for path in paths]
    assert headers[0] != headers[1]
    files = [(path.name, path.read_bytes()) for path in paths]
    results = _land(tmp_path, "aws_cur", "cloud_bill", *files)
    for path, result in zip(paths, results, strict=True):
        costs = pq.read_table(path, columns=["line_item_unblended_cost"]).column(0).to_pylist()
        expected = sum(Decimal(cost).quantize(Decimal("1e-12")) for cost in costs)
        assert (result.records_accepted, result.records_quarantined) == (len(costs), 0)
        assert _total(result, "USD") == expected


def test_ecb_rates_close_each_month(tmp_path: Path) -> None:
    """On the last day of 2019 the ECB published 1.1234 US dollars for a euro."""
    content = _find("ecb_fx/eurofxref-hist.csv").read_bytes()
    (result,) = _land(tmp_path, "ecb_rates", "exchange_rates", ("fx.csv", content))
    last: dict[tuple[str, str], tuple[str, str]] = {}
    for row in _rows(content):
        for currency, rate in row.items():
            if currency not in ("Date", "") and rate not in ("N/A", ""):
                key = (row["Date"][:7], currency)
                last[key] = max(last.get(key, ("", "")), (row["Date"], rate))
    assert (result.records_accepted, result.records_quarantined) == (len(last), 0)
    found = _read(
        tmp_path, result, "select period_id, to_currency_code, exchange_rate from records"
    )
    assert {(p, c): r for p, c, r in found} == {k: Decimal(v[1]) for k, v in last.items()}
    assert last[("2019-12", "USD")] == ("2019-12-31", "1.1234")


@pytest.mark.parametrize(
    ("mapping", "name"),
    [
        ("focus_1_1", "focus_1_0_sample/focus_sample.csv"),
        ("focus_1_3", f"{TOOLKIT}/aws_1_3_cost_and_usage_rows100_seed42.csv"),
        ("focus_1_3", f"{TOOLKIT}/azure_1_3_cost_and_usage_rows100_seed42.csv"),
        ("focus_1_3", f"{TOOLKIT}/gcp_1_3_cost_and_usage_rows100_seed42.csv"),
    ],
)
def test_focus_cost_and_usage(tmp_path: Path, mapping: str, name: str) -> None:
    content = _find(name).read_bytes()
    (result,) = _land(tmp_path, mapping, "cloud_bill", ("focus.csv", content))
    rows = _rows(content)
    exact = [row for row in rows if _has_few_decimals(row)]
    assert exact
    assert (result.records_accepted, result.records_delivered) == (len(exact), len(rows))
    assert _total(result, "USD") == sum(Decimal(row["BilledCost"]) for row in exact)


def test_focus_1_4_names_the_provider_otherwise(tmp_path: Path) -> None:
    """No file of 1.4 is public yet: the one of 1.3 without the columns that 1.4 took out."""
    rows = _rows(_find(f"{TOOLKIT}/aws_1_3_cost_and_usage_rows25_seed7.csv").read_bytes())
    kept = [name for name in rows[0] if name not in ("ProviderName", "PublisherName")]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, kept, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file = ("focus.csv", text.getvalue().encode())
    (result,) = _land(tmp_path, "focus_1_4", "cloud_bill", file)
    assert result.records_accepted == sum(map(_has_few_decimals, rows)) > 0
    assert _read(tmp_path, result, "select distinct provider_name from records") == [("AWS",)]


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp"])
def test_focus_contract_commitments(tmp_path: Path, provider: str) -> None:
    content = _find(f"{TOOLKIT}/{provider}_1_3_contract_commitment_rows100_seed42.csv").read_bytes()
    mapping = "focus_contract_commitments"
    (result,) = _land(tmp_path, mapping, "contract_commitments", ("cc.csv", content))
    rows = _rows(content)
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    costs = [Decimal(row["ContractCommitmentCost"] or 0) for row in rows]
    assert _total(result, "USD") == sum(costs)


def test_netbox_devices(tmp_path: Path) -> None:
    """Devices with a name; members of a chassis have none and are known by it."""
    rows = [row for row in _rows(_find("netbox_demo/dcim_device.csv").read_bytes()) if row["name"]]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    file = ("devices.csv", text.getvalue().encode())
    (result,) = _land(tmp_path, "netbox_devices", "assets", file)
    owned = [row for row in rows if row["tenant_id"]]
    assert (result.records_accepted, result.records_delivered) == (len(owned), len(rows))
    assert _total(result, "EUR") == 0


def test_glpi_inventories(tmp_path: Path) -> None:
    documents = [
        json.loads(_find(f"glpi_inventory/computer_{number}.json").read_text("utf-8"))
        for number in (1, 2, 3)
    ]
    lines = "".join(f"{json.dumps(document)}\n" for document in documents)
    file = ("computers.jsonl", lines.encode())
    (result,) = _land(tmp_path, "glpi_computers", "assets", file)
    found = _read(tmp_path, result, "select asset_name from records order by _row_number")
    whole = [d for d in documents if d["content"]["hardware"].get("chassis_type")]
    assert [row[0] for row in found] == [d["content"]["hardware"]["name"] for d in whole]
    assert result.records_delivered == 3


# Layouts without a public file: headings as the systems export them, figures made up here.
SAP_DE = """\
Buchungskreis;Sachkonto;Belegnummer;Buchungsdatum;Kostenstelle;Text;\
Betrag in Hauswährung;Hauswährung
1000;640000;190000123;31.01.2026;CC100;Wartung März;1.234,56;EUR
1000;640000;190000124;15.02.2026;CC200;Gutschrift;99,90-;EUR
;;;;;;;
"""
SAP_EN = """\
Company Code,G/L Account,Document Number,Posting Date,Cost Center,Text,\
Amount in Local Currency,Local Currency
1000,640000,190000123,31.01.2026,CC100,Support,"1,234.56",EUR
1000,640000,190000124,15.02.2026,CC200,Credit,99.90-,EUR
"""
ORACLE = """\
EFFECTIVE_DATE,SEGMENT1,SEGMENT2,SEGMENT3,JE_HEADER_ID,LINE_DESCRIPTION,CURRENCY_CODE,ACCOUNTED_AMOUNT
2026-01-31,01,CC100,640000,771,Support,EUR,1234.56
2026-02-15,01,CC200,640000,772,Credit,EUR,-99.90
"""


@pytest.mark.parametrize(
    ("mapping", "text", "encoding"),
    [
        ("sap_ledger_de", SAP_DE, "cp1252"),
        ("sap_ledger_en", SAP_EN, "utf-8"),
        ("oracle_gl", ORACLE, "utf-8"),
    ],
)
def test_ledger_extracts(tmp_path: Path, mapping: str, text: str, encoding: str) -> None:
    (result,) = _land(tmp_path, mapping, "general_ledger", ("gl.csv", text.encode(encoding)))
    assert (result.records_accepted, result.records_quarantined) == (2, 0)
    # 1,234.56 - 99.90 = 1,134.66
    assert _total(result, "EUR") == Decimal("1134.66")
    found = _read(
        tmp_path, result, "select period_id, cost_centre_id, document_id from records order by 1"
    )
    assert [row[:2] for row in found] == [("2026-01", "CC100"), ("2026-02", "CC200")]
    assert all(row[2] for row in found)


def test_snipe_it_assets(tmp_path: Path) -> None:
    text = (
        "Asset Tag,Asset Name,Category,Company,Department,Purchase Date,Purchase Cost,Notes\n"
        'A-1,Laptop 1,Laptops,DE01,CC100,2025-03-01,"1,299.50",\n'
    )
    (result,) = _land(tmp_path, "snipe_it_assets", "assets", ("assets.csv", text.encode()))
    assert _total(result, "USD") == Decimal("1299.50")


def test_jira_issues(tmp_path: Path) -> None:
    text = (
        "Issue key,Issue Type,Component/s,Priority,Created,Resolved,Labels,Labels\n"
        "HELP-1,[System] Incident,mail,High,2026-03-02 09:15,2026-03-02 11:00,a,b\n"
        "HELP-2,Service Request,mail,Lowest,2026-03-03 10:00,,,\n"
        "HELP-3,Epic,mail,Low,2026-03-03 10:00,,,\n"
    )
    mapping = "jira_service_management"
    (result,) = _land(tmp_path, mapping, "tickets", ("issues.csv", text.encode()))
    found = _read(
        tmp_path, result, "select ticket_id, ticket_type, priority from records order by 1"
    )
    assert found == [("HELP-1", "incident", 2), ("HELP-2", "request", 5)]
    assert result.records_quarantined == 1
    assert "Epic" in result.reasons[0]


def _sum_rounded(values: list[str]) -> Decimal:
    """Each cost to twelve decimals, half away from zero, as the mapping declares."""
    step = Decimal("1e-12")
    return sum((Decimal(v).quantize(step, ROUND_HALF_UP) for v in values), Decimal(0))


def test_azure_enterprise_agreement(tmp_path: Path) -> None:
    name = "focus_converters_native_bills/sample-anonymous-ea-export-dataset.csv"
    content = _find(name).read_bytes()
    (result,) = _land(tmp_path, "azure_ea", "cloud_bill", ("ea.csv", content))
    rows = _rows(content)
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    costs = [row["CostInBillingCurrency"] for row in rows]
    assert any("E-" in cost for cost in costs)
    assert _total(result, "CAD") == _sum_rounded(costs)
    spans = _read(
        tmp_path,
        result,
        "select distinct billing_period_start::varchar, billing_period_end::varchar, "
        "charge_period_start::varchar, charge_period_end::varchar from records",
    )
    month = ("2023-09-01 00:00:00", "2023-10-01 00:00:00")
    assert spans == [(*month, "2023-09-02 00:00:00", "2023-09-03 00:00:00")]


def test_oracle_cloud_cost_report(tmp_path: Path) -> None:
    name = "focus_converters_native_bills/reports_cost-csv_0000000030000269.csv"
    content = _find(name).read_bytes()
    (result,) = _land(tmp_path, "oci_cost", "cloud_bill", ("oci.csv", content))
    rows = _rows(content)
    assert (result.records_accepted, result.records_quarantined) == (len(rows), 0)
    assert _total(result, "USD") == _sum_rounded([row["cost/myCost"] for row in rows])
    hours = _read(
        tmp_path,
        result,
        "select distinct billing_period_start::varchar, billing_period_end::varchar, "
        "charge_period_end - charge_period_start = interval 1 hour from records",
    )
    assert hours == [("2023-11-01 00:00:00", "2023-12-01 00:00:00", True)]
