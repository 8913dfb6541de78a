"""A cost model that does not fit together is refused with file, line and rule, before any sum."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cost_model.load import load_cost_model
from tests.unit.cost_model.model_files import find_problems, load_files, write_files

POOLS, TOWERS = "pools.yml", "towers.yml"
SERVICES, ALLOCATION, DRIVERS = "services.yml", "allocation.yml", "drivers.yml"

BY_USE = "{method: driver, driver: minutes, to: [mail, network], fallback: even}"
REST = "residual: {method: even, to: [mail]}"
THIRDS = "{compute: 33.3333333333, desk: 66.6666666667}"

# file, text, its replacement, line, what the problem says
CASES: dict[str, tuple[str, str, str, int, tuple[str, ...]]] = {
    "pool twice": (
        POOLS, "id: hardware, name", "id: staff, name", 2, ("staff: the id occurs 2 times",)),
    "tower twice": (TOWERS, "id: desk, name", "id: compute, name", 2, ("occurs 2 times",)),
    "rule twice": (POOLS, "id: machines", "id: wages", 5, ("wages: the id occurs 2 times",)),
    "one priority": (
        POOLS, "priority: 20", "priority: 10", 6,
        ("machines: has priority 10, as has rule wages at the same time",)),
    "shares too small": (
        TOWERS, THIRDS, "{compute: 33.33, desk: 66.66}", 8,
        ("shares sum to 99.99, expected 100 exactly",)),
    "shares too large": (
        TOWERS, THIRDS, "{compute: 50, desk: 50.01}", 8, ("shares sum to 100.01",)),
    "share with more decimals than are kept": (
        TOWERS, THIRDS, "{compute: 33.33333333333, desk: 66.66666666667}", 8,
        ("the share of compute has more than 10 decimals: 33.33333333333",)),
    "share with decimals that a float would lose": (
        TOWERS, THIRDS, "{compute: 0.00000000000000000001, desk: 99.99999999999999999999}", 8,
        ("the share of compute has more than 10 decimals",)),
    "negative share": (
        TOWERS, THIRDS, "{compute: -10, desk: 110}", 8, ("share of compute is negative: -10",)),
    "no shares": (TOWERS, f", shares: {THIRDS}", "", 8, ("fixed needs 'shares'",)),
    "unknown pool": (
        POOLS, "pool: staff", "pool: stuff", 5, ("wages: unknown pool 'stuff'", "Is 'staff' mea")),
    "unknown pool matched": (
        TOWERS, "pool: [staff]", "pool: [hardwear]", 7,
        ("staff-split: unknown pool 'hardwear'", "Is 'hardware' meant?")),
    "unknown tower": (
        TOWERS, "to: [compute]", "to: [computer]", 13,
        ("the-rest: unknown receiver 'computer'", "Is 'compute' meant?")),
    "unknown tower with a share": (
        TOWERS, "compute: 33", "compte: 33", 8, ("unknown receiver 'compte'", "Is 'compute' me")),
    "unknown tower matched": (
        ALLOCATION, "tower: [desk]", "tower: [dsk]", 10, ("unknown tower 'dsk'", "Is 'desk' m")),
    "glob that matches no tower": (
        ALLOCATION, "tower: [desk]", "tower: [print-*]", 10, ("unknown tower 'print-*'", "Known:")),
    "unknown source matched": (
        POOLS, 'account: ["60*"]', "source: [leger]", 5, ("unknown source 'leger'", "Is 'ledger'")),
    "unknown service": (
        ALLOCATION, "method: even, to: [mail, network]", "method: even, to: [male, network]", 11,
        ("desk-even: unknown receiver 'male'", "Is 'mail' meant?")),
    "unknown driver of a service": (
        SERVICES, "driver: mailboxes", "driver: mailbox", 9,
        ("mail: unknown driver 'mailbox'", "Is 'mailboxes' meant?")),
    "unknown driver of a rule": (
        ALLOCATION, "driver: minutes", "driver: minute", 6,
        ("by-use: unknown driver 'minute'",)),
    "other unit than the driver": (
        SERVICES, "unit: mailbox", "unit: gigabyte", 7,
        ("mail: has the unit 'gigabyte', its driver 'mailboxes' counts 'mailbox'",)),
    "direct to two": (
        TOWERS, "to: [compute]", "to: [compute, desk]", 13,
        ("direct has exactly one receiver, found 2",)),
    "direct to nobody": (TOWERS, ", to: [compute]", "", 13, ("direct needs either 'to'",)),
    "a part that the method does not read": (
        TOWERS, "to: [compute]", "to: [compute], shares: {desk: 100}", 13,
        ("direct does not take shares",)),
    "a receiver twice": (
        ALLOCATION, "method: even, to: [mail, network]", "method: even, to: [mail, mail]", 11,
        ("a receiver stands in 'to' twice",)),
    "even to nobody": (
        ALLOCATION, "method: even, to: [mail, network]", "method: even", 11, ("even needs its",)),
    "driver without a driver": (
        ALLOCATION, "driver: minutes, ", "", 6, ("driver needs a 'driver'",)),
    "fallback even to nobody": (
        ALLOCATION, "to: [mail, network], fallback", "fallback", 6, ("fallback even needs the",)),
    "service falls back to nobody": (
        SERVICES, "driver: mailboxes", "driver: mailboxes\n    fallback: even", 10,
        ("mail: fallback even needs 'consumers'",)),
    "order lacks a shared service": (
        ALLOCATION, "order: [network]", "order: []", 1,
        ("step_down needs every shared service in its order; missing: network",)),
    "order names an unknown service": (
        ALLOCATION, "order: [network]", "order: [network, netwrk]", 1,
        ("unknown service 'netwrk'", "Is 'network' meant?")),
    "order names a service twice": (
        ALLOCATION, "order: [network]", "order: [network, network]", 1, ("in the order twice",)),
    "empty span": (
        POOLS, "priority: 20,", "priority: 20, valid_from: 2026-02-01, valid_to: 2026-02-01,", 6,
        ("valid_to 2026-02-01 is not after valid_from 2026-02-01",)),
    "pool and exclusion": (
        POOLS, "pool: staff", "pool: staff, exclude_as: recovery", 5, ("either a pool or",)),
    "neither pool nor exclusion": (POOLS, ", pool: staff", "", 5, ("either a pool or exclude_as",)),
    "availability above 100": (
        SERVICES, "unit: port", "unit: port\n    service_level: {availability_percent: 100.5}", 16,
        ("less than or equal to 100", "found 100.5")),
    "availability of five decimals": (
        SERVICES, "unit: port", "unit: port\n    service_level: {availability_percent: 99.99999}",
        16, ("no more than 4 decimal places", "found 99.99999")),
    "less than all without a residual": (
        TOWERS, THIRDS, "{compute: 99.99}", 8, ("shares sum to 99.99", "a 'residual' for the r")),
    "a residual of nothing": (
        TOWERS, THIRDS, "{compute: 60, desk: 40}, residual: {method: even, to: [desk]}", 8,
        ("shares sum to 100, expected more than 0 and less than 100: 'residual' takes the rest",)),
    "a residual of all": (
        TOWERS, THIRDS, "{compute: 0}, residual: {method: even, to: [desk]}", 8,
        ("shares sum to 0, expected more than 0",)),
    "a residual by shares": (
        TOWERS, THIRDS, "{compute: 60}, residual: {method: fixed, shares: {desk: 100}}", 8,
        ("expected one of 'direct', 'driver', 'weighted' or 'even'; found 'fixed'",)),
    "a residual without its driver": (
        TOWERS, THIRDS, "{compute: 60}, residual: {method: driver}", 8, ("driver needs a 'dri",)),
    "a residual to nobody": (
        TOWERS, THIRDS, "{compute: 60}, residual: {method: direct}", 8,
        ("direct needs its one receiver in 'to'",)),
    "a residual to an unknown tower": (
        TOWERS, THIRDS, "{compute: 60}, residual: {method: direct, to: [dsk]}", 8,
        ("staff-split: unknown receiver 'dsk'", "Is 'desk' meant?")),
    "a residual by an unknown driver": (
        TOWERS, THIRDS, "{compute: 60}, residual: {method: driver, driver: mailbox}", 8,
        ("staff-split: unknown driver 'mailbox'",)),
    "a residual of another method": (
        ALLOCATION, "to: [mail, network], fallback: even}", f"{REST}}}", 6,
        ("driver does not take residual",)),
    "weighted without weights": (
        ALLOCATION, BY_USE, "{method: weighted, driver: minutes}", 6, ("needs 'weights'",)),
    "weighted without a driver": (
        ALLOCATION, BY_USE, "{method: weighted, weights: {mail: 1}}", 6, ("needs a 'driver'",)),
    "weights of an unknown service": (
        ALLOCATION, BY_USE, "{method: weighted, driver: minutes, weights: {male: 1}}", 6,
        ("by-use: unknown receiver 'male'", "Is 'mail' meant?")),
    "weight below zero": (
        ALLOCATION, BY_USE, "{method: weighted, driver: minutes, weights: {mail: -1}}", 6,
        ("the weight of mail is -1, expected 0 to 1000000",)),
    "weight of seven decimals": (
        ALLOCATION, BY_USE, "{method: weighted, driver: minutes, weights: {mail: 0.0000001}}", 6,
        ("the weight of mail has more than 6 decimals",)),
    "default weight below zero": (
        ALLOCATION, BY_USE,
        "{method: weighted, driver: minutes, weights: {mail: 1}, default_weight: -2}", 6,
        ("default_weight is -2, expected 0 to 1000000",)),
    "no weight above zero": (
        ALLOCATION, BY_USE, "{method: weighted, driver: minutes, weights: {mail: 0}}", 6,
        ("all weights are 0",)),
    "weights of a driver split": (
        ALLOCATION, "to: [mail, network], fallback: even}", "weights: {mail: 1}}", 6,
        ("driver does not take weights",)),
    "an unknown way with negative quantities": (
        ALLOCATION, "fallback: even}", "fallback: even, negative: ignore}", 6,
        ("expected one of 'refuse', 'clamp' or 'absolute'; found 'ignore'",)),
    "negative of a split without quantities": (
        ALLOCATION, "method: even, to: [mail, network]",
        "method: even, to: [mail, network], negative: clamp", 11, ("even does not take negative",)),
    "capacity of a rule": (
        ALLOCATION, BY_USE, "{method: capacity, driver: mailboxes}", 6,
        ("expected one of 'direct', 'driver', 'weighted', 'fixed' or 'even'; found 'capacity'",)),
    "split and short form": (
        SERVICES, "driver: mailboxes", "driver: mailboxes\n    split: {method: even, to: [cc]}", 2,
        ("a service has either 'split' or the short form, not both: found driver",)),
    "service to an unknown service": (
        SERVICES, "driver: mailboxes", 'split: {method: direct, to: ["service:netwrk"]}', 9,
        ("mail: unknown service 'netwrk'", "Is 'network' meant?")),
    "service to one that is not after it": (
        SERVICES, "driver: mailboxes", 'split: {method: direct, to: ["service:network"]}', 9,
        ("mail: 'network' may not receive: it is not after 'mail' in the order of step_down",)),
    "service by an unknown driver": (
        SERVICES, "driver: mailboxes", "split: {method: driver, driver: mailbox}", 9,
        ("mail: unknown driver 'mailbox'",)),
    "service with a rest by an unknown driver": (
        SERVICES, "driver: mailboxes",
        "split: {method: fixed, shares: {cc: 9}, residual: {method: driver, driver: boxes}}", 9,
        ("mail: unknown driver 'boxes'",)),
    "service split by another unit": (
        SERVICES, "unit: port\n    unit_name: port",
        "unit: port\n    unit_name: port\n    split: {method: capacity, driver: mailboxes}", 15,
        ("network: has the unit 'port', its driver 'mailboxes' counts 'mailbox'",)),
    "shares of a glob": (
        SERVICES, "driver: mailboxes", 'split: {method: fixed, shares: {"cc-*": 100}}', 9,
        ("shares names receivers one by one; 'cc-*' is a glob",)),
    "weights of a glob": (
        SERVICES, "driver: mailboxes",
        'split: {method: weighted, driver: minutes, weights: {"cc-*": 1}}', 9,
        ("weights names receivers one by one; 'cc-*' is a glob",)),
    "direct to a glob": (
        SERVICES, "driver: mailboxes", 'split: {method: direct, to: ["cc-*"]}', 9,
        ("'to' of direct names receivers one by one",)),
    "capacity that falls back to even": (
        SERVICES, "driver: mailboxes",
        "split: {method: capacity, driver: mailboxes, fallback: even}", 9,
        ("capacity falls back to hold or prior_period, not to even",)),
    "capacity without a driver": (
        SERVICES, "driver: mailboxes", "split: {method: capacity}", 9, ("needs a 'driver'",)),
    "capacity with receivers": (
        SERVICES, "driver: mailboxes", "split: {method: capacity, driver: mailboxes, to: [cc]}", 9,
        ("capacity does not take to",)),
    "a tagged service of a service": (
        SERVICES, "driver: mailboxes", "split: {method: direct, to_tagged_service: true}", 9,
        ("unknown key 'to_tagged_service'",)),
    "unknown key": (DRIVERS, "name: Mailboxes", "nmae: Mailboxes", 2, ("'nmae'", "Is 'name' m")),
}  # fmt: skip


def test_right_model_loads(tmp_path: Path) -> None:
    model = load_files(tmp_path)
    assert [rule.id for rule in model.towers.rules] == ["staff-split", "the-rest"]


@pytest.mark.parametrize("case", CASES)
def test_wrong_model_is_refused_at_its_line(tmp_path: Path, case: str) -> None:
    file, old, new, line, fragments = CASES[case]
    problems = find_problems(tmp_path, {f"cost_model/{file}": (old, new)})
    assert any(problem.startswith(f"cost_model/{file}:{line}") for problem in problems)
    for fragment in fragments:
        assert any(fragment in problem for problem in problems)


def test_capacity_needs_the_use_of_one_service(tmp_path: Path) -> None:
    """Heads are nobody's capacity."""
    problems = find_problems(
        tmp_path,
        {
            "cost_model/services.yml": (
                "driver: mailboxes",
                "split: {method: capacity, driver: mailboxes}",
            ),
            "cost_model/drivers.yml": ("kind: service_usage", "kind: headcount"),
        },
    )
    assert problems == [
        "cost_model/services.yml:9: mail: capacity needs the use of this one service; 'mailboxes' "
        "is of kind headcount. Name a driver of kind service_usage, licence_seats, ticket_count, "
        "or a table whose senders are services."
    ]


