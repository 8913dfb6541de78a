"""What-if and compare against figures worked by hand: tests/golden/*/README.md has them."""

from __future__ import annotations

import json
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.main import run
from pipelines.errors import ConfigurationError, ControlError, UsageError
from pipelines.rerun.changes import ChangesRefusedError, WhatIf
from pipelines.rerun.compare import compare_methods, compare_models
from pipelines.rerun.engine import Scope, open_rerun
from pipelines.rerun.inputs import remove_consumers
from pipelines.rerun.outcome import Line, read_proven_figures
from pipelines.rerun.whatif import WhatIfResult, ask_what_if

from .golden import Golden

BEFORE = {
    "market": "671.72",
    "factory": "614.22",
    "staff": "132.77",
    "(unmapped)": "459.24",
    "(capitalised)": "70.00",
    "(recovery)": "-400.00",
}


def ask(golden: Golden, **changes: Any) -> WhatIfResult:
    return ask_what_if(golden.workspace, "2026-01", WhatIf(**changes))


def read_amounts(lines: list[Line]) -> dict[str, tuple[str, str]]:
    return {line.row_id: (str(line.before), str(line.after)) for line in lines}


def with_after(**after: str) -> dict[str, tuple[str, str]]:
    """Every row, those that are not named unchanged."""
    return {row: (amount, after.get(row.strip("()"), amount)) for row, amount in BEFORE.items()}


def test_dearer_pool(small_company: Golden) -> None:
    result = ask(small_company, pools=("software=+60%",))
    assert read_amounts(result.lines) == with_after(
        market="692.46", factory="631.96", staff="140.77", unmapped="472.73"
    )
    assert result.delivered_change == Decimal("59.97")
    assert [line.row_id for line in result.lines[:3]] == ["market", "factory", "staff"]
    # Market + 20.74: CRM + 12.74, desk + 8.00.
    assert (result.lines[0].through, result.lines[0].through_change) == (
        "Customer Relations",
        Decimal("12.74"),
    )


def test_departing_consumer_leaves_its_cost_to_the_others(small_company: Golden) -> None:
    result = ask(small_company, leaving=("cc-hr",))
    assert read_amounts(result.lines) == with_after(market="787.89", factory="630.82", staff="0.00")
    assert result.delivered_change == 0
    assert result.left_behind is not None
    assert str(result.left_behind.amount) == "132.77"
    assert str(result.left_behind.borne_by_others) == "132.77"
    assert str(result.left_behind.borne_by_nobody) == "0.00"


def test_business_unit_leaves_with_its_cost_centres(small_company: Golden) -> None:
    by_unit = ask(small_company, leaving=("staff",))
    assert by_unit.lines == ask(small_company, leaving=("cc-hr",)).lines


def test_who_leaves_is_no_receiver_of_an_even_split_either(small_company: Golden) -> None:
    with open_rerun(small_company.workspace, Scope("actual", "2026-01")) as rerun:
        remove_consumers(rerun, ["cc-hr"])
        rerun.run(("stops.int_consumers__known",))
        assert set(
            rerun.connection.execute(
                "select cost_centre_id from stops.int_consumers__known where period_id = '2026-01'"
            ).fetchall()
        ) == {("cc-sales",), ("cc-ops",), ("it1",), ("it2",)}


def test_cost_that_was_tagged_with_who_leaves_stays_with_its_service(tag_rules: Golden) -> None:
    """cc-data had 80.00 by its tag and 10.00 by heads. Data has no driver, so that the 80.00 are
    held; its third of the platform's heads goes to cc-shop."""
    wanted = WhatIf(leaving=("cc-data",))
    result = ask_what_if(tag_rules.workspace, "2026-01", wanted, detail="cost-centre")
    assert read_amounts(result.lines) == {
        "cc-data": ("90.00", "0.00"),
        "cc-shop": ("160.00", "170.00"),
        "(unallocated)": ("50.00", "130.00"),
        "(unmapped)": ("45.00", "45.00"),
    }
    left = result.left_behind
    assert left is not None
    parts = (left.amount, left.borne_by_others, left.borne_by_nobody)
    assert tuple(map(str, parts)) == ("90.00", "10.00", "80.00")


