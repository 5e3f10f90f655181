"""The quotes that a live view draws: read once from the journal, then noted as they come, and thinned."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hydra_nb.domain.market import Quote

MOST_KEPT = 400
"""Changes of bid or ask that are kept; beyond twice as many the tape is thinned, evenly in time."""

Reals = np.ndarray[tuple[int], np.dtype[np.float64]]


class Change(NamedTuple):
    """Bid and ask from a time on, in the quoted unit; NaN for a side that does not show. UTC nanoseconds."""

    time_ns: int
    bid: float
    ask: float


class QuoteTape:
    """Changes of the top of one book, in order of time."""

    def __init__(self, changes: Iterable[Change] = ()) -> None:
        self._changes: list[Change] = []
        for change in changes:
            self._add(change)

    def note(self, quote: Quote | None) -> None:
        """Take in the quote of now, where it differs from the last."""
        if quote is not None:
            bid, ask = (float("nan") if price is None else float(price) for price in (quote.bid, quote.ask))
            self._add(Change(quote.time_ns, bid, ask))

    def _add(self, change: Change) -> None:
        last = self._changes[-1] if self._changes else None
        if last is not None and (change.time_ns <= last.time_ns or _same(change, last)):
            return
        self._changes.append(change)
        if len(self._changes) > 2 * MOST_KEPT:
            self._changes = self.thinned(MOST_KEPT)

    def thinned(self, most: int) -> list[Change]:
        """At most `most` changes: the first, and the last of each of equal stretches of time."""
        if len(self._changes) <= most:
            return list(self._changes)
        first, last = self._changes[0], self._changes[-1]
        width = (last.time_ns - first.time_ns) / max(1, most - 1)
        kept = {int((change.time_ns - first.time_ns) // width): change for change in self._changes[1:]}
        return [first, *list(kept.values())[-(most - 1) :]]


def _same(one: Change, other: Change) -> bool:
    """Whether two changes tell the same; a side that does not show equals itself."""
    return all(a == b or (a != a and b != b) for a, b in zip(one[1:], other[1:], strict=True))


def outline(times: Reals, *, low: Reals, high: Reals, until: float) -> tuple[Reals, Reals]:
    """The outline of a band of steps, for a line of shape ``hv`` that is filled to itself.

    Stretches in which a side is NaN are left out, and parted by NaN.

    Parameters
    ----------
    times, low, high
        From each time on the band reaches from `low` to `high`; all of one length, times in order.
    until
        Where the last step ends.

    Returns
    -------
    tuple of numpy.ndarray
        Horizontal and vertical coordinates, float64.
    """
    edges = np.append(times, until)
    shown = ~(np.isnan(low) | np.isnan(high))
    across: list[float] = []
    up: list[float] = []
    start = 0
    while start < len(times):
        if not shown[start]:
            start += 1
            continue
        stop = start
        while stop < len(times) and shown[stop]:
            stop += 1
        # Forward along the upper edge; backward a step's corner comes one time later, as the line turns the other way.
        across += [*edges[start : stop + 1], *edges[start : stop + 1][::-1], np.nan]
        up += [*high[start:stop], high[stop - 1], *low[start:stop][::-1], low[start], np.nan]
        start = stop
    return np.array(across, dtype=np.float64), np.array(up, dtype=np.float64)
