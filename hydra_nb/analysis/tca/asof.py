"""Values of several symbols over time, looked up as of given moments. Arrays in, arrays out.

Rows are grouped by symbol once; within a symbol a lookup is a binary search that walks forward with sorted moments.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]
Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


class Groups:
    """Rows grouped by a key, so that many lookups share one sorting.

    Parameters
    ----------
    keys
        Key of each row, from 0 to `count` − 1; negative rows belong to none.
    count
        How many keys there are.
    """

    def __init__(self, keys: Codes, *, count: int) -> None:
        self.count = count
        narrow = np.asarray(keys).astype(np.min_scalar_type(-max(2, count)), copy=False)
        # Stable on small integers is a radix sort: linear, and rows of one key stay in their order.
        self._order = np.argsort(narrow, kind="stable")
        self._edges = np.searchsorted(narrow, np.arange(count + 1), sorter=self._order)

    def rows(self, key: int) -> Places:
        """Rows of one key, in their order."""
        return self._order[self._edges[key] : self._edges[key + 1]]

    def __iter__(self) -> Iterator[tuple[int, Places]]:
        """Key and rows of every key that has any."""
        for key in range(self.count):
            if len(rows := self.rows(key)):
                yield key, rows


class Tape:
    """A value of each symbol over time; it holds from its own moment until the next of its symbol.

    Of several values at one moment the last row counts. Rows may come in any order.

    Parameters
    ----------
    times_ns
        Moments, UTC nanoseconds, int64 of shape (n,).
    keys
        Symbol of each row, from 0 to `count` − 1.
    parts
        Columns whose mean is the value, float64 of shape (n,) each: a bid and an ask give a mid. A NaN is a value:
        from then on nothing is known.
    count
        How many symbols there are.
    """

    def __init__(self, times_ns: Ints, keys: Codes, *parts: Reals, count: int) -> None:
        self.times_ns: list[Ints] = [np.empty(0, dtype=np.int64)] * count
        self.values: list[Reals] = [np.empty(0, dtype=np.float64)] * count
        for key, rows in Groups(keys, count=count):
            times = times_ns[rows]
            if len(times) > 1 and (times[1:] < times[:-1]).any():
                rows = rows[np.argsort(times, kind="stable")]
                times = times_ns[rows]
            value = parts[0][rows].astype(np.float64)
            for other in parts[1:]:
                value += other[rows]
            if len(parts) > 1:
                value /= len(parts)
            self.times_ns[key], self.values[key] = times, value

    def at(
        self, moments_ns: Ints, groups: Groups, *, tolerance_ns: int | None = None, strictly_before: bool = False
    ) -> Reals:
        """Value of its symbol at each moment; NaN where there is none, or it is older than `tolerance_ns`.

        Parameters
        ----------
        moments_ns
            UTC nanoseconds, int64 of shape (m,). Sorted moments are looked up fastest.
        groups
            The moments by symbol.
        tolerance_ns
            Greatest age of a value that counts; None for any.
        strictly_before
            Whether a value at the very moment does not count yet.
        """
        found = np.full(len(moments_ns), np.nan)
        for key, rows in self._quoted(groups):
            wanted = moments_ns[rows]
            at = self._positions(key, wanted, strictly_before=strictly_before)
            values = self.values[key][at]
            values[at < 0] = np.nan
            if tolerance_ns is not None:
                values[wanted - self.times_ns[key][at] > tolerance_ns] = np.nan
            found[rows] = values
        return found

    def age_ns(self, moments_ns: Ints, groups: Groups, *, strictly_before: bool = False) -> Reals:
        """Age of the value at each moment, nanoseconds; NaN where there is none."""
        found = np.full(len(moments_ns), np.nan)
        for key, rows in self._quoted(groups):
            wanted = moments_ns[rows]
            at = self._positions(key, wanted, strictly_before=strictly_before)
            found[rows] = np.where(at < 0, np.nan, wanted - self.times_ns[key][at])
        return found

    def last_ns(self, groups: Groups, size: int) -> Ints:
        """Moment of the last value of its symbol, for each of `size` rows; the smallest integer where there is none."""
        found = np.full(size, np.iinfo(np.int64).min)
        for key, rows in self._quoted(groups):
            found[rows] = self.times_ns[key][-1]
        return found

    def _quoted(self, groups: Groups) -> Iterator[tuple[int, Places]]:
        """Groups of the symbols that have any value."""
        return ((key, rows) for key, rows in groups if len(self.times_ns[key]))

    def _positions(self, key: int, moments_ns: Ints, *, strictly_before: bool) -> Places:
        """Row that holds at each moment; −1 before the first."""
        return np.searchsorted(self.times_ns[key], moments_ns, side="left" if strictly_before else "right") - 1


def asof(
    moments_ns: Ints, moment_keys: Codes, times_ns: Ints, keys: Codes, values: Reals, *, tolerance_ns: int | None = None
) -> Reals:
    """Last value of the same symbol at or before each moment.

    Parameters
    ----------
    moments_ns, times_ns
        UTC nanoseconds, int64 of shapes (m,) and (n,), in any order.
    moment_keys, keys
        Symbols of both, integers from 0.
    values
        float64 of shape (n,).
    tolerance_ns
        Greatest age of a value that counts; None for any.

    Returns
    -------
    numpy.ndarray
        float64 of shape (m,), NaN where there is none.
    """
    count = 1 + max(int(np.max(moment_keys, initial=-1)), int(np.max(keys, initial=-1)))
    tape = Tape(times_ns, keys, values, count=count)
    return tape.at(moments_ns, Groups(moment_keys, count=count), tolerance_ns=tolerance_ns)
