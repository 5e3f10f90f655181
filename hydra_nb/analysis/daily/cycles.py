"""The daily cycles of runners that a day knows of."""

import pandas as pd

from hydra_nb.analysis.cycles import CycleBook
from hydra_nb.analysis.cycles import cycles as all_cycles
from hydra_nb.analysis.daily.day import TradingDay
from hydra_nb.analysis.history import History


def cycles(history: History, day: TradingDay) -> pd.DataFrame:
    """One row a cycle that began or ended in the day, or of which no end was told before it.

    One without an end is ``running``, also where its process has died: no journal tells which until its runner starts
    again.

    Parameters
    ----------
    history
        Of the journal as it stood at the day's end.
    day
        Which day.
    """
    book = CycleBook(history.reader)
    book.catch_up()
    endless = [one.cycle_id for one in book.records.values() if one.status is None]
    found = all_cycles(history, running=endless, book=book)
    shown = found["ended"].isna() | (found["ended"] >= pd.Timestamp(day.since_ns, tz="UTC"))
    return found[shown].reset_index(drop=True)
