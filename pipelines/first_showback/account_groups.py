"""Find groups of accounts in a ledger export: the pools that a first showback can have.

Accounts of digits and of one length are grouped by how they begin, as charts of accounts are made;
other accounts, such as those that were made from names, are groups of their own, the largest first.
Where that gives no useful number of groups, there are none, and everything is one pool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
LEAST_DIGITS = 3
MOST_GROUPS = 15
NAMES_SHOWN = 2


@dataclass(frozen=True)
class AccountGroup:
    """Accounts that begin alike."""

    group_id: str
    glob: str
    name: str


def group_accounts(
    accounts: Iterable[str], names: Mapping[str, str], amounts: Mapping[str, Decimal] | None = None
) -> list[AccountGroup]:
    """Groups in the order of their accounts, each named after its accounts as far as `names` knows
    them; an empty list where the accounts show no groups.

    With `amounts`, accounts without a pattern are groups of their own as far as they are the
    largest ones; the rest belongs to none."""
    known = sorted(set(accounts))
    if not known:
        return []
    is_chart = len({len(item) for item in known}) == 1 and all(item.isdigit() for item in known)
    if is_chart and len(known[0]) >= LEAST_DIGITS:
        for digits in (2, 1):
            starts = sorted({item[:digits] for item in known})
            if len(starts) <= MOST_GROUPS:
                return [_make_group(start, known, names) for start in starts]
        return []
    if len(known) > MOST_GROUPS and amounts:
        largest = sorted(known, key=lambda item: (-amounts.get(item, 0), item))
        known = sorted(largest[: MOST_GROUPS - 1])
    if len(known) <= MOST_GROUPS and all(PLAIN.fullmatch(item) for item in known):
        return [AccountGroup(item, item, names.get(item) or f"Account {item}") for item in known]
    return []


def _make_group(start: str, accounts: list[str], names: Mapping[str, str]) -> AccountGroup:
    own = [item for item in accounts if item.startswith(start)]
    named = list(dict.fromkeys(names[item] for item in own if names.get(item)))
    if len(own) == 1 and named:
        name = named[0]
    elif named:
        more = ", …" if len(named) > NAMES_SHOWN else ""
        name = f"{', '.join(named[:NAMES_SHOWN])}{more}"
    else:
        name = f"Accounts {start}{'x' * (len(own[0]) - len(start))}"
    return AccountGroup(start, f"{start}*", name)
