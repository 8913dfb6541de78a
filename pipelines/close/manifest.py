"""The manifest of a close: what was frozen, of what it was made, and what came before it.

Its bytes are hashed, and the books keep the hash; it names the hash of the close before, so that no
close can be changed, left out or put in another place without all that follow.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class FrozenFile:
    """One file of a close; `name` is relative to its directory."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class FrozenTable:
    """One table: how many rows, and the exact sum of each column of numbers, as text."""

    name: str
    """Schema and table, such as `marts.fct_charges_monthly`."""
    rows: int
    sums: dict[str, str]


@dataclass(frozen=True)
class Manifest:
    """What a close is."""

    workspace_name: str
    scenario_id: str
    period_id: str
    version: int
    close_number: int
    previous_hash: str
    run_id: str
    fingerprint: str
    """Hash of the inputs, rules and code of the run that was frozen."""
    code_version: str
    content_hash: str
    prepared_by: str
    reviewed_by: str
    approved_by: str
    accepted: list[dict[str, str]]
    """What would have blocked and was accepted by name: id, finding, why, person."""
    inputs: list[dict[str, Any]]
    """Deliveries that the run was made of: source, scenario, file and SHA-256; since the pins of
    closed periods also the reading, and the corrections of quarantined records that counted."""
    tables: list[FrozenTable]
    files: list[FrozenFile]
    format: int = field(default=FORMAT)

    def to_bytes(self) -> bytes:
        """The manifest as it is written and hashed."""
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def parse_manifest(content: bytes) -> Manifest:
    """Read a manifest. Raises ValueError, KeyError or TypeError if it is none."""
    value: dict[str, Any] = json.loads(content)
    if value["format"] != FORMAT:
        raise ValueError(f"format {value['format']}")
    value["tables"] = [FrozenTable(**table) for table in value["tables"]]
    value["files"] = [FrozenFile(**file) for file in value["files"]]
    return Manifest(**value)


def hash_manifest(content: bytes) -> str:
    """What the books keep of a manifest."""
    return hashlib.sha256(content).hexdigest()
