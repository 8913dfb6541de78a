"""A corpus of bad deliveries: nothing passes silently and nothing is lost.

Each case is one small CSV with the columns of HEADER, read through a mapping of its own onto the
general ledger. All of them lie in one inbox and are landed at once. The letter of a case is what
must become of it:

- R  the whole file is refused, and says what was expected and what was found;
- Q  one record is quarantined, the other two load;
- W  all records load, and the landing says what was normalised;
- A  all records load, without a remark.

In every case that loads, accepted + quarantined = delivered, in records and in money.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.landing.land import LoadResult
from tests.unit.landing.company import Company, open_company
from tests.unit.landing.own_source import land_own

HEADER = "line_id,period,cost_centre,currency,amount,memo"
COLUMNS = {
    "line_id": "line_id",
    "cost_centre_id": "cost_centre",
    "currency_code": "currency",
    "amount_local": "amount",
    "description": "memo",
}
CONSTANTS = {"legal_entity_id": "DE01", "account_id": "6400"}
BY_PERIOD: dict[str, Any] = {
    "contract": "general_ledger",
    "columns": {**COLUMNS, "period_id": "period"},
    "constants": {**CONSTANTS, "posting_date": "2026-01-31"},
    "ragged_rows": "refuse",
}
BY_DAY: dict[str, Any] = {
    "contract": "general_ledger",
    "columns": {**COLUMNS, "posting_date": "period"},
    "constants": CONSTANTS,
    "period_from": "posting_date",
    "ragged_rows": "refuse",
}
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]+)?")
MAPPINGS = {
    "by_period": BY_PERIOD,
    "by_day": BY_DAY,
    "packed": {**BY_PERIOD, "compression": "gzip"},
}
SOURCE = """\
  {name}:
    contract: general_ledger
    mapping: {name}
    inbox: "{name}/*"
    redelivery: append
    hold_above_percent: null
