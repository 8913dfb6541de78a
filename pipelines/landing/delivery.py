"""Which files of the inbox are deliveries of which source, and how each is to be read."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from pipelines.contracts.contract import Contract, load_contract_in
from pipelines.errors import ConfigurationError, DeliveryRefusedError, Problem
from pipelines.mappings.mapping import Mapping, load_mapping
from pipelines.readers.file_names import show_file_name
from pipelines.readers.personal_texts import keeps_original
from pipelines.workspace.config import HoldSettings, Source
from pipelines.workspace.workspace import CONFIG_NAME, Workspace

CONTROL_SUFFIX = ".control.yml"
PLACEHOLDERS = (".gitkeep", ".gitignore", ".keep")
BEING_WRITTEN = ".pulling"
"""End of the name under which `apportion pull` writes a file."""
NEAR_SHOWN = 3


@dataclass(frozen=True)
class Delivery:
    """One file of one source, ready to be read."""

    path: Path
    source_id: str
    source: Source
    contract: Contract
    mapping: Mapping

    @property
    def name(self) -> str:
        """The file's name as it may be shown."""
        return show_file_name(self.path)

    @property
    def unique_key(self) -> tuple[str, ...]:
        """Fields whose values no two records may share; none where they may repeat."""
        key = self.source.unique_key
        return self.contract.key if key is None else key

    def is_compared(self, settings: HoldSettings) -> bool:
        """Whether its amounts are compared with those of other periods before it counts."""
        if self.contract.amount_field is None or self.contract.period_field is None:
            return False
        is_update = self.source.redelivery == "update_records"
        return not is_update and self.source.find_hold_limit(settings) is not None

    @property
    def keeps_original(self) -> bool:
        """Whether the delivered bytes stay in the lake, and not only their hash."""
        return keeps_original(self.source, self.contract, self.mapping)

    @property
    def control_path(self) -> Path:
        """Where the sender's control file lies, if there is one."""
        return self.path.with_name(self.path.name + CONTROL_SUFFIX)


def find_deliveries(workspace: Workspace) -> Iterator[Delivery]:
    """Files in the inbox, by source and name. Raises ConfigurationError before the first one if a
    source names a contract or mapping that does not exist.

    What is neither file nor directory (a pipe, a device, a link that leads nowhere) is one of them,
    so that it is refused and not passed over."""
    sources = workspace.config.sources
    forms = {key: resolve_source(workspace, key, source) for key, source in sources.items()}
    for source_id, source in sources.items():
        for path in sorted(workspace.inbox.glob(source.inbox)):
            if not path.is_dir() and not _is_passed_over(path):
                yield Delivery(path, source_id, source, *forms[source_id])


def refuse_unused(delivery: Delivery) -> None:
    """Raise DeliveryRefusedError where no figure is made of such deliveries: what is loaded and
    read by nothing looks as if it counted."""
    contract = delivery.contract
    if contract.not_used_yet is not None:
        problem = Problem(
            delivery.name,
            f"the contract {contract.contract_id} is not used yet",
            found=f"a file of source '{delivery.source_id}'",
            expected="a contract that a figure is made of",
            remedy=f"Nothing was loaded. It would feed {contract.not_used_yet}; until it does, "
            f"take the source out of {CONFIG_NAME} and keep the file.",
        )
        raise DeliveryRefusedError(problem)


def name_folder(source: Source) -> str:
    """The folder below the inbox in which all files of a source lie: its pattern up to the first
    part that stands for several names."""
    parts = itertools.takewhile(lambda part: not set(part) & set("*?["), _parts_above(source))
    return "/".join(parts)


def _parts_above(source: Source) -> tuple[str, ...]:
    return PurePosixPath(source.inbox).parts[:-1]


@dataclass(frozen=True)
class UnreadFile:
    """A file of the inbox that no landing reads, and why."""

    name: str
    """Its path below the inbox, as it may be shown."""
    reason: str

    def __str__(self) -> str:
        return f"inbox/{self.name}: not read, {self.reason}"


def find_unread_files(workspace: Workspace) -> list[UnreadFile]:
    """Files below the inbox that no source reads: a misspelt folder, a hidden file or a control
    file without its delivery must not go unnoticed."""
    sources = workspace.config.sources
    claimed = {path for source in sources.values() for path in workspace.inbox.glob(source.inbox)}
    unread = []
    for path in sorted(workspace.inbox.rglob("*")):
        reason = None if path.is_dir() else _explain_unread(path, claimed, workspace)
        if reason is not None:
            parts = path.relative_to(workspace.inbox).parts
            unread.append(UnreadFile("/".join(show_file_name(Path(p)) for p in parts), reason))
    return unread


def _explain_unread(path: Path, claimed: set[Path], workspace: Workspace) -> str | None:
    if path.name in PLACEHOLDERS or path.name.endswith(BEING_WRITTEN):
        return None
    if path.name.startswith("."):
        return "because it is hidden: rename it if it is a delivery"
    if path.name.endswith(CONTROL_SUFFIX):
        delivery = path.name.removesuffix(CONTROL_SUFFIX)
        if path.with_name(delivery) in claimed and os.path.lexists(path.with_name(delivery)):
            return None
        named = show_file_name(Path(delivery))
        return f"a control file without its delivery {named!r}"
    if path in claimed:
        return None
    near = [
        f"source '{source_id}' reads inbox/{source.inbox}"
        for source_id, source in workspace.config.sources.items()
        if _names_a_kind(source.inbox) and fnmatch(path.name, PurePosixPath(source.inbox).name)
    ]
    return "; ".join(["no source reads it", *(near[:NEAR_SHOWN] or ["see apportion.yml"])])


def _names_a_kind(pattern: str) -> bool:
    """Whether the last part of a pattern says more than that it is any file."""
    return bool(PurePosixPath(pattern).name.strip("*?"))


def resolve_source(
    workspace: Workspace, source_id: str, source: Source
) -> tuple[Contract, Mapping]:
    """Contract and mapping of a source. Raises ConfigurationError if one is not known."""
    try:
        years = workspace.config.years
        contract = load_contract_in(source.contract, workspace.config.calendar.spans)
        contract = contract.with_years(years.first, years.last)
        mapping = load_mapping(source.mapping, contract, workspace.mappings)
        return _require_measure(contract, mapping, source)
    except (KeyError, ValueError) as error:
        problem = Problem(CONFIG_NAME, str(error.args[0]), field=f"sources.{source_id}")
        raise ConfigurationError([problem]) from None


def _require_measure(
    contract: Contract, mapping: Mapping, source: Source
) -> tuple[Contract, Mapping]:
    """What a detail feed counts is required of its deliveries: a column that is not there refuses
    the file, a value that is not there quarantines the record."""
    measure = source.detail_feed.measure if source.detail_feed else None
    if contract.contract_id != "cloud_bill" or measure is None:
        return contract, mapping
    fields = tuple(
        field.model_copy(update={"is_required": True}) if field.name == measure else field
        for field in contract.fields
    )
    needed = mapping.column_names(measure)
    optional = tuple(name for name in mapping.optional_columns if name not in needed)
    return (
        contract.model_copy(update={"fields": fields}),
        mapping.model_copy(update={"optional_columns": optional}),
    )


def _is_passed_over(path: Path) -> bool:
    return path.name.startswith(".") or path.name.endswith(CONTROL_SUFFIX)
