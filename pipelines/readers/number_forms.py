"""SQL that turns a number of a declared form into digits, a dot and a minus.

What stands around the digits is taken off first: a sign or code of a currency, then what says that
the number is negative. The rest must be digits in the declared groups, and nothing else.
"""

from __future__ import annotations

import re

from pipelines.contracts.contract import ContractField, FieldType
from pipelines.mappings.mapping import Mapping
from pipelines.readers.text_marks import literal, mark_expression

NUMBERS: tuple[FieldType, ...] = ("decimal", "integer")
LARGEST_EXPONENT = 40
"""Numbers beyond fit no field; so small ones are lost in any rounding that a mapping can name."""
SPACE = r"[ \x{00A0}\x{2009}\x{202F}]"
"""The spaces that exports put into numbers."""
ALIKE = {" ": SPACE, "'": r"['\x{2019}]"}
"""Marks between groups that systems write with several characters."""
EXAMPLES = {"leading": "{}{}", "trailing": "{1}{0}", "parentheses": "({1})", "cr_dr": "{1}{2}"}


def has_number_form(field: ContractField, mapping: Mapping) -> bool:
    """Whether the mapping declares another form than the canonical one for the field."""
    if field.type not in NUMBERS:
        return False
    declared = (
        mapping.decimal_mark != ".",
        mapping.thousands_mark is not None,
        mapping.list_negative_forms() != ("leading",),
        mapping.minus_signs != ("-",),
        mapping.allow_plus,
        takes_currency_marks(field, mapping),
        field.name in mapping.allow_scientific,
    )
    return any(declared)


def takes_currency_marks(field: ContractField, mapping: Mapping) -> bool:
    """Whether a sign of a currency may stand in the field's numbers."""
    return field.type == "decimal" and bool(mapping.currency_marks)


def number_form(name: str, field: ContractField, mapping: Mapping) -> str:
    """SQL for the canonical text of the number `name`; marked where it has another form."""
    text = _without_currency(name, mapping) if takes_currency_marks(field, mapping) else name
    digits = _digits(field, mapping)
    expected = f"a number such as {_example(field, mapping)}"
    if field.name in mapping.allow_scientific:
        return _scientific_form(name, text, digits, expected, mapping)
    patterns, negative = _sign_patterns(text, digits, mapping)
    point = _escape(mapping.decimal_mark)
    bare = f"regexp_replace({text}, '[^0-9{point}]', '', 'g')"
    number = f"replace({bare}, {literal(mapping.decimal_mark)}, '.')"
    return (
        f"case when {name} is null then null "
        f"when regexp_full_match({text}, {literal('|'.join(patterns))}) "
        f"then case when {negative} then '-' else '' end || {number} "
        f"else {mark_expression(name, expected)} end"
    )


def currency_of_mark(name: str, mapping: Mapping) -> str:
    """SQL for the currency that the mark in a delivered amount says, NULL where it has none."""
    before, after = _currency_patterns(mapping)
    found = (
        f"coalesce(nullif(regexp_extract({name}, {literal(before)}, 2), ''), "
        f"regexp_extract({name}, {literal(after)}, 1))"
    )
    cases = " ".join(
        f"when {literal(mark)} then {literal(code)}"
        for mark, code in mapping.currency_marks.items()
    )
    return f"case {found} {cases} end"


def _digits(field: ContractField, mapping: Mapping) -> str:
    whole = r"\d+"
    if mapping.thousands_mark is not None:
        mark = ALIKE.get(mapping.thousands_mark, _escape(mapping.thousands_mark))
        groups = rf"\d{{1,3}}(?:{mark}\d{{3}})+"
        if mapping.digit_groups == "indian":
            groups = rf"\d{{1,2}}(?:{mark}\d{{2}})*{mark}\d{{3}}"
        whole = rf"(?:{groups}|\d+)"
    return whole if field.type == "integer" else rf"{whole}(?:{_escape(mapping.decimal_mark)}\d+)?"


