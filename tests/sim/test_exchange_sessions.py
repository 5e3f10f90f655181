"""Orders and the hours of the market: held, released, expired, cancelled together."""

import pytest

from hydra_nb.sim.records import (
    OrderChanged,
    OrderStatus,
    TimeInForce,
    TopChanged,
)

from .exchange_floor import HOUR, OATS_OVERNIGHT, TO_THE_CLOSE, Floor, S, codes, fills, statuses


def test_a_day_order_survives_a_pause_and_ends_with_the_trade_date() -> None:
    """Entered in the evening session it is held from 07:45, works from 08:30, and ends at 13:20."""
    floor = Floor()
    floor.submit(after_ns=OATS_OVERNIGHT, tif=TimeInForce.DAY)

    changes = [e for e in floor.exchange.advance(floor.start_ns + 48 * HOUR) if isinstance(e, OrderChanged)]

    after_s = [(e.order.status, (e.time_ns - floor.start_ns) / HOUR) for e in changes]
    assert after_s == [
        (OrderStatus.PRE_SUBMITTED, 22.75),
        (OrderStatus.SUBMITTED, 23.5),
        (OrderStatus.CANCELLED, pytest.approx(24 + 4 + 1 / 3)),
    ]


def test_a_day_order_that_ends_with_its_session_is_cancelled_and_not_held() -> None:
    """One change at the close, and it is the last."""
    floor = Floor()
    floor.submit(tif=TimeInForce.DAY)

    events = floor.exchange.advance(floor.start_ns + OATS_OVERNIGHT)

    assert statuses(events) == [(OrderStatus.CANCELLED, 0)]


def test_held_orders_enter_in_order_of_arrival_and_a_larger_size_arrives_anew() -> None:
    """The first of two grows while it is held and enters after the second; a smaller third keeps its place."""
    floor = Floor()
    for order_id in (1, 2, 3):
        floor.submit(order_id, after_ns=TO_THE_CLOSE)
    floor.submit(1, after_ns=TO_THE_CLOSE + S, lots=5)
    floor.submit(3, after_ns=TO_THE_CLOSE + S, lots=1)

    opened = floor.exchange.advance(floor.start_ns + OATS_OVERNIGHT)

    assert [event.order.terms.order_id for event in opened if isinstance(event, OrderChanged)] == [2, 3, 1]


def test_an_order_in_a_closed_market_is_held_until_the_open() -> None:
    """The touch is gone at the close; a marketable order waits, and trades with the first quotes."""
    floor = Floor()
    closing = floor.exchange.advance(floor.start_ns + TO_THE_CLOSE)
    last_top = [event for event in closing if isinstance(event, TopChanged)][-1].top
    price = floor.top().close + 50

    accepted = floor.submit(after_ns=TO_THE_CLOSE + S, limit_price=price, tif=TimeInForce.DAY)
    waiting = floor.exchange.advance(floor.start_ns + OATS_OVERNIGHT - 1)
    opened = floor.exchange.advance(floor.start_ns + OATS_OVERNIGHT)

    assert (last_top.bid, last_top.bid_size, last_top.ask, last_top.ask_size) == (None, 0, None, 0)
    assert not floor.exchange.is_open(floor.oats.con_id, floor.start_ns + TO_THE_CLOSE)
    assert statuses(accepted) == [(OrderStatus.PRE_SUBMITTED, 0)]
    assert waiting == []
    assert statuses(opened)[0] == (OrderStatus.SUBMITTED, 0)
    assert statuses(opened)[-1] == (OrderStatus.FILLED, 2)
    assert all(paid < price for paid, _ in fills(opened))


def test_held_orders_can_be_modified_and_cancelled() -> None:
    """A held order takes new terms, enters with them, or never enters."""
    floor = Floor()
    floor.submit(1, after_ns=TO_THE_CLOSE)
    floor.submit(2, after_ns=TO_THE_CLOSE)

    modified = floor.submit(1, after_ns=TO_THE_CLOSE + S, lots=5)
    cancelled = floor.exchange.cancel(1, 2, floor.start_ns + TO_THE_CLOSE + S)
    opened = floor.exchange.advance(floor.start_ns + OATS_OVERNIGHT)

    assert statuses(modified) == [(OrderStatus.PRE_SUBMITTED, 0)]
    assert statuses(cancelled) == [(OrderStatus.CANCELLED, 0)]
    assert [(e.order.terms.order_id, e.order.remaining_lots) for e in opened if isinstance(e, OrderChanged)] == [(1, 5)]


def test_cancel_all_ends_the_orders_of_all_clients() -> None:
    """Also the held ones of a closed market."""
    floor = Floor()
    lumber = next(item for item in floor.exchange.listings if item.symbol == "LBR")
    floor.submit(1, after_ns=TO_THE_CLOSE)
    floor.submit(1, after_ns=TO_THE_CLOSE, client_id=2, con_id=lumber.con_id)

    events = floor.exchange.cancel_all(floor.start_ns + TO_THE_CLOSE + S)

    assert statuses(events) == [(OrderStatus.CANCELLED, 0)] * 2
    assert floor.exchange.open_orders() == []
    assert len(floor.exchange.completed_orders()) == 2


def test_nothing_trades_and_no_order_lives_after_the_last_trade_date() -> None:
    """A GTC order ends with its contract, and a later one is refused."""
    floor = Floor(watched=False)
    expiring = min(floor.exchange.listings, key=lambda item: item.last_trade_date)
    tick = expiring.min_tick
    later_ns = 40 * 24 * HOUR

    floor.submit(1, con_id=expiring.con_id, limit_price=tick)
    events = floor.exchange.advance(floor.start_ns + later_ns)

    assert statuses(events)[-1] == (OrderStatus.CANCELLED, 0)
    assert codes(floor.submit(2, after_ns=later_ns, con_id=expiring.con_id, limit_price=tick)) == [201]
    assert floor.exchange.next_event_ns() is None
