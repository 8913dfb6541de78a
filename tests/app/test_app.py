"""The app around the pages: before the first publication, a new one, and the address."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.navigation import (
    COST_PER_SERVICE,
    MONTHLY_CHARGEBACK,
    PAGES,
    SERVICE_BENCHMARK,
    SERVICE_DETAIL,
)
from tests.app.conftest import ENTRY_POINT, OpenPage, clean, go_to, read_title
from tests.app.marts import FEB, build_company, publish

ROOT = ENTRY_POINT.parent


def start(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("APPORTION_WORKSPACE", str(workspace))
    return AppTest.from_file(str(ENTRY_POINT), default_timeout=30).run()


def test_every_view_is_a_page() -> None:
    views = {str(path.relative_to(ROOT)) for path in (ROOT / "views").glob("*/[!_]*.py")}
    assert views == {page.file for page in PAGES}
    assert len({page.url_path for page in PAGES}) == len(PAGES)


def test_no_view_has_a_bare_string_that_streamlit_would_show() -> None:
    for path in (ROOT / "views").rglob("*.py"):
        body = ast.parse(path.read_text("utf-8")).body[1:]
        strings = [
            node.lineno
            for node in body
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ]
        assert not strings, (path, strings)


def test_before_the_first_publication_the_app_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apportion.yml").write_text("name: Empty\n", "utf-8")
    test = start(tmp_path, monkeypatch)
    assert not test.exception
    assert read_title(test) == "Nothing is published yet"
    assert f"apportion run --workspace {tmp_path}" in [code.value for code in test.code]
    publish(tmp_path, build_company())
    test.run()
    assert read_title(test).startswith("IT cost 1,000.00 EUR")


def test_a_missing_workspace_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = start(tmp_path / "nowhere", monkeypatch)
    assert not test.exception
    assert "nowhere" in clean(test.error[0].value)
    assert "APPORTION_WORKSPACE" in test.markdown[0].value


def test_a_missing_file_is_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, build_company())
    (tmp_path / "warehouse" / "run-1.duckdb").unlink()
    test = start(tmp_path, monkeypatch)
    assert not test.exception
    assert read_title(test) == "The figures cannot be read"


def test_a_new_publication_shows_at_the_next_rerun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marts = build_company()
    test = start(publish(tmp_path, marts), monkeypatch)
    assert read_title(test).startswith("IT cost 1,000.00 EUR")
    marts["fct_service_costs_monthly"] = [
        {**row, "delivered_amount": 401}
        if row["service_id"] == "mail" and row["period_id"] == FEB
        else row
        for row in marts["fct_service_costs_monthly"]
    ]
    publish(tmp_path, marts, run_id="run-2")
    test.run()
    assert read_title(test).startswith("IT cost 1,001.00 EUR")
    assert any("run-2" in clean(caption.value) for caption in test.sidebar.caption)
    assert json.loads((tmp_path / "warehouse" / "CURRENT").read_text())["run_id"] == "run-2"


def test_the_latest_month_with_actual_cost_is_shown_first(
    company: Path, open_page: OpenPage
) -> None:
    test = open_page(company, COST_PER_SERVICE)
    assert test.selectbox(key="period").value == FEB
    assert [clean(option) for option in test.selectbox(key="period").options] == [
        "Feb 2026 · open",
        "Jan 2026 · closed",
    ]
    assert test.query_params == {"scenario": "actual", "period": FEB}


def test_the_address_chooses_and_is_not_trusted(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_DETAIL, period="2026-01", service="'; drop table x --")
    assert "Jan 2026" in read_title(test)
    assert "'; drop table x --" in clean(test.warning[0].value)
    assert test.query_params["service"] == "storage"
    test.run()
    assert not test.warning


def test_a_choice_is_kept_from_page_to_page(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, SERVICE_DETAIL)
    test.selectbox(key="service").set_value("mail").run()
    test.selectbox(key="period").set_value("2026-01").run()
    go_to(test, SERVICE_BENCHMARK)
    assert read_title(test).startswith("E-mail costs 9.50 EUR per seat in Jan 2026")
    assert test.query_params["service"] == "mail"
    go_to(test, MONTHLY_CHARGEBACK)
    assert "service" not in test.query_params
    assert "Jan 2026" in read_title(test)


def test_a_step_back_in_the_browser_shows_what_was_shown(
    company: Path, open_page: OpenPage
) -> None:
    test = open_page(company, SERVICE_DETAIL, service="mail")
    test.selectbox(key="service").set_value("storage").run()
    assert read_title(test).startswith("Storage")
    test.query_params["service"] = "mail"
    test.run()
    assert read_title(test).startswith("E-mail")
    assert test.selectbox(key="service").value == "mail"


def test_a_budget_month_to_come_needs_the_budget(company: Path, open_page: OpenPage) -> None:
    test = open_page(company, COST_PER_SERVICE, period="2026-03")
    assert "2026-03" in clean(test.sidebar.warning[0].value)
    test.segmented_control(key="scenario").set_value("budget").run()
    test.selectbox(key="period").set_value("2026-03").run()
    assert read_title(test) == "IT is budgeted at 890.00 EUR in Mar 2026"
