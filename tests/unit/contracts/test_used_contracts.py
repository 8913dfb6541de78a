"""Every contract is read by a dbt model, or says that it is not used yet; never in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.contracts.contract import list_contract_ids, load_contract

PROJECT = Path(__file__).parents[3]
IN_SQL = re.compile(r"source\(\s*['\"]lake['\"]\s*,\s*['\"](\w+)['\"]\s*\)")
IN_CODE = re.compile(r"\b(?:from|join)\s+lake\.(\w+)")
"""Queries of the program itself; data checks read every kind, and make no figure of it."""


def read_used_contracts() -> set[str]:
    """Contracts whose records a dbt model or a query of the program reads."""
    models = (PROJECT / "dbt_project" / "models").rglob("*.sql")
    code = (p for p in (PROJECT / "pipelines").rglob("*.py") if "checks" not in p.parts)
    used = {name for path in models for name in IN_SQL.findall(path.read_text("utf-8"))}
    used |= {name for path in code for name in IN_CODE.findall(path.read_text("utf-8"))}
    return used & set(list_contract_ids())


def test_some_contracts_are_used() -> None:
    assert {"general_ledger", "cloud_bill", "tickets", "service_usage"} <= read_used_contracts()


@pytest.mark.parametrize("contract_id", list_contract_ids())
def test_contract_is_used_or_says_that_it_is_not(contract_id: str) -> None:
    says_unused = load_contract(contract_id).not_used_yet is not None
    is_used = contract_id in read_used_contracts()
    assert says_unused != is_used, (
        f"{contract_id}: a model reads it, so take 'not_used_yet' out of its file"
        if is_used
        else f"{contract_id}: no model reads it, so say in 'not_used_yet' what it would feed"
    )
