"""What `infer` proposes for signs of currencies, debit and credit marks, providers and lists."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.mappings.answers import Answers
from pipelines.mappings.file_head import HeadNotReadError
from pipelines.mappings.infer import Proposal, infer_mapping

from .test_system_layouts import land_proposal

LEDGER = "Doc No,Posting Date,Account,Amount\n"


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.write_text(text, "utf-8")
    return path


def accepted(root: Path, file: Path, proposal: Proposal) -> tuple[int, dict[str, Decimal]]:
    """(records, amount by currency) of what landed, with nothing in quarantine."""
    result = land_proposal(root, file, proposal)
    assert (result.state, result.records_quarantined, result.message) == ("landed", 0, "")
    amounts = result.amounts or {}
    return result.records_accepted, {c: Decimal(a["accepted"]) for c, a in amounts.items()}


@pytest.mark.parametrize(
    ("amounts", "total", "settings"),
    [
        # 1,500.00 - 900.23 - 1,182.77 = -583.00; the sign stands inside and outside of brackets.
        (('"$1,500.00"', "($900.23)", '"$(1,182.77)"'), {"USD": "-583.00"}, {"$": "USD"}),
        # -1,000.00 - 80.50 = -1,080.50
        (('"-1.000,00 €"', '"-80,50 €"'), {"EUR": "-1080.50"}, {"€": "EUR"}),
        (("CHF 12.50", "CHF -2.50"), {"CHF": "10.00"}, {"CHF": "CHF"}),
        (("£5.25", "US$3.10"), {"GBP": "5.25", "USD": "3.10"}, {"US$": "USD", "£": "GBP"}),
    ],
)
def test_signs_of_currencies_in_amounts(
    tmp_path: Path, amounts: tuple[str, ...], total: dict[str, str], settings: dict[str, str]
) -> None:
    lines = [f"{n},2026-01-0{n},6100,{amount}\n" for n, amount in enumerate(amounts, start=1)]
    file = write(tmp_path, "ledger.csv", LEDGER + "".join(lines))
    found = infer_mapping(file)
    assert found.settings["currency_marks"] == settings
    assert found.match.open_fields == ()
    expected = {code: Decimal(amount) for code, amount in total.items()}
    assert accepted(tmp_path, file, found) == (len(amounts), expected)


def test_a_dollar_is_that_of_the_currency_column_or_of_the_workspace(tmp_path: Path) -> None:
    header = "Doc No,Posting Date,Account,Currency,Amount\n"
    own = write(tmp_path, "a.csv", f"{header}1,2026-01-01,6100,CAD,$5.10\n")
    assert infer_mapping(own).settings["currency_marks"] == {"$": "CAD"}
    bare = write(tmp_path, "b.csv", f"{LEDGER}1,2026-01-01,6100,$5.10\n")
    found = infer_mapping(bare, answers=Answers(currency="AUD"))
    assert found.settings["currency_marks"] == {"$": "AUD"}
    assert found.settings["constants"]["currency_code"] == "AUD"
    # Nothing says which dollar: the commonest is proposed, and the person is told.
    assert any("'$' in amounts is taken for USD" in text for text in infer_mapping(bare).decisions)


@pytest.mark.parametrize(
    ("amounts", "total", "marks"),
    [
        (("100.00DR", "30.50CR"), "69.50", None),
        (("100.00 Dr", "30.50 Cr", "0.00"), "69.50", None),
        (("100.00 S", "30.50 H"), "69.50", {"negative": ["H"], "positive": ["S"]}),
        (("100.00", "30.50CR"), "69.50", {"negative": ["CR"], "positive": [""]}),
    ],
)
def test_debit_and_credit_behind_amounts(
    tmp_path: Path, amounts: tuple[str, ...], total: str, marks: dict[str, list[str]] | None
) -> None:
    """100.00 of debit less 30.50 of credit is 69.50."""
    lines = [f"{n},2026-01-0{n},6100,{amount}\n" for n, amount in enumerate(amounts, start=1)]
    file = write(tmp_path, "ledger.csv", LEDGER + "".join(lines))
    found = infer_mapping(file, answers=Answers(constants={"currency_code": "EUR"}))
    assert found.settings["negative_form"] == "cr_dr"
    assert found.settings.get("sign_marks") == marks
    assert any(text.startswith("negative_form: ") for text in found.decisions)
    assert accepted(tmp_path, file, found) == (len(amounts), {"EUR": Decimal(total)})


@pytest.mark.parametrize(
    ("name", "columns", "provider"),
    [
        ("bill.csv", "line_item_usage_start_date,line_item_unblended_cost", "AWS"),
        ("azure_2026-01.csv", "ChargePeriodStart,BilledCost", "Microsoft"),
        ("bill.csv", "ChargePeriodStart,BilledCost", "unknown"),
    ],
)
def test_who_bills_is_told_by_names_or_unknown(
    tmp_path: Path, name: str, columns: str, provider: str
) -> None:
    file = write(tmp_path, name, f"{columns},currency\n2026-01-01T00:00:00Z,5.25,USD\n")
    found = infer_mapping(file, "cloud_bill")
    assert found.settings["constants"]["provider_name"] == provider


def test_a_fragment_of_a_bill_is_asked_for_one_moment(tmp_path: Path) -> None:
    """Two columns that only bills have; the end and the billing period follow from the start."""
    text = "ChargeCategory,BilledCost,BillingCurrency\nUsage,100.00,USD\nCredit,-25.00,USD\n"
    file = write(tmp_path, "fragment.csv", text)
    found = infer_mapping(file)
    assert (found.match.contract.contract_id, found.match.fits) == ("cloud_bill", True)
    assert found.match.open_fields == ("charge_period_start",)
    answers = Answers(constants={"charge_period_start": "2026-01-01"})
    found = infer_mapping(file, "cloud_bill", answers)
    assert accepted(tmp_path, file, found) == (2, {"USD": Decimal("75.00")})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("roles.csv", "created,id,name,slug,color\n2026-01-01,1,Router,router,4caf50\n"),
        ("sites.csv", "id,name,status,facility,latitude,tenant_id\n1,Akron,active,,41.08,5\n"),
        ("category_mapping.csv", "product_code,ServiceCategory\nAmazonS3,Storage\n"),
        ("contacts.csv", "id,name,title,phone,email\n1,Jo,Manager,555-1,jo@example.com\n"),
    ],
)
def test_a_list_of_names_belongs_to_no_contract(tmp_path: Path, name: str, text: str) -> None:
    found = infer_mapping(write(tmp_path, name, text))
    assert not found.match.fits
    assert found.match.is_list_of_names


def test_numbers_that_count_something_are_no_purchase_amount(tmp_path: Path) -> None:
    text = '{"deviceid": "a-1", "itemtype": "Printer", "pagecounters": {"total": 1802}}\n'
    found = infer_mapping(write(tmp_path, "printer.jsonl", text))
    assert found.match.contract.contract_id == "assets"
    assert found.settings["constants"]["purchase_amount_local"] == "0"


def test_columns_of_a_folder_that_stand_beside_each_other_are_not_one_field(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "inventory"
    folder.mkdir()
    write(folder, "a.jsonl", '{"deviceid": "a-1", "itemtype": "PC", "hostname": "pc1"}\n')
    both = '{"deviceid": "b-1", "itemtype": "Switch", "device_name": "sw1", "name": "swx"}\n'
    write(folder, "b.jsonl", both)
    columns = infer_mapping(folder).settings["columns"]["asset_name"]
    names = [columns] if isinstance(columns, str) else columns
    assert len({"device_name", "name"} & set(names)) == 1


def test_a_header_without_records_asks_for_nothing(tmp_path: Path) -> None:
    with pytest.raises(HeadNotReadError, match="holds nothing, so there is nothing to do"):
        infer_mapping(write(tmp_path, "empty.csv", "id,name,amount\n"))
