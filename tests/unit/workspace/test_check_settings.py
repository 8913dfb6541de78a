"""The thresholds in apportion.yml: what is refused, and how both sections are put together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.errors import ConfigurationError
from pipelines.workspace.check_settings import ResolvedChecks, resolve_checks
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.workspace import Workspace

CONFIG = """\
name: Example Works
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
checks:
  latest_periods: 2
  volume: {fall_percent: 40, severity: error}
sources:
  ledger:
    contract: general_ledger
    inbox: ledger/*.csv
    checks:
"""


def read(tmp_path: Path, *lines: str) -> WorkspaceConfig:
    text = CONFIG + "".join(f"      {line}\n" for line in lines)
    (tmp_path / "apportion.yml").write_text(text, "utf-8")
    return Workspace.open(tmp_path).config


def resolve(tmp_path: Path, *lines: str) -> ResolvedChecks:
    config = read(tmp_path, *lines)
    return resolve_checks(config.checks, config.sources["ledger"].checks)


def test_own_key_wins_and_the_rest_is_of_the_workspace_or_the_default(tmp_path: Path) -> None:
    checks = resolve(tmp_path, "volume: {rise_percent: 12.5}", "latest_periods: 6")
    assert (checks.volume.fall_percent, checks.volume.rise_percent) == (
        Decimal(40),
        Decimal("12.5"),
    )
    assert (checks.volume.severity, checks.latest_periods) == ("error", 6)
    assert (checks.amount.fall_percent, checks.amount.severity) == (Decimal(50), "warning")
    assert resolve(tmp_path, "volume: {severity: warning}").volume.severity == "warning"
    assert resolve(tmp_path, "ranges: []").latest_periods == 2
    assert resolve_checks(None, None) == ResolvedChecks()


def test_a_limit_can_be_switched_off(tmp_path: Path) -> None:
    assert resolve(tmp_path, "volume: {fall_percent: null}").volume.fall_percent is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ranges: [{field: amount, minimum: 0}]", "has no field 'amount'"),
        ("ranges: [{field: account_id, minimum: 0}]", "'account_id' is no number"),
        ("ranges: [{field: amount_local}]", "expected 'minimum', 'maximum' or both"),
        ("ranges: [{field: amount_local, minimum: 2, maximum: 1}]", "maximum 1 is below minimum 2"),
        ("allowed_values: [{field: amount_local, values: ['1']}]", "'amount_local' is no code"),
        ("completeness: {fields: {line_id: 90}}", "'line_id' is required"),
        ("completeness: {fields: {vendor_name: 101}}", "less than or equal to 100"),
        ("references: [{field: account_id, master: budgets}]", "master"),
        ("volume: {severity: fatal}", "severity"),
        ("volume: {fall: 10}", "fall"),
        (
            "ranges: [{field: amount_local, minimum: 0}, {field: amount_local, maximum: 9}]",
            "a field stands there twice: amount_local",
        ),
    ],
)
def test_wrong_thresholds_are_refused_with_their_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, line)
    (problem,) = caught.value.problems
    assert told in str(problem)
    # The thirteenth line is the one in question; a rule over the whole section names its place.
    assert problem.file in ("apportion.yml:13", "apportion.yml:12")
