"""How long disputes have been open: days, buckets, sums by bucket and by owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal

from pipelines.disputes.disputes import Dispute

BUCKETS = ((30, "0-30"), (60, "31-60"), (90, "61-90"))
OLDEST_BUCKET = ">90"
BUCKET_NAMES = (*(name for _, name in BUCKETS), OLDEST_BUCKET)


def count_days(dispute: Dispute, today: date) -> int:
    """Whole days from the opening to the decision; to today while it is open."""
    end = date.fromisoformat(dispute.decided_at[:10]) if dispute.decided_at else today
    return (end - date.fromisoformat(dispute.opened_at[:10])).days


def name_bucket(days: int) -> str:
    """The bucket of an age in days: 0-30, 31-60, 61-90 or >90."""
    return next((name for limit, name in BUCKETS if days <= limit), OLDEST_BUCKET)


def sum_by_bucket(disputes: Iterable[Dispute], today: date) -> list[tuple[str, int, Decimal]]:
    """(bucket, number, amount in dispute) of the open ones, every bucket, the youngest first."""
    sums = _sum(disputes, lambda item: name_bucket(count_days(item, today)))
    return [(name, *sums.get(name, (0, Decimal(0)))) for name in BUCKET_NAMES]


def sum_by_owner(
    disputes: Iterable[Dispute], owners: Mapping[str, str]
) -> list[tuple[str, int, Decimal]]:
    """(owner of the service, number, amount in dispute) of the open ones, the largest first.

    `owners`: by service id; a service that nobody owns is put under its own name."""
    sums = _sum(disputes, lambda item: owners.get(item.service_id) or f"({item.service_name})")
    rows = [(name, count, amount) for name, (count, amount) in sums.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _sum(
    disputes: Iterable[Dispute], key: Callable[[Dispute], str]
) -> dict[str, tuple[int, Decimal]]:
    groups: dict[str, list[Decimal]] = defaultdict(list)
    for item in disputes:
        if item.state == "open":
            groups[key(item)].append(abs(item.asked_amount))
    return {name: (len(amounts), sum(amounts, Decimal(0))) for name, amounts in groups.items()}
