"""What was delivered of a service in a month, as rows of a table with its targets."""

from __future__ import annotations

from typing import Any

import pandas as pd

from app.formats import (
    MISSING,
    escape_markdown,
    format_count,
    format_duration,
    format_hours,
    format_number,
    format_quantity,
    format_rate,
    format_share,
    to_decimal,
)

MET = ":green[:material/check:] met"
NOT_MET = ":red[:material/close:] not met"


def drop_empty_months(quality: pd.DataFrame) -> pd.DataFrame:
    """The months in which there were tickets or an availability is known."""
    has_tickets = quality["ticket_count"].fillna(0) > 0
    return quality[has_tickets | quality["availability_share"].notna()]


def list_quality(
    facts: pd.Series, now: pd.Series | None, capacity: pd.DataFrame, currency: str
) -> list[tuple[str, str, str, str]]:
    """Rows of the quality table: measure, actual, target, whether it is met. As Markdown."""
    rows: list[tuple[str, str, str, str]] = []
    if now is not None:
        for name, column, target in (
            ("SLA attainment", "sla_attainment_share", "sla_attainment_target_share"),
            ("Availability", "availability_share", "availability_target_share"),
        ):
            rows.append(
                (
                    name,
                    format_share(now[column], 2),
                    format_share(facts[target], 2),
                    _judge(now[column], facts[target], is_more_better=True),
                )
            )
        for name, column, target in (
            ("Median first response", "median_response_minutes", "response_target_minutes"),
            ("Median resolution", "median_resolution_minutes", "resolution_target_minutes"),
        ):
            rows.append(
                (
                    name,
                    format_duration(now[column]),
                    format_duration(facts[target]),
                    _judge(now[column], facts[target], is_more_better=False),
                )
            )
        rows += [
            ("Tickets", _describe_tickets(now), "", ""),
            ("Effort on tickets", format_hours(now["ticket_effort_hours"]), "", ""),
            (
                "Support cost per ticket",
                format_rate(now["support_cost_per_ticket_amount"], currency),
                "",
                "direct cost in support towers ÷ tickets",
            ),
            ("Outages, unplanned", format_duration(now["outage_minutes"]), "", ""),
            ("Outages, planned", format_duration(now["planned_outage_minutes"]), "", ""),
        ]
    for row in capacity.to_dict("records"):
        used = format_quantity(row["used_quantity"])
        total = format_quantity(row["capacity_quantity"], str(row["capacity_unit_code"]))
        rows.append(
            (
                "Capacity used",
                format_share(row["utilisation_share"]),
                "",
                escape_markdown(f"{used} of {total}"),
            )
        )
    return [row for row in rows if row[1] != MISSING]


def _describe_tickets(now: pd.Series) -> str:
    return (
        f"{format_number(now['ticket_count'])}: "
        f"{format_count(int(now['incident_count']), 'incident')}, "
        f"{format_count(int(now['request_count']), 'request')}, "
        f"{format_count(int(now['change_count']), 'change')}"
    )


def _judge(value: Any, target: Any, *, is_more_better: bool) -> str:
    actual, aim = to_decimal(value), to_decimal(target)
    if actual is None or aim is None:
        return ""
    is_met = actual >= aim if is_more_better else actual <= aim
    return MET if is_met else NOT_MET
