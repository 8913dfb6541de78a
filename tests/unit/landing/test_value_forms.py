"""Forms of dates, times and amounts as real exports write them, each declared in the mapping."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pipelines.landing.land import LoadResult
from tests.unit.landing.company import Company
from tests.unit.landing.own_source import COLUMNS, land_own, ledger_mapping, read_fields


def _land(company: Company, texts: list[str], field: str, **form: Any) -> LoadResult:
    """One record per text, in the column of a date or of an amount."""
    values = {"date": "2026-01-31", "amount": "1"}
    lines = []
    for number, text in enumerate(texts):
        own = {**values, field: text}
        lines.append(f"L{number}|{own['date']}|{own['amount']}\n")
    content = "id|date|amount\n" + "".join(lines)
    return land_own(company, ledger_mapping(delimiter="|", **form), content.encode())


def _read_days(company: Company, texts: list[str], **form: Any) -> tuple[list[str], list[str]]:
    result = _land(company, texts, "date", **form)
    rows = read_fields(company, result, "posting_date")
    days = [row[0] for row in rows]
    if not result.records_quarantined:
        return days, []
    problems = company.read(
        result,
        "select problem.reason || '; found ' || problem.found "
        "from (select _row_number, unnest(_problems) as problem from quarantine) "
        "where problem.field = 'posting_date' order by _row_number",
    )
    return days, [row[0] for row in problems]


def _read_amounts(company: Company, texts: list[str], **form: Any) -> tuple[list[str], list[str]]:
    result = _land(company, texts, "amount", **form)
    rows = read_fields(company, result, "amount_local")
    return [f"{Decimal(row[0]):.2f}" for row in rows], list(result.reasons)


@pytest.mark.parametrize(
    ("languages", "form", "text", "day"),
    [
        (["en"], "%A, %B %d, %Y", "Friday, April 29, 2022", "2022-04-29"),
        (["en"], "%d-%b-%Y", "05-SEP-2022", "2022-09-05"),
        (["en"], "%B %d, %Y", "May 1st, 2022", "2022-05-01"),
        (["de"], "%d. %B %Y", "1. März 2026", "2026-03-01"),
        (["de"], "%a, %d. %b %Y", "So., 1. Mrz. 2026", "2026-03-01"),
        (["fr"], "%A %d %B %Y", "samedi 1er août 2026", "2026-08-01"),
        (["fr"], "%d %b %Y", "3 févr. 2026", "2026-02-03"),
        (["fr"], "%d %B %Y", "3 FEVRIER 2026", "2026-02-03"),
        (["es"], "%d de %B de %Y", "2 de septiembre de 2026", "2026-09-02"),
        (["es"], "%A, %d %b %Y", "miércoles, 2 sept. 2026", "2026-09-02"),
        (["en", "de"], "%d %B %Y", "31 Oktober 2026", "2026-10-31"),
    ],
)
def test_names_of_months_and_weekdays(
    company: Company, languages: list[str], form: str, text: str, day: str
) -> None:
    """The days were looked up in a calendar of their years."""
    days, reasons = _read_days(company, [text], languages=languages, date_formats=[form])
    assert (days, reasons) == ([day], [])


def test_a_source_may_change_its_form_of_dates(company: Company) -> None:
    """Two months of one register: ISO days first, names later."""
    forms = ["%Y-%m-%d", "%A, %B %d, %Y"]
    days, reasons = _read_days(
        company, ["2019-06-11", "Friday, April 29, 2022"], date_formats=forms
    )
    assert (days, reasons) == (["2019-06-11", "2022-04-29"], [])


def test_a_date_says_what_is_wrong_with_it(company: Company) -> None:
    """28 April 2022 was a Thursday; April has thirty days; Avril is no English name."""
    texts = ["Friday, April 28, 2022", "Sunday, April 31, 2022", "Friday, Avril 29, 2022"]
    days, reasons = _read_days(
        company, [*texts, "Friday, April 29, 2022"], date_formats=["%A, %B %d, %Y"]
    )
    assert days == ["2022-04-29"]
    assert "names a weekday that is not the day's; expected the weekday of that date" in reasons[0]
    assert "expected a date such as Tuesday, March 31, 2026; found Sunday, Ap" in reasons[1]
    assert "found Friday, Avril 29, 2022" in reasons[2]


@pytest.mark.parametrize(
    ("year_from", "texts", "days"),
    [
        (
            {"where": "mapping", "year": 2026},
            ["3101", "0112", "101"],
            ["2026-01-31", "2026-12-01", "2026-01-01"],
        ),
        # The fiscal year 2025 starts in July: January is of the calendar year after.
        (
            {"where": "mapping", "year": 2025, "first_month": 7},
            ["3107", "3101"],
            ["2025-07-31", "2026-01-31"],
        ),
        ({"where": "file_name", "pattern": r"buch_(\d{4})"}, ["2902"], ["2024-02-29"]),
    ],
)
def test_days_without_a_year(
    company: Company, year_from: dict[str, Any], texts: list[str], days: list[str]
) -> None:
    lines = "".join(f"L{i},{text},1\n" for i, text in enumerate(texts))
    mapping = ledger_mapping(date_formats=["%d%m"], year_from=year_from)
    result = land_own(company, mapping, f"id,date,amount\n{lines}".encode(), "own/buch_2024.csv")
    assert [row[0] for row in read_fields(company, result, "posting_date")] == days


def test_a_year_may_stand_in_a_title_or_in_a_column(company: Company) -> None:
    title = b'"EXTF";700;"Buchungsstapel";20260101;4\nid,date,amount\nL1,3112,5\n'
    mapping = ledger_mapping(
        header_row=2,
        date_formats=["%d%m"],
        year_from={"where": "titles", "pattern": r";(\d{4})\d{4};"},
    )
    result = land_own(company, mapping, title)
    assert read_fields(company, result, "posting_date") == [("2026-12-31",)]
    mapping = ledger_mapping(
        date_formats=["%d.%m."], year_from={"where": "column", "column": "year"}
    )
    column = b"id,date,amount,year\nL1,3.2.,5,2024\nL2,29.2.,5,2023\nL3,4.2.,1,\n"
    result = land_own(company, mapping, column, "own/b.csv")
    assert read_fields(company, result, "posting_date") == [("2024-02-03",)]
    assert result.records_quarantined == 2


def test_a_file_that_does_not_say_its_year_is_refused(company: Company) -> None:
    year_from = {"where": "file_name", "pattern": r"_(\d{4})\."}
    mapping = ledger_mapping(date_formats=["%d%m"], year_from=year_from)
    result = land_own(company, mapping, b"id,date,amount\nL1,3112,5\n", "own/ledger.csv")
    assert result.state == "refused"
    assert "does not say the year in its name" in result.message
    assert r"expected a text that matches _(\d{4})\.; found 'ledger.csv'" in result.message


@pytest.mark.parametrize(
    ("forms", "text", "period"),
    [
        (["%b %Y"], "Feb 2026", "2026-02"),
        (["%m/%Y"], "2/2026", "2026-02"),
        (["%Y%m"], "202602", "2026-02"),
        (["%Y.%m", "%B %Y"], "february 2026", "2026-02"),
    ],
)
def test_periods_in_declared_forms(
    company: Company, forms: list[str], text: str, period: str
) -> None:
    mapping = ledger_mapping(
        columns={"line_id": "id", "period_id": "period", "amount_local": "amount"},
        derived_times={"posting_date": {"of": "period_id", "point": "month_last_day"}},
        period_from=None,
        period_formats=forms,
    )
    result = land_own(company, mapping, f"id,period,amount\nL1,{text},1\n".encode())
    assert read_fields(company, result, "period_id, posting_date") == [(period, "2026-02-28")]


def test_a_value_of_the_file_is_that_of_its_records(company: Company) -> None:
    mapping = ledger_mapping(
        columns={"line_id": "id", "amount_local": "amount"},
        file_values={
            "posting_date": {"where": "titles", "pattern": "Stand: ([0-9.]+)"},
            "legal_entity_id": {"where": "file_name", "pattern": "^([A-Z]{2}[0-9]{2})_"},
        },
        constants={"account_id": "6400", "cost_centre_id": "CC1", "currency_code": "EUR"},
        header_row=3,
        date_formats=["%d.%m.%Y"],
    )
    content = b"Kontoauszug\nStand: 31.03.2026\nid,amount\nL1,1\nL2,2\n"
    result = land_own(company, mapping, content, "own/DE07_maerz.csv")
    assert (
        read_fields(company, result, "posting_date, legal_entity_id, period_id")
        == [("2026-03-31", "DE07", "2026-03")] * 2
    )


def test_one_content_under_the_names_of_two_months_is_not_taken_for_one(company: Company) -> None:
    """The rent of two months is the same file, but for its name."""
    mapping = ledger_mapping(
        columns={"line_id": "id", "amount_local": "amount"},
        file_values={"posting_date": {"where": "file_name", "pattern": r"rent_(\d{4}-\d\d-\d\d)"}},
    )
    content = b"id,amount\nL1,1\n"
    land_own(company, mapping, content, "own/rent_2026-01-31.csv")
    (company.workspace.inbox / "own/rent_2026-01-31.csv").unlink()
    result = land_own(company, mapping, content, "own/rent_2026-02-28.csv")
    assert result.state == "refused"
    assert "under a name that says 2026-02-28, not 2026-01-31" in result.message


def test_currency_signs_in_amounts(company: Company) -> None:
    """The four ways of one American export; 1,500.00 - 900.23 - 1,182.77 - 33.52 = -616.52."""
    texts = ["$1,500.00", "($900.23)", "$(1,182.77)", "-$33.52"]
    amounts, reasons = _read_amounts(
        company,
        texts,
        currency_marks={"$": "EUR"},
        thousands_mark=",",
        negative_form=["leading", "parentheses"],
    )
    assert (amounts, reasons) == (["1500.00", "-900.23", "-1182.77", "-33.52"], [])


@pytest.mark.parametrize(
    ("form", "texts", "read"),
    [
        (
            {"decimal_mark": ",", "thousands_mark": ".", "currency_marks": {"€": "EUR"}},
            ["-1.000,00 €", "-1.080\u00a0€", "€ 12.345,60", "950"],
            ["-1000.00", "-1080.00", "12345.60", "950.00"],
        ),
        (
            {"currency_marks": {"EUR": "EUR", "€": "EUR"}, "negative_form": "trailing"},
            ["EUR 5.00-", "5.00- EUR", "5.00 EUR-", "7€"],
            ["-5.00", "-5.00", "-5.00", "7.00"],
        ),
        (
            {"currency_marks": {"EUR": "EUR"}, "negative_form": "cr_dr"},
            ["5.00 EUR CR", "EUR 6.00 DR"],
            ["-5.00", "6.00"],
        ),
        ({"negative_form": "cr_dr"}, ["1.00 Cr", "2.00dr", "0"], ["-1.00", "2.00", "0.00"]),
        (
            {
                "negative_form": "cr_dr",
                "sign_marks": {"negative": ["H"], "positive": ["S", ""]},
            },
            ["1.00 H", "2.00S", "3.00"],
            ["-1.00", "2.00", "3.00"],
        ),
        (
            {"thousands_mark": " "},
            ["1 234.50", "1\u00a0234.50", "1\u202f234\u202f567"],
            ["1234.50", "1234.50", "1234567.00"],
        ),
        ({"thousands_mark": "'"}, ["1'234.50", "1\u2019234.50"], ["1234.50", "1234.50"]),
        ({"thousands_mark": ",", "digit_groups": "indian"}, ["12,34,567.50"], ["1234567.50"]),
        ({"minus_signs": ["-", "\u2212"]}, ["\u22125.00", "-5.00"], ["-5.00", "-5.00"]),
        ({"allow_plus": True}, ["+5.00", "5.00"], ["5.00", "5.00"]),
        (
            {"allow_scientific": ["amount_local"], "power_of_ten": {}},
            ["1.5E3", "-2e-1", "7"],
            ["1500.00", "-0.20", "7.00"],
        ),
    ],
)
def test_amounts_in_declared_forms(
    company: Company, form: dict[str, Any], texts: list[str], read: list[str]
) -> None:
    assert _read_amounts(company, texts, **form) == (read, [])


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"currency_marks": {"€": "EUR"}}, "12€50"),
        ({"currency_marks": {"€": "EUR"}}, "€ 5 €"),
        ({"currency_marks": {"€": "EUR"}}, "£5"),
        ({"thousands_mark": " "}, "1 23"),
        ({"thousands_mark": ",", "digit_groups": "indian"}, "1,234,567"),
        ({"negative_form": ["leading", "parentheses"]}, "(5"),
        ({"negative_form": ["leading", "parentheses"]}, "5-"),
        ({"negative_form": "cr_dr"}, "5"),
    ],
)
def test_amounts_in_other_forms_are_quarantined(
    company: Company, form: dict[str, Any], text: str
) -> None:
    amounts, reasons = _read_amounts(company, ["0", text], **form)
    assert amounts == ["0.00"]
    assert "expected a number such as" in reasons[0]


def test_a_mark_of_another_currency_is_said(company: Company) -> None:
    content = "id,date,amount,currency\nL1,2026-01-31,$5,EUR\nL2,2026-01-31,€5,EUR\n"
    mapping = ledger_mapping(
        columns={**COLUMNS, "currency_code": "currency"},
        constants=dict.fromkeys(("legal_entity_id", "cost_centre_id", "account_id"), "X1"),
        currency_marks={"$": "USD", "€": "EUR"},
    )
    result = land_own(company, mapping, content.encode())
    assert read_fields(company, result, "line_id, currency_code") == [("L2", "EUR")]
    assert (
        "record 1, field amount_local: is in another currency than its record; expected an amount "
        "in EUR; found '$5'"
    ) in result.reasons[0]


def test_the_mark_says_the_currency_where_nothing_else_does(company: Company) -> None:
    content = "id,date,amount\nL1,2026-01-31,$5\nL2,2026-01-31,6 £\nL3,2026-01-31,7\n"
    mapping = ledger_mapping(
        constants=dict.fromkeys(("legal_entity_id", "cost_centre_id", "account_id"), "X1"),
        currency_marks={"$": "USD", "£": "GBP"},
    )
    result = land_own(company, mapping, content.encode())
    assert read_fields(company, result, "line_id, currency_code") == [("L1", "USD"), ("L2", "GBP")]
    assert "record 3, field currency_code: is missing" in result.reasons[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0.1234567890123", "has too many decimals; expected at most 12"),
        ("0." + "1" * 30, "has too many decimals; expected at most 12"),
        ("1" * 19, "has too many digits before the point; expected at most 18"),
    ],
)
def test_a_long_number_says_which_side_is_too_long(company: Company, text: str, says: str) -> None:
    _, reasons = _read_amounts(company, ["1", text])
    assert says in reasons[0]


def test_twenty_and_more_decimals_are_rounded_where_declared_and_counted(
    company: Company,
) -> None:
    """2/3 and -2/3 with twenty-four decimals, half away from zero; zeros behind change nothing."""
    texts = ["0." + "6" * 24, "-0." + "6" * 24, "0.500000000000000000000000"]
    result = _land(company, texts, "amount", round_to={"amount_local": 2})
    rows = [Decimal(row[0]) for row in read_fields(company, result, "amount_local")]
    assert rows == [Decimal("0.67"), Decimal("-0.67"), Decimal("0.5")]
    assert "2 values of amount_local rounded to 2 decimals" in result.notes


TWELVE_HOURS = {
    "01/05/2026 12:05 AM": "2026-01-05 00:05:00",
    "01/05/2026 12:05 pm": "2026-01-05 12:05:00",
    "01/05/2026 1:05 p.m.": "2026-01-05 13:05:00",
}


def _read_times(company: Company, texts: list[str], **form: Any) -> tuple[list[str], list[str]]:
    lines = "".join(f"O{i}|{text}\n" for i, text in enumerate(texts))
    mapping = {
        "contract": "outages",
        "delimiter": "|",
        "columns": {"outage_id": "id", "started_at": "start"},
        "constants": {
            "service_id": "S1",
            "is_planned": "false",
            "ended_at": "2027-01-01T00:00:00Z",
        },
        **form,
    }
    result = land_own(company, mapping, ("id|start\n" + lines).encode())
    return [row[0] for row in read_fields(company, result, "started_at")], list(result.reasons)


def test_twelve_hour_clocks(company: Company) -> None:
    times, reasons = _read_times(
        company,
        [*TWELVE_HOURS, "01/05/2026 13:05 PM"],
        timestamp_formats=["%m/%d/%Y %I:%M %p"],
        time_zone="UTC",
    )
    assert times == list(TWELVE_HOURS.values())
    assert "found '01/05/2026 13:05 PM'" in reasons[0]


def test_times_with_names_and_zones(company: Company) -> None:
    """Madrid is one hour before UTC in winter and two in summer."""
    texts = [
        "5 de enero de 2026, 1:30 p. m.",
        "5 de agosto de 2026, 1:30 a. m.",
    ]
    times, reasons = _read_times(
        company,
        texts,
        languages=["es"],
        timestamp_formats=["%d de %B de %Y, %I:%M %p"],
        time_zone="Europe/Madrid",
    )
    assert (times, reasons) == (["2026-01-05 12:30:00", "2026-08-04 23:30:00"], [])


def test_a_zone_may_be_an_offset_or_z(company: Company) -> None:
    texts = ["2026-01-05T10:00:00Z", "2026-01-05T10:00:00+0200", "2026-01-05T10:00:00-05:30"]
    times, _ = _read_times(company, texts, timestamp_formats=["%Y-%m-%dT%H:%M:%S%z"])
    assert times == ["2026-01-05 10:00:00", "2026-01-05 08:00:00", "2026-01-05 15:30:00"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({}, "2026-03-29T02:30:00"),
        ({"timestamp_formats": ["%d.%m.%Y %H:%M"]}, "29.03.2026 02:30"),
        ({"timestamp_formats": ["%d %b %Y %I:%M %p"]}, "29 Mar 2026 2:30 AM"),
    ],
)
def test_an_hour_that_the_clocks_skip_is_said_to_be_that(
    company: Company, form: dict[str, Any], text: str
) -> None:
    """On 29 March 2026 the clocks of Berlin go from 2 to 3."""
    good = {"": "2026-03-29T12:00:00Z", "%d.%m.%Y %H:%M": "29.03.2026 14:00"}
    shown = good.get(form.get("timestamp_formats", [""])[0], "29 Mar 2026 2:00 PM")
    times, reasons = _read_times(company, [shown, text], time_zone="Europe/Berlin", **form)
    assert times == ["2026-03-29 12:00:00"]
    assert "started_at: is a local time that does not exist; expected a time that" in reasons[0]
    assert "there is in Europe/Berlin" in reasons[0]
