"""Late and corrected data of closed periods: notes in the open one, nothing else changes.

`tests/golden/late_data/README.md` works out every figure. Builds, each of the state before it:
`closed` (January and February closed), `corrected` (late data in), `again` (March closed with its
notes, and another invoice of January in).
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.allocation.source_records import find_source_records
from pipelines.allocation.trace import trace_charge
from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.close.period_states import ask_reopening, list_states, reopen
from pipelines.close.restated import parse_moment, read_restated
from pipelines.close.verify import verify
from pipelines.errors import ControlError, UsageError
from pipelines.landing.hold_decisions import decide_hold
from pipelines.landing.land import land_inbox
from pipelines.rerun.bridge_subject import Wanted
from pipelines.rerun.explain import explain_bill
from pipelines.warehouse.build import build, collect
from pipelines.warehouse.closed_periods import find_directory
from pipelines.warehouse.reader import open_published
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER

from .golden import GOLDEN_DIRECTORY, Golden, build_golden

LATE = GOLDEN_DIRECTORY / "late_data" / "late"
NOTES = """
    select period_id, origin_period_id, service_id, cost_centre_id, business_unit_id, amount
    from fct_bill_items_monthly where item_kind = 'correction'
"""


def _open(root: Path) -> Golden:
    workspace = Workspace.open(root)
    return Golden("late_data", workspace, Books.open(workspace))


def _copy(golden: Golden, directory: Path) -> Golden:
    root = directory / "company"
    shutil.copytree(golden.workspace.root, root)
    return _open(root)


def _approve(golden: Golden, period: str) -> CloseDesk:
    desk = CloseDesk(golden.workspace, golden.books)
    with act_as(PREPARER, is_demo=True):
        desk.calculate(period)
    with act_as(APPROVER, is_demo=True):
        desk.review(period)
        for blocker in desk.list_blockers(period):
            desk.accept(period, blocker.blocker_id, "as it is in the golden company")
        desk.approve(period)
    return desk


def _close(golden: Golden, period: str) -> None:
    close_period(_approve(golden, period), period)


def _deliver(golden: Golden, source: str, name: str, *, is_late: bool = True) -> None:
    """Land a file. One of a closed period waits for a person, who lets it count."""
    shutil.copy(LATE / name, golden.workspace.inbox / source / name)
    states = {r.file_name: r.state for r in land_inbox(golden.workspace, golden.books)}
    assert states[name] == ("held" if is_late else "landed")
    if is_late:
        decide_hold(golden.workspace, golden.books, source, name, "released", why="it is right")


def _hash_frozen(golden: Golden, period: str) -> dict[str, str]:
    directory = find_directory(golden.workspace, period, 1)
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Golden:
    golden = build_golden("late_data", tmp_path_factory.mktemp("closed"))
    for period in ("2026-01", "2026-02"):
        _close(golden, period)
    return golden


@pytest.fixture(scope="module")
def corrected(closed: Golden, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    golden = _copy(closed, tmp_path_factory.mktemp("corrected"))
    _deliver(golden, "ledger", "invoice-of-january.csv")
    _deliver(golden, "usage", "use-of-february.csv")
    _deliver(golden, "rates", "rates-of-january.csv")
    _deliver(golden, "centres", "centres.csv", is_late=False)
    assert build(golden.workspace, golden.books).is_new
    return golden


@pytest.fixture(scope="module")
def again(corrected: Golden, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    golden = _copy(corrected, tmp_path_factory.mktemp("again"))
    _close(golden, "2026-03")
    _deliver(golden, "ledger", "second-invoice-of-january.csv")
    assert build(golden.workspace, golden.books).is_new
    return golden


def _read(golden: Golden, table: str, sql: str) -> None:
    header, expected = golden.read_expected(table)
    assert golden.query(f"select {', '.join(header)} from ({sql})") == expected


def test_late_data_is_posted_as_notes_in_the_open_period(corrected: Golden) -> None:
    _read(corrected, "notes_of_march", NOTES)


def test_change_of_the_ledger_is_charged_or_has_a_name(corrected: Golden) -> None:
    _read(corrected, "corrections_of_march", "from rpt_corrections")


def test_notes_name_what_was_late_and_the_charge_that_they_correct(corrected: Golden) -> None:
    rows = corrected.query(
        """
        select left(notes.reference_id, 18), notes.reason, charges.service_id,
            charges.cost_centre_id, charges.period_id
        from fct_bill_items_monthly as notes
        inner join fct_charges_monthly as charges on notes.origin_charge_id = charges.charge_id
        where notes.item_kind = 'correction'
        """
    )
    january = "late or corrected deliveries: invoice-of-january.csv"
    february = "late or corrected deliveries: use-of-february.csv, 2026-02.csv"
    assert rows == [
        ("CN-2026-03-2026-02", february, "mail", "cc-b", "2026-02"),
        ("DN-2026-03-2026-01", january, "erp", "cc-a", "2026-01"),
        ("DN-2026-03-2026-01", january, "erp", "cc-b", "2026-01"),
        ("DN-2026-03-2026-02", february, "mail", "cc-a", "2026-02"),
    ]


def test_closed_periods_are_what_they_were(closed: Golden, corrected: Golden) -> None:
    for period in ("2026-01", "2026-02"):
        assert _hash_frozen(corrected, period) == _hash_frozen(closed, period)
    assert verify(corrected.workspace, corrected.books, deep=True).problems == []
    charges = """
        select * from fct_charges_monthly where scenario_id = 'actual' and period_id < '2026-03'
    """
    assert corrected.query(charges) == closed.query(charges)


def test_restated_charges_are_no_bill(corrected: Golden) -> None:
    assert corrected.query(
        "select distinct scenario_id, item_kind from fct_bill_items_monthly"
    ) == [("actual", "charge"), ("actual", "correction")]
    billed = """
        select term_id, amount_cents from rpt_certificate where scenario_id = 'actual'
        and period_id = '2026-03' and identity_id = 'billed' and amount_cents <> 0
    """
    # 900 + 400 of March, and the notes.
    assert corrected.query(billed) == [
        ("billed", "1600"),
        ("charged", "1300"),
        ("corrections", "300"),
    ]


def test_rates_and_organisation_of_closed_periods_are_frozen(corrected: Golden) -> None:
    """The rate of January came again as 0.95, and cc-a in another business unit from 2025 on."""
    lines = """
        select period_id, scenario_id, amount from fct_ledger_lines
        where currency_code = 'USD'
    """
    assert corrected.query(lines) == [
        ("2026-01", "actual", "90"),
        ("2026-01", "restated", "90"),
        ("2026-01", "restated", "90"),
    ]
    units = """
        select distinct period_id, scenario_id, business_unit_id from fct_charges_monthly
        where cost_centre_id = 'cc-a'
    """
    assert corrected.query(units) == [
        ("2026-01", "actual", "alpha"),
        ("2026-01", "restated", "alpha"),
        ("2026-02", "actual", "alpha"),
        ("2026-02", "restated", "alpha"),
        ("2026-03", "actual", "omega"),
        ("2026-04", "actual", "omega"),
    ]


def test_nothing_is_restated_where_only_rates_change(closed: Golden, tmp_path: Path) -> None:
    golden = _copy(closed, tmp_path)
    before = collect(golden.workspace, golden.books)
    assert (before.pins.pins, before.pins.restated) == ((), {})
    _deliver(golden, "rates", "rates-of-january.csv")
    after = collect(golden.workspace, golden.books)
    assert [(pin.contract_id, pin.period_id) for pin in after.pins.pins] == [
        ("exchange_rates", "2026-01")
    ]
    assert after.pins.restated == {}
    assert after.stamp.fingerprint != before.stamp.fingerprint


def test_second_invoice_is_posted_without_what_was_posted_before(again: Golden) -> None:
    _read(again, "notes_of_april", f"{NOTES} and period_id = '2026-04'")
    _read(again, "notes_of_march", f"{NOTES} and period_id = '2026-03'")
    _read(again, "corrections_of_april", "from rpt_corrections where period_id = '2026-04'")
    assert verify(again.workspace, again.books, deep=True).problems == []


def _say(golden: Golden, period: str, as_of: str | None, unit: str | None = None) -> list[str]:
    found = read_restated(
        golden.workspace,
        golden.books,
        period,
        as_of=parse_moment(as_of) if as_of else None,
        business_unit_id=unit,
    )
    return [
        f"{s.service_id} {s.reported_amount} {s.posted_amount} {s.open_amount} {s.restated_amount}"
        for s in found.services
    ]


def test_reported_and_restated_can_be_asked_for_any_moment(again: Golden) -> None:
    with again.books.read() as connection:
        closed_at = {name: str(s.closed_at) for name, s in list_states(connection).items()}
    january, march = closed_at["2026-01"], closed_at["2026-03"]
    assert _say(again, "2026-01", january) == [
        "erp 1090.00 0.00 0.00 1090.00",
        "mail 300.00 0.00 0.00 300.00",
    ]
    assert _say(again, "2026-01", march) == [
        "erp 1090.00 300.00 0.00 1390.00",
        "mail 300.00 0.00 0.00 300.00",
    ]
    assert _say(again, "2026-01", None) == [
        "erp 1090.00 300.00 30.00 1420.00",
        "mail 300.00 0.00 0.00 300.00",
    ]
    assert _say(again, "2026-02", march, "beta") == [
        "erp 200.00 0.00 0.00 200.00",
        "mail 200.00 -100.00 0.00 100.00",
    ]
    with pytest.raises(ControlError, match="2026-03 was not closed on"):
        _say(again, "2026-03", january)
    with pytest.raises(UsageError, match="--as-of expects a date"):
        parse_moment("yesterday")
    assert parse_moment("2026-04-30") == datetime.fromisoformat("2026-04-30T23:59:59.999999+00:00")


@pytest.mark.parametrize(
    ("period", "service", "terms"),
    [
        # A third of 300.00 more cost.
        ("2026-01", "erp", {"pool_cost": "100.00"}),
        # 2 mailboxes more at 400 / 2; then all 3 at 400 / 4 instead.
        ("2026-02", "mail", {"volume": "400.00", "rate": "-300.00"}),
    ],
)
def test_restatement_is_explained_by_the_bridge(
    corrected: Golden, period: str, service: str, terms: dict[str, str]
) -> None:
    bridge = explain_bill(
        corrected.workspace,
        period,
        period,
        Wanted(service_id=service, cost_centre_id="cc-a"),
        scenario_id="restated",
        against_scenario_id="actual",
    )
    found = {name: amount for name, amount in bridge.terms.items() if amount}
    assert found == {name: Decimal(amount) for name, amount in terms.items()}


def test_restated_charge_is_traced_to_the_late_record(corrected: Golden) -> None:
    with open_published(corrected.workspace) as connection:
        traced = trace_charge(connection, "2026-01", "erp", "cc-a", "restated")
        ids = [line.ledger_line_id for line in traced.lines]
        records = find_source_records(corrected.workspace, connection, ids, "restated")
    assert sorted((record.file_name, record.row_number) for record in records) == [
        ("2026-01.csv", 1),
        ("2026-01.csv", 2),
        ("invoice-of-january.csv", 1),
        ("invoice-of-january.csv", 2),
    ]


def test_signature_on_notes_ends_where_their_origin_is_opened_again(
    corrected: Golden, tmp_path: Path
) -> None:
    """March was approved with notes for February, which is then opened: they must not be posted."""
    golden = _copy(corrected, tmp_path)
    desk = _approve(golden, "2026-03")
    with act_as(PREPARER, is_demo=True):
        ask_reopening(golden.books, "2026-02", "a test")
    with act_as(APPROVER, is_demo=True):
        reopen(golden.books, "2026-02")
    given = collect(golden.workspace, golden.books)
    assert list(given.pins.restated) == ["2026-01"]
    with pytest.raises(ControlError, match="outdated: deliveries, decisions or rules have changed"):
        close_period(desk, "2026-03")
    golden.books.close()


def test_reopened_period_is_restated_no_more(again: Golden, tmp_path: Path) -> None:
    """Reopening is possible only while no later period is closed, so that no posted note is left
    behind. What March posted is proposed anew in its next version."""
    golden = _copy(again, tmp_path)
    with act_as(PREPARER, is_demo=True), pytest.raises(ControlError, match="2026-03 came after"):
        ask_reopening(golden.books, "2026-01", "a test")
    before = collect(golden.workspace, golden.books).stamp.fingerprint
    with act_as(PREPARER, is_demo=True):
        ask_reopening(golden.books, "2026-03", "a test")
    with act_as(APPROVER, is_demo=True):
        reopen(golden.books, "2026-03")
    assert collect(golden.workspace, golden.books).stamp.fingerprint != before
    assert build(golden.workspace, golden.books).is_new
    rows = golden.query(f"select period_id, service_id, sum(amount) from ({NOTES}) group by all")
    # 300 of the first invoice and 30 of the second; February's use moves 100.00 and sums to 0.
    assert rows == [("2026-03", "erp", "330"), ("2026-03", "mail", "0")]
    assert _say(golden, "2026-01", None)[0] == "erp 1090.00 0.00 330.00 1420.00"
    golden.books.close()
