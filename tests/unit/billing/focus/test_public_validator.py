"""The validator of the FinOps Foundation finds no broken rule of FOCUS 1.2 in our files.

It is no dependency: it wants Python 3.12, and `make focus-validator` gives it an environment of its
own. Where that is not there, these tests are skipped.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import ROOT

ENVIRONMENT = ROOT / ".venv-focus"
VALIDATOR = ENVIRONMENT / "bin" / "focus-validator"
MODEL = "1.2.0.1"
# What a provider can do decides which rules count. Of two things that IT does not sell, the
# validator does not see the condition of a rule, and wants a status for every row without any.
NOT_OFFERED = {"CAPACITY_RESERVATION_SUPPORTED", "COMMITMENT_DISCOUNT_SUPPORTED"}
RESULT = re.compile(r"^\S+ (\S+): (PASS|FAIL|SKIPPED)", re.MULTILINE)


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    """The rules as the validator ships them."""
    if not VALIDATOR.is_file():
        pytest.skip("the public validator is not installed: 'make focus-validator'")
    (path,) = ENVIRONMENT.glob(f"lib/*/site-packages/focus_validator/rules/model-{MODEL}.json")
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def validate(rules: dict[str, Any], path: Path) -> dict[str, str]:
    """Rule -> PASS, FAIL or SKIPPED. The validator finds its list of currencies only from there."""
    (packages,) = ENVIRONMENT.glob("lib/*/site-packages")
    criteria = sorted(set(rules["ApplicabilityCriteria"]) - NOT_OFFERED)
    done = subprocess.run(
        [VALIDATOR, "--data-file", path.resolve(), "--validate-version", MODEL, "--block-download",
         "--focus-dataset", "CostAndUsage", "--applicability-criteria", ",".join(criteria)],
        cwd=packages, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return dict(RESULT.findall(done.stdout))


def list_broken(rules: dict[str, Any], results: dict[str, str]) -> list[str]:
    """Rules with MUST that fail. One of several ways to keep a rule (an invoice id is null, or it
    is not) is no rule of its own: the rule that names them is."""
    ways = {
        item["ModelRuleId"]
        for name, rule in rules["ModelRules"].items()
        for requirement in [rule["ValidationCriteria"]["Requirement"]]
        if requirement.get("CheckFunction") == "OR" and results.get(name) == "PASS"
        for item in requirement["Items"]
        if "ModelRuleId" in item
    }
    return sorted(
        name
        for name, result in results.items()
        if result == "FAIL"
        and name not in ways
        and rules["ModelRules"][name]["ValidationCriteria"]["Keyword"].startswith("MUST")
    )


def test_no_rule_of_the_public_validator_is_broken(
    rules: dict[str, Any], exported: dict[str, Path]
) -> None:
    results = validate(rules, exported["1.2"] / "cost_and_usage.parquet")
    assert list_broken(rules, results) == []
    # A validator that looked at nothing would find nothing.
    assert list(results.values()).count("PASS") > 300


def test_failed_rule_counts_unless_another_way_to_keep_it_passed(rules: dict[str, Any]) -> None:
    results = {
        "ChargeCategory-C-003-M": "FAIL",
        "InvoiceId-C-003-C": "PASS",
        "InvoiceId-C-004-C": "FAIL",
        "InvoiceId-C-005-C": "PASS",
        "ChargeDescription-C-004-O": "FAIL",
    }
    assert list_broken(rules, results) == ["ChargeCategory-C-003-M"]
    neither = {"InvoiceId-C-003-C": "FAIL", "InvoiceId-C-004-C": "FAIL"}
    assert list_broken(rules, neither) == sorted(neither)
