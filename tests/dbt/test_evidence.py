"""The evidence pack of the small company's January: read and checked as an auditor does, with the
files of the folder alone."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.books.audit import append_audit
from pipelines.books.books import Books
from pipelines.books.person import act_as
from pipelines.close.close_period import close_period
from pipelines.close.desk import CloseDesk
from pipelines.close.evidence_pack.frozen_figures import open_closed
from pipelines.close.evidence_pack.rule_books import read_rules
from pipelines.close.evidence_pack.write_pack import EvidencePack, write_pack
from pipelines.close.period_states import ask_reopening, read_state, reopen
from pipelines.errors import ControlError, UsageError
from pipelines.workspace.workspace import Workspace
from tests.closed_periods import APPROVER, PREPARER

from .golden import Golden

JANUARY, FEBRUARY = "2026-01", "2026-02"
REASON = '=HYPERLINK("x") <script>alert(1)</script> R&D'


@contextmanager
def _open(root: Path) -> Iterator[CloseDesk]:
    workspace = Workspace.open(root)
    books = Books.open(workspace)
    yield CloseDesk(workspace, books)
    books.close()


def _approve(desk: CloseDesk, period: str) -> None:
    with act_as(PREPARER, is_demo=True):
        desk.calculate(period)
    with act_as(APPROVER, is_demo=True):
        desk.review(period)
        for blocker in desk.list_blockers(period):
            desk.accept(period, blocker.blocker_id, REASON)
        desk.approve(period)


@pytest.fixture(scope="module")
def company(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """January closed and asked to be reopened, February approved."""
    root = tmp_path_factory.mktemp("evidence") / "company"
    shutil.copytree(small_company.workspace.root, root, ignore=shutil.ignore_patterns(".dbt"))
    with _open(root) as desk:
        _approve(desk, JANUARY)
        with act_as(APPROVER, is_demo=True):
            close_period(desk, JANUARY)
        _approve(desk, FEBRUARY)
    return root


@pytest.fixture(scope="module")
def pack(company: Path) -> EvidencePack:
    with _open(company) as desk:
        return write_pack(desk.workspace, desk.books, JANUARY)


def _read(pack: EvidencePack, name: str) -> list[dict[str, str]]:
    with (pack.directory / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _check_sums(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


def test_sha256sum_alone_finds_a_changed_byte(pack: EvidencePack, tmp_path: Path) -> None:
    assert _check_sums(pack.directory).returncode == 0
    named = (pack.directory / "SHA256SUMS").read_text("utf-8").splitlines()
    there = {path.name for path in pack.directory.iterdir()}
    assert {line[66:] for line in named} == there - {"SHA256SUMS"} == set(pack.files)
    copy = Path(shutil.copytree(pack.directory, tmp_path / "copy"))
    content = (copy / "bills.csv").read_bytes()
    (copy / "bills.csv").write_bytes(content.replace(b"614.22", b"614.23"))
    found = _check_sums(copy)
    assert found.returncode == 1
    assert "bills.csv: FAILED" in found.stdout


def test_the_same_close_gives_the_same_bytes(
    company: Path, pack: EvidencePack, tmp_path: Path
) -> None:
    with _open(company) as desk:
        with desk.books.begin() as connection:
            append_audit(connection, "test", "nothing of January", {"period_id": FEBRUARY})
        again = write_pack(desk.workspace, desk.books, JANUARY, 1, tmp_path)
    assert again.sha256 == pack.sha256
    assert again.directory == tmp_path / "2026-01.v1"
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_bills_and_certificate_are_those_of_the_golden_company(
    small_company: Golden, pack: EvidencePack
) -> None:
    header, rows = small_company.read_expected("charges")
    lines = [dict(zip(header, row, strict=True)) for row in rows]
    expected = sum(
        Decimal(line["charged_amount"] or 0)
        for line in lines
        if (line["scenario_id"], line["period_id"]) == ("actual", JANUARY)
    )
    bills = _read(pack, "bills.csv")
    assert {row["business_unit"]: row["billed"] for row in bills} == {
        "Factory": "614.22",
        "Market": "621.72",
        "Staff": "132.77",
        "All": "1368.71",
    }
    assert expected == Decimal("1368.71")
    for identity in ("billed", "charged", "ledger"):
        differences = [
            row["EUR_cents"]
            for row in _read(pack, f"certificate_{identity}.csv")
            if row["side"] == "difference"
        ]
        assert differences == ["0.00"]
    page = (pack.directory / "bills.html").read_text("utf-8")
    assert "3 business units are billed 1,368.71 EUR; it ties to the certificate." in page


def test_manifest_and_audit_log_have_the_hashes_of_their_bytes(
    company: Path, pack: EvidencePack
) -> None:
    with _open(company) as desk, desk.books.read() as connection:
        state = read_state(connection, JANUARY)
    manifest = (pack.directory / "manifest.json").read_bytes()
    assert hashlib.sha256(manifest).hexdigest() == state.manifest_hash
    lines = (pack.directory / "audit_log.jsonl").read_bytes().splitlines()
    hashes = (pack.directory / "audit_log.sha256").read_text("utf-8").split()
    assert [hashlib.sha256(line).hexdigest() for line in lines] == hashes
    records = [json.loads(line) for line in lines]
    (closed,) = [item for item in records if item["action"] == "period close"]
    assert json.loads(closed["details"])["manifest_hash"] == state.manifest_hash
    actions = {item["action"] for item in records}
    assert {"land", "publish", "period calculate", "period approve", "accept blocker"} <= actions
    assert not [item for item in records if FEBRUARY in item["subject"]]


def test_people_and_exceptions_are_those_of_the_books(pack: EvidencePack) -> None:
    signed = {row["what"]: row["who"] for row in _read(pack, "approvals.csv")}
    assert signed == {
        "calculated": PREPARER,
        "reviewed": APPROVER,
        "approved": APPROVER,
        "closed": APPROVER,
    }
    accepted = {row["blocker"]: row["found"] for row in _read(pack, "accepted_blockers.csv")}
    assert accepted["unmapped_account"] == "accounts without a cost pool: 1 item, 8.00 EUR"
    places = [Decimal(row["amount"]) for row in _read(pack, "money_without_consumer.csv")]
    # Account 9999 has no pool, and nobody knows the cost centre cc-x.
    assert sorted(places) == [Decimal("8.00"), Decimal("451.24")]
    inputs = {row["source"]: row for row in _read(pack, "inputs.csv")}
    assert inputs["general_ledger"]["sums_of_period"] == "EUR 1277.95, USD 300"
    assert len(inputs["general_ledger"]["sha256"]) == 64


def test_nothing_that_was_typed_is_run(pack: EvidencePack) -> None:
    reasons = {row["why"] for row in _read(pack, "accepted_blockers.csv")}
    assert reasons == {f"'{REASON}"}
    for path in pack.directory.glob("*.html"):
        page = path.read_text("utf-8")
        assert "<script" not in page, path.name
        # Nothing is loaded: links lead to files of the folder alone.
        assert not re.findall(r'(?:src|href)="(?![a-z_A-Z0-9]+\.(?:html|csv)")', page), path.name
    page = (pack.directory / "exceptions.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; R&amp;D" in page


def test_rules_are_said_in_words(company: Path) -> None:
    """60 and 40 percent of the software stand in the golden company's towers.yml."""
    with _open(company) as desk, desk.books.read() as connection:
        state = read_state(connection, JANUARY)
        with open_closed(desk.workspace, state) as (figures, _):
            rules = {(rule.kind, rule.rule_id): rule for rule in read_rules(figures)}
    fields = rules["tower_rules", "software"].fields
    assert fields["receivers"] == "compute 60 %, desk 40 %"
    assert fields["pools"] == "software"
    assert fields["reason"] == "By contract"
    assert rules["services", "erp"].fields["split"].startswith("method driver, driver seats")
    assert rules["settings", "Small Company"].fields["shared method"] == "step_down"
    assert not {kind for kind, _ in rules} & {"loads", "compiled_models", "quarantine", "periods"}


