"""One cost model with every mistake that rules can have: each is found, all at once, at its line.

The files below are wrong on purpose; a comment `# BAD: text` stands on the line at which a problem
with that text is expected. There are no other problems.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.cost_model.load import load_cost_model
from pipelines.errors import ConfigurationError, Problem
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
  - id: wages-old
    priority: 10
    match: {account: ["60*"]}
    valid_to: 2026-03-01
    pool: staff
    reason: Wages.
  - id: wages-new
    priority: 11
    match: {account: ["60*"]}
    valid_from: 2026-05-01  # BAD: wages-new: leaves a gap in 2026-03 to 2026-04: rule wages-old
    pool: staff
    reason: Wages, from May.
  - id: lease-old
    priority: 20
    match: {account: ["62*"]}
    valid_to: 2026-04-01
    pool: hardware
    reason: Leases.
  - id: lease-new
    priority: 21
    match: {account: ["62*"]}
    valid_from: 2026-03-01  # BAD: holds for the same money as rule lease-old from 2026-03-01
    pool: hardware
    reason: Leases, new contract.
  - id: machines
    priority: 30
    match: {account: ["63*"]}
    pool: hardware
    reason: Machines.
  - id: servers
    priority: 30  # BAD: servers: has priority 30, as has rule machines at the same time
    match: {account: ["64*"]}
    pool: hardware
    reason: Servers.
  - id: leases-of-servers
    priority: 40
    match: {account: ["630*"]}  # BAD: can never match: rule machines takes all of its money
    pool: hardwear  # BAD: leases-of-servers: unknown pool 'hardwear'
    reason: Leases.
""",
    "cost_model/towers.yml": """\
towers:
  - {id: compute, name: Compute}
  - {id: desk, name: Service desk}
rules:
  - id: staff-split
    priority: 10
    match: {pool: [staff]}
    split: {method: fixed, shares: {compute: 33.33, desck: 66.66}}  # BAD: 99.99 # BAD: 'desck'
    reason: Headcount.
  - id: the-rest
    priority: ten  # BAD: the-rest: has the wrong type; expected a whole number; found 'ten'
    match: {}
    split: {method: direct, to: [computer]}  # BAD: the-rest: unknown receiver 'computer'
    reason: Machines.
""",
    "cost_model/services.yml": """\
services:
  - id: mail
    name: Mail
    category: Office
    description: Mailboxes.
    owner: Ana
    unit: gigabyte  # BAD: mail: has the unit 'gigabyte', its driver 'mailboxes' counts 'mailbox'
    unit_name: GB
    driver: mailboxes
  - id: network  # BAD: network: from 2026-01 on a loop with no consumer: network, rooms
    name: Network
    category: Base
    description: Cables.
    owner: Ben
    unit: port
    unit_name: port
    driver: ports
  - id: rooms
    name: Rooms
    category: Base
    description: Rooms.
    owner: Ben
    unit: port
    unit_name: port
    driver: ports
  - id: power  # BAD: cooling, power pass their cost only to each other
    name: Power
    category: Base
    description: Power.
    owner: Ben
    unit: kw
    unit_name: kW
    split: {method: direct, to: ["service:cooling"]}
  - id: cooling
    name: Cooling
    category: Base
    description: Cooling.
    owner: Ben
    unit: kw
    unit_name: kW
    split: {method: even, to: ["service:power", "service:cooling"]}
""",
    "cost_model/allocation.yml": """\
shared_services: {method: reciprocal}
rules:
  - id: by-use
    priority: 10
    match: {tower: [compute]}
    split: {method: even, to: [male, network]}  # BAD: by-use: unknown receiver 'male'
    reason: Use.
  - id: desk-even
    priority: 20
    match: {tower: [desk]}
    split: {method: even, to: [mail, network]}
    reasn: Half and half.  # BAD: unknown key 'reasn'
    reason: Half and half.
""",
    "cost_model/drivers.yml": """\
drivers:
  - {id: mailboxes, name: Mailboxes, kind: service_usage, unit: mailbox, description: Boxes.}
  - id: ports
    name: Ports
    kind: table
    unit: port
    description: Ports.
    table:
      receivers: service
      senders: service
      owner: Ben
      attested_by: Ben
      attested_on: 2026-01-01
      valid_for: 12
""",
    "cost_model/drivers/ports.csv": """\
sender_id,receiver_id,quantity
network,rooms,10
rooms,network,4
network,mail,-5
""",
}
IN_CSV = ("cost_model/drivers/ports.csv:4", "a quantity is no negative number")

Found = dict[str, list[Problem]]


def list_expected() -> list[tuple[str, str]]:
    """(file:line, text) of every comment."""
    expected = [
        (f"{name}:{number}", text.strip())
        for name, content in FILES.items()
        for number, line in enumerate(content.splitlines(), start=1)
        for text in re.findall(r"# BAD: ([^#]+)", line)
    ]
    return [*expected, IN_CSV]


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    root = tmp_path_factory.mktemp("wrong")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_cost_model(Workspace.open(root))
    return caught.value.problems


def test_every_mistake_is_found_at_its_line(problems: list[Problem]) -> None:
    expected = list_expected()
    assert len(expected) == 15
    for place, text in expected:
        assert any(item.file == place and text in str(item) for item in problems), (place, text)


def test_nothing_else_is_complained_about(problems: list[Problem]) -> None:
    places = sorted(place for place, _ in list_expected())
    assert sorted(problem.file for problem in problems) == places


def test_each_problem_names_its_rule_and_what_to_do(problems: list[Problem]) -> None:
    for problem in problems:
        if not problem.file.startswith("cost_model/drivers/"):
            assert problem.rule_id, problem
    gap = next(problem for problem in problems if "gap" in problem.message)
    assert (gap.rule_id, gap.expected, gap.found) == (
        "wages-new", "valid_from 2026-03-01", "2026-05-01",
    )  # fmt: skip
    assert gap.remedy == "Let one of the two hold in between, or write a rule for that time."


def test_a_file_that_is_no_yaml_is_corrected_first(tmp_path: Path) -> None:
    """What it declares is not known, so nothing that names it can be judged."""
    from tests.unit.cost_model.model_files import find_problems

    changes = {
        "cost_model/pools.yml": ("pools:", "pools: ["),
        "cost_model/allocation.yml": ("mail, network", "male, network"),
        "cost_model/towers.yml": ("66.6666666667", "66.66"),
    }
    found = find_problems(tmp_path, changes)
    assert [problem.split(":")[0] for problem in found] == [
        "cost_model/pools.yml",
        "cost_model/towers.yml",
    ]
