"""Limit prices of the three stages: rounding, steps, caps, limits, and books that are empty or all ours."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.algos.prices import (
    IndicativeLimits,
    MarketMemory,
    Remembered,
    indicative_limits,
    ladder_price,
    last_resort,
    look,
    remember,
)
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Stage
from hydra_nb.domain.units import NS_PER_S, Side, is_on_tick

NOW_NS = 1_772_550_000 * NS_PER_S
STEP = Decimal("0.001")


def make_quote(
    bid: str | None, ask: str | None, *, bid_size: int = 5, ask_size: int = 5, settlement: str | None = None
) -> Quote:
    """Give a quote of now."""
    return Quote(
        con_id=1,
        time_ns=NOW_NS,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        bid_size=bid_size,
        ask_size=ask_size,
        settlement=None if settlement is None else Decimal(settlement),
    )


def price(
    stage: Stage,
    quote: Quote,
    *,
    side: Side,
    tick: str,
    limit: str | None = None,
    previous: str | None = None,
    memory: MarketMemory | None = None,
    own: dict[Decimal, int] | None = None,
) -> str | None:
    """Give the price of a stage as text, None where there is none."""
    sight = look(quote, side=side, own=own or {}, memory=memory or MarketMemory(), now_ns=NOW_NS)
    found = ladder_price(
        stage,
        sight=sight,
        side=side,
        tick=Decimal(tick),
        step=STEP,
        limit=None if limit is None else Decimal(limit),
        previous=None if previous is None else Decimal(previous),
    )
    return None if found is None else str(found.price)


WIDE = make_quote("95.0", "105.0")


@pytest.mark.parametrize(
    ("quote", "side", "tick", "mid", "step", "cross"),
    [
        # A step of 0.1 % and a cap of 1 % around 100.0.
        (WIDE, Side.BUY, "0.1", "100.0", "100.1", "101.0"),
        (WIDE, Side.SELL, "0.1", "100.0", "99.9", "99.0"),
        # Oats in cents: mid 370.00, the step of 0.37 falls to one tick, the touch lies within the cap.
        (make_quote("368.25", "371.75"), Side.BUY, "0.25", "370.00", "370.25", "371.75"),
        (make_quote("368.25", "371.75"), Side.SELL, "0.25", "370.00", "369.75", "368.25"),
        # A mid between ticks is rounded away from the market.
        (make_quote("368.25", "371.50"), Side.BUY, "0.25", "369.75", "370.00", "371.50"),
        (make_quote("368.25", "371.50"), Side.SELL, "0.25", "370.00", "369.75", "368.25"),
        # Rice in dollars.
        (make_quote("14.510", "14.605"), Side.BUY, "0.005", "14.555", "14.570", "14.605"),
        (make_quote("14.510", "14.605"), Side.SELL, "0.005", "14.560", "14.545", "14.510"),
        # One tick wide: nowhere to step.
        (make_quote("370.00", "370.25"), Side.BUY, "0.25", "370.00", "370.00", "370.25"),
        (make_quote("370.00", "370.25"), Side.SELL, "0.25", "370.25", "370.25", "370.00"),
        # Negative prices: a step is a fraction of the absolute mid.
        (make_quote("-40.0", "-36.0"), Side.BUY, "0.1", "-38.0", "-37.9", "-37.7"),
        (make_quote("-40.0", "-36.0"), Side.SELL, "0.1", "-38.0", "-38.1", "-38.3"),
    ],
)
def test_the_three_stages(quote: Quote, side: Side, tick: str, mid: str, step: str, cross: str) -> None:
    """Mid, step and cross of one quote, each following the one before."""
    indicated = indicative_limits(quote, side=side, tick=Decimal(tick), step=STEP)

    assert [indicated.mid, indicated.step, indicated.cross] == [Decimal(mid), Decimal(step), Decimal(cross)]


def test_preview_says_that_the_cap_stops_short_of_the_touch() -> None:
    """Ten steps from mid do not reach a touch 5 % away, but one 0.5 % away."""
    far = indicative_limits(WIDE, side=Side.BUY, tick=Decimal("0.1"), step=STEP)
    near = indicative_limits(make_quote("99.5", "100.5"), side=Side.BUY, tick=Decimal("0.1"), step=STEP)
    none = indicative_limits(None, side=Side.BUY, tick=Decimal("0.1"), step=STEP)

    assert far.cap_short_of_touch
    assert not near.cap_short_of_touch
    assert none == IndicativeLimits(mid=None, step=None, cross=None, cap_short_of_touch=False)


def test_the_cross_of_a_touch_off_tick_is_rounded_toward_the_market() -> None:
    """A touch between ticks is crossed, not missed."""
    quote = make_quote("369.90", "370.10")

    assert price(Stage.CROSS, quote, side=Side.BUY, tick="0.25") == "370.25"
    assert price(Stage.CROSS, quote, side=Side.SELL, tick="0.25") == "369.75"


def test_the_cap_is_rounded_so_that_it_is_not_passed() -> None:
    """1 % of 370.125 is 373.826: the tick below is the last one allowed."""
    quote = make_quote("365.00", "375.25")

    assert price(Stage.CROSS, quote, side=Side.BUY, tick="0.25") == "373.75"


@pytest.mark.parametrize("stage", list(Stage))
def test_no_price_passes_the_callers_limit(stage: Stage) -> None:
    """The limit holds whatever the stage, also where the order would have to retreat for it."""
    assert price(stage, WIDE, side=Side.BUY, tick="0.1", limit="99.7", previous="99.9") == "99.7"
    assert price(stage, WIDE, side=Side.SELL, tick="0.1", limit="100.3", previous="100.1") == "100.3"


@pytest.mark.parametrize("stage", list(Stage))
def test_no_price_retreats(stage: Stage) -> None:
    """A market that moved away leaves the order where it is."""
    assert price(stage, make_quote("90.0", "91.0"), side=Side.BUY, tick="0.1", previous="95.0") == "95.0"
    assert price(stage, make_quote("110.0", "111.0"), side=Side.SELL, tick="0.1", previous="105.0") == "105.0"


def test_a_step_moves_at_least_one_tick_beyond_the_previous_price() -> None:
    """With a tick wider than the step, the tick counts."""
    assert price(Stage.STEP, WIDE, side=Side.BUY, tick="0.5", previous="100.0") == "100.5"
    assert price(Stage.STEP, WIDE, side=Side.SELL, tick="0.5", previous="100.0") == "99.5"


def test_a_step_stays_one_tick_short_of_the_opposite_touch() -> None:
    """A step never crosses; without room the previous price is kept."""
    quote = make_quote("99.9", "100.1")

    assert price(Stage.STEP, quote, side=Side.BUY, tick="0.1", previous="99.9") == "100.0"
    assert price(Stage.STEP, quote, side=Side.BUY, tick="0.1", previous="100.0") == "100.0"


@pytest.mark.parametrize("stage", list(Stage))
def test_with_one_side_empty_only_the_cap_from_the_last_mid_is_used(stage: Stage) -> None:
    """A mid at most 600 s old stands in, then the settlement; without either there is no price."""
    quote = make_quote(None, "105.0")
    fresh = MarketMemory(mid=Remembered(price=Decimal("100.0"), time_ns=NOW_NS - 600 * NS_PER_S))
    stale = MarketMemory(mid=Remembered(price=Decimal("100.0"), time_ns=NOW_NS - 601 * NS_PER_S))

    assert price(stage, quote, side=Side.BUY, tick="0.1", memory=fresh) == "101.0"
    assert price(stage, make_quote(None, "105.0", settlement="50.0"), side=Side.SELL, tick="0.1") == "49.5"
    assert price(stage, quote, side=Side.BUY, tick="0.1", memory=stale) is None


@pytest.mark.parametrize("quote", [make_quote("100.0", "100.0"), make_quote("101.0", "100.0")])
def test_a_crossed_or_locked_book_gives_no_price(quote: Quote) -> None:
    """Nothing is measured from a book that contradicts itself."""
    assert price(Stage.MID, quote, side=Side.BUY, tick="0.1") is None


def test_our_own_order_does_not_raise_the_mid_that_it_is_measured_from() -> None:
    """Where we are the whole touch, the touch of before counts for 600 s; then our side is unknown."""
    before = remember(MarketMemory(), WIDE, side=Side.BUY, own={}, now_ns=NOW_NS)
    own = {Decimal("100.0"): 3}
    ours = make_quote("100.0", "105.0", bid_size=3)

    fresh = look(ours, side=Side.BUY, own=own, memory=before, now_ns=NOW_NS + 600 * NS_PER_S)
    stale = look(ours, side=Side.BUY, own=own, memory=before, now_ns=NOW_NS + 601 * NS_PER_S)
    joined = look(make_quote("100.0", "105.0", bid_size=4), side=Side.BUY, own=own, memory=before, now_ns=NOW_NS)

    assert (fresh.near, fresh.mid) == (Decimal("95.0"), Decimal("100.0"))
    assert (stale.near, stale.mid) == (None, None)
    assert joined.near == Decimal("100.0")


def test_our_own_order_on_the_ask_is_mirrored() -> None:
    """The same for a sale."""
    before = remember(MarketMemory(), WIDE, side=Side.SELL, own={}, now_ns=NOW_NS)
    ours = make_quote("95.0", "100.0", ask_size=2)

    sight = look(ours, side=Side.SELL, own={Decimal("100.0"): 2}, memory=before, now_ns=NOW_NS + NS_PER_S)

    assert (sight.near, sight.far, sight.mid) == (Decimal("105.0"), Decimal("95.0"), Decimal("100.0"))


def test_a_remembered_touch_through_which_the_market_moved_is_forgotten() -> None:
    """A bid of 95 is no bid any more once others offer at 94."""
    before = remember(MarketMemory(), WIDE, side=Side.BUY, own={}, now_ns=NOW_NS)
    ours = make_quote("93.0", "94.0", bid_size=1)

    sight = look(ours, side=Side.BUY, own={Decimal("93.0"): 1}, memory=before, now_ns=NOW_NS)

    assert sight.near is None


def test_our_own_touch_is_not_remembered() -> None:
    """Only what others showed is kept."""
    before = remember(MarketMemory(), WIDE, side=Side.BUY, own={}, now_ns=NOW_NS)
    ours = make_quote("100.0", "105.0", bid_size=3)

    after = remember(before, ours, side=Side.BUY, own={Decimal("100.0"): 3}, now_ns=NOW_NS + NS_PER_S)

    assert after.touch == before.touch
    assert remember(after, make_quote("101.0", "100.0"), side=Side.BUY, own={}, now_ns=NOW_NS) is after


@pytest.mark.parametrize(
    ("previous", "arrival", "limit", "expected"),
    [
        ("99.0", "100.0", None, "99.0"),
        (None, "100.13", None, "100.1"),
        (None, "100.13", "99.5", "99.5"),
        (None, None, "99.5", None),
    ],
)
def test_the_last_price_known(
    previous: str | None, arrival: str | None, limit: str | None, expected: str | None
) -> None:
    """Previous price, else the arrival mid, never past the limit; None without either."""
    found = last_resort(
        previous=None if previous is None else Decimal(previous),
        arrival_mid=None if arrival is None else Decimal(arrival),
        side=Side.BUY,
        tick=Decimal("0.1"),
        limit=None if limit is None else Decimal(limit),
    )

    assert found == (None if expected is None else Decimal(expected))


@given(
    bid_ticks=st.integers(-2000, 2000),
    width=st.integers(1, 300),
    tick=st.sampled_from([Decimal("0.25"), Decimal("0.005"), Decimal("0.1"), Decimal(1)]),
    side=st.sampled_from(list(Side)),
    previous_ticks=st.none() | st.integers(-2300, 2300),
    limit_ticks=st.none() | st.integers(-2300, 2300),
    stage=st.sampled_from(list(Stage)),
)
def test_every_price_is_on_tick_within_limit_and_cap_and_never_behind(
    bid_ticks: int,
    width: int,
    tick: Decimal,
    side: Side,
    previous_ticks: int | None,
    limit_ticks: int | None,
    stage: Stage,
) -> None:
    """Whatever the book: on tick, within the limit, not behind the previous price, not past touch and cap."""
    quote = Quote(
        con_id=1, time_ns=NOW_NS, bid=bid_ticks * tick, ask=(bid_ticks + width) * tick, bid_size=1, ask_size=1
    )
    previous = None if previous_ticks is None else previous_ticks * tick
    limit = None if limit_ticks is None else limit_ticks * tick
    sight = look(quote, side=side, own={}, memory=MarketMemory(), now_ns=NOW_NS)

    found = ladder_price(stage, sight=sight, side=side, tick=tick, step=STEP, limit=limit, previous=previous)

    assert found is not None
    assert sight.mid is not None
    assert sight.far is not None
    assert is_on_tick(found.price, tick=tick)
    assert limit is None or (limit - found.price) * side.sign >= 0
    assert previous is None or (found.price - previous) * side.sign >= 0 or found.price == limit
    if found.price not in (previous, limit):
        assert (sight.far - found.price) * side.sign >= 0
        assert (found.price - sight.mid) * side.sign <= 10 * STEP * abs(sight.mid)
        assert stage is Stage.CROSS or (sight.far - found.price) * side.sign >= tick
