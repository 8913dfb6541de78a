"""Compile splits into parts and receivers: shares and weights become integers, exactly.

A part is what one method splits by itself. A rule has one part, named `all`; one whose shares leave
a rest has two, `shares` and `residual`. How the two become one set of weights is said in the macro
resolve_weights.

Shares that stand alone keep their ten decimals. Shares beside a residual, and weights, are reduced
to the smallest integers of the same proportion, because they are multiplied with quantities.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from math import gcd
from typing import Any

from pipelines.cost_model.schema import Service
from pipelines.cost_model.splits import (
    SERVICE_PREFIX,
    SHARE_DECIMALS,
    WEIGHT_DECIMALS,
    WILDCARDS,
    AnySplit,
    SplitPart,
    find_driver,
)

Row = tuple[Any, ...]

PART_COLUMNS = (
    "stop_code varchar, rule_id varchar, part_code varchar, method varchar, driver_id varchar, "
    "fallback varchar, negative varchar, limits_receivers boolean, default_weight hugeint, "
    "residual_weight hugeint"
)
SERVICE_RECEIVER_COLUMNS = (
    "rule_id varchar, part_code varchar, receiver_kind varchar, receiver_id varchar, "
    "is_glob boolean, weight hugeint"
)
WHOLE = 100 * 10**SHARE_DECIMALS


def compile_parts(stop_code: str, rule_id: str, split: AnySplit) -> list[Row]:
    """The rows of `split_parts` of one split."""
    if split.residual is None:
        return [_part_row(stop_code, rule_id, "all", split, None)]
    _, rest = reduce_shares(split.shares or {})
    return [
        _part_row(stop_code, rule_id, "shares", split, None),
        _part_row(stop_code, rule_id, "residual", split.residual, rest),
    ]


def compile_service_parts(service: Service) -> list[Row]:
    """The same of a service, in its long or its short form."""
    if service.split is not None:
        return compile_parts("consumers", service.id, service.split)
    short = (service.driver, service.fallback, "refuse", False, None, None)
    return [("consumers", service.id, "all", "driver", *short)]


def compile_receivers(rule_id: str, split: AnySplit) -> list[Row]:
    """Declared receivers: (rule, receiver, weight, part)."""
    if split.residual is not None:
        shares, _ = reduce_shares(split.shares or {})
        rows: list[Row] = [(rule_id, *item, "shares") for item in shares.items() if item[1]]
        residual = _list_receivers(split.residual).items()
        return rows + [(rule_id, *item, "residual") for item in residual]
    if split.shares is not None:
        return [
            (rule_id, receiver, int(share.scaleb(SHARE_DECIMALS)), "all")
            for receiver, share in split.shares.items()
            if share
        ]
    return [(rule_id, *item, "all") for item in _list_receivers(split).items()]


def compile_service_receivers(service: Service) -> list[Row]:
    """Declared receivers of a service: (service, part, kind, receiver, is it a glob, weight)."""
    if service.split is None:
        globs = service.consumers or []
        return [(service.id, "all", "consumer", glob, True, 1) for glob in globs]
    return [
        (rule_id, part, *_read_receiver(receiver), weight)
        for rule_id, receiver, weight, part in compile_receivers(service.id, service.split)
    ]


def find_deciding_driver(service: Service) -> tuple[str | None, str]:
    """Driver and fallback of a service, whichever form or part names them."""
    if service.split is None:
        return service.driver, service.fallback
    part = find_driver(service.split)
    return (part.driver, part.fallback) if part is not None else (None, "hold")


def reduce_shares(shares: Mapping[str, Decimal]) -> tuple[dict[str, int], int]:
    """Percentages and the rest to 100 as the smallest integers of the same proportion."""
    scaled = {name: int(share.scaleb(SHARE_DECIMALS)) for name, share in shares.items()}
    rest = WHOLE - sum(scaled.values())
    divisor = gcd(rest, *scaled.values())
    return {name: share // divisor for name, share in scaled.items()}, rest // divisor


def reduce_weights(
    weights: Mapping[str, Decimal], default: Decimal | None
) -> tuple[dict[str, int], int | None]:
    """Weights and the default one as the smallest integers of the same proportion."""
    scaled = {name: int(weight.scaleb(WEIGHT_DECIMALS)) for name, weight in weights.items()}
    rest = None if default is None else int(default.scaleb(WEIGHT_DECIMALS))
    divisor = gcd(rest or 0, *scaled.values())
    reduced = {name: weight // divisor for name, weight in scaled.items()}
    return reduced, None if rest is None else rest // divisor


def _list_receivers(part: SplitPart) -> dict[str, int]:
    if part.weights is not None:
        return reduce_weights(part.weights, part.default_weight)[0]
    return dict.fromkeys(part.to or [], 1)


def _part_row(
    stop_code: str, rule_id: str, part_code: str, part: SplitPart, residual_weight: int | None
) -> Row:
    default = None
    if part.weights is not None:
        default = reduce_weights(part.weights, part.default_weight)[1]
    return (
        stop_code,
        rule_id,
        part_code,
        part.method,
        part.driver,
        part.fallback,
        part.negative,
        part.to is not None,
        default,
        residual_weight,
    )


def _read_receiver(text: str) -> tuple[str, str, bool]:
    """(kind, id, whether it is a glob) of a receiver of a service."""
    if text.startswith(SERVICE_PREFIX):
        return "service", text.removeprefix(SERVICE_PREFIX), False
    return "consumer", text, bool(WILDCARDS & set(text))
