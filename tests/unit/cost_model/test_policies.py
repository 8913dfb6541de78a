"""A service has one policy in every period, with what that policy needs, and with its price."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.cost_model.compile import RunStamp, compile_tables
from pipelines.cost_model.load import CostModel, load_cost_model
from pipelines.errors import ConfigurationError
from pipelines.workspace.workspace import Workspace
from tests.unit.cost_model.model_files import write_files

STAMP = RunStamp("run-1", "f" * 64, "2026-01-31 12:00:00", "code")
DRIVER = "    driver: mailboxes\n"
PRICE = "{id: m, service: mail, unit: mailbox, price: 4, reason: R.}"


def write_policy(root: Path, policy: str, *prices: str) -> Workspace:
    """The policy of the service mail, whose unit is a mailbox."""
    workspace = write_files(root)
    path = workspace.cost_model / "services.yml"
    text = path.read_text("utf-8")
    assert text.count(DRIVER) == 1
    path.write_text(text.replace(DRIVER, f"{DRIVER}    policy: {policy}\n"), "utf-8")
    if prices:
        card = "prices:\n" + "".join(f"  - {price}\n" for price in prices)
        (workspace.cost_model / "rate_card.yml").write_text(card, "utf-8")
    return workspace


def load_policy(root: Path, policy: str, *prices: str) -> CostModel:
    return load_cost_model(write_policy(root, policy, *prices))


def read_rows(root: Path, model: CostModel) -> list[tuple[object, ...]]:
    config = Workspace.open(root).config
    _, rows = compile_tables(config, model, STAMP)["service_policies"]
    return [row[1:5] for row in rows if row[0] == "mail"]


RIGHT: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "one word": ("showback", [("showback", None, None, None)]),
    "by the rate card": ("rate", [("rate", None, None, None)]),
    "a mapping": (
        '{kind: cost_plus, percent: "7.5"}',
        [("cost_plus", Decimal("7.5"), None, None)],
    ),
    "a discount": ("{kind: cost_plus, percent: -5}", [("cost_plus", Decimal(-5), None, None)]),
    "an amount": (
        "{kind: fixed, amount: 100, per: period}",
        [("fixed", None, Decimal(100), "period")],
    ),
    "one after the other": (
        "[{kind: at_cost, valid_to: 2026-03-01}, {kind: rate, valid_from: 2026-03-01}]",
        [("at_cost", None, None, None), ("rate", None, None, None)],
    ),
}


@pytest.mark.parametrize("case", RIGHT)
def test_every_form_of_a_policy_is_read(tmp_path: Path, case: str) -> None:
    policy, rows = RIGHT[case]
    assert read_rows(tmp_path, load_policy(tmp_path, policy, PRICE)) == rows


def test_a_service_without_policy_is_at_cost(tmp_path: Path) -> None:
    write_files(tmp_path)
    model = load_cost_model(Workspace.open(tmp_path))
    assert read_rows(tmp_path, model) == [("at_cost", None, None, None)]


# policy, prices, what is said of it
WRONG: dict[str, tuple[str, list[str], str]] = {
    "no such policy": ("free", [], "policy"),
    "cost plus what": ("cost_plus", [], "the policy cost_plus needs 'percent'"),
    "fixed at what": ("fixed", [], "the policy fixed needs 'amount' and 'per'"),
    "what it does not read": (
        "{kind: at_cost, percent: 5}",
        [],
        "the policy at_cost does not read 'percent'",
    ),
    "half a cent": (
        '{kind: fixed, amount: "0.005", per: consumer}',
        [],
        "no more than 2 decimal places",
    ),
    "two at one time": (
        "[{kind: at_cost}, {kind: showback, valid_from: 2026-03-01}]",
        [],
        "mail: a second policy, showback, holds beside another one at one time",
    ),
    "a gap": (
        "[{kind: at_cost, valid_to: 2026-03-01}, {kind: showback, valid_from: 2026-04-01}]",
        [],
        "mail: has no policy from 2026-03 to 2026-03",
    ),
    "no price": (
        "rate",
        [],
        "mail: the policy rate has no price from 2026-01 to 2026-12; expected a price per mailbox "
        "in rate_card.yml in every period; found none. Add a price of 'mail' to rate_card.yml",
    ),
    "a price that ends": (
        "rate",
        ["{id: m, service: mail, unit: mailbox, price: 4, valid_to: 2026-11-01, reason: R.}"],
        "mail: the policy rate has no price from 2026-11 to 2026-12",
    ),
    "a market price of nobody": (
        "market",
        [PRICE],
        "mail: the policy market is charged by m, whose price has no source",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_policies_are_refused_at_their_line(tmp_path: Path, case: str) -> None:
    policy, prices, said = WRONG[case]
    workspace = write_policy(tmp_path, policy, *prices)
    text = (workspace.cost_model / "services.yml").read_text("utf-8")
    line = next(n for n, row in enumerate(text.splitlines(), start=1) if "policy: " in row)
    with pytest.raises(ConfigurationError) as caught:
        load_cost_model(workspace)
    problems = [str(problem) for problem in caught.value.problems]
    assert any(
        item.startswith(f"cost_model/services.yml:{line}") and said in item for item in problems
    ), problems


def test_a_price_needs_a_quantity(tmp_path: Path) -> None:
    workspace = write_policy(tmp_path, "rate", PRICE)
    path = workspace.cost_model / "services.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace(DRIVER, "    split: {method: even, to: ['*']}\n"), "utf-8")
    with pytest.raises(
        ConfigurationError, match="the policy rate prices a quantity, and no driver"
    ):
        load_cost_model(workspace)


def test_bounds_of_a_price_do_not_cross(tmp_path: Path) -> None:
    price = "{id: m, service: mail, unit: mailbox, price: 4, minimum: 20, maximum: 10, reason: R.}"
    with pytest.raises(ConfigurationError, match="maximum 10 is below the least that is due, 20"):
        load_policy(tmp_path, "rate", price)
