"""Ticks of the wire as quotes of ours."""

import asyncio
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.broker.quotes import QuoteBoard, exact_price
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import FeedType, Quote
from hydra_nb.sim import replies
from tests.broker.listed import oats
from tests.broker.room import Room, in_virtual_time

REQUEST = 5
BID_SIZE, BID, ASK, ASK_SIZE, LAST, VOLUME, CLOSE, HALTED = 0, 1, 2, 3, 4, 8, 9, 49


def board(contract: FutureContract | None = None) -> QuoteBoard:
    """A board that watches oats, with 10 bid at 370.00 and 4 offered at 371.25, at time 1000."""
    contract = contract or oats()
    made = QuoteBoard(lambda: 1_000)
    made.watch(contract)
    made.subscribe(contract.con_id, req_id=REQUEST)
    made.price_tick(REQUEST, BID, 370.0, 10)
    made.price_tick(REQUEST, ASK, 371.25, 4)
    return made


def read(made: QuoteBoard) -> Quote:
    """The quote of the one contract."""
    quote = made.quote(oats().con_id)
    assert quote is not None
    return quote


def test_ticks_make_an_exact_quote() -> None:
    """Prices are multiples of the tick, sizes whole, time is market time."""
    made = board()
    made.price_tick(REQUEST, LAST, 370.75, 2)
    made.size_tick(REQUEST, VOLUME, 12)
    made.price_tick(REQUEST, CLOSE, 369.5, 0)

    quote = read(made)

    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (Decimal("370.00"), 10, Decimal("371.25"), 4)
    assert (quote.last, quote.last_size, quote.volume) == (Decimal("370.75"), 2, 12)
    assert (quote.settlement, quote.time_ns, quote.feed) == (Decimal("369.50"), 1_000, FeedType.LIVE)


@pytest.mark.parametrize("price", [-1.0, math.nan, math.inf, 1.7976931348623157e308])
def test_a_price_that_is_none_empties_its_side(price: float) -> None:
    """Sentinels never become prices."""
    made = board()

    made.price_tick(REQUEST, BID, price, 10)

    quote = read(made)
    assert (quote.bid, quote.bid_size, quote.mid) == (None, 0, None)
    assert quote.ask == Decimal("371.25")


def test_a_size_of_zero_empties_its_side_until_it_shows_again() -> None:
    """The price need not be told anew."""
    made = board()

    made.size_tick(REQUEST, ASK_SIZE, 0)
    empty = read(made)
    made.size_tick(REQUEST, ASK_SIZE, 3)

    assert (empty.ask, empty.ask_size) == (None, 0)
    assert (read(made).ask, read(made).ask_size) == (Decimal("371.25"), 3)


def test_another_feed_voids_what_the_one_before_told() -> None:
    """A delayed ask must not stand beside a live bid."""
    made = board()

    made.feed_type(REQUEST, 3)
    made.price_tick(REQUEST, 67, 380.0, 4)

    quote = read(made)
    assert (quote.feed, quote.bid, quote.ask) == (FeedType.DELAYED, None, Decimal("380.00"))


def test_delayed_ticks_without_a_word_of_it_are_not_taken_for_live() -> None:
    """The client library stores them as if they were."""
    made = board()

    made.price_tick(REQUEST, 66, 360.0, 4)

    assert read(made).feed is FeedType.DELAYED


def test_one_late_delayed_tick_does_not_end_a_live_feed() -> None:
    """Nobody would ever tell that the feed is live again; the next live tick does, and starts from nothing."""
    made = board()
    made.price_tick(REQUEST, 1, 370.0, 2)

    made.price_tick(REQUEST, 67, 380.0, 4)
    made.price_tick(REQUEST, 1, 370.25, 3)

    quote = read(made)
    assert (quote.feed, quote.bid, quote.ask) == (FeedType.LIVE, Decimal("370.25"), None)


