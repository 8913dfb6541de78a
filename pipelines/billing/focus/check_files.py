"""Check files of FOCUS as a reader would: from the written bytes, CSV or Parquet, and from nothing
else.

Every column must be there in its type, with a value where it must have one, among the values that
the specification allows; what rows must say of several columns at once stands in `rules.yml`. The
parts of a split charge sum to 1, and the rows of a directory tie to its invoice lines.

Limits: only the datasets and versions of `columns.yml`; unit prices are compared to ten decimals
and quantities to twelve, which is what this program writes. What only the issuer knows (whether a
tag is complete, whether a price is the agreed one) no file can show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict

from pipelines.billing.focus.columns import (
    Column,
    find_datasets,
    list_service_categories,
    list_versions,
)
from pipelines.errors import ControlError, Problem, UsageError

if TYPE_CHECKING:
    import duckdb

RULES = Path(__file__).with_name("rules.yml")
CUSTOM = "x_"
DATE_TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"
NUMBER = r"^-?(0|[1-9]\d*)(\.\d+)?$"
PARQUET_TYPES = {
    "string": "VARCHAR",
    "json": "VARCHAR",
    "decimal": "DECIMAL",
    "datetime": "TIMESTAMP WITH TIME ZONE",
}
CHARGES, INVOICE_LINES = "cost_and_usage", "invoice_detail"


class BrokenFocusError(ControlError):
    """Files that are not what FOCUS says, or do not tie to the bills."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.problems = problems
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        super().__init__("\n".join([f"{what}: {count}", *(f"  - {item}" for item in problems)]))


class Rule(BaseModel):
    """A condition over several columns that no row may meet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    sentence: str
    broken: str

    @property
    def columns(self) -> set[str]:
        return set(re.findall(r"\b[A-Z][A-Za-z]+\b", re.sub(r"'[^']*'", "", self.broken)))


@dataclass(frozen=True)
class Test:
    """A condition that no row may meet, and what is said of a row that does."""

    broken: str
    sentence: str
    field: str | None = None
    rule_id: str | None = None


def check_directory(
    directory: Path, invoices: Mapping[str, Decimal] | None = None
) -> list[Problem]:
    """What is wrong with the files of an export; `invoices`: what each invoice must sum to.

    Raises UsageError where there is nothing to check or a file is none of a dataset.
    """
    paths = sorted([*directory.glob("*.csv"), *directory.glob("*.parquet")])
    if not paths:
        raise UsageError(f"{directory}: expected CSV or Parquet files of FOCUS, found none")
    return [
        problem
        for ending in (".csv", ".parquet")
        for problem in _check_together(
            [path for path in paths if path.suffix == ending], invoices or {}
        )
    ]


def check_file(path: Path) -> list[Problem]:
    """What is wrong with one file, which stands alone. Raises UsageError as above."""
    if path.suffix not in (".csv", ".parquet") or not path.is_file():
        raise UsageError(f"{path}: expected a CSV or Parquet file of FOCUS, or a directory of them")
    return _check_together([path], {})


def _check_together(paths: Sequence[Path], invoices: Mapping[str, Decimal]) -> list[Problem]:
    """Files of one form, each by itself, and then against each other."""
    found, problems = {}, []
    with _connect() as connection:
        for path in paths:
            version, dataset = _open(connection, path)
            found[dataset] = path.name
            problems += _check_dataset(connection, path.name, version, dataset)
        return problems or _check_ties(connection, found, invoices)


def _connect() -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def _open(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[str, str]:
    """Read a file into the table raw_<dataset>, and say which it is: the dataset with most columns
    in common. An empty text is no value: CSV has no other way to write none."""
    target = str(path).replace("'", "''")
    relation = (
        f"read_parquet('{target}')"
        if path.suffix == ".parquet"
        else f"read_csv('{target}', header = true, all_varchar = true, delim = ',', quote = '\"', "
        "escape = '\"', nullstr = '')"
    )
    names = {row[0] for row in connection.execute(f"describe from {relation}").fetchall()}
    candidates = [
        (len(names & {column.name for column in columns}), version, dataset)
        for version in list_versions()
        for dataset, columns in find_datasets(version).items()
    ]
    common, version, dataset = max(candidates)
    if not common:
        raise UsageError(f"{path}: none of its columns is one of FOCUS")
    connection.execute(f"create table raw_{dataset} as from {relation}")
    return version, dataset


def _check_dataset(
    connection: duckdb.DuckDBPyConnection, file: str, version: str, dataset: str
) -> list[Problem]:
    columns = find_datasets(version)[dataset]
    described = connection.execute(f"describe raw_{dataset}").fetchall()
    types = {row[0]: row[1] for row in described}
    present = [column for column in columns if column.name in types]
    problems = _check_header(file, version, columns, types)
    if file.endswith(".csv"):
        tests = [test for column in present for test in _list_text_tests(column)]
        problems += _run_tests(connection, file, f"raw_{dataset}", tests)
    else:
        problems += _check_types(file, present, types)
    if problems:
        return problems
    _make_typed(connection, dataset, present, types)
    tests = [test for column in present for test in _list_value_tests(column)]
    tests += [
        Test(rule.broken, rule.sentence, rule_id=rule.id)
        for rule in _load_rules()[dataset]
        if rule.columns <= set(types)
    ]
    return _run_tests(connection, file, dataset, tests)


def _check_header(
    file: str, version: str, columns: Sequence[Column], types: Mapping[str, str]
) -> list[Problem]:
    expected = [column.name for column in columns]
    missing = [name for name in expected if name not in types]
    unknown = [name for name in types if name not in expected and not name.startswith(CUSTOM)]
    problems = [Problem(file, f"has no column of FOCUS {version}", field=name) for name in missing]
    problems += [
        Problem(
            file,
            f"is no column of FOCUS {version}",
            field=name,
            remedy=f"A column of one's own begins with {CUSTOM}.",
        )
        for name in unknown
    ]
    return problems


def _check_types(file: str, columns: Sequence[Column], types: Mapping[str, str]) -> list[Problem]:
    problems = []
    for column in columns:
        found, expected = types[column.name], PARQUET_TYPES[column.type]
        if found.split("(", maxsplit=1)[0] != expected:
            problems.append(
                Problem(
                    file,
                    "has another type",
                    field=column.name,
                    found=found,
                    expected=expected,
                )
            )
    return problems


def _list_text_tests(column: Column) -> list[Test]:
    """Whether the texts of a CSV are values of their type."""
    pattern = {"decimal": NUMBER, "datetime": DATE_TIME}.get(column.type)
    if pattern is None:
        return []
    condition = f"not regexp_matches(\"{column.name}\", '{pattern}')"
    return [Test(condition, f"is no {column.type}", column.name)]


def _make_typed(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    columns: Sequence[Column],
    types: Mapping[str, str],
) -> None:
    """The table of the dataset's name, in which a CSV has types too."""
    casts = [
        f'cast("{column.name}" as {_sql_type(column)}) as "{column.name}"' for column in columns
    ]
    casts += [f'"{name}"' for name in types if name.startswith(CUSTOM)]
    connection.execute(f"create table {dataset} as select {', '.join(casts)} from raw_{dataset}")


