"""The journal of a month, worked by hand: IT of DE01 charges three cost centres of two entities.

| cost centre | entity | mail | erp |
|---|---|---:|---:|
| A1 | DE01 | 100.00 | -5.00 |
| B1 | DE01 | 50.00 | |
| F1 | FR01 | 30.10 | |

DE01 debits 100 + 50 - 5 to its own and 30.10 to the receivable, and credits mail 180.10 and erp -5.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.billing.export_journal import export_journal
from pipelines.billing.journal import load_journal
from pipelines.billing.journal_layout import Layout, list_layouts, load_layout, write_journal
from pipelines.books.books import BOOKS_URL_VARIABLE, Books
from pipelines.errors import ConfigurationError, ControlError, UsageError
from pipelines.warehouse.publication import Publication, PublishedFile, write_publication
from pipelines.workspace.config import JournalSettings
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import close_period

MARCH = "2026-03"
SETTINGS = JournalSettings(
    legal_entity="DE01",
    debit_account="8800",
    credit_account="9900",
    credit_cost_centre="IT1",
    receivable_account="1650",
    payable_account="3650",
)
CONFIG = """\
name: Example
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources: {ledger: {contract: general_ledger, inbox: "ledger/*"}}
journal:
  legal_entity: DE01
  debit_account: "8800"
  credit_account: "9900"
  credit_cost_centre: IT1
  receivable_account: "1650"
  payable_account: "3650"
"""
MARTS = """
create schema marts;
use marts;
create table dim_run as select 'EUR' as currency_code;
create table dim_periods as select '2026-03' as period_id, date '2026-04-01' as period_end,
    'open' as period_state;
create table fct_bill_items_monthly as
    select 'actual' as scenario_id, '2026-03' as period_id, 1 as version, entity as legal_entity_id,
        centre as cost_centre_id, service as service_id, name as service_name,
        'charge' as item_kind, '2026-03' as origin_period_id, amount::decimal(38, 2) as amount
    from (values ('DE01', 'A1', 'mail', 'Mail', 100.00), ('DE01', 'A1', 'erp', '=ERP', -5.00),
        ('DE01', 'B1', 'mail', 'Mail', 50.00), ('FR01', 'F1', 'mail', 'Mail', 30.10),
        ('FR01', 'F1', 'free', 'Shown only', 0.00))
        as charges (entity, centre, service, name, amount);
create view rpt_bill_lines as
    select scenario_id, period_id, version, sum(amount) as charged_amount
    from fct_bill_items_monthly where item_kind = 'charge' group by all;
create view rpt_certificate as
    select scenario_id, period_id, version, 'billed' as identity_id, 'left' as side,
        sum(amount) as amount_cents
    from fct_bill_items_monthly group by all;
"""


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(MARTS)
        yield connection


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The same marts, published."""
    monkeypatch.delenv(BOOKS_URL_VARIABLE, raising=False)
    (tmp_path / "apportion.yml").write_text(CONFIG, "utf-8")
    (tmp_path / "warehouse").mkdir()
    with duckdb.connect(str(tmp_path / "warehouse" / "run-1.duckdb")) as connection:
        connection.execute(MARTS)
    found = Workspace.open(tmp_path)
    write_publication(
        found, Publication("1", "", "", (PublishedFile("run-1.duckdb", "open", "", 0),))
    )
    return found


def replace_view(marts: duckdb.DuckDBPyConnection, name: str, columns: str) -> None:
    marts.execute(f"create table marts.changed as select {columns} from {name}")
    marts.execute(f"drop view {name}")
    marts.execute(f"alter table marts.changed rename to {name}")


def test_entries_are_those_worked_by_hand(marts: duckdb.DuckDBPyConnection) -> None:
    journal = load_journal(marts, SETTINGS, MARCH)
    found = [
        (e.legal_entity_id, e.account_id, e.cost_centre_id, str(e.debit), str(e.credit))
        for e in journal.entries
    ]
    assert found == [
        ("DE01", "8800", "A1", "0", "5.00"),
        ("DE01", "8800", "A1", "100.00", "0"),
        ("DE01", "8800", "B1", "50.00", "0"),
        ("FR01", "8800", "F1", "30.10", "0"),
        ("FR01", "3650", "", "0", "30.10"),
        ("DE01", "1650", "", "30.10", "0"),
        ("DE01", "9900", "IT1", "5.00", "0"),
        ("DE01", "9900", "IT1", "0", "180.10"),
    ]
    assert journal.total == Decimal("175.10")
    assert journal.posting_date.isoformat() == "2026-03-31"


