"""What is proposed for foreign layouts, and what is left to a person."""

from __future__ import annotations

import gzip
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
import yaml

from pipelines.contracts.contract import load_contract
from pipelines.mappings.column_hints import compare_names
from pipelines.mappings.file_head import HeadNotReadError
from pipelines.mappings.infer import Proposal, infer_mapping
from pipelines.mappings.mapping import Mapping, refuse_misfit
from pipelines.mappings.preview import preview_records
from pipelines.mappings.write_proposal import (
    MappingExistsError,
    render_proposal,
    write_proposal,
)

from .foreign_files import GLA, OPEN_FORMS, SAP_DE, SERVICE_NOW, write

NATIVE = "focus_converters_native_bills"
DATA = Path(__file__).parents[4] / "shared" / "data"


def _columns(proposal: Proposal) -> dict[str, str]:
    return {guess.field: guess.column for guess in proposal.match.guesses}


def _decides(proposal: Proposal) -> set[str]:
    return {decision.split(":")[0] for decision in proposal.decisions}


def test_german_ledger(tmp_path: Path) -> None:
    proposal = infer_mapping(write(tmp_path, "fbl3n.csv", SAP_DE, "cp1252"))
    assert proposal.match.contract.contract_id == "general_ledger"
    assert _columns(proposal) == {
        "posting_date": "Buchungsdatum",
        "legal_entity_id": "Buchungskreis",
        "account_id": "Sachkonto",
        "cost_centre_id": "Kostenstelle",
        "vendor_name": "Name des Lieferanten",
        "document_id": "Belegnummer",
        "description": "Text",
        "currency_code": "Hauswährung",
        "amount_local": "Betrag in Hauswährung",
    }
    expected = {
        "encoding": "cp1252",
        "delimiter": ";",
        "header_row": 2,
        "decimal_mark": ",",
        "thousands_mark": ".",
        "negative_form": "trailing",
        "date_order": "dmy",
        "date_separator": ".",
        "period_from": "posting_date",
        "row_key": True,
    }
    assert {name: proposal.settings.get(name) for name in expected} == expected
    assert _decides(proposal) == {"encoding", "period_from", "row_key"}


def test_preview_of_the_german_ledger(tmp_path: Path) -> None:
    proposal = infer_mapping(write(tmp_path, "fbl3n.csv", SAP_DE, "cp1252"))
    records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    assert [record.values["amount_local"] for record in records] == [
        "1234.56",
        "-99.90",
        "12000.00",
    ]
    assert [record.values["period_id"] for record in records] == ["2026-01"] * 3
    assert records[0].values["posting_date"] == "2026-01-31"
    assert records[0].values["description"] == "Wartung März"
    assert all(record.problems == () for record in records)


def test_proposal_without_open_fields_is_a_mapping(tmp_path: Path) -> None:
    proposal = infer_mapping(write(tmp_path, "fbl3n.csv", SAP_DE, "cp1252"))
    written = tmp_path / "mappings" / "erp.yml"
    write_proposal(proposal, written)
    text = written.read_text("utf-8")
    mapping = Mapping.model_validate(yaml.safe_load(text))
    refuse_misfit(mapping, load_contract("general_ledger"))
    assert mapping.mapping_id == "erp"
    assert "# decide: row_key" in text
    assert "amount_local: Betrag in Hauswährung  # 0.9" in text
    with pytest.raises(MappingExistsError, match="found a file"):
        write_proposal(proposal, written)
    assert written.read_text("utf-8") == text


