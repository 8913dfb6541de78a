"""Take from a table what is no record: repeated headers, group headings, totals, rows left out.

What is passed over is counted, and what says a figure is checked before: a total must be the sum
of its records, and rows that a declared condition leaves out are named with their money. Each rule
is a set-based statement over the numbered records, which keep their numbers.

Known limits: a total stands below its records; one of a record whose number cannot be read is not
checked, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract, ContractField
from pipelines.errors import DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping
from pipelines.mappings.setting_parts import RowCondition
from pipelines.mappings.settings import NUMBERED
from pipelines.readers.column_texts import without_mark
from pipelines.readers.csv_header import NATIVE_MARK
from pipelines.readers.delivered import Delivered
from pipelines.readers.number_forms import has_number_form, number_form
from pipelines.readers.text_marks import literal

if TYPE_CHECKING:
    import duckdb

NUMBER = r"-?\d{1,18}(\.\d{1,18})?"
LEFT_OUT = "left_out_records"
"""The records that a condition left out, as a temporary table beside `delivered`."""


def shape_table(
    connection: duckdb.DuckDBPyConnection,
    delivered: Delivered,
    contract: Contract,
    mapping: Mapping,
    name: str,
    *,
    keeps_left_out: bool = False,
) -> Delivered:
    """The records of the table `delivered`, which holds everything between the header and the end.
    With `keeps_left_out`, what a condition leaves out goes into the table LEFT_OUT. Raises
    DeliveryRefusedError where a total is not the sum of its records."""
    table = _Table(connection, delivered, contract, mapping, name)
    notes = [
        *table.pass_over_headers(),
        *table.read_headings(),
        *table.check_totals(),
        *table.fill_down(),
        *table.leave_out_rows(keeps_them=keeps_left_out),
    ]
    header = replace(
        delivered.header,
        columns=tuple(table.columns),
        notes=(*delivered.header.notes, *notes),
        left_out=table.left_out,
    )
    return replace(delivered, header=header)


class _Table:
    """The table `delivered` while it is shaped."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        delivered: Delivered,
        contract: Contract,
        mapping: Mapping,
        name: str,
    ) -> None:
        self.connection, self.contract, self.mapping, self.name = (
            connection,
            contract,
            mapping,
            name,
        )
        self.columns = list(delivered.header.columns)
        self.has_native = delivered.header.has_native
        self.left_out = 0

    def pass_over_headers(self) -> Iterator[str]:
        """Remove records that repeat the header."""
        if not self.mapping.skip_repeated_headers:
            return
        same = " and ".join(
            f"coalesce(trim({self.text(column)}), '') = {literal(_bare(column).strip())}"
            for column in self.columns
        )
        if count := self.delete(same):
            yield f"{count:,} repeated headers passed over"

    def read_headings(self) -> Iterator[str]:
        """Make a column of each kind of heading, and remove the headings."""
        for made, heading in self.mapping.group_headings.items():
            text, pattern = self.text(heading.column), literal(heading.pattern)
            value = f"case when regexp_full_match({text}, {pattern}) "
            value += f"then regexp_extract({text}, {literal(f'^(?:{heading.pattern})$')}, 1) end"
            self.replace_table(
                f"*, last_value({value} ignore nulls) over (order by _row_number) "
                f"as column_{len(self.columns)}"
            )
            self.columns.append(made)
            count = self.delete(f"coalesce(regexp_full_match({text}, {pattern}), false)")
            yield f"{count:,} headings of {made!r} read and passed over"

    def check_totals(self) -> Iterator[str]:
        """Compare each total with the records since the last one of its level or of an outer one,
        and remove the totals."""
        totals = self.mapping.totals
        if not totals:
            return
        cases = " ".join(
            f"when coalesce(regexp_full_match({self.text(t.column)}, {literal(t.pattern)}), false) "
            f"then {level}"
            for level, t in enumerate(totals, start=1)
        )
        level = f"case {cases} end"
        checked = unchecked = 0
        for number, total in enumerate(totals, start=1):
            for column in total.columns:
                agree, unknown = self._compare(level, number, column)
                checked, unchecked = checked + agree, unchecked + unknown
        count = self.delete(f"({level}) is not null")
        yield f"{count:,} totals passed over; {checked:,} figures agree with their records"
        if unchecked:
            yield f"{unchecked:,} figures of totals not checked: a record has no readable number"

    def _compare(self, level: str, number: int, column: str) -> tuple[int, int]:
        """How many totals of a level agree in a column, and how many cannot be checked."""
        text, value = self.text(column), self.number(column)
        rows = self.connection.execute(
            f"""
            with marked as (
                select _row_number, {level} as level, {value} as number,
                    coalesce(trim({text}), '') <> '' as is_filled
                from delivered
            ),
            placed as (
                select *, count(*) filter (level >= {number}) over (
                    order by _row_number rows between unbounded preceding and 1 preceding
                ) as section
                from marked
            )
            select
                max(_row_number) filter (level = {number}),
                max(number) filter (level = {number}),
                coalesce(sum(number) filter (level is null), 0),
                count(*) filter (level is null and is_filled and number is null)
            from placed group by section having count(*) filter (level = {number}) > 0
            order by section
            """
        ).fetchall()
        for record, total, lines, unreadable in rows:
            if total is None or (total != lines and not unreadable):
                raise self._refuse_total(record, column, total, lines)
        unknown = sum(row[3] > 0 for row in rows)
        return len(rows) - unknown, unknown

    def fill_down(self) -> Iterator[str]:
        """Give a value to records that stand below it and leave their own place empty."""
        filled = {}
        for column in self.mapping.fill_down:
            name = f"column_{self.columns.index(column)}"
            tokens = ", ".join(literal(token) for token in ("", *self.mapping.null_tokens))
            own = f"case when trim({self.text(column)}) in ({tokens}) then null else {name} end"
            above = f"last_value({own} ignore nulls) over (order by _row_number)"
            filled[name] = f"{above} as {name}"
        if filled:
            self.replace_table(f"* replace ({', '.join(filled.values())})")
            yield f"empty values of {', '.join(self.mapping.fill_down)} taken from above"

    def leave_out_rows(self, *, keeps_them: bool) -> Iterator[str]:
        """Remove the records that a condition does not keep; `keeps_them` in a table apart."""
        if keeps_them:
            self.connection.execute(
                f"create or replace temp table {LEFT_OUT} as from delivered limit 0"
            )
        for condition in self.mapping.keep_rows:
            if condition.column not in self.columns:
                raise _refuse(self.name, f"lacks {condition.column}", "that column", "none")
            leaves = f"not ({_keeps(condition, self.text(condition.column))})"
            money = self.say_money(leaves)
            if keeps_them:
                self.connection.execute(f"insert into {LEFT_OUT} from delivered where {leaves}")
            if count := self.delete(leaves):
                self.left_out += count
                yield f"{count:,} records left out, because {condition}{money}"

    def say_money(self, condition: str) -> str:
        """The amounts of the records that meet a condition, as a part of a note."""
        field = self.contract.amount_field
        column = next(
            (name for name in self.mapping.column_names(field or "") if name in self.columns), None
        )
        if column is None:
            return ""
        value = self.number(column)
        row = self.connection.execute(
            f"select coalesce(sum({value}), 0), count(*) filter (({value}) is null) "
            f"from delivered where {condition}"
        ).fetchone()
        assert row is not None
        unread = f", {row[1]:,} without a readable amount" if row[1] else ""
        return f": {_show(row[0])} in {column!r}{unread}"

    def text(self, column: str) -> str:
        """SQL for the text of a column. Raises DeliveryRefusedError where it is not there."""
        if column not in self.columns:
            found = ", ".join(self.columns)
            raise _refuse(self.name, f"lacks {column}", f"the column {column}", found)
        name = f"column_{self.columns.index(column)}"
        return f"({without_mark(name, self.has_native)})"

    def number(self, column: str) -> str:
        """SQL for the number in a column, NULL where it holds none."""
        text = f"trim({self.text(column)})"
        field = ContractField(name=column, type="decimal", description="", is_required=False)
        form = (
            number_form(text, field, self.mapping) if has_number_form(field, self.mapping) else text
        )
        if self.has_native:
            name = f"column_{self.columns.index(column)}"
            form = (
                f"case when starts_with({name}, {literal(NATIVE_MARK)}) then {text} else {form} end"
            )
        is_number = f"regexp_full_match({form}, {literal(NUMBER)})"
        return f"case when {is_number} then cast({form} as decimal(38, 18)) end"

    def delete(self, condition: str) -> int:
        """Remove the records that meet a condition; how many."""
        row = self.connection.execute(f"delete from delivered where {condition}").fetchone()
        return row[0] if row else 0

    def replace_table(self, selected: str) -> None:
        """Let `delivered` be a query over itself."""
        self.connection.execute(
            f"create or replace temp table shaped as select {selected} from delivered"
        )
        self.connection.execute("drop table delivered")
        self.connection.execute("alter table shaped rename to delivered")

    def _refuse_total(
        self, record: int, column: str, total: Decimal | None, lines: Decimal
    ) -> DeliveryRefusedError:
        if total is None:
            return _refuse(
                self.name, f"is a total without a number in {column!r}",
                _show(lines), "no number", record,
            )  # fmt: skip
        amount = _show(abs(lines - total))
        direction = "too little" if total < lines else "too much"
        return _refuse(
            self.name,
            f"is a total of {column!r} that is {amount} {direction}",
            f"{_show(lines)}, the sum of its records",
            _show(total),
            record,
        )


def _keeps(condition: RowCondition, text: str) -> str:
    """SQL: whether a condition keeps a record."""
    empty = f"coalesce({text}, '')"
    values = ", ".join(map(literal, condition.values))
    meets = f"{empty} in ({values})" if condition.values else "false"
    if condition.pattern is not None:
        meets = f"regexp_full_match({empty}, {literal(condition.pattern)})"
    return f"not ({meets})" if condition.is_not else meets


def _bare(column: str) -> str:
    """A column's name as it is delivered: without the number of the second one of that name."""
    match = NUMBERED.fullmatch(column)
    return match[1] if match else column


def _show(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


def _refuse(
    name: str, message: str, expected: str, found: str, record: int | None = None
) -> DeliveryRefusedError:
    remedy = "Nothing was loaded. Correct the file or its mapping, then land it again."
    return DeliveryRefusedError(
        Problem(name, message, record, expected=expected, found=found, remedy=remedy)
    )
