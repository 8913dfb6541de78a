"""The small company as a workspace, and the app run against it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.context import Context
from app.navigation import COST_PER_SERVICE, PageSpec
from app.queries.periods import read_run
from app.queries.published import Published, find_published
from app.selection import Selection
from tests.app.marts import FEB, JAN, build_company, publish, without_budget
from tests.either_books import line

__all__ = ["line"]

ENTRY_POINT = Path(__file__).parents[2] / "app" / "streamlit_app.py"
FEBRUARY = Selection("actual", FEB, JAN, 2026, "open")

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with all marts."""
    return publish(tmp_path_factory.mktemp("company"), build_company())


@pytest.fixture(scope="session")
def plain_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with actual cost only: no budget, no references, no tickets, nothing open."""
    return publish(tmp_path_factory.mktemp("plain"), without_budget(build_company()))


@pytest.fixture
def published(company: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """The publication of the company, as queries take it."""
    monkeypatch.setenv("APPORTION_WORKSPACE", str(company))
    return find_published()


@pytest.fixture
def context(published: Published) -> Context:
    """February 2026, actual."""
    return Context(published, read_run(published), FEBRUARY)


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Open a page of the app for a workspace, with parameters in its address."""

    def open_page(workspace: Path, page: PageSpec, **parameters: str) -> AppTest:
        monkeypatch.setenv("APPORTION_WORKSPACE", str(workspace))
        test = AppTest.from_file(str(ENTRY_POINT), default_timeout=30)
        go_to(test, COST_PER_SERVICE, **parameters)
        if page != COST_PER_SERVICE:
            go_to(test, page, **parameters)
        return test

    return open_page


def go_to(test: AppTest, page: PageSpec, **parameters: str) -> AppTest:
    """Go to another page in the same session, with these parameters in its address."""
    if page != COST_PER_SERVICE:
        test.switch_page(page.file)
    test.query_params.clear()
    for name, value in parameters.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception, test.exception
    return test


def read_title(test: AppTest) -> str:
    """The page's title as it is read: without escapes, with plain spaces."""
    return clean(test.title[0].value)


def clean(text: object) -> str:
    return str(text).replace("\\", "").replace("\u00a0", " ")