def test_public_ledger_lacks_what_it_never_says(tmp_path: Path) -> None:
    proposal = infer_mapping(write(tmp_path, "all.csv", GLA))
    assert proposal.match.contract.contract_id == "general_ledger"
    assert proposal.match.fits
    assert _columns(proposal)["amount_local"] == "Amount"
    assert _columns(proposal)["vendor_name"] == "Vendor"
    assert _columns(proposal)["line_id"] == "ID"
    # No entity, cost centre or currency; AccountCode is empty, so accounts are named.
    assert proposal.match.missing == ("legal_entity_id", "cost_centre_id", "currency_code")
    assert proposal.settings["identifiers"] == {"account_id": "from_name"}
    assert _columns(proposal)["account_id"] == "AccountDescription"
    # Only the currency is left to a person: no value is right for most.
    assert proposal.match.open_fields == ("currency_code",)
    assert "currency_code" in _decides(proposal)
    written = yaml.safe_load(render_proposal(proposal))
    assert written["constants"] == {
        "legal_entity_id": "main",
        "cost_centre_id": "it",
        "currency_code": "",
    }
    with pytest.raises(ValueError, match="the constant currency_code is empty"):
        Mapping.model_validate(written)
    written["constants"]["currency_code"] = "GBP"
    refuse_misfit(Mapping.model_validate(written), proposal.match.contract)


def test_ticket_export(tmp_path: Path) -> None:
    proposal = infer_mapping(write(tmp_path, "incident.csv", SERVICE_NOW))
    assert proposal.match.contract.contract_id == "tickets"
    assert _columns(proposal) == {
        "ticket_id": "Number",
        "ticket_type": "Task type",
        "service_id": "Business service",
        "priority": "Priority",
        "opened_at": "Opened",
        "resolved_at": "Resolved",
        "effort_minutes": "Time worked",
    }
    assert proposal.settings["timestamp_formats"] == ["%d/%m/%Y %H:%M"]
    assert proposal.settings["null_tokens"] == ["?"]
    assert proposal.settings["value_maps"] == {
        "ticket_type": {
            "Incident": "incident",
            "Service Request": "request",
            "Catalog Task": "request",
        },
        "priority": {"2 - High": "2", "3 - Moderate": "3", "4 - Low": "4"},
    }
    assert _decides(proposal) == {
        "time_zone",
    }
    records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    assert records[0].values["opened_at"] == "2026-02-13T09:15:00.000000Z"
    assert records[1].values["resolved_at"] is None
    assert records[3].problems == ()


def test_open_date_order_and_decimal_mark_are_not_guessed(tmp_path: Path) -> None:
    proposal = infer_mapping(write(tmp_path, "open.csv", OPEN_FORMS))
    assert {"date_order", "decimal_mark"} <= _decides(proposal)
    assert "date_order" not in proposal.settings
    assert "decimal_mark" not in proposal.settings
    assert "# decide: date_order: day or month first; 05/01/2026" in render_proposal(proposal)


@pytest.mark.parametrize(
    ("date", "amount", "settings"),
    [
        ("13/01/2026", "0.234", {"date_order": "dmy"}),
        ("01/13/2026", "1,234", {"date_order": "mdy"}),
        ("05.01.2026", "1.234,5", {"date_order": "dmy", "decimal_mark": ","}),
        ("05.01.2026", "1.234.567", {"decimal_mark": ",", "thousands_mark": "."}),
        ("05.01.2026", "(12.50)", {"negative_form": "parentheses"}),
    ],
)
def test_one_telling_value_settles_the_form(
    tmp_path: Path, date: str, amount: str, settings: dict[str, str]
) -> None:
    text = OPEN_FORMS.replace("05/01/2026,DE01,6400,CC1,EUR,1.234", "{},DE01,6400,CC1,EUR,{}")
    text = text.replace("04/02/2026", date).format(date, f'"{amount}"')
    proposal = infer_mapping(write(tmp_path, "told.csv", text))
    assert {name: proposal.settings.get(name) for name in settings} == settings


def test_years_of_two_digits_are_named(tmp_path: Path) -> None:
    text = OPEN_FORMS.replace("/2026,", "/26,")
    proposal = infer_mapping(write(tmp_path, "short.csv", text))
    assert any("two digits" in decision for decision in proposal.decisions)
    assert proposal.settings["century"] == 20


DEBIT_CREDIT = """\
Date,Company,Department,Account,Currency,Debit,Credit
2026-01-31,DE01,CC1,6400,EUR,1234.56,
2026-01-30,DE01,CC1,6400,EUR,,99.90
"""


