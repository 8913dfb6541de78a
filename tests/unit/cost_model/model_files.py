"""A small, right cost model as files; tests change one text of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cost_model.load import CostModel, load_cost_model
from pipelines.errors import ConfigurationError
from pipelines.workspace.workspace import Workspace

FILES = {
    "apportion.yml": """\
name: Example Works
currency: EUR
calendar: {first_period: 2026-01, last_period: 2026-12}
control_total: {source: ledger}
sources:
  ledger: {contract: general_ledger, inbox: ledger/*.csv}
""",
    "cost_model/pools.yml": """\
pools:
  - {id: staff, name: Staff}
  - {id: hardware, name: Hardware}
rules:
  - {id: wages, priority: 10, match: {account: ["60*"]}, pool: staff, reason: Wages.}
  - {id: machines, priority: 20, match: {}, pool: hardware, reason: The rest.}
""",
    "cost_model/towers.yml": """\
towers:
  - {id: compute, name: Compute}
  - {id: desk, name: Service desk}
rules:
  - id: staff-split
    priority: 10
    match: {pool: [staff]}
    split: {method: fixed, shares: {compute: 33.3333333333, desk: 66.6666666667}}
    reason: Headcount.
  - id: the-rest
    priority: 20
    match: {}
    split: {method: direct, to: [compute]}
    reason: Machines.
""",
    "cost_model/services.yml": """\
services:
  - id: mail
    name: Mail
    category: Office
    description: Mailboxes.
    owner: Ana
    unit: mailbox
    unit_name: mailbox
    driver: mailboxes
  - id: network
    name: Network
    category: Base
    description: Cables.
    owner: Ben
    unit: port
    unit_name: port
    is_shared: true
""",
    "cost_model/allocation.yml": """\
shared_services: {method: step_down, order: [network]}
rules:
  - id: by-use
    priority: 10
    match: {tower: [compute]}
    split: {method: driver, driver: minutes, to: [mail, network], fallback: even}
    reason: Use.
  - id: desk-even
    priority: 20
    match: {tower: [desk]}
    split: {method: even, to: [mail, network]}
    reason: Half and half.
""",
    "cost_model/drivers.yml": """\
drivers:
  - {id: mailboxes, name: Mailboxes, kind: service_usage, unit: mailbox, description: Boxes.}
  - {id: minutes, name: Minutes, kind: ticket_effort, unit: minute, description: Effort.}
  - {id: hours, name: Hours, kind: timesheet_hours_by_tower, unit: hour, description: Work.}
""",
}


def write_files(root: Path, changes: dict[str, tuple[str, str]] | None = None) -> Workspace:
    """Write the files below `root`, with one text replaced in some of them."""
    for name, text in FILES.items():
        old, new = (changes or {}).get(name, ("", ""))
        assert old in text
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new, 1) if old else text, "utf-8")
    return Workspace.open(root)


def load_files(root: Path) -> CostModel:
    """The right model."""
    return load_cost_model(write_files(root))


def find_problems(root: Path, changes: dict[str, tuple[str, str]]) -> list[str]:
    """What is wrong with the changed model."""
    with pytest.raises(ConfigurationError) as caught:
        load_cost_model(write_files(root, changes))
    return [str(problem) for problem in caught.value.problems]
