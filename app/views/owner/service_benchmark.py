"""Service owner: how does the unit cost compare, and which quality is delivered for it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import streamlit as st

from app.charts.service_quality import (
    draw_peers,
    draw_quantities,
    draw_references,
    draw_share_trend,
    draw_unit_cost,
)
from app.comparisons import compare_reference
from app.components import (
    Figure,
    amount_column,
    change_column,
    link_column,
    make_moving_figure,
    make_reference_figure,
    show_chart,
    show_download,
    show_figures,
    show_headline,
    show_ledger_tie,
    show_link,
    show_missing,
    show_section,
)
from app.context import Context, get_context
from app.findings import find_comparable_references, state_benchmark
from app.formats import (
    MISSING,
    escape_markdown,
    format_change,
    format_count,
    format_rate,
    format_share,
    scale_share,
    to_decimal,
    to_percent_points,
    to_text,
)
from app.names import METRIC_NAMES
from app.navigation import SERVICE_BENCHMARK, SERVICE_DETAIL
from app.queries.catalogue import read_service_facts
from app.queries.service_costs import read_service
from app.queries.service_quality import (
    read_capacity,
    read_overview,
    read_peers,
    read_quality,
    read_references,
    read_unit_costs,
)
from app.service_choice import choose_service, find_services
from app.service_quality import drop_empty_months, list_quality


def render_page() -> None:
    """One service beside budget, references, peers and quality; then all services."""
    context = get_context()
    names = find_services(context, SERVICE_BENCHMARK.question)
    if not names:
        return
    head = st.container()
    service_id = choose_service(context, names)
    service = _read_measured(context, service_id)
    with head:
        show_headline(
            SERVICE_BENCHMARK.question,
            state_benchmark(
                service.facts,
                service.row,
                reference=service.reference,
                quality=service.now,
                selection=context.selection,
                currency=context.currency,
            ),
        )
    show_figures(_make_figures(context, service))
    show_link(SERVICE_DETAIL, "Cost, consumers and method", context, service=service_id)
    left, right = st.columns(2, gap="medium")
    with left:
        _show_unit_cost(context, service)
    with right:
        _show_references(context, service)
    _show_peers(context, service)
    _show_quality(context, service)
    _show_overview(context)
    show_ledger_tie(context)


@dataclass(frozen=True)
class Measured:
    """One service with its figures of the month and what they are compared with."""

    service_id: str
    facts: pd.Series
    row: pd.Series
    references: pd.DataFrame
    comparable: pd.DataFrame
    quality: pd.DataFrame
    now: pd.Series | None

    @property
    def unit(self) -> str:
        return to_text(self.facts["unit_code"]) or "unit"

    @property
    def reference(self) -> pd.Series | None:
        return None if self.comparable.empty else self.comparable.iloc[0]


def _read_measured(context: Context, service_id: str) -> Measured:
    published, selection = context.published, context.selection
    facts = read_service_facts(published, service_id).iloc[0]
    references = read_references(published, service_id)
    quality = read_quality(published, selection, service_id)
    rows = quality[quality["period_id"] == selection.period_id]
    return Measured(
        service_id,
        facts,
        read_service(published, selection, service_id).iloc[0],
        references,
        find_comparable_references(references, to_text(facts["unit_code"]), context.currency),
        quality,
        None if rows.empty else rows.iloc[0],
    )


def _make_figures(context: Context, service: Measured) -> list[Figure]:
    currency, row, facts, now = context.currency, service.row, service.facts, service.now
    own = to_decimal(row["unit_cost"])
    figures = [
        make_moving_figure(
            f"Unit cost per {service.unit}",
            format_rate(own, currency),
            own,
            row["previous_unit_cost"],
            context.selection,
        )
    ]
    if context.selection.is_actual and to_decimal(row["budget_unit_cost"]) is not None:
        budget = row["budget_unit_cost"]
        moved = compare_reference(context.selection, own, budget, "budget")
        figures.append(
            make_reference_figure("Budgeted unit cost", format_rate(budget, currency), moved)
        )
    if service.reference is not None:
        median = service.reference["median_value"]
        moved = compare_reference(context.selection, own, median, "it")
        figures.append(
            make_reference_figure("Reference median", format_rate(median, currency), moved)
        )
    if now is not None:
        figures += [
            _make_share_figure(
                "SLA attainment",
                now["sla_attainment_share"],
                facts["sla_attainment_target_share"],
                1,
            ),
            _make_share_figure(
                "Availability", now["availability_share"], facts["availability_target_share"], 2
            ),
        ]
    return [figure for figure in figures if figure.value != MISSING]


def _make_share_figure(label: str, share: Any, target: Any, places: int) -> Figure:
    value, aim = to_decimal(share), to_decimal(target)
    if value is None or aim is None:
        return Figure(label, format_share(value, places))
    return Figure(
        label, format_share(value, places), f"target {format_share(aim, places)}", value < aim
    )


def _show_unit_cost(context: Context, service: Measured) -> None:
    show_section("Unit cost over time", "Full cost by quantity; the budget is dashed.")
    frame = read_unit_costs(context.published, context.selection, service.service_id)
    if frame.empty:
        show_missing(
            "No unit cost.",
            "It needs a measured quantity: deliver the service's driver, for example a file of "
            "the contract `service_usage`.",
        )
        return
    show_chart(
        draw_unit_cost(frame, context.currency, service.unit),
        "unit_cost",
        "Unit cost of the service per month, actual and budget",
    )


def _show_references(context: Context, service: Measured) -> None:
    show_section(
        "Against published references", "Band: lower to upper quartile; mark: median; diamond: us."
    )
    if service.references.empty:
        show_missing(
            "No reference figures for this service.",
            "Deliver a file of the contract `benchmarks` (source, year, low, median, high).",
        )
        return
    measure = f"{context.currency} per {service.unit}"
    if service.comparable.empty:
        show_missing(
            "No reference for the unit cost.",
            f"A comparable one is in {escape_markdown(measure)}; others are listed below.",
        )
    else:
        show_chart(
            draw_references(
                service.comparable, to_decimal(service.row["unit_cost"]), measure, "We:"
            ),
            "references",
            "Published references for the unit cost, and our own",
        )
    count = format_count(len(service.references), "reference")
    with st.expander(f"{count} with source and note"):
        for reference in service.references.to_dict("records"):
            st.markdown(_describe_reference(context, reference, service))


def _describe_reference(context: Context, reference: Mapping[Any, Any], service: Measured) -> str:
    """One reference in words: what, from whom, its band, our own figure, its note."""
    unit = str(reference["unit_code"])
    metric = METRIC_NAMES.get(str(reference["metric"]), str(reference["metric"]))
    measure = f"{reference['currency_code']} per {unit}" if reference["currency_code"] else unit
    own = _find_own_figure(context, reference, service)
    text = (
        f"**{escape_markdown(metric)}**, {escape_markdown(reference['source_name'])} "
        f"{reference['publication_year']}: {format_rate(reference['low_value'])} to "
        f"{format_rate(reference['high_value'])}, median "
        f"{format_rate(reference['median_value'])} {escape_markdown(measure)}; "
    )
    if own is None:
        text += "we have no figure in the same unit and currency."
    else:
        change = format_change(own, reference["median_value"])
        text += f"we: {format_rate(own)}, {change} on the median."
    note = reference["note"]
    return f"{text}  \n{escape_markdown(note)}" if isinstance(note, str) and note else text


def _find_own_figure(
    context: Context, reference: Mapping[Any, Any], service: Measured
) -> Decimal | None:
    """Our figure for a reference's metric, only in the same unit and currency."""
    unit, metric = str(reference["unit_code"]), reference["metric"]
    is_own_currency = reference["currency_code"] == context.currency
    if metric == "unit_cost":
        is_comparable = is_own_currency and unit == service.unit
        return to_decimal(service.row["unit_cost"]) if is_comparable else None
    now = service.now
    if now is None:
        return None
    if metric == "cost_per_ticket":
        return to_decimal(now["support_cost_per_ticket_amount"]) if is_own_currency else None
    shares = {"availability": "availability_share", "sla_attainment": "sla_attainment_share"}
    column = shares.get(str(metric))
    return scale_share(now[column], unit) if column else None


