"""Find how much of every solved weight passes services whose drivers are not measured.

A thin shell around `pipelines.allocation.weight_doubts`, where the method is described and tested.
"""


def model(dbt, session):  # type: ignore[no-untyped-def]
    from pipelines.allocation.use_edges import select_edges, select_ranks
    from pipelines.allocation.weight_doubts import find_doubts

    dbt.config(materialized="table")
    use = dbt.ref("int_delivered_services__use")
    return find_doubts(select_edges(use), select_ranks(use))
