"""What the journal holds, as DataFrames; the columns are listed in ``docs/columns.md``."""

from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.journal import Journal


class Records:
    """Frames of one journal; all take ``parent_id=``, ``since=``, ``until=`` and ``symbol=`` as filters."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def executions(self, **filters: Any) -> pd.DataFrame:
        """One row a parent order; filters ``parent_id``, ``since``, ``until``, ``symbol``."""
        return frames.executions(self._journal, **filters)

    def slices(self, **filters: Any) -> pd.DataFrame:
        """One row a slice of a parent order."""
        return frames.slices(self._journal, **filters)

    def decisions(self, **filters: Any) -> pd.DataFrame:
        """One row a check of the risk gate, passed or not."""
        return frames.decisions(self._journal, **filters)

    def fills(self, **filters: Any) -> pd.DataFrame:
        """One row a fill, latest correction applied."""
        return frames.fills(self._journal, **filters)

    def quotes(self, **filters: Any) -> pd.DataFrame:
        """One row a change of the top of a watched book."""
        return frames.quotes(self._journal, **filters)
