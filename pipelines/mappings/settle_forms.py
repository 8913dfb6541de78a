"""Settle how numbers, dates, times and periods are written, from what their values prove."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipelines.contracts.contract import Contract
from pipelines.mappings.column_hints import (
    choose_currency,
    load_contract_hints,
    load_forms,
    split_scale,
)
from pipelines.mappings.matches import Guess
from pipelines.mappings.value_shapes import (
    ENGINE_DECIMALS,
    ColumnShape,
    DateShape,
    NumberShape,
    describe_day_and_month,
)

if TYPE_CHECKING:
    from pipelines.mappings.settle import Draft

CENTURY = 20
YEARS = (
    r"\b((?:19|20)\d\d)(?:0[1-9]|1[0-2])01\b",
    r"\b((?:19|20)\d\d)\b",
)
"""The year of a first day such as 20260101, or a year by itself."""


def settle_numbers(
    draft: Draft,
    contract: Contract,
    by_field: dict[str, Guess],
    shapes: dict[str, ColumnShape],
    natives: tuple[str, ...],
) -> None:
    """Decimal mark, thousands mark, negative form, precision and scale of the decimal fields."""
    by_number: list[tuple[str, NumberShape]] = [
        (item.name, shape)
        for item in contract.fields
        if item.type == "decimal" and item.name in by_field
        for column in by_field[item.name].columns
        if column not in natives and (shape := shapes[column].number) is not None
    ]
    numbers = [shape for _, shape in by_number]
    _settle_precision(draft, contract, by_number)
    _settle_currency_marks(draft, contract, by_field, shapes, numbers)
    _settle_sides(draft, numbers)
    _settle_scale(draft, contract, by_field)
    marks = frozenset[str]().union(*(n.decimal_marks for n in numbers))
    thousands = frozenset[str]().union(*(n.thousands_marks for n in numbers))
    if not marks and len(thousands & {".", ","}) == 1:
        # A mark that stands in one number twice groups its digits; the decimals have the other.
        marks = frozenset(".,") - thousands
    open_examples = [text for n in numbers for text in n.open_examples]
    if len(marks) > 1:
        draft.decide("decimal_mark: '.' and ',' both stand before decimals; ask the sender")
    elif not marks and open_examples:
        draft.decide(
            f"decimal_mark: '.' or ','; {open_examples[0]} can be read both ways, and no number "
            "of the head tells"
        )
    elif marks == {","}:
        draft.settings["decimal_mark"] = ","
    if len(marks) == 1:
        thousands |= {mark for text in open_examples for mark in ".,"
                      if mark in text and mark not in marks}  # fmt: skip
    thousands -= marks
    if len(thousands) == 1:
        draft.settings["thousands_mark"] = next(iter(thousands))
    elif thousands and len(marks) == 1:
        draft.decide(f"thousands_mark: several are used: {', '.join(map(repr, sorted(thousands)))}")
    forms = frozenset[str]().union(*(n.negative_forms for n in numbers))
    if len(forms) > 1 and "cr_dr" in forms:
        draft.decide(f"negative_form: several are used: {', '.join(sorted(forms))}")
    elif len(forms) > 1:
        draft.settings["negative_form"] = sorted(forms)
    elif forms - {"leading"}:
        draft.settings["negative_form"] = next(iter(forms))


def _settle_currency_marks(
    draft: Draft,
    contract: Contract,
    by_field: dict[str, Guess],
    shapes: dict[str, ColumnShape],
    numbers: list[NumberShape],
) -> None:
    """Signs and codes of currencies in amounts, with the currencies that they stand for."""
    marks = sorted(frozenset[str]().union(*(n.currency_marks for n in numbers)))
    if not marks:
        return
    guess = by_field.get(contract.currency_field or "")
    known = shapes[guess.column].distinct if guess is not None else ()
    draft.settings["currency_marks"] = {
        mark: choose_currency(mark, known or (draft.answers.currency or "",)) for mark in marks
    }
    for mark in marks:
        others = load_forms().currencies.signs.get(mark, ())
        if len(others) > 1 and len(known) != 1:
            draft.decide(
                f"currency_marks: {mark!r} in amounts is taken for "
                f"{draft.settings['currency_marks'][mark]}; {', '.join(others)} are written so"
            )


def _settle_sides(draft: Draft, numbers: list[NumberShape]) -> None:
    """Texts behind numbers that say debit or credit, where they are others than CR and DR."""
    sides = frozenset[str]().union(*(n.sides for n in numbers))
    if not sides:
        return
    pairs = [(p, n) for p, n in load_forms().sign_pairs if n in sides]
    # Of pairs with one credit, such as S/H and D/H, that counts whose debit is there.
    pairs = [pair for pair in pairs if pair[0] in sides] or pairs
    positive, negative = [p for p, _ in pairs], [n for _, n in pairs]
    if not negative:
        # Debits alone are marked: what has no text behind it is none of the two.
        draft.decide(f"sign_marks: which of {', '.join(sorted(sides - {''}))} is a credit?")
        return
    credits = list(dict.fromkeys(negative))
    debits = [text for text in dict.fromkeys(positive) if text in sides]
    # Zero stands alone on either side.
    debits += [""] * (not debits)
    upper = ({text.upper() for text in credits}, {text.upper() for text in debits})
    if upper != ({"CR"}, {"DR"}):
        draft.settings["sign_marks"] = {"negative": credits, "positive": debits}
    draft.decide(
        f"negative_form: numbers with {' or '.join(credits)} behind them are credits, and "
        "negative; check that it is so"
    )


def _settle_precision(
    draft: Draft, contract: Contract, numbers: list[tuple[str, NumberShape]]
) -> None:
    """Exponents are written out exactly; rounding changes a figure: a person must allow it."""
    if names := [name for name, shape in numbers if shape.has_exponents]:
        draft.settings["allow_scientific"] = list(dict.fromkeys(names))
    long = [n for n, s in numbers if s.has_many_decimals and not contract.field(n).is_rounded]
    if long:
        draft.settings["round_to"] = dict.fromkeys(long, ENGINE_DECIMALS)
        draft.decide(
            f"round_to: {', '.join(dict.fromkeys(long))} comes with more than {ENGINE_DECIMALS} "
            "decimals; without rounding such records are quarantined"
        )


def _settle_scale(draft: Draft, contract: Contract, by_field: dict[str, Guess]) -> None:
    """Amounts in thousands or millions, as the name of their column says."""
    for item in contract.fields:
        if item.type != "decimal" or item.name not in by_field:
            continue
        column = by_field[item.name].column
        power = split_scale(column)[1]
        if power is not None:
            draft.settings.setdefault("power_of_ten", {})[item.name] = power
            draft.decide(
                f"power_of_ten.{item.name}: the name {column!r} says that it counts units of "
                f"{10**power:,}"
            )


def settle_dates(
    draft: Draft,
    contract: Contract,
    by_field: dict[str, Guess],
    shapes: dict[str, ColumnShape],
    natives: tuple[str, ...],
) -> None:
    """Order, separator, formats and languages of dates and times."""
    dates: list[tuple[str, str, DateShape]] = [
        (item.name, item.type, shape)
        for item in contract.fields
        if item.type in ("date", "timestamp") and item.name in by_field
        if by_field[item.name].column not in natives
        if (shape := _find_shape(item.type, shapes[by_field[item.name].column])) is not None
    ]
    named = [(n, k, s) for n, k, s in dates if s.named is not None]
    for name, kind, shape in named:
        _settle_named(draft, name, kind, shape, shapes[by_field[name].column])
    if dates := [item for item in dates if item[2].named is None]:
        _settle_ordered(draft, dates, by_field, shapes)
    _settle_zone(draft, contract, by_field, shapes)


def _settle_zone(
    draft: Draft, contract: Contract, by_field: dict[str, Guess], shapes: dict[str, ColumnShape]
) -> None:
    """Times that name no zone: that of the systems which write such files, or of the workspace, is
    proposed; else only a person can say it."""
    times = [
        (item.name, column.distinct[0])
        for item in contract.fields
        if item.type == "timestamp" and item.name in by_field
        if (column := shapes[by_field[item.name].column]).date is not None
        if column.date.has_time and not column.date.has_zone
    ]
    if not times:
        return
    named = ", ".join(name for name, _ in times)
    begin = f"time_zone: {named}, such as {times[0][1]}, names no zone"
    of_systems = load_contract_hints(contract.contract_id).time_zone
    zone = of_systems or draft.answers.time_zone
    if zone is None:
        draft.decide(f"{begin}; name it, such as Europe/Berlin; without it times are read as UTC")
        return
    draft.settings["time_zone"] = zone
    whose = "such exports are written in" if of_systems else "the zone of the workspace is"
    draft.decide(f"{begin}; {whose} {zone}, which is proposed")


def _find_shape(kind: str, column: ColumnShape) -> DateShape | None:
    """The shape of a column's dates; a day and a month without a year are a date, too."""
    if kind == "date" and not column.date_share and column.is_day_and_month:
        return describe_day_and_month()
    return column.date


