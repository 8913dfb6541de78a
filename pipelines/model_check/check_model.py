"""Check the cost model of a workspace: its files first, then what it does to the money.

Files that are wrong are not put to the money: their problems are the answer. Otherwise the current
files are checked against the money of the published run, whatever rules that run had. What landed
since is not looked at but for the use of services, and this is said.

No figure is changed. What a check cannot do yet is a note, never a silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.cost_model.load import FORMS, CostModel, load_cost_model
from pipelines.cost_model.rule_files import list_entry_places
from pipelines.errors import ConfigurationError, ControlError, NothingPublishedError
from pipelines.model_check.care_checks import check_care, check_taxonomies
from pipelines.model_check.finding import ModelFinding, make_finding
from pipelines.model_check.stops import CheckedRun, FindPlace
from pipelines.money import minor_unit_digits
from pipelines.workspace.workspace import Workspace

if TYPE_CHECKING:
    from pipelines.rerun.engine import Rerun
    from pipelines.warehouse.lake_views import ActiveLoad

ENGINE_DIGITS = 6
"""An engine unit is a millionth of a minor unit."""
ENTRY_LISTS = ("services", "drivers")
"""Files whose findings are about entries of the list of that name; else they are about rules."""


@dataclass
class ModelReport:
    """What was found, and what the reader has to know about how it was looked for."""

    findings: list[ModelFinding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors


def check_model(workspace: Workspace) -> ModelReport:
    """Everything that is wrong with the rules, the errors first."""
    report = ModelReport()
    try:
        model = load_cost_model(workspace)
    except ConfigurationError as error:
        report.findings = [make_finding(problem) for problem in error.problems]
        report.notes.append("The rules were not compared with the money: correct the files first.")
        return report
    find_place = _make_finder(workspace)
    loads = _list_loads(workspace)
    _check_use(workspace, model, loads, find_place, report)
    _check_published(workspace, model, loads, find_place, report)
    report.findings += [*check_care(model), *check_taxonomies(model)]
    report.findings.sort(key=lambda finding: finding.severity)
    return report


def _make_finder(workspace: Workspace) -> FindPlace:
    """Where the entry of an id stands in the file of a name."""
    places: dict[str, dict[tuple[str, str], str]] = {}
    for name in FORMS:
        path = workspace.cost_model / f"{name}.yml"
        places[name] = list_entry_places(path, workspace.root) if path.exists() else {}

    def find_place(name: str, entry: str) -> str | None:
        return places[name].get((name if name in ENTRY_LISTS else "rules", entry))

    return find_place


def _list_loads(workspace: Workspace) -> list[ActiveLoad]:
    """What has landed and counts; nothing where there are no books yet."""
    from pipelines.books.books import Books
    from pipelines.warehouse.lake_views import list_active_loads

    books = Books.open(workspace)
    try:
        return list_active_loads(workspace, books)
    finally:
        books.close()


def _check_use(
    workspace: Workspace,
    model: CostModel,
    loads: list[ActiveLoad],
    find_place: FindPlace,
    report: ModelReport,
) -> None:
    from pipelines.model_check.use_checks import check_use

    report.findings += check_use(loads, model, find_place, _list_periods(workspace))


def _check_published(
    workspace: Workspace,
    model: CostModel,
    loads: list[ActiveLoad],
    find_place: FindPlace,
    report: ModelReport,
) -> None:
    """Compare the rules with the money of the published run, if there is one."""
    from pipelines.rerun.engine import open_rerun

    try:
        with open_rerun(workspace) as rerun:
            _note_new_loads(rerun, loads, report)
            if not _take_current_rules(rerun, workspace, model, report):
                return
            digits = minor_unit_digits(workspace.config.currency) + ENGINE_DIGITS
            run = CheckedRun(rerun, find_place, _list_periods(workspace), digits)
            _check_run(run, report)
    except NothingPublishedError:
        report.notes.append(
            "Nothing is built yet, so the rules were not compared with the money. Run "
            "'apportion build' first for rules that never match, money without a rule, drivers "
            "without data and unknown ids."
        )
    except ControlError as error:
        report.notes.append(f"The rules were not compared with the money: {error}")


def _check_run(run: CheckedRun, report: ModelReport) -> None:
    from pipelines.model_check.driver_checks import check_drivers
    from pipelines.model_check.money_checks import check_money

    # The drivers come first: the other check takes the dates from the rules.
    found = check_drivers(run)
    report.findings += [*check_money(run), *found]


def _take_current_rules(
    rerun: Rerun, workspace: Workspace, model: CostModel, report: ModelReport
) -> bool:
    """Put the current rules into the rerun. False where the run is of another version of the
    program, whose tables of rules may have another form."""
    from pipelines.model_check.current_rules import replace_rules
    from pipelines.warehouse.fingerprint import hash_code

    row = rerun.connection.execute("select run_id, code_version from model.settings").fetchone()
    assert row is not None
    run_id, code_version = row
    if not hash_code().startswith(code_version):
        report.notes.append(
            f"Run {run_id} was built by another version of Apportion. Run 'apportion build' first "
            "to compare the rules with the money."
        )
        return False
    changed = replace_rules(rerun, workspace.config, model)
    now = (
        f" The rules are the current ones; changed since: {', '.join(changed)}." if changed else ""
    )
    report.notes.append(f"Compared with the money of run {run_id}.{now}")
    return True


def _note_new_loads(rerun: Rerun, loads: list[ActiveLoad], report: ModelReport) -> None:
    known = {
        row[0] for row in rerun.connection.execute("select load_id from model.loads").fetchall()
    }
    new = [load.file_name for load in loads if load.load_id not in known]
    if new:
        report.notes.append(
            f"{len(new)} deliveries have landed since that run and are not in its money. Run "
            "'apportion build' to check against them."
        )


def _list_periods(workspace: Workspace) -> list[str]:
    return [period_id for period_id, *_ in workspace.config.calendar.periods()]
