"""Typed-in drivers: quantities are what the file says, and what is wrong is named with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines.cost_model.compile import RunStamp, compile_tables, tables_as_json, write_tables
from pipelines.cost_model.load import hash_cost_model, load_cost_model
from pipelines.errors import ConfigurationError
from pipelines.workspace.workspace import Workspace
from tests.unit.cost_model.model_files import write_files

STAMP = RunStamp("run-1", "f" * 64, "2026-01-31 12:00:00", "code")

TABLE = """\
  - id: shares
    name: Shares
    kind: table
    unit: share
    description: Agreed shares.
    table:
      receivers: service
      senders: tower
      owner: Olga
      attested_by: Adam
      attested_on: 2025-08-31
      valid_for: 6
"""
CSV = """\
sender_id,receiver_id,quantity,valid_from,valid_to
compute,mail,0.000001,,
compute,network,12,,2026-03-01
compute,network,7.50,2026-03-01,
desk, mail ,123456789012345678.123456,,
"""


def write_table(root: Path, text: str = CSV, declared: str = TABLE) -> Workspace:
    workspace = write_files(root)
    drivers = workspace.cost_model / "drivers.yml"
    drivers.write_text(drivers.read_text("utf-8") + declared, "utf-8")
    path = workspace.cost_model / "drivers" / "shares.csv"
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    return workspace


def find_problems(workspace: Workspace) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_cost_model(workspace)
    return [str(problem) for problem in caught.value.problems]


def test_quantities_are_read_digit_by_digit(tmp_path: Path) -> None:
    rows = load_cost_model(write_table(tmp_path)).driver_rows
    assert [(row.sender_id, row.receiver_id, row.quantity) for row in rows] == [
        ("compute", "mail", Decimal("0.000001")),
        ("compute", "network", Decimal("12")),
        ("compute", "network", Decimal("7.50")),
        ("desk", "mail", Decimal("123456789012345678.123456")),
    ]
    assert [(row.valid_from, row.valid_to) for row in rows[1:3]] == [
        (None, date(2026, 3, 1)),
        (date(2026, 3, 1), None),
    ]


@pytest.mark.parametrize(
    ("old", "new", "end"),
    [
        # 31 August and six months: February has no 31st day.
        ("", "", date(2026, 2, 28)),
        ("valid_for: 6", "valid_for: 5", date(2026, 1, 31)),
        ("valid_for: 6", "valid_for: 16", date(2026, 12, 31)),
        ("valid_for: 6", "attested_until: 2026-07-01", date(2026, 7, 1)),
    ],
)
def test_attestation_ends(tmp_path: Path, old: str, new: str, end: date) -> None:
    model = load_cost_model(write_table(tmp_path, declared=TABLE.replace(old, new)))
    table = model.drivers.drivers[-1].table
    assert table is not None
    assert table.ends_on == end


LINES: dict[str, tuple[str, str, int, tuple[str, ...]]] = {
    "unknown receiver": (
        "compute,mail,", "compute,male,", 2,
        ("shares: unknown receiver 'male'", "Is 'mail' meant?")),
    "unknown sender": ("desk, mail", "dsk, mail", 5, ("unknown sender 'dsk'", "Is 'desk' meant?")),
    "no receiver": ("compute,mail,", "compute,,", 2, ("has no receiver", "Fill receiver_id.")),
    "no sender": ("desk, mail", ", mail", 5, ("has no sender", "Fill sender_id.")),
    "receiver twice at one time": (
        "7.50,2026-03-01,", "7.50,2026-02-28,", 4,
        ("the receiver 'network' stands in line 3 already", "times that do not overlap")),
    "negative": ("network,12,", "network,-12,", 3, ("is no negative number", "found '-12'")),
    "no number": ("network,12,", "network,a dozen,", 3, ("found 'a dozen'",)),
    "not a number": ("network,12,", "network,NaN,", 3, ("found 'NaN'",)),
    "power of ten": ("network,12,", "network,1e2,", 3, ("found '1e2'",)),
    "thousands": ("network,12,", 'network,"1,200",', 3, ("found '1,200'", "separators")),
    "no quantity": ("network,12,", "network,,", 3, ("found ''",)),
    "decimals that a weight would lose": (
        "0.000001", "0.0000000000001", 2, ("12 decimals", "found '0.0000000000001'")),
    "too many digits": ("network,12,", f"network,{'9' * 19},", 3, ("at most 18 digits",)),
    "no date": ("7.50,2026-03-01", "7.50,2026-02-31", 4, ("valid_from is no date", "'2026-02-31'")),
    "a date of another form": ("7.50,2026-03-01", "7.50,20260301", 4, ("valid_from is no date",)),
    "an empty span": (
        "12,,2026-03-01", "12,2026-03-01,2026-03-01", 3,
        ("valid_to 2026-03-01 is not after valid_from 2026-03-01",)),
    "a cell too many": ("network,12,,", "network,1,2,,", 3, ("more or fewer cells",)),
    "an open quote": ("desk, mail", '"desk, mail', 5, ("is not CSV", "Close the quotes")),
    "a missing column": ("quantity", "amount", 1, ("the column 'quantity' is missing",)),
    "an unknown column": ("valid_to", "valid_till", 1, ("the column 'valid_till' is unknown",)),
    "nothing": (CSV[CSV.index("\n"):], "\n", 1, ("has no quantity",)),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_wrong_row_is_refused_at_its_line(tmp_path: Path, case: str) -> None:
    old, new, line, fragments = LINES[case]
    assert old in CSV
    problems = find_problems(write_table(tmp_path, CSV.replace(old, new, 1)))
    assert problems[0].startswith(f"cost_model/drivers/shares.csv:{line}: shares: ")
    for fragment in fragments:
        assert fragment in problems[0]


FORMS: dict[str, tuple[str, str, str]] = {
    "no attestation": ("      attested_by: Adam\n", "", "the key 'attested_by' is missing"),
    "no day": ("      attested_on: 2025-08-31\n", "", "the key 'attested_on' is missing"),
    "no end": ("      valid_for: 6\n", "", "has either 'valid_for' or 'attested_until'"),
    "two ends": (
        "valid_for: 6", "valid_for: 6\n      attested_until: 2026-01-01",
        "has either 'valid_for' or 'attested_until'"),
    "an end before its start": (
        "valid_for: 6", "attested_until: 2025-08-31",
        "attested_until 2025-08-31 is not after attested_on 2025-08-31"),
    "no time at all": ("valid_for: 6", "valid_for: 0", "greater than or equal to 1"),
    "senders that come after": (
        "senders: tower", "senders: cost_centre",
        "receivers of the kind service have senders of the kind tower or service, not cost_cent"),
    "no table": (TABLE[TABLE.index("    table:"):], "", "a driver of the kind table, and no other"),
    "a table of another kind": ("kind: table", "kind: headcount", "a driver of the kind table, a"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_wrong_declaration_is_refused(tmp_path: Path, case: str) -> None:
    old, new, message = FORMS[case]
    assert old in TABLE
    problems = find_problems(write_table(tmp_path, declared=TABLE.replace(old, new, 1)))
    assert problems[0].startswith("cost_model/drivers.yml:")
    assert message in problems[0]


def test_senders_that_nothing_names_are_refused(tmp_path: Path) -> None:
    declared = TABLE.replace("      senders: tower\n", "")
    problems = find_problems(write_table(tmp_path, declared=declared))
    assert "has senders, and its 'table' names no kind of sender" in problems[0]


def _rename(path: Path) -> None:
    path.rename(path.with_name("share.csv"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Path.unlink, ["cost_model/drivers/shares.csv:1: shares: file is missing. Type its "
                       "quantities into cost_model/drivers/shares.csv."]),
        (_rename, ["cost_model/drivers/shares.csv:1: shares: file is missing. Type its quantities "
                   "into cost_model/drivers/shares.csv.",
                   "cost_model/drivers/share.csv: no driver of the kind table has this file. "
                   "Is 'shares.csv' meant?"]),
    ],
)  # fmt: skip
def test_file_and_driver_belong_together(
    tmp_path: Path, change: Callable[[Path], object], expected: list[str]
) -> None:
    workspace = write_table(tmp_path)
    change(workspace.cost_model / "drivers" / "shares.csv")
    assert find_problems(workspace) == expected


def test_problems_of_all_rows_come_with_those_of_other_files(tmp_path: Path) -> None:
    workspace = write_table(tmp_path, CSV.replace(",12,", ",-12,").replace("desk,", "dsk,"))
    towers = workspace.cost_model / "towers.yml"
    towers.write_text(towers.read_text("utf-8").replace("to: [compute]", "to: [computer]"), "utf-8")
    places = [problem.split(": ")[0] for problem in find_problems(workspace)]
    assert places == [
        "cost_model/towers.yml:13",
        "cost_model/drivers/shares.csv:3",
        "cost_model/drivers/shares.csv:5",
    ]


def test_cost_centres_are_not_known_yet(tmp_path: Path) -> None:
    declared = TABLE.replace("receivers: service", "receivers: consumer")
    declared = declared.replace("senders: tower", "senders: service")
    text = "sender_id,receiver_id,quantity\nmail,any,1\n"
    model = load_cost_model(write_table(tmp_path, text, declared))
    assert [row.receiver_id for row in model.driver_rows] == ["any"]


def test_rows_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    """Of two workspaces that differ in one digit of one quantity, each has a text of its own."""
    texts, hashes = set(), set()
    for name, quantity in (("a", "7.50"), ("b", "7.51")):
        workspace = write_table(tmp_path / name, CSV.replace("7.50", quantity))
        tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
        texts.add(tables_as_json(tables))
        hashes.add(hash_cost_model(workspace.cost_model)["drivers/shares.csv"])
    assert len(texts) == len(hashes) == 2


def test_rows_are_compiled_with_their_attestation(tmp_path: Path) -> None:
    workspace = write_table(tmp_path)
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    with duckdb.connect() as connection:
        write_tables(connection, tables, tmp_path / "model")
        rows = connection.execute(
            "select sender_id, receiver_kind, receiver_id, cast(quantity as varchar) "
            "from model.driver_table_rows order by all"
        ).fetchall()
        driver = connection.execute(
            "select sender_kind, owner_name, attested_by, cast(attested_until as varchar) "
            "from model.drivers where driver_id = 'shares'"
        ).fetchone()
    assert rows[0] == ("compute", "service", "mail", "0.000001000000")
    assert rows[-1] == ("desk", "service", "mail", "123456789012345678.123456000000")
    assert driver == ("tower", "Olga", "Adam", "2026-02-28")


DIRECT_COST = """\
  - {id: shares, name: Cost, kind: prior_allocation, unit: EUR, description: Cost so far.}
