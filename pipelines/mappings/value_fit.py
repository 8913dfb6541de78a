"""How well the values of a column fit the type of a field, and what closed lists are called."""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.contracts.contract import ContractField
from pipelines.mappings.column_hints import load_contract_hints, normalise_name
from pipelines.mappings.value_shapes import BOOLEANS, ColumnShape


def map_value(item: ContractField, text: str, contract_id: str) -> str | None:
    """The value of a closed list, of a boolean or of a whole number that `text` stands for."""
    plain = text.strip().lower()
    known = load_contract_hints(contract_id).values.get(item.name, {})
    found = known.get(plain) or known.get(normalise_name(text))
    if found is not None:
        return found
    if item.type == "boolean":
        return BOOLEANS.get(plain)
    if item.type == "integer":
        number = re.match(r"[pP]?(\d{1,2})\b(\D|$)", text.strip())
        if number:
            return number[1]
        # '2 - High', '(3) Medium', 'P2 Major': a number or a word that is known, among others.
        words = [known[word] for word in normalise_name(text).split() if word in known]
        return words[0] if len(set(words)) == 1 else None
    return next((v for v in item.allowed_values or () if v.lower() == plain), None)


def fit_values(item: ContractField, shape: ColumnShape, contract_id: str) -> tuple[float, str]:
    """(share of the filled values that the field's type can take, what was seen)."""
    if not shape.filled:
        return 0.0, "all records are empty"
    if item.allowed_values or item.type in ("boolean", "integer"):
        mapped = sum(map_value(item, text, contract_id) is not None for text in shape.distinct)
        share = max(mapped / len(shape.distinct), shape.whole_share * (item.type == "integer"))
        return share, f"values such as {shape.distinct[0]!r} are known"
    ratings: dict[str, Callable[[ColumnShape], tuple[float, str]]] = {
        "decimal": lambda s: (s.number_share, "numbers"),
        "date": lambda s: (max(s.date_share, 0.9 * s.is_day_and_month), "dates"),
        "timestamp": lambda s: (s.date_share, "times"),
        "period": lambda s: (s.period_share, "periods"),
        "currency": lambda s: (s.currency_share, "currency codes"),
        "json": lambda s: (s.json_share, "JSON objects"),
        "code": lambda s: (_rate_code(s), "fit for an identifier"),
        "text": lambda s: (1.0 - 0.25 * max(s.number_share, s.date_share), "fit for a text"),
    }
    share, what = ratings[item.type](shape)
    return share, f"{share:.0%} are {what}, such as {shape.distinct[0]!r}"


def _rate_code(shape: ColumnShape) -> float:
    """Codes fit best; names can be made codes; amounts and times identify nothing."""
    if shape.has_decimals or (shape.date_share == 1 and not shape.whole_share):
        return 0.3
    return 0.96 + 0.04 * shape.code_share