@pytest.mark.parametrize(
    ("shared", "found"),
    [
        ("{method: direct}", ["the method direct passes no cost to services"]),
        ("{method: step_down, order: [network]}", []),
        ("{method: reciprocal}", []),
    ],
)
def test_a_declared_service_must_be_allowed_to_receive(
    tmp_path: Path, shared: str, found: list[str]
) -> None:
    changes = {
        "cost_model/services.yml": (
            "is_shared: true",
            'is_shared: true\n    split: {method: fixed, shares: {"service:mail": 40, cc: 60}}',
        ),
        "cost_model/allocation.yml": ("{method: step_down, order: [network]}", shared),
    }
    if not found:
        assert load_cost_model(write_files(tmp_path, changes))
        return
    assert find_problems(tmp_path, changes) == [
        f"cost_model/services.yml:18: network: 'mail' may not receive: {found[0]}. Change "
        "shared_services in allocation.yml, or name cost centres."
    ]


def test_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    problems = find_problems(
        tmp_path,
        {
            "cost_model/pools.yml": ("pool: staff", "pool: stuff"),
            "cost_model/towers.yml": ("to: [compute]", "to: [computer]"),
            "cost_model/services.yml": ("driver: mailboxes", "driver: mailbox"),
            "cost_model/allocation.yml": ("order: [network]", "order: []"),
        },
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "cost_model/pools.yml",
        "cost_model/towers.yml",
        "cost_model/services.yml",
        "cost_model/allocation.yml",
    ]