def test_debit_and_credit_are_one_amount(tmp_path: Path) -> None:
    proposal = infer_mapping(write(tmp_path, "gl.csv", DEBIT_CREDIT))
    assert proposal.settings["net_of"] == {"amount_local": {"debit": "Debit", "credit": "Credit"}}
    assert "amount_local" not in proposal.settings["columns"]
    assert "net_of" in _decides(proposal)
    assert proposal.match.missing == ()
    refuse_misfit(
        Mapping.model_validate(yaml.safe_load(render_proposal(proposal))),
        load_contract("general_ledger"),
    )
    records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    assert [record.values["amount_local"] for record in records] == ["1234.56", "-99.90"]


def test_one_side_alone_is_no_amount_of_two(tmp_path: Path) -> None:
    text = DEBIT_CREDIT.replace("Credit", "Remark")
    assert "net_of" not in infer_mapping(write(tmp_path, "gl.csv", text)).settings


@pytest.mark.parametrize(
    ("heading", "debit", "credit"),
    [("S/H", "S", "H"), ("Dr/Cr", "Dr", "Cr"), ("Debit/Credit Indicator", "D", "C")],
)
def test_a_column_that_says_the_sign(tmp_path: Path, heading: str, debit: str, credit: str) -> None:
    text = (
        f"Date,Company,Department,Account,Currency,Amount,{heading}\n"
        f"2026-01-31,DE01,CC1,6400,EUR,1234.56,{debit}\n2026-01-30,DE01,CC1,6400,EUR,99.90,{credit}\n"
    )
    proposal = infer_mapping(write(tmp_path, "gl.csv", text))
    assert proposal.settings["sign_from"] == {
        "amount_local": {"column": heading, "negative": [credit], "positive": [debit]}
    }
    assert "sign_from" in _decides(proposal)
    records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    assert [record.values["amount_local"] for record in records] == ["1234.56", "-99.90"]
    other = text.replace(f",{credit}\n", ",X\n")
    assert "sign_from" not in infer_mapping(write(tmp_path, "other.csv", other)).settings


def test_exponents_and_many_decimals(tmp_path: Path) -> None:
    """5.64902E-05 has ten decimals, 2.323760001E-9 has eighteen; zeros at the end say nothing."""
    for amount, settings in (
        ("5.64902E-05", {"allow_scientific": ["amount_local"], "round_to": None}),
        ("2.323760001E-9", {"round_to": {"amount_local": 12}}),
        ("0.0000000000005", {"round_to": {"amount_local": 12}, "allow_scientific": None}),
        ("0.5000000000000", {"round_to": None, "allow_scientific": None}),
    ):
        text = OPEN_FORMS.replace("1.234\n", f"{amount}\n").replace("500\n", "1.5\n")
        proposal = infer_mapping(write(tmp_path, f"{amount}.csv", text))
        assert {name: proposal.settings.get(name) for name in settings} == settings, amount
        assert ("round_to" in _decides(proposal)) == bool(proposal.settings.get("round_to"))
        records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
        # Rounded to twelve decimals where the mapping says so: 0.000000002324 of 2.323760001E-9.
        exact = Decimal(amount).quantize(Decimal(1).scaleb(-12), ROUND_HALF_UP)
        assert Decimal(str(records[0].values["amount_local"])) == exact


def test_code_with_its_name_behind_it(tmp_path: Path) -> None:
    text = DEBIT_CREDIT.replace(",6400,", ",6400 - Software,")
    proposal = infer_mapping(write(tmp_path, "gl.csv", text))
    assert set(proposal.settings["extract"]) == {"account_id"}
    records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    assert [record.values["account_id"] for record in records] == ["6400", "6400"]
    assert "extract.account_id" in _decides(proposal)


