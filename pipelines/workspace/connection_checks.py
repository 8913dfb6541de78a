"""Check that what a connection pulls can land: its place in the inbox, its mapping, its keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipelines.contracts.contract import list_contract_ids, load_contract
from pipelines.mappings.mapping import Mapping, load_mapping
from pipelines.workspace.config import Source, WorkspaceConfig
from pipelines.workspace.connections import is_incremental
from pipelines.workspace.yaml_files import Path_

SAMPLE_MOMENT = "20260331T235959.999999Z_all"


def name_pulled_file(source_id: str, moment: str) -> str:
    """The name of a pulled delivery; files of a source sort by the moment of their pull."""
    return f"{source_id}_{moment}.jsonl"


def find_inbox_place(source: Source) -> PurePosixPath | None:
    """The directory below inbox/ that the source's glob reads; None where it may be several."""
    place = PurePosixPath(source.inbox).parent
    return None if any(mark in str(place) for mark in "*?[") else place


def check_connection(
    config: WorkspaceConfig, source_id: str, own_mappings: Path | None
) -> Iterator[tuple[Path_, str, str]]:
    """Problems (path, message, remedy) of one source's connection and way of redelivery."""
    source = config.sources[source_id]
    path: Path_ = ("sources", source_id)
    mapping = _find_mapping(source, own_mappings)
    yield from _check_key(path, source, mapping)
    if source.connection is None:
        return
    yield from _check_place(path, config, source_id)
    if mapping is not None and (mapping.format, mapping.compression) != ("jsonl", "none"):
        message = f"the mapping '{source.mapping}' reads no JSON lines, and pulled files are such"
        remedy = "Use canonical_jsonl, another mapping with format: jsonl, or one of your own."
        yield (*path, "mapping"), message, remedy
    if is_incremental(source.connection) and source.redelivery != "update_records":
        message = (
            f"redelivery is '{source.redelivery}', and the connection pulls records again when "
            "they change"
        )
        remedy = "Declare redelivery: update_records, or pull everything each time."
        yield (*path, "redelivery"), message, remedy


def _check_key(
    path: Path_, source: Source, mapping: Mapping | None
) -> Iterator[tuple[Path_, str, str]]:
    if source.redelivery != "update_records" or source.contract not in list_contract_ids():
        return
    key = load_contract(source.contract).key if source.unique_key is None else source.unique_key
    if not key:
        message = f"records of '{source.contract}' have no key by which one could update another"
        yield (*path, "redelivery"), message, "Use replace_period or append."
    elif mapping is not None and mapping.row_key:
        message = f"the mapping '{source.mapping}' makes keys of its own for every file"
        yield (*path, "redelivery"), message, "Use replace_period or append."


def _check_place(
    path: Path_, config: WorkspaceConfig, source_id: str
) -> Iterator[tuple[Path_, str, str]]:
    place = find_inbox_place(config.sources[source_id])
    name = name_pulled_file(source_id, SAMPLE_MOMENT)
    if place is None or not _reads(config.sources[source_id], place / name):
        message = f"the glob does not say where a pulled file such as {name} is to lie"
        yield (*path, "inbox"), message, f"Use a glob such as {source_id}/*.jsonl."
        return
    for other_id, other in config.sources.items():
        if other_id != source_id and _reads(other, place / name):
            message = f"the source '{other_id}' would read the pulled files too"
            yield (*path, "inbox"), message, "Give each source a directory of its own."


def _reads(source: Source, file: PurePosixPath) -> bool:
    """Whether the source's glob finds the file; `**` is taken for any directories, none too."""
    glob = PurePosixPath(source.inbox)
    if "**" in glob.parts:
        start = glob.parts[: glob.parts.index("**")]
        return file.parts[: len(start)] == start and file.match(glob.name)
    return len(glob.parts) == len(file.parts) and file.match(source.inbox)


def _find_mapping(source: Source, own_mappings: Path | None) -> Mapping | None:
    """The source's mapping; None where that is a problem of its own."""
    try:
        return load_mapping(source.mapping, load_contract(source.contract), own_mappings)
    except (KeyError, ValueError):
        return None
