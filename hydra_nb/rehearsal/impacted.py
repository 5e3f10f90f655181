"""A market that the order itself moves, by stated numbers."""

import math
from dataclasses import dataclass
from typing import Final

from hydra_nb.errors import InvalidOrder
from hydra_nb.rehearsal.figures import LASTING, NOT_NEGATIVE, POSITIVE, SIGNED, Wanted, figure
from hydra_nb.rehearsal.market import Begun, Market, Screen, is_market
from hydra_nb.rehearsal.worlds import ADV_LOTS, DAILY_VOLATILITY, market_of
from hydra_nb.sim.models.impact import ImpactParameters
from hydra_nb.sim.sources import ImpactedSource

_WANTED: Final[dict[str, Wanted]] = {
    "coefficient": NOT_NEGATIVE,
    "half_life_s": LASTING,
    "adverse_ticks": SIGNED,
    "adverse_horizon_s": POSITIVE,
    "daily_volatility": POSITIVE,
    "adv_lots": POSITIVE,
}
_MAY_BE_LEFT_OUT: Final = ("daily_volatility", "adv_lots")
_LEAVES_OUT = "What the order does to prices besides is the impact that is stated, without noise of its own."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactedMarket:
    """Another market, with impact of our own takes, its decay, and adverse selection after passive fills.

    With all figures left out it is that other market, draw for draw.

    Attributes
    ----------
    market
        What is moved; None takes the one that is assumed where no market is given.
    coefficient
        Displacement of prices by a take of a whole day's volume, in daily volatilities: a take of q lots displaces by
        coefficient x daily volatility x sqrt(q / volume). Published measurements are of the order of 1. Where it is not
        0, the market's own answer to our takes is left out, or they would count twice: so there must be one that can
        be, and in a `SantaFeMarket` or `QueueReactiveMarket`, where what was taken stays gone, it must be 0.
    half_life_s
        Seconds in which the displacement of a take halves; infinite where it stays.
    adverse_ticks
        Expected drift against us after each passive fill, in ticks.
    adverse_horizon_s
        Seconds over which it comes, evenly.
    daily_volatility, adv_lots
        Of the contract; None takes those of its daily bars, or else what a market is assumed to have.

    Raises
    ------
    InvalidOrder
        A figure cannot be, or `market` is no market.
    """

    market: Market | None = None
    coefficient: float = 0.0
    half_life_s: float = math.inf
    adverse_ticks: float = 0.0
    adverse_horizon_s: float = 60.0
    daily_volatility: float | None = None
    adv_lots: float | None = None

    def __post_init__(self) -> None:
        """Take numbers of any kind, and refuse figures that cannot be."""
        if self.market is not None and (not is_market(self.market) or isinstance(self.market, ImpactedMarket)):
            raise InvalidOrder(f"market={self.market!r:.60} is no market that could be moved; give one, or None")
        for name, wanted in _WANTED.items():
            value = getattr(self, name)
            if value is not None or name not in _MAY_BE_LEFT_OUT:
                object.__setattr__(self, name, figure(value, name=name, wanted=wanted))

    def begin(self, screen: Screen) -> Begun:
        """Begin as the other market does."""
        market = market_of(screen) if self.market is None else self.market
        begun, notes = market.begin(screen), []
        if self.coefficient and begun.takes_stay:
            raise InvalidOrder(
                f"{type(market).__name__} answers a take by what it leaves in the book, which cannot be left out, and "
                "both would count; give coefficient=0, or another market"
            )
        volatility, lots = self.daily_volatility, self.adv_lots
        if volatility is None and (volatility := screen.statistics.daily_volatility) is None:
            volatility = DAILY_VOLATILITY
            notes.append(f"volatility for it assumed, {100 * volatility:g} % a day")
        if lots is None and (lots := screen.statistics.adv_lots) is None:
            lots = ADV_LOTS
            notes.append(f"volume for it assumed, {lots:g} lots a day")
        daily_ticks = volatility * abs(screen.price_ticks)
        impact = self._parameters(daily_ticks=daily_ticks, daily_lots=max(1.0, lots))
        return Begun(
            source=ImpactedSource(source=begun.source, impact=impact),
            model="; ".join((begun.model, *self._words(impact), *notes)),
            leaves_out=f"{begun.leaves_out} {_LEAVES_OUT}",
        )

    def _parameters(self, *, daily_ticks: float, daily_lots: float) -> ImpactParameters:
        return ImpactParameters(
            coefficient=self.coefficient,
            daily_ticks=daily_ticks,
            daily_lots=daily_lots,
            half_life_s=self.half_life_s,
            adverse_ticks=self.adverse_ticks,
            adverse_horizon_s=self.adverse_horizon_s,
        )

    def _words(self, impact: ImpactParameters) -> tuple[str, ...]:
        adverse = f"{self.adverse_ticks:g} ticks against us in the {self.adverse_horizon_s:,.0f} s after a passive fill"
        if not self.coefficient:
            return (adverse,)
        fades = "stays" if math.isinf(self.half_life_s) else f"halves in {self.half_life_s:,.0f} s"
        return f"a lot that we take moves prices by {impact.displacement_ticks(1):.2f} ticks, which {fades}", adverse