def test_three_capitals_are_no_currency_by_themselves(tmp_path: Path) -> None:
    text = DEBIT_CREDIT.replace("Currency", "Family").replace(",EUR,", ",CAB,")
    proposal = infer_mapping(write(tmp_path, "gl.csv", text), "general_ledger")
    assert proposal.match.open_fields == ("currency_code",)
    named = DEBIT_CREDIT.replace("Currency", "Family")
    proposal = infer_mapping(write(tmp_path, "named.csv", named), "general_ledger")
    assert _columns(proposal)["currency_code"] == "Family"


def test_words_before_a_mark_that_all_share_are_no_codes(tmp_path: Path) -> None:
    """'EXP' of every record would be one account."""
    rows = DEBIT_CREDIT.splitlines()
    text = "\n".join(
        [
            rows[0],
            rows[1].replace(",6400,", ",EXP - Software,"),
            rows[2].replace(",6400,", ",EXP - Hardware,"),
            "",
        ]
    )
    proposal = infer_mapping(write(tmp_path, "gl.csv", text))
    assert "extract" not in proposal.settings
    assert proposal.settings["identifiers"] == {"account_id": "from_name"}


@pytest.mark.parametrize(
    ("footer", "rows"),
    [("Total,,,,,1234.56,99.90\n", 1), ("\nSumme:,,,,,1134.66,", 1), ("2 records\n\n", 2)],
)
def test_a_total_at_the_end_is_noticed(tmp_path: Path, footer: str, rows: int) -> None:
    proposal = infer_mapping(write(tmp_path, "gl.csv", DEBIT_CREDIT + footer))
    assert proposal.settings["footer_rows"] == rows
    assert "footer_rows" in _decides(proposal)
    assert len(proposal.head.records) == 2


def test_times_of_two_forms_are_both_declared(tmp_path: Path) -> None:
    text = SERVICE_NOW.replace("13/02/2026 09:15", "2026-02-13T09:15Z")
    text = text.replace("13/02/2026 11:00", "2026-02-13T11:00:00Z")
    text = "\n".join(text.splitlines()[:2]) + "\n"
    proposal = infer_mapping(write(tmp_path, "two.csv", text))
    forms = ["%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"]
    assert proposal.settings["timestamp_formats"] == forms


def test_log_of_events_is_noticed(tmp_path: Path) -> None:
    again = SERVICE_NOW + SERVICE_NOW.splitlines()[1] + "\n"
    proposal = infer_mapping(write(tmp_path, "log.csv", again))
    assert "last_state_of" in _decides(proposal)


def test_gzip_and_named_contract(tmp_path: Path) -> None:
    path = tmp_path / "all.csv.gz"
    path.write_bytes(gzip.compress(GLA.encode()))
    proposal = infer_mapping(path, "budget")
    assert proposal.match.contract.contract_id == "budget"
    assert proposal.settings["compression"] == "gzip"


