"""The checks on figures: thresholds of a source on what was measured of it (see `figures`).

Each is a query that returns one row per finding, a period or a period and currency. The rows hold
what `findings` needs to say what was expected, what was found and by how much. Comparisons are
made on integers and decimals: `now * 100 > before * (100 + rise)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelines.checks.check import Check, CheckKind, quote_text
from pipelines.checks.plan import CheckedSource, CheckPlan, name_source
from pipelines.checks.references import ReferenceCheck, list_references, load_references
from pipelines.checks.results import format_figure
from pipelines.checks.rules import Severity
from pipelines.workspace.check_settings import Movement


def list_thresholds(source: CheckedSource, plan: CheckPlan) -> list[Check]:
    """The thresholds of one source; those that are ignored or not set are left out."""
    checks: list[Check] = []
    if source.contract.period_field is not None:
        checks += _limit_lateness(source, plan)
        checks += _limit_volume(source)
        if source.contract.amount_field is not None:
            checks += _limit_amount(source)
        checks += _limit_fall(source)
    checks += _require_fill(source)
    for reference in list_references(source, plan):
        checks += _limit_unknown(source, reference)
    return checks


def _make_check(
    source: CheckedSource,
    check_id: str,
    kind: CheckKind,
    severity: str,
    sentence: str,
    query: str,
    expected: str,
    field: str = "",
    broken_rows: str = "",
) -> Iterator[Check]:
    if severity != "ignore":
        judged: Severity = "error" if severity == "error" else "warning"
        text = f"{source.title}: {sentence}"
        yield Check(
            check_id,
            kind,
            judged,
            text,
            "figure",
            query,
            broken_rows=broken_rows,
            expected=expected,
            field=field,
        )


def _select(table: str, source: CheckedSource, condition: str) -> str:
    named = quote_text(source.source_id)
    return f"select * from figures.{table} where source_id = {named} and {condition}"


def _judge_latest(source: CheckedSource) -> str:
    return f"age <= {source.checks.latest_periods}"


def _limit_lateness(source: CheckedSource, plan: CheckPlan) -> Iterator[Check]:
    threshold = source.checks.freshness
    is_judged = source.scenario_id == "actual" and source.source_id != plan.control_source
    if threshold.periods_behind is not None and plan.control_source and is_judged:
        limit = threshold.periods_behind
        control = name_source(plan.control_source).lower()
        yield from _make_check(
            source,
            "keeps_up",
            "freshness",
            threshold.severity,
            f"the latest period is at most {_count_periods(limit)} before that of {control}; "
            "otherwise the latest cost is shared by old figures.",
            _select("lateness", source, f"periods_behind > {limit}"),
            f"expected at most {_count_periods(limit)}",
        )
    days = threshold.days_after_period_end
    if days is not None and source.scenario_id == "actual":
        yield from _make_check(
            source,
            "delivered_in_time",
            "freshness",
            threshold.severity,
            f"a period is delivered at most {days} days after it has ended.",
            _select("deliveries", source, "days_late > 0"),
            f"expected within {days} days",
        )


def _limit_volume(source: CheckedSource) -> Iterator[Check]:
    threshold = source.checks.volume
    # Counts are cast: hundred million records times a percentage leaves an integer's range.
    moved = _select_moved("cast({} as decimal(18, 0))", "record_count", threshold)
    if moved:
        yield from _make_check(
            source,
            "volume_steady",
            "volume",
            threshold.severity,
            f"the number of records of a period stays within {_say_band(threshold)} of the period "
            "before; a jump is often a part that is missing or came twice.",
            _select("volumes", source, f"{_judge_latest(source)} and ({moved})"),
            f"expected {_say_band(threshold)}",
        )


def _limit_amount(source: CheckedSource) -> Iterator[Check]:
    threshold = source.checks.amount
    moved = _select_moved("{}", "amount_local", threshold)
    if moved:
        yield from _make_check(
            source,
            "amount_steady",
            "amount",
            threshold.severity,
            f"the amount of a period stays within {_say_band(threshold)} of the period before, in "
            "each currency; a jump is often a wrong sign, unit or a part that is missing.",
            _select("amounts", source, f"{_judge_latest(source)} and ({moved})"),
            f"expected {_say_band(threshold)}",
        )


def _select_moved(cast: str, name: str, threshold: Movement) -> str:
    """SQL for a figure that moved too far; '' where both limits are off.

    The size of the figure before is the measure, so that a credit may grow as a cost may.
    """
    now, before = cast.format(name), cast.format(f"previous_{name}")
    sides = []
    if threshold.fall_percent is not None:
        limit = format_figure(threshold.fall_percent)
        sides.append(f"({before} - {now}) * 100 > abs({before}) * {limit}")
    if threshold.rise_percent is not None:
        limit = format_figure(threshold.rise_percent)
        sides.append(f"({now} - {before}) * 100 > abs({before}) * {limit}")
    if not sides:
        return ""
    enough = f"previous_records >= {max(threshold.least_records, 1)}"
    return f"{enough} and ({' or '.join(sides)})"


def _say_band(threshold: Movement) -> str:
    """'-50 % to +50 %', 'at most +50 %', 'at least -50 %'."""
    fall, rise = threshold.fall_percent, threshold.rise_percent
    down = "" if fall is None else f"-{format_figure(fall)} %"
    up = "" if rise is None else f"+{format_figure(rise)} %"
    if down and up:
        return f"{down} to {up}"
    return f"at most {up}" if up else f"at least {down}"


def _limit_fall(source: CheckedSource) -> Iterator[Check]:
    threshold = source.checks.completeness
    points = threshold.fall_points
    if points is None or all(field.is_required for field in source.contract.fields):
        return
    least = source.checks.volume.least_records
    lost = (
        f"previous_record_count >= {max(least, 1)} and record_count > 0 and "
        "(cast(previous_filled_count as decimal(18, 0)) * record_count "
        "- cast(filled_count as decimal(18, 0)) * previous_record_count) * 100 "
        f"> cast(previous_record_count as decimal(18, 0)) * record_count * {format_figure(points)}"
    )
    text = format_figure(points)
    yield from _make_check(
        source,
        "fields_stay_filled",
        "completeness",
        threshold.severity,
        f"no optional field is filled on over {text} points of percent fewer records than in the "
        "period before; a column that fell out of an export shows so.",
        _select("fills", source, f"{_judge_latest(source)} and {lost}"),
        f"expected at most {text} points less",
    )


def _require_fill(source: CheckedSource) -> Iterator[Check]:
    threshold = source.checks.completeness
    has_periods = source.contract.period_field is not None
    for field, percent in threshold.fields.items():
        text = format_figure(percent)
        short = f"filled_count * 100 < record_count * cast({text} as decimal(9, 4))"
        judged = f"{_judge_latest(source)} and " if has_periods else ""
        table = "fills" if has_periods else "filled"
        yield from _make_check(
            source,
            f"{field}_complete",
            "completeness",
            threshold.severity,
            f"{field} is filled on at least {text} % of the records.",
            _select(table, source, f"field_name = '{field}' and {judged}{short}"),
            f"expected at least {text} %",
            field,
        )


def _limit_unknown(source: CheckedSource, reference: ReferenceCheck) -> Iterator[Check]:
    percent: Decimal = reference.threshold.at_most_unknown_percent
    text = format_figure(percent)
    master = load_references().masters[reference.master]
    unknown = (
        f"check_id = '{reference.check_id}' and ("
        f"cast(unknown_count as decimal(18, 0)) * 100 > named_count * cast({text} as decimal(9, 4))"
        f" or unknown_size * 100 > named_size * {text})"
    )
    what = "records" if source.contract.amount_field is None else "records and money"
    allowed = f"all {what}" if not percent else f"all but {text} % of the {what}"
    yield from _make_check(
        source,
        reference.check_id,
        "reference",
        reference.severity,
        f"{allowed} that name {master.article} {master.noun} in "
        f"{reference.field} name one of the {master.name}.",
        _select("unknown", source, unknown).replace("*", "*, unknown_count as broken_count", 1),
        f"expected at most {text} %",
        reference.field,
        reference.broken_rows,
    )


def _count_periods(count: int) -> str:
    return f"{count} period{'' if count == 1 else 's'}"
