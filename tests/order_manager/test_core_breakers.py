"""What a tripped breaker does to parent orders, in a plain loop: whom it stops, and how they end."""

from typing import Any

import pytest
from algos.making import OATS, PARENT_ID, START_NS, make_plan
from algos.toy_market import ToyDesk

from hydra_nb.algos.actions import CancelChild, Propose
from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import Action, OrderState, ParentStatus, SliceStatus
from hydra_nb.domain.units import NS_PER_S, Side

OF_ACCOUNT: dict[str, Any] = {
    "breaker": "daily_loss",
    "observed": 3.0,
    "limit": 2.0,
    "unit": "USD",
    "reason": "Lost 3.00 USD today, 2.00 allowed",
}


def of_position(side: Side, *, con_id: int = OATS.con_id) -> dict[str, Any]:
    """A position that is too large on one side."""
    return {**OF_ACCOUNT, "breaker": "position_lots", "con_id": con_id, "local_symbol": "ZOK6", "side": side}


def places(desk: ToyDesk) -> int:
    """How many orders were asked for."""
    return sum(asked.action is Action.PLACE for asked in desk.actions(Propose))


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("of_its_position", [True, False])
def test_a_trip_cancels_what_rests_and_ends_the_parent_with_the_reason(side: Side, of_its_position: bool) -> None:
    """As soon as its order is proven dead; the slices to come are refused."""
    desk = ToyDesk(make_plan(13, side=side))
    desk.tell_at(100, ev.BreakerTripped, **(of_position(side) if of_its_position else OF_ACCOUNT))

    desk.run()

    assert desk.finished.status is ParentStatus.PARTIAL
    assert desk.finished.reason.endswith("tripped: Lost 3.00 USD today, 2.00 allowed")
    assert desk.finished.time_ns < START_NS + 102 * NS_PER_S
    assert places(desk) == len(desk.actions(CancelChild)) == 1
    assert [order.state for order in desk.core.ledger.orders.values()] == [OrderState.DEAD]
    ends = [end.status for end in sorted(desk.events(ev.SliceFinished), key=lambda end: end.slice)]
    assert ends == [SliceStatus.CANCELLED, *[SliceStatus.REFUSED] * 4]


@pytest.mark.parametrize("trip", [of_position(Side.SELL), of_position(Side.BUY, con_id=OATS.con_id + 1)])
def test_a_position_on_the_other_side_or_in_another_contract_stops_nothing(trip: dict[str, Any]) -> None:
    """What reduces goes on."""
    desk, calm = ToyDesk(make_plan(13)), ToyDesk(make_plan(13))
    desk.tell_at(100, ev.BreakerTripped, **trip)

    desk.run()
    calm.run()

    assert desk.asked == calm.asked
    assert places(desk) == 5


def test_a_trip_before_anything_was_sent_refuses_the_parent() -> None:
    """Nothing was in the market."""
    desk = ToyDesk(make_plan(13))
    desk.tell_at(0, ev.BreakerTripped, **OF_ACCOUNT)

    desk.run()

    assert places(desk) == 0
    assert desk.finished.status is ParentStatus.REFUSED
    assert desk.finished.reason == "breaker daily_loss tripped: Lost 3.00 USD today, 2.00 allowed"


def test_a_trip_ends_a_parent_that_is_paused() -> None:
    """Nothing of it rests, and it does not wait to be resumed into a tripped desk."""
    desk = ToyDesk(make_plan(13))
    desk.tell_at(100, ev.ParentPaused, parent_id=PARENT_ID)
    desk.tell_at(200, ev.BreakerTripped, **OF_ACCOUNT)

    desk.run()

    assert places(desk) == 1
    assert desk.finished.status is ParentStatus.PARTIAL
    assert desk.finished.time_ns == START_NS + 200 * NS_PER_S
    assert desk.core.running == ()
