"""What the rules do to the money that is there: what none matches, and which ones match nothing.

Every question whether a rule matches is answered by the compiled SQL of the build, also the one
which rule money would have if the rules had no dates: they are taken from them, and the same SQL
runs again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.model_check.finding import ModelFinding, join_periods
from pipelines.model_check.stops import (
    LINE_MATCHES,
    LINES,
    SERVICE_MATCHES,
    STOPS,
    TOWER_CELLS,
    CheckedRun,
    Stop,
)

SHOWN_COMBINATIONS = 3


def check_money(run: CheckedRun) -> list[ModelFinding]:
    """Rules that never match, and money without a rule, at every stop. Takes the rules' dates."""
    run.rerun.run((LINE_MATCHES, LINES, TOWER_CELLS, SERVICE_MATCHES))
    unused: list[ModelFinding] = []
    for stop in STOPS:
        unused += _find_unused(run, stop)
        _keep_unmatched(run, stop)
    findings: list[ModelFinding] = []
    # The last stop comes first: what a stop without dates does is not to reach those after it.
    for stop in reversed(STOPS):
        findings += _find_out_of_time(run, stop)
    for stop in STOPS:
        findings += _find_unmatched(run, stop)
    return findings + unused


def _find_unused(run: CheckedRun, stop: Stop) -> Iterator[ModelFinding]:
    """Rules that hold in a period with money, and match none of it."""
    rows = run.rerun.connection.execute(
        f"""
        select rules.rule_id
        from {stop.rules} as rules
        where
            exists (
                select 1
                from model.period_versions as versions
                inner join model.periods as periods on versions.period_id = periods.period_id
                where
                    (rules.valid_from is null or rules.valid_from <= periods.period_start)
                    and (rules.valid_to is null or periods.period_start < rules.valid_to)
            )
            and not exists (
                select 1 from {stop.matches} as matches
                where matches.{stop.rule_column} = rules.rule_id
            )
        order by rules.priority, rules.rule_id
        """
    ).fetchall()
    for (rule_id,) in rows:
        yield ModelFinding(
            "warning",
            "Rule never used",
            run.find_place(stop.file, rule_id),
            rule_id,
            f"matches no {stop.money} in any period",
            "a rule that some money meets first",
            "Correct its conditions, put it before the rule that takes its money, or remove it.",
        )


def _keep_unmatched(run: CheckedRun, stop: Stop) -> None:
    """Note what no rule matches, before the rules lose their dates."""
    run.rerun.connection.execute(
        f"create or replace temp table unmatched_{stop.file} as "
        f"select scenario_id, period_id, {', '.join(stop.columns)}, "
        "sum(amount_units) as amount_units, cast(null as varchar) as meant_rule_id "
        f"from ({stop.unmatched}) group by all"
    )


def _find_out_of_time(run: CheckedRun, stop: Stop) -> Iterator[ModelFinding]:
    """Money that a rule would match at another time: the rules leave a gap where there is money."""
    connection = run.rerun.connection
    kept = f"temp.main.unmatched_{stop.file}"
    spans = {
        rule_id: (start, end)
        for rule_id, start, end in connection.execute(
            f"select rule_id, valid_from, valid_to from {stop.rules} "
            "where valid_from is not null or valid_to is not null"
        ).fetchall()
    }
    if not spans or connection.execute(f"from {kept} limit 1").fetchone() is None:
        return
    _note_meant_rules(run, stop, kept)
    rows = connection.execute(
        "select scenario_id, meant_rule_id, list(distinct period_id), sum(amount_units) "
        f"from {kept} where meant_rule_id is not null group by all order by all"
    ).fetchall()
    for scenario_id, rule_id, periods, units in rows:
        yield ModelFinding(
            "error",
            "Money at a time when its rule does not hold",
            run.find_place(stop.file, rule_id),
            rule_id,
            f"{stop.money} in {join_periods(periods, run.calendar)} has no rule; "
            f"this one would match it, but holds only {_say_span(*spans[rule_id])}",
            "a rule that holds in every period with such money",
            "Move the date, or write a rule for that time.",
            scenario_id,
            min(periods),
            run.to_amount(units),
        )


def _note_meant_rules(run: CheckedRun, stop: Stop, kept: str) -> None:
    """Match again with rules that have no dates, and note what the unmatched money meets then."""
    run.rerun.replace(
        stop.rules,
        "select * replace (cast(null as date) as valid_from, cast(null as date) as valid_to) "
        "from {relation}",
    )
    run.rerun.run((stop.matches,))
    same = " and ".join(
        f"kept.{name} is not distinct from matches.{name}"
        for name in ("scenario_id", "period_id", *stop.columns)
    )
    run.rerun.connection.execute(
        f"update {kept} as kept set meant_rule_id = matches.{stop.rule_column} "
        f"from {stop.matches} as matches where {same}"
    )


def _say_span(start: Any, end: Any) -> str:
    parts = [f"from {start}"] if start else []
    parts += [f"before {end}"] if end else []
    return " and ".join(parts)


def _find_unmatched(run: CheckedRun, stop: Stop) -> Iterator[ModelFinding]:
    """Per scenario and period the money that no rule is meant for, its largest parts first."""
    columns = ", ".join(stop.columns)
    texts = ", ".join(f"cast({name} as varchar)" for name in ("amount_units", *stop.columns))
    rows = run.rerun.connection.execute(
        f"""
        with ranked as (
            select
                *,
                row_number() over (
                    partition by scenario_id, period_id
                    order by abs(amount_units) desc, {columns}
                ) as size_rank
            from temp.main.unmatched_{stop.file}
            where meant_rule_id is null
        )

        select
            scenario_id,
            period_id,
            count(*),
            sum(amount_units),
            list([{texts}]
                order by size_rank) filter (size_rank <= {SHOWN_COMBINATIONS})
        from ranked
        group by scenario_id, period_id
        order by scenario_id, period_id
        """
    ).fetchall()
    for scenario_id, period_id, count, units, largest in rows:
        parts = "; ".join(_say_combination(run, stop, item) for item in largest)
        more = f"; and {count - len(largest)} more" if count > len(largest) else ""
        yield ModelFinding(
            "warning",
            "Money without a rule",
            f"cost_model/{stop.file}.yml",
            None,
            f"{stop.money} in {period_id}: {parts}{more}. {stop.meaning}",
            "a rule for all money",
            f"Add a rule to cost_model/{stop.file}.yml, or widen one.",
            scenario_id,
            period_id,
            run.to_amount(units),
        )


def _say_combination(run: CheckedRun, stop: Stop, item: list[str | None]) -> str:
    """'8.00 of account 9999, cost centre it1'."""
    units, *values = item
    named = [
        f"{name} {value}"
        for (_, name), value in zip(stop.names, values, strict=True)
        if value is not None
    ]
    assert units is not None
    return f"{run.to_amount(int(units)):,.2f} of {', '.join(named)}"
