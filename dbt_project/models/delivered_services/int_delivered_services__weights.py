"""Solve the shared services of every period: how much of each service leaves IT through which.

A thin shell around `pipelines.allocation.shared_services`, where the method is described and
tested. Weights only, never money; the SQL models before and after carry the contracts.
"""


def model(dbt, session):  # type: ignore[no-untyped-def]
    from pipelines.allocation.shared_services import solve_shared_services

    dbt.config(materialized="table")
    use = dbt.ref("int_delivered_services__use")
    # All receivers outside count as one: the solver asks which part leaves, not to whom.
    inside = "receiver_kind = 'service'"
    edges = use.aggregate(
        "scenario_id, period_id, version, service_id, "
        f"case when {inside} then 'service' else 'outside' end as receiver_kind, "
        f"case when {inside} then receiver_id else '' end as receiver_id, "
        "sum(weight) as weight"
    ).order("all")
    [(method,)] = dbt.ref("stg_model__settings").project("shared_method").fetchall()
    return solve_shared_services(edges.to_arrow_table(), method)
