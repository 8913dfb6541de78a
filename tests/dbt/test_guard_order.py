"""Weights are judged before money is divided by them, and what they fail stops the publication."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import BuildError, NothingPublishedError
from pipelines.warehouse.build import build
from pipelines.warehouse.publication import read_publication

from .conftest import OpenWarehouse
from .golden import land_golden

# The guard of each model that divides, by what dbt calls both.
DIVISIONS = {
    "int_towers__cells": "assert_tower_weights_are_sound",
    "int_services__cells": "assert_service_weights_are_sound",
    "int_delivered_services__cells": "assert_delivered_service_weights_are_sound",
    "int_consumers__cells": "assert_consumer_weights_are_sound",
}

# 5,200 times 10^18 parts with all twelve decimals are weights of 5.2 x 10^33; the guard ends at
# 2^112, which is 5.19 x 10^33.
TOO_LARGE = "".join(
    f"2026-02,s1,consumer,p{n},999999999999999999.999999999999,part\n" for n in range(10, 5210)
)


def read_results(target: Path) -> dict[str, dict[str, Any]]:
    """What dbt did in its last run, by the name of the model or test."""
    results = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    return {item["unique_id"].split(".")[2]: item for item in results}


@pytest.mark.parametrize(("model", "guard"), DIVISIONS.items())
def test_guard_ends_before_its_model_starts(
    warehouse: OpenWarehouse, model: str, guard: str
) -> None:
    results = read_results(warehouse.manifest.parent)
    times = {
        name: {step["name"]: step for step in results[name]["timing"]}["execute"]
        for name in (model, guard)
    }
    ended = datetime.fromisoformat(times[guard]["completed_at"])
    assert ended <= datetime.fromisoformat(times[model]["started_at"])


def test_money_is_not_divided_by_weights_that_are_too_large(tmp_path: Path) -> None:
    golden = land_golden("direct", tmp_path, {"service_usage.csv": TOO_LARGE})
    with pytest.raises(BuildError) as caught:
        build(golden.workspace, golden.books)
    assert "assert_consumer_weights_are_sound: 1 rows" in str(caught.value)
    assert "service_id s1" in str(caught.value)
    results = read_results(golden.workspace.warehouse / ".dbt" / "target")
    assert results["assert_consumer_weights_are_sound"]["status"] == "fail"
    assert results["int_consumers__cells"]["status"] == "skipped"
    assert results["int_delivered_services__cells"]["status"] == "success"
    with pytest.raises(NothingPublishedError):
        read_publication(golden.workspace)