def _settle_named(
    draft: Draft, name: str, kind: str, shape: DateShape, column: ColumnShape
) -> None:
    """Dates with a month by name, or with neither a year nor a mark."""
    assert shape.named is not None
    setting = "date_formats" if kind == "date" else "timestamp_formats"
    formats = draft.settings.setdefault(setting, [])
    wanted = (shape.named.format, *shape.named.also)
    formats += [item for item in wanted if item not in formats]
    if shape.named.languages:
        languages = draft.settings.setdefault("languages", [])
        languages += [item for item in shape.named.languages if item not in languages]
    if "%y" in shape.named.format:
        draft.settings["century"] = CENTURY
    if "%Y" not in shape.named.format and "%y" not in shape.named.format:
        _settle_year(draft, name, column)


def _settle_year(draft: Draft, name: str, column: ColumnShape) -> None:
    """Days without a year: a title or the name of the file may say it."""
    titles = draft.head.titles
    found = next((text for text in titles if _find_year(text) is not None), None)
    if found is not None:
        draft.settings["year_from"] = {"where": "titles", "pattern": _find_year(found)}
        draft.decide(
            f"year_from: {name} is written without a year, such as {column.distinct[0]}; the lines "
            "before the header hold one; check that it is that of the postings"
        )
    else:
        draft.decide(
            f"year_from: {name} is written without a year, such as {column.distinct[0]}; say where "
            "it is: {where: mapping, year: 2026}, or the name of the file"
        )