def _sign_patterns(text: str, digits: str, mapping: Mapping) -> tuple[list[str], str]:
    """Patterns of a whole number, and SQL that says whether it is negative."""
    minus = "[" + "".join(map(_escape, mapping.minus_signs)) + "]"
    plus = r"\+?" if mapping.allow_plus else ""
    patterns, negative = [], []
    for form in mapping.list_negative_forms():
        if form == "cr_dr":
            credit, debit = (
                "|".join(re.escape(item) for item in texts)
                for texts in (mapping.sign_marks.negative, mapping.sign_marks.positive)
            )
            zero = rf"0+(?:{_escape(mapping.decimal_mark)}0+)?"
            # Zero is neither, and may stand alone.
            patterns.append(rf"{digits}{SPACE}?(?i:{credit}|{debit})|{zero}")
            negative.append(f"regexp_matches({text}, {literal(rf'(?i)(?:{credit})$')})")
            continue
        pattern, sign = {
            "leading": (f"(?:{minus})?{plus}{digits}", f"^{minus}"),
            "trailing": (f"{plus}{digits}(?:{minus})?", f"{minus}$"),
            "parentheses": (rf"\({digits}\)|{plus}{digits}", r"^\("),
        }[form]
        patterns.append(pattern)
        negative.append(f"regexp_matches({text}, {literal(sign)})")
    return patterns, " or ".join(negative)


def _without_currency(name: str, mapping: Mapping) -> str:
    """SQL for an amount without the one mark that may stand before or after it."""
    before, after = _currency_patterns(mapping)
    return (
        f"case when regexp_matches({name}, {literal(before)}) "
        rf"then regexp_replace({name}, {literal(before)}, '\1') "
        rf"else regexp_replace({name}, {literal(after)}, '\2') end"
    )


def _currency_patterns(mapping: Mapping) -> tuple[str, str]:
    """A mark at the beginning, and one at the end; what says the sign may stand outside of it."""
    # The longest comes first: of US$ and $, US$ is meant.
    texts = sorted(mapping.currency_marks, key=len, reverse=True)
    marks = "|".join(re.escape(text) for text in texts)
    signs = re.escape("".join(mapping.minus_signs)) + "+" * mapping.allow_plus
    words = "|".join(
        re.escape(text)
        for text in (*mapping.sign_marks.negative, *mapping.sign_marks.positive)
        if text
    )
    return (
        rf"^([({signs}]?){SPACE}*({marks}){SPACE}*",
        rf"{SPACE}*({marks})([){signs}]?|{SPACE}?(?i:{words}))$",
    )


def _scientific_form(name: str, text: str, digits: str, expected: str, mapping: Mapping) -> str:
    """A number that may have an exponent, as digits, a dot and E; a later stage writes it out."""
    number = f"replace({text}, 'e', 'E')"
    power = f"try_cast(split_part({number}, 'E', 2) as integer)"
    pattern = literal(f"-?{digits}(E[+-]?[0-9]{{1,3}})?")
    plain = number
    if mapping.thousands_mark is not None:
        mark = ALIKE.get(mapping.thousands_mark, _escape(mapping.thousands_mark))
        plain = f"regexp_replace({plain}, {literal(mark)}, '', 'g')"
    if mapping.decimal_mark != ".":
        plain = f"replace({plain}, {literal(mapping.decimal_mark)}, '.')"
    other = mark_expression(name, f"{expected} or 1{mapping.decimal_mark}5E-7")
    return (
        f"case when {name} is null then null "
        f"when regexp_full_match({number}, {pattern}) "
        f"and abs(coalesce({power}, 0)) <= {LARGEST_EXPONENT} "
        f"then {plain} else {other} end"
    )


def _example(field: ContractField, mapping: Mapping) -> str:
    digits = f"1{mapping.thousands_mark or ''}234"
    if field.type == "decimal":
        digits += f"{mapping.decimal_mark}56"
    credit = mapping.sign_marks.negative[0]
    forms = (EXAMPLES[form] for form in mapping.list_negative_forms())
    shown = " or ".join(form.format(mapping.minus_signs[0], digits, credit) for form in forms)
    if takes_currency_marks(field, mapping):
        shown += f", with {' or '.join(mapping.currency_marks)} before or after it"
    return shown


def _escape(text: str) -> str:
    """One character for a regular expression, inside brackets or not."""
    return f"\\{text}" if text and not text.isalnum() and text.isascii() and text != " " else text
