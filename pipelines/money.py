"""Amounts and engine units.

Inside the engine money is an integer of 10^-6 of a currency's minor unit, so that splitting never
loses anything; cents are made once, at the charge line. Outside it is a Decimal. A float is never
money and is refused at the door.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.currency_list import Currencies

ENGINE_DIGITS = 6

AMOUNT_LIMIT = 10**15
"""An amount reaches it in neither direction, in its own currency and in the reporting one. Landing
refuses what does; the engine is exact for all that lies below."""

CURRENCIES_PATH = Path(__file__).parent / "iso_4217.yml"
USUAL_DECIMALS = 2


@cache
def load_currencies() -> Currencies:
    """The currencies of ISO 4217, with those that are withdrawn."""
    import yaml

    from pipelines.currency_list import Currencies

    return Currencies.model_validate(yaml.safe_load(CURRENCIES_PATH.read_text("utf-8")))


@cache
def list_currencies() -> frozenset[str]:
    """Every code that is a currency, withdrawn ones too; XXX and XTS are none."""
    return frozenset((*load_currencies().current, *load_currencies().withdrawn))


@cache
def _digits_by_currency() -> dict[str, int]:
    decimals = load_currencies().decimals
    return {code: digits for digits, codes in decimals.items() for code in codes}


def minor_unit_digits(currency_code: str) -> int:
    """Decimals of a currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _digits_by_currency().get(currency_code, USUAL_DECIMALS)


def list_minor_unit_exceptions() -> dict[int, list[str]]:
    """Currencies by the decimals of their minor unit, where that is not 2."""
    return {digits: list(codes) for digits, codes in load_currencies().decimals.items()}


def round_to_minor_unit(amount: Decimal, currency_code: str) -> Decimal:
    """Round one figure half away from zero to the currency's minor unit. Raises TypeError on a
    float."""
    if isinstance(amount, float):
        raise TypeError("money is a Decimal, never a float")
    return amount.quantize(Decimal(1).scaleb(-minor_unit_digits(currency_code)), ROUND_HALF_UP)
