"""What is proposed for foreign layouts, and what is left to a person."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from pipelines.contracts.contract import load_contract
from pipelines.mappings.file_head import HeadNotReadError
from pipelines.mappings.infer import Proposal, compare_names, infer_mapping
from pipelines.mappings.mapping import Mapping, refuse_misfit
from pipelines.mappings.preview import preview_records
from pipelines.mappings.write_proposal import (
    MappingExistsError,
    render_proposal,
    write_proposal,
)

from .foreign_files import GLA, OPEN_FORMS, SAP_DE, SERVICE_NOW, write

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
    assert "amount_local: Betrag in Hauswährung  # 0.97:" in text
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
    # No entity, no cost centre, no currency; AccountCode is empty throughout.
    assert proposal.match.missing == (
        "legal_entity_id",
        "account_id",
        "cost_centre_id",
        "currency_code",
    )
    assert set(proposal.match.missing) <= _decides(proposal)
    mapping = Mapping.model_validate(yaml.safe_load(render_proposal(proposal)))
    with pytest.raises(ValueError, match="no column to the required fields legal_entity_id"):
        refuse_misfit(mapping, proposal.match.contract)


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
        "ticket_type": {"Incident": "incident", "Service Request": "request"},
        "priority": {"2 - High": "2", "3 - Moderate": "3", "4 - Low": "4"},
    }
    assert _decides(proposal) == {
        "time_zone",
        "response_target_minutes",
        "resolution_target_minutes",
        "value_maps.ticket_type",
    }
    records = preview_records(proposal.head, proposal.match.contract, proposal.settings)
    assert records[0].values["opened_at"] == "2026-02-13T09:15:00"
    assert records[1].values["resolved_at"] is None
    assert "ticket_type: expected one of incident, request, change, found 'Catalog Task'" in (
        records[3].problems
    )


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
        (b'{"a": 1}', "JSON"),
        (b"PK\x03\x04rest", "ZIP"),
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
    assert compare_names("billing_account_id", "BillingAccountId") == (1.0, "billing_account_id")
    likeness, known = compare_names("currency_code", "Hauswährung")
    assert (likeness, known) == (0.97, "hauswaehrung")
    assert compare_names("amount_local", "Shoe size")[0] < 0.5


def test_text_of_the_sender_cannot_add_a_setting(tmp_path: Path) -> None:
    text = OPEN_FORMS.replace("1,2026-05", '"x\nrow_key: true",2026-05', 1)
    written = yaml.safe_load(render_proposal(infer_mapping(write(tmp_path, "e.csv", text))))
    assert "row_key" not in written


@pytest.mark.parametrize(
    ("name", "ready"),
    [
        ("gla_ledger_2008_2013/all.csv", ("gla_ledger",)),
        ("itsm_uci_servicenow/incident_event_log.csv.gz", ("servicenow_incidents",)),
        ("focus_toolkit_1_2_1_3/aws_1_3_cost_and_usage_rows25_seed7.csv", ("focus_1_3",)),
        ("focus_toolkit_1_2_1_3/aws_1_2_cost_and_usage_rows25_seed7.csv", ("focus_1_2",)),
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
