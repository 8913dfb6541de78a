"""`apportion model check` against money: the small company, as it is and with changed rules.

Figures are those of ../golden/small_company/README.md.
"""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.model_check.check_model import ModelReport, check_model
from pipelines.workspace.workspace import Workspace

from .golden import Golden, land_golden

# Beside the point of these tests: the golden rules have no owners and approvals.
CARE = ("Rules without an owner", "Rules without approval")

Found = tuple[str, str, str | None, str | None, Decimal | None]


def change_rules(golden: Golden, root: Path, changes: dict[str, tuple[str, str]]) -> Workspace:
    """A copy of the built workspace with texts of its rule files replaced."""
    shutil.copytree(golden.workspace.root, root)
    for name, (old, new) in changes.items():
        path = root / "cost_model" / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
    return Workspace.open(root)


def list_found(report: ModelReport, *titles: str) -> list[Found]:
    """Severity, title, rule, period and amount of the findings with these titles, or of all."""
    return [
        (item.severity, item.title, item.rule_id, item.period_id, item.amount)
        for item in report.findings
        if item.title not in CARE and (not titles or item.title in titles)
    ]


def test_rules_as_published(small_company: Golden) -> None:
    report = check_model(small_company.workspace)
    assert report.errors == 0
    assert list_found(report) == [
        ("warning", "Money without a rule", None, "2026-01", Decimal("8.00000000")),
        ("warning", "Driver without data", "hours", "2026-02", None),
        ("warning", "Driver without data", "ports", "2026-02", None),
        ("warning", "Driver without data", "seats", "2026-02", None),
        ("warning", "Driver without data", "tickets", "2026-02", None),
        ("warning", "Unknown cost centre", "seats", "2026-01", None),
        ("warning", "Pools without a name in a taxonomy", None, None, None),
        ("warning", "Towers without a name in a taxonomy", None, None, None),
        ("warning", "Pools without a name in a taxonomy", None, None, None),
        ("warning", "Towers without a name in a taxonomy", None, None, None),
        ("warning", "Services without a name in a taxonomy", None, None, None),
    ]
    money, hours = report.findings[:2]
    assert money.found == (
        "money of the ledger in 2026-01: 8.00 of account 9999, cost centre it1, "
        "source general_ledger, legal entity de. It has no cost pool and is not mapped."
    )
    assert hours.place == "cost_model/drivers.yml:2"
    assert "the fallback of rule labour applies" in hours.found
    assert report.notes[0].startswith("Compared with the money of run ")


def test_current_rules_are_checked_and_not_those_that_were_published(
    small_company: Golden, tmp_path: Path
) -> None:
    """The cloud (270.00) has a rule until 2025, software (99.95) and the desk (333.33) none."""
    desk = "  - {id: desk, priority: 50, match: {tower: [desk]}, split: {method: direct, "
    desk += "to: [service-desk]}, reason: Its own tower}\n"
    software = "  - {id: software, priority: 30, match: {pool: [software]}, "
    dead = "  - {id: dead, priority: 30, match: {pool: [software], vendor: [Nobody]}, "
    workspace = change_rules(
        small_company,
        tmp_path / "changed",
        {
            "pools.yml": (
                "{id: cloud, priority: 20,",
                "{id: cloud, valid_to: 2025-12-01, priority: 20,",
            ),
            "towers.yml": (software, dead),
            "allocation.yml": (desk, ""),
        },
    )
    report = check_model(workspace)
    out_of_time = "Money at a time when its rule does not hold"
    assert list_found(report, out_of_time, "Money without a rule", "Rule never used") == [
        ("error", out_of_time, "cloud", "2026-01", Decimal("270.00000000")),
        ("warning", "Money without a rule", None, "2026-01", Decimal("8.00000000")),
        ("warning", "Money without a rule", None, "2026-01", Decimal("99.95000000")),
        ("warning", "Money without a rule", None, "2026-01", Decimal("333.33333333")),
        # Without a cloud pool no money meets the rules for it.
        ("warning", "Rule never used", "cloud", None, None),
        ("warning", "Rule never used", "dead", None, None),
        ("warning", "Rule never used", "tagged", None, None),
        ("warning", "Rule never used", "untagged", None, None),
    ]
    error = report.findings[0]
    assert error.place == "cost_model/pools.yml:7"
    assert "holds only before 2025-12-01" in error.found
    assert "changed since: " in report.notes[0]
    assert {"pool_rules", "tower_rules", "service_rules"} <= set(
        report.notes[0].partition("changed since: ")[2].rstrip(".").split(", ")
    )


LOOP = """\
2026-07,backup,service,vault,1,part
2026-07,vault,service,backup,1,part
2026-07,staff,consumer,assembling-2,-0.5,part
"""


@pytest.mark.parametrize(("method", "severity"), [("reciprocal", "error"), ("direct", "warning")])
def test_use_is_checked_before_anything_is_built(
    tmp_path: Path, method: str, severity: str
) -> None:
    """Backup and vault use each other and nobody else uses them; one use is below zero."""
    golden = land_golden("reciprocal", tmp_path, {"service_usage.csv": LOOP})
    path = golden.workspace.cost_model / "allocation.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("method: reciprocal", f"method: {method}"), "utf-8")
    report = check_model(golden.workspace)
    assert sorted(list_found(report)) == sorted(
        [
            (severity, "Loop with no consumer", "backup", "2026-07", None),
            ("error", "Use below zero", "parts", "2026-07", None),
        ]
    )
    loop = next(item for item in report.findings if item.rule_id == "backup")
    assert loop.place == "cost_model/services.yml:19"
    assert "in 2026-07 backup, vault are used only by each other" in loop.found
    negative = next(item for item in report.findings if item.rule_id == "parts")
    assert "the use of staff by assembling-2, down to -0.5" in negative.found
    assert report.notes[0].startswith("Nothing is built yet")