def test_cost_changes_where_the_bill_is_the_control_total(tag_rules: Golden) -> None:
    """345.00 and a tenth of it."""
    result = ask_what_if(tag_rules.workspace, "2026-01", WhatIf(accounts=("*=+10%",)))
    assert str(result.delivered_change) == "34.50"
    assert str(result.after.delivered) == "379.50"


def test_tagging_rules_are_a_step(tag_rules: Golden, tmp_path: Path) -> None:
    """Without the rule for the support fee its 30.00 have no service: 20.00 and 10.00 less."""
    directory = tmp_path / "cost_model"
    shutil.copytree(tag_rules.workspace.cost_model, directory)
    tagging = directory / "tagging.yml"
    text = tagging.read_text("utf-8")
    assert text.count("id: support") == 1
    tagging.write_text(text.replace("charge_category: [Purchase]", "charge_category: [Never]"))
    found = compare_models(tag_rules.workspace, "2026-01", [str(directory)], detail="cost-centre")
    changes = {line.row_id: str(line.change) for line in found.lines}
    assert changes["cc-shop"] == "-20.00"
    assert changes["cc-data"] == "-10.00"
    assert changes["(unmapped)"] == "30.00"
    assert [(step.name, step.what, str(step.moved)) for step in found.steps] == [
        ("tagging", "tagging_rules", "30.00")
    ]


def test_larger_volume_moves_cost_and_makes_none(small_company: Golden) -> None:
    result = ask(small_company, volumes=("erp:cc-ops=+100%",))
    assert read_amounts(result.lines) == with_after(factory="764.63", unmapped="308.83")
    assert result.delivered_change == 0
    by_unit = ask(small_company, volumes=("erp:factory=+100%",))
    assert by_unit.lines == result.lines
    by_driver = ask(small_company, drivers=("seats:cc-x=-50%",))
    assert by_driver.lines == result.lines


def test_a_budget_borrows_the_use_that_was_changed(small_company: Golden) -> None:
    """ERP is planned with 825.00 by the actual seats, 1 : 1; 2 : 1 gives 550.00 to cc-ops."""
    wanted = WhatIf(volumes=("erp:cc-ops=+100%",))
    result = ask_what_if(
        small_company.workspace, "2026-01", wanted, scenario_id="budget", detail="service"
    )
    assert read_amounts(result.lines)["erp"] == ("412.50", "550.00")


def test_volume_of_a_service_that_is_split_by_heads_is_refused(tag_rules: Golden) -> None:
    for service, reason in (
        ("platform", "split by the driver 'heads'. To change that for all that it splits, use"),
        ("shop", "no driver says who uses 'shop'"),
    ):
        with pytest.raises(ChangesRefusedError, match=reason):
            ask_what_if(tag_rules.workspace, "2026-01", WhatIf(volumes=(f"{service}:cc-shop=+1%",)))


def test_all_cost_of_a_service_without_users_is_held(small_company: Golden) -> None:
    """ERP is used by cc-ops and cc-x: without both its 902.48 are unallocated."""
    result = ask(small_company, volumes=("erp:cc-*=-100%",))
    assert read_amounts(result.lines)["(unallocated)"] == ("0.00", "902.48")
    assert result.delivered_change == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # 300 USD at 0.90, of which the bill explains 260 and a balancing line 40.
        ({"pools": ("cloud=+10%",)}, "27.00"),
        ({"vendors": ("Softer=-100%",)}, "-99.95"),
        # A tenth of 1,500.00 + 270.00 + 99.95, and not of the recovery on 6900: 186.995. So
        # 1,547.95 becomes 1,734.945, which is 1,734.95, half away from zero.
        ({"accounts": ("6*=+10%",)}, "187.00"),
        # 9999 is unmapped and cost all the same; 07* is no cost, and is left as it is.
        ({"accounts": ("*=+100%",)}, "1877.95"),
        # 1,500.00 x 1.1 x 1.1 = 1,815.00
        ({"pools": ("labour=+10%",), "accounts": ("6000=+10%",)}, "315.00"),
    ],
)
def test_total_changes_by_the_cost_that_was_changed(
    small_company: Golden, changes: dict[str, Any], expected: str
) -> None:
    assert str(ask(small_company, **changes).delivered_change) == expected


