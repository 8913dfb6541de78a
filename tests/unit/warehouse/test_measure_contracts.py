"""What rpt_measure_next asks for are contracts and fields that there are."""

from __future__ import annotations

import re

from pipelines.contracts.contract import load_contract
from pipelines.cost_model.schema import Driver
from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY

MODEL = PROJECT_DIRECTORY / "models" / "marts" / "rpt_measure_next.sql"
NOT_DELIVERED = {"table"}
"""Kinds whose quantities are in the rule files."""

DELIVERY = re.compile(r"\(\s*'(\w+)',\s*'(\w+)',\s*'([a-z_, ]+)'\s*\)")


def test_deliveries_name_known_kinds_contracts_and_fields() -> None:
    text = MODEL.read_text("utf-8")
    values = text[text.index("deliveries (") : text.index("deliver as (")]
    deliveries = DELIVERY.findall(values)
    kinds = set(Driver.model_fields["kind"].annotation.__args__)  # type: ignore[union-attr]
    assert {kind for kind, _, _ in deliveries} == (kinds - NOT_DELIVERED) | {"cost_centres"}
    for _, contract_id, columns in deliveries:
        names = {field.name for field in load_contract(contract_id).fields}
        assert set(columns.split(", ")) <= names, contract_id
