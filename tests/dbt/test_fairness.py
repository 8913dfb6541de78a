"""The comparison of bills against the definition of the game: random games, exact fractions.

The compiled SQL of `int_fairness__bills` runs over some hundred random services in one query. Its
closed form is held against Shapley's sum over all groups (Shapley, "A Value for n-Person Games",
1953) and against stand-alone and incremental cost as they are defined (Young, 1985).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import NamedTuple

import duckdb
import pytest

from .conftest import OpenWarehouse

GAMES = 300
SEED = 20260301
CENT = 1_000_000


class Player(NamedTuple):
    name: str
    quantity: int
    dedicated_cents: int
    bill_cents: int


class Game(NamedTuple):
    service_id: str
    fixed_cents: int
    variable_cents: int
    players: tuple[Player, ...]

    def cost(self, group: Iterable[Player]) -> Fraction:
        """The definition: fixed unless nobody, variable by quantity, what names a member."""
        members = list(group)
        total = sum(player.quantity for player in self.players)
        cost = Fraction(sum(player.dedicated_cents for player in members))
        if any(player.quantity for player in members):
            cost += self.fixed_cents
            quantity = sum(player.quantity for player in members)
            cost += Fraction(self.variable_cents * quantity, total)
        return cost

    def shapley(self, player: Player) -> Fraction:
        """The sum over all groups without the player, by the orders that put them first."""
        others, count = [other for other in self.players if other != player], len(self.players)
        value = Fraction(0)
        for size in range(count):
            weight = Fraction(factorial(size) * factorial(count - size - 1), factorial(count))
            for group in combinations(others, size):
                value += weight * (self.cost((*group, player)) - self.cost(group))
        return value


def make_game(chance: random.Random, number: int) -> Game:
    """2 to 6 players; some are named by a line only; the bills are any that sum to the cost."""
    names = [f"c{index}" for index in range(chance.randint(2, 6))]
    quantities = [chance.choice([1, 2, 3, 7, 1000]) for _ in names]
    if len(names) > 2 and chance.random() < 0.3:
        quantities[0] = 0
    named = [chance.choice([0, 0, 5, 1234]) if q else 77 for q in quantities]
    fixed = chance.choice([0, 1, 100, 99_999, 12_345_678])
    variable = chance.choice([0, 2, 101, 54_321, 10**9])
    total = fixed + variable + sum(named)
    cuts = sorted(chance.randint(0, total) for _ in names[1:])
    bills = [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]
    return Game(
        f"s{number}",
        fixed,
        variable,
        tuple(Player(*parts) for parts in zip(names, quantities, named, bills, strict=True)),
    )


@pytest.fixture
def games(broken: duckdb.DuckDBPyConnection) -> list[Game]:
    """Random games in the place of the company's services."""
    chance = random.Random(SEED)
    made = [make_game(chance, number) for number in range(GAMES)]
    broken.execute("delete from fairness.int_fairness__services")
    broken.execute("delete from fairness.int_fairness__consumers")
    broken.executemany(
        "insert into fairness.int_fairness__services by name select 'actual' as scenario_id, "
        "'2026-01' as period_id, 1 as version, ? as service_id, ? as joint_units, "
        "? as fixed_units, 0 as undeclared_units",
        [
            (g.service_id, (g.fixed_cents + g.variable_cents) * CENT, g.fixed_cents * CENT)
            for g in made
        ],
    )
    broken.executemany(
        "insert into fairness.int_fairness__consumers by name select 'actual' as scenario_id, "
        "'2026-01' as period_id, 1 as version, ? as service_id, 'consumer' as consumer_kind, "
        "? as consumer_id, ? as weight, nullif(?, 0) as quantity, 'unit' as unit_code, "
        "? as dedicated_units, ? as charge_units, ? as charge_cents",
        [
            (
                *(game.service_id, player.name, player.quantity, player.quantity),
                *(player.dedicated_cents * CENT, player.bill_cents * CENT, player.bill_cents),
            )
            for game in made
            for player in game.players
        ],
    )
    return made


def read_bills(
    warehouse: OpenWarehouse, broken: duckdb.DuckDBPyConnection
) -> dict[tuple[str, str], tuple[int, int, int, str]]:
    (path,) = warehouse.compiled.rglob("int_fairness__bills.sql")
    rows = broken.execute(
        "select service_id, consumer_id, incremental_cents, stand_alone_cents, shapley_cents, "
        f"verdict_code from ({path.read_text('utf-8')})"
    ).fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


def test_every_figure_is_that_of_the_game(
    warehouse: OpenWarehouse, broken: duckdb.DuckDBPyConnection, games: list[Game]
) -> None:
    found = read_bills(warehouse, broken)
    assert len(found) == sum(len(game.players) for game in games)
    for game in games:
        whole = game.cost(game.players)
        shapley = 0
        exact = Fraction(0)
        for player in game.players:
            added, alone, value, verdict = found[game.service_id, player.name]
            shapley += value
            exact += game.shapley(player)
            # Two running totals are rounded, so a sum up to here is at most one cent off.
            assert abs(shapley - exact) <= 1, game
            rest = [other for other in game.players if other != player]
            least, most = whole - game.cost(rest), game.cost([player])
            assert abs(added - least) <= 1, game
            assert abs(alone - most) <= 1, game
            assert added <= value <= alone, game
            assert verdict == judge(player.bill_cents, least, most), (game, player)
        assert shapley == exact == whole


def judge(bill: int, least: Fraction, most: Fraction) -> str:
    """Out of bounds by a whole cent or more; no bill here is nearer to that than a unit."""
    if bill - most >= 1:
        return "above"
    return "below" if least - bill >= 1 else "between"


def test_games_have_bills_of_every_verdict(
    warehouse: OpenWarehouse, broken: duckdb.DuckDBPyConnection, games: list[Game]
) -> None:
    """Or the test above would prove little."""
    assert games
    verdicts = {row[-1] for row in read_bills(warehouse, broken).values()}
    assert verdicts == {"above", "between", "below"}
