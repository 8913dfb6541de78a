"""The choice of one service, which several pages begin with."""

from __future__ import annotations

from collections.abc import Mapping

from app.components import show_headline, show_missing
from app.context import Context
from app.queries.catalogue import read_service_names
from app.queries.service_costs import find_largest_service
from app.selection import SERVICE, choose_one


def find_services(context: Context, question: str) -> Mapping[str, str]:
    """Names of the services by id; none after the page has said what to do about it."""
    names = read_service_names(context.published)
    if not names:
        show_headline(question, "No services are in the catalogue")
        show_missing(
            "The cost model has no services.",
            "Describe them in `cost_model/services.yml`, then run `apportion run`.",
        )
    return names


def choose_service(context: Context, names: Mapping[str, str]) -> str:
    """The service that the reader looks at; the one that costs most where none was chosen."""
    return choose_one(
        SERVICE,
        "Service",
        list(names),
        default=find_largest_service(context.published, context.selection),
        format_option=names.__getitem__,
    )
