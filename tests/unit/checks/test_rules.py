"""The rules of the sources as data."""

from __future__ import annotations

import pytest

from pipelines.checks.rules import RULES_DIRECTORY, Rule, load_rules
from pipelines.contracts.contract import list_contract_ids, load_contract


def _make_rule(**changes: object) -> Rule:
    entry = {"check_id": "c", "severity": "error", "sentence": "s", "columns": ["a"]}
    return Rule.model_validate({**entry, **changes})


def test_every_file_belongs_to_a_contract() -> None:
    assert {path.stem for path in RULES_DIRECTORY.glob("*.yml")} <= set(list_contract_ids())


def test_columns_exist_in_the_contract() -> None:
    for contract_id in list_contract_ids():
        names = {field.name for field in load_contract(contract_id).fields}
        for rule in load_rules(contract_id):
            assert set(rule.columns) <= names, (contract_id, rule.check_id)


def test_condition_becomes_a_query_with_file_and_row() -> None:
    assert (
        _make_rule(where="a < 0").query
        == "select _file_id, _row_number, a from {batch} where a < 0"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"where": "a < 0", "broken_rows": "select 1 from {batch}"},
        {"broken_rows": "select 1 from lake.general_ledger"},
        {"where": "a = '{x}'"},
        {"where": "a = 'b:c'"},
        {"where": "a < 0", "severity": "fatal"},
    ],
)
def test_unusable_rules_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"rule c|severity"):
        _make_rule(**changes)
