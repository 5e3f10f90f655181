"""The order flow: spreads as the table has them, thin trading, fills of patient orders, no crosses."""

from itertools import pairwise

import pytest

from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.records import (
    ExchangeEvent,
    Listing,
    OrderTerms,
    SimSide,
    TimeInForce,
    TopChanged,
    Traded,
)

S = 1_000_000_000
HOUR = 3600 * S


def liquid(exchange: Exchange, symbol: str) -> Listing:
    """Give the month of a symbol that had the largest volume on the day before."""
    listings = [listing for listing in exchange.listings if listing.symbol == symbol]
    return max(
        listings, key=lambda item: sum(bar.volume for bar in exchange.daily_bars(item.con_id, 20, exchange.start_ns))
    )


def watched(exchange: Exchange, listing: Listing, *, until_ns: int) -> list[ExchangeEvent]:
    """Watch a contract from the start and give its events up to an instant."""
    exchange.watch(listing.con_id, exchange.start_ns)
    return exchange.advance(until_ns)


@pytest.mark.parametrize(
    ("symbol", "spread_ticks"), [("ZO", 14.4), ("KE", 2.4), ("HE", 2.1), ("LBR", 36), ("DA", 10.2), ("CB", 120)]
)
def test_the_time_weighted_spread_is_near_the_tables(symbol: str, spread_ticks: float) -> None:
    """Over four hours within a quarter, and never crossed or locked on the way."""
    exchange = Exchange(seed=11)
    listing = liquid(exchange, symbol)

    events = watched(exchange, listing, until_ns=exchange.start_ns + 4 * HOUR)

    tops = [event for event in events if isinstance(event, TopChanged)]
    weighted, total = 0.0, 0
    for before, after in pairwise(tops):
        top = before.top
        if top.bid is not None and top.ask is not None:
            assert top.bid < top.ask
            length = after.time_ns - before.time_ns
            weighted += float((top.ask - top.bid) / listing.min_tick) * length
            total += length
    assert total > 3.9 * HOUR
    assert weighted / total == pytest.approx(spread_ticks, rel=0.25)


def test_quotes_change_about_once_a_second_and_trades_about_once_a_minute() -> None:
    """Thin as said, in oats over four busy hours; takers bring one to three lots or so."""
    exchange = Exchange(seed=5)

    events = watched(exchange, liquid(exchange, "ZO"), until_ns=exchange.start_ns + 4 * HOUR)

    tops = sum(isinstance(event, TopChanged) for event in events)
    sizes = [event.size for event in events if isinstance(event, Traded)]
    assert 0.4 < tops / (4 * 3600) < 1.2
    assert 40 < 4 * 3600 / len(sizes) < 90
    assert 1 <= sum(sizes) / len(sizes) < 2.5


@pytest.mark.parametrize("symbol", ["ZO", "LBR", "HE", "CSC"])
def test_a_days_prints_agree_with_the_volume_of_its_bars(symbol: str) -> None:
    """The bar of a whole watched day holds its prints, within a factor two of the average before."""
    exchange = Exchange(seed=2)
    listing = liquid(exchange, symbol)
    wednesday_end = exchange.start_ns + 31 * HOUR + HOUR // 2

    events = watched(exchange, listing, until_ns=wednesday_end)

    before = exchange.daily_bars(listing.con_id, 20, exchange.start_ns)
    _, bar = exchange.daily_bars(listing.con_id, 2, wednesday_end + 24 * HOUR)
    average = sum(item.volume for item in before) / len(before)
    prints = [event for event in events if isinstance(event, Traded)]
    last = next(n for n, event in enumerate(prints) if event.volume == event.size and n)
    assert bar.volume == sum(event.size for event in prints[last:])
    assert (bar.high, bar.trades) == (
        max(bar.close, *(event.price for event in prints[last:])),
        len(prints) - last,
    )
    assert average / 2 < bar.volume < average * 2


def test_a_patient_order_at_mid_is_often_filled_within_five_minutes() -> None:
    """Three lots of oats at mid: filled in a good half of markets, and not in all."""
    filled = 0

    for seed in range(60):
        exchange = Exchange(seed=seed)
        listing = liquid(exchange, "ZO")
        now_ns = exchange.start_ns + 60 * S
        watched(exchange, listing, until_ns=now_ns)
        top = exchange.top(listing.con_id)
        assert top is not None
        assert top.bid is not None
        assert top.ask is not None
        terms = OrderTerms(
            client_id=1,
            order_id=1,
            account=exchange.account,
            con_id=listing.con_id,
            side=SimSide.BUY,
            lots=3,
            limit_price=(top.bid + top.ask) / 2 // listing.min_tick * listing.min_tick,
            tif=TimeInForce.GTD,
            good_till_ns=now_ns + 300 * S,
            order_ref="",
        )
        exchange.submit(terms, now_ns)
        exchange.advance(now_ns + 300 * S)
        order = exchange.order(1, 1)
        assert order is not None
        filled += order.filled_lots == 3

    assert 0.4 < filled / 60 < 0.8


def test_an_emptied_book_is_refilled() -> None:
    """After all asks are bought the market quotes both sides again within a minute, uncrossed."""
    exchange = Exchange(seed=8)
    listing = liquid(exchange, "ZO")
    watched(exchange, listing, until_ns=exchange.start_ns + S)
    top = exchange.top(listing.con_id)
    assert top is not None
    assert top.ask is not None
    terms = OrderTerms(
        client_id=1,
        order_id=1,
        account=exchange.account,
        con_id=listing.con_id,
        side=SimSide.BUY,
        lots=100,
        limit_price=top.ask + 100 * listing.min_tick,
        tif=TimeInForce.GTC,
        good_till_ns=None,
        order_ref="",
    )

    exchange.submit(terms, exchange.start_ns + S)
    exchange.cancel(1, 1, exchange.start_ns + S)
    emptied = exchange.top(listing.con_id)
    exchange.advance(exchange.start_ns + 61 * S)
    refilled = exchange.top(listing.con_id)

    assert emptied is not None
    assert emptied.ask is None
    assert refilled is not None
    assert refilled.ask is not None
    assert refilled.bid is not None
    assert refilled.bid < refilled.ask


def test_months_further_out_are_quieter_and_wider() -> None:
    """The sixth month of butter trades less often than the liquid one, at a wider spread."""
    exchange = Exchange(seed=4)
    near = liquid(exchange, "CB")
    far = [listing for listing in exchange.listings if listing.symbol == "CB"][-1]

    prints = {}
    spreads = {}
    for listing in (near, far):
        market = Exchange(seed=4)
        events = watched(market, listing, until_ns=market.start_ns + 3 * HOUR)
        prints[listing] = sum(isinstance(event, Traded) for event in events)
        tops = [event.top for event in events if isinstance(event, TopChanged)]
        both = [float(top.ask - top.bid) for top in tops if top.ask is not None and top.bid is not None]
        spreads[listing] = sum(both) / len(both)

    assert prints[far] < prints[near] / 3
    assert spreads[far] > 1.3 * spreads[near]
