"""The frame of limits: what holds for all symbols and for those with limits of their own, and since when."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from hydra_nb.analysis import columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.history import History
from hydra_nb.domain.events import LimitsChanged, LimitsOpened
from hydra_nb.journal import JournalReading
from hydra_nb.ledger.limits import LimitsRecord
from hydra_nb.risk.limit_changes import OwnLimits, own_limits
from hydra_nb.risk.limits import BOUNDS, Limits


def limits(
    source: JournalReading | History, *, in_force: Limits | None = None, through: int | None = None
) -> pd.DataFrame:
    """One row a limit of all symbols, then one a limit that a symbol has of its own.

    Parameters
    ----------
    source
        The journal, or its `History`.
    in_force
        The limits that hold now; None is those that held last by the journal.
    through
        Number of the last row of the journal's events that counts, for those that held then; all where None.
    """
    history = source if isinstance(source, History) else History(source)
    history.catch_up()
    record = history.ledger.limits if through is None else _record(history.reader, through=through)
    held = record.in_force if in_force is None else own_limits(in_force)
    return make_frame(columns.LIMITS, _rows(held, changed_ns=record.changed_ns))


def _record(reading: JournalReading, *, through: int) -> LimitsRecord:
    """What was told of limits up to a row."""
    record = LimitsRecord()
    for seq, event in reading.events(kinds=(LimitsOpened, LimitsChanged)):
        if seq > through:
            break
        if isinstance(event, LimitsOpened):
            record.opened(event)
        elif isinstance(event, LimitsChanged):
            record.changed(event)
    return record


def _rows(held: OwnLimits, *, changed_ns: dict[tuple[str, str], int]) -> Iterator[dict[str, Any]]:
    defaults = Limits()
    for (symbol, name), value in held.items():
        bounds = BOUNDS.get(name)  # of another version of this program there may be one that is unknown here
        yield {
            "symbol": symbol,
            "limit": name,
            "value": value,
            "unit": None if bounds is None else bounds.unit,
            "default": None if bounds is None else getattr(defaults, name),
            "tighter": None if bounds is None else bounds.tighter,
            "changed": changed_ns.get((symbol, name)),
        }
