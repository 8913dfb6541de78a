"""At which policy a service is charged, from when to when: the form of `policy` in services.yml.

One word (`policy: at_cost`) holds always. A policy that needs a figure is a mapping, one that
changes is a list of mappings, each for a span of time:

    policy:
      - {kind: at_cost, valid_to: 2026-07-01}
      - {kind: rate, valid_from: 2026-07-01, reason: Agreed for the second half of the year.}

| kind        | a consumer is charged                                                          |
|-------------|--------------------------------------------------------------------------------|
| `at_cost`   | the cost of its line                                                           |
| `showback`  | nothing; the cost is shown                                                     |
| `cost_plus` | the cost of its line and a percentage of it                                    |
| `rate`      | its quantity at the price of the rate card                                     |
| `market`    | the same, where the price is one of others and its `source` says whose         |
| `fixed`     | an agreed amount; or its share, by the driver, of an agreed amount             |
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipelines.cost_model.forms import Approvable

PRICE_DECIMALS = 10

PolicyKind = Literal["at_cost", "showback", "cost_plus", "rate", "market", "fixed"]
BY_RATE_CARD = frozenset({"rate", "market"})
"""Kinds whose price stands in rate_card.yml."""


def refuse_float(value: object) -> object:
    """A price in scientific notation is read as a float, which is not what the file says."""
    if isinstance(value, float):
        raise ValueError(f"write the number with its digits, not as {value}")
    return value


Price = Annotated[
    Decimal,
    BeforeValidator(refuse_float),
    Field(ge=0, max_digits=28, decimal_places=PRICE_DECIMALS),
]
"""An amount of the reporting currency; a text or a number with a point, kept digit by digit."""

SignedPercent = Annotated[
    Decimal, BeforeValidator(refuse_float), Field(ge=-100, le=1000, decimal_places=6)
]
FixedAmount = Annotated[
    Decimal, BeforeValidator(refuse_float), Field(ge=0, max_digits=18, decimal_places=2)
]
"""An agreed amount stands on a bill as it is, so that it has no more decimals than money."""


class Policy(Approvable):
    """How a service is charged for a time."""

    kind: PolicyKind
    percent: SignedPercent | None = None
    """`cost_plus`: on top of the cost; below zero it is a discount."""
    amount: FixedAmount | None = None
    """`fixed`: the amount of a period."""
    per: Literal["consumer", "period"] | None = None
    """`fixed`: whether each consumer pays the amount, or all of them together."""
    reason: str | None = None

    @model_validator(mode="after")
    def has_what_its_kind_needs(self) -> Policy:
        wanted = {"cost_plus": {"percent"}, "fixed": {"amount", "per"}}.get(self.kind, set())
        given = {name for name in ("percent", "amount", "per") if getattr(self, name) is not None}
        if missing := sorted(wanted - given):
            raise ValueError(f"the policy {self.kind} needs {_list_keys(missing)}")
        if needless := sorted(given - wanted):
            raise ValueError(f"the policy {self.kind} does not read {_list_keys(needless)}")
        return self


def _list_keys(names: list[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)


def _as_list(value: object) -> object:
    """One word or one mapping is a list of one."""
    if isinstance(value, str):
        return [{"kind": value}]
    return [value] if isinstance(value, dict) else value


Policies = Annotated[
    list[Policy],
    BeforeValidator(_as_list, json_schema_input_type=PolicyKind | Policy | list[Policy]),
    Field(min_length=1),
]
"""The policies of a service, one after the other."""

AT_COST = Policy(kind="at_cost")
