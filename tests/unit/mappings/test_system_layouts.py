"""Exports of common systems land by `infer` and at most one edit, with their records and sums."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from pipelines.books.books import Books
from pipelines.landing.land import LoadResult, land_inbox
from pipelines.mappings.answers import Answers
from pipelines.mappings.infer import Proposal, infer_mapping
from pipelines.mappings.write_proposal import write_proposal
from pipelines.workspace.init_workspace import init_workspace
from pipelines.workspace.workspace import Workspace

from .system_layouts import LAYOUTS, SystemLayout


def land_proposal(root: Path, file: Path, proposal: Proposal) -> LoadResult:
    """Write the proposed mapping into a fresh workspace and land the file by it."""
    workspace = root / "acme"
    init_workspace(workspace, "empty")
    write_proposal(proposal, workspace / "mappings" / "foreign.yml")
    config = workspace / "apportion.yml"
    settings = yaml.safe_load(config.read_text("utf-8"))
    settings["sources"]["foreign"] = {
        "contract": proposal.match.contract.contract_id,
        "mapping": "foreign",
        "inbox": "foreign/*",
    }
    config.write_text(yaml.safe_dump(settings), "utf-8")
    inbox = workspace / "inbox" / "foreign"
    inbox.mkdir()
    (inbox / file.name).write_bytes(file.read_bytes())
    space = Workspace.open(workspace)
    (result,) = land_inbox(space, Books.open(space))
    return result


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.system)
def test_export_of_a_system_lands(tmp_path: Path, layout: SystemLayout) -> None:
    file = tmp_path / f"{layout.system}.csv"
    file.write_bytes(layout.text.encode(layout.encoding))
    named = None if layout.system != "nobody_knows" else "general_ledger"
    found = infer_mapping(file, named)
    assert found.match.contract.contract_id == layout.contract
    assert found.match.fits or named
    # What only a person can say is what the layout needs, and nothing else.
    assert set(found.match.open_fields) == set(layout.constants)
    answers = Answers(layout.constants, settings=dict(layout.settings))
    result = land_proposal(tmp_path, file, infer_mapping(file, layout.contract, answers))
    assert (result.state, result.message) == ("landed", "")
    assert (result.records_accepted, result.records_quarantined) == (layout.records, 0)
    if layout.total:
        (amounts,) = (result.amounts or {}).values()
        assert Decimal(amounts["accepted"]) == Decimal(layout.total)
