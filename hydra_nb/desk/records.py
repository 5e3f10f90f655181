"""What the journal holds, as DataFrames; the columns are listed in ``docs/columns.md``."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.audit import audit
from hydra_nb.analysis.from_journal import REGRET_SETTINGS, regret_of, spread_clock_of
from hydra_nb.analysis.history import History
from hydra_nb.analysis.tca.analysis import Level
from hydra_nb.analysis.tca.journal import journal_tca
from hydra_nb.journal import Journal

FILTERS = ("parent_id", "since", "until", "symbol")


class Records:
    """Frames of one journal; all take ``parent_id=``, ``since=``, ``until=`` and ``symbol=`` as filters, but two.

    `audit` and `spread_clock` say what they take. The journal is folded once, and the fold carried on as it grows.
    Of ``since`` and ``until`` text such as ``"2027-01-12 14:30"`` is UTC unless it names a zone. What is no time or no
    symbol is an `AnalysisError`, a filter that there is not a `TypeError`.
    """

    def __init__(self, journal: Journal) -> None:
        self._history = History(journal)

    def executions(self, **filters: Any) -> pd.DataFrame:
        """One row a parent order; filters ``parent_id``, ``since``, ``until``, ``symbol``."""
        return frames.executions(self._history, **_known(filters))

    def slices(self, **filters: Any) -> pd.DataFrame:
        """One row a slice of a parent order."""
        return frames.slices(self._history, **_known(filters))

    def stages(self, **filters: Any) -> pd.DataFrame:
        """One row a stage of every child order that was sent: what was open, what filled and when, what ended it."""
        return frames.stages(self._history, **_known(filters))

    def decisions(self, **filters: Any) -> pd.DataFrame:
        """One row a check of the risk gate, passed or not."""
        return frames.decisions(self._history, **_known(filters))

    def fills(self, **filters: Any) -> pd.DataFrame:
        """One row a fill, latest correction applied."""
        return frames.fills(self._history, **_known(filters))

    def alerts(self, **filters: Any) -> pd.DataFrame:
        """One row an alert, raised or over."""
        return frames.alerts(self._history, **_known(filters))

    def quotes(self, **filters: Any) -> pd.DataFrame:
        """One row a change of the top of a watched book."""
        return frames.quotes(self._history, **_known(filters))

    def instruments(self) -> pd.DataFrame:
        """One row a month that any order of the journal traded: tick, multiplier, magnifier; takes no filters."""
        return frames.instruments(self._history)

    def tca(
        self,
        *,
        level: Level = "fill",
        by: str | Sequence[str] | None = None,
        tolerance: str | pd.Timedelta = "10min",
        **filters: Any,
    ) -> pd.DataFrame:
        """What the fills cost, and why: `hydra_nb.tca` of this journal, one row a fill, slice, parent, or group.

        Filters choose parents: ``since`` and ``until`` by their submission.
        """
        return journal_tca(self._history, level=level, by=by, tolerance=tolerance, **_known(filters))

    def regret(self, **filters: Any) -> pd.DataFrame:
        """One row a parent and alternative: what crossing at once, patience or a TWAP would have cost, as bounds.

        Besides the filters it takes the settings of `hydra_nb.analysis.regret.regret`.
        """
        return regret_of(self._history, **_known(filters, besides=REGRET_SETTINGS))

    def spread_clock(self, symbol: str, **filters: Any) -> pd.DataFrame:
        """Spread and quoted share of a symbol by weekday and hour of its exchange; filters ``since`` and ``until``."""
        return spread_clock_of(self._history, symbol, **_known(filters, of=("since", "until")))

    def audit(self, parent_id: str) -> pd.DataFrame:
        """One row a fact or a check in the life of a parent order, in order; takes no filters.

        Raises
        ------
        InvalidOrder
            There is no such parent; the message lists those that there are.
        """
        return audit(self._history.reader, parent_id)


def _known(filters: dict[str, Any], *, of: Sequence[str] = FILTERS, besides: Sequence[str] = ()) -> dict[str, Any]:
    """The filters themselves, if there is each of them; `besides` they may hold settings."""
    for name in filters:
        if name not in (*of, *besides):
            settings = f"; settings are {', '.join(besides)}" if besides else ""
            raise TypeError(f"{name} is no filter; filters are {', '.join(of)}{settings}")
    return filters
