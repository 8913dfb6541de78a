"""The pages in a real browser, on the built sample company: what a reader sees and clicks."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect, sync_playwright

from app.navigation import (
    CLOSE,
    COST_PER_SERVICE,
    DATA_CHECKS,
    DISPUTES,
    GLOSSARY,
    METHOD,
    MONTHLY_CHARGEBACK,
    PAGES,
    SERVICE_BENCHMARK,
    SERVICE_CATALOGUE,
    SERVICE_DETAIL,
    PageSpec,
)
from tests.e2e.command import APPORTION, ask_sql

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE, NARROW = 1440, 390
TALL = 5000
"""High enough that a page needs no scrolling: tables draw only what is in view."""
PATIENCE = 30_000
FIRST_ROW = 52
"""Pixels from the top of a table to the middle of its first row."""

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of the system. Where there is none, the tests are skipped; in CI they fail."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "chromium is not on PATH: the pages were not tested in a browser"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(sample: Path) -> Iterator[str]:
    """The app, served as a person serves it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [str(APPORTION), "serve", "--port", str(port), "--workspace", str(sample)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(f"{url}/_stcore/health", server)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=20)


def wait_for_server(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(120):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the server did not answer within a minute")


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Open a page of the app in a browser of its own, and wait until it is drawn."""
    contexts = []

    def open_page(
        spec: PageSpec | None, query: str = "", width: int = WIDE, scheme: str = "light"
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": TALL},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(
            f"{address}/{spec.url_path if spec else ''}{query}", wait_until="domcontentloaded"
        )
        settle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def settle(page: Page) -> None:
    """Wait until the script has run and the page stands still."""
    page.wait_for_selector("h1")
    expect(page.get_by_test_id("stApp")).to_have_attribute(
        "data-test-script-state", "notRunning", timeout=PATIENCE
    )
    page.wait_for_timeout(600)


def read_title(page: Page) -> str:
    return page.locator("h1").inner_text().replace("\u00a0", " ")


def find_first_row(page: Page, table: int) -> tuple[float, float]:
    """Left end and middle of the first row of the nth table, once the table stays where it is.

    What stands above a table may still be growing when the script has ended; a click at the old
    place of the row would hit something else.
    """
    frame = page.get_by_test_id("stDataFrame").nth(table)
    expect(frame.locator("canvas").first).to_be_visible(timeout=PATIENCE)
    last, calm = None, 0
    while calm < 3:
        page.wait_for_timeout(200)
        box = frame.bounding_box()
        calm = calm + 1 if box == last else 0
        last = box
    assert last
    return last["x"], last["y"] + FIRST_ROW


def choose_first_row(page: Page, table: int, url: str) -> None:
    """Tick the first row of the nth table, which leads to `url`; once more where the table was
    drawn anew under the pointer and did not see the click."""
    for patience in (PATIENCE // 2, PATIENCE):
        x, y = find_first_row(page, table)
        page.mouse.click(x + 15, y)
        try:
            page.wait_for_url(url, timeout=patience)
        except TimeoutError:
            continue
        break
    else:
        pytest.fail(f"two clicks on the first row did not lead to {url}")
    settle(page)


def click_first_link(page: Page, table: int) -> Page:
    """Click the first link of the nth table, as a person does; the page that it opens."""
    left, y = find_first_row(page, table)
    x = left + 24
    page.mouse.move(x - 4, y - 2)
    page.wait_for_timeout(400)
    page.mouse.move(x, y)
    page.wait_for_timeout(400)
    with page.context.expect_page(timeout=PATIENCE) as opened:
        page.mouse.down()
        page.wait_for_timeout(100)
        page.mouse.up()
    settle(opened.value)
    return opened.value


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
@pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.url_path)
def test_page_is_drawn(spec: PageSpec, width: int, scheme: str, open_page: OpenPage) -> None:
    page = open_page(spec, width=width, scheme=scheme)
    assert any(character.isdigit() for character in read_title(page))
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_test_id("stAlertContentError").count() == 0
    expect(page.get_by_text("Ties to the ledger")).to_have_count(1)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    overflow = page.get_by_test_id("stMain").evaluate(
        "element => element.scrollWidth - element.clientWidth"
    )
    assert overflow <= 0, "the page scrolls sideways"
    ground = page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    is_light = int(ground.split("(")[1].split(",")[0]) > 128
    assert is_light == (scheme == "light")
    if spec not in (CLOSE, SERVICE_CATALOGUE, DATA_CHECKS, DISPUTES, METHOD, GLOSSARY):
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=PATIENCE)


def test_cost_of_the_page_is_the_cost_of_the_marts(sample: Path, open_page: OpenPage) -> None:
    rows = ask_sql(
        sample,
        "select period_id, sum(delivered_amount) as amount from fct_service_costs_monthly "
        "where scenario_id = 'actual' and service_id not in "
        "('(recovery)', '(out_of_scope)', '(capitalised)') "
        "group by period_id order by period_id desc limit 1",
    )
    amount = Decimal(rows[0]["amount"])
    page = open_page(None)
    assert read_title(page).startswith(f"IT cost {amount / 1_000_000:.2f} M EUR in ")
    exact = f"IT cost {amount:,.2f} EUR"
    tie = page.get_by_test_id("stCaptionContainer").filter(has_text="Ties to the ledger")
    assert exact in tie.inner_text().replace("\u00a0", " ")


def test_a_service_leads_to_its_cost_and_a_consumer_to_its_bill(open_page: OpenPage) -> None:
    service = click_first_link(open_page(COST_PER_SERVICE), table=0)
    assert "/service?" in service.url
    assert "service=" in service.url
    bill = click_first_link(service, table=service.get_by_test_id("stDataFrame").count() - 1)
    assert "/chargeback?" in bill.url
    assert "business_unit=" in bill.url
    expect(bill.get_by_text("each leads to its service")).to_be_visible()


def test_a_bill_is_opened_by_its_row_and_its_line_leads_to_the_service(
    open_page: OpenPage,
) -> None:
    page = open_page(MONTHLY_CHARGEBACK)
    choose_first_row(page, table=0, url="**business_unit=*")
    assert page.locator("text=All business units:").count() == 0
    service = click_first_link(page, table=1)
    assert "/service?" in service.url
    assert " cost" in read_title(service)


def test_steps_back_show_what_was_shown(open_page: OpenPage) -> None:
    page = open_page(SERVICE_DETAIL, "?service=printing")
    printing = read_title(page)
    assert printing.startswith("Printing")
    page.get_by_role("link", name="Benchmark and quality").click()
    page.wait_for_url("**/benchmark?*service=printing*")
    settle(page)
    assert read_title(page).startswith("Printing costs")
    page.go_back()
    page.wait_for_url("**/service?*service=printing*")
    settle(page)
    assert read_title(page) == printing


def test_catalogue_is_searched_and_leads_to_the_service(open_page: OpenPage) -> None:
    page = open_page(SERVICE_CATALOGUE)
    box = page.get_by_label("Search")
    box.fill("sap erp")
    box.press("Enter")
    page.wait_for_url("**search=sap*")
    settle(page)
    expect(page.locator(".card")).to_have_count(1)
    page.locator(".card").get_by_role("link", name="Cost and consumers").click()
    page.wait_for_url("**/service?*")
    settle(page)
    assert read_title(page).startswith("SAP ERP cost")


def test_downloaded_bill_lines_are_those_of_the_mart(sample: Path, open_page: OpenPage) -> None:
    page = open_page(MONTHLY_CHARGEBACK)
    with page.expect_download() as download:
        page.get_by_text("Bill lines shown (CSV)").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    rows = ask_sql(
        sample,
        "select count(*) as lines, sum(charged_amount) as amount from rpt_bill_lines "
        "where scenario_id = 'actual' "
        "and period_id = (select max(period_id) from rpt_bill_lines where scenario_id = 'actual')",
    )
    assert len(lines) == int(rows[0]["lines"])
    assert sum(Decimal(line["charged_amount"]) for line in lines) == Decimal(rows[0]["amount"])
    assert {line["currency_code"] for line in lines} == {"EUR"}


def test_checks_of_the_page_are_those_of_the_evidence(sample: Path, open_page: OpenPage) -> None:
    (run,) = ask_sql(sample, "select run_id from dim_run")
    evidence = sample / "evidence" / run["run_id"] / "checks.json"
    checks = json.loads(evidence.read_text("utf-8"))
    page = open_page(DATA_CHECKS)
    assert checks["error_count"] == 0
    assert read_title(page) == (
        f"{checks['warning_count']} warnings, no errors in {len(checks['results'])} checks of "
        f"{len(checks['sources'])} sources"
    )
    page.get_by_text("Show 1 record").first.click()
    expect(page.get_by_role("cell", name="service_usage_2026.csv").first).to_be_visible()


def test_an_address_with_nonsense_says_so_and_shows_the_usual(open_page: OpenPage) -> None:
    page = open_page(SERVICE_BENCHMARK, "?period=1999-99&service=%3Cb%3Ex")
    assert page.get_by_text("which is not there").count() == 2
    assert page.get_by_test_id("stException").count() == 0
