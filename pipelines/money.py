"""Amounts and engine units.

Inside the engine money is an integer of 10^-6 of a currency's minor unit, so that splitting never
loses anything; cents are made once, at the charge line. Outside it is a Decimal. A float is never
money and is refused at the door.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

ENGINE_DIGITS = 6

AMOUNT_LIMIT = 10**15
"""An amount reaches it in neither direction, in its own currency and in the reporting one. Landing
refuses what does; the engine is exact for all that lies below."""

# Currencies whose minor unit is not a hundredth, by ISO 4217.
_NO_DECIMALS = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FOUR_DECIMALS = ("CLF", "UYW")
_MINOR_UNIT_DIGITS = {
    **dict.fromkeys(_NO_DECIMALS, 0),
    **dict.fromkeys(_THREE_DECIMALS, 3),
    **dict.fromkeys(_FOUR_DECIMALS, 4),
}


def minor_unit_digits(currency_code: str) -> int:
    """Decimals of a currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _MINOR_UNIT_DIGITS.get(currency_code, 2)


def list_minor_unit_exceptions() -> dict[int, list[str]]:
    """Currencies by the decimals of their minor unit, where that is not 2."""
    result: dict[int, list[str]] = {}
    for code, digits in _MINOR_UNIT_DIGITS.items():
        result.setdefault(digits, []).append(code)
    return result


def round_to_minor_unit(amount: Decimal, currency_code: str) -> Decimal:
    """Round one figure half away from zero to the currency's minor unit. Raises TypeError on a
    float."""
    if isinstance(amount, float):
        raise TypeError("money is a Decimal, never a float")
    return amount.quantize(Decimal(1).scaleb(-minor_unit_digits(currency_code)), ROUND_HALF_UP)
