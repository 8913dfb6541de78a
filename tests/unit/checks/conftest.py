"""Two runs that all tests of the checks share: the start of the engine takes seconds."""

from __future__ import annotations

import pytest

from pipelines.contracts.contract import list_contract_ids

from .lake import BROKEN, GOOD, Run, run_over


@pytest.fixture(scope="session")
def good_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All contracts, nothing wrong."""
    assert set(GOOD) == set(list_contract_ids())
    return run_over(tmp_path_factory.mktemp("good lake, 100% of $x"), GOOD)


@pytest.fixture(scope="session")
def broken_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All contracts, each with its broken records beside the right ones."""
    tables = {contract_id: [*rows, *BROKEN[contract_id]] for contract_id, rows in GOOD.items()}
    return run_over(tmp_path_factory.mktemp("broken"), tables)
