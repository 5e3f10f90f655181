"""The market of a rehearsal, made from what a desk knows of the one on the screen.

What is not known has a default, and each default is said: a rehearsal rests on its market.
"""

import math
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import MarketStatistics, Quote
from hydra_nb.errors import InvalidFrame
from hydra_nb.rehearsal.figures import NOT_NEGATIVE, WHOLE, figure, must_be_frame
from hydra_nb.rehearsal.market import BUSY_S, SPREAD_TICKS, Begun, Screen, open_seconds, touch_of
from hydra_nb.sim.calendar import ListedHours
from hydra_nb.sim.flow import FlowParameters, Opening
from hydra_nb.sim.instruments import Instrument, Month
from hydra_nb.sim.moves import traded_lots
from hydra_nb.sim.records import Listing
from hydra_nb.sim.sources import EstimatedVolatility, FlowSource, ThinSource
from hydra_nb.sim.world import World
from hydra_nb.widgets import numbers

if TYPE_CHECKING:
    import pandas as pd

DAILY_VOLATILITY = 0.015
"""Taken where the broker's bars do not tell: about that of grains, softs and dairy in quiet years."""
ADV_LOTS = 400.0
"""Taken where the broker's bars do not tell: that of oats."""
TAKER_LOTS = 2.0
"""Lots that a taker trades in the mean; with the volume it gives their number."""
BUSY_SHARE = 0.9
"""The share of a day's volume that trades in its busiest six hours."""
TAKEN_S = BUSY_S / BUSY_SHARE
"""Seconds a day in which takers, at the pace of the busy hours, trade its volume."""
QUOTE_S = 1.0
"""Mean seconds between two acts of quoters."""
TOUCH_LOTS = 2.5
"""Size of a side of the touch where no quote with both sides is known."""
FEWEST_RETURNS = 10
"""What fewer returns tell of a volatility leaves room for some that no market has: they count as so many."""
IMPACT_SPREADS = 0.03
"""Spreads by which a traded lot moves the fair value."""

