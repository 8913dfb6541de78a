"""Say what the failed checks found: a sentence per period and currency, and a few broken records.

Only failures pay for these queries. A finding names source, period, what was found, what was
expected and by how much; it is for the person who calls the sender.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from pipelines.checks.check import Check, CheckKind
from pipelines.checks.figures import select_currency, select_period
from pipelines.checks.references import load_references
from pipelines.checks.results import BrokenRow, Finding, format_figure
from pipelines.checks.subjects import Subject

if TYPE_CHECKING:
    import duckdb

SAMPLE_SIZE = 5
FINDINGS_KEPT = 12
"""Findings that are written out per check; the newest periods come first."""

Row = Mapping[str, Any]

WHAT_TO_DO: dict[CheckKind, str] = {
    "delivered": "Ask the sender for the delivery; what landed holds no record.",
    "filled": "Ask the sender for a corrected file in which the field is filled.",
    "allowed": "Ask the sender for a corrected file, or add the value where the mapping or "
    "apportion.yml lists the known ones.",
    "range": "Ask the sender whether the value is right; a unit or a separator is often read "
    "wrongly. Correct the file, or widen the range in apportion.yml.",
    "unique": "Ask the sender for a file without the repeated records.",
    "rule": "Look at the records below with the sender, and correct the file.",
    "completeness": "Ask the sender whether a column was left out of the export.",
    "freshness": "Ask the sender for the delivery that is missing.",
    "volume": "Ask the sender whether the file is whole and came once. If the jump is real, leave "
    "it; where it is usual, widen the limit in apportion.yml.",
    "amount": "Compare the amount with the sender's own total. If the jump is real, leave it; "
    "where it is usual, widen the limit in apportion.yml.",
    "reference": "Add the code to its master, or ask the sender for a corrected file. Nothing is "
    "lost until then: it stays in the figures under the unknown code.",
}


def list_findings(
    connection: duckdb.DuckDBPyConnection, subject: Subject, check: Check
) -> tuple[Finding, ...]:
    """The findings of a failed check, the latest period first."""
    if check.kind == "delivered":
        return (Finding(f"{subject.title}: a delivery landed, and it holds no record."),)
    if check.counting == "figure":
        rows = _read(connection, f"select * from ({check.query}) as found order by period_id desc")
        return tuple(_describe_figure(subject, check, row) for row in rows)
    query = _count_by_period(subject, check)
    return tuple(_describe_records(subject, row) for row in _read(connection, query))


def _read(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"{query} limit {FINDINGS_KEPT}")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _count_by_period(subject: Subject, check: Check) -> str:
    """SQL for number and money of the broken records by period and currency."""
    contract = subject.contract
    amount = f"sum({contract.amount_field})" if contract.amount_field else "null"
    source = subject.view
    if check.condition is None:
        broken = check.broken_rows.replace("{batch}", subject.view)
        source += f" semi join ({broken}) as broken using (_file_id, _row_number)"
    else:
        source += f" where {check.condition}"
    return (
        f"select {select_period(contract)} as period_id, {select_currency(contract)} "
        f"as currency_code, count(*) as record_count, {amount} as amount_local from {source} "
        "group by all order by period_id desc, currency_code"
    )


def _name_place(subject: Subject, row: Row) -> str:
    period = row.get("period_id") or ""
    return f"{subject.title} {period}".strip()


def _describe_records(subject: Subject, row: Row) -> Finding:
    money = _say_money(row["amount_local"], row["currency_code"])
    counted = _count(row["record_count"], "record")
    return Finding(
        f"{_name_place(subject, row)}: not so for {counted}{f' with {money}' if money else ''}.",
        row["period_id"],
        row["record_count"],
        row["currency_code"],
        row["amount_local"],
    )


def _describe_figure(subject: Subject, check: Check, row: Row) -> Finding:
    return _DESCRIBE[check.kind](subject, check, row)


def _describe_volume(subject: Subject, check: Check, row: Row) -> Finding:
    now, before = row["record_count"], row["previous_record_count"]
    return Finding(
        f"{_name_place(subject, row)}: {_count(now, 'record')}, {_say_change(now, before)} than "
        f"{row['previous_period_id']} ({before:,}); {check.expected}.",
        row["period_id"],
    )


def _describe_amount(subject: Subject, check: Check, row: Row) -> Finding:
    now, before, currency = (
        row["amount_local"],
        row["previous_amount_local"],
        row["currency_code"],
    )
    return Finding(
        f"{_name_place(subject, row)}: {_say_money(now, currency)}, "
        f"{_say_change(now, before)} than {row['previous_period_id']} "
        f"({_say_money(before, currency)}); {check.expected}.",
        row["period_id"],
        currency_code=currency,
        amount_local=now,
    )


def _describe_completeness(subject: Subject, check: Check, row: Row) -> Finding:
    field, records, filled = row["field_name"], row["record_count"], row["filled_count"]
    found = (
        f"{_name_place(subject, row)}: {field} is filled on {_say_share(filled, records)} of "
        f"{_count(records, 'record')}"
    )
    if not check.field:
        before = _say_share(row["previous_filled_count"], row["previous_record_count"])
        found += f", in {row['previous_period_id']} on {before}"
    return Finding(f"{found}; {check.expected}.", row["period_id"], records - filled)


def _describe_freshness(subject: Subject, check: Check, row: Row) -> Finding:
    if "periods_behind" in row:
        behind = _count(row["periods_behind"], "period")
        return Finding(
            f"{subject.title}: the latest period is {row['period_id']}, {behind} before "
            f"{row['control_period_id']}, the latest of the control total; {check.expected}.",
            row["period_id"],
        )
    place = _name_place(subject, row)
    ended: date = row["ended_date"]
    if row["is_delivered"]:
        landed: date = row["landed_date"]
        days = (landed - ended).days
        found = f"{place}: landed on {landed}, {_count(days, 'day')} after the period had ended"
    else:
        found = f"{place}: nothing has landed, and the period ended on {ended}"
    late = _count(row["days_late"], "day")
    return Finding(f"{found}; {check.expected}, {late} too late.", row["period_id"])


def _describe_reference(subject: Subject, check: Check, row: Row) -> Finding:
    master = load_references().masters[_find_master(check)]
    named, unknown, codes = row["named_count"], row["unknown_count"], row["codes"]
    more = row["code_count"] - len(codes)
    listed = ", ".join(codes) + (f" and {more:,} more" if more else "")
    money = _say_money(row["unknown_amount"], row["currency_code"])
    has_money = row["named_size"] is not None and bool(money)
    share = f", {_say_share(row['unknown_size'], row['named_size'])} of the money" * has_money
    sentence = (
        f"{_name_place(subject, row)}: {unknown:,} of {_count(named, 'record')} "
        f"({_say_share(unknown, named)}{share}) name "
        f"{master.article} {master.noun} that is not in the {master.name} ({listed})"
        f"{f', {money}' if has_money else ''}; {check.expected}."
    )
    amount = row["unknown_amount"] if has_money else None
    return Finding(sentence, row["period_id"], unknown, row["currency_code"], amount)


def _find_master(check: Check) -> Any:
    return check.check_id.rsplit("_known_to_", 1)[1]


_DESCRIBE: dict[CheckKind, Callable[[Subject, Check, Row], Finding]] = {
    "volume": _describe_volume,
    "amount": _describe_amount,
    "completeness": _describe_completeness,
    "freshness": _describe_freshness,
    "reference": _describe_reference,
}


def _say_money(amount: Decimal | None, currency: str) -> str:
    """'12,000.00 EUR'; '' where there is no money."""
    if amount is None or not currency:
        return ""
    return f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,} {currency}"


def _say_change(now: Decimal | int, before: Decimal | int) -> str:
    """'38 % more', '60.5 % less'; against the size of the figure before."""
    if not before:
        return "more" if now > 0 else "less"
    percent = (Decimal(now) - Decimal(before)) * 100 / abs(Decimal(before))
    rounded = abs(percent).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{format_figure(rounded)} % {'more' if percent > 0 else 'less'}"


def _say_share(part: Decimal | int, whole: Decimal | int) -> str:
    """'12.3 %'; a small part is never written as none, and a missing one never as all."""
    if not whole:
        return "0 %"
    percent = Decimal(part) * 100 / Decimal(whole)
    rounded = percent.quantize(Decimal("0.1"), ROUND_HALF_UP)
    if part and not rounded:
        return "under 0.1 %"
    if rounded == 100 and part != whole:
        return "over 99.9 %"
    return f"{format_figure(rounded)} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def read_sample(
    connection: duckdb.DuckDBPyConnection,
    subject: Subject,
    check: Check,
    file_names: Mapping[str, str],
) -> tuple[BrokenRow, ...]:
    """The first broken records of a failed check by file and row."""
    if not check.broken_rows:
        return ()
    broken = check.broken_rows.replace("{batch}", subject.view)
    cursor = connection.execute(
        f"select * from ({broken}) as broken order by _file_id, _row_number limit {SAMPLE_SIZE}"
    )
    names = [column[0] for column in cursor.description or ()][2:]
    return tuple(
        BrokenRow(
            file_id=str(row[0]),
            row_number=int(row[1]),
            values=tuple(zip(names, map(_format_value, row[2:]), strict=True)),
            file_name=file_names.get(str(row[0]), ""),
        )
        for row in cursor.fetchall()
    )


def _format_value(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return format_figure(value)
    return value.isoformat() if isinstance(value, date) else str(value)