# Beside the charges: a credit note of 10.00 for January and one of 2.50 for February to B1, a
# service credit of 1.00 to A1, and to FR01 a mark-up of 3.01 and a tax of 6.62. Recovery is
# credited 180.10 - 10.00 - 2.50 - 1.00 for mail and -5.00 for erp; 3.01 and 6.62 go to their
# accounts; FR01 owes 30.10 + 3.01 + 6.62 = 39.73. In all 175.10 - 13.50 + 9.63 = 171.23.
BESIDES = """
insert into fct_bill_items_monthly values
    ('actual', '2026-03', 1, 'DE01', 'B1', 'mail', 'Mail', 'correction', '2026-02', -2.50),
    ('actual', '2026-03', 1, 'DE01', 'B1', 'mail', 'Mail', 'correction', '2026-01', -10.00),
    ('actual', '2026-03', 1, 'DE01', 'A1', 'mail', 'Mail', 'service_credit', '2026-03', -1.00),
    ('actual', '2026-03', 1, 'FR01', 'F1', 'mail', 'Mail', 'mark_up', '2026-03', 3.01),
    ('actual', '2026-03', 1, 'FR01', 'F1', 'mail', 'Mail', 'tax', '2026-03', 6.62),
    ('actual', '2026-02', 1, 'DE01', 'A1', 'mail', 'Mail', 'tax', '2026-02', 99.00)
"""
ALL_ACCOUNTS = SETTINGS.model_copy(update={"mark_up_account": "9910", "tax_account": "4775"})


