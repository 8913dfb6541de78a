"""Recognise amounts that are not one signed column: debit beside credit, or a column for the sign.

Two columns are debit and credit where both are called so and hold numbers. A column says the sign
where it is called so and holds nothing but a known pair of texts. Names and pairs are in
`hints/column_names.yml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipelines.mappings.column_hints import compare_with, load_forms
from pipelines.mappings.value_shapes import ColumnShape

LEAST_LIKENESS = 0.9
"""A side or a sign must be called so; its values alone say nothing."""


@dataclass(frozen=True)
class Sides:
    """The columns of an amount that stands on one of two sides."""

    debit: str
    credit: str
    likeness: float


@dataclass(frozen=True)
class SignColumn:
    """The column that says whether an amount is turned."""

    column: str
    negative: str
    positive: str


def find_sides(shapes: dict[str, ColumnShape]) -> Sides | None:
    """The columns of debit and credit; None where one of them is not there or holds no numbers."""
    found = []
    sides: tuple[Literal["debit", "credit"], ...] = ("debit", "credit")
    for side in sides:
        rated = [
            (compare_with(load_forms().sides[side], column)[0], column)
            for column, shape in shapes.items()
            if shape.number_share == 1 or not shape.filled
        ]
        # Of two that are called alike, such as entered and accounted, the first one counts.
        best = max(rated, key=lambda pair: pair[0], default=(0.0, ""))
        if best[0] < LEAST_LIKENESS:
            return None
        found.append(best)
    (first, debit), (second, credit) = found
    if debit == credit or not (shapes[debit].filled or shapes[credit].filled):
        return None
    return Sides(debit, credit, min(first, second))


def find_sign_column(shapes: dict[str, ColumnShape]) -> SignColumn | None:
    """The column whose texts say debit or credit."""
    for column, shape in shapes.items():
        if compare_with(load_forms().sign_columns, column)[0] < LEAST_LIKENESS:
            continue
        for positive, negative in load_forms().sign_pairs:
            if shape.filled == shape.total and set(shape.distinct) <= {positive, negative}:
                return SignColumn(column, negative, positive)
    return None
