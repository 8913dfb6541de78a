"""Rules that shadow each other, overlap in time or leave a gap; and those that only look so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cost_model.load import load_cost_model
from pipelines.errors import ConfigurationError
from tests.unit.cost_model.model_files import FILES, write_files

POOLS = "cost_model/pools.yml"
OLD = FILES[POOLS].partition("rules:\n")[2]
REST = '{id: machines, priority: 90, match: {account: ["62*"]}, pool: hardware, reason: R.}'


def list_found(root: Path, *rules: str) -> list[str]:
    """What is wrong with pools.yml when it has these rules and one for account 62*."""
    text = "".join(f"  - {rule}\n" for rule in (*rules, REST))
    workspace = write_files(root, {POOLS: (OLD, text)})
    try:
        load_cost_model(workspace)
    except ConfigurationError as error:
        return [line.strip() for line in str(error).splitlines()[1:]]
    return []


def rule(name: str, priority: int, match: str, span: str = "") -> str:
    tail = f", {span}" if span else ""
    return f"{{id: {name}, priority: {priority}, match: {match}, pool: staff, reason: R.{tail}}}"


WAGES = '{account: ["60*"]}'

# Rules beside the one for 62*, and what is said; none where they are right.
CASES: dict[str, tuple[list[str], str | None]] = {
    "a follower from the day of the end": ([
        rule("a", 10, WAGES, "valid_to: 2026-03-01"),
        rule("b", 11, WAGES, "valid_from: 2026-03-01")], None),
    "a gap of one period": ([
        rule("a", 10, WAGES, "valid_to: 2026-03-01"),
        rule("b", 11, WAGES, "valid_from: 2026-04-01")], "b: leaves a gap in 2026-03: rule a"),
    "a gap of days, in which no period begins": ([
        rule("a", 10, WAGES, "valid_to: 2026-03-31"),
        rule("b", 11, WAGES, "valid_from: 2026-04-01")], None),
    "a gap before the calendar": ([
        rule("a", 10, WAGES, "valid_to: 2025-03-01"),
        rule("b", 11, WAGES, "valid_from: 2025-06-01")], None),
    "a gap that a wider rule fills": ([
        rule("a", 10, WAGES, "valid_to: 2026-03-01"),
        rule("b", 11, WAGES, "valid_from: 2026-05-01"),
        rule("c", 12, '{account: ["6*"]}', "valid_to: 2026-06-01")], None),
    "a gap that is filled in part": ([
        rule("a", 10, WAGES, "valid_to: 2026-03-01"),
        rule("b", 11, WAGES, "valid_from: 2026-06-01"),
        rule("c", 12, '{account: ["6*"]}', "valid_to: 2026-05-01")], "b: leaves a gap in 2026-05"),
    "a follower for a part of the money": ([
        rule("a", 10, WAGES, "valid_to: 2026-03-01"),
        rule("b", 11, '{account: ["601*"]}', "valid_from: 2026-04-01")], "b: leaves a gap in"),
    "other money": ([
        rule("a", 10, WAGES, "valid_to: 2026-03-01"),
        rule("b", 11, '{account: ["61*"]}', "valid_from: 2026-05-01")], None),
    "an overlap": ([
        rule("a", 10, WAGES, "valid_to: 2026-04-01"),
        rule("b", 11, WAGES, "valid_from: 2026-03-01")],
        "b: holds for the same money as rule a from 2026-03-01 to 2026-04-01"),
    "an exception for a time": ([
        rule("a", 10, WAGES, "valid_from: 2026-03-01, valid_to: 2026-04-01"),
        rule("b", 11, WAGES)], None),
    "an exception behind the standing rule": ([
        rule("a", 11, WAGES, "valid_from: 2026-03-01, valid_to: 2026-04-01"),
        rule("b", 10, WAGES)], "a: can never match: rule b takes all of its money before"),
    "a wide rule before a narrow one": ([
        rule("a", 10, "{}"), rule("b", 11, WAGES)], "b: can never match: rule a"),
    "a wide rule before a narrow one, that ends": ([
        rule("a", 10, '{account: ["6*"]}', "valid_to: 2026-06-01"), rule("b", 11, WAGES)], None),
    "a rule of two conditions before one of one": ([
        rule("a", 10, '{account: ["60*"], vendor: [X]}'), rule("b", 11, WAGES)], None),
    "globs that cannot be compared": ([
        rule("a", 10, '{account: ["[0-9]*"]}'), rule("b", 11, WAGES)], None),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rules_are_compared_with_each_other(tmp_path: Path, case: str) -> None:
    rules, said = CASES[case]
    found = [item for item in list_found(tmp_path, *rules) if "machines" not in item]
    if said is None:
        assert found == []
    else:
        assert len(found) == 1
        assert said in found[0]
