"""Which files of the inbox are deliveries of which source, and how each is to be read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath

from pipelines.contracts.contract import Contract, load_contract
from pipelines.errors import ConfigurationError, Problem
from pipelines.mappings.mapping import Mapping, load_mapping
from pipelines.readers.file_names import show_file_name
from pipelines.readers.personal_texts import keeps_original
from pipelines.workspace.config import Source
from pipelines.workspace.workspace import CONFIG_NAME, Workspace

CONTROL_SUFFIX = ".control.yml"


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

    @property
    def change_limit(self) -> Decimal | None:
        """How many percent its amounts may be away from the period before; None for no limit."""
        if self.contract.amount_field is None or self.contract.period_field is None:
            return None
        return self.source.hold_above_percent

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


def name_folder(source: Source) -> str:
    """The folder below the inbox in which all files of a source lie: its pattern up to the first
    part that stands for several names."""
    parts = itertools.takewhile(lambda part: not set(part) & set("*?["), _parts_above(source))
    return "/".join(parts)


def _parts_above(source: Source) -> tuple[str, ...]:
    return PurePosixPath(source.inbox).parts[:-1]


def find_unclaimed_files(workspace: Workspace) -> list[Path]:
    """Files below the inbox that no source reads: a misspelt folder must not go unnoticed."""
    claimed = {
        path
        for source in workspace.config.sources.values()
        for path in workspace.inbox.glob(source.inbox)
    }
    return [
        path
        for path in sorted(workspace.inbox.rglob("*"))
        if not path.is_dir() and path not in claimed and not _is_passed_over(path)
    ]


def resolve_source(
    workspace: Workspace, source_id: str, source: Source
) -> tuple[Contract, Mapping]:
    """Contract and mapping of a source. Raises ConfigurationError if one is not known."""
    try:
        years = workspace.config.years
        contract = load_contract(source.contract).with_years(years.first, years.last)
        return contract, load_mapping(source.mapping, contract, workspace.mappings)
    except (KeyError, ValueError) as error:
        problem = Problem(CONFIG_NAME, str(error.args[0]), field=f"sources.{source_id}")
        raise ConfigurationError([problem]) from None


def _is_passed_over(path: Path) -> bool:
    return path.name.startswith(".") or path.name.endswith(CONTROL_SUFFIX)