"""
CONSUMERS = TABLE.replace("receivers: service", "receivers: consumer").replace(
    "senders: tower", "senders: service"
)
TOWERS = TABLE.replace("receivers: service", "receivers: tower").replace(
    "senders: tower", "senders: cost_centre"
)
NO_SENDERS = TABLE.replace("      senders: tower\n", "")
A_TOWER_RULE, A_SERVICE_RULE = "a tower rule", "a service rule"
A_SERVICE = "a service of the catalogue"


def deliver(kind: str) -> str:
    return f"  - {{id: shares, name: Shares, kind: {kind}, unit: share, description: Shares.}}\n"


PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "seats": (deliver("licence_seats"), (A_SERVICE,)),
    "heads": (deliver("headcount"), (A_SERVICE,)),
    "effort": (deliver("ticket_effort"), (A_SERVICE_RULE, A_SERVICE)),
    "hours by tower": (deliver("timesheet_hours_by_tower"), (A_TOWER_RULE,)),
    "hours by service": (deliver("timesheet_hours_by_service"), (A_SERVICE_RULE,)),
    "cloud cost": (deliver("cloud_cost"), (A_SERVICE_RULE, A_SERVICE)),
    "prior cost": (DIRECT_COST, (A_SERVICE_RULE,)),
    "services by tower": (TABLE, (A_SERVICE_RULE,)),
    "services of anyone": (NO_SENDERS, (A_SERVICE_RULE, A_SERVICE)),
    "services by service": (TABLE.replace("senders: tower", "senders: service"), (A_SERVICE,)),
    "consumers": (CONSUMERS, (A_SERVICE,)),
    "towers": (TOWERS, (A_TOWER_RULE,)),
}
USES = {
    A_TOWER_RULE: ("towers.yml", "method: direct, to: [compute]", "method: driver, driver: shares"),
    A_SERVICE_RULE: ("allocation.yml", "driver: minutes", "driver: shares"),
    A_SERVICE: ("services.yml", "unit: mailbox\n    unit_name: mailbox\n    driver: mailboxes", ""),
}


@pytest.mark.parametrize("place", USES)
@pytest.mark.parametrize("driver", PLACES)
def test_driver_is_refused_where_it_can_have_no_quantity(
    tmp_path: Path, driver: str, place: str
) -> None:
    declared, right = PLACES[driver]
    workspace = write_table(tmp_path, declared=declared)
    # The rows fit none of the other tables; only places are looked at here.
    (workspace.cost_model / "drivers" / "shares.csv").write_text("", "utf-8")
    name, old, new = USES[place]
    unit = "EUR" if declared is DIRECT_COST else "share"
    new = new or f"unit: {unit}\n    unit_name: it\n    driver: shares"
    path = workspace.cost_model / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    found = [problem for problem in find_problems(workspace) if "has no quantity for" in problem]
    if place in right:
        assert found == []
    else:
        expected = f"the driver 'shares' has no quantity for {place}. It is a driver of "
        assert len(found) == 1
        assert found[0].startswith(f"cost_model/{name}:")
        assert found[0].endswith(f"{expected}{' or '.join(sorted(right))}.")
