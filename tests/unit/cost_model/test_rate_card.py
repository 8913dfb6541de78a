"""Prices are exact, of the unit of their service, one at a time and without gaps."""

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


def write_prices(root: Path, *prices: str) -> Workspace:
    workspace = write_files(root)
    text = "prices:\n" + "".join(f"  - {{{price}, reason: R.}}\n" for price in prices)
    (workspace.cost_model / "rate_card.yml").write_text(text, "utf-8")
    return workspace


def load_prices(root: Path, *prices: str) -> CostModel:
    return load_cost_model(write_prices(root, *prices))


MAIL = "id: m, service: mail, unit: mailbox"

# prices, line and what is said of them
WRONG: dict[str, tuple[list[str], int, str]] = {
    "unknown service": (
        ["id: m, service: male, unit: mailbox, price: 1"],
        2,
        "m: unknown service 'male'; expected a service that is declared. Is 'mail' meant?",
    ),
    "another unit": (
        ["id: m, service: mail, unit: port, price: 1"],
        2,
        "m: has the unit 'port', its service is measured in 'mailbox'; expected mailbox",
    ),
    "two at one time": (
        [
            f"{MAIL}, price: 1, valid_to: 2026-04-01",
            "id: n, service: mail, unit: mailbox, price: 2",
        ],
        3,
        "n: is a second price of 'mail' beside m at one time",
    ),
    "a gap": (
        [
            f"{MAIL}, price: 1, valid_to: 2026-04-01",
            "id: n, service: mail, unit: mailbox, price: 2, valid_from: 2026-06-01",
        ],
        3,
        "n: leaves 'mail' without a price from 2026-04 to 2026-05",
    ),
    "the same id": (
        [f"{MAIL}, price: 1", "id: m, service: network, unit: port, price: 1"],
        2,
        "m: the id occurs 2 times",
    ),
    "neither price nor tiers": ([MAIL], 2, "m: a price has either 'price' or 'tiers'"),
    "both": (
        [f"{MAIL}, price: 1, tiers: [{{from_quantity: 0, price: 1}}]"],
        2,
        "a price has either 'price' or 'tiers'",
    ),
    "a mode without tiers": (
        [f"{MAIL}, price: 1, tier_mode: volume"],
        2,
        "'tier_mode' needs 'tiers'",
    ),
    "no tiers": ([f"{MAIL}, tiers: []"], 2, "the first tier begins at from_quantity 0"),
    "a first tier above 0": (
        [f"{MAIL}, tiers: [{{from_quantity: 1, price: 1}}]"],
        2,
        "the first tier begins at from_quantity 0",
    ),
    "tiers that fall": (
        [f"{MAIL}, tiers: [{{from_quantity: 0, price: 2}}, {{from_quantity: 0, price: 1}}]"],
        2,
        "the tier from 0 does not begin above the one from 0",
    ),
    "below zero": ([f"{MAIL}, price: -1"], 2, "greater than or equal to 0"),
    "more digits than are kept": (
        [f"{MAIL}, price: 0.00000000001"],
        2,
        "no more than 10 decimal places",
    ),
    "a float": ([f"{MAIL}, price: 1.0e+3"], 2, "write the number with its digits"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_prices_are_refused_at_their_line(tmp_path: Path, case: str) -> None:
    prices, line, said = WRONG[case]
    with pytest.raises(ConfigurationError) as caught:
        load_prices(tmp_path, *prices)
    problems = [str(problem) for problem in caught.value.problems]
    assert any(
        item.startswith(f"cost_model/rate_card.yml:{line}") and said in item for item in problems
    ), problems


def test_prices_that_follow_each_other_are_right(tmp_path: Path) -> None:
    model = load_prices(
        tmp_path,
        f"{MAIL}, price: 1, valid_to: 2026-04-01",
        "id: n, service: mail, unit: mailbox, price: 2, valid_from: 2026-04-01",
        "id: o, service: network, unit: port, price: 3",
    )
    assert model.rate_card is not None
    assert len(model.rate_card.prices) == 3


def test_a_price_is_kept_digit_by_digit(tmp_path: Path) -> None:
    """0.1 and a price of ten decimals as a text; a price without tiers is one tier from 0."""
    model = load_prices(
        tmp_path,
        f'{MAIL}, price: 0.1, base_fee: "12.50"',
        "id: n, service: network, unit: port, tier_mode: volume, "
        'tiers: [{from_quantity: 0, price: "2.0000000001"}, {from_quantity: 10.5, price: 1}]',
    )
    workspace = Workspace.open(tmp_path)
    columns, rows = compile_tables(workspace.config, model, STAMP)["rate_card"]
    assert columns.startswith("price_id varchar, service_id varchar, unit_code varchar")
    assert [row[:8] for row in rows] == [
        ("m", "mail", "mailbox", "graduated", 1, Decimal(0), Decimal("0.1"), Decimal("12.50")),
        ("n", "network", "port", "volume", 1, Decimal(0), Decimal("2.0000000001"), Decimal(0)),
        ("n", "network", "port", "volume", 2, Decimal("10.5"), Decimal(1), Decimal(0)),
    ]


def test_there_need_be_no_rate_card(tmp_path: Path) -> None:
    workspace = write_files(tmp_path)
    model = load_cost_model(workspace)
    assert model.rate_card is None
    assert compile_tables(workspace.config, model, STAMP)["rate_card"][1] == []
