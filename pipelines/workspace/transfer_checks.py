"""Check the transfers of apportion.yml: who charges, and one rule for a pair at a time."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.cost_model.rule_spans import overlap
from pipelines.workspace.config import WorkspaceConfig
from pipelines.workspace.yaml_files import Path_


def check_transfers(config: WorkspaceConfig) -> Iterator[tuple[Path_, str, str]]:
    """(place, what is wrong, what to do). All charges are those of one legal entity, that of IT."""
    issuer = config.journal.legal_entity if config.journal else None
    issuer = issuer or (config.transfers[0].from_entity if config.transfers else None)
    for number, transfer in enumerate(config.transfers):
        if transfer.from_entity != issuer:
            message = f"'{transfer.from_entity}' does not charge: '{issuer}' does"
            remedy = "Name the legal entity of IT, that of 'journal' where there is one."
            yield ("transfers", number, "from"), message, remedy
        if any(
            other.to_entity == transfer.to_entity and overlap(other, transfer)
            for other in config.transfers[:number]
        ):
            message = f"a second transfer to '{transfer.to_entity}' holds at the same time"
            remedy = "End the one on the day on which the other begins."
            yield ("transfers", number), message, remedy