def test_what_is_no_contract_fits_none(tmp_path: Path) -> None:
    text = "colour,shoe size\nred,43\nblue,44\n"
    proposal = infer_mapping(write(tmp_path, "shoes.csv", text))
    assert not proposal.match.fits


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b'{"a": [1}', "no JSON"),
        (b"[1, 2]", "JSON without a list of records"),
        (b"PK\x03\x04rest", "cannot be read"),
        (b"one column\n1\n2\n", "text without columns"),
        (b"a,b\n", "a header without records"),
        (b"\x1f\x8bbroken", "cannot be read"),
    ],
)
def test_files_that_are_no_table_are_refused(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(HeadNotReadError, match=found):
        infer_mapping(path)


def test_names_are_compared_without_case_umlauts_and_camel_case() -> None:
    found = compare_names("billing_account_id", "BillingAccountId", "cloud_bill")
    assert found == (1.0, "billing_account_id")
    likeness, known = compare_names("currency_code", "Hauswährung", "general_ledger")
    assert known == "hauswaehrung"
    assert 0.9 < likeness < 0.97
    assert compare_names("amount_local", "Shoe size", "general_ledger")[0] < 0.5


def test_text_of_the_sender_cannot_add_a_setting(tmp_path: Path) -> None:
    text = OPEN_FORMS.replace("1,2026-05", '"x\nrow_key: true",2026-05', 1)
    written = yaml.safe_load(render_proposal(infer_mapping(write(tmp_path, "e.csv", text))))
    assert "row_key" not in written


@pytest.mark.parametrize(
    ("name", "ready"),
    [
        ("gla_ledger_2008_2013/all.csv", ()),
        ("itsm_uci_servicenow/incident_event_log.csv.gz", ("servicenow_incidents",)),
        ("focus_toolkit_1_2_1_3/aws_1_3_cost_and_usage_rows25_seed7.csv", ("focus_1_3",)),
        ("focus_toolkit_1_2_1_3/aws_1_2_cost_and_usage_rows25_seed7.csv", ("focus_1_2",)),
        ("focus_1_0_sample/focus_sample.csv", ("focus_1_0",)),
        (f"{NATIVE}/sample-anonymous-aws-export-dataset.csv", ("aws_cur_csv",)),
        (f"{NATIVE}/sample-anonymous-ea-export-dataset.csv", ("azure_ea", "azure_ea_amortized")),
        (f"{NATIVE}/reports_cost-csv_0000000030000269.csv", ("oci_cost",)),
    ],
)
def test_ready_mapping_of_a_published_file_is_named(name: str, ready: tuple[str, ...]) -> None:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the published file {name} is not beside the checkout")
    proposal = infer_mapping(path)
    assert proposal.match.fits
    assert proposal.ready_mappings == ready


def test_published_ledger_is_read_as_it_is() -> None:
    path = DATA / "gla_ledger_2008_2013" / "all.csv"
    if not path.is_file():
        pytest.skip("the published GLA ledger is not beside the checkout")
    proposal = infer_mapping(path)
    assert proposal.match.contract.contract_id == "general_ledger"
    records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    assert len(records) == 5
    # The first two payments of the published file: 1,390.11 and 1,222.01 pounds.
    assert sum(Decimal(str(r.values["amount_local"])) for r in records[:2]) == Decimal("2612.12")


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("Betrag EUR", ("betrag", "EUR")),
        ("Amount (USD)", ("amount", "USD")),
        ("Montant en €", ("montant", "EUR")),
        ("Net amount in CHF", ("net amount", "CHF")),
        # A currency alone is a name, and of two nobody knows which one counts.
        ("EUR", ("EUR", None)),
        ("EUR to USD rate", ("EUR to USD rate", None)),
        ("Amount", ("Amount", None)),
    ],
)
def test_currency_in_the_name_of_a_column(column: str, expected: tuple[str, str | None]) -> None:
    from pipelines.mappings.column_hints import split_currency

    assert split_currency(column) == expected


def test_currency_of_the_amount_is_proposed_from_its_name(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "Buchungsdatum;Konto;Kostenstelle;Betrag EUR\n"
        "31.01.2026;6300;9010;1.234,56\n31.01.2026;6400;9010;7,00\n",
        "utf-8",
    )
    proposal = infer_mapping(path, "general_ledger")
    assert proposal.settings["columns"]["amount_local"] == "Betrag EUR"
    assert proposal.settings["constants"] == {"legal_entity_id": "main", "currency_code": "EUR"}
    assert "currency_code" not in proposal.match.missing
    assert any("the amount's column says EUR" in text for text in proposal.decisions)


def test_numbered_periods_are_pointed_out(tmp_path: Path) -> None:
    """2026-P02 is no month; a workspace of months takes the day, one of such periods the number."""
    lines = "".join(
        f"2026-P02,de,6400,it,2025-05-0{day},Licence {day},EUR,{day}0.50\n" for day in range(1, 6)
    )
    header = "Fiscal Period,Company,Account,Cost center,Posting date,Text,Currency,Amount\n"
    path = write(tmp_path, "ledger.csv", header + lines)
    proposal = infer_mapping(path)
    assert proposal.settings["period_from"] == "posting_date"
    (told,) = [text for text in proposal.decisions if text.startswith("period_from:")]
    assert "'Fiscal Period' has '2026-P02', the number of a period" in told
    assert "--column 'period_id=Fiscal Period'" in told
