"""Implementation shortfall: what is paid beside the paper portfolio adds up, to the last digit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis.tca import Shortfall, implementation_shortfall
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder

prices = st.decimals(min_value=-500, max_value=2_000, places=4)
amounts = st.decimals(min_value=-100, max_value=1_000, places=2)
values = st.decimals(min_value=Decimal("0.01"), max_value=5_000, places=2)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, object]:
    """An order with any fills, none and all of it among them."""
    lots = draw(st.integers(1, 200))
    fills, left = [], lots
    while left and draw(st.booleans()):
        count = draw(st.integers(1, left))
        fills.append((count, draw(prices)))
        left -= count
    return {
        "lots": lots,
        "fills": fills,
        "decision_price": draw(prices),
        "arrival_price": draw(prices),
        "end_price": draw(prices),
        "fees": draw(amounts),
        "point_value": draw(values),
    }


def worked_example(**other: object) -> Shortfall:
    """Buy 100, decided at 10.00, arrived at 10.05: 60 at 10.10, 20 at 10.20, the rest missed at 10.30, fees 4."""
    told = {
        "side": "BUY",
        "lots": 100,
        "decision_price": 10.00,
        "arrival_price": 10.05,
        "fills": [(60, 10.10), (20, 10.20)],
        "end_price": 10.30,
        "fees": 4,
    }
    return implementation_shortfall(**{**told, **other})  # type: ignore[arg-type]


def test_the_worked_example_parts_as_written() -> None:
    """Delay 4, trading 6, opportunity 6, fees 4: 20 in all, 200 bps."""
    cost = worked_example()

    assert (cost.delay, cost.trading, cost.opportunity, cost.fees) == (4, 6, 6, 4)
    assert (cost.total, cost.bps) == (20, 200)


@given(order=orders(), side=st.sampled_from(Side))
def test_the_parts_are_paper_less_real(order: dict[str, object], side: Side) -> None:
    """The sum is what the paper portfolio makes at the end price, less what the real one makes: exactly."""
    cost = implementation_shortfall(side=side, **order)  # type: ignore[arg-type]

    end, value = order["end_price"], order["point_value"]
    paper = side.sign * (end - order["decision_price"]) * order["lots"] * value  # type: ignore[operator]
    gains = [side.sign * (end - price) * lots * value for lots, price in order["fills"]]  # type: ignore[operator, attr-defined]
    real = sum(gains, start=Decimal(0)) - order["fees"]  # type: ignore[operator]
    assert cost.total == paper - real


@given(order=orders())
def test_a_sell_mirrors_a_buy(order: dict[str, object]) -> None:
    """At the same prices every part but the fees has the other sign."""
    buy = implementation_shortfall(side=Side.BUY, **order)  # type: ignore[arg-type]
    sell = implementation_shortfall(side=Side.SELL, **order)  # type: ignore[arg-type]

    assert (sell.delay, sell.trading, sell.opportunity) == (-buy.delay, -buy.trading, -buy.opportunity)
    assert sell.fees == buy.fees


@given(order=orders())
def test_the_value_of_a_point_counts_once(order: dict[str, object]) -> None:
    """A contract of twice the value costs twice as much, fees aside."""
    one = implementation_shortfall(side=Side.BUY, **order)  # type: ignore[arg-type]
    two = implementation_shortfall(side=Side.BUY, **{**order, "point_value": 2 * order["point_value"]})  # type: ignore[arg-type, operator]

    assert two.total - two.fees == 2 * (one.total - one.fees)


@pytest.mark.parametrize(
    "wrong",
    [{"lots": 79}, {"lots": 0}, {"fills": [(0, 10)]}, {"end_price": float("nan")}, {"fees": Decimal("Infinity")}],
    ids=["more filled than ordered", "no lots", "a fill of nothing", "an unknown price", "endless fees"],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """No number comes of it."""
    with pytest.raises(InvalidOrder):
        worked_example(**wrong)


def test_a_decision_at_nothing_has_no_basis_points() -> None:
    """Cash is known all the same."""
    cost = worked_example(decision_price=0)

    assert cost.bps is None
    assert cost.total == 1_020
