"""The typed form of a split: how a rule, or a service, hands on the money that it is for.

A split has one method. `fixed` may leave a rest, which a `residual` splits by a method of its own.
Whatever a method does not read is refused, so that nothing that somebody wrote is passed over.
Amounts are not known here: shares and weights are decimals that compile to integers, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipelines.cost_model.forms import Id, Strict

RuleMethod = Literal["direct", "driver", "weighted", "fixed", "even"]
Method = Literal["direct", "driver", "weighted", "fixed", "even", "capacity"]
ResidualMethod = Literal["direct", "driver", "weighted", "even"]
Fallback = Literal["hold", "even", "prior_period"]
Negative = Literal["refuse", "clamp", "absolute"]

# Fixed percentages and weights keep this many decimals as integers; more would be cut off.
SHARE_DECIMALS = 10
WEIGHT_DECIMALS = 6
LARGEST_WEIGHT = 1_000_000

SERVICE_PREFIX = "service:"
WILDCARDS = frozenset("*?[")

Receiver = Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=200)]
"""A receiver of a service's cost: a cost centre, or `service:` and the id of a service."""

PARTS_OF_METHOD = {
    "direct": {"to", "to_tagged_service"},
    "driver": {"driver", "to", "fallback", "negative"},
    "weighted": {"driver", "weights", "default_weight", "fallback", "negative"},
    "fixed": {"shares", "residual"},
    "even": {"to"},
    "capacity": {"driver", "fallback", "negative"},
}
DRIVEN = ("driver", "weighted", "capacity")


class SplitPart(Strict):
    """What the split of a rule, of a rest and of a service have in common."""

    method: Method
    to: list[Id] | None = None
    """Receivers of `direct` (exactly one) and `even`; for `driver` it limits the receivers."""
    driver: Id | None = None
    """`driver`, `weighted` and `capacity`: the driver whose quantities decide."""
    weights: dict[Id, Decimal] | None = None
    """`weighted` only: receiver -> what one unit of its quantity counts."""
    default_weight: Decimal | None = None
    """`weighted` only: what it counts for receivers that `weights` does not name; without it they
    are refused."""
    fallback: Fallback = "hold"
    """What happens where the driver has no quantity: hold as unallocated, split evenly over the
    receivers named in `to` or `weights`, or use the latest earlier period that has quantities."""
    negative: Negative = "refuse"
    """What happens where a receiver's quantity is negative: the build stops, or it counts as none
    (clamp), or without its sign (absolute)."""

    @model_validator(mode="after")
    def has_parts_of_its_method_only(self) -> SplitPart:
        """A part that its method does not read would be passed over in silence."""
        extra = self.model_fields_set - PARTS_OF_METHOD[self.method] - {"method"}
        if extra:
            raise ValueError(f"{self.method} does not take {', '.join(sorted(extra))}")
        if self.to is not None and len(set(self.to)) != len(self.to):
            raise ValueError("a receiver stands in 'to' twice")
        return self

    @model_validator(mode="after")
    def has_receivers_of_its_method(self) -> SplitPart:
        if self.method == "direct" and self.to is not None and len(self.to) != 1:
            raise ValueError(f"direct has exactly one receiver, found {len(self.to)}")
        if self.method == "even" and not self.to:
            raise ValueError("even needs its receivers in 'to'")
        return self

    @model_validator(mode="after")
    def has_a_driver_where_it_needs_one(self) -> SplitPart:
        if self.method in DRIVEN and not self.driver:
            raise ValueError(f"{self.method} needs a 'driver'")
        if self.method == "weighted":
            _refuse_inexact_weights(self.weights or {}, self.default_weight)
        if self.fallback == "even" and self.method == "driver" and not self.to:
            raise ValueError("fallback even needs the receivers in 'to'")
        if self.fallback == "even" and self.method == "capacity":
            raise ValueError("capacity falls back to hold or prior_period, not to even")
        return self


class Residual(SplitPart):
    """What becomes of the rest that the shares of `fixed` leave."""

    method: ResidualMethod

    @model_validator(mode="after")
    def names_its_receiver(self) -> Residual:
        if self.method == "direct" and self.to is None:
            raise ValueError("direct needs its one receiver in 'to'")
        return self


