"""What identifies a run: the hash of everything that decides its figures.

Inputs (the loads by content, what was adjusted), rules and configuration (compiled), and code. The
same fingerprint gives the same figures, so a build whose fingerprint is published already has
nothing to do.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from pipelines.cost_model.compile import RunStamp, compile_tables, tables_as_json
from pipelines.cost_model.load import CostModel
from pipelines.warehouse.adjustments import Adjustment
from pipelines.warehouse.dbt_runner import PROJECT_DIRECTORY
from pipelines.warehouse.lake_views import ActiveLoad
from pipelines.workspace.check_settings import resolve_checks
from pipelines.workspace.workspace import Workspace

# Packages whose code decides a figure; a change in another one needs no new run.
FIGURE_PACKAGES = (
    *("allocation", "checks", "contracts", "cost_model"),
    *("landing", "mappings", "readers", "warehouse"),
)


def hash_code() -> str:
    """SHA-256 over every file that decides a figure: the models, the pipelines and the lock."""
    root = PROJECT_DIRECTORY.parent
    patterns = [f"dbt_project/**/*.{ending}" for ending in ("sql", "py", "yml")]
    for package in FIGURE_PACKAGES:
        patterns += [f"pipelines/{package}/**/*.py", f"pipelines/{package}/**/*.yml"]
    patterns += ["pipelines/*.py", "requirements.lock"]
    digest = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        relative = path.relative_to(root)
        if "target" in relative.parts or "logs" in relative.parts:
            continue
        digest.update(str(relative).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def make_stamp(
    workspace: Workspace,
    model: CostModel,
    loads: list[ActiveLoad],
    reopened: Mapping[str, int] = MappingProxyType({}),
    pinned: Sequence[str] = (),
    adjustments: tuple[Adjustment, ...] = (),
) -> RunStamp:
    """The stamp of a run that begins now. `reopened`: periods in a later version than the first;
    `pinned`: what closed periods read instead of the loads, in lines."""
    now = datetime.now(UTC)
    code = hash_code()
    blank = RunStamp("", "", "", "")
    digest = hashlib.sha256(tables_as_json(compile_tables(workspace.config, model, blank)).encode())
    for load in sorted(loads, key=lambda item: (item.source_id, item.sha256)):
        digest.update(f"{load.source_id} {load.scenario_id} {load.sha256}\n".encode())
        if load.updated_key:
            digest.update(f"updates {load.updated_key}, as load {load.load_id}\n".encode())
        if load.replaced_periods:
            digest.update(f"without {load.replaced_periods}\n".encode())
        for item in load.decisions.corrections:
            digest.update(f"released {item.correction_id} {item.rows}\n".encode())
        digest.update(f"discarded {load.decisions.discarded_rows}\n".encode())
    for source_id, source in sorted(workspace.config.sources.items()):
        # They change no figure, but they decide whether the figures are published.
        checks = resolve_checks(workspace.config.checks, source.checks)
        digest.update(f"checks of {source_id} {checks.model_dump_json()}\n".encode())
    for period_id, version in sorted(reopened.items()):
        digest.update(f"{period_id} as version {version}\n".encode())
    for line in pinned:
        digest.update(f"pinned {line}\n".encode())
    for adjustment in adjustments:
        digest.update(f"adjusted {adjustment}\n".encode())
    digest.update(code.encode())
    run_id = f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
    return RunStamp(run_id, digest.hexdigest(), now.strftime("%Y-%m-%d %H:%M:%S"), code[:12])
