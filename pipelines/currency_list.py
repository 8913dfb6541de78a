"""The form of the list of currencies, `iso_4217.yml`. Apart from `money`, which every command
imports and which must not load pydantic for that."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

CurrencyText = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Currencies(BaseModel):
    """The list of ISO 4217."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decimals: dict[int, tuple[CurrencyText, ...]]
    """Decimals of the minor unit -> currencies, where they are not two."""
    current: tuple[CurrencyText, ...]
    withdrawn: tuple[CurrencyText, ...]