def test_an_approved_period_gives_a_preview(company: Path, tmp_path: Path) -> None:
    with _open(company) as desk:
        preview = write_pack(desk.workspace, desk.books, FEBRUARY, output=tmp_path)
    assert preview.is_preview
    assert preview.directory.name == "2026-02.v1.preview"
    for path in preview.directory.glob("*.html"):
        assert "Preview: the period is not closed." in path.read_text("utf-8")
    assert not (preview.directory / "manifest.json").exists()
    changes = (preview.directory / "rules.html").read_text("utf-8")
    assert "Since 2026-01 version 1: none changed." in changes


def test_a_reopening_stands_in_both_versions_with_its_reason(
    company: Path, pack: EvidencePack, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(company, tmp_path / "company"))
    with _open(root) as desk:
        with act_as(PREPARER, is_demo=True):
            ask_reopening(desk.books, JANUARY, "an invoice came late")
        with act_as(APPROVER, is_demo=True):
            reopen(desk.books, JANUARY)
        # Its second version is not calculated: evidence is still of the first.
        again = write_pack(desk.workspace, desk.books, JANUARY)
        with pytest.raises(UsageError, match="version 2 is open"):
            write_pack(desk.workspace, desk.books, JANUARY, 2)
    assert again.state.version == 1
    steps = [(row["step"], row["who"], row["why"]) for row in _read(again, "steps.csv")]
    assert steps[-2:] == [
        ("ask_reopening", PREPARER, "an invoice came late"),
        ("reopen", APPROVER, "an invoice came late"),
    ]
    assert again.sha256 != pack.sha256


def test_no_evidence_is_written_of_other_figures(company: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(company, tmp_path / "company"))
    directory = root / "warehouse" / "closed" / "2026-01.v1"
    with _open(root) as desk:
        manifest = directory / "manifest.json"
        content = manifest.read_bytes()
        manifest.write_bytes(content.replace(b"Petra", b"Maria"))
        with pytest.raises(ControlError, match="changed after the close"):
            write_pack(desk.workspace, desk.books, JANUARY)
        manifest.write_bytes(content)
        with (directory / "2026-01.v1.duckdb").open("r+b") as file:
            file.seek(-1, 2)
            file.write(b"x")
        with pytest.raises(ControlError, match="bytes that were frozen"):
            write_pack(desk.workspace, desk.books, JANUARY)


def test_a_folder_that_is_no_pack_is_left_alone(company: Path, tmp_path: Path) -> None:
    mine = tmp_path / "2026-01.v1"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine", "utf-8")
    with _open(company) as desk:
        with pytest.raises(ControlError, match="something else"):
            write_pack(desk.workspace, desk.books, JANUARY, output=tmp_path)
        with pytest.raises(UsageError, match="2026-03 is open"):
            write_pack(desk.workspace, desk.books, "2026-03", output=tmp_path)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