def test_what_is_billed_besides_charges_is_posted(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(BESIDES)
    journal = load_journal(marts, ALL_ACCOUNTS, MARCH)
    found = [(e.legal_entity_id, e.account_id, str(e.amount), e.text) for e in journal.entries]
    assert found == [
        ("DE01", "8800", "-5.00", "IT 2026-03 =ERP"),
        ("DE01", "8800", "100.00", "IT 2026-03 Mail"),
        ("DE01", "8800", "-1.00", "IT 2026-03 Mail, service credit for 2026-03"),
        ("DE01", "8800", "50.00", "IT 2026-03 Mail"),
        ("DE01", "8800", "-10.00", "IT 2026-03 Mail, correction of 2026-01"),
        ("DE01", "8800", "-2.50", "IT 2026-03 Mail, correction of 2026-02"),
        ("FR01", "8800", "30.10", "IT 2026-03 Mail"),
        ("FR01", "8800", "3.01", "IT 2026-03 Mail, mark-up"),
        ("FR01", "8800", "6.62", "IT 2026-03 Mail, tax"),
        ("FR01", "3650", "-39.73", "IT 2026-03 billed by DE01 to FR01"),
        ("DE01", "1650", "39.73", "IT 2026-03 billed by DE01 to FR01"),
        ("DE01", "9900", "5.00", "IT 2026-03 =ERP"),
        ("DE01", "9900", "-180.10", "IT 2026-03 Mail"),
        ("DE01", "9900", "10.00", "IT 2026-03 Mail, correction of 2026-01"),
        ("DE01", "9900", "2.50", "IT 2026-03 Mail, correction of 2026-02"),
        ("DE01", "9900", "1.00", "IT 2026-03 Mail, service credit for 2026-03"),
        ("DE01", "9910", "-3.01", "IT 2026-03 Mail, mark-up"),
        ("DE01", "4775", "-6.62", "IT 2026-03 Mail, tax"),
    ]
    assert journal.total == Decimal("171.23")


@pytest.mark.parametrize("kind", ["mark_up", "tax"])
def test_account_that_is_needed_and_not_given_is_told(
    marts: duckdb.DuckDBPyConnection, kind: str
) -> None:
    marts.execute(BESIDES)
    settings = ALL_ACCOUNTS.model_copy(update={f"{kind}_account": None})
    with pytest.raises(UsageError, match=f"set 'journal.{kind}_account'"):
        load_journal(marts, settings, MARCH)


def test_reason_of_an_entry_is_part_of_its_reference(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(BESIDES)
    first = load_journal(marts, ALL_ACCOUNTS, MARCH).reference
    marts.execute(
        "update fct_bill_items_monthly set origin_period_id = '2025-12' "
        "where origin_period_id = '2026-01'"
    )
    assert load_journal(marts, ALL_ACCOUNTS, MARCH).reference != first


def test_charges_alone_keep_the_reference_that_they_had(marts: duckdb.DuckDBPyConnection) -> None:
    """Journals that were posted before there was anything but charges must be recognised."""
    assert load_journal(marts, SETTINGS, MARCH).reference == "IT202603V17788AF0593"


def test_reference_is_that_of_the_entries(marts: duckdb.DuckDBPyConnection) -> None:
    first = load_journal(marts, SETTINGS, MARCH).reference
    assert first.startswith("IT202603V1")
    assert len(first) == 20
    marts.execute(
        "update fct_bill_items_monthly set service_name = 'Post' where service_id = 'mail'"
    )
    assert load_journal(marts, SETTINGS, MARCH).reference == first
    marts.execute("update fct_bill_items_monthly set amount = 50.01 where amount = 50")
    assert load_journal(marts, SETTINGS, MARCH).reference != first


def test_statements_of_another_total_are_refused(marts: duckdb.DuckDBPyConnection) -> None:
    replace_view(marts, "rpt_bill_lines", "* replace (charged_amount + 0.01 as charged_amount)")
    with pytest.raises(ControlError, match=r"statements of .* 175\.11, the journal to 175\.10"):
        load_journal(marts, SETTINGS, MARCH)


def test_certificate_of_another_total_is_refused(marts: duckdb.DuckDBPyConnection) -> None:
    replace_view(marts, "rpt_certificate", "* replace (amount_cents - 0.10 as amount_cents)")
    with pytest.raises(ControlError, match=r"certificate of .* 175\.00, the journal to 175\.10"):
        load_journal(marts, SETTINGS, MARCH)


def test_charge_without_a_legal_entity_is_refused(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        "update fct_bill_items_monthly set legal_entity_id = null where cost_centre_id = 'B1'"
    )
    with pytest.raises(ControlError, match="cost centres B1 are billed"):
        load_journal(marts, SETTINGS, MARCH)


def test_period_without_charges_is_told(marts: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="no charges of 2026-04"):
        load_journal(marts, SETTINGS, "2026-04")
    marts.execute("update fct_bill_items_monthly set amount = 0")
    with pytest.raises(UsageError, match="nothing is billed"):
        load_journal(marts, SETTINGS, MARCH)


LINES = {
    "generic": "{ref},3,2026-03-31,2026-03,DE01,8800,B1,50.00,,EUR,mail,IT 2026-03 Mail",
    "sap": "DE01;SA;31.03.2026;31.03.2026;03;EUR;{ref};3;40;8800;50,00;B1;mail;IT 2026-03 Mail\r",
    "oracle": "NEW,2026/03/31,Apportion,IT chargeback,EUR,A,DE01,B1,8800,50.00,,{ref},{ref},"
    "IT 2026-03 Mail,2026-03",
}


@pytest.mark.parametrize("name", LINES)
def test_layout_writes_what_its_ledger_reads(
    marts: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    journal = load_journal(marts, SETTINGS, MARCH)
    lines = write_journal(journal, load_layout(name, tmp_path)).decode().split("\n")
    assert lines[3] == LINES[name].format(ref=journal.reference)
    assert len(lines) == 1 + len(journal.entries) + 1


def test_own_layout_comes_first_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    own = tmp_path / "generic.yml"
    own.write_text("description: x\ncolumns: [{name: a, field: account}]\n", "utf-8")
    assert [column.name for column in load_layout("generic", tmp_path).columns] == ["a"]
    own.write_text("description: x\ncolumns: [{name: a}]\n", "utf-8")
    with pytest.raises(ConfigurationError, match="either a field or a constant"):
        load_layout("generic", tmp_path)
    with pytest.raises(UsageError, match="there are generic, oracle, sap"):
        load_layout("../generic", tmp_path)
    assert list_layouts(tmp_path) == ["generic", "oracle", "sap"]


def test_formula_in_a_text_is_shown_and_not_run(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute("update fct_bill_items_monthly set service_id = '=1+1' where service_id = 'mail'")
    layout = Layout.model_validate(
        {"description": "", "columns": [{"name": "s", "field": "service"}]}
    )
    content = write_journal(load_journal(marts, SETTINGS, MARCH), layout).decode()
    assert "'=1+1" in content
    assert "\n=1+1" not in content


def test_only_a_closed_period_is_posted_and_only_once(workspace: Workspace) -> None:
    books = Books.open(workspace)
    with pytest.raises(ControlError, match="2026-03 is open: only a closed period"):
        export_journal(workspace, books, MARCH)
    preview = export_journal(workspace, books, MARCH, is_preview=True)
    assert preview.journal.reference.startswith("PREVIEW-IT")
    assert preview.path.name == "2026-03_v1_generic_preview.csv"
    close_period(books, MARCH)
    first = export_journal(workspace, books, MARCH, "sap")
    content = first.path.read_bytes()
    first.path.unlink()
    again = export_journal(workspace, books, MARCH, "sap")
    assert (first.exported_before, again.path.read_bytes()) == (None, content)
    assert again.exported_before is not None
    assert again.journal.reference == first.journal.reference
    with books.read() as connection:
        from pipelines.books.tables import journal_exports

        rows = connection.execute(journal_exports.select()).all()
    assert [(row.reference, row.total) for row in rows] == [(first.journal.reference, "175.10")]
    books.close()


def test_workspace_without_a_journal_is_told(workspace: Workspace) -> None:
    path = workspace.root / "apportion.yml"
    path.write_text(path.read_text("utf-8").split("journal:")[0], "utf-8")
    plain = Workspace.open(workspace.root)
    books = Books.open(plain)
    with pytest.raises(UsageError, match="under 'journal'"):
        export_journal(plain, books, MARCH)
    books.close()
