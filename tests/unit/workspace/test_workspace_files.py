"""A wrong workspace file is explained with file, line, what was expected and what was found; all
problems of a file are reported at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from pipelines.errors import ConfigurationError, WorkspaceMissingError
from pipelines.workspace.fiscal_calendar import Calendar
from pipelines.workspace.workspace import Workspace
from pipelines.workspace.yaml_files import parse_yaml_model, read_yaml_model

CONFIG = """\
name: Example Works
currency: EUR
time_zone: Europe/Berlin
calendar:
  first_period: 2026-01
  last_period: 2026-12
  fiscal_year_start_month: 1
control_total:
  source: ledger
sources:
  ledger:
    contract: general_ledger
    inbox: ledger/*.csv
    redelivery: refuse
  bill:
    contract: cloud_bill
    mapping: focus_1_2
    inbox: bill/*.csv
    detail_feed:
      claims:
        account: ["6410"]
"""


def _open(tmp_path: Path, text: str) -> Workspace:
    (tmp_path / "apportion.yml").write_text(text, "utf-8")
    return Workspace.open(tmp_path)


def _problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        _ = _open(tmp_path, text).config
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_right_file_is_read(tmp_path: Path) -> None:
    config = _open(tmp_path, CONFIG).config
    assert config.name == "Example Works"
    assert config.sources["bill"].mapping == "focus_1_2"


@pytest.mark.parametrize(
    ("old", "new", "line", "fragments"),
    [
        ("redelivery: refuse", "redelivry: refuse", 14, ("key 'redelivry'", "Is 'redelivery' m")),
        ("time_zone:", "colour: red\ntime_zone:", 3, ("unknown key 'colour'", "Known keys: name")),
        ("name: Example Works\n", "", 1, ("the key 'name' is missing",)),
        ("currency: EUR", "currency: euro", 2, ("has the wrong form", "found 'euro'")),
        ("currency: EUR", "currency: [EUR]", 2, ("expected a text", "found a list")),
        ("currency: EUR", "currency: KWD", 2, ("KWD has 3 decimals", "at most 2")),
        (
            "    redelivery: refuse",
            "    is_required: perhaps",
            14,
            ("true or false", "'perhaps'"),
        ),
        ("Europe/Berlin", "Europe/Berln", 3, ("unknown time zone 'Europe/Berln'",)),
        ("first_period: 2026-01", "first_period: 2026-13", 5, ("has the wrong form", "'2026-13'")),
        ("first_period: 2026-01", "first_period: 2026", 5, ("a text", "found 2026", "in quotes")),
        ("last_period: 2026-12", "last_period: 2025-12", 4, ("2025-12 is before 2026-01",)),
        ("start_month: 1", "start_month: 13", 7, ("less than or equal to 12", "found 13")),
        ("source: ledger", "source: ledgr", 9, ("unknown source 'ledgr'", "Is 'ledger' meant?")),
        ("contract: general_ledger", "contract: general_leger", 12,
         ("unknown contract 'general_leger'", "Is 'general_ledger' meant?")),
        ("mapping: focus_1_2", "mapping: focus_2", 17, ("unknown mapping 'focus_2'", "focus_1_2")),
        ("contract: cloud_bill", "contract: assets", 17, ("is for the contract 'cloud_bill'",)),
        ("contract: cloud_bill\n    mapping: focus_1_2", "contract: budget", 18,
         ("a source of the contract 'budget' cannot be a detail feed",)),
        ("contract: cloud_bill\n    mapping: focus_1_2\n    inbox: bill/*.csv\n    detail_feed:",
         "contract: assets\n    inbox: bill/*.csv\n    detail_feed:\n      cost_centre: it1", 19,
         ("'cost_centre' is no setting of a detail feed of the contract 'assets'",)),
        ("    detail_feed:", "    detail_feed:\n      depreciation: by_day", 20,
         ("'depreciation' is no setting of a detail feed of the contract 'cloud_bill'",)),
        ("    detail_feed:", "    detail_feed:\n      consumers_pay: list", 20,
         ("'measure', 'contracted_cost' or 'list_cost'", "found 'list'")),
        ("redelivery: refuse", "redelivery: replace", 14,
         ("one of 'refuse', 'replace_period', 'append' or 'update_records'", "found 'replace'")),
        ("inbox: ledger/*.csv", "inbox: ../ledger/*.csv", 13, ("below inbox/",)),
        ("inbox: ledger/*.csv", "inbox: /tmp/*.csv", 13, ("below inbox/",)),
        ('account: ["6410"]', "account: [6410]", 21, ("a text", "found 6410", "Put it in quotes")),
        ('account: ["6410"]', "account: []", 21, ("at least 1 item",)),
        ('claims:\n        account: ["6410"]', "measure: billed_cost", 19, ("'claims'",)),
        ("name: Example", "name: Other\nname: Example", 2, ("'name' occurs twice", "line 1")),
        ("  bill:\n", "  ledger:\n", 15, ("'ledger' occurs twice", "line 11")),
        ("name: Example Works", "name: [Example", 2, ("is not YAML",)),
        ("name: Example Works", "name: *nobody", 1, ("undefined alias",)),
        ("name: Example Works", "name: !!python/object:os.system x", 1, ("could not determine",)),
    ],
)  # fmt: skip
def test_problem_has_file_line_and_reason(
    tmp_path: Path, old: str, new: str, line: int, fragments: tuple[str, ...]
) -> None:
    assert old in CONFIG
    problems = _problems(tmp_path, CONFIG.replace(old, new, 1))
    assert len(problems) == 1
    assert problems[0].startswith(f"apportion.yml:{line}")
    for fragment in fragments:
        assert fragment in problems[0]


def test_asset_register_is_no_control_total(tmp_path: Path) -> None:
    text = CONFIG.replace("cloud_bill\n    mapping: focus_1_2", "assets").replace(
        "source: ledger", "source: bill"
    )
    (problem,) = _problems(tmp_path, text)
    assert "an asset register cannot be the control total" in problem


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = CONFIG.replace("EUR", "euro").replace("redelivery: refuse", "redelivery: maybe")
    problems = _problems(tmp_path, text.replace("time_zone", "timezone"))
    assert [item.split(":")[1].split(",")[0] for item in problems] == ["2", "14", "3"]
    text = CONFIG.replace("general_ledger", "x").replace("focus_1_2", "y").replace("Berlin", "Z")
    assert len(_problems(tmp_path, text)) == 3


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"- a\n- b\n", "expected a mapping"),
        (b"name: \xe4\n", "the byte 0xE4 at byte 6"),
        (b"name: a\x01b\n", "is not YAML"),
        (b"a: &a [*a]\n", "unknown key 'a'"),
    ],
)
def test_file_that_is_no_mapping_is_explained(
    tmp_path: Path, content: bytes, fragment: str
) -> None:
    (tmp_path / "apportion.yml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"apportion\.yml") as caught:
        _ = Workspace.open(tmp_path).config
    assert fragment in str(caught.value)


def test_missing_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceMissingError, match="apportion init"):
        Workspace.open(tmp_path)


class Numbers(BaseModel):
    share: Decimal
    ratio: float = 0.0
    day: date | None = None


def _numbers(tmp_path: Path, text: str) -> Numbers:
    path = tmp_path / "numbers.yml"
    path.write_text(text, "utf-8")
    return read_yaml_model(path, Numbers, root=tmp_path)


def test_decimal_is_read_digit_by_digit(tmp_path: Path) -> None:
    """As a float it would be 33.333333333333336."""
    text = "33.33333333333333333333"
    assert _numbers(tmp_path, f"share: {text}").share == Decimal(text)
    assert _numbers(tmp_path, "share: 12\nratio: 0.5").ratio == 0.5


@pytest.mark.parametrize("text", [".nan", ".inf", "-.inf", "abc", "1_0.5x", "[1.5]"])
def test_what_is_no_number_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"numbers\.yml:1"):
        _numbers(tmp_path, f"share: {text}")


def test_day_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"numbers\.yml.*does not exist"):
        _numbers(tmp_path, "share: 1.5\nday: 2026-02-31")


def test_missing_file_is_a_problem_not_a_traceback(tmp_path: Path) -> None:
    value, problems, _ = parse_yaml_model(tmp_path / "none.yml", Numbers, root=tmp_path)
    assert value is None
    assert "none.yml: file is missing" in str(problems[0])


def test_calendar_of_a_fiscal_year_that_starts_in_april() -> None:
    calendar = Calendar(first_period="2025-12", last_period="2026-04", fiscal_year_start_month=4)
    assert calendar.periods() == [
        ("2025-12", date(2025, 12, 1), date(2026, 1, 1), 2026, 9),
        ("2026-01", date(2026, 1, 1), date(2026, 2, 1), 2026, 10),
        ("2026-02", date(2026, 2, 1), date(2026, 3, 1), 2026, 11),
        ("2026-03", date(2026, 3, 1), date(2026, 4, 1), 2026, 12),
        ("2026-04", date(2026, 4, 1), date(2026, 5, 1), 2027, 1),
    ]


def test_calendar_of_calendar_years() -> None:
    calendar = Calendar(first_period="2025-12", last_period="2026-01")
    assert [row[3:] for row in calendar.periods()] == [(2025, 12), (2026, 1)]
