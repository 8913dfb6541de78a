"""What the run checked: every check, what the failed ones found, and the sources at a glance.

The checks are of a run, not of a period: they look at all that has landed. Rows of another run,
which a file beside the current one may hold, are left out.
"""

from __future__ import annotations

import pandas as pd

from app.queries.published import Published, read_frame


def _read(published: Published, sql: str) -> pd.DataFrame:
    return read_frame(published, sql, {"run": published.run_id})


def read_checks(published: Published) -> pd.DataFrame:
    """One row per check: errors first, then warnings, then what passed."""
    return _read(
        published,
        """
        select
            source_id, scenario_id, check_id, source_name, check_kind, severity_code, is_passed,
            sentence, what_to_do, checked_record_count, broken_record_count,
        from rpt_data_checks
        where run_id = $run
        order by is_passed, severity_code, check_order
        """,
    )


def read_check_findings(published: Published) -> pd.DataFrame:
    """What each failed check found, by period and currency, the latest period first."""
    return _read(
        published,
        """
        select
            source_id, check_id, period_id, sentence, record_count, currency_code, amount_local,
        from rpt_data_check_findings
        where run_id = $run
        order by source_id, check_id, finding_order
        """,
    )


def read_check_records(published: Published) -> pd.DataFrame:
    """The records that are shown of the failed checks, with the file and row they came from."""
    return _read(
        published,
        """
        select
            source_id, check_id, coalesce(file_name, left(file_id, 12)) as file_name, row_number,
            record_text,
        from rpt_data_check_records
        where run_id = $run
        order by source_id, check_id, file_id, row_number
        """,
    )


def read_sources(published: Published) -> pd.DataFrame:
    """One row per source, with its records in the latest period and the month before."""
    return _read(
        published,
        """
        with counts as (
            select
                source_id,
                period_id,
                sum(record_count)::bigint as latest_record_count,
                sum(previous_record_count)::bigint as previous_record_count,
            from rpt_data_source_periods
            where run_id = $run
            group by source_id, period_id
        )
        select
            sources.* exclude (run_id, source_order),
            counts.latest_record_count,
            counts.previous_record_count,
        from rpt_data_sources as sources
        left join counts
            on
                sources.source_id = counts.source_id
                and sources.latest_period_id is not distinct from counts.period_id
        where sources.run_id = $run
        order by source_order
        """,
    )


def read_source_periods(published: Published) -> pd.DataFrame:
    """What each source delivered by period and currency, the latest period first."""
    return _read(
        published,
        """
        select
            source_id, scenario_id, period_id, currency_code, record_count, previous_record_count,
            amount_local, previous_amount_local,
        from rpt_data_source_periods
        where run_id = $run
        order by source_id, period_id desc nulls last, currency_code nulls last
        """,
    )
