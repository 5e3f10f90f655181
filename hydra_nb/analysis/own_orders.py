"""Our own orders in recorded quotes: what of a touch was ours, so that the market without us can be seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import numpy as np
import pandas as pd

from hydra_nb.analysis.stage_fills import fills_of_stage
from hydra_nb.domain.units import NS_PER_S, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOrders:
    """What of ours rested on one side of one contract: so many lots at a price, from a time until another."""

    prices: tuple[Decimal, ...]
    lots: tuple[int, ...]
    from_ns: np.ndarray
    until_ns: np.ndarray

    @classmethod
    def none(cls) -> Self:
        """Nothing of ours, or nothing that is known of."""
        return cls._of([])

    @classmethod
    def of(cls, stages: pd.DataFrame, *, local_symbol: str, side: Side) -> Self:
        """Read the stages of orders: lots go as they fill."""
        own = stages[(stages["local_symbol"] == local_symbol) & (stages["side"] == side)]
        found: list[tuple[Decimal, int, int, int]] = []
        for row in own.to_dict("records"):
            begun_ns = int(pd.Timestamp(row["begun"]).as_unit("ns").value)
            lots, price = int(row["lots"]), Decimal(repr(float(row["limit_price"])))
            from_ns, end_ns = begun_ns, begun_ns + round(float(row["worked_s"]) * NS_PER_S)
            for filled, time_s in fills_of_stage(row):
                until_ns = begun_ns + round(time_s * NS_PER_S)
                found.append((price, lots, from_ns, until_ns))
                lots, from_ns = lots - filled, until_ns
            if lots > 0:
                found.append((price, lots, from_ns, end_ns))
        return cls._of(found)

    @classmethod
    def _of(cls, found: Sequence[tuple[Decimal, int, int, int]]) -> Self:
        return cls(
            prices=tuple(price for price, _, _, _ in found),
            lots=tuple(lots for _, lots, _, _ in found),
            from_ns=np.array([from_ns for _, _, from_ns, _ in found], dtype=np.int64),
            until_ns=np.array([until_ns for _, _, _, until_ns in found], dtype=np.int64),
        )

    def at(self, time_ns: int) -> dict[Decimal, int]:
        """Lots that rested at a time, by price; what was sent just then does not show yet."""
        lots: dict[Decimal, int] = {}
        for at in np.flatnonzero((self.from_ns < time_ns) & (time_ns <= self.until_ns)):
            lots[self.prices[at]] = lots.get(self.prices[at], 0) + self.lots[at]
        return lots
