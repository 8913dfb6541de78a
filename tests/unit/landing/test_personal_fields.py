"""No name of a person is written: pseudonyms from the landing on, stable in a workspace."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from pipelines.books.books import Books
from pipelines.contracts.contract import load_contract
from pipelines.errors import ApportionError
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.landing.quarantine import show_record
from pipelines.landing.quarantine_decisions import release_records
from pipelines.mappings.infer import infer_mapping
from pipelines.mappings.mapping import load_mapping
from pipelines.mappings.write_proposal import render_proposal
from pipelines.readers.personal_texts import keeps_original, pseudonym_expression
from pipelines.warehouse.lake_views import list_active_loads
from pipelines.workspace.config import Source
from pipelines.workspace.doctor import Finding, examine
from pipelines.workspace.pseudonym_key import find_or_make_key
from pipelines.workspace.workspace import Workspace

HEADER = "entry_id,period_id,cost_centre_id,person_id,tower_id,hours_quantity\n"
JANUARY = HEADER + (
    "1,2026-01,CC900,Ümit Çağlar-Anderson,network,12.5\n"
    "2,2026-01,CC900,Josephine Quarterman,network,7.5\n"
    "3,2026-01,CC900,,network,1\n"
    "4,2026-01,CC900, ,network,2\n"
    "5,2026-01,CC900,Barnaby Quarantino,network,-3\n"
)
FEBRUARY = HEADER + "6,2026-02,CC900, Josephine Quarterman ,network,4\n"
NAMES = ("Çağlar", "Ümit", "Josephine", "Quarterman", "Barnaby", "Quarantino")
CLEAR = [name.encode() for name in NAMES]


class _Works:
    """A workspace with timesheets, and tickets whose persons pass through a value map."""

    def __init__(self, root: Path) -> None:
        config = {
            "name": "Example Works",
            "currency": "EUR",
            "calendar": {"first_period": "2026-01", "last_period": "2026-12"},
            "control_total": {"source": "timesheets"},
            "sources": {
                "timesheets": {"contract": "timesheets", "inbox": "timesheets/*.csv"},
                "mapped": {
                    "contract": "timesheets", "inbox": "mapped/*.csv", "mapping": "mapped"
                },
            },
        }  # fmt: skip
        mapping = {
            "mapping_id": "mapped",
            "contract": "timesheets",
            "description": "Persons by a value map.",
            "columns": {name: name for name in HEADER.strip().split(",")},
            "value_maps": {"person_id": {"known": "W1"}},
        }
        (root / "inbox").mkdir(parents=True)
        (root / "mappings").mkdir()
        (root / "apportion.yml").write_text(yaml.safe_dump(config), "utf-8")
        (root / "mappings" / "mapped.yml").write_text(yaml.safe_dump(mapping), "utf-8")
        self.root = root
        self.workspace = Workspace.open(root)
        self.books = Books.open(self.workspace)

    def land(self, text: str, name: str) -> LoadResult:
        path = self.workspace.inbox / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        results = land_inbox(self.workspace, self.books)
        return next(result for result in results if result.file_name == path.name)

    def persons(self, result: LoadResult, name: str = "records") -> dict[str, str | None]:
        path = self.workspace.lake / result.source_id / result.sha256 / f"{name}.parquet"
        with duckdb.connect() as connection:
            return dict(
                connection.execute(
                    f"select entry_id, person_id from read_parquet('{path}')"
                ).fetchall()
            )

    def pseudonym(self, name: str) -> str:
        """Worked out apart from the program's SQL."""
        key = self.workspace.pseudonym_key.read_text("ascii").strip()
        return f"p-{hashlib.sha256(f'{key}:{name}'.encode()).hexdigest()[:20]}"

    def find_clear_names(self) -> list[str]:
        """Files outside of inbox and mappings that hold a name, originals left out."""
        self.books.close()
        own = [self.root / "lake", self.root / "books.sqlite", self.root / "books.sqlite-wal"]
        files = [path for place in own for path in (place, *place.rglob("*")) if path.is_file()]
        assert len(files) > 2
        return [
            str(path.relative_to(self.root))
            for path in files
            if path.name != "original" and any(name in _read(path) for name in CLEAR)
        ]


def _read(path: Path) -> bytes:
    """The bytes of a file and, because Parquet packs them, what they say."""
    content = path.read_bytes()
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            rows = connection.execute(f"from read_parquet('{path}')").fetchall()
        assert rows
        content += repr(rows).encode()
    return content


@pytest.fixture
def works(tmp_path: Path) -> _Works:
    return _Works(tmp_path / "works")


def test_no_name_is_written_anywhere_but_into_the_original(works: _Works) -> None:
    result = works.land(JANUARY, "timesheets/a.csv")
    assert (result.records_accepted, result.records_quarantined) == (3, 2)
    assert "Barnaby" not in str(result)
    (load,) = list_active_loads(works.workspace, works.books)
    details = show_record(load, 5)
    assert details.delivered["person_id"] == works.pseudonym("Barnaby Quarantino")
    assert works.find_clear_names() == []


def test_the_same_person_is_the_same_pseudonym_in_every_delivery(works: _Works) -> None:
    january = works.persons(works.land(JANUARY, "timesheets/a.csv"))
    february = works.persons(works.land(FEBRUARY, "timesheets/b.csv"))
    assert january["2"] == february["6"] != january["1"]
    assert january["3"] is None