class Split(SplitPart):
    """How a tower or service rule splits what it matched."""

    method: RuleMethod
    to_tagged_service: bool = False
    """`direct` only: each line goes to the service that it is tagged with."""
    shares: dict[Id, Decimal] | None = None
    """`fixed` only: receiver -> percent, of at most 10 decimals; they sum to 100 exactly, or to
    less where a `residual` takes the rest."""
    residual: Residual | None = None
    """`fixed` only: how the rest is split that the shares leave."""

    @model_validator(mode="after")
    def fits_its_method(self) -> Split:
        if self.method == "direct" and self.to_tagged_service == (self.to is not None):
            raise ValueError("direct needs either 'to' with one receiver or 'to_tagged_service'")
        if self.method == "fixed":
            _refuse_inexact_shares(self.shares or {}, self.residual is not None)
        return self


class ConsumerPart(SplitPart):
    """The same for consumers: receivers are cost centres, or services with their prefix.

    `to` may hold globs, which match the cost centres that the master knows in a period.
    """

    to: list[Receiver] | None = None
    weights: dict[Receiver, Decimal] | None = None

    @model_validator(mode="after")
    def names_single_receivers(self) -> ConsumerPart:
        _refuse_globs("weights", self.weights or ())
        if self.method == "direct":
            _refuse_globs("'to' of direct", self.to or ())
        return self


class ConsumerResidual(ConsumerPart, Residual):
    """What becomes of the rest that the shares of a service leave."""

    method: ResidualMethod


class ConsumerSplit(ConsumerPart):
    """How a service splits its cost over those who use it."""

    shares: dict[Receiver, Decimal] | None = None
    """`fixed` only: receiver -> percent, of at most 10 decimals; they sum to 100 exactly, or to
    less where a `residual` takes the rest."""
    residual: ConsumerResidual | None = None
    """`fixed` only: how the rest is split that the shares leave."""

    @model_validator(mode="after")
    def fits_its_method(self) -> ConsumerSplit:
        _refuse_globs("shares", self.shares or ())
        if self.method == "direct" and self.to is None:
            raise ValueError("direct needs its one receiver in 'to'")
        if self.method == "fixed":
            _refuse_inexact_shares(self.shares or {}, self.residual is not None)
        return self


AnySplit = Split | ConsumerSplit


def find_driver(split: AnySplit) -> SplitPart | None:
    """The part of a split whose driver decides: its own, or its residual's; None without one."""
    parts = (split, split.residual)
    return next((part for part in parts if part is not None and part.driver is not None), None)


def _refuse_globs(place: str, receivers: Iterable[str]) -> None:
    for receiver in receivers:
        if WILDCARDS & set(receiver):
            raise ValueError(f"{place} names receivers one by one; '{receiver}' is a glob")


def _refuse_inexact_shares(shares: Mapping[str, Decimal], has_residual: bool) -> None:
    if not shares:
        raise ValueError("fixed needs 'shares'")
    for receiver, share in shares.items():
        if share < 0:
            raise ValueError(f"the share of {receiver} is negative: {share}")
        if not _has_decimals(share, SHARE_DECIMALS):
            raise ValueError(
                f"the share of {receiver} has more than {SHARE_DECIMALS} decimals: {share}"
            )
    total = sum(shares.values(), Decimal(0))
    if not has_residual and total != 100:
        raise ValueError(
            f"shares sum to {total}, expected 100 exactly, or less and a 'residual' for the rest"
        )
    if has_residual and not 0 < total < 100:
        raise ValueError(
            f"shares sum to {total}, expected more than 0 and less than 100: 'residual' takes the "
            "rest"
        )


def _refuse_inexact_weights(weights: Mapping[str, Decimal], default: Decimal | None) -> None:
    if not weights:
        raise ValueError("weighted needs 'weights'")
    named = [(f"the weight of {receiver}", weight) for receiver, weight in weights.items()]
    if default is not None:
        named.append(("default_weight", default))
    for name, weight in named:
        if not 0 <= weight <= LARGEST_WEIGHT:
            raise ValueError(f"{name} is {weight}, expected 0 to {LARGEST_WEIGHT}")
        if not _has_decimals(weight, WEIGHT_DECIMALS):
            raise ValueError(f"{name} has more than {WEIGHT_DECIMALS} decimals: {weight}")
    if not any(weight for _, weight in named):
        raise ValueError("all weights are 0, so that nobody would receive anything")


def _has_decimals(value: Decimal, decimals: int) -> bool:
    return value == value.quantize(Decimal(1).scaleb(-decimals), context=Context(prec=100))
