"""A rerun gives what was published, to the unit, and follows what is replaced."""

from __future__ import annotations

import pytest

from pipelines.errors import ControlError
from pipelines.rerun.engine import Rerun, Scope, open_rerun
from pipelines.warehouse.publication import hash_file, read_publication

from .golden import Golden

CHARGES = "marts.fct_charges_monthly"
# What the data checks found is written after dbt, and no model makes it.
CHECK_MARTS = ("rpt_data_check", "rpt_data_source")


def list_models(rerun: Rerun) -> list[str]:
    """Every model that makes a table of figures."""
    return [
        model.relation
        for model in rerun.models.values()
        if model.kind != "view" and not model.name.startswith(CHECK_MARTS)
    ]


def find_differences(rerun: Rerun, relation: str) -> list[tuple[object, ...]]:
    """Rows that only one of the rerun and the publication has, in what the scope shows."""
    where = ""
    if rerun.scope:
        where = f" where {rerun.scope.as_condition()}"
    published = f"select * from published.{relation}{where}"
    return rerun.connection.execute(
        f"(from {relation} except all {published}) union all ({published} except all "
        f"from {relation})"
    ).fetchall()


@pytest.mark.parametrize("name", ["small_company", "tag_rules", "reciprocal"])
def test_all_models_again_give_what_was_published(
    name: str, request: pytest.FixtureRequest
) -> None:
    """From the lake on: every model, every period and scenario, every column."""
    golden: Golden = request.getfixturevalue(name)
    with open_rerun(golden.workspace) as rerun:
        models = list_models(rerun)
        rerun.make_stale(models)
        rerun.run(models)
        assert sorted(rerun.ran) == sorted(models)
        assert {name: rows for name in models if (rows := find_differences(rerun, name))} == {}


@pytest.mark.parametrize("scenario", ["actual", "budget"])
def test_one_period_again_gives_what_was_published_of_it(
    small_company: Golden, scenario: str
) -> None:
    with open_rerun(small_company.workspace, Scope(scenario, "2026-01")) as rerun:
        rerun.make_stale(["ledger.int_ledger__native_lines", "drivers.fct_driver_quantities"])
        rerun.run((CHARGES, "marts.rpt_certificate", "marts.rpt_conservation"))
        assert "stops.int_delivered_services__weights" in rerun.ran
        assert rerun.connection.execute(f"select count(*) from {CHARGES}").fetchone() != (0,)
        for relation in (CHARGES, "marts.rpt_certificate", "marts.rpt_conservation"):
            assert find_differences(rerun, relation) == []


def test_only_what_lies_between_change_and_question_is_run(small_company: Golden) -> None:
    with open_rerun(small_company.workspace, Scope("actual", "2026-01")) as rerun:
        rerun.replace("stops.int_services__cells", "from {relation}")
        rerun.run(("stops.int_consumers__cells",))
        assert rerun.ran == ["stops.int_delivered_services__cells", "stops.int_consumers__cells"]
        rerun.run(("stops.int_consumers__cells",))
        assert len(rerun.ran) == 2


def test_a_column_of_the_settings_concerns_those_who_read_it(small_company: Golden) -> None:
    """The method of shared services is asked for by two models; every model reads the settings."""
    with open_rerun(small_company.workspace) as rerun:
        rerun.replace(
            "model.settings",
            "select * replace ('direct' as shared_method) from {relation}",
            column="shared_method",
        )
        rerun.run(("stops.int_delivered_services__weights", "stops.int_towers__cells"))
        assert rerun.ran == [
            "stops.int_delivered_services__use",
            "stops.int_delivered_services__weights",
        ]


def test_nothing_published_is_touched(small_company: Golden) -> None:
    (file,) = read_publication(small_company.workspace).files
    with open_rerun(small_company.workspace) as rerun:
        rerun.replace(CHARGES, "from {relation} where false")
        assert rerun.connection.execute(f"select count(*) from {CHARGES}").fetchone() == (0,)
        with pytest.raises(Exception, match="read-only"):
            rerun.connection.execute(f"delete from published.{CHARGES}")
    assert hash_file(small_company.workspace.warehouse / file.name) == file.sha256


def test_what_neither_the_publication_nor_the_lake_has_is_refused(small_company: Golden) -> None:
    with (
        open_rerun(small_company.workspace) as rerun,
        pytest.raises(ControlError, match=r"no stops\.int_later, which its models read"),
    ):
        rerun.provide("stops.int_later")
