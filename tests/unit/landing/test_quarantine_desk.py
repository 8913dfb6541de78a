"""Decisions on quarantined records: what counts afterwards, what is refused, and that the money of
a load is accounted for whatever was decided."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from pipelines.books.audit import find_chain_breaks
from pipelines.errors import UsageError
from pipelines.landing.land import LoadResult
from pipelines.landing.quarantine import (
    QuarantinedRecord,
    find_load,
    list_records,
    show_record,
    sum_records,
)
from pipelines.landing.quarantine_decisions import (
    DecisionRefusedError,
    DecisionResult,
    discard_records,
    release_records,
)
from pipelines.landing.quarantine_money import LoadMoney, count_money
from pipelines.warehouse.lake_views import (
    ActiveLoad,
    create_lake_views,
    create_load_tables,
    list_active_loads,
    read_corrections,
)
from tests.unit.landing.company import FIELDS, Company, ledger, open_company, record

# Accepted: 100.00. In quarantine: a word, 1.005 EUR (too many decimals), 50.25 in "eur".
MIXED = ledger(
    record("L1"),
    record("L2", "1e3"),
    record("L3", "1.005"),
    record("L4", "50.25", currency_code="eur"),
)


@pytest.fixture
def landed(company: Company) -> LoadResult:
    return company.land_one(MIXED)


def _loads(company: Company) -> list[ActiveLoad]:
    return list_active_loads(company.workspace, company.books)


def _list(company: Company, state: Any = "open") -> list[QuarantinedRecord]:
    return list_records(_loads(company), state)


def _release(
    company: Company, row: int | None, why: str = "known", **values: str | None
) -> DecisionResult:
    return release_records(
        company.workspace, company.books, "ledger", "a.csv", row, why=why, changes=values
    )


def _discard(
    company: Company, row: int | None, file: str = "a.csv", why: str = "a test posting"
) -> DecisionResult:
    return discard_records(company.workspace, company.books, "ledger", file, row, why=why)


def _ledger_lines(company: Company) -> list[tuple[Any, ...]]:
    """What a build reads: (line, currency, amount, file, record)."""
    with duckdb.connect() as connection:
        create_lake_views(connection, _loads(company))
        return connection.execute(
            "select line_id, currency_code, amount_local, _file_id, _row_number "
            "from lake.general_ledger order by _row_number"
        ).fetchall()


def _model_quarantine(company: Company) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute("create schema model")
        create_load_tables(connection, _loads(company))
        return connection.execute(
            "select row_number, state, amount_local from model.quarantine order by row_number"
        ).fetchall()


def test_the_cost_that_ties_is_what_a_bill_has_in_quarantine(company: Company) -> None:
    """A purchase billed at 590.00 whose use is spread elsewhere costs nothing in its month; another
    line has an effective cost that nobody can read."""
    head = (
        "BilledCost,EffectiveCost,ProviderName,BillingAccountId,BillingPeriodStart,"
        "BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ServiceName,"
        "BillingCurrency"
    )
    line = (
        "{},{},AWS,a,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,2026-01-05T00:00:00Z,"
        "2026-01-06T00:00:00Z,{},EC2,EUR"
    )
    lines = (
        line.format("1.00", "1.00", "Usage"),
        line.format("590.00", "0.25", "Kauf"),
        line.format("7.00", "seven", "Usage"),
    )
    company.land_one("\n".join((head, *lines, "")).encode(), "bill/b.csv")
    with duckdb.connect() as connection:
        connection.execute("create schema model")
        for measures, amounts in (
            ({}, [(Decimal("590.00"),), (Decimal("7.00"),)]),
            ({"bill": "effective_cost"}, [(Decimal("0.25"),), (None,)]),
        ):
            create_load_tables(connection, _loads(company), measures)
            found = connection.execute(
                "select amount_local from model.quarantine order by row_number"
            ).fetchall()
            assert found == amounts


def _money(company: Company) -> dict[str, LoadMoney]:
    """The terms by currency of the only load, whose identities hold."""
    found = count_money(company.books, _loads(company))
    assert found
    assert {item.delivered_difference for item in found} == {Decimal(0)}
    assert {item.counted_difference for item in found} == {Decimal(0)}
    return {item.currency_code: item for item in found}


def _corrections(company: Company) -> list[Path]:
    return sorted(company.workspace.lake.glob("*/*/corrections/*"))


def test_list_says_what_is_wrong_and_how_much(company: Company, landed: LoadResult) -> None:
    found = _list(company)
    shown = [
        (item.row_number, item.problems[0].field, item.problems[0].found, item.amount_local)
        for item in found
    ]
    assert shown == [
        (2, "amount_local", "1e3", None),
        (3, "amount_local", "1.005", Decimal("1.005")),
        (4, "currency_code", "eur", Decimal("50.25")),
    ]
    assert {(item.source_id, item.file_name, item.file_id) for item in found} == {
        ("ledger", "a.csv", landed.sha256)
    }
    assert {(item.state, item.since, item.why) for item in found} == {
        ("open", company.loads()[0]["landed_at"], None)
    }


def test_totals_count_records_and_money_by_currency(company: Company, landed: LoadResult) -> None:
    totals = sum_records(_loads(company))
    assert [
        (t.source_id, t.state, t.currency_code, t.records, t.amount_local, t.unreadable_records)
        for t in totals
    ] == [
        ("ledger", "open", "EUR", 2, Decimal("1.005"), 1),
        ("ledger", "open", "eur", 1, Decimal("50.25"), 0),
    ]


def test_show_gives_the_record_as_delivered_with_every_problem(company: Company) -> None:
    bad = record("L2", "1e3", currency_code="eur", description="caf\u00e9")
    landed = company.land_one(ledger(record("L1"), bad))
    load = find_load(_loads(company), "ledger", landed.sha256[:8].upper())
    details = show_record(load, 2)
    assert details.delivered["amount_local"] == "1e3"
    assert details.delivered["description"] == "caf\u00e9"
    assert [p.field for p in details.record.problems] == ["currency_code", "amount_local"]
    assert details.decision is None
    with pytest.raises(UsageError, match="record 1 is not in quarantine"):
        show_record(load, 1)


def test_released_record_counts_under_its_original_file_and_number(
    company: Company, landed: LoadResult
) -> None:
    original = (company.directory(landed) / "quarantine.parquet").read_bytes()
    result = _release(company, 2, amount_local="1000.00")
    assert (result.decided, result.kept) == ((2,), ())
    assert _ledger_lines(company) == [
        ("L1", "EUR", Decimal("100"), landed.sha256, 1),
        ("L2", "EUR", Decimal("1000"), landed.sha256, 2),
    ]
    assert [item.row_number for item in _list(company)] == [3, 4]
    assert (company.directory(landed) / "quarantine.parquet").read_bytes() == original


def test_correction_is_a_file_named_by_its_hash(company: Company, landed: LoadResult) -> None:
    import hashlib

    result = _release(company, 2, amount_local="1000.00")
    (path,) = _corrections(company)
    assert path.name == f"{result.correction_id}.parquet"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == result.correction_id
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select line_id, amount_local, _file_id, _row_number from read_parquet(?)", [str(path)]
        ).fetchall()
    assert rows == [("L2", Decimal("1000"), landed.sha256, 2)]
    assert company.staging_directories() == []


def test_books_keep_who_why_and_the_values(company: Company, landed: LoadResult) -> None:
    from pipelines.books.tables import audit_log, quarantine_decisions

    _release(company, 4, why="  the export shouts not ", currency_code="EUR")
    with company.books.read() as connection:
        (row,) = connection.execute(quarantine_decisions.select()).all()
        assert find_chain_breaks(connection) == []
        last = connection.execute(audit_log.select().order_by(audit_log.c.sequence)).all()[-1]
    assert (row.row_number, row.decision, row.why) == (4, "release", "the export shouts not")
    assert json.loads(row.values_before) == {"currency_code": "eur"}
    assert json.loads(row.values_after) == {"currency_code": "EUR"}
    assert (last.action, last.subject) == ("release", "ledger/a.csv, record 4")
    assert json.loads(last.details)["after"] == {"currency_code": "EUR"}
    details = show_record(_loads(company)[0], 4)
    assert (details.record.state, details.record.person_name) == ("released", row.person_name)
    assert details.record.currency_code == "EUR"
    assert details.delivered["currency_code"] == "eur"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "field amount_local: has the wrong form"),
        ({"amount_local": "1.005"}, "has more decimals than its currency"),
        ({"amount_local": None}, "field amount_local: is missing"),
        ({"amount_local": "5", "posting_date": "2026-02-31"}, "is impossible"),
        ({"amount_local": "5", "description": "a\x1ab"}, "has the wrong form"),
        ({"amount_local": "5", "line_id": "L1"}, "is the key of another record"),
        ({"amount_local": "5", "period_id": "2026-02"}, "a period that the file does not deliver"),
        ({"amount_local": "5'); drop table checked; --"}, "has the wrong form"),
    ],
)
def test_release_that_breaks_the_contract_is_refused_and_decides_nothing(
    company: Company, landed: LoadResult, values: dict[str, str | None], sentence: str
) -> None:
    with pytest.raises(DecisionRefusedError, match=sentence) as caught:
        release_records(
            company.workspace, company.books, "ledger", "a.csv", 2, why="known", changes=values
        )
    assert caught.value.exit_code == 4
    assert len(_list(company)) == 3
    assert _corrections(company) == []
    assert company.audit_actions() == ["land ledger/a.csv"]


def test_unknown_record_field_file_and_source_are_wrong_use(
    company: Company, landed: LoadResult
) -> None:
    for row in (1, 0, 99):
        with pytest.raises(UsageError, match=f"record {row} is not in quarantine"):
            _discard(company, row)
    with pytest.raises(UsageError, match="no field 'amount'; it has line_id"):
        _release(company, 2, amount="1")
    with pytest.raises(UsageError, match=r"no load that counts is called 'b.csv'"):
        _discard(company, 2, "b.csv")
    with pytest.raises(UsageError, match="no source is called 'ledgers'"):
        discard_records(company.workspace, company.books, "ledgers", "a.csv", 2, why="x")
    assert len(_list(company)) == 3


@pytest.mark.parametrize("why", ["", "  ", "\n"])
def test_decision_without_a_reason_is_wrong_use(
    company: Company, landed: LoadResult, why: str
) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        _discard(company, 2, why=why)
    with pytest.raises(UsageError, match="needs a reason"):
        _release(company, 2, why=why, amount_local="1")


def test_same_decision_twice_is_refused_and_another_one_supersedes(
    company: Company, landed: LoadResult
) -> None:
    _release(company, 2, amount_local="1000.00")
    with pytest.raises(DecisionRefusedError, match="record 2 was released the same way"):
        _release(company, 2, amount_local="1000.00")
    _release(company, 2, amount_local="10.00")
    assert [line[2] for line in _ledger_lines(company)] == [Decimal(100), Decimal(10)]
    _discard(company, 2)
    assert [line[0] for line in _ledger_lines(company)] == ["L1"]
    with pytest.raises(DecisionRefusedError, match="record 2 was discarded the same way"):
        _discard(company, 2)
    _release(company, 2, amount_local="1000.00")
    assert [line[2] for line in _ledger_lines(company)] == [Decimal(100), Decimal(1000)]
    # Two files: the same content has the same name.
    assert len(_corrections(company)) == 2
    assert len(company.audit_actions()) == 1 + 4


def test_discarded_record_stays_visible(company: Company, landed: LoadResult) -> None:
    _discard(company, 3, why="never paid")
    assert [line[0] for line in _ledger_lines(company)] == ["L1"]
    (item,) = _list(company, "discarded")
    assert (item.row_number, item.why, item.amount_local) == (3, "never paid", Decimal("1.005"))
    assert item.person_name
    assert [(r, s) for r, s, _ in _model_quarantine(company)] == [
        (2, "open"),
        (3, "discarded"),
        (4, "open"),
    ]
    assert len(_list(company, None)) == 3
    assert _loads(company)[0].records_open == 2


def test_released_record_is_not_in_the_quarantine_of_the_build(
    company: Company, landed: LoadResult
) -> None:
    _release(company, 4, currency_code="EUR")
    assert _model_quarantine(company) == [(2, "open", None), (3, "open", Decimal("1.005"))]


def test_all_of_a_file_releases_what_passes_and_names_the_rest(
    company: Company, landed: LoadResult
) -> None:
    result = _release(company, None, currency_code="KWD")
    # Dinar has three decimals: 1.005 and 50.25 pass, the word does not.
    assert result.decided == (3, 4)
    assert [(number, problem.found) for number, problem in result.kept] == [(2, "1e3")]
    assert [line[:3] for line in _ledger_lines(company)] == [
        ("L1", "EUR", Decimal(100)),
        ("L3", "KWD", Decimal("1.005")),
        ("L4", "KWD", Decimal("50.25")),
    ]
    assert len(company.audit_actions()) == 1 + 2
    with pytest.raises(DecisionRefusedError, match="record 2, field amount_local"):
        _release(company, None)
    assert _discard(company, None).decided == (2,)
    with pytest.raises(UsageError, match="is decided already"):
        _discard(company, None)


def test_part_of_a_correction_is_overtaken_and_the_rest_counts(
    company: Company, landed: LoadResult
) -> None:
    _release(company, None, currency_code="KWD")
    _discard(company, 3)
    assert [line[0] for line in _ledger_lines(company)] == ["L1", "L4"]
    _release(company, 3, amount_local="1.00")
    assert [line[:3] for line in _ledger_lines(company)] == [
        ("L1", "EUR", Decimal(100)),
        ("L3", "EUR", Decimal(1)),
        ("L4", "KWD", Decimal("50.25")),
    ]
    assert _money(company)["KWD"].counted == Decimal("50.25")


def test_records_released_together_must_not_share_a_key(company: Company) -> None:
    company.land_one(ledger(record("L1"), record("L 2", "5.00"), record("L 3", "6.00")))
    with pytest.raises(DecisionRefusedError, match="is the key of another record"):
        _release(company, None, line_id="L9")
    _release(company, 2, line_id="L9")
    with pytest.raises(DecisionRefusedError, match="is the key of another record"):
        _release(company, 3, line_id="L9")
    _release(company, 3, line_id="L8")
    assert [line[0] for line in _ledger_lines(company)] == ["L1", "L9", "L8"]


def test_money_is_accounted_for_by_load_and_currency(company: Company, landed: LoadResult) -> None:
    money = _money(company)
    # Delivered in EUR: 100.00 accepted and 1.005 in quarantine; 1e3 cannot be read.
    assert (money["EUR"].delivered, money["EUR"].accepted) == (Decimal("101.005"), Decimal(100))
    assert (money["EUR"].quarantined, money["eur"].quarantined) == (
        Decimal("1.005"),
        Decimal("50.25"),
    )
    _release(company, 2, amount_local="1000.00")
    _release(company, 4, currency_code="EUR")
    _discard(company, 3)
    money = _money(company)
    assert money["EUR"] == LoadMoney(
        load_id=1,
        currency_code="EUR",
        delivered=Decimal("101.005"),
        accepted=Decimal(100),
        released=Decimal(0),
        quarantined=Decimal(0),
        discarded=Decimal("1.005"),
        # 1000.00 that could not be read, and 50.25 that came as "eur".
        corrected=Decimal("1050.25"),
        counted=Decimal("1150.25"),
    )
    assert (money["eur"].delivered, money["eur"].released) == (Decimal("50.25"), Decimal("50.25"))
    assert (money["eur"].corrected, money["eur"].counted) == (Decimal("-50.25"), Decimal(0))


def test_money_shows_records_that_the_lake_lost(company: Company, landed: LoadResult) -> None:
    """What landing counted is not read from the same file as what counts now."""
    _release(company, 4, currency_code="EUR")
    path = company.directory(landed) / "records.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as from read_parquet('{path}') where false")
        connection.execute(f"copy kept to '{path}' (format parquet)")
    items = {item.currency_code: item for item in count_money(company.books, _loads(company))}
    assert items["EUR"].delivered_difference == 0
    assert items["EUR"].counted_difference == Decimal(-100)


def test_money_shows_a_quarantined_record_that_the_lake_lost(
    company: Company, landed: LoadResult
) -> None:
    path = company.directory(landed) / "quarantine.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"create table kept as from read_parquet('{path}') where _row_number <> 4"
        )
        connection.execute(f"copy kept to '{path}' (format parquet)")
    items = {item.currency_code: item for item in count_money(company.books, _loads(company))}
    assert items["eur"].delivered_difference == Decimal("50.25")


def test_doctor_finds_a_correction_that_was_changed(company: Company, landed: LoadResult) -> None:
    from pipelines.workspace.doctor import _examine_lake

    _release(company, 4, currency_code="EUR")
    (path,) = _corrections(company)
    assert [f.state for f in _examine_lake(company.workspace)] == ["good", "note"]
    path.write_bytes(path.read_bytes() + b"x")
    assert next(iter(_examine_lake(company.workspace))).state == "bad"
    path.unlink()
    assert next(iter(_examine_lake(company.workspace))).state == "bad"


def test_corrected_delivery_takes_its_quarantine_with_it(company: Company) -> None:
    source = "replaced"
    company.land_one(ledger(record("L1"), record("L2", "abc"), record("L3", "x")), "replaced/a.csv")
    release_records(
        *(company.workspace, company.books, source, "a.csv", 2),
        why="known",
        changes={"amount_local": "7.00"},
    )
    company.land_one(ledger(record("L1"), record("L2", "8.00"), record("L3")), "replaced/b.csv")
    assert _list(company, None) == []
    assert [line[2] for line in _ledger_lines(company)] == [Decimal(100), Decimal(8), Decimal(100)]
    assert _model_quarantine(company) == []
    with pytest.raises(UsageError, match="was superseded"):
        discard_records(company.workspace, company.books, source, "a.csv", 3, why="x")


def test_file_is_named_by_its_hash_where_its_name_is_not_enough(company: Company) -> None:
    first = company.land_one(ledger(record("L1"), record("L2", "x")), "appended/a.csv")
    (company.workspace.inbox / "appended" / "a.csv").unlink()
    company.land_one(ledger(record("L1"), record("L2", "y")), "appended/a.csv")
    loads = _loads(company)
    with pytest.raises(UsageError, match=f"2 loads .*{first.sha256[:12]}"):
        find_load(loads, "appended", "a.csv")
    assert find_load(loads, "appended", first.sha256[:12]).sha256 == first.sha256


def test_appending_source_takes_a_released_record_of_another_period(company: Company) -> None:
    company.land_one(ledger(record("L1"), record("L2", period_id="2026-13")), "appended/a.csv")
    release_records(
        *(company.workspace, company.books, "appended", "a.csv", 2),
        why="known",
        changes={"period_id": "2026-03"},
    )
    assert [line[0] for line in _ledger_lines(company)] == ["L1", "L2"]


def test_every_decision_changes_the_fingerprint_of_a_run(
    company: Company, landed: LoadResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.cost_model.load import CostModel
    from pipelines.warehouse import fingerprint

    # The rules are the same throughout; only the loads matter here.
    monkeypatch.setattr(fingerprint, "compile_tables", lambda *_: {"settings": ((), [])})
    rules = cast(CostModel, None)

    def find_fingerprint() -> str:
        return fingerprint.make_stamp(company.workspace, rules, _loads(company)).fingerprint

    found = [find_fingerprint(), find_fingerprint()]
    assert found[0] == found[1]
    _release(company, 2, amount_local="1000.00")
    found.append(find_fingerprint())
    _release(company, 2, amount_local="10.00")
    found.append(find_fingerprint())
    _discard(company, 3)
    found.append(find_fingerprint())
    assert len(set(found)) == 4


def test_text_with_every_kind_of_character_comes_back_as_delivered(company: Company) -> None:
    text = 'say "hi" \\ {"a": 1} \u20ac \u0421'
    quoted = '"' + text.replace('"', '""') + '"'
    company.land_one(ledger(record("L1"), record("L2", "x", description=quoted)))
    _release(company, 2, amount_local="1.00", vendor_name="O'Neil")
    with duckdb.connect() as connection:
        create_lake_views(connection, _loads(company))
        rows = connection.execute(
            "select description, vendor_name from lake.general_ledger where line_id = 'L2'"
        ).fetchall()
    assert rows == [(text, "O'Neil")]


def test_many_records_are_decided_in_one_go(company: Company) -> None:
    bad = [record(f"L{number}", "2.00", currency_code="eur") for number in range(2, 2002)]
    company.land_one(ledger(record("L1"), *bad))
    assert len(_release(company, None, currency_code="EUR").decided) == 2000
    assert len(company.audit_actions()) == 2001
    with company.books.read() as connection:
        assert find_chain_breaks(connection) == []
    # 100.00 and 2000 times 2.00.
    assert _money(company)["EUR"].counted == Decimal(4100)
    assert len(_corrections(company)) == 1


def test_value_that_its_mapping_could_not_read_must_be_set(company: Company) -> None:
    """1.50 has the contract's form, but the sender's decimal mark is the comma."""
    columns = "".join(f"  {name}: {name}\n" for name in FIELDS)
    (company.workspace.root / "mappings").mkdir()
    (company.workspace.root / "mappings" / "commas.yml").write_text(
        "mapping_id: commas\ncontract: general_ledger\ndescription: Decimal commas.\n"
        f'delimiter: ";"\ndecimal_mark: ","\ncolumns:\n{columns}',
        "utf-8",
    )
    config = company.workspace.config_path
    text = config.read_text("utf-8").replace(
        "ledger: {contract: general_ledger,", "ledger: {contract: general_ledger, mapping: commas,"
    )
    config.write_text(text, "utf-8")
    opened = open_company(company.workspace.root)
    lines = (record("L1", "2@25"), record("L2", "1.50"))
    content = ledger(*lines).replace(b",", b";").replace(b"@", b",")
    result = opened.land_one(content)
    assert (result.records_accepted, result.records_quarantined) == (1, 1)
    with pytest.raises(DecisionRefusedError, match="record 2, field amount_local"):
        _release(opened, 2)
    _release(opened, 2, amount_local="150.00")
    assert [line[2] for line in _ledger_lines(opened)] == [Decimal("2.25"), Decimal(150)]
    opened.books.close()


def test_trace_of_a_run_reads_the_corrections_that_the_run_read(
    company: Company, landed: LoadResult
) -> None:
    """The published file names them, so that a later decision does not change an older proof."""
    _release(company, None, currency_code="KWD")
    _discard(company, 3)
    loads = _loads(company)
    with duckdb.connect() as connection:
        connection.execute("create schema model")
        create_load_tables(connection, loads)
        _release(company, 2, amount_local="1000.00")
        found = read_corrections(connection)
    assert found[1].corrections == loads[0].decisions.corrections
    assert [(item.rows, item.overtaken) for item in found[1].corrections] == [((4,), (3,))]


def test_lost_quarantine_file_is_said(company: Company, landed: LoadResult) -> None:
    from pipelines.errors import ControlError

    (company.directory(landed) / "quarantine.parquet").unlink()
    with pytest.raises(ControlError, match="apportion doctor"):
        _list(company)
