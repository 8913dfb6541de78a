"""Solve the shared services of every period: how much of each service leaves IT through which.

A thin shell around `pipelines.allocation.shared_services`, where the method is described and
tested. Weights only, never money; the SQL models before and after carry the contracts.
"""


def model(dbt, session):  # type: ignore[no-untyped-def]
    from pipelines.allocation.shared_services import solve_shared_services
    from pipelines.allocation.use_edges import select_edges

    dbt.config(materialized="table")
    edges = select_edges(dbt.ref("int_delivered_services__use"))
    [(method,)] = dbt.ref("stg_model__settings").project("shared_method").fetchall()
    return solve_shared_services(edges, method)