"""


@dataclass(frozen=True)
class Case:
    """A delivery and what must become of it."""

    letter: str
    content: bytes
    says: tuple[str, ...] = ()
    """What the refusal, the first reason or the notes say."""
    money: str | None = None
    """Amount of the quarantined record, where it can be read."""
    currency: str = "EUR"
    mapping: str = "by_period"


def line(number: int, **changes: str) -> str:
    """One record as a line without its end; values stand as they are given, quotes too."""
    values = {
        "line_id": f"L{number}",
        "period": "2026-01",
        "cost_centre": "CC100",
        "currency": "EUR",
        "amount": "100.00",
        "memo": "memo",
        **changes,
    }
    return ",".join(values.values())


def table(*lines: str, header: str = HEADER, end: str = "\n") -> bytes:
    return "".join(f"{text}{end}" for text in (header, *lines)).encode()


GOOD = table(line(1), line(2, amount="50.25"), line(3, amount="-0.25"))
"""100.00 + 50.25 - 0.25 = 150.00 EUR."""


def bad(letter: str, *says: str, money: str | None = None, **changes: str) -> Case:
    """The second of three records is changed; the others hold 100.00 and -0.25 EUR."""
    if money is None and "amount" not in changes:
        money = "50.25"
    changed = line(2, **{"amount": "50.25", **changes})
    currency = changes.get("currency", "EUR") or "?"
    return Case(
        letter, table(line(1), changed, line(3, amount="-0.25")), says, money, currency=currency
    )


def refused(content: bytes, *says: str, mapping: str = "by_period") -> Case:
    return Case("R", content, says, mapping=mapping)


def accepted(content: bytes, *, mapping: str = "by_period") -> Case:
    return Case("A", content, mapping=mapping)


def noted(content: bytes, *says: str, mapping: str = "by_period") -> Case:
    return Case("W", content, says, mapping=mapping)


FORM = "has the wrong form"
LATIN1 = GOOD.replace(b"memo\n", "für\n".encode("latin-1"))
LATIN1 = LATIN1.replace("für".encode("latin-1"), b"memo", 1)

LISTED: dict[str, Case] = {
    "00_good": accepted(GOOD),
    "38_digits": bad("Q", "too many digits before the point", amount="9" * 38),
    "backslash_quote": refused(
        table(line(1), line(2, memo=r'"a \"b\" c"')), "line 3 has a quote that is not closed"
    ),
    "blank_amount": bad("Q", "is missing", amount=""),
    "bom_utf8": noted(b"\xef\xbb\xbf" + GOOD, "byte-order mark removed"),
    "bu_homoglyph": bad("Q", "CYRILLIC CAPITAL LETTER ES", cost_centre="\u0421C100"),
    "bu_trailing_space": bad("Q", "'CC100 '", cost_centre="CC100 "),
    "comment_line": refused(b"# export of January\n" + GOOD, "begins with a comment"),
    "cr_dr": bad("Q", "'100.00CR'", amount="100.00CR"),
    "crlf": accepted(GOOD.replace(b"\n", b"\r\n")),
    "date_2digit": bad("Q", "'31/01/26'", period="31/01/26"),
    "date_31_02_dmy": bad("Q", "'31/02/2026'", period="31/02/2026"),
    "date_ambiguous": bad("Q", "'05/01/2026'", period="05/01/2026"),
    "date_excel_serial": bad("Q", "'46053'", period="46053"),
    "date_tz": bad("Q", "'2026-01-31T23:30-05:00'", period="2026-01-31T23:30-05:00"),
    "date_zero": bad("Q", "'0000-00-00'", period="0000-00-00"),
    "dup_key": refused(table(line(1), line(2), line(1)), "(L1) in records 1, 3"),
    "empty": refused(b"", "is empty", "0 bytes"),
    "euro_decimal_semicolon": refused(
        GOOD.replace(b",", b";").replace(b".", b","), "is separated by ';'"
    ),
    "footer_total": refused(GOOD + b"TOTAL,,,,150.00,\n", "record 4", "looks like a total"),
    "formula_amount": bad("Q", "'=1+1'", amount="=1+1"),
    "gz_bomb": refused(
        gzip.compress(GOOD + b"\n" * 20_000_000),
        "expands too far",
        "at most 200 times its size",
        mapping="packed",
    ),
    "gz_trunc": refused(gzip.compress(GOOD)[:-12], "is cut off", mapping="packed"),
    "header_only": refused(f"{HEADER}\n".encode(), "a header and no records"),
    "html_as_csv": refused(b"<!doctype html><html><title>Sign in</title></html>", "a web page"),
    "inf": bad("Q", "'inf'", amount="inf"),
    "jpy_cents": bad("Q", "more decimals than its", amount="1.50", currency="JPY", money="1.5"),
    "latin1": refused(LATIN1, f"the byte 0xFC at byte {LATIN1.index(0xFC)}"),
    "many_cols": refused(
        (",".join(f"c{number}" for number in range(20_000)) + "\n").encode(), "has 20000 columns"
    ),
    "mixed_eol": refused(GOOD.replace(b"\n", b"\r\n", 2), "mixes line ends", "2 CRLF and 2 LF"),
    "neg_zero": noted(GOOD.replace(b"-0.25", b"-0.00"), "-0 read as 0 in 1 fields"),
    "no_final_newline": noted(GOOD[:-1], "last line has no line end"),
    "nul_bytes": refused(
        GOOD.replace(b"CC100", b"CC\x00100", 1), f"NUL at byte {len(HEADER) + 14}"
    ),
    "paren_negative": bad("Q", "'(1234.56)'", amount="(1234.56)"),
    "plus_sign": bad("Q", "'+100.00'", amount="+100.00"),
    "ragged_long": refused(table(line(1), line(2) + ",more"), "line 3 has 7 fields", "6 as in"),
    "renamed_col": refused(
        GOOD.replace(b"amount", b"amt", 1), "lacks amount", "the columns amount", "currency, amt"
    ),
    "sci_1e3": bad("Q", "'1e3'", amount="1e3"),
    "semicolon": refused(GOOD.replace(b",", b";"), "is separated by ';'", "separated by ','"),
    "sql_inj": bad("Q", "drop table", cost_centre="'; drop table loads; --"),
    "swapped_cols": refused(
        table(
            line(1, period="CC100", cost_centre="2026-01"),
            line(2, period="CC200", cost_centre="2026-01"),
        ),
        "columns period_id and cost_centre_id swapped",
    ),
    "thousands_nbsp": bad("Q", "NO-BREAK SPACE", amount="1\u00a0234.56"),
    "thousands_underscore": bad("Q", "'1_234.56'", amount="1_234.56"),
    "too_many_decimals": bad("Q", "more decimals than its", amount="1.005", money="1.005"),
    "truncated_last_line": refused(GOOD[:-12], "line 4 has 4 fields", "6 as in the header"),
    "unclosed_quote": refused(table(line(1, memo='"memo'), line(2)), "line 2 has a quote"),
    "unknown_bu": accepted(GOOD.replace(b"CC100", b"CC-NOBODY-KNOWS", 1)),
    "utf16le_bom": refused(b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), "UTF-16 text"),
    "wide_row": refused(table(line(1), line(2, memo="x" * 3_000_000)), "line 3 is too long"),
}
"""The cases of the list, by their names. `period_mixed` needs a control file and has a test of its
own, below."""

AMOUNTS = {
    "full_width_digits": "\uff11\uff12\uff13",
    "arabic_digits": "\u0661\u0662",
    "trailing_space": "12.50 ",
    "leading_tab": "\t12.50",
    "thousands_comma": '"1,234.56"',
    "thousands_point": '"1.234,56"',
    "thousands_apostrophe": "1'234.56",
    "decimal_comma": '"12,50"',
    "two_signs": "--5",
    "trailing_minus": "5-",
    "unicode_minus": "\u22125.00",
    "space_after_minus": "- 5.00",
    "hexadecimal": "0x10",
    "nothing_after_point": "1.",
    "nothing_before_point": ".5",
    "two_points": "1.2.3",
    "beyond_double": "1e400",
    "not_a_number": "NaN",
    "null_word": "null",
    "one_space": " ",
    "quoted_space": '" "',
    "percent": "5%",
    "currency_inside": "12.50 EUR",
    "currency_sign": "$12.50",
    "zero_width_space": "12\u200b.50",
    "right_to_left_mark": "\u200f12.50",
    "mark_of_order_inside": "\ufeff12.50",
    "a_date": "2026-01-31",
    "nineteen_digits": "1" * 19,
    "true": "true",
    "line_end_inside": '"12.50\n"',
    "control_character": "12.50\x1a",
    "mark_of_native_values": "\x1d12.50",
}
PERIODS = {
    "month_13": "2026-13",
    "month_0": "2026-00",
    "month_of_one_digit": "2026-1",
    "no_separator": "202601",
    "month_name": "Jan 2026",
    "quarter": "2026-Q1",
    "year_of_two_digits": "26-01",
    "year_zero": "0000-01",
    "year_of_five_digits": "12026-01",
    "other_digits": "\u0662\u0660\u0662\u0666-01",
}
DAYS = {
    "30_february": "2026-02-30",
    "29_february_of_no_leap_year": "2026-02-29",
    "month_13": "2026-13-01",
    "year_zero": "0000-01-01",
    "before_christ": "0044-03-15 (BC)",
    "one_digit": "2026-1-5",
    "infinity": "infinity",
    "with_time": "2026-01-31 00:00:00",
    "epoch": "1769817600",
    "compact": "20260131",
    "space_after": "2026-01-31 ",
    "minus_before": "-2026-01-31",
    "null_word": "NULL",
}
CODES = {
    "zero_width_space": "CC\u200b100",
    "right_to_left_mark": "CC100\u200f",
    "mark_of_order_inside": "\ufeffCC100",
    "no_break_space": "CC\u00a0100",
    "full_width": "\uff23\uff23100",
    "tab_inside": "CC\t100",
    "line_end_inside": '"CC100\n"',
    "emoji": "CC\U0001f4b6",
    "formula": "=CC100",
    "only_spaces": "   ",
    "decomposed": "Cu\u0308100",
    "path": "../../etc/passwd",
    "longer_than_200": "C" * 201,
    "escape_sequence": "CC\x1b[31m100",
}
CURRENCIES = {
    "lower_case": "eur",
    "four_letters": "EURO",
    "sign": "\u20ac",
    "look_alike": "\u0415UR",
    "space_after": "EUR ",
    "a_name": "Euro",
    "number": "978",
    "full_width": "\uff25\uff35\uff32",
}


def _quoted_header() -> str:
    return ",".join(f'"{name}"' for name in HEADER.split(","))


def _packed_twice() -> bytes:
    """Two members one after the other, which are one file to gzip."""
    return gzip.compress(GOOD[:80]) + gzip.compress(GOOD[80:])


SHAPES: dict[str, Case] = {
    "tabs": refused(GOOD.replace(b",", b"\t"), "is separated by tabs"),
    "pipes": refused(GOOD.replace(b",", b"|"), "is separated by '|'"),
    "overlong_bytes": refused(GOOD.replace(b"memo\n", b"\xc0\xaf\n", 1), "the byte 0xC0 at"),
    "half_of_a_pair": refused(GOOD.replace(b"memo\n", b"\xed\xa0\x80\n", 1), "the byte 0xED at"),
    "cr_only": accepted(GOOD.replace(b"\n", b"\r")),
    "cr_and_lf": refused(GOOD.replace(b"\n", b"\r", 1), "mixes line ends"),
    "lf_inside_crlf": refused(
        GOOD.replace(b"\n", b"\r\n").replace(b"50.25,memo\r\n", b"50.25,me\nmo\r\n"), "line"
    ),
    "cr_inside_unquoted": refused(GOOD.replace(b"50.25,memo", b"50.25,me\rmo"), "line"),
    "lf_inside_quotes_of_crlf": accepted(
        table(
            line(1),
            line(2, memo='"two\nlines"', amount="50.25"),
            line(3, amount="-0.25"),
            end="\r\n",
        )
    ),
    "utf32": refused(GOOD.decode().encode("utf-32"), "UTF-32"),
    "utf16be_bom": refused(b"\xfe\xff" + GOOD.decode().encode("utf-16-be"), "UTF-16 text"),
    "bom_twice": refused(b"\xef\xbb\xbf" * 2 + GOOD, "lacks line_id"),
    "only_bom": refused(b"\xef\xbb\xbf", "header"),
    "only_line_ends": refused(b"\n\n\n", "lacks"),
    "only_spaces": refused(b"   \n", "lacks"),
    "header_without_line_end": refused(HEADER.encode(), "a header and no records"),
    "header_trailing_delimiter": refused(
        GOOD.replace(HEADER.encode(), HEADER.encode() + b","), "does not know: ''"
    ),
    "header_twice": Case(
        "Q",
        table(line(1), HEADER, line(3, amount="50.00")),
        ("'period'",),
        currency="currency",
    ),
    "header_quoted": accepted(GOOD.replace(HEADER.encode(), _quoted_header().encode())),
    "header_other_case": refused(
        GOOD.replace(HEADER.encode(), HEADER.upper().encode()), "lacks", "LINE_ID"
    ),
    "header_spaces": refused(
        GOOD.replace(HEADER.encode(), HEADER.replace(",", ", ").encode()), "' period' meant?"
    ),
    "header_doubled_column": refused(GOOD.replace(b"memo", b"amount", 1), "'amount' twice"),
    "header_look_alike": refused(GOOD.replace(b"amount", "\u0430mount".encode(), 1), "lacks"),
    "header_missing": refused(GOOD.split(b"\n", 1)[1], "lacks", "CC100"),
    "header_of_two_lines": refused(GOOD.replace(b"line_id", b'"line\nid"', 1), "lacks line_id"),
    "blank_lines_inside": noted(
        table(line(1), "", "", line(3, amount="50.00")), "2 empty lines passed over"
    ),
    "blank_lines_at_the_end": noted(GOOD + b"\n\n", "2 empty lines passed over"),
    "blank_lines_of_crlf": noted(GOOD.replace(b"\n", b"\r\n\r\n"), "4 empty lines passed over"),
    "blank_line_in_quotes": accepted(table(line(1), line(2, memo='"a\n\nb"', amount="50.00"))),
    "line_of_spaces": refused(GOOD + b"  \n", "line 5"),
    "second_table_of_other_width": refused(GOOD + b"service,owner\nmail,Ann\n", "line 5 has 2"),
    "second_table_of_same_width": Case(
        "Q",
        table(line(1), line(2, amount="50.00"), "service,owner,team,site,cost,note"),
        ("'owner'",),
        currency="site",
    ),
    "only_delimiters": Case(
        "Q", table(line(1), ",,,,,", line(3, amount="50.00")), ("is missing",), currency="?"
    ),
    "only_delimiters_at_the_end": Case(
        "Q", table(line(1), line(2, amount="50.00"), ",,,,,"), ("is missing",), currency="?"
    ),
    "trailing_delimiters": refused(
        table(*(line(n) + "," for n in (1, 2))), "line 2 has 7 fields", "6 as in"
    ),
    # With an empty memo this has as many delimiters as a record with an empty field too many.
    "thousands_comma_unquoted": refused(
        table(line(1), line(2, amount="1,234.00", memo="")), "line 3 has 7 fields"
    ),
    "one_trailing_delimiter": refused(table(line(1), line(2) + ","), "line 3 has 7 fields"),
    "too_few_fields": refused(table(line(1), "L2,2026-01"), "line 3 has 2 fields"),
    "quote_inside_field": accepted(table(line(1), line(2, memo='5" pipe', amount="50.00"))),
    "text_after_quote": refused(table(line(1), line(2, memo='"a"b')), "line 3 has a quote"),
    "quotes_of_another_kind": accepted(table(line(1), line(2, memo="'a'", amount="50.00"))),
    "memo_of_a_megabyte": accepted(table(line(1), line(2, memo="x" * 1_000_000, amount="50.00"))),
    "memo_emoji": accepted(
        table(line(1), line(2, memo="\U0001f4b6\u200d\U0001f680", amount="50.00"))
    ),
    "memo_formula": accepted(table(line(1), line(2, memo="=1+1", amount="50.00"))),
    "memo_sql": accepted(table(line(1), line(2, memo="'; drop table x; --", amount="50.00"))),
    "memo_control_character": bad("Q", FORM, memo="a\x1bb"),
    "key_in_other_case": accepted(table(line(1), "l1" + line(2, amount="50.00")[2:])),
    "key_missing": bad("Q", "is missing", line_id=""),
    "total_in_words": refused(
        table(line(1), line(2), "Grand total,,,,200.00,"), "looks like a total"
    ),
    "gz_two_members": accepted(_packed_twice(), mapping="packed"),
    "gz_rubbish_after": refused(
        gzip.compress(GOOD) + b"rubbish", "cannot be unpacked", mapping="packed"
    ),
    "gz_second_member_cut": refused(_packed_twice()[:-9], "is cut off", mapping="packed"),
    "gz_wrong_checksum": refused(
        gzip.compress(GOOD)[:-8] + bytes(8), "cannot be unpacked", mapping="packed"
    ),
    "gz_of_gz": refused(gzip.compress(gzip.compress(GOOD)), "a gzip file", mapping="packed"),
    "gz_not_declared": refused(gzip.compress(GOOD), "a gzip file"),
    "gz_of_nothing": refused(gzip.compress(b""), "is empty", mapping="packed"),
    "not_gz": refused(GOOD, "does not begin as a gzip file", mapping="packed"),
}

CASES: dict[str, Case] = {
    **LISTED,
    **{f"amount_{name}": bad("Q", "amount_local", amount=text) for name, text in AMOUNTS.items()},
    **{f"period_{name}": bad("Q", "period_id", period=text) for name, text in PERIODS.items()},
    **{f"code_{name}": bad("Q", "cost_centre_id", cost_centre=t) for name, t in CODES.items()},
    **{f"currency_{name}": bad("Q", "currency_code", currency=t) for name, t in CURRENCIES.items()},
    **SHAPES,
}


DATES = {
    **{name: LISTED[name] for name in LISTED if name.startswith("date_")},
    **{f"date_{name}": bad("Q", "posting_date", period=text) for name, text in DAYS.items()},
}


def _as_day(case: Case) -> Case:
    """The same with the period read as a date, from which the period is derived."""
    content = case.content.replace(b",2026-01,", b",2026-01-31,")
    return replace(case, content=content, mapping="by_day")


ALL = {**CASES, **{f"{name}_as_day": _as_day(case) for name, case in DATES.items()}}

csv.field_size_limit(2_000_000)  # One memo is longer than what the module reads by itself.


def _read_records(case: Case) -> list[dict[str, str]]:
    content = gzip.decompress(case.content) if case.mapping == "packed" else case.content
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.fixture(scope="module")
def corpus(
    tmp_path_factory: pytest.TempPathFactory, empty_company: Path
) -> Iterator[tuple[Company, dict[str, LoadResult]]]:
    """A company whose inbox holds every case, and what became of each."""
    root = tmp_path_factory.mktemp("corpus") / "works"
    shutil.copytree(empty_company, root)
    (root / "mappings").mkdir()
    for name, mapping in MAPPINGS.items():
        text = yaml.safe_dump({"mapping_id": name, "description": "", **mapping})
        (root / "mappings" / f"{name}.yml").write_text(text, "utf-8")
        with (root / "apportion.yml").open("a", encoding="utf-8") as file:
            file.write(SOURCE.format(name=name))
    company = open_company(root)
    for name, case in ALL.items():
        company.put(case.content, f"{case.mapping}/{name}")
    yield company, {result.file_name: result for result in company.land()}
    company.books.close()


@pytest.mark.parametrize("name", [name for name, case in ALL.items() if case.letter == "R"])
def test_file_is_refused_and_says_why(
    corpus: tuple[Company, dict[str, LoadResult]], name: str
) -> None:
    company, results = corpus
    result = results[name]
    assert result.state == "refused", result
    for text in (name, *ALL[name].says, "expected", "found", "Nothing was loaded"):
        assert text in result.message
    assert name not in [load["file_name"] for load in company.loads()]


@pytest.mark.parametrize("name", [name for name, case in ALL.items() if case.letter != "R"])
def test_record_is_quarantined_or_nothing_is(
    corpus: tuple[Company, dict[str, LoadResult]], name: str
) -> None:
    (company, results), case = corpus, ALL[name]
    result, records = results[name], _read_records(case)
    assert result.state == "landed", result.message
    quarantined = 1 if case.letter == "Q" else 0
    assert (result.records_delivered, result.records_quarantined) == (len(records), quarantined)
    assert result.records_accepted == len(records) - quarantined
    assert _sum(result, "accepted") + _sum(result, "quarantined") == _sum_delivered(records)
    accepted = [(len(records) - quarantined, _sum(result, "accepted"))]
    assert company.read(result, "select count(*), sum(amount_local) from records") == accepted
    if quarantined:
        _expect_reason(company, result, case)
    notes = " ".join(result.notes)
    assert all(text in notes for text in case.says if case.letter == "W")
    assert bool(notes) == (case.letter == "W"), notes


def test_refused_files_leave_no_trace(corpus: tuple[Company, dict[str, LoadResult]]) -> None:
    company, results = corpus
    landed = {result.sha256 for result in results.values() if result.state == "landed"}
    assert len(results) == len(ALL)
    assert {path.name for path in company.lake_directories()} == landed
    assert {load["sha256"] for load in company.loads()} == landed
    assert len(landed) == sum(case.letter != "R" for case in ALL.values())
    assert company.staging_directories() == []


def _sum_delivered(records: list[dict[str, str]]) -> Decimal:
    """The amounts that are plain numbers, read without the code under test."""
    texts = [record["amount"] for record in records]
    return sum((Decimal(text) for text in texts if NUMBER.fullmatch(text)), Decimal(0))


def _sum(result: LoadResult, part: str) -> Decimal:
    assert result.amounts is not None
    return sum((Decimal(item[part]) for item in result.amounts.values()), Decimal(0))


def _expect_reason(company: Company, result: LoadResult, case: Case) -> None:
    """File, record, field, value and reason are said, and the money is known if it can be."""
    for text in case.says:
        assert any(text in reason for reason in result.reasons), result.reasons
    assert all(
        reason.startswith(f"{result.file_name}, record ") and "; found" in reason
        for reason in result.reasons
    )
    assert result.amounts is not None
    own = result.amounts[case.currency]
    assert own["quarantined"] == (case.money or "0")
    assert own["unreadable_records"] == ("0" if case.money else "1")
    money = Decimal(case.money) if case.money else None
    assert company.read(result, "select amount_local from quarantine") == [(money,)]


def test_delivery_of_mixed_periods_is_refused(company: Company) -> None:
    """`period_mixed`: the control file declares January, and one record is of February."""
    company.put(b"period: 2026-01\n", "own/a.csv.control.yml")
    content = table(line(1), line(2, period="2026-02"))
    result = land_own(company, BY_PERIOD, content)
    assert result.state == "refused"
    assert "expected only 2026-01" in result.message
    assert "found 2026-01, 2026-02" in result.message
    assert company.loads() == []