def test_problems_of_the_configuration_come_with_those_of_the_model(tmp_path: Path) -> None:
    changes = {
        "apportion.yml": ("general_ledger", "general_leger"),
        "cost_model/towers.yml": ("66.6666666667", "66.66"),
    }
    problems = find_problems(tmp_path, changes)
    assert [problem.split(":")[0] for problem in problems] == [
        "apportion.yml",
        "cost_model/towers.yml",
    ]


def test_one_priority_at_different_times_is_right(tmp_path: Path) -> None:
    """[January, March) and [March, ...) do not overlap: the end is exclusive."""
    two = """match: {account: ["60*"]}, pool: staff, reason: Wages., valid_to: 2026-03-01}
  - {id: later, priority: 10, match: {}, pool: staff, reason: New., valid_from: 2026-03-01}"""
    old = 'match: {account: ["60*"]}, pool: staff, reason: Wages.}'
    model = load_cost_model(write_files(tmp_path / "a", {"cost_model/pools.yml": (old, two)}))
    assert len(model.pools.rules) == 3
    overlap = two.replace("valid_to: 2026-03-01", "valid_to: 2026-03-02")
    problems = find_problems(tmp_path / "b", {"cost_model/pools.yml": (old, overlap)})
    assert "later: has priority 10, as has rule wages at the same time" in problems[0]


def test_three_rules_of_one_priority_are_all_compared(tmp_path: Path) -> None:
    """The third overlaps the second only; a comparison with the first would miss it."""
    old = 'match: {account: ["60*"]}, pool: staff, reason: Wages.}'
    three = """match: {}, pool: staff, reason: A., valid_to: 2026-02-01}
  - {id: b, priority: 10, match: {}, pool: staff, reason: B., valid_from: 2026-02-01}
  - {id: c, priority: 10, match: {}, pool: staff, reason: C., valid_from: 2026-03-01}"""
    problems = find_problems(tmp_path, {"cost_model/pools.yml": (old, three)})
    assert len(problems) == 1
    assert "c: has priority 10, as has rule b at the same time" in problems[0]


def test_missing_file_is_named(tmp_path: Path) -> None:
    from pipelines.cost_model.load import load_cost_model
    from pipelines.errors import ConfigurationError
    from tests.unit.cost_model.model_files import write_files

    workspace = write_files(tmp_path)
    (workspace.cost_model / "drivers.yml").unlink()
    with pytest.raises(ConfigurationError, match=r"cost_model/drivers\.yml: file is missing"):
        load_cost_model(workspace)
