"""Markets of the models of the literature, in figures that a trader can read off a screen."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from hydra_nb.errors import InvalidOrder
from hydra_nb.rehearsal.figures import PROBABILITY, RATE, WHOLE, figure
from hydra_nb.rehearsal.market import Begun, Screen
from hydra_nb.sim.models.queue_reactive import QueueReactiveParameters
from hydra_nb.sim.models.santa_fe import SantaFeParameters
from hydra_nb.sim.sources import QueueReactiveSource, SantaFeSource
from hydra_nb.widgets import numbers

SCALES_OF_WINDOW = 5.0
LOTS_OF_WINDOW = 28.0
LEAST_WINDOW_TICKS = 10
"""The window holds so many characteristic prices, and so many orders where they are left alone: the spread does not
notice its end, as was validated for ε from 0.02 to 0.5."""

_OWN_BOOK = (
    "It begins near the mid on the screen with a book of its own, not with the touch that is shown, and goes on at the "
    "same pace at all hours; no news, halts, auctions or other months. A fill here is no promise of one."
)
SANTA_FE_LEAVES_OUT = (
    "Orders of one size that come and go by chance: nobody looks at anything but the two best prices, there is no "
    f"worth of the contract and no trend, and prices come back after a trade more than real ones do. {_OWN_BOOK}"
)
QUEUES_LEAVE_OUT = (
    "Queues that do not know of each other, orders of one size, no memory; nothing stands behind the distances of the "
    f"tables. Your orders count in a queue like all others. {_OWN_BOOK}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SantaFeMarket:
    """Zero intelligence: orders that come and go by chance (Daniels et al., 2003); see ``docs/markets.md``.

    Attributes
    ----------
    taker_s
        Mean seconds between two takers, of either side.
    far_lots
        Lots that stand at a price far from the touch, in the mean.
    rest_s
        Mean seconds that an order rests until it is cancelled.
    order_lots
        Lots of every order, takers' ones too.
    window_ticks
        Prices of a side at which limit orders come, from the best of the other side; None takes enough for the spread
        not to notice.

    Raises
    ------
    InvalidOrder
        A figure is of no market, or too many orders would rest.
    """

    taker_s: float
    far_lots: float
    rest_s: float
    order_lots: int = 1
    window_ticks: int | None = None

    def __post_init__(self) -> None:
        """Take numbers of any kind, and refuse figures of no market."""
        for name in ("taker_s", "far_lots", "rest_s"):
            object.__setattr__(self, name, figure(getattr(self, name), name=name))
        object.__setattr__(self, "order_lots", int(figure(self.order_lots, name="order_lots", wanted=WHOLE)))
        if self.window_ticks is not None:
            object.__setattr__(self, "window_ticks", int(figure(self.window_ticks, name="window_ticks", wanted=WHOLE)))
        try:
            self.parameters()
        except ValueError as error:
            raise InvalidOrder(f"this is no market: {error}; or fewer far_lots") from None

    def parameters(self) -> SantaFeParameters:
        """Give them as the rates of the model."""
        orders_per_tick = self.far_lots / self.order_lots
        scale_ticks = self.rest_s / (2 * orders_per_tick * self.taker_s)
        wide_ticks = max(SCALES_OF_WINDOW * scale_ticks, LOTS_OF_WINDOW / orders_per_tick, LEAST_WINDOW_TICKS)
        return SantaFeParameters(
            limit_per_s_tick=orders_per_tick / self.rest_s,
            market_per_s=1 / self.taker_s,
            cancel_per_s=1 / self.rest_s,
            window_ticks=math.ceil(wide_ticks) if self.window_ticks is None else self.window_ticks,
            order_lots=self.order_lots,
        )

    def begin(self, screen: Screen) -> Begun:
        """Begin near the mid on the screen."""
        return Begun(
            source=SantaFeSource(parameters=self.parameters(), fair_ticks=screen.price_ticks),
            model=(
                f"zero intelligence (Santa Fe): orders of {numbers.plural(self.order_lots, 'lot')}, a taker each "
                f"{self.taker_s:,.0f} s, {self.far_lots:.1f} lots at a price far from the touch, "
                f"{self.rest_s:,.0f} s until one is cancelled"
            ),
            leaves_out=SANTA_FE_LEAVES_OUT,
            takes_stay=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReactiveMarket:
    """Rates that depend on the queue that stands there (Huang, Lehalle and Rosenbaum, 2015); see ``docs/markets.md``.

    Attributes
    ----------
    limit_per_s, cancel_per_s, market_per_s
        Events a second of one side: a row for each distance from the reference price, from 1 on, and in it a rate for
        each size of the queue in orders, from 0 on; the last holds for all larger.
    move_probability, redraw_probability
        That the reference price moves when a queue at distance 1 empties; and that the whole book is then drawn anew.
    order_lots
        Lots of every order.

    Raises
    ------
    InvalidOrder
        The tables are of no market.
    """

    limit_per_s: tuple[tuple[float, ...], ...]
    cancel_per_s: tuple[tuple[float, ...], ...]
    market_per_s: tuple[tuple[float, ...], ...]
    move_probability: float
    redraw_probability: float
    order_lots: int = 1
    _parameters: QueueReactiveParameters = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take lists for tables and numbers of any kind too, and refuse tables of no market."""
        for name in ("move_probability", "redraw_probability"):
            object.__setattr__(self, name, figure(getattr(self, name), name=name, wanted=PROBABILITY))
        object.__setattr__(self, "order_lots", int(figure(self.order_lots, name="order_lots", wanted=WHOLE)))
        try:
            for name in ("limit_per_s", "cancel_per_s", "market_per_s"):
                object.__setattr__(self, name, _table(getattr(self, name), name=name))
            parameters = QueueReactiveParameters(
                limit_per_s=self.limit_per_s,
                cancel_per_s=self.cancel_per_s,
                market_per_s=self.market_per_s,
                move_probability=self.move_probability,
                redraw_probability=self.redraw_probability,
                order_lots=self.order_lots,
            )
        except (TypeError, ValueError) as error:
            raise InvalidOrder(f"these tables are of no market: {error}") from None
        object.__setattr__(self, "_parameters", parameters)  # checked once: it takes some milliseconds

    def begin(self, screen: Screen) -> Begun:
        """Begin near the mid on the screen."""
        return Begun(
            source=QueueReactiveSource(parameters=self._parameters, fair_ticks=screen.price_ticks),
            model=(
                f"queue-reactive: {len(self.limit_per_s)} distances from the reference price, orders of "
                f"{numbers.plural(self.order_lots, 'lot')}, an emptied queue moves it with probability "
                f"{self.move_probability:g}"
            ),
            leaves_out=QUEUES_LEAVE_OUT,
            takes_stay=True,
        )


def _table(rows: Iterable[Iterable[object]], *, name: str) -> tuple[tuple[float, ...], ...]:
    """Rates of any kind of number as floats; one that is none is named by its place."""
    return tuple(
        tuple(
            figure(rate, name=f"{name}[{distance}][{size}]", wanted=RATE, what="rate") for size, rate in enumerate(row)
        )
        for distance, row in enumerate(rows)
    )
