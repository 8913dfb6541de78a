"""Names of two taxonomies: known, given once, and compiled as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cost_model.compile import RunStamp, compile_tables
from pipelines.cost_model.load import load_cost_model
from pipelines.cost_model.tbm_names import load_tbm_names
from pipelines.errors import ConfigurationError
from pipelines.model_check.care_checks import check_care, check_taxonomies
from pipelines.workspace.workspace import Workspace
from tests.unit.cost_model.model_files import find_problems, write_files

STAMP = RunStamp("run-1", "f" * 64, "2026-01-31 12:00:00", "code")
POOLS = "cost_model/pools.yml"
STAFF = "{id: staff, name: Staff}"


def write_crosswalk(root: Path, text: str) -> Workspace:
    workspace = write_files(
        root, {POOLS: (STAFF, "{id: staff, name: Staff, tbm: Staffing / Internal Labor}")}
    )
    head = "taxonomy: {id: house, name: House}\n"
    (workspace.cost_model / "crosswalk.yml").write_text(head + text, "utf-8")
    return workspace


def test_the_names_of_tbm_are_there() -> None:
    """40 sub-pools of 9 cost pools, 55 sub-towers, 32 solutions, as the taxonomy 5.0.1 has them."""
    names = load_tbm_names()
    counts = {layer: sum(item[0] == layer for item in names) for layer, _, _ in names}
    assert counts == {"cost_pool": 40, "tower": 55, "service": 32}
    assert ("tower", "Compute", "Servers") in names
    assert ("service", "Shared & Corporate", "Risk, Audit & Compliance") in names


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Stafing", "unknown cost pool of the TBM taxonomy 5.0.1 'Stafing'"),
        ("Staffing / Servers", "unknown cost pool of the TBM taxonomy 5.0.1 'Staffing / Servers'"),
        ("Compute / Servers", "unknown cost pool"),
    ],
)
def test_a_name_that_tbm_does_not_have_is_refused(tmp_path: Path, name: str, said: str) -> None:
    changes = {POOLS: (STAFF, f"{{id: staff, name: Staff, tbm: {name}}}")}
    (problem,) = find_problems(tmp_path, changes)
    assert problem.startswith("cost_model/pools.yml:2: staff: ")
    assert said in problem


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("pools: {People: [stuff]}\n", 2, "People: unknown pool 'stuff'"),
        ("pools:\n  A: [staff]\n  B: [staff]\n", 3, "A: the pool 'staff' stands under 2 names"),
        ("towers: {Machines: [mail]}\n", 2, "Machines: unknown tower 'mail'"),
        ("services: {Office: [male]}\n", 2, "Office: unknown service 'male'"),
        ("pools: {People: []}\n", 2, "at least 1 item"),
        ("levels: {}\n", 2, "unknown key 'levels'"),
    ],
)
def test_a_wrong_crosswalk_is_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_cost_model(write_crosswalk(tmp_path, text))
    problems = [str(problem) for problem in caught.value.problems]
    assert any(
        item.startswith(f"cost_model/crosswalk.yml:{line}") and said in item for item in problems
    ), problems


def test_names_are_compiled_for_both_taxonomies(tmp_path: Path) -> None:
    text = "pools: {People: [staff]}\nservices: {Office / Post: [mail, network]}\n"
    workspace = write_crosswalk(tmp_path, text)
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    assert [row[0] for row in tables["taxonomies"][1]] == ["tbm-5.0.1", "house"]
    assert tables["taxonomy_mappings"][1] == [
        ("tbm-5.0.1", "cost_pool", "staff", "Staffing", "Internal Labor"),
        ("house", "cost_pool", "staff", "People", None),
        ("house", "service", "mail", "Office", "Post"),
        ("house", "service", "network", "Office", "Post"),
    ]
    assert len(tables["taxonomy_sub_pools"][1]) == 40


def test_a_taxonomy_without_names_is_not_there(tmp_path: Path) -> None:
    workspace = write_files(tmp_path)
    tables = compile_tables(workspace.config, load_cost_model(workspace), STAMP)
    names = ("taxonomies", "taxonomy_mappings", "taxonomy_sub_pools")
    assert [tables[name][1] for name in names] == [[], [], []]


def test_what_has_no_name_is_listed(tmp_path: Path) -> None:
    workspace = write_crosswalk(tmp_path, "pools: {People: [staff]}\n")
    found = [item.found for item in check_taxonomies(load_cost_model(workspace))]
    assert found == [
        "1 of 2 pools have no name in TBM taxonomy 5.0.1: hardware",
        "1 of 2 pools have no name in House: hardware",
    ]


def test_a_sub_pool_that_tbm_does_not_have_is_listed(tmp_path: Path) -> None:
    pools = "  - {id: staff, name: Staff, tbm: Staffing}"
    workspace = write_files(tmp_path, {POOLS: (f"  - {STAFF}", pools)})
    path = workspace.cost_model / "pools.yml"
    text = path.read_text("utf-8").replace("pool: staff,", "pool: staff, sub_pool: Wages,")
    path.write_text(text, "utf-8")
    found = [item.found for item in check_taxonomies(load_cost_model(workspace))]
    assert found[-1] == "TBM taxonomy 5.0.1 has no sub-pool Wages (Staffing)"


def test_rules_without_owner_or_approval_are_counted_per_file(tmp_path: Path) -> None:
    """Of the two pool rules one has both, of the others none."""
    care = "reason: Wages., owner: Ana, approved_by: Ben, approved_on: 2026-01-05}"
    workspace = write_files(tmp_path, {POOLS: ("reason: Wages.}", care)})
    found = [
        (item.title, item.place, item.found) for item in check_care(load_cost_model(workspace))
    ]
    assert found[0] == (
        "Rules without an owner", "cost_model/pools.yml", "1 of 2 rules: machines",
    )  # fmt: skip
    assert [(title, place) for title, place, _ in found] == [
        (title, f"cost_model/{name}.yml")
        for title in ("Rules without an owner", "Rules without approval")
        for name in ("pools", "towers", "allocation")
    ]


def test_an_approval_is_whole(tmp_path: Path) -> None:
    half = "reason: Wages., approved_by: Ben}"
    problems = find_problems(tmp_path, {POOLS: ("reason: Wages.}", half)})
    assert "an approval has both 'approved_by' and 'approved_on'" in problems[0]
