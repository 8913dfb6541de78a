"""Choose the amount of a record among the columns of numbers, and the currency that it is in."""

from __future__ import annotations

from pipelines.contracts.contract import Contract
from pipelines.mappings.column_hints import load_contract_hints, normalise_name, split_currency
from pipelines.mappings.matches import Guess
from pipelines.mappings.money_columns import SignColumn, find_sides, find_sign_column
from pipelines.mappings.value_shapes import ColumnShape


def settle_amount(
    contract: Contract, shapes: dict[str, ColumnShape], chosen: dict[str, Guess]
) -> SignColumn | None:
    """Let a debit and a credit be the amount, where they are there; else what says its sign."""
    name = contract.amount_field
    if name is None:
        return None
    given = chosen.get(name)
    sides = find_sides(shapes) if given is None or given.reason != "it was named" else None
    if sides is not None and _is_better(sides.likeness, given, shapes):
        for field_name in [f for f, g in chosen.items() if g.column in (sides.debit, sides.credit)]:
            del chosen[field_name]
        reason = f"debit minus credit: {sides.debit} - {sides.credit}"
        confidence = round(0.97 * sides.likeness, 2)
        chosen[name] = Guess(name, sides.debit, confidence, reason, sides.credit)
        return None
    guess, sign = chosen.get(name), find_sign_column(shapes)
    number = shapes[guess.column].number if guess is not None else None
    if sign is None or number is None or number.negative_forms:
        return None
    for field_name in [f for f, g in chosen.items() if g.column == sign.column]:
        del chosen[field_name]
    return sign


def _is_better(likeness: float, given: Guess | None, shapes: dict[str, ColumnShape]) -> bool:
    """Whether debit and credit are the amount rather than the column that was chosen for it: one
    that has both signs is the net of the two already."""
    if given is None or given.confidence < likeness:
        return True
    return not shapes[given.column].negative_share


def prefer_paired(
    contract: Contract, shapes: dict[str, ColumnShape], chosen: dict[str, Guess]
) -> None:
    """Of several amounts the one whose currency a column says: an `Amount` beside an `Amount in
    transaction currency` and a `Currency` is in another currency than that."""
    name = contract.amount_field
    given = chosen.get(name or "")
    pairs = load_contract_hints(contract.contract_id).pairs
    if name is None or given is None or given.credit or given.reason == "it was named":
        return
    if normalise_name(given.column) in {amount for amount, _ in pairs}:
        return
    called = {normalise_name(column): column for column in shapes}
    for amount, currency in pairs:
        if amount in called and currency in called and shapes[called[amount]].number_share == 1:
            reason = f"the amount whose currency is in {called[currency]!r}"
            chosen[name] = Guess(name, called[amount], 0.97, reason)
            return


def pair_currency(
    contract: Contract, shapes: dict[str, ColumnShape], chosen: dict[str, Guess]
) -> None:
    """The column of a currency that goes with the amount, where several hold currencies."""
    amount, currency = contract.amount_field, contract.currency_field
    if amount is None or currency is None or amount not in chosen:
        return
    called = normalise_name(chosen[amount].column)
    for known, partner in load_contract_hints(contract.contract_id).pairs:
        if normalise_name(known) != called:
            continue
        for column, shape in shapes.items():
            if normalise_name(column) == normalise_name(partner) and shape.currency_share == 1:
                reason = f"the currency that goes with {chosen[amount].column!r}"
                chosen[currency] = Guess(currency, column, 0.97, reason)
                return


def find_named_currency(contract: Contract, chosen: dict[str, Guess]) -> str | None:
    """The currency in the name of the amount's column, as in 'Betrag EUR'."""
    amount, currency = contract.amount_field, contract.currency_field
    if amount is None or currency is None or amount not in chosen or currency in chosen:
        return None
    codes = {split_currency(column)[1] for column in chosen[amount].columns}
    return codes.pop() if len(codes) == 1 else None
