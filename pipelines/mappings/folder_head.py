"""The head of a folder: all of its files as one table, with the union of their columns.

Files of one sender change over time: a column is added, renamed or left out. One mapping reads them
all where they have one form; a file of another form (delimiter, encoding, header line) is named,
because it needs a mapping of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.mappings.file_head import FileHead, HeadNotReadError, RecordSample, read_head
from pipelines.readers.file_names import show_file_name

MOST_FILES = 400
IGNORED_ENDINGS = (".control.json", ".control.yml", ".md", ".txt.md", ".html", ".pdf", ".py")
FORM_FIELDS = (
    "format",
    "compression",
    "encoding",
    "delimiter",
    "header_row",
    "header_rows",
    "records_at",
)


def read_folder(path: Path) -> FileHead:
    """Describe all files of a folder. Raises HeadNotReadError where it holds no table."""
    name = show_file_name(path)
    files = list_files(path)
    if not files:
        raise HeadNotReadError(name, "a folder without files")
    heads: list[FileHead] = []
    unread: list[str] = []
    for file in files[:MOST_FILES]:
        try:
            heads.append(replace(read_head(file), name=file.relative_to(path).as_posix()))
        except HeadNotReadError:
            unread.append(file.relative_to(path).as_posix())
    if not heads:
        raise HeadNotReadError(name, f"{len(files)} files, none of which is a table")
    form, _ = Counter(_find_form(head) for head in heads).most_common(1)[0]
    chosen = [head for head in heads if _has_form(head, form)]
    others = [head for head in heads if not _has_form(head, form)]
    return _join_heads(name, chosen, _describe_others(form, others, unread))


def list_files(path: Path) -> list[Path]:
    """The files of a folder and its folders that may be deliveries, by name."""
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and not file.name.endswith(IGNORED_ENDINGS)
        and not file.name.startswith(("SOURCE", "README", "LICENSE", "NOTICE", "license"))
    )


def _find_form(head: FileHead) -> tuple[object, ...]:
    return tuple(getattr(head, name) for name in FORM_FIELDS)


def _has_form(head: FileHead, form: tuple[object, ...]) -> bool:
    """Whether one mapping reads the file beside those of `form`: text that is only ASCII has every
    encoding."""
    own = _find_form(head)
    encoding = FORM_FIELDS.index("encoding")
    if head.is_ascii or (form[encoding] == "utf-8" and head.is_ascii):
        own = (*own[:encoding], form[encoding], *own[encoding + 1 :])
    return own == form


def _describe_others(
    form: tuple[object, ...], others: Sequence[FileHead], unread: Sequence[str]
) -> tuple[str, ...]:
    texts = []
    for head in others:
        differing = [
            f"{name} {value!r} instead of {wanted!r}"
            for name, value, wanted in zip(FORM_FIELDS, _find_form(head), form, strict=True)
            if value != wanted
        ]
        texts.append(f"{head.name} has {', '.join(differing)}; it needs a mapping of its own")
    texts += [f"{name} is no table; move it out of the folder" for name in unread]
    return tuple(texts)


def _join_heads(name: str, heads: Sequence[FileHead], others: tuple[str, ...]) -> FileHead:
    columns = tuple(dict.fromkeys(column for head in heads for column in head.columns))
    sample = RecordSample(len(columns))
    for head in heads:
        indexes = {column: number for number, column in enumerate(head.columns)}
        for record in head.records:
            sample.add(tuple(record[indexes[c]] if c in indexes else "" for c in columns))
    lacking = {
        column: absent
        for column in columns
        if (absent := tuple(head.name for head in heads if column not in head.columns))
    }
    first = max(heads, key=lambda head: not head.is_ascii)
    return replace(
        first,
        name=name,
        columns=columns,
        records=tuple(sample.records),
        lines=(),
        encoding_is_sure=all(head.encoding_is_sure for head in heads),
        is_ascii=all(head.is_ascii for head in heads),
        footer_rows=min(head.footer_rows for head in heads),
        floats=tuple(c for c in columns if any(c in head.floats for head in heads)),
        natives=tuple(
            c for c in columns if all(c in head.natives for head in heads if c in head.columns)
        ),
        is_whole=sample.is_whole and all(head.is_whole for head in heads),
        lacking=lacking,
        file_names=tuple(head.name for head in heads),
        other_forms=others,
        values={
            c: tuple(sorted({value for head in heads for value in head.values.get(c, ())}))
            for c in columns
            if all(c in head.values for head in heads if c in head.columns)
        },
        repeating=frozenset().union(*(head.repeating for head in heads)),
    )
