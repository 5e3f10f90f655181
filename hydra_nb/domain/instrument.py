"""A listed futures month, as the broker's contract details tell it."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from hydra_nb.domain.units import ceil_to_tick, floor_to_tick, is_on_tick
from hydra_nb.errors import invariant


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One interval of trading, UTC nanoseconds, half open."""

    open_ns: int
    close_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractFacts:
    """What contract details do not carry and a person may tell; None where nobody did.

    `daily_limit` is the distance from the settlement, in the quoted unit, that the exchange allows in one day;
    `settles` the time at the exchange at which the settlement is taken.
    """

    first_notice: dt.date | None = None
    daily_limit: Decimal | None = None
    settles: dt.time | None = None


NO_FACTS = ContractFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureContract:
    """One futures month: identity, tick, value and hours.

    `tick` and all prices are in the quoted unit: cents where `price_magnifier` is 100. Cash is
    price difference / `price_magnifier` × `multiplier` × lots, in `currency`.
    `sessions` covers the days that the broker lists, in order, not overlapping.
    """

    con_id: int
    symbol: str
    local_symbol: str
    name: str
    exchange: str
    currency: str
    tick: Decimal
    multiplier: Decimal
    price_magnifier: int
    contract_month: str  # YYYYMM
    last_trade_date: dt.date
    time_zone: str  # IANA
    sessions: tuple[Session, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Refuse a contract whose prices could not be valued."""
        invariant(self.con_id > 0, f"contract id {self.con_id} is not positive")
        invariant(self.tick > 0, f"tick {self.tick} of {self.local_symbol} is not positive")
        invariant(self.multiplier > 0, f"multiplier {self.multiplier} of {self.local_symbol} is not positive")
        invariant(self.price_magnifier > 0, f"price magnifier {self.price_magnifier} is not positive")

    @property
    def point_value(self) -> Decimal:
        """Cash that one lot gains when the quoted price rises by 1."""
        return self.multiplier / self.price_magnifier

    @property
    def tick_value(self) -> Decimal:
        """Cash that one lot gains when the price rises by one tick."""
        return self.tick * self.point_value

    def cash(self, price_difference: Decimal, *, lots: int) -> Decimal:
        """Cash value of a price difference over `lots`, in `currency`; the sign is kept."""
        return price_difference * self.point_value * lots

    def notional(self, price: Decimal, *, lots: int) -> Decimal:
        """Absolute cash value of `lots` at `price`, in `currency`."""
        return abs(price) * self.point_value * lots

    def is_open(self, time_ns: int) -> bool:
        """Whether a listed session holds `time_ns`."""
        return any(session.open_ns <= time_ns < session.close_ns for session in self.sessions)

    def closes_ns(self, time_ns: int) -> int | None:
        """When the session that holds `time_ns` ends; None while closed."""
        return next((s.close_ns for s in self.sessions if s.open_ns <= time_ns < s.close_ns), None)

    def opens_ns(self, time_ns: int) -> int | None:
        """The next opening after `time_ns`; None where the broker lists none."""
        return next((s.open_ns for s in self.sessions if s.open_ns > time_ns), None)

    def nearest_ticks(self, price: Decimal) -> tuple[Decimal, Decimal]:
        """The prices on tick around `price`, lower first."""
        return floor_to_tick(price, tick=self.tick), ceil_to_tick(price, tick=self.tick)

    def is_on_tick(self, price: Decimal) -> bool:
        """Whether `price` can be sent."""
        return is_on_tick(price, tick=self.tick)

    @property
    def decimals(self) -> int:
        """Decimals that a price on tick needs."""
        exponent = self.tick.normalize().as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0

    def format_price(self, price: Decimal | float) -> str:
        """A price with all decimals of the tick, with a true minus."""
        return f"{price:,.{self.decimals}f}".replace("-", "−")