def _show_peers(context: Context, service: Measured) -> None:
    show_section("Against peers in the company")
    peers = read_peers(context.published, context.selection, service.service_id)
    if peers.empty:
        show_missing("No business unit uses this service.", "Choose another period or service.")
        return
    if peers["unit_cost"].isna().all():
        show_missing(
            "No quantities by business unit.",
            "Without them, cost per unit cannot be compared: name a `driver` for the service.",
        )
        return
    unit = service.unit
    rates = {format_rate(value) for value in peers["unit_cost"]}
    if len(rates) == 1:
        st.caption(
            f"The unit cost of every business unit is the same {rates.pop()} {context.currency} "
            f"per {escape_markdown(unit)}, because one driver splits the cost; they differ in how "
            "much they use."
        )
        figure = draw_quantities(peers, unit)
    else:
        st.caption("What a unit costs each business unit, and how much it uses.")
        figure = draw_peers(peers, context.currency, unit)
    show_chart(figure, "peers", "Unit cost and quantity by business unit")


def _show_quality(context: Context, service: Measured) -> None:
    show_section("Quality that is delivered for it", "Against the service level of the catalogue.")
    quality = drop_empty_months(service.quality)
    capacity = read_capacity(context.published, context.selection, service.service_id)
    if quality.empty:
        show_missing(
            "No tickets and no outages are delivered.",
            "Deliver files of the contracts `tickets` and `outages` to see service quality here.",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        now = None if quality.empty else service.now
        rows = list_quality(service.facts, now, capacity, context.currency)
        if rows:
            st.table(
                pd.DataFrame(rows, columns=["Measure", "Actual", "Target", ""]),
                border="horizontal",
                hide_index=True,
            )
        elif not quality.empty:
            show_missing("No quality figures for this month.", "Choose an earlier period.")
    if quality.empty:
        return
    with right:
        for column, target, title in (
            ("sla_attainment_share", "sla_attainment_target_share", "SLA attainment"),
            ("availability_share", "availability_target_share", "Availability"),
        ):
            if quality[column].notna().any():
                show_chart(
                    draw_share_trend(quality, column, to_decimal(service.facts[target]), title),
                    column,
                    f"{title} per month with its target",
                )


def _show_overview(context: Context) -> None:
    show_section(
        "All services", "Unit cost beside budget, reference and quality; each leads to its page."
    )
    overview = read_overview(context.published, context.selection)
    if overview.empty:
        show_missing("No service has cost in this month.", "Choose another period.")
        return
    frame = _shape_overview(context, overview)
    st.dataframe(
        frame.dropna(axis="columns", how="all"),
        hide_index=True,
        height="content",
        placeholder=MISSING,
        column_config=_configure_overview(context.currency),
        key="overview",
        alt="Unit cost, reference and quality of all services",
    )
    show_download(
        context, "Benchmark of all services (CSV)", overview, "benchmark", "download_overview"
    )


def _shape_overview(context: Context, overview: pd.DataFrame) -> pd.DataFrame:
    records = overview.to_dict("records")
    frame = pd.DataFrame(
        {
            "service": [
                context.make_link(
                    SERVICE_BENCHMARK.url_path,
                    str(record["service_name"]),
                    service=str(record["service_id"]),
                )
                for record in records
            ],
            "unit_cost": overview["unit_cost"],
            "unit": overview["unit_code"],
            "against_budget": [
                to_percent_points(record["unit_cost"], record["budget_unit_cost"])
                for record in records
            ],
            "median": overview["median_value"],
            "against_median": [
                to_percent_points(record["unit_cost"], record["median_value"]) for record in records
            ],
            "sla": [_describe_met(record, "sla_attainment", 1) for record in records],
            "availability": [_describe_met(record, "availability", 2) for record in records],
            "ticket": overview["support_cost_per_ticket_amount"],
            "owner": overview["owner_name"],
        }
    )
    return frame if context.selection.is_actual else frame.drop(columns="against_budget")


def _configure_overview(currency: str) -> dict[str, Any]:
    is_met = "✓ target met, ✗ not met"
    return {
        "service": link_column("Service", "Opens in a new tab", is_pinned=True, width=190),
        "unit_cost": st.column_config.NumberColumn(f"Unit cost, {currency}", format="%,.4f"),
        "unit": "Per",
        "against_budget": change_column("On budget"),
        "median": st.column_config.NumberColumn(f"Reference, {currency}", format="%,.2f"),
        "against_median": change_column("On reference", "On the newest reference's median"),
        "sla": st.column_config.TextColumn("SLA", help=is_met),
        "availability": st.column_config.TextColumn("Availability", help=is_met),
        "ticket": amount_column(f"Support per ticket, {currency}", places=2),
        "owner": "Owner",
    }


def _describe_met(record: Mapping[Any, Any], measure: str, places: int) -> str | None:
    """'✓ 99.95 %': a share with its verdict; None without a figure."""
    share = to_decimal(record[f"{measure}_share"])
    target = to_decimal(record[f"{measure}_target_share"])
    if share is None:
        return None
    verdict = "" if target is None else "✓ " if share >= target else "✗ "
    return f"{verdict}{format_share(share, places)}"


render_page()
