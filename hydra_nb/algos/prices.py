"""Limit prices of the three stages of patience: pure functions of the market without our own orders.

All prices are Decimals in the quoted unit and may be negative. "Beyond" means nearer to, or further through, the
opposite side: higher for BUY. Whatever the stage, a price is on the tick, never past the caller's limit, and never
behind the previous price of the same order, but where the limit asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Stage
from hydra_nb.domain.units import NS_PER_S, Side, less_aggressive, more_aggressive, round_aggressive, round_passive

REMEMBERED_TOUCH_NS = 600 * NS_PER_S
REMEMBERED_MID_NS = 600 * NS_PER_S
CAP_STEPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A price, and the market time at which it was last seen."""

    price: Decimal
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketMemory:
    """What is remembered of a market: the touch on our side without our orders, and the mid."""

    touch: Remembered | None = None
    mid: Remembered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSight:
    """Both touches without our own orders; None where a side is empty or unknown.

    `reference` is the mid, or where there is none the remembered mid, else the settlement; None while crossed.
    """

    near: Decimal | None  # the touch on our own side
    far: Decimal | None  # the opposite touch
    mid: Decimal | None
    reference: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderPrice:
    """A limit price on tick, the mid (or its stand-in) that it was measured from, and why it is what it is.

    `capped` tells that the cap of 10 steps, not the opposite touch, set the price.
    """

    price: Decimal
    reference_mid: Decimal
    why: str
    capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicativeLimits:
    """Limit prices that the three stages would have now; None where none can be formed.

    `cap_short_of_touch` tells that the cross would stop before the opposite touch.
    """

    mid: Decimal | None
    step: Decimal | None
    cross: Decimal | None
    cap_short_of_touch: bool


def look(
    quote: Quote | None, *, side: Side, own: Mapping[Decimal, int], memory: MarketMemory, now_ns: int
) -> MarketSight:
    """See the market without our own orders.

    `own` holds our working lots on our side by limit price. Where they are the whole touch, the touch remembered
    from before counts for 600 s, then the side is unknown.
    """
    if quote is None:
        return MarketSight(near=None, far=None, mid=None, reference=None)
    near, far = _touches(quote, side=side)
    if near is not None and _is_all_ours(quote, side=side, own=own):
        touch = memory.touch
        near = touch.price if touch is not None and now_ns - touch.time_ns <= REMEMBERED_TOUCH_NS else None
        if near is not None and far is not None and (far - near) * side.sign <= 0:
            near = None  # the market has moved through what was remembered
    mid = reference = None
    if near is not None and far is not None:
        if (far - near) * side.sign > 0:
            mid = reference = (near + far) / 2
    elif memory.mid is not None and now_ns - memory.mid.time_ns <= REMEMBERED_MID_NS:
        reference = memory.mid.price
    else:
        reference = quote.settlement
    return MarketSight(near=near, far=far, mid=mid, reference=reference)


def remember(
    memory: MarketMemory, quote: Quote | None, *, side: Side, own: Mapping[Decimal, int], now_ns: int
) -> MarketMemory:
    """Keep the near touch where others stand in it too, and the mid without our own orders."""
    if quote is None or quote.is_crossed:
        return memory
    sight = look(quote, side=side, own=own, memory=memory, now_ns=now_ns)
    touch, mid = memory.touch, memory.mid
    if sight.near is not None and not _is_all_ours(quote, side=side, own=own):
        touch = Remembered(price=sight.near, time_ns=now_ns)
    if sight.mid is not None:
        mid = Remembered(price=sight.mid, time_ns=now_ns)
    return MarketMemory(touch=touch, mid=mid)