def test_another_workspace_has_other_pseudonyms(works: _Works, tmp_path: Path) -> None:
    other = _Works(tmp_path / "other")
    one = works.persons(works.land(JANUARY, "timesheets/a.csv"))
    two = other.persons(other.land(JANUARY, "timesheets/a.csv"))
    assert one["1"] != two["1"]


def test_a_name_that_no_value_map_knows_is_quarantined_as_pseudonym(works: _Works) -> None:
    text = HEADER + "1,2026-01,CC900,known,t,1\n2,2026-01,CC900,Josephine Quarterman,t,1\n"
    result = works.land(text, "mapped/m.csv")
    assert works.persons(result) == {"1": works.pseudonym("W1")}
    (load,) = list_active_loads(works.workspace, works.books)
    record = show_record(load, 2)
    assert record.delivered["person_id"] == works.pseudonym("Josephine Quarterman")
    assert record.record.problems[0].found == works.pseudonym("Josephine Quarterman")
    assert works.find_clear_names() == []


def test_a_person_set_at_the_quarantine_desk_becomes_a_pseudonym(works: _Works) -> None:
    result = works.land(JANUARY, "timesheets/a.csv")
    changes = {"hours_quantity": "3", "person_id": "Josephine Quarterman"}
    released = release_records(
        works.workspace, works.books, "timesheets", "a.csv", 5, why="sign", changes=changes
    )
    path = f"corrections/{released.correction_id}"
    assert works.persons(result, path) == {"5": works.pseudonym("Josephine Quarterman")}
    assert works.find_clear_names() == []


def test_a_line_that_refuses_its_file_is_not_shown(works: _Works) -> None:
    result = works.land(JANUARY + '7,2026-01,CC900,"Josephine" Q,network\n', "timesheets/a.csv")
    assert result.state == "refused"
    assert "Josephine" not in result.message
    assert "because the delivery names persons" in result.message


def test_a_proposed_mapping_names_no_person(tmp_path: Path) -> None:
    path = tmp_path / "hours.csv"
    path.write_text(JANUARY, "utf-8")
    proposal = infer_mapping(path, "timesheets")
    assert proposal.settings["columns"]["person_id"] == "person_id"
    text = render_proposal(proposal)
    assert not any(name in text for name in NAMES)
    assert "'CC900'" in text  # examples of other fields stay


def test_a_pseudonym_stays_and_no_key_is_no_pseudonym() -> None:
    expression = pseudonym_expression("name")
    with duckdb.connect() as connection:
        ours = "p-0123456789abcdef0123"
        sql = f"select {expression} from (select ? as name)"
        assert connection.execute(sql, [ours]).fetchone() == (ours,)
        with pytest.raises(duckdb.InvalidInputException, match="no pseudonym key was given"):
            connection.execute(sql, ["Josephine"]).fetchone()
        connection.execute("set variable pseudonym_key = 'k'")
        # echo -n 'k:Josephine' | sha256sum
        assert connection.execute(sql, ["Josephine"]).fetchone() == (SHA,)
        assert connection.execute(sql, [f"{ours}4"]).fetchone() != (f"{ours}4",)


KEY_IS_GOOD = "the key of their pseudonyms is whole and the owner's"
SHA = "p-f4571e0020949383f319"


def test_the_key_is_the_owners_and_a_damaged_one_is_refused(works: _Works) -> None:
    path = works.workspace.pseudonym_key
    key = find_or_make_key(works.workspace)
    assert (len(key), stat.S_IMODE(path.stat().st_mode)) == (64, 0o600)
    assert find_or_make_key(works.workspace) == key
    assert Finding("good", "persons", KEY_IS_GOOD) in examine(works.root)
    assert list(works.root.glob(".pseudonym_key.*")) == []
    path.chmod(0o640)
    bad = [item for item in examine(works.root) if item.subject == "persons"]
    assert [item.state for item in bad] == ["bad"]
    with pytest.raises(ApportionError, match="a file of mode 640"):
        find_or_make_key(works.workspace)
    path.chmod(0o600)
    path.write_text(key[:-1], "ascii")
    with pytest.raises(ApportionError, match="63 characters") as caught:
        works.land(JANUARY, "timesheets/a.csv")
    assert key[:20] not in str(caught.value)


def test_processes_that_start_together_agree_on_a_key(works: _Works) -> None:
    code = (
        "import sys; from pathlib import Path; sys.stdin.readline();"
        "from pipelines.workspace.pseudonym_key import find_or_make_key;"
        "from pipelines.workspace.workspace import Workspace;"
        "print(find_or_make_key(Workspace.open(Path(sys.argv[1]))))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(works.root)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ),
        )
        for _ in range(3)
    ]  # fmt: skip
    keys = {process.communicate("\n")[0] for process in started}
    assert keys == {f"{find_or_make_key(works.workspace)}\n"}


def test_originals_with_names_are_not_kept_unless_the_source_says_so() -> None:
    contract = load_contract("timesheets")
    mapping = load_mapping("canonical", contract)
    without = mapping.model_copy(
        update={"columns": {k: v for k, v in mapping.columns.items() if k != "person_id"}}
    )
    source = Source(contract="timesheets", inbox="timesheets/*.csv")
    assert not keeps_original(source, contract, mapping)
    assert keeps_original(source, contract, without)
    assert keeps_original(source.model_copy(update={"keep_original": True}), contract, mapping)
    ledger = load_contract("general_ledger")
    assert keeps_original(source, ledger, load_mapping("canonical", ledger))
    told = source.model_copy(update={"keep_original": False})
    assert not keeps_original(told, ledger, load_mapping("canonical", ledger))
