"""Finance: can the figures be trusted: is every delivery whole, fresh and plausible?"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

import pandas as pd
import streamlit as st

from app.components import (
    Figure,
    change_column,
    share_column,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.downloads import write_csv
from app.findings import state_checks
from app.formats import (
    MISSING,
    escape_markdown,
    format_amount,
    format_change,
    format_count,
    format_number,
    format_period,
    to_decimal,
    to_percent_points,
    to_text,
)
from app.held_deliveries import make_hold_figures, show_held
from app.names import CHECK_KIND_NAMES, SCENARIO_NAMES
from app.navigation import DATA_CHECKS
from app.queries.data_checks import (
    read_check_findings,
    read_check_records,
    read_checks,
    read_source_periods,
    read_sources,
)
from app.queries.holds import read_holds

LISTED_FINDINGS = 3
TENTH = Decimal("0.1")
ROW_HEIGHT = 35
SEVERITY_BADGES = {
    "error": ":red-badge[:material/error: Error]",
    "warning": ":orange-badge[:material/warning: Warning]",
}


def render_page() -> None:
    """What waits on hold, what failed and what to do, every source at a glance, every check."""
    context = get_context()
    checks = read_checks(context.published)
    sources = read_sources(context.published)
    show_headline(DATA_CHECKS.question, state_checks(checks, len(sources)))
    held = read_holds(context.published)
    if checks.empty:
        show_missing(
            "This run holds no checks of its deliveries.", "Build again with `apportion run`."
        )
        show_ledger_tie(context)
        show_held(held, context.published.root)
        return
    show_figures([*_make_figures(checks, sources), *make_hold_figures(held)])
    show_ledger_tie(context)
    show_held(held, context.published.root)
    _show_failed(context, checks)
    _show_sources(context, sources)
    _show_all(context, checks)
    st.caption(
        f"Checked with run {escape_markdown(context.run.run_id)}, published "
        f"{context.run.built_at:%Y-%m-%d %H:%M} UTC. An error would have stopped it; the same "
        "results are kept with the evidence of the run."
    )


def _make_figures(checks: pd.DataFrame, sources: pd.DataFrame) -> list[Figure]:
    failed = checks[~checks["is_passed"].astype(bool)]
    errors = int((failed["severity_code"] == "error").sum())
    warnings = int((failed["severity_code"] == "warning").sum())
    compared = sources["periods_behind"].dropna()
    late = int((compared > 0).sum())
    return [
        Figure("Checks passed", f"{len(checks) - len(failed):,} of {len(checks):,}"),
        Figure(
            "Errors",
            str(errors),
            "they stop a build" if errors else "none",
            bool(errors),
        ),
        Figure(
            "Warnings",
            str(warnings),
            "see below" if warnings else "none",
            bool(warnings),
        ),
        Figure("Records looked at", format_number(int(sources["record_count"].sum()))),
        Figure(
            "Up to date",
            f"{len(compared) - late} of {len(compared)}",
            "have the latest month",
            help_text="Sources of actual figures that have the latest period of the control total.",
        ),
    ]


def _show_failed(context: Context, checks: pd.DataFrame) -> None:
    failed = checks[~checks["is_passed"].astype(bool)]
    show_section("What to look at", "Checks that do not hold, what was found, and what to do.")
    if failed.empty:
        st.success("Every check holds.", icon=":material/check_circle:")
        return
    findings = read_check_findings(context.published)
    records = read_check_records(context.published)
    for number, check in enumerate(failed.to_dict("records")):
        _show_failure(check, _select(findings, check), _select(records, check), number)


def _select(frame: pd.DataFrame, check: dict[Any, Any]) -> pd.DataFrame:
    """The rows that belong to a check."""
    is_own = (frame["source_id"] == check["source_id"]) & (frame["check_id"] == check["check_id"])
    own: pd.DataFrame = frame.loc[is_own]
    return own


def _show_failure(
    check: dict[Any, Any], findings: pd.DataFrame, records: pd.DataFrame, number: int
) -> None:
    with st.container(border=True, key=f"failed_{number}"):
        badge = SEVERITY_BADGES.get(str(check["severity_code"]), "")
        sentences = [escape_markdown(sentence) for sentence in findings["sentence"]]
        first = sentences[0] if sentences else escape_markdown(check["sentence"])
        st.markdown(f"{badge} **{first}**")
        if len(sentences) > 1:
            more = sentences[1 : LISTED_FINDINGS + 1]
            rest = len(sentences) - 1 - len(more)
            lines = [*more, *([f"and {rest} more in the download"] if rest else [])]
            st.markdown("\n".join(f"- {line}" for line in lines))
        st.markdown(f"What to do: {escape_markdown(check['what_to_do'])}")
        st.caption(f"What should hold: {escape_markdown(check['sentence'])}")
        if len(records):
            with st.expander(_name_sample(check, len(records))):
                st.table(
                    pd.DataFrame(
                        {
                            "File": list(map(escape_markdown, records["file_name"])),
                            "Row": [format_number(row) for row in records["row_number"]],
                            "Record": list(map(escape_markdown, records["record_text"])),
                        }
                    ),
                    border="horizontal",
                    hide_index=True,
                    alt="Records that do not hold, with file and row",
                )


def _name_sample(check: dict[Any, Any], shown: int) -> str:
    broken = to_decimal(check["broken_record_count"])
    if broken is None or broken <= shown:
        return f"Show {format_count(shown, 'record')}"
    return f"Show {shown} of {format_count(int(broken), 'record')}"


def _show_sources(context: Context, sources: pd.DataFrame) -> None:
    show_section(
        "Every source",
        "The latest period that was delivered, against the month before it. "
        "*Filled* is the share of optional fields that have a value, *known* the share of codes "
        "that are in their master.",
    )
    periods = read_source_periods(context.published)
    table = pd.DataFrame([_describe_source(row, periods) for row in sources.to_dict("records")])
    st.dataframe(
        table,
        hide_index=True,
        height=ROW_HEIGHT * (len(table) + 1) + 3,
        placeholder=MISSING,
        column_config={
            "source": st.column_config.TextColumn("Source", pinned=True, width=150),
            "checks": st.column_config.TextColumn("Checks", width=90),
            "period": st.column_config.TextColumn("Latest period"),
            "records": st.column_config.NumberColumn("Records", format="%,d"),
            "records_change": change_column("Change", "Against the month before"),
            "amount": st.column_config.TextColumn("Amount and change", width=230),
            "landed": st.column_config.DateColumn("Landed", format="YYYY-MM-DD"),
            "behind": st.column_config.TextColumn("Freshness"),
            "filled": share_column("Filled", "Optional fields that have a value"),
            "known": share_column("Known", "Codes that are in their master"),
        },
        key="sources",
        alt="Every source with its latest period, records, amount, freshness and completeness",
    )
    _show_download(context, "Sources by period (CSV)", periods, "sources_by_period")


def _describe_source(source: dict[Any, Any], periods: pd.DataFrame) -> dict[str, Any]:
    period = to_text(source["latest_period_id"])
    own = periods[periods["source_id"] == source["source_id"]]
    latest = own[own["period_id"] == period] if period else own
    return {
        "source": _name_source(source),
        "checks": _say_state(source),
        "period": format_period(period) if period else MISSING,
        "records": source["latest_record_count"],
        "records_change": to_percent_points(
            to_decimal(source["latest_record_count"]), to_decimal(source["previous_record_count"])
        ),
        "amount": " · ".join(filter(None, map(_say_amount, latest.to_dict("records")))) or MISSING,
        "landed": source["landed_date"],
        "behind": _say_freshness(source["periods_behind"]),
        "filled": _cut_percent(source["optional_filled_share"]),
        "known": _cut_percent(source["known_code_share"]),
    }


def _cut_percent(share: Any) -> float | None:
    """A share as percent, cut off: what is not complete never shows as 100.0 %."""
    number = to_decimal(share)
    return None if number is None else float((number * 100).quantize(TENTH, ROUND_DOWN))


def _name_source(source: dict[Any, Any]) -> str:
    name, scenario = str(source["source_name"]), str(source["scenario_id"])
    label = SCENARIO_NAMES.get(scenario, scenario).lower()
    return name if scenario == "actual" or label in name.lower() else f"{name} ({label})"


def _say_state(source: dict[Any, Any]) -> str:
    errors, warnings = int(source["error_count"]), int(source["warning_count"])
    parts = [
        format_count(count, noun)
        for count, noun in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    return ", ".join(parts) or f"{int(source['check_count'])} passed"


def _say_amount(row: dict[Any, Any]) -> str:
    currency = to_text(row["currency_code"])
    if not currency:
        return ""
    change = format_change(row["amount_local"], row["previous_amount_local"])
    amount = format_amount(row["amount_local"], currency)
    return amount if change == MISSING else f"{amount} ({change})"


def _say_freshness(periods_behind: Any) -> str:
    behind = to_decimal(periods_behind)
    if behind is None:
        return MISSING
    if behind <= 0:
        return "up to date"
    return f"{format_count(int(behind), 'month')} behind"


def _show_all(context: Context, checks: pd.DataFrame) -> None:
    with st.expander(f"All {len(checks):,} checks"):
        st.dataframe(
            pd.DataFrame(
                {
                    "result": [
                        "passed" if passed else severity
                        for passed, severity in zip(
                            checks["is_passed"], checks["severity_code"], strict=True
                        )
                    ],
                    "source": checks["source_name"],
                    "kind": [CHECK_KIND_NAMES.get(kind, kind) for kind in checks["check_kind"]],
                    "sentence": checks["sentence"],
                    "records": checks["broken_record_count"],
                    "severity": checks["severity_code"],
                }
            ),
            hide_index=True,
            placeholder=MISSING,
            column_config={
                "result": "Result",
                "source": "Source",
                "kind": "About",
                "sentence": st.column_config.TextColumn("What should hold", width=620),
                "records": st.column_config.NumberColumn("Records in question", format="%,d"),
                "severity": "If not",
            },
            key="all_checks",
            alt="Every check with its result",
        )
    _show_download(context, "Checks (CSV)", checks, "data_checks")
    findings = read_check_findings(context.published)
    if len(findings):
        _show_download(context, "What was found (CSV)", findings, "data_check_findings")


def _show_download(context: Context, label: str, frame: pd.DataFrame, name: str) -> None:
    """As other pages do, but of a run: these rows belong to no selected period."""
    st.download_button(
        label,
        lambda: write_csv(frame.assign(run_id=context.run.run_id)),
        file_name=f"{name}_{context.run.run_id}.csv",
        mime="text/csv",
        key=f"download_{name}",
        icon=":material/download:",
        on_click="ignore",
        disabled=frame.empty,
    )


render_page()