def ladder_price(
    stage: Stage,
    *,
    sight: MarketSight,
    side: Side,
    tick: Decimal,
    step: Decimal,
    limit: Decimal | None,
    previous: Decimal | None = None,
) -> LadderPrice | None:
    """Limit price of a stage; None where no price can be formed.

    `step` is a fraction of the absolute mid, `previous` the present price of the order that would be modified.
    With one side unknown only the cap, 10 steps from the reference, is used, whatever the stage.
    """
    if sight.reference is None:
        return None
    reference = sight.reference
    move = side.sign * step * abs(reference)
    cap = round_passive(reference + CAP_STEPS * move, side=side, tick=tick)
    if sight.mid is None or sight.far is None:
        raw = LadderPrice(price=cap, reference_mid=reference, why="one side of the book is empty: the cap", capped=True)
    elif stage is Stage.MID:
        price = round_passive(reference, side=side, tick=tick)
        raw = LadderPrice(price=price, reference_mid=reference, why="mid, rounded away from the market")
    elif stage is Stage.STEP:
        price = _step_price(reference + move, far=sight.far, mid=reference, side=side, tick=tick, previous=previous)
        price = less_aggressive(price, cap, side=side)
        raw = LadderPrice(price=price, reference_mid=reference, why="a step from mid toward the market")
    else:
        touch = round_aggressive(sight.far, side=side, tick=tick)
        capped = less_aggressive(touch, cap, side=side) != touch
        why = "the cap, short of the opposite touch" if capped else "the opposite touch"
        raw = LadderPrice(price=cap if capped else touch, reference_mid=reference, why=why, capped=capped)
    return _bounded(raw, side=side, tick=tick, limit=limit, previous=previous)


def indicative_limits(
    quote: Quote | None, *, side: Side, tick: Decimal, step: Decimal, limit: Decimal | None = None
) -> IndicativeLimits:
    """Limit prices of the three stages on the present quote, each following the one before."""
    now_ns = quote.time_ns if quote is not None else 0
    sight = look(quote, side=side, own={}, memory=MarketMemory(), now_ns=now_ns)
    found: list[LadderPrice | None] = []
    previous = None
    for stage in Stage:
        priced = ladder_price(stage, sight=sight, side=side, tick=tick, step=step, limit=limit, previous=previous)
        found.append(priced)
        previous = priced.price if priced is not None else previous
    mid, stepped, cross = (one.price if one is not None else None for one in found)
    short = found[-1] is not None and found[-1].capped and sight.far is not None
    return IndicativeLimits(mid=mid, step=stepped, cross=cross, cap_short_of_touch=short)


def last_resort(
    *, previous: Decimal | None, arrival_mid: Decimal | None, side: Side, tick: Decimal, limit: Decimal | None
) -> Decimal | None:
    """The last price known, for a proposal that the gate will refuse and thereby record; None without any."""
    if previous is not None:
        price = previous
    elif arrival_mid is not None:
        price = round_passive(arrival_mid, side=side, tick=tick)
    else:
        return None
    return price if limit is None else less_aggressive(price, limit, side=side)


def _touches(quote: Quote, *, side: Side) -> tuple[Decimal | None, Decimal | None]:
    bid = quote.bid if quote.bid_size > 0 else None
    ask = quote.ask if quote.ask_size > 0 else None
    return (bid, ask) if side is Side.BUY else (ask, bid)


def _is_all_ours(quote: Quote, *, side: Side, own: Mapping[Decimal, int]) -> bool:
    price, size = (quote.bid, quote.bid_size) if side is Side.BUY else (quote.ask, quote.ask_size)
    return price is not None and size <= own.get(price, 0)


def _step_price(
    target: Decimal, *, far: Decimal, mid: Decimal, side: Side, tick: Decimal, previous: Decimal | None
) -> Decimal:
    """At least one tick beyond the previous price, at least one short of the opposite touch; else no move."""
    base = previous if previous is not None else round_passive(mid, side=side, tick=tick)
    moved = more_aggressive(round_passive(target, side=side, tick=tick), base + side.sign * tick, side=side)
    nearest = round_passive(far - side.sign * tick, side=side, tick=tick)
    price = less_aggressive(moved, nearest, side=side)
    return more_aggressive(price, base, side=side)


def _bounded(
    raw: LadderPrice, *, side: Side, tick: Decimal, limit: Decimal | None, previous: Decimal | None
) -> LadderPrice:
    price, why, capped = raw.price, raw.why, raw.capped
    if previous is not None and more_aggressive(price, previous, side=side) != price:
        price, why, capped = previous, f"{why}; kept, for prices never retreat", False
    if limit is not None:
        nearest = round_passive(limit, side=side, tick=tick)
        if less_aggressive(price, nearest, side=side) != price:
            price, why, capped = nearest, "the caller's limit", False
    return LadderPrice(price=price, reference_mid=raw.reference_mid, why=why, capped=capped)
