"""SQL that makes a code from a name: 'Computer Hardware' is `computer-hardware`.

The rule looks at the name alone, so the code is the same in every file and for ever: lower case,
umlauts written out, accents left out, signs that are words written as such, everything else a
hyphen. Letters of other scripts are lost in a code, and so are the ends of long names; then eight
characters of a hash of the name stand behind it. Upper and lower case and spaces make no other
name. Two names may still come to one code: that is found by `pipelines/landing/name_table.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.readers.text_marks import literal

WRITTEN_OUT = {
    **{"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe", "ł": "l"},
    **{"đ": "d", "ð": "d", "þ": "th"},
    **{"+": " plus ", "@": " at ", "%": " percent ", "€": " eur ", "£": " gbp "},
    **{"$": " usd ", "#": " no "},
}
MOST_CHARACTERS = 100
HASH_CHARACTERS = 8


def fold_name(text: str) -> str:
    """SQL for a name as it is compared: without case, without what spaces it has, `&` as `and`."""
    spaces = r"'[\s\x{00A0}\x{202F}\x{2007}]+'"
    written = f"replace(lower(nfc_normalize({text})), '&', ' and ')"
    return f"trim(regexp_replace({written}, {spaces}, ' ', 'g'))"


def code_of_name(text: str, told: dict[str, str]) -> str:
    """SQL for the code of the name that the expression `text` gives; NULL where there is none.
    `told` are the codes of some names, compared as `fold_name` does."""
    folded = fold_name(text)
    plain = folded
    for mark, written in WRITTEN_OUT.items():
        plain = f"replace({plain}, {literal(mark)}, {literal(written)})"
    plain = f"strip_accents({plain})"
    code = f"trim(regexp_replace({plain}, '[^a-z0-9]+', '-', 'g'), '-')"
    short = f"trim(left({code}, {MOST_CHARACTERS}), '-')"
    hashed = f"left(md5({folded}), {HASH_CHARACTERS})"
    is_lossy = (
        rf"regexp_matches({plain}, '[^\x00-\x7F]') and regexp_matches({plain}, '[\p{{L}}\p{{N}}]') "
        rf"and regexp_matches(regexp_replace({plain}, '[\x00-\x7F]', '', 'g'), '[\p{{L}}\p{{N}}]') "
        f"or length({code}) > {MOST_CHARACTERS} or {code} = ''"
    )
    made = (
        f"case when {is_lossy} then concat_ws('-', nullif({short}, ''), "
        f"case when {short} = '' then 'n' end, {hashed}) else {code} end"
    )
    cases = "".join(
        f"when {folded} = {fold_name(literal(name))} then {literal(value)} "
        for name, value in told.items()
    )
    is_name = rf"regexp_matches({folded}, '[\p{{L}}\p{{N}}]')"
    return f"case when {text} is null or not {is_name} then null {cases}else {made} end"


def make_codes(names: list[str]) -> list[str]:
    """The codes of some names, by the same rule."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select {code_of_name('name', {})} from unnest(?) with ordinality as t(name, n) "
            "order by n",
            [names],
        ).fetchall()
    return [row[0] for row in rows]


def find_told_codes(names: Sequence[str]) -> dict[str, str]:
    """Name -> a code of its own, for each name whose code another one has already. Of names with
    one code the first in the alphabet keeps it."""
    import duckdb

    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select code, list(name order by folded) from (select {code_of_name('name', {})} as "
            f"code, {fold_name('name')} as folded, min(name) as name from unnest(?) as t(name) "
            "group by all) where code is not null group by code having count(*) > 1 order by code",
            [list(names)],
        ).fetchall()
    return {
        name: f"{code}-{number}"
        for code, same in rows
        for number, name in enumerate(same[1:], start=2)
    }