def test_a_feed_that_was_told_to_be_delayed_is_live_again_only_when_told() -> None:
    """A live tick in between proves nothing."""
    made = board()

    made.feed_type(REQUEST, 3)
    made.price_tick(REQUEST, 1, 370.0, 2)

    assert read(made).feed is FeedType.DELAYED


def test_a_new_subscription_starts_without_the_quote_of_the_one_before() -> None:
    """After a reconnection nothing is sent on what the lost connection showed."""
    made = board()
    made.price_tick(REQUEST, 1, 370.0, 2)
    before = made.quote(read(made).con_id)

    made.unsubscribe_all()
    made.subscribe(read(made).con_id, req_id=REQUEST + 1)

    assert before is not None
    assert made.quote(before.con_id) is None


def test_a_feed_of_an_unknown_kind_is_not_live() -> None:
    """What we do not know is not traded on."""
    made = board()

    made.feed_type(REQUEST, 9)

    assert read(made).feed is not FeedType.LIVE


def test_a_halt_shows_and_ends() -> None:
    """Tick 49: 1 and 2 are halts, 0 and −1 none."""
    made = board()

    seen = []
    for value in (0.0, 1.0, -1.0, 2.0, 0.0):
        made.generic_tick(REQUEST, HALTED, value)
        seen.append(read(made).halted)

    assert seen == [False, True, False, True, False]


def test_ticks_of_an_old_subscription_count_no_more() -> None:
    """After asking again only the new request id speaks."""
    made = board()

    made.subscribe(oats().con_id, req_id=6)
    made.price_tick(REQUEST, BID, 365.0, 1)
    made.price_tick(6, BID, 366.0, 1)

    quote = read(made)
    assert (quote.bid, quote.ask) == (Decimal("366.00"), None)


def test_an_unknown_request_id_is_passed_over() -> None:
    """It may be the end of a stream that we left."""
    made = board()

    made.price_tick(77, BID, 365.0, 1)

    assert read(made).bid == Decimal("370.00")


@given(st.integers(-10_000_000, 10_000_000), st.sampled_from(["0.25", "0.005", "0.1", "0.025", "0.001", "0.0000005"]))
def test_every_price_on_tick_survives_its_way_over_the_wire(ticks: int, tick: str) -> None:
    """Decimal to double and back."""
    price = ticks * Decimal(tick)

    assert exact_price(float(price), tick=Decimal(tick)) == price


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_a_price_off_tick_is_not_bent(price: float) -> None:
    """Only what is within rounding of a tick is taken for it."""
    exact = exact_price(price, tick=Decimal("0.25"))

    assert abs(exact - Decimal(repr(price))) <= Decimal("1e-9") * max(abs(exact), Decimal(1))


def test_a_batch_gives_one_quote_a_contract() -> None:
    """However many ticks it holds, with the last of each."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        [(request, stream)] = room.core.sessions[0].tick_streams.items()
        assert request
        room.quotes.clear()

        await room.say(
            stream._price(1, Decimal("300.25"), 5, b"0\0")
            + stream._price(2, Decimal("310.25"), 6, b"0\0")
            + stream._size(0, 7)
        )

        [(quote, of)] = room.quotes
        assert of == contract
        assert (quote.bid, quote.bid_size, quote.ask) == (Decimal("300.25"), 7, Decimal("310.25"))
        assert quote.time_ns <= room.clock.now_ns()

    in_virtual_time(scenario)


def test_watching_twice_asks_once() -> None:
    """A re-run cell must not subscribe again."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()

        room.broker.watch(contract)
        await asyncio.sleep(1)

        assert len(room.core.frames(1)) == 1

    in_virtual_time(scenario)


def test_the_feed_of_the_wire_is_read() -> None:
    """Message 58 for a subscription."""

    async def scenario(room: Room) -> None:
        contract = await room.quoted()
        [request] = room.core.sessions[0].tick_streams

        await room.say(replies.market_data_type(request, data_type=2))

        quote = room.broker.quote(contract.con_id)
        assert quote is not None
        assert quote.feed is FeedType.FROZEN

    in_virtual_time(scenario)