def _sql_type(column: Column) -> str:
    if column.type == "decimal":
        for ending, scale in (("UnitPrice", 10), ("Quantity", 12)):
            if column.name.endswith(ending):
                return f"decimal(38, {scale})"
        return "decimal(38, 22)"
    return "timestamptz" if column.type == "datetime" else "varchar"


def _list_value_tests(column: Column) -> list[Test]:
    name = f'"{column.name}"'
    tests = [] if column.has_nulls else [(f"{name} is null", "has no value")]
    allowed = column.allowed
    if column.format == "service_category":
        allowed = tuple(list_service_categories())
    elif column.format == "service_subcategory":
        allowed = tuple(item for found in list_service_categories().values() for item in found)
    elif column.format == "currency":
        tests.append((f"not regexp_matches({name}, '^[A-Z]{{3}}$')", "is no currency code"))
    elif column.format == "not_negative":
        tests.append((f"{name} < 0", "is less than 0"))
    elif column.format is not None:
        is_object = f"coalesce(try(json_type({name})), '') = 'OBJECT'"
        tests.append((f"{name} is not null and not ({is_object})", "is no JSON object"))
    if allowed:
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in allowed)
        tests.append((f"{name} not in ({values})", "has a value that is not allowed"))
    return [Test(condition, sentence, column.name) for condition, sentence in tests]


def _run_tests(
    connection: duckdb.DuckDBPyConnection, file: str, relation: str, tests: Sequence[Test]
) -> list[Problem]:
    """One problem for each test that a row does not pass: its first row, and how many do not. The
    rows are read once for all tests."""
    if not tests:
        return []
    counts = ", ".join(f"count(*) filter (where {test.broken})" for test in tests)
    row = connection.execute(f"select {counts} from {relation}").fetchone()
    assert row is not None
    return [
        _describe_rows(connection, file, relation, test, count)
        for test, count in zip(tests, row, strict=True)
        if count
    ]


