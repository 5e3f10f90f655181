"""Orders that a venue at fault made two of: each lives and ends by itself."""

from dataclasses import replace

from hydra_nb.sim.records import OrderChanged, OrderStatus, TimeInForce

from .exchange_floor import Floor, S


def test_a_forked_order_ends_at_its_own_expiry() -> None:
    """No order rests beyond its good-till date, however it came into the book."""
    floor = Floor()
    first_end_ns, second_end_ns = floor.start_ns + 60 * S, floor.start_ns + 90 * S
    terms = floor.terms(tif=TimeInForce.GTD, good_till_ns=first_end_ns)
    floor.exchange.submit(terms, floor.start_ns)
    floor.exchange.interventions.fork_next_modify(1, order_id=1)
    floor.exchange.submit(replace(terms, good_till_ns=second_end_ns), floor.start_ns + 10 * S)

    at_first = floor.exchange.advance(first_end_ns)
    live_between = len(floor.exchange.open_orders())
    at_second = floor.exchange.advance(second_end_ns)

    ended = [
        [event.order.perm_id for event in events if isinstance(event, OrderChanged)] for events in (at_first, at_second)
    ]
    assert [len(perm_ids) for perm_ids in ended] == [1, 1]
    assert ended[0] != ended[1]
    assert live_between == 1
    assert floor.exchange.open_orders() == []
    assert all(order.status is OrderStatus.CANCELLED for order in floor.exchange.completed_orders())