def _find_year(text: str) -> str | None:
    """A pattern that finds the year of a title: of a first day such as 20260101, or by itself."""
    for pattern in YEARS:
        if re.search(pattern, text):
            return pattern
    return None


def _settle_ordered(
    draft: Draft,
    dates: list[tuple[str, str, DateShape]],
    by_field: dict[str, Guess],
    shapes: dict[str, ColumnShape],
) -> None:
    short = [name for name, _, shape in dates if shape.has_short_year]
    if short and len(short) == len(dates):
        draft.settings["century"] = CENTURY
        draft.decide(f"century: the years of {short[0]} have two digits; 20 is put before them")
    elif short:
        draft.decide(f"{short[0]}: its years have two digits, others four; ask the sender")
    # One system writes all of its dates in one order: a sure one settles the others.
    orders = frozenset({"ymd", "dmy", "mdy"}).intersection(*(shape.orders for _, _, shape in dates))
    examples = {name: shapes[by_field[name].column].distinct[0] for name, _, _ in dates}
    first = dates[0][0]
    if not orders:
        draft.decide(f"date_order: the dates contradict each other, such as {examples[first]}")
        return
    if len(orders) > 1 and draft.answers.settings.get("date_order") in orders:
        orders = frozenset({draft.answers.settings["date_order"]})
    if len(orders) > 1:
        draft.decide(
            f"date_order: day or month first; {examples[first]} and all other dates of the head "
            "can be read both ways"
        )
        return
    order = next(iter(orders))
    days = [shape for _, kind, shape in dates if kind == "date"]
    timed = next((name for name, kind, shape in dates if kind == "date" and shape.has_time), None)
    if timed is not None:
        _settle_days_with_times(draft, order, [s for _, k, s in dates if k == "date"])
    elif days and (order, days[0].separator) != ("ymd", "-"):
        draft.settings["date_order"] = order
        draft.settings["date_separator"] = days[0].separator
    formats = [_time_format(order, s) for _, kind, s in dates if kind == "timestamp"]
    formats += [
        shape.iso_format
        for name, kind, shape in dates
        if kind == "timestamp" and not _is_iso(shapes[by_field[name].column])
    ]
    if named := list(dict.fromkeys(item for item in formats if item)):
        # Beside a declared form the ISO one must be declared too.
        named += [s.iso_format for _, kind, s in dates if kind == "timestamp" and s.iso_format]
        draft.settings["timestamp_formats"] = list(dict.fromkeys(named))


def _is_iso(column: ColumnShape) -> bool:
    """Whether landing reads the times as they are."""
    from pipelines.landing.field_checks import PATTERNS

    return all(re.fullmatch(PATTERNS["timestamp"][0], text) for text in column.distinct)


def _settle_days_with_times(draft: Draft, order: str, shapes: list[DateShape]) -> None:
    """Days that come with a time are read by their format."""
    formats = [
        (shape.iso_format or shape.time_format or "%Y-%m-%d")
        if order == "ymd"
        else _day_format(order, shape) + (shape.time_format or "")
        for shape in shapes
    ]
    draft.settings["date_formats"] = list(dict.fromkeys(formats))


def _time_format(order: str, shape: DateShape) -> str | None:
    if order == "ymd":
        if not shape.has_time and shape.separator:
            return f"%Y{shape.separator}%m{shape.separator}%d"
        return shape.time_format if shape.has_time else "%Y%m%d"
    return _day_format(order, shape) + (shape.time_format or "")


def _day_format(order: str, shape: DateShape) -> str:
    mark, year = shape.separator, "%y" if shape.has_short_year else "%Y"
    return {"dmy": f"%d{mark}%m{mark}{year}", "mdy": f"%m{mark}%d{mark}{year}"}[order]


def describe_period(draft: Draft, match: Any, shapes: dict[str, ColumnShape]) -> None:
    """The form of a column of periods that is not 2026-03."""
    guess = next((g for g in match.guesses if g.field == match.contract.period_field), None)
    if guess is None or match.contract.field(guess.field).type != "period":
        return
    form = shapes[guess.column].period
    if form is None:
        return
    draft.settings["period_formats"] = [form.format]
    if form.languages:
        languages = draft.settings.setdefault("languages", [])
        languages += [item for item in form.languages if item not in languages]
    if "%y" in form.format:
        draft.settings["century"] = CENTURY
