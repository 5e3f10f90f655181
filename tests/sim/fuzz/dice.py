"""Draws values that the gateway might have to write."""

import datetime as dt
import random
from decimal import Decimal

from hydra_nb.sim.records import (
    DailyBar,
    Listing,
    OrderStatus,
    OrderTerms,
    OrderView,
    SimSide,
    TimeInForce,
)
from hydra_nb.sim.wire_time import NS_PER_S, date_text

INT_32 = 2**31 - 1
_START_S, _END_S = 946_684_800, 4_102_444_800  # the years 2000 to 2099
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
ASCII = "".join(map(chr, range(32, 127))).replace("\\", "")  # the backslash opens an escape in ibapi's texts
_ANY = ASCII + "\\\t\näß−→€中😀"


class Dice:
    """Values of every kind, from one random generator."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def word(self, alphabet: str = _LETTERS, *, least: int = 1, most: int = 12) -> str:
        """A text."""
        return "".join(self.rng.choices(alphabet, k=self.rng.randint(least, most)))

    def reference(self) -> str:
        """An order reference: any text, none too often."""
        return self.word(_ANY, least=0, most=40)

    def count(self, most: int = INT_32) -> int:
        """A number from 0, small and large ones alike."""
        return self.rng.randint(0, self.rng.choice((1, 10, 1000, most)))

    def request(self) -> int:
        """A request id."""
        return self.rng.choice((-1, self.count()))

    def price(self) -> Decimal:
        """A price or an amount: on either side of zero, or zero, with up to eight decimals."""
        digits = self.rng.randint(-(10 ** self.rng.randint(0, 12)), 10 ** self.rng.randint(0, 12))
        return Decimal(digits).scaleb(-self.rng.randint(0, 8))

    def optional_price(self) -> Decimal | None:
        """A price, or none."""
        return self.price() if self.rng.random() < 0.7 else None

    def time_ns(self) -> int:
        """An instant."""
        return self.rng.randint(_START_S * NS_PER_S, _END_S * NS_PER_S)

    def date(self) -> dt.date:
        """A day."""
        return dt.date.fromordinal(self.rng.randint(dt.date(2000, 1, 1).toordinal(), dt.date(2099, 12, 31).toordinal()))

    def listing(self) -> Listing:
        """A futures month."""
        return Listing(
            con_id=self.count(),
            symbol=self.word(),
            name=self.word(ASCII),
            exchange=self.word(),
            currency=self.rng.choice(("USD", "EUR", "GBP")),
            local_symbol=self.word(),
            trading_class=self.word(),
            contract_month=date_text(self.date())[:6],
            last_trade_date=self.date(),
            min_tick=Decimal(self.rng.randint(1, 1000)).scaleb(-self.rng.randint(0, 7)),
            multiplier=self.rng.choice(("5000", "0.1", "1", "37500")),
            price_magnifier=self.rng.choice((1, 100)),
            time_zone=self.rng.choice(("America/Chicago", "Europe/London", "US/Eastern")),
            market_rule_id=self.count(),
        )

    def terms(self, listing: Listing) -> OrderTerms:
        """What an order is."""
        is_timed = self.rng.random() < 0.5
        return OrderTerms(
            client_id=self.count(),
            order_id=self.count(),
            account=self.word(),
            con_id=listing.con_id,
            side=self.rng.choice(tuple(SimSide)),
            lots=1 + self.count(10**6),
            limit_price=self.price(),
            tif=TimeInForce.GTD if is_timed else self.rng.choice((TimeInForce.DAY, TimeInForce.GTC)),
            good_till_ns=self.time_ns() if is_timed else None,
            order_ref=self.reference(),
        )

    def order(self, listing: Listing) -> OrderView:
        """What has become of one."""
        terms = self.terms(listing)
        return OrderView(
            terms=terms,
            perm_id=self.count(),
            status=self.rng.choice(tuple(OrderStatus)),
            filled_lots=self.rng.randint(0, terms.lots),
            average_price=self.optional_price(),
            last_fill_price=self.optional_price(),
            submitted_ns=self.time_ns(),
            completed_ns=self.rng.choice((None, self.time_ns())),
        )

    def bar(self) -> DailyBar:
        """A day's trade."""
        return DailyBar(
            date=self.date(),
            open=self.price(),
            high=self.price(),
            low=self.price(),
            close=self.price(),
            volume=self.count(),
            average=self.price(),
            trades=self.count(),
        )
