"""The market of a rehearsal, made from what a desk knows of the one on the screen.

What is not known has a default, and each default is said: a rehearsal rests on its market.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.sim.calendar import ListedHours
from hydra_nb.sim.flow import FlowParameters, Opening
from hydra_nb.sim.instruments import Instrument, Month
from hydra_nb.sim.records import Listing
from hydra_nb.sim.world import World

DAILY_VOLATILITY = 0.015
"""Taken where the broker's bars do not tell: about that of grains, softs and dairy in quiet years."""
ADV_LOTS = 400.0
"""Taken where the broker's bars do not tell: that of oats."""
SPREAD_TICKS = 4.0
"""Taken where neither a usual spread nor a quote with both sides is known."""
TAKER_LOTS = 2.0
"""Lots that a taker trades in the mean; with the volume it gives their number."""
BUSY_SHARE = 0.9
BUSY_S = 21_600.0
"""The share of a day's volume that trades in its busiest six hours, in which an order is taken to work."""
QUOTE_S = 1.0
"""Mean seconds between two changes of a quote."""

LEAVES_OUT = (
    "Quoters and takers around a fair value that walks at random, with the spread, sizes, volume and volatility named "
    "here, the same at all hours. Nobody reacts to the order but to its trades; no news, halts, auctions or other "
    "months; takers trade at the touch only. A fill here is no promise of one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketGuess:
    """A market in a trader's figures: what a rehearsal trades in.

    Attributes
    ----------
    spread_ticks
        Mean spread.
    touch_lots
        Mean size of a side of the touch.
    adv_lots
        Lots that trade in a day, of which nine tenths in the six busiest hours.
    taker_lots
        Mean size of a trade.
    daily_volatility
        Standard deviation of daily log returns, a fraction.
    quote_s
        Mean seconds between two changes of a quote.
    notes
        What had to be assumed, in words.
    """

    spread_ticks: float
    touch_lots: float
    adv_lots: float
    taker_lots: float
    daily_volatility: float
    quote_s: float
    notes: tuple[str, ...] = ()

    def parameters(self, contract: FutureContract, *, price: Decimal, open_s: float) -> FlowParameters:
        """Give them as those of the simulated flow: distances in ticks, rates for busy hours."""
        daily_ticks = self.daily_volatility * abs(float(price / contract.tick))
        taker_s = BUSY_S * self.taker_lots / (BUSY_SHARE * self.adv_lots)
        scale = max(1.0, self.taker_lots / 2)
        return FlowParameters(
            spread_ticks=self.spread_ticks,
            daily_ticks=daily_ticks,
            volatility_ticks=daily_ticks / math.sqrt(open_s),
            quote_s=self.quote_s,
            taker_s=taker_s,
            taker_lots=self.taker_lots,
            quote_lots=max(1, round(2 * self.touch_lots - 1)),
            daily_lots=self.adv_lots,
            impact_ticks=min(0.03 * self.spread_ticks, 0.02 * daily_ticks) / scale,
            busy=None,
        )


def guess_market(
    contract: FutureContract, *, quote: Quote | None, statistics: MarketStatistics, usual_spread: Decimal | None
) -> MarketGuess:
    """Take the usual spread, or that of the quote, the quote's sizes, and volume and volatility of the daily bars."""
    notes = []
    both = quote is not None and quote.has_both_sides and not quote.is_crossed
    spread = usual_spread
    if spread is None and both and quote is not None and quote.ask is not None and quote.bid is not None:
        spread = quote.ask - quote.bid
    if spread is None:
        notes.append(f"spread assumed, {SPREAD_TICKS:g} ticks")
    if statistics.adv_lots is None:
        notes.append(f"volume assumed, {ADV_LOTS:g} lots a day")
    if statistics.daily_volatility is None:
        notes.append(f"volatility assumed, {100 * DAILY_VOLATILITY:g} % a day")
    touch_lots = 2.5 if quote is None or not both else (quote.bid_size + quote.ask_size) / 2
    return MarketGuess(
        spread_ticks=SPREAD_TICKS if spread is None else max(1.0, float(spread / contract.tick)),
        touch_lots=touch_lots,
        adv_lots=max(1.0, ADV_LOTS if statistics.adv_lots is None else statistics.adv_lots),
        taker_lots=TAKER_LOTS,
        daily_volatility=DAILY_VOLATILITY if statistics.daily_volatility is None else statistics.daily_volatility,
        quote_s=QUOTE_S,
        notes=tuple(notes),
    )


def world_of(
    contract: FutureContract, *, market: MarketGuess, quote: Quote | None, account: str, start_ns: int
) -> World:
    """Give the world of a contract, beginning at an instant with the touch of a quote, where it has both sides.

    Parameters
    ----------
    quote
        Gives the touch, or else the price, to begin with; at least a last price or a settlement must be known.
    start_ns
        When it begins, UTC nanoseconds.
    """
    hours = ListedHours(
        [(one.open_ns, one.close_ns) for one in contract.sessions if one.close_ns > start_ns],
        time_zone=contract.time_zone,
    )
    price = price_of(quote)
    settlement = price if quote is None or quote.settlement is None else quote.settlement
    month = Month(
        listing=_listing(contract, hours),
        instrument=_instrument(contract, price=price, market=market),
        calendar=hours,
        rank=0,
        settlement_ticks=round(settlement / contract.tick),
    )
    return World(
        month=month,
        parameters=market.parameters(contract, price=price, open_s=_open_s(contract)),
        opening=_opening(quote, tick=contract.tick),
        account=account,
        start_ns=start_ns,
    )


def price_of(quote: Quote | None) -> Decimal:
    """Mid, else last, else settlement, in the quoted unit; 0 where nothing is known."""
    if quote is None:
        return Decimal(0)
    return next((one for one in (quote.mid, quote.last, quote.settlement) if one is not None), Decimal(0))


def _opening(quote: Quote | None, *, tick: Decimal) -> Opening | None:
    if quote is None or quote.bid is None or quote.ask is None or quote.mid is None:
        return None
    return Opening(
        bid_ticks=round(quote.bid / tick),
        bid_lots=quote.bid_size,
        ask_ticks=round(quote.ask / tick),
        ask_lots=quote.ask_size,
    )


def _open_s(contract: FutureContract) -> float:
    """Seconds of trading in a day: the mean over the days that the broker lists."""
    total_s = sum(one.close_ns - one.open_ns for one in contract.sessions) / 1e9
    days = {one.close_ns // 86_400_000_000_000 for one in contract.sessions}
    return total_s / max(1, len(days)) or BUSY_S


def _listing(contract: FutureContract, hours: ListedHours) -> Listing:
    return Listing(
        con_id=contract.con_id,
        symbol=contract.symbol,
        name=contract.name,
        exchange=contract.exchange,
        currency=contract.currency,
        local_symbol=contract.local_symbol,
        trading_class=contract.symbol,
        contract_month=contract.contract_month,
        last_trade_date=hours.last_trade_date,
        min_tick=contract.tick,
        multiplier=str(contract.multiplier),
        price_magnifier=contract.price_magnifier,
        time_zone=contract.time_zone,
        market_rule_id=1,
    )


def _instrument(contract: FutureContract, *, price: Decimal, market: MarketGuess) -> Instrument:
    return Instrument(
        symbol=contract.symbol,
        name=contract.name,
        exchange=contract.exchange,
        currency=contract.currency,
        min_tick=contract.tick,
        multiplier=str(contract.multiplier),
        price_magnifier=contract.price_magnifier,
        example_price=price,
        spread_ticks=market.spread_ticks,
        sessions="",
        time_zone=contract.time_zone,
    )
