"""The change of what services cost, taken apart into cost and drivers, by hand."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pipelines.planning.cost_changes import split_changes


def split(*parts: tuple[str, str, str, str]) -> dict[str, tuple[str, str]]:
    rows = [
        (service, tower, "pool", Decimal(before), Decimal(after))
        for service, tower, before, after in parts
    ]
    found = split_changes(rows)
    return {service: (str(item.cost), str(item.drivers)) for service, item in found.items()}


def test_shares_that_move_are_drivers_and_more_cost_is_cost() -> None:
    """The tower costs 1,000.00 and then 1,100.00. Laptop had 600.00 of it, which are 660.00 at the
    same share, and has 500.00; mobile had 400.00, so 440.00, and has 600.00."""
    assert split(("laptop", "user", "600", "500"), ("mobile", "user", "400", "600")) == {
        "laptop": ("60.00", "-160.00"),
        "mobile": ("40.00", "160.00"),
    }


def test_towers_are_taken_apart_on_their_own() -> None:
    """In storage nothing but the cost moved, and in user nothing but the shares."""
    assert split(
        ("laptop", "user", "600", "500"),
        ("mobile", "user", "400", "500"),
        ("laptop", "storage", "100", "130"),
    ) == {"laptop": ("30.00", "-100.00"), "mobile": ("0.00", "100.00")}


def test_of_nothing_no_share_is_known() -> None:
    """A tower that is new or gone is cost, and so is one whose credits and costs cancel."""
    assert split(("erp", "new", "0", "80")) == {"erp": ("80.00", "0.00")}
    assert split(("erp", "old", "80", "0")) == {"erp": ("-80.00", "0.00")}
    assert split(("erp", "even", "50", "70"), ("crm", "even", "-50", "30")) == {
        "erp": ("20.00", "0.00"),
        "crm": ("80.00", "0.00"),
    }


cells = st.tuples(
    st.sampled_from("abc"),
    st.sampled_from("xy"),
    st.just("pool"),
    st.decimals(-1000, 1000, places=2),
    st.decimals(-1000, 1000, places=2),
)


@given(st.lists(cells, unique_by=lambda cell: (cell[0], cell[1])))
def test_the_two_sum_to_the_change_and_drivers_to_nothing(
    drawn: list[tuple[str, str, str, Decimal, Decimal]],
) -> None:
    found = split_changes(drawn)
    for service, item in found.items():
        change = sum(after - before for name, _, _, before, after in drawn if name == service)
        assert item.cost + item.drivers == change
    # Each service's cost is rounded once, by half a cent at most.
    drivers = sum((item.drivers for item in found.values()), Decimal(0))
    assert abs(drivers) <= Decimal("0.005") * len(found)