def _describe_rows(
    connection: duckdb.DuckDBPyConnection, file: str, relation: str, test: Test, count: int
) -> Problem:
    shown = f'cast("{test.field}" as varchar)' if test.field else "null"
    row = connection.execute(
        f"select min(place), arg_min(value, place) from (select row_number() over () as place, "
        f"{shown} as value, ({test.broken}) as is_broken from {relation}) where is_broken"
    ).fetchone()
    assert row is not None
    rows = f"{count} row{'s' if count > 1 else ''}"
    message = f"{test.sentence}, in {rows}" if test.field else f"{rows} against: {test.sentence}"
    return Problem(
        file, message, record=row[0], field=test.field, found=row[1], rule_id=test.rule_id
    )


@cache
def _load_rules() -> dict[str, tuple[Rule, ...]]:
    content = yaml.safe_load(RULES.read_text("utf-8"))
    return {
        dataset: tuple(Rule.model_validate(rule) for rule in rules)
        for dataset, rules in content.items()
    }


# What must be equal across rows: a sentence, the key, and both sides by that key.
PARTS = """
select "ResourceId" || ' ' || strftime("ChargePeriodStart", '%Y-%m-%d') as key, 1 as expected,
    sum(list_sum(cast(
        json_extract_string("AllocatedMethodDetails", '$.Elements[*].AllocatedRatio')
        as decimal(38, 12)[]))) as found
from cost_and_usage where "AllocatedMethodDetails" is not null
group by "ResourceId", "ChargePeriodStart" having found is distinct from 1
"""
INVOICE_TIES = """
with billed as (
    select "InvoiceDetailId" as key, sum("BilledCost") as amount from cost_and_usage group by key
),
lines as (
    select "InvoiceDetailId" as key, sum("BilledCost") as amount from invoice_detail group by key
)
select key, lines.amount as expected, billed.amount as found
from billed full outer join lines using (key)
where lines.amount is distinct from billed.amount
"""
UNIQUE_LINES = """
select "InvoiceDetailId" as key, 1 as expected, count(*) as found
from invoice_detail group by "InvoiceId", "InvoiceDetailId" having count(*) > 1
"""
UNKNOWN_PERIODS = """
select distinct strftime("BillingPeriodStart", '%Y-%m-%d') as key, 1 as expected, 0 as found
from cost_and_usage
where "BillingPeriodStart" not in (select "BillingPeriodStart" from billing_period)
"""


def _check_ties(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, str],
    invoices: Mapping[str, Decimal],
) -> list[Problem]:
    ties = [
        ({CHARGES}, "the parts of a split charge do not sum to 1", PARTS),
        ({INVOICE_LINES}, "a line of an invoice is there more than once", UNIQUE_LINES),
        ({CHARGES, INVOICE_LINES}, "charges do not sum to the line of the invoice", INVOICE_TIES),
        ({CHARGES, "billing_period"}, "a billing period is not described", UNKNOWN_PERIODS),
    ]
    problems = []
    for datasets, sentence, query in ties:
        columns = {
            row[0]
            for dataset in datasets & set(files)
            for row in connection.execute(f"describe {dataset}").fetchall()
        }
        if datasets <= set(files) and set(re.findall(r'"(\w+)"', query)) <= columns:
            problems += _find_differences(connection, files, sentence, query)
    for dataset in (CHARGES, INVOICE_LINES):
        if dataset in files and invoices:
            problems += _check_invoices(connection, files[dataset], dataset, invoices)
    return problems


def _find_differences(
    connection: duckdb.DuckDBPyConnection, files: Mapping[str, str], sentence: str, query: str
) -> list[Problem]:
    rows = connection.execute(f"select * from ({query}) order by key").fetchall()
    if not rows:
        return []
    key, expected, found = rows[0]
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    file = files.get(CHARGES) or files[INVOICE_LINES]
    return [Problem(file, f"{sentence}: {key}{more}", expected=_show(expected), found=_show(found))]


def _check_invoices(
    connection: duckdb.DuckDBPyConnection,
    file: str,
    dataset: str,
    invoices: Mapping[str, Decimal],
) -> list[Problem]:
    """Each invoice must be its statement, to the cent, and no invoice may be missing."""
    found = dict(
        connection.execute(
            f'select "InvoiceId", sum("BilledCost") from {dataset} group by "InvoiceId"'
        ).fetchall()
    )
    return [
        Problem(
            file,
            f"invoice {name} is not its statement",
            expected=_show(invoices.get(name)),
            found=_show(found.get(name)),
        )
        for name in sorted({*found, *invoices}, key=str)
        if found.get(name) != invoices.get(name)
    ]


def _show(value: Decimal | int | None) -> str:
    if value is None:
        return "nothing"
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)
