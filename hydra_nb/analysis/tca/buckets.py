"""Fills in buckets: sums, means by lots and counts of what is known of them."""

from collections.abc import Mapping

import numpy as np

from hydra_nb.analysis.tca.asof import Flags, Places, Reals


class Buckets:
    """Buckets of fills.

    Parameters
    ----------
    of_fill
        Bucket of each fill, from 0 to `count` − 1.
    lots
        Lots of each fill.
    count
        How many buckets there are.
    """

    def __init__(self, of_fill: Places, *, lots: Reals, count: int) -> None:
        self.of_fill = of_fill
        self.lots = lots
        self.size = count

    @property
    def filled_lots(self) -> Reals:
        """Lots of each bucket."""
        return np.bincount(self.of_fill, weights=self.lots, minlength=self.size).astype(np.float64)

    @property
    def fills(self) -> Places:
        """Fills of each bucket."""
        return np.bincount(self.of_fill, minlength=self.size)

    def sum(self, values: Reals) -> Reals:
        """Sum of what is known in each bucket; NaN where nothing is."""
        known = np.isfinite(values)
        total = np.bincount(self.of_fill[known], weights=values[known], minlength=self.size)
        return np.where(self.count(known) > 0, total, np.nan)

    def mean(self, values: Reals) -> Reals:
        """Mean by lots of what is known in each bucket; NaN where nothing is."""
        lots = np.where(np.isfinite(values), self.lots, np.nan)
        return self.sum(values * lots) / self.sum(lots)

    def count(self, rows: Flags) -> Places:
        """How many fills of each bucket are among `rows`."""
        return np.bincount(self.of_fill[rows], minlength=self.size)

    def lacks(self, lacking: Mapping[str, Flags], *, more: Mapping[str, Flags]) -> list[str]:
        """In words, what is not known of each bucket, and of how many of its fills.

        `lacking` marks fills by the words for what they lack, `more` marks buckets likewise.
        """
        fills = self.fills.tolist()
        words: list[list[str]] = [[] for _ in range(self.size)]
        for cause, rows in more.items():
            for row in np.flatnonzero(rows).tolist():
                words[row].append(cause)
        for cause, rows in lacking.items():
            counts = self.count(rows)
            for row in np.flatnonzero(counts).tolist():
                words[row].append(f"{cause} ({counts[row]} of {fills[row]} fills)")
        return ["; ".join(one) for one in words]