def test_several_changes_at_once(small_company: Golden) -> None:
    """Order of the options does not matter, and cost that is tagged with who leaves stays."""
    result = ask(
        small_company,
        pools=("software=+60%",),
        volumes=("crm:cc-sales=-100%",),
        leaving=("cc-hr",),
        method="reciprocal",
    )
    assert result.delivered_change == Decimal("59.97")
    assert result.left_behind is None
    assert read_amounts(result.lines)["staff"] == ("132.77", "0.00")


def test_everything_wrong_is_said_at_once(small_company: Golden) -> None:
    with pytest.raises(ChangesRefusedError) as refusal:
        ask(
            small_company,
            volumes=("crmm:cc-sales=+1%", "crm:cc-nobody=+1%", "crm=+1%", "crm:cc-ops=10%"),
            drivers=("hour:compute=+1%",),
            pools=("softwear=+1%", "software=-101%"),
            accounts=("07*=+5%", "6000=+1.23456%"),
            vendors=("Nobody*=+1%",),
            leaving=("cc-gone",),
            method="sideways",
            cost_model="no-such-branch",
        )
    sentences = str(refusal.value)
    for part in (
        "13 changes cannot be made, so nothing was run",
        "--volume 'crmm:cc-sales=+1%': unknown service 'crmm'. Is 'crm' meant?",
        "--volume 'crm:cc-nobody=+1%': 'cc-nobody' has no quantity there to change",
        "--volume 'crm=+1%': expected SERVICE:CONSUMER=+10%",
        "--volume 'crm:cc-ops=10%': expected a change in percent with its sign",
        "--driver 'hour:compute=+1%': unknown driver 'hour'. Is 'hours' meant?",
        "--pool 'softwear=+1%': no cost of actual 2026-01 is on 'softwear'. Is 'software' meant?",
        "--pool 'software=-101%': nothing shrinks by more than 100 %",
        "--account '07*=+5%': no cost of actual 2026-01 is on '07*'",
        "--account '6000=+1.23456%': expected a change in percent",
        "--vendor 'Nobody*=+1%': no cost",
        "--without 'cc-gone': no cost centre or business unit",
        "method 'sideways': expected one of direct, step_down, reciprocal",
        "--cost-model 'no-such-branch': expected a directory of rule files, or a commit",
    ):
        assert part in sentences


def test_period_without_figures_is_refused(small_company: Golden) -> None:
    with pytest.raises(UsageError, match="nothing is published of actual '2026-07'; there is 2026"):
        ask_what_if(small_company.workspace, "2026-07", WhatIf(method="direct"))
    with pytest.raises(UsageError, match="of the scenario 'dream'; there are actual, budget"):
        ask_what_if(
            small_company.workspace, "2026-01", WhatIf(method="direct"), scenario_id="dream"
        )
    with pytest.raises(ChangesRefusedError, match="no change is named"):
        ask(small_company)


def test_published_examples_of_all_three_methods_from_one_run(step_down: Golden) -> None:
    """S1 = S2 = 300,000; the run was published under step-down."""
    found = compare_methods(step_down.workspace, "2026-02", ("direct", "step_down", "reciprocal"))
    amounts = {line.row_id: tuple(map(str, line.amounts)) for line in found.lines}
    assert amounts == {
        "p1": ("250000.00", "230000.00", "241666.67"),
        "p2": ("350000.00", "370000.00", "358333.33"),
    }
    assert found.published_method == "step_down"
    assert str(found.delivered) == "600000.00"
    assert {str(line.spread) for line in found.lines} == {"20000.00"}


