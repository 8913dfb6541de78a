"""Replace texts that name a person by pseudonyms, in SQL, before anything of them is written.

A pseudonym is `p-` and the first 20 hexadecimal digits of SHA-256 over the workspace's key and the
text without spaces around it. The same text gives the same pseudonym in every delivery of a
workspace; without the key nobody can find the name by trying names. 80 bits are enough to keep the
persons of one company apart, and leave too little of the hash to be continued.

A text that has the form of a pseudonym already stays, so that a record that was read once can be
checked again. Known limit: two spellings of one name are two persons.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Texts
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.contracts.contract import Contract
from pipelines.errors import DeliveryRefusedError
from pipelines.mappings.mapping import Mapping
from pipelines.readers.text_marks import MISREAD_MARK, is_misread, literal
from pipelines.workspace.config import Source

if TYPE_CHECKING:
    import duckdb

    from pipelines.workspace.workspace import Workspace

PREFIX = "p-"
DIGITS = 20
PSEUDONYM = rf"{PREFIX}[0-9a-f]{{{DIGITS}}}"
KEY_VARIABLE = "pseudonym_key"
"""The key is a variable of the connection: a text in SQL may show up in a message."""


def list_personal_fields(contract: Contract) -> tuple[str, ...]:
    """Fields of the contract that name a person."""
    return tuple(field.name for field in contract.fields if field.is_personal)


def names_persons(contract: Contract, mapping: Mapping) -> bool:
    """Whether the mapping fills a field that names a person."""
    return any(mapping.fills_field(name) for name in list_personal_fields(contract))


def keeps_original(source: Source, contract: Contract, mapping: Mapping) -> bool:
    """Whether landing keeps the bytes of a delivery, as the source says or by its default."""
    if source.keep_original is None:
        return not names_persons(contract, mapping)
    return source.keep_original


def give_key(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, contract: Contract
) -> None:
    """Give `connection` the workspace's key, if the contract names persons."""
    from pipelines.workspace.pseudonym_key import find_or_make_key

    if list_personal_fields(contract):
        key = find_or_make_key(workspace)
        connection.execute(f"set variable {KEY_VARIABLE} = ?", [key])


def pseudonym_expression(name: str) -> str:
    """SQL for the pseudonym of the text `name`; of a misread one, what was delivered of it.

    Fails in a connection that was not given the key, so that no name passes by accident.
    """
    mark = literal(MISREAD_MARK)
    return (
        f"case when {is_misread(name)} then {mark} || "
        f"{_replace(f'split_part({name}, {mark}, 2)')} || {mark} || split_part({name}, {mark}, 3) "
        f"else {_replace(name)} end"
    )


def replace_values(
    connection: duckdb.DuckDBPyConnection, contract: Contract, values: Texts[str, str | None]
) -> dict[str, str | None]:
    """Values that a person sets, with pseudonyms in the fields that name a person."""
    personal = list_personal_fields(contract)
    result = dict(values)
    for name in personal:
        if result.get(name):
            row = connection.execute(
                f"select {pseudonym_expression('name')} from (select cast(? as varchar) as name)",
                [result[name]],
            ).fetchone()
            assert row is not None
            result[name] = row[0]
    return result


@contextmanager
def hide_delivered_lines(contract: Contract, mapping: Mapping) -> Iterator[None]:
    """Keep a line of the delivery out of the message with which its file is refused, where such a
    line may name a person."""
    try:
        yield
    except DeliveryRefusedError as error:
        if not names_persons(contract, mapping) or error.problem.found is None:
            raise
        shown = "what is not shown here, because the delivery names persons"
        raise DeliveryRefusedError(replace(error.problem, found=shown)) from None


def _replace(text: str) -> str:
    key = f"getvariable('{KEY_VARIABLE}')"
    digest = f"sha256({key} || ':' || trim({text}))"
    return (
        f"case when {text} is null or trim({text}) = '' "
        f"or regexp_full_match({text}, {literal(PSEUDONYM)}) then {text} "
        f"when {key} is null then error('no pseudonym key was given') "
        f"else {literal(PREFIX)} || left({digest}, {DIGITS}) end"
    )
