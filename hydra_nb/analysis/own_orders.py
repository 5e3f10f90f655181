"""Our own orders in recorded quotes: what of a touch was ours, so that the market without us can be seen."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import pandas as pd

from hydra_nb.analysis.stage_fills import fills_of_stage
from hydra_nb.domain.units import NS_PER_S, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """Lots of ours that rested at a price, from a time until another, UTC nanoseconds."""

    price: Decimal
    lots: int
    from_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrders:
    """What of ours rested on one side of one contract."""

    resting: tuple[Resting, ...] = ()

    @classmethod
    def of(cls, stages: pd.DataFrame, *, local_symbol: str, side: Side) -> Self:
        """Read the stages of orders: lots go as they fill."""
        own = stages[(stages["local_symbol"] == local_symbol) & (stages["side"] == side)]
        found: list[Resting] = []
        for row in own.to_dict("records"):
            begun_ns = int(pd.Timestamp(row["begun"]).as_unit("ns").value)
            lots, price = int(row["lots"]), Decimal(repr(float(row["limit_price"])))
            from_ns, end_ns = begun_ns, begun_ns + round(float(row["worked_s"]) * NS_PER_S)
            for filled, time_s in fills_of_stage({str(name): value for name, value in row.items()}):
                until_ns = begun_ns + round(time_s * NS_PER_S)
                found.append(Resting(price=price, lots=lots, from_ns=from_ns, until_ns=until_ns))
                lots, from_ns = lots - filled, until_ns
            if lots > 0:
                found.append(Resting(price=price, lots=lots, from_ns=from_ns, until_ns=end_ns))
        return cls(resting=tuple(found))

    def at(self, time_ns: int) -> dict[Decimal, int]:
        """Lots that rested at a time, by price; what was sent just then does not show yet."""
        lots: dict[Decimal, int] = {}
        for one in self.resting:
            if one.from_ns < time_ns <= one.until_ns:
                lots[one.price] = lots.get(one.price, 0) + one.lots
        return lots