def test_a_rerun_under_the_other_method_is_what_a_build_publishes(
    step_down: Golden, direct: Golden
) -> None:
    """The two workspaces hold the same departments; `direct` was built by the direct method."""
    found = compare_methods(step_down.workspace, "2026-02", ("direct", "reciprocal"))
    header, expected = direct.read_expected("consumers")
    cost, centre = header.index("cost_amount"), header.index("cost_centre_id")
    built = {row[centre]: Decimal(row[cost]) for row in expected}
    assert {line.row_id: line.amounts[0] for line in found.lines} == built


@pytest.fixture(scope="module")
def changed_rules(small_company: Golden, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules with two entries changed, and a comment that is no change."""
    directory = tmp_path_factory.mktemp("changed") / "cost_model"
    shutil.copytree(small_company.workspace.cost_model, directory)
    pools = directory / "pools.yml"
    pools.write_text(
        pools.read_text("utf-8") + '  - {id: unknown, priority: 60, match: {account: ["9999"]}, '
        "exclude_as: out_of_scope, reason: No cost of IT}\n",
        "utf-8",
    )
    towers = directory / "towers.yml"
    text = towers.read_text("utf-8").replace("{compute: 60, desk: 40}", "{compute: 100}")
    towers.write_text(f"# Reviewed.\n{text}", "utf-8")
    return directory


def test_versions_of_the_rules_by_service_and_by_rule(
    small_company: Golden, changed_rules: Path
) -> None:
    found = compare_models(
        small_company.workspace, "2026-01", [str(changed_rules)], detail="service"
    )
    changes = {line.row_id: str(line.change) for line in found.lines}
    assert changes == {
        "service-desk": "-26.65",
        "erp": "14.99",
        "crm": "-3.33",
        "network": "0.00",
        "(unmapped)": "6.99",
        "(out_of_scope)": "8.00",
        "(capitalised)": "0.00",
        "(recovery)": "0.00",
    }
    steps = [(step.name, str(step.moved), step.most_on) for step in found.steps]
    assert steps == [
        ("pool rule unknown", "8.00", "(out_of_scope)"),
        ("tower rule software", "29.98", "Service Desk"),
    ]
    assert [step.what for step in found.steps] == ["added", "receivers"]
    by_row = {line.row_id: (line.through, str(line.through_change)) for line in found.lines}
    assert by_row["erp"] == ("tower rule software", "14.99")
    assert by_row["(unmapped)"] == ("tower rule software", "14.99")
    assert by_row["(out_of_scope)"] == ("pool rule unknown", "8.00")
    assert str(found.delivered) == "1547.95"


def test_the_same_rules_make_no_difference(small_company: Golden) -> None:
    path = str(small_company.workspace.cost_model)
    found = compare_models(small_company.workspace, "2026-01", [path])
    assert found.steps == []
    assert {line.change for line in found.lines} == {0}


def test_two_versions_against_each_other_are_the_reverse(
    small_company: Golden, changed_rules: Path
) -> None:
    names = [str(changed_rules), str(small_company.workspace.cost_model)]
    back = compare_models(small_company.workspace, "2026-01", names)
    there = compare_models(small_company.workspace, "2026-01", names[:1])
    assert {line.row_id: line.change for line in back.lines} == {
        line.row_id: -line.change for line in there.lines
    }
    assert [step.what for step in back.steps] == ["removed", "receivers"]


def test_whatif_takes_other_rules_with_other_changes(
    small_company: Golden, changed_rules: Path
) -> None:
    """All software is compute; 60 % more of it: 59.97, a quarter to CRM, the rest to ERP."""
    result = ask(small_company, cost_model=str(changed_rules), pools=("software=+60%",))
    assert str(result.delivered_change) == "59.97"
    assert read_amounts(result.lines)["(out_of_scope)"] == ("0.00", "8.00")


def test_version_of_the_rules_in_git(
    small_company: Golden, changed_rules: Path, tmp_path: Path
) -> None:
    """A workspace in a folder of a repository: the branch `proposal` holds the changed rules."""
    workspace = tmp_path / "repository" / "company"
    shutil.copytree(small_company.workspace.root, workspace)

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        command = ["git", "-C", str(tmp_path / "repository"), *identity, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("add", "company/cost_model")
    git("commit", "--message=Rules")
    git("checkout", "-b", "proposal")
    shutil.copytree(changed_rules, workspace / "cost_model", dirs_exist_ok=True)
    git("commit", "--all", "--message=Proposal")
    git("checkout", "main")
    space = type(small_company.workspace).open(workspace)
    found = compare_models(space, "2026-01", ["proposal"])
    assert [step.name for step in found.steps] == ["pool rule unknown", "tower rule software"]
    with pytest.raises(UsageError, match="'--output=x': expected a directory"):
        compare_models(space, "2026-01", ["--output=x"])


def test_refused_rules_are_named_with_file_and_line(
    small_company: Golden, changed_rules: Path, tmp_path: Path
) -> None:
    directory = tmp_path / "cost_model"
    shutil.copytree(changed_rules, directory)
    towers = directory / "towers.yml"
    towers.write_text(towers.read_text("utf-8").replace("{compute: 100}", "{computer: 100}"))
    with pytest.raises(ConfigurationError, match=r"cost_model/towers\.yml:\d+: software: unknown"):
        compare_models(small_company.workspace, "2026-01", [str(directory)])
    with pytest.raises(ChangesRefusedError, match=r"--cost-model: cost_model/towers\.yml:"):
        ask(small_company, cost_model=str(directory))


def test_a_rerun_that_does_not_tie_is_refused(small_company: Golden) -> None:
    """A cell is lost on the way: the certificate of the rerun finds it."""
    with open_rerun(small_company.workspace, Scope("actual", "2026-01")) as rerun:
        rerun.replace(
            "stops.int_services__cells", "from {relation} where service_id <> 'service-desk'"
        )
        with pytest.raises(ControlError, match=r"expected differences of 0\.00, found"):
            read_proven_figures(rerun)


def test_commands_write_tables_markdown_csv_and_json(
    small_company: Golden, changed_rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--workspace", str(small_company.workspace.root)]

    def call(*arguments: str) -> str:
        assert run([*arguments, *place]) == 0
        return capsys.readouterr().out

    table = call("whatif", "2026-01", "--without", "cc-hr")
    assert "Left behind: 132.77 EUR, of which the others bear 132.77 and nobody 0.00." in table
    assert "No cost was changed: the total is the same, to the cent." in table
    rules = call("compare", "2026-01", "--cost-model", str(changed_rules), "--format", "markdown")
    assert "| factory | Factory | 614.22 |" in rules
    assert "| tower rule software | receivers |" in rules
    assert "The total is the same in all: 1,547.95 EUR." in rules
    rows = call("whatif", "2026-01", "--pool", "software=+60%", "--format", "csv").splitlines()
    assert rows[1].startswith("market,Market,671.72,692.46,20.74,")
    assert len(rows) == 1 + 6 + 1
    answer = json.loads(call("compare", "2026-01", "--methods", "direct,step-down", "--json"))
    assert answer["methods"] == ["direct", "step_down"]
    assert answer["delivered"] == "1547.95"


def test_wrong_use_of_compare_is_refused(
    small_company: Golden, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--workspace", str(small_company.workspace.root)]
    assert run(["compare", "2026-01", *place]) == 2
    assert "either --methods or --cost-model" in capsys.readouterr().err
    assert run(["compare", "2026-01", "--methods", "direct,sideways", *place]) == 2
    assert "method 'sideways': expected one of" in capsys.readouterr().err
    assert run(["compare", "2026-01", "--methods", "direct", *place]) == 2
    assert "expected two or three methods, each once" in capsys.readouterr().err