LEAVES_OUT = (
    "Quoters and takers around a fair value that walks at random, with the figures named here at all hours: takers as "
    "in busy ones, and what moves prices without a trade as in the mean one. Nobody reacts to the order but to its "
    "trades; no news, halts, auctions or other months; takers trade at the touch only. A fill here is no promise of "
    "one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinMarket:
    """A market that a rehearsal trades in: the simulated flow in a trader's figures, the same at all hours.

    Attributes
    ----------
    spread_ticks
        Mean spread.
    touch_lots
        Mean size of a side of the touch.
    quote_s
        Mean seconds between two acts of quoters.
    taker_s, taker_lots
        Mean seconds between two takers, and the lots that each wants in the mean; it gets what the touch holds at most.
    daily_volatility
        Standard deviation of daily log returns, a fraction.
    volatility_returns
        Of how many returns that was estimated: each path then draws its own volatility from what so many tell of it.
        None takes it for known.
    impact_ticks
        By how much a traded lot moves the fair value its way.
    notes
        What had to be assumed, in words.
    """

    spread_ticks: float
    touch_lots: float
    quote_s: float
    taker_s: float
    taker_lots: float
    daily_volatility: float
    impact_ticks: float
    volatility_returns: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take numbers of any kind, and refuse figures of no market."""
        for name in ("spread_ticks", "touch_lots", "quote_s", "taker_s", "taker_lots"):
            object.__setattr__(self, name, figure(getattr(self, name), name=name))
        for name in ("daily_volatility", "impact_ticks"):
            object.__setattr__(self, name, figure(getattr(self, name), name=name, wanted=NOT_NEGATIVE))
        if (returns := self.volatility_returns) is not None:
            whole = int(figure(returns, name="volatility_returns", wanted=WHOLE))
            object.__setattr__(self, "volatility_returns", whole)

    @classmethod
    def of(cls, calibration: "pd.DataFrame") -> "ThinMarket":
        """Give the market of a frame of `hydra_nb.calibrate`.

        Raises
        ------
        InvalidFrame
            It is no such frame, or a figure is missing.
        InvalidOrder
            A figure is of no market.
        """
        must_be_frame(calibration, name="calibration", give="what hydra_nb.calibrate gave")
        lacking = [name for name in ("parameter", "value", "source") if name not in calibration.columns]
        if lacking:
            raise InvalidFrame(f"the calibration lacks the columns {', '.join(lacking)}; give the whole frame")
        values = dict(zip(calibration["parameter"], calibration["value"], strict=True))
        sources = dict(zip(calibration["parameter"], calibration["source"], strict=True))
        names = [one.name for one in fields(cls) if one.name not in ("volatility_returns", "notes")]
        missing = [name for name in names if name not in values]
        if missing:
            raise InvalidFrame(f"the calibration lacks {', '.join(missing)}; give the whole frame")
        notes = tuple(
            f"{source}: {', '.join(of)}"
            for source in ("assumed", "unmatched")
            if (of := [name for name in names if sources[name] == source])
        )
        return cls(**{name: values[name] for name in names}, volatility_returns=_returns_of(calibration), notes=notes)

    def parameters(self, *, price_ticks: float, open_s: float) -> FlowParameters:
        """Give them as those of the simulated flow.

        Parameters
        ----------
        price_ticks
            Price by which the volatility is a fraction.
        open_s
            Seconds of trading in a day.
        """
        daily_ticks = self.daily_volatility * abs(price_ticks)
        # Trades move the fair value too: what is left of the variance is its own walk.
        walk_ticks2 = max(0.0, daily_ticks**2 / open_s - self._traded_ticks2(open_s))
        return FlowParameters(
            spread_ticks=self.spread_ticks,
            daily_ticks=daily_ticks,
            volatility_ticks=math.sqrt(walk_ticks2),
            quote_s=self.quote_s,
            taker_s=self.taker_s,
            taker_lots=self.taker_lots,
            quote_lots=sizes_drawn(self.touch_lots),
            daily_lots=self.taker_lots * open_s / self.taker_s,
            impact_ticks=self.impact_ticks,
            busy=None,
        )

    def begin(self, screen: Screen) -> Begun:
        """Begin with the touch on the screen; a side that is empty is hung on the other, the usual spread away."""
        open_s = open_seconds(screen.contract)
        parameters = self.parameters(price_ticks=screen.price_ticks, open_s=open_s)
        source = ThinSource(
            parameters=parameters,
            opening=self._opening(screen),
            volatility=self._estimated(variance_ticks2=parameters.daily_ticks**2 / open_s, open_s=open_s),
        )
        return Begun(source=source, model=self._words(), leaves_out=LEAVES_OUT)

    def _estimated(self, *, variance_ticks2: float, open_s: float) -> EstimatedVolatility | None:
        if self.volatility_returns is None:
            return None
        returns = max(FEWEST_RETURNS, self.volatility_returns)
        return EstimatedVolatility(
            returns=returns, variance_ticks2=variance_ticks2, traded_ticks2=self._traded_ticks2(open_s)
        )

    def _traded_ticks2(self, open_s: float) -> float:
        """Variance of the fair value that trades make in a second, in the mean of a day: takers do not come all day."""
        _, squared = traded_lots(self.taker_lots, quote_lots=sizes_drawn(self.touch_lots))
        return squared * self.impact_ticks**2 / self.taker_s * min(1.0, TAKEN_S / open_s)

    def _opening(self, screen: Screen) -> Opening:
        (bid, ask), tick = touch_of(screen.quote), screen.contract.tick
        usual_ticks, lots = max(1, round(screen.spread / tick)), max(1, round(self.touch_lots))
        if bid is not None:
            bid_ticks = round(bid[0] / tick)
            ask_ticks = bid_ticks + usual_ticks if ask is None else round(ask[0] / tick)
        elif ask is not None:
            ask_ticks = round(ask[0] / tick)
            bid_ticks = ask_ticks - usual_ticks
        else:
            bid_ticks = math.floor(screen.price_ticks - self.spread_ticks / 2 + 0.5)
            ask_ticks = bid_ticks + max(1, round(self.spread_ticks))
        return Opening(
            bid_ticks=bid_ticks,
            bid_lots=lots if bid is None else bid[1],
            ask_ticks=ask_ticks,
            ask_lots=lots if ask is None else ask[1],
        )

    def _words(self) -> str:
        said = (
            f"spread {self.spread_ticks:.1f} ticks, {self.touch_lots:.1f} lots a side of the touch, a taker of "
            f"{self.taker_lots:.1f} lots each {self.taker_s:,.0f} s, "
            f"volatility {100 * self.daily_volatility:.1f} % a day"
        )
        if self.volatility_returns is not None:
            said += f" by {numbers.plural(self.volatility_returns, 'daily return')}, drawn anew for each path"
        return "; ".join((said, *self.notes))


def _returns_of(calibration: "pd.DataFrame") -> Any:
    """On how many returns the volatility of a calibration rests; None where it is assumed, or that is not said."""
    if "observations" not in calibration.columns:
        return None
    told = calibration.loc[calibration["parameter"] == "daily_volatility", "observations"].dropna()
    return None if told.empty else told.iloc[0] or None


def market_of(screen: Screen) -> ThinMarket:
    """Give the market that is assumed of what a screen shows."""
    return assumed_market(
        screen.contract, quote=screen.quote, statistics=screen.statistics, usual_spread=screen.usual_spread
    )


def assumed_market(
    contract: FutureContract, *, quote: Quote | None, statistics: MarketStatistics, usual_spread: Decimal | None
) -> ThinMarket:
    """Take the usual spread, or that of the quote, the quote's sizes, and volume and volatility of the daily bars."""
    shown = quote if quote is not None and quote.mid is not None else None
    spread = usual_spread
    if spread is None and shown is not None and shown.ask is not None and shown.bid is not None:
        spread = shown.ask - shown.bid
    adv_lots, volatility = statistics.adv_lots, statistics.daily_volatility
    notes = ["times between quotes and takers assumed"]
    if spread is None:
        notes.append(f"spread assumed, {SPREAD_TICKS:g} ticks")
    if shown is None:
        notes.append(f"touch assumed, {TOUCH_LOTS:g} lots a side")
    if adv_lots is None:
        notes.append(f"volume assumed, {ADV_LOTS:g} lots a day")
    if volatility is None:
        notes.append(f"volatility assumed, {100 * DAILY_VOLATILITY:g} % a day")
    spread_ticks = SPREAD_TICKS if spread is None else max(1.0, float(spread / contract.tick))
    touch_lots = TOUCH_LOTS if shown is None else (shown.bid_size + shown.ask_size) / 2
    lots, _ = traded_lots(TAKER_LOTS, quote_lots=sizes_drawn(touch_lots))
    return ThinMarket(
        spread_ticks=spread_ticks,
        touch_lots=touch_lots,
        quote_s=QUOTE_S,
        taker_s=TAKEN_S * lots / max(1.0, ADV_LOTS if adv_lots is None else adv_lots),
        taker_lots=TAKER_LOTS,
        daily_volatility=DAILY_VOLATILITY if volatility is None else volatility,
        volatility_returns=None if volatility is None else statistics.returns or None,
        impact_ticks=IMPACT_SPREADS * spread_ticks,
        notes=tuple(notes),
    )


def sizes_drawn(touch_lots: float) -> int:
    """The largest size that quoters draw, evenly from 1 on, where this is the mean."""
    return max(1, round(2 * touch_lots - 1))


def world_of(screen: Screen, *, source: FlowSource, account: str, start_ns: int) -> World:
    """Give the world of a contract whose order flow comes from a source.

    Parameters
    ----------
    start_ns
        When it begins, UTC nanoseconds.
    """
    contract = screen.contract
    hours = ListedHours(
        [(one.open_ns, one.close_ns) for one in contract.sessions if one.close_ns > start_ns],
        time_zone=contract.time_zone,
    )
    quote = screen.quote
    settlement = screen.price if quote is None or quote.settlement is None else quote.settlement
    month = Month(
        listing=_listing(contract, hours),
        instrument=_instrument(contract, price=screen.price),
        calendar=hours,
        rank=0,
        settlement_ticks=round(settlement / contract.tick),
    )
    return World(month=month, source=source, account=account, start_ns=start_ns)


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


def _instrument(contract: FutureContract, *, price: Decimal) -> Instrument:
    """The row of the contract; its spread is 1, as a world's is that of its source."""
    return Instrument(
        symbol=contract.symbol,
        name=contract.name,
        exchange=contract.exchange,
        currency=contract.currency,
        min_tick=contract.tick,
        multiplier=str(contract.multiplier),
        price_magnifier=contract.price_magnifier,
        example_price=price,
        spread_ticks=1.0,
        sessions="",
        time_zone=contract.time_zone,
    )
