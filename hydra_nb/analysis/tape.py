"""Recorded quotes of one contract, seen from one side: who bought sees asks, who sold sees bids with their sign turned.

So turned, less is better for both sides, and one arithmetic serves both: a price is a cost.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import numpy as np
import pandas as pd

from hydra_nb.domain.market import Quote
from hydra_nb.domain.units import NS_PER_S, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """Quotes and trades of one contract in order of time; NaN where a side was empty.

    `bid` and `ask` are as they were quoted; `far`, the opposite touch, and `last` are turned. A locked or crossed
    market has no `far`, since nobody knows what of it was real; `mids` are the other rows in which both sides showed.
    Since the row before it `traded_lots` traded, of which `printed_lots` surely at `last`.
    """

    side: Side
    time_ns: np.ndarray
    bid: np.ndarray
    ask: np.ndarray
    bid_lots: np.ndarray
    ask_lots: np.ndarray
    far: np.ndarray
    far_lots: np.ndarray
    last: np.ndarray
    printed_lots: np.ndarray
    traded_lots: np.ndarray
    mids: np.ndarray
    longest_ns: int

    @classmethod
    def of(cls, quotes: pd.DataFrame, *, side: Side, longest_ns: int) -> Self:
        """Read the quotes of one contract; none of them speaks for longer than `longest_ns`."""
        ordered = quotes.drop_duplicates().sort_values("time", kind="stable")
        bid, ask, bid_lots, ask_lots, last, last_lots, volume = (
            ordered[name].to_numpy(dtype=np.float64, na_value=np.nan)
            for name in ("bid", "ask", "bid_size", "ask_size", "last", "last_size", "volume")
        )
        printed_lots, traded_lots = _printed(last, last_lots, volume)
        bid, ask = np.where(bid_lots > 0, bid, np.nan), np.where(ask_lots > 0, ask, np.nan)
        return cls(
            side=side,
            time_ns=ordered["time"].astype("datetime64[ns, UTC]").astype("int64").to_numpy(),
            bid=bid,
            ask=ask,
            bid_lots=bid_lots,
            ask_lots=ask_lots,
            far=np.where(bid >= ask, np.nan, ask if side is Side.BUY else -bid),
            far_lots=ask_lots if side is Side.BUY else bid_lots,
            last=side.sign * last,
            printed_lots=printed_lots,
            traded_lots=traded_lots,
            mids=np.flatnonzero(bid < ask),
            longest_ns=longest_ns,
        )

    def at(self, time_ns: int) -> int | None:
        """Row that stands at a time; None where there is none young enough."""
        row = int(np.searchsorted(self.time_ns, time_ns, side="right")) - 1
        return row if row >= 0 and time_ns - self.time_ns[row] <= self.longest_ns else None

    def last_mid(self, time_ns: int) -> tuple[float, int] | None:
        """The last mid until a time, and when it was seen; None where there is none young enough."""
        until = int(np.searchsorted(self.time_ns, time_ns, side="right"))
        found = int(np.searchsorted(self.mids, until)) - 1
        row = int(self.mids[found]) if found >= 0 else None
        if row is None or time_ns - self.time_ns[row] > self.longest_ns:
            return None
        return float(self.bid[row] + self.ask[row]) / 2, int(self.time_ns[row])

    def between(self, begin_ns: int, end_ns: int) -> slice:
        """Rows that came after the begin and before the end."""
        first, after = np.searchsorted(self.time_ns, [begin_ns, end_ns], side="right")
        return slice(int(first), int(after))

    def silent_s(self, begin_ns: int, end_ns: int) -> float:
        """Seconds between two times for which no quote speaks."""
        rows = self.between(begin_ns, end_ns)
        standing = self.time_ns[max(0, rows.start - 1) : rows.stop]
        starts = np.maximum(standing, begin_ns)
        ends = np.minimum(np.append(standing[1:], end_ns), standing + self.longest_ns)
        spoken_ns = int(np.maximum(0, np.minimum(ends, end_ns) - starts).sum()) if len(standing) else 0
        return max(0, end_ns - begin_ns - spoken_ns) / NS_PER_S

    def quote(self, row: int) -> Quote:
        """The quote of a row, as an algorithm sees it."""
        bid, ask = _decimal(self.bid[row]), _decimal(self.ask[row])
        return Quote(
            con_id=0,
            time_ns=int(self.time_ns[row]),
            bid=bid,
            bid_size=0 if bid is None else int(self.bid_lots[row]),
            ask=ask,
            ask_size=0 if ask is None else int(self.ask_lots[row]),
        )


def _printed(last: np.ndarray, last_lots: np.ndarray, volume: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lots that surely traded at the last price since the row before, and those that traded at any price.

    No more traded at the last price than the volume grew, nor than the last trade had. Where the volume is not told, a
    last trade that differs from the one before is a new one. Of the first row nobody knows when its trade was.
    """
    before, lots_before = np.roll(last, 1), np.roll(last_lots, 1)
    is_new = ~np.isnan(before) & ((last != before) | (last_lots != lots_before))
    told = ~np.isnan(volume) | ~np.isnan(np.roll(volume, 1))
    grown = np.maximum(np.nan_to_num(volume - np.roll(volume, 1)), 0.0)
    traded = np.where(told, grown, np.where(is_new, np.nan_to_num(last_lots), 0.0))
    printed = np.where(np.isnan(last), 0.0, np.minimum(traded, np.nan_to_num(last_lots)))
    begins = ~np.isnan(volume) & np.isnan(np.roll(volume, 1))  # the first trades that are told; when was not
    traded, printed = np.where(begins, np.nan_to_num(volume), traded), np.where(begins, 0.0, printed)
    traded[:1] = printed[:1] = 0.0
    return printed, traded


def _decimal(price: float) -> Decimal | None:
    return None if np.isnan(price) else Decimal(repr(float(price)))
