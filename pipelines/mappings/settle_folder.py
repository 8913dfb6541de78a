"""Settle which columns of a folder's files hold one field, where the files have different ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.mappings.file_head import FileHead
from pipelines.mappings.infer import rate_pair
from pipelines.mappings.matches import Match
from pipelines.mappings.value_shapes import ColumnShape

if TYPE_CHECKING:
    from pipelines.mappings.settle import Draft


def settle_lacking(draft: Draft, match: Match, shapes: dict[str, ColumnShape]) -> None:
    """Columns that some files of a folder lack: other files call them otherwise, or they are
    optional there."""
    head = draft.head
    columns: dict[str, Any] = draft.settings["columns"]
    optional = []
    for name, column in list(columns.items()):
        if column not in head.lacking:
            continue
        item = match.contract.field(name)
        rated = [
            (guess.confidence, other)
            for other, shape in shapes.items()
            if other != column
            and other in head.lacking
            and set(head.lacking[column]) - set(head.lacking[other])
            and (guess := rate_pair(item, other, shape, match.contract.contract_id)) is not None
        ]
        others = _keep_apart(head, column, sorted(rated, key=lambda found: -found[0]))
        if others:
            columns[name] = [column, *others]
            draft.decide(f"columns.{name}: {', '.join([column, *others])} hold it, by file")
        absent = set(head.lacking[column]).intersection(*(head.lacking[other] for other in others))
        if absent:
            optional += [column, *others]
            if item.is_required:
                draft.decide(
                    f"columns.{name}: {len(absent)} of the files have no column {column!r}, such "
                    f"as {min(absent)}; their records lack a required field"
                )
    if optional:
        draft.settings["optional_columns"] = optional


def _keep_apart(head: FileHead, column: str, rated: list[tuple[float, str]]) -> list[str]:
    """The columns, surest first, of which no file has two, nor one beside `column`."""
    files = set(head.file_names)
    taken = files - set(head.lacking[column])
    kept = []
    for _, other in rated:
        own = files - set(head.lacking[other])
        if not own & taken:
            kept.append(other)
            taken |= own
    return kept
