"""Each page of the app, run as a reader runs it, against figures worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.navigation import (
    CLOUD_COVERAGE,
    COST_PER_SERVICE,
    FAIRNESS,
    GLOSSARY,
    METHOD,
    MONTHLY_CHARGEBACK,
    PAGES,
    SERVICE_BENCHMARK,
    SERVICE_CATALOGUE,
    SERVICE_DETAIL,
    PageSpec,
)
from tests.app.conftest import OpenPage, clean, go_to, read_title
from tests.app.marts import FEB, build_company, publish, without, without_budget

TIE = (
    ":green[:material/check_circle:] **Ties to the ledger:** cost of what is charged 850.00 + "
    "showback 80.00 + not allocated 40.00 + not mapped 30.00 = **IT cost 1,000.00 EUR**; "
    "+ capitalised 50.00 + out of scope 20.00 + recovery postings -800.00 = 270.00 EUR; "
    "the ledger has 270.00 EUR, difference 0.00 EUR"
)


def read_figures(test: AppTest) -> dict[str, tuple[str, str]]:
    return {
        clean(metric.label): (clean(metric.value), clean(metric.delta)) for metric in test.metric
    }


def read_all(test: AppTest) -> str:
    """Every text that the page shows outside of tables."""
    elements = [*test.markdown, *test.caption, *test.info, *test.success, *test.warning, *test.html]
    return "\n".join(clean(element.value) for element in elements)


def visit_pages(test: AppTest, **parameters: str) -> Iterator[PageSpec]:
    """Go to one page after the other in the same session."""
    for page in PAGES[1:] + PAGES[:1]:
        if page == COST_PER_SERVICE:
            test.switch_page(page.file)
        go_to(test, page, **parameters)
        yield page


def test_every_page_states_a_finding_and_ties_to_the_ledger(
    company: Path, open_page: OpenPage
) -> None:
    test = open_page(company, COST_PER_SERVICE)
    for page in visit_pages(test):
        assert len(test.title) == 1, page
        assert re.search(r"\d", read_title(test)), page
        assert TIE in [clean(caption.value) for caption in test.caption], page
        assert not test.error, page
        assert test.download_button, page


def test_every_page_works_for_a_company_with_actual_cost_only(
    plain_company: Path, open_page: OpenPage
) -> None:
    test = open_page(plain_company, COST_PER_SERVICE)
    for page in visit_pages(test):
        assert "budget" not in read_title(test), page
        assert "Ties to the ledger" in read_all(test), page
        assert "nan" not in read_all(test).lower().split(), page
        assert not [box for box in test.segmented_control if box.key == "scenario"], page


def test_every_page_says_what_to_do_where_all_marts_are_empty(
    tmp_path: Path, open_page: OpenPage
) -> None:
    marts = build_company()
    empty = without(marts, *(set(marts) - {"dim_run", "dim_periods"}))
    test = open_page(publish(tmp_path, empty), COST_PER_SERVICE)
    for page in visit_pages(test):
        assert test.info, page


def test_every_page_shows_the_budget_of_a_month_to_come(company: Path, open_page: OpenPage) -> None:
    address = {"scenario": "budget", "period": "2026-03"}
    test = open_page(company, COST_PER_SERVICE, **address)
    for page in visit_pages(test, **address):
        assert test.query_params["scenario"] == "budget", page
        assert test.query_params["period"] == "2026-03", page
        assert "over budget" not in read_title(test), page
        assert "Against budget" not in read_figures(test), page
        assert "Ties to the ledger" in read_all(test), page


def test_cost_per_service(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, COST_PER_SERVICE)
    assert read_title(test) == (
        "IT cost 1,000.00 EUR in Feb 2026, 12.4 % over budget; "
        "Storage is most over budget (+20.00 EUR)"
    )
    assert read_figures(test) == {
        "IT cost Feb 2026": ("1,000.00 EUR", "+16.3 % on Jan 2026"),
        "Against budget": ("+110.00 EUR", "12.4 % over budget"),
        "Year to date 2026": ("1,860.00 EUR", "5.7 % over budget"),
        "Outlook 2026": ("2,750.00 EUR", "3.8 % over budget"),
        "No payer yet": ("70.00 EUR", "see chargeback"),
    }
    assert "2026 lands at 2,750.00 EUR, 3.8 % over its budget of 2,650.00 EUR" in read_all(test)
    assert "1 flow below zero" in read_all(test)


def test_a_month_that_is_not_complete_is_no_rise_and_no_fall(
    tmp_path: Path, open_page: OpenPage
) -> None:
    """The heads of February are missing: every comparison of the page goes, and says why."""
    marts = build_company()
    marts["rpt_data_source_periods"] = [
        row
        for row in marts["rpt_data_source_periods"]
        if (row["source_id"], row["period_id"]) != ("headcount", "2026-02")
    ]
    test = open_page(publish(tmp_path, marts), COST_PER_SERVICE)
    assert read_title(test) == "IT cost 1,000.00 EUR so far in Feb 2026: no delivery of headcount"
    figures = read_figures(test)
    for name in ("IT cost Feb 2026", "Against budget", "Year to date 2026", "Outlook 2026"):
        assert figures[name][1] == "month not complete"
    assert "Feb 2026 is not complete: no delivery of headcount." in read_all(test)
    assert "change_share" not in test.dataframe[0].value.columns


def test_a_reorganisation_is_explained_beside_the_bills(
    tmp_path: Path, open_page: OpenPage
) -> None:
    marts = build_company()
    moved = {"scenario_id": "actual", "version": 1, "charged_as_was_amount": Decimal(320)}
    moved |= {"moved_out_amount": Decimal(0), "moved_in_amount": Decimal(60)}
    moved |= {"charged_as_is_amount": Decimal(380), "business_unit_id": "SAL"}
    marts["rpt_reorganisation"] = [{**moved, "period_id": "2026-01", "business_unit_name": "Sales"}]
    test = open_page(publish(tmp_path, marts), MONTHLY_CHARGEBACK)
    labels = [clean(item.label) for item in test.expander]
    assert "Reorganisation: what moved between business units after Jan 2026" in labels
    frames = [item.value for item in test.dataframe if "moved_in_amount" in item.value.columns]
    assert [list(frame["charged_as_is_amount"]) for frame in frames] == [[380]]


def test_the_first_month_has_no_change(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, COST_PER_SERVICE, period="2026-01")
    assert read_figures(test)["IT cost Jan 2026"] == ("860.00 EUR", "no month before")
    assert "change_share" not in test.dataframe[0].value.columns
    assert "rose most" not in read_title(test)


def test_table_of_services_leads_to_each_service_and_names_money_without_one(
    company: Path, open_page: OpenPage
) -> None:
    frame = open_page(company, COST_PER_SERVICE).dataframe[0].value
    links = list(frame["service"])
    assert links[0] == "service?scenario=actual&period=2026-02&service=storage#Storage"
    assert "chargeback?scenario=actual&period=2026-02#Not%20mapped" in links
    assert len(frame) == 9
    row = frame.iloc[0]
    assert (row["amount"], row["budget"], row["variance"]) == (450, 430, 20)
    assert row["change_share"] == 12.5


def test_switch_to_direct_cost(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, COST_PER_SERVICE, basis="direct")
    amounts = {
        link.split("#")[1]: amount
        for link, amount in zip(
            test.dataframe[0].value["service"], test.dataframe[0].value["amount"], strict=True
        )
    }
    assert (amounts["E-mail"], amounts["Storage"], amounts["Hosting"]) == (300, 350, 200)
    test.segmented_control(key="basis").set_value("delivered").run()
    assert "basis" not in test.query_params


def test_one_service(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_DETAIL, service="mail")
    assert read_title(test) == (
        "E-mail cost 400.00 EUR in Feb 2026, 2.6 % over budget; "
        "Sales is most over budget (+10.00 EUR)"
    )
    assert read_figures(test) == {
        "Delivered cost Feb 2026": ("400.00 EUR", "+5.3 % on Jan 2026"),
        "Against budget": ("+10.00 EUR", "2.6 % over budget"),
        "Unit cost per seat": ("10.00 EUR", "+5.3 % on Jan 2026"),
        "Used, seat": ("40", "0.0 % on Jan 2026"),
        "Charged": ("400.00 EUR", "at cost"),
        "Measured cost": ("100.0 %", "nothing is estimated"),
    }
    assert "charged at cost: each consumer is charged its share of the cost" in read_all(test)
    assert "The share of a consumer is its own quantity of **Seats**" in read_all(test)
    assert "measured 100.0 %" in read_all(test)
    consumers = test.dataframe[1].value
    assert list(consumers["cost_centre"]) == ["Field sales", "Accounting", "Sales control"]
    assert list(consumers["share"]) == [60.0, 25.0, 15.0]
    assert consumers["business_unit"].iloc[1] == (
        "chargeback?scenario=actual&period=2026-02&business_unit=FIN#Finance"
    )


@pytest.mark.parametrize(
    ("method", "driver", "sentence"),
    [
        ("capacity", "Seats", "What nobody used of it is idle capacity"),
        ("weighted", "Seats", "times its weight"),
        ("fixed", "Seats", "the share of the others in what is left goes by **Seats**"),
        ("fixed", None, "declared percentages; no driver"),
        ("even", None, "The shares of all consumers are equal"),
        ("direct", None, "One consumer has all of the cost"),
    ],
)
def test_one_service_says_how_it_is_split(
    tmp_path: Path, open_page: OpenPage, method: str, driver: str | None, sentence: str
) -> None:
    marts = build_company()
    marts["dim_services"] = [
        {**row, "split_method": method, "driver_name": driver} for row in marts["dim_services"]
    ]
    test = open_page(publish(tmp_path, marts), SERVICE_DETAIL, service="mail")
    assert sentence in read_all(test)


def test_service_that_passes_all_its_cost_on(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_DETAIL, service="hosting")
    assert read_title(test) == (
        "Hosting costs 200.00 EUR in Feb 2026 and passes all of it on to other services"
    )
    assert "Its direct cost is shown" in read_all(test)
    assert "Only other services use it" in read_all(test)


def test_service_that_nobody_is_known_to_use(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_DETAIL, service="fax")
    assert read_title(test) == "Fax cost 40.00 EUR in Feb 2026; nobody is known to use it"
    assert "No driver says who uses this service" in read_all(test)
    assert list(test.dataframe[0].value["cost_centre"]) == ["Not allocated"]


def test_monthly_chargeback(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, MONTHLY_CHARGEBACK)
    assert read_title(test) == (
        "2 business units are billed 850.00 EUR for Feb 2026; 70.00 EUR has no payer yet"
    )
    figures = read_figures(test)
    assert figures["Billed Feb 2026"] == ("850.00 EUR", "+9.0 % on Jan 2026")
    assert figures["Not allocated"] == ("40.00 EUR", "nobody pays it yet")
    # 80.00 of the intranet, which is showback, beside 850.00.
    assert figures["Measured cost"] == ("91.4 %", "8.6 % fallback")
    bills, lines = test.dataframe[0].value, test.dataframe[1].value
    assert list(bills["unit"]) == ["Sales", "Finance"]
    assert list(bills["charged"]) == [450, 400]
    assert len(lines) == 6
    assert lines["service"].iloc[0].startswith("service?scenario=actual&period=2026-02&service=")


def test_other_billed_items_are_listed_and_are_in_what_is_billed(
    tmp_path: Path, open_page: OpenPage
) -> None:
    marts = build_company()
    item = {"scenario_id": "actual", "period_id": "2026-02", "version": 1, "service_id": "email"}
    item |= {"service_name": "Email", "cost_centre_id": "CC1", "cost_centre_name": "Field sales"}
    item |= {"business_unit_id": "sales", "business_unit_name": "Sales"}
    note = {"item_kind": "correction", "origin_period_id": "2026-01", "reference_id": "CN-1"}
    marts["fct_bill_items_monthly"] = [
        {**item, "bill_item_id": "1", "item_kind": "charge", "amount": 850},
        {**item, **note, "bill_item_id": "2", "amount": Decimal("-12.34"), "reason": "late bill"},
        {**item, "bill_item_id": "3", "item_kind": "tax", "amount": Decimal("2.34")},
    ]
    test = open_page(publish(tmp_path, marts), MONTHLY_CHARGEBACK)
    figures = read_figures(test)
    assert figures["Billed Feb 2026"][0] == "840.00 EUR"
    assert figures["Charged"] == ("850.00 EUR", "part of billed")
    assert figures["Other billed items"] == ("-10.00 EUR", "part of billed")
    assert read_title(test).startswith("2 business units are billed 840.00 EUR")
    frame = next(part.value for part in test.dataframe if "origin" in part.value)
    assert list(frame["kind"]) == ["Credit or debit note", "Tax between legal entities"]
    assert list(frame["amount"]) == [Decimal("-12.34"), Decimal("2.34")]
    assert frame["reason"].iloc[0] == "late bill"


def test_certificate_is_a_statement_with_its_differences(
    company: Path, open_page: OpenPage
) -> None:
    test = open_page(company, MONTHLY_CHARGEBACK)
    statements = [clean(part.value) for part in test.html if "<table" in str(part.value)]
    assert len(statements) == 3
    for expected in ("Delivered", "-800.00", "1,000.00", "270.00", "0.00 ✓"):
        assert expected in statements[0]
    assert ":green[:material/check_circle:] **The ledger is accounted for**" in read_all(test)


def test_what_to_measure_next_is_ranked_by_money(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, MONTHLY_CHARGEBACK)
    frame = next(part.value for part in test.dataframe if "basis" in part.value)
    assert list(frame["subject"]) == ["Intranet", "Clearing account"]
    assert list(frame["basis"]) == ["Even split, driver missing", "Not mapped"]
    assert (list(frame["amount"]), list(frame["year"])) == ([80, 30], [160, 30])
    assert frame["deliver"].iloc[0] == "service_usage"


def test_nothing_to_measure_is_said(plain_company: Path, open_page: OpenPage) -> None:
    said = [part.value for part in open_page(plain_company, MONTHLY_CHARGEBACK).success]
    assert "Everything of this period is measured." in said


def test_difference_is_shown_in_red(tmp_path: Path, open_page: OpenPage) -> None:
    marts = build_company()
    marts["fct_ledger_lines"] = [
        {**row, "amount": 19.99} if row.get("ledger_line_id") == "L4" else row
        for row in marts["fct_ledger_lines"]
    ]
    marts["rpt_certificate"] = [
        {**row, "amount_cents": -0.01} if row["side"] == "difference" else row
        for row in marts["rpt_certificate"]
    ]
    test = open_page(publish(tmp_path, marts), MONTHLY_CHARGEBACK)
    assert read_title(test).endswith("which does not tie to the ledger by -0.01 EUR")
    assert "Does not tie to the ledger" in test.error[0].value
    assert "0.01 EUR" in clean(test.error[0].value)
    assert ":red[:material/error:] **The ledger is accounted for**" in read_all(test)


def test_what_names_no_period_is_beside_the_certificate_of_an_open_one(
    tmp_path: Path, open_page: OpenPage
) -> None:
    """1,250,000.00 of no period: two records, which block the close of every month."""
    marts = build_company()
    unknown = {"scenario_id": "actual", "period_id": "(unknown)", "version": 1}
    names = (("left", "Delivered by the ledger"), ("right", "Quarantined, 2 records"))
    marts["rpt_certificate"] += [
        {
            **unknown,
            "identity_id": "ledger",
            "identity_name": "The ledger is accounted for: period unknown",
            "term_order": number,
            "term_id": side,
            "term_name": name,
            "side": side,
            "amount": 1250000,
            "amount_cents": 1250000,
        }
        for number, (side, name) in enumerate(names)
    ]
    marts["rpt_open_items"].append(
        {
            **unknown,
            "item_kind": "period_unknown",
            "item_key": "gl/a.csv",
            "item_name": "2 records of a.csv, period unknown",
            "amount": 1250000,
            "what_to_do": "Decide them",
        }
    )
    test = open_page(publish(tmp_path, marts), MONTHLY_CHARGEBACK)
    shown = read_all(test)
    assert "The ledger is accounted for: period unknown" in shown
    assert "1,250,000.00" in shown
    items = test.table[0].value
    assert items["Item"].iloc[0] == "2 records of a.csv, period unknown"
    assert items["Kind"].iloc[0] == "Records of an unknown period"
    currencies = next(f.value for f in test.dataframe if "currency_code" in f.value)
    assert list(currencies["currency_code"]) == ["unknown", "EUR"]
    assert list(currencies["quarantined_record_count"]) == [3, 0]
    marts["dim_periods"] = [{**row, "period_state": "closed"} for row in marts["dim_periods"]]
    closed = open_page(publish(tmp_path / "closed", marts), MONTHLY_CHARGEBACK)
    assert "period unknown" not in read_all(closed)


def test_hierarchy_and_bill_are_chosen_and_kept_in_the_address(
    company: Path, open_page: OpenPage
) -> None:
    test = open_page(company, MONTHLY_CHARGEBACK, hierarchy="as_is", business_unit="FIN")
    assert list(test.dataframe[0].value["charged"]) == [460, 390]
    lines = test.dataframe[1].value
    assert list(lines["charged"]) == [300, 100, 60]
    test.selectbox(key="business_unit").set_value("SAL").run()
    assert list(test.dataframe[1].value["charged"]) == [240, 150, 0]
    assert test.query_params["business_unit"] == "SAL"
    assert test.query_params["hierarchy"] == "as_is"


def test_open_items_say_what_to_do(company: Path, plain_company: Path, open_page: OpenPage) -> None:
    items = open_page(company, MONTHLY_CHARGEBACK).table[0].value
    assert list(items["Item"]) == ["Fax", "Clearing account"]
    assert list(items["Amount, EUR"]) == ["40.00", "30.00"]
    assert list(items["What to do"]) == ["Deliver its driver", "Add a pool rule"]
    assert list(items["Kind"]) == ["Cost without a driver", "Account without a rule"]
    assert "Nothing is open" in open_page(plain_company, MONTHLY_CHARGEBACK).success[0].value


def test_company_with_only_a_cloud_bill(tmp_path: Path, open_page: OpenPage) -> None:
    """No driver, no unit, no quantity: each line of the bill says who uses it."""
    marts = without_budget(build_company())
    unmeasured = dict.fromkeys(
        ("unit_code", "unit_name", "quantity", "unit_cost", "unit_rate", "driver_name")
    )
    for name, rows in marts.items():
        if name in {"dim_services", "fct_unit_costs_monthly"} or "quantity" in (rows or [{}])[0]:
            columns = set().union(*rows)
            nothing = {key: None for key in unmeasured if key in columns}
            marts[name] = [{**row, **nothing} for row in rows]
    workspace = publish(tmp_path, marts)
    test = open_page(workspace, SERVICE_DETAIL, service="mail")
    figures = {"Delivered cost Feb 2026", "Charged", "Measured cost"}
    assert set(read_figures(test)) == figures
    assert "each line of the bill says itself who uses it" in read_all(test)
    test = go_to(test, SERVICE_BENCHMARK, service="mail")
    assert read_title(test) == "E-mail has no unit cost in Feb 2026: no quantity is measured"
    assert "No quantities by business unit" in read_all(test)
    assert not re.search(r"\bnan\b", read_all(test).lower())


def test_cloud_coverage(company: Path, open_page: OpenPage) -> None:
    """480 of 600 have a service; acc-9 has 80 of the 120 that have none."""
    test = open_page(company, CLOUD_COVERAGE)
    assert read_title(test) == (
        "80.0 % of the cloud bill of Feb 2026 has a service; 120.00 EUR has none, "
        "most of it in sub-account acc-9"
    )
    assert read_figures(test) == {
        "Cloud bills": ("600.00 EUR", ""),
        "With a service": ("80.0 %", "120.00 EUR without"),
        "With a consumer": ("80.0 %", "120.00 EUR without"),
    }
    assert (
        "**Ties to the bill:** by a rule 30.00 + by the detail feed 450.00 + named, not known "
        "30.00 + not mapped 90.00 = **cloud bills 600.00 EUR**; their cost lines have 600.00 EUR, "
        "difference 0.00 EUR"
    ) in read_all(test)
    parts, keys, drift = (table.value for table in test.dataframe)
    assert list(parts["share"]) == [5.0, 75.0, 5.0, 15.0, 80.0, 20.0]
    # Every line is left to its service's driver, so keys without a consumer say nothing.
    assert list(keys["value"]) == ["acc-9", "fxa", "project = <b>"]
    assert list(drift["found"]) == ["Base Load"]


def test_coverage_that_does_not_tie_to_the_bill_is_an_error(
    tmp_path: Path, open_page: OpenPage
) -> None:
    marts = build_company()
    marts["rpt_tag_coverage"] = [
        {**row, "amount": 31} if row["mapping_method"] == "rule" else row
        for row in marts["rpt_tag_coverage"]
    ]
    test = open_page(publish(tmp_path, marts), CLOUD_COVERAGE)
    assert "Does not tie to the bill" in clean(test.error[0].value)
    assert "difference 1.00 EUR" in clean(test.error[0].value)


def test_a_company_without_a_bill_is_told_how_to_deliver_one(
    tmp_path: Path, open_page: OpenPage
) -> None:
    marts = without(build_company(), "rpt_tag_coverage", "rpt_unmapped_keys", "rpt_tag_drift")
    test = open_page(publish(tmp_path, marts), CLOUD_COVERAGE)
    assert read_title(test) == "No cloud bill in Feb 2026"
    assert "`detail_feed`" in read_all(test)


def test_service_benchmark(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_BENCHMARK, service="storage")
    assert read_title(test) == (
        "Storage costs 0.0500 EUR per gb-month in Feb 2026, "
        "25.0 % over the median of Peer survey 2025"
    )
    text = read_all(test)
    assert "we: 0.0500, +25.0 % on the median" in text
    assert "0.0150 to 0.0450, median 0.0300 USD per gb-month; we have no figure" in text
    assert "No business unit uses this service" in text  # it has no rows in the peer mart


def test_quality_against_the_service_level(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_BENCHMARK, service="mail")
    rows = {
        row[0]: tuple(clean(cell) for cell in row[1:])
        for row in test.table[0].value.itertuples(index=False)
    }
    assert rows["SLA attainment"] == ("90.00 %", "95.00 %", ":red[:material/close:] not met")
    assert rows["Availability"] == ("99.90 %", "99.50 %", ":green[:material/check:] met")
    assert rows["Median first response"][0:2] == ("30 min", "1 h")
    assert rows["Median resolution"] == ("5 h", "4 h", ":red[:material/close:] not met")
    assert rows["Tickets"][0] == "20: 12 incidents, 7 requests, 1 change"
    assert rows["Support cost per ticket"][0] == "20.00 EUR"
    assert "The unit cost of every business unit is the same 10.00 EUR per seat" in read_all(test)
    assert "we: 99.90, +0.1 % on the median" in read_all(test)


def test_empty_benchmark_says_what_to_deliver(plain_company: Path, open_page: OpenPage) -> None:
    text = read_all(open_page(plain_company, SERVICE_BENCHMARK, service="mail"))
    assert "contract `benchmarks`" in text
    assert "contracts `tickets` and `outages`" in text


def test_service_catalogue(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_CATALOGUE)
    assert (
        read_title(test) == "5 services in 2 categories; none have a price, 4 are charged at cost"
    )
    cards = next(part.value for part in test.html if "cards" in part.value)
    assert cards.count("<article") == 5
    assert "10.00\u00a0EUR" in cards
    assert "No unit cost yet" in cards


def test_catalogue_is_searched_and_filtered(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_CATALOGUE, search="gb MONTH")
    assert read_title(test) == "1 of 5 services matches"
    test.text_input(key="search").set_value("").run()
    test.selectbox(key="category").set_value("Workplace").run()
    assert read_title(test) == "3 of 5 services match"
    assert test.query_params["category"] == "Workplace"
    test.text_input(key="search").set_value("nothing like it").run()
    assert read_title(test) == "0 of 5 services match"
    assert "Clear the search" in test.info[0].value


def test_method_sheet(company: Path, open_page: OpenPage) -> None:
    """Finance has 10 of 40 seats, so a quarter of the 400."""
    test = open_page(company, METHOD, service="mail", business_unit="FIN")
    assert read_title(test) == (
        "E-mail is charged at cost by seats: unit cost 10.00 EUR per seat in Feb 2026"
    )
    text = read_all(test)
    assert (
        "Example: in Feb 2026 Finance had 10 of 40 seats. That is 25.0 %, so it is charged "
        "25.0 % of 400.00 EUR: 100.00 EUR."
    ) in text
    assert "25.0 % of its cost comes from 1 other service" in text
    assert "the latest month that has some is used instead" in text
    assert "1 more rule brings less than 1 % each" in text
    assert "<td>in proportion to hours by service</td>" in text
    assert "&lt;b&gt;All&lt;/b&gt; of it." in text
    assert "Return what is not used." in text


def test_method_sheet_of_another_unit_has_its_example(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, METHOD, service="mail")
    assert "Sales had 30 of 40 seats. That is 75.0 %" in read_all(test)
    test.selectbox(key="business_unit").set_value("FIN").run()
    assert "Finance had 10 of 40 seats" in read_all(test)


def test_fairness(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, FAIRNESS, service="mail")
    assert read_title(test) == (
        "All 3 cost shares of E-mail lie between the incremental and the stand-alone cost in Feb "
        "2026"
    )
    assert read_figures(test) == {
        "Cost shared": ("400.00 EUR", ""),
        "Fixed": ("160.00 EUR", ""),
        "Follows use": ("240.00 EUR", ""),
    }
    bills, services = (table.value for table in test.dataframe)
    assert list(bills["saving"]) == [64, 120, 136]
    assert [str(value) for value in bills["difference"]] == ["-42.67", "13.33", "29.34"]
    assert list(services["bills"]) == [2, 3]
    assert list(services["status"]) == ["Not compared: cost behaviour not declared", "Compared"]


def test_an_unfair_bill_is_the_title(tmp_path: Path, open_page: OpenPage) -> None:
    marts = build_company()
    marts["rpt_fairness"] = [
        {**row, "verdict_code": "above"}
        if (row["service_id"], row["consumer_id"]) == ("mail", "CC10")
        else row
        for row in marts["rpt_fairness"]
    ]
    test = open_page(publish(tmp_path, marts), FAIRNESS, service="mail")
    assert read_title(test) == (
        "1 of 3 cost shares of E-mail lies above the stand-alone cost in Feb 2026"
    )
    assert list(test.dataframe[0].value["verdict"]).count("Above the stand-alone cost") == 1


def test_undeclared_cost_says_which_pools_to_declare(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, FAIRNESS, service="storage")
    assert read_title(test) == (
        "The 2 cost shares of Storage cannot be compared in Feb 2026: for 120.00 EUR nobody "
        "declared whether it is fixed or follows use"
    )
    assert "Hardware / Disks: 120.00 EUR" in read_all(test)
    assert "`cost_behaviour: fixed`" in read_all(test)


def test_glossary_is_that_of_the_documentation(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, GLOSSARY)
    pages = Path(__file__).parents[2] / "docs" / "glossary.md"
    count = pages.read_text("utf-8").count("\n| **")
    assert read_title(test) == f"{count} terms from A to Z"
    test.text_input(key="search").set_value("largest remainder").run()
    assert read_title(test) == f"1 of {count} terms matches"
    assert "Rounding down, then giving the missing cents" in read_all(test)


def test_text_from_data_is_neither_markdown_nor_html(tmp_path: Path, open_page: OpenPage) -> None:
    marts = build_company()
    evil = "<img src=x onerror=alert(1)> [a](http://b) $x$"
    for name in ("dim_services", "fct_service_costs_monthly"):
        marts[name] = [
            {**row, "service_name": evil} if row["service_id"] == "mail" else row
            for row in marts[name]
        ]
    workspace = publish(tmp_path, marts)
    title = open_page(workspace, SERVICE_DETAIL, service="mail").title[0].value
    assert not re.search(r"(?<!\\)[<\[$]", title)
    cards = open_page(workspace, SERVICE_CATALOGUE).html
    assert not [part for part in cards if "<img" in part.value]
    assert open_page(workspace, COST_PER_SERVICE).query_params["period"] == FEB
