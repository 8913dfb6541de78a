"""A rerun of a tiny run made by hand: what is refused, what is run, what is put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import ControlError, NothingPublishedError
from pipelines.rerun.engine import Rerun, Scope, open_rerun
from pipelines.warehouse.publication import Publication, PublishedFile
from pipelines.workspace.workspace import Workspace

RUN = "run-1"
MODELS = [
    ("staging.stg_model__factors", "view", ["model.factors"], "select * from {model}.factors"),
    (
        "stops.base",
        "table",
        ["staging.stg_model__factors"],
        "select scenario_id, period_id, version, amount * factor_a as amount "
        "from {stops}.given cross join {staging}.stg_model__factors",
    ),
    (
        "stops.other",
        "table",
        ["staging.stg_model__factors"],
        "select factor_b from {staging}.stg_model__factors",
    ),
    (
        "stops.counted",
        "table",
        ["model.period_versions"],
        "select count(*) as period_count from {model}.period_versions",
    ),
    (
        "stops.wanted",
        "table",
        ["model.period_versions"],
        "select scenario_id, period_id, version from {model}.period_versions",
    ),
    ("marts.sums", "table", ["stops.base"], "select sum(amount) as amount from {stops}.base"),
]


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    """A run of two factors and two periods: 10 x 2 and 20 x 2, in all 60."""
    (tmp_path / "apportion.yml").write_text("name: Tiny\n")
    (tmp_path / "warehouse").mkdir()
    path = tmp_path / "warehouse" / f"{RUN}.duckdb"
    names = {schema: f'"{RUN}"."{schema}"' for schema in ("model", "staging", "stops", "marts")}
    with duckdb.connect(str(path)) as connection:
        for schema in names:
            connection.execute(f"create schema {schema}")
        connection.execute("create table model.factors as select 2 as factor_a, 5 as factor_b")
        connection.execute(
            "create table stops.given as select * from (values ('actual', '2026-01', 1, 10), "
            "('actual', '2026-02', 1, 20)) as t (scenario_id, period_id, version, amount)"
        )
        connection.execute(
            "create table model.period_versions as "
            "select scenario_id, period_id, version from stops.given"
        )
        connection.execute(
            "create table model.compiled_models (model_order integer, relation_name varchar, "
            "model_kind varchar, depends_on varchar[], code varchar, path varchar)"
        )
        for number, (relation, kind, inputs, code) in enumerate(MODELS):
            body = code.format(**names)
            connection.execute(f"create {kind} {relation} as {body}")
            connection.execute(
                "insert into model.compiled_models values (?, ?, ?, ?, ?, '')",
                [number, relation, kind, inputs, body],
            )
        connection.execute("drop schema staging cascade")
    return Publication(RUN, "", "", (PublishedFile(path.name, "open", "", 0),))


@pytest.fixture
def rerun(publication: Publication, tmp_path: Path) -> Iterator[Rerun]:
    with open_rerun(Workspace.open(tmp_path), publication=publication) as opened:
        yield opened


def read(rerun: Rerun, relation: str) -> list[tuple[object, ...]]:
    return rerun.connection.execute(f"from {relation}").fetchall()


def test_what_reads_a_replaced_relation_follows_it(rerun: Rerun) -> None:
    rerun.replace("model.factors", "select 3 as factor_a, 5 as factor_b")
    assert read(rerun, "marts.sums") == [(60,)]
    rerun.run(("marts.sums",))
    assert read(rerun, "marts.sums") == [(90,)]
    assert rerun.ran == ["stops.base", "marts.sums"]


def test_readers_of_another_column_are_left_alone(rerun: Rerun) -> None:
    rerun.replace(
        "model.factors", "select factor_a, 6 as factor_b from {relation}", column="factor_b"
    )
    rerun.run(("marts.sums", "stops.other"))
    assert rerun.ran == ["stops.other"]
    assert read(rerun, "stops.other") == [(6,)]


def test_what_was_replaced_is_not_run_again(rerun: Rerun) -> None:
    rerun.replace("stops.base", "from {relation} where amount = 20")
    rerun.replace("model.factors", "select 3 as factor_a, 5 as factor_b")
    rerun.run(("marts.sums",))
    assert read(rerun, "marts.sums") == [(20,)]


def test_a_scope_narrows_the_money(publication: Publication, tmp_path: Path) -> None:
    scope = Scope("actual", "2026-02")
    with open_rerun(Workspace.open(tmp_path), scope, publication) as rerun:
        assert read(rerun, "stops.base") == [("actual", "2026-02", 1, 40)]
        rerun.make_stale(("stops.base",))
        rerun.run(("marts.sums",))
        assert read(rerun, "marts.sums") == [(40,)]
        assert read(rerun, "published.marts.sums") == [(60,)]


def test_a_scope_narrows_what_has_a_version_only(publication: Publication, tmp_path: Path) -> None:
    """What has none, such as drivers, looks at all periods."""
    scope = Scope("actual", "2026-02")
    with open_rerun(Workspace.open(tmp_path), scope, publication) as rerun:
        rerun.make_stale(("stops.wanted", "stops.counted"))
        rerun.run(("stops.wanted", "stops.counted"))
        assert read(rerun, "stops.wanted") == [("actual", "2026-02", 1)]
        assert read(rerun, "stops.counted") == [(2,)]


def test_one_model_with_other_inputs_leaves_them_as_they_were(rerun: Rerun) -> None:
    rerun.run_with("stops.base", {"stops.given": "from {relation} where period_id = '2026-01'"})
    rerun.run(("marts.sums",))
    assert read(rerun, "marts.sums") == [(20,)]
    assert len(read(rerun, "stops.given")) == 2
    rerun.replace("model.factors", "select 3 as factor_a, 5 as factor_b")
    rerun.run(("marts.sums",))
    assert read(rerun, "marts.sums") == [(20,)]


def test_a_rerun_after_a_model_failed_starts_there_again(rerun: Rerun) -> None:
    rerun.replace("model.factors", "select 'none' as factor_a, 5 as factor_b")
    with pytest.raises(duckdb.Error):
        rerun.run(("marts.sums",))
    rerun.replace("model.factors", "select 4 as factor_a, 5 as factor_b")
    rerun.run(("marts.sums",))
    assert read(rerun, "marts.sums") == [(120,)]


def test_a_publication_without_its_sql_is_refused(publication: Publication, tmp_path: Path) -> None:
    path = tmp_path / "warehouse" / publication.files[0].name
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table model.compiled_models")
    with (
        pytest.raises(ControlError, match="published without its compiled SQL"),
        open_rerun(Workspace.open(tmp_path), publication=publication),
    ):
        pass


def test_a_missing_file_or_publication_is_refused(publication: Publication, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    (tmp_path / "warehouse" / publication.files[0].name).unlink()
    with (
        pytest.raises(ControlError, match="is missing"),
        open_rerun(workspace, publication=publication),
    ):
        pass
    with pytest.raises(NothingPublishedError), open_rerun(workspace):
        pass
