"""A golden workspace as if other money, use or rules had been delivered, without a build.

The published SQL makes the figures anew from the altered relations, and what it makes is written
into a copy of the published file. The audit that follows a build is not run on it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from pipelines.rerun.engine import open_rerun
from pipelines.rerun.inputs import CONTROL_TOTALS
from pipelines.rerun.period_swap import LINES
from pipelines.warehouse.publication import read_publication
from pipelines.workspace.workspace import Workspace

from .golden import Golden

COUNTED_AGAIN = (
    "select totals.* replace (coalesce(lines.amount_units, 0) as amount_units) "
    "from {relation} as totals left join (select scenario_id, period_id, account_id, "
    f"currency_code, sum(amount_units) as amount_units from {LINES} group by all) as lines "
    "using (scenario_id, period_id, account_id, currency_code)"
)


def publish_altered(golden: Golden, directory: Path, selects: Mapping[str, str]) -> Workspace:
    """A copy of `golden` in which the rows of each relation of `selects` are those of its select,
    which may read them as `{relation}`."""
    root = directory / "altered"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(golden.workspace.root, root)
    workspace = Workspace.open(root)
    file = workspace.warehouse / read_publication(workspace).files[0].name
    with open_rerun(golden.workspace) as rerun:
        for relation, select in {**selects, CONTROL_TOTALS: COUNTED_AGAIN}.items():
            rerun.replace(relation, select)
        rerun.run(("marts.fct_charges_monthly",))
        rerun.connection.execute(f"attach '{file}' as altered")
        for relation in (*selects, CONTROL_TOTALS, *rerun.ran):
            rerun.connection.execute(
                f"create or replace table altered.{relation} as from {relation}"
            )
        rerun.connection.execute("detach altered")
    return workspace
