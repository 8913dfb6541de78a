"""Make the changes of a what-if in a rerun, all of them or none.

Changes apply in a fixed order, whatever the order of the options: rules and method, quantities,
cost, prices, consumers that leave; so cost and quantities are those that the new rules see.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from pipelines.errors import ConfigurationError, UsageError
from pipelines.rerun.change_checks import CheckedChanges, check_changes
from pipelines.rerun.changes import ChangesRefusedError, WhatIf, parse_changes, read_method
from pipelines.rerun.engine import Rerun
from pipelines.rerun.inputs import (
    remove_consumers,
    replace_method,
    scale_lines,
    scale_prices,
    scale_quantities,
)

if TYPE_CHECKING:
    from pipelines.cost_model.load import CostModel


def apply_changes(rerun: Rerun, wanted: WhatIf) -> CheckedChanges:
    """Check `wanted` and make its changes. Raises ChangesRefusedError with all that is wrong."""
    problems: list[str] = []
    changes = parse_changes(wanted, problems)
    method = read_method(wanted.method, problems) if wanted.method else None
    model = _load_model(rerun, wanted, problems) if wanted.cost_model else None
    if model is not None:
        _apply_model(rerun, model)
    checked = check_changes(rerun, changes, wanted.leaving, problems)
    if wanted == WhatIf():
        problems.append("no change is named; 'apportion whatif --help' lists them")
    if problems:
        raise ChangesRefusedError(problems)
    if method is not None:
        replace_method(rerun, method)
    if checked.quantities:
        scale_quantities(rerun, checked.quantities)
    if checked.lines:
        scale_lines(rerun, checked.lines)
    if checked.prices:
        scale_prices(rerun, checked.prices)
    if checked.leaving:
        remove_consumers(rerun, checked.leaving)
    return checked


def _load_model(rerun: Rerun, wanted: WhatIf, problems: list[str]) -> CostModel | None:
    from pipelines.cost_model.load import load_cost_model
    from pipelines.rerun.model_versions import find_rule_files

    with ExitStack() as stack:
        try:
            root = rerun.workspace.root
            directory = stack.enter_context(find_rule_files(root, wanted.cost_model or ""))
            return load_cost_model(rerun.workspace, directory)
        except ConfigurationError as error:
            problems += [f"--cost-model: {problem}" for problem in error.problems]
        except UsageError as error:
            problems.append(str(error))
    return None


def _apply_model(rerun: Rerun, model: CostModel) -> None:
    from pipelines.rerun.model_versions import (
        apply_rule_changes,
        compile_version,
        find_rule_changes,
        read_published_version,
    )

    published = read_published_version(rerun)
    version = compile_version(rerun, model, published, "changed")
    apply_rule_changes(rerun, published, version, find_rule_changes(published, version))
