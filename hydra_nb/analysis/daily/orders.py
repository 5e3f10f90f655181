"""What was worked in a day: orders, their slices, what the gate refused and what a busy notebook delayed."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.daily import columns as daily_columns
from hydra_nb.analysis.daily.day import TradingDay
from hydra_nb.analysis.history import History
from hydra_nb.analysis.rows import execution_row
from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger import ParentRecord


def orders(history: History, fills: pd.DataFrame, day: TradingDay) -> pd.DataFrame:
    """One row a parent that was at work at any time of the day, or of which a fill came in it.

    Parameters
    ----------
    history
        Of the journal as it stood at the day's end.
    fills
        Those of the day.
    day
        Which day.
    """
    in_day = fills.groupby("parent_id")["lots"].sum()
    history.trading.catch_up()
    rows = [
        _order_row(record, history=history, filled_in_day=int(in_day.get(record.parent_id, 0)), day=day)
        for record in history.ledger.parents.values()
        if record.parent_id in in_day.index or _was_at_work(record, day)
    ]
    return make_frame(daily_columns.ORDERS, rows)


def _was_at_work(record: ParentRecord, day: TradingDay) -> bool:
    """Whether a parent was submitted in the day, or not over when it began."""
    if record.submitted_ns >= day.since_ns:
        return True
    return not record.status.is_over if record.finished_ns is None else record.finished_ns >= day.since_ns


def _order_row(record: ParentRecord, *, history: History, filled_in_day: int, day: TradingDay) -> dict[str, Any]:
    trading = history.trading
    return {
        **execution_row(trading.parents[record.parent_id], trading=trading),
        "filled_in_day_lots": filled_in_day,
        "messages": record.messages,
        "messages_budget": record.plan.messages_budget,
        "began_before": record.submitted_ns < day.since_ns,
        "goes_on": not record.status.is_over,
        "reason": record.reason,
    }


def slices(history: History, shown: pd.DataFrame, day: TradingDay) -> pd.DataFrame:
    """One row a slice of these orders that was to start in the day, was sent in it, or was over in it."""
    told = frames.slices(history)
    in_day = pd.Series(data=False, index=told.index)
    for name in ("start", "sent", "done"):
        in_day |= (told[name] >= _stamp(day.since_ns)) & (told[name] < _stamp(day.until_ns))
    return told[in_day & told["parent_id"].isin(shown["parent_id"])].reset_index(drop=True)


def _stamp(time_ns: int) -> pd.Timestamp:
    return pd.Timestamp(time_ns, tz="UTC")


def late(events: Iterable[ev.Event], history: History) -> pd.DataFrame:
    """One row a slice that was delayed, of the events of the day."""
    rows = (
        {
            "time": event.time_ns,
            "parent_id": event.parent_id,
            "local_symbol": symbol_of(history, event.parent_id),
            "slice": event.slice,
            "late_s": event.late_ns / NS_PER_S,
        }
        for event in events
        if isinstance(event, ev.SliceDelayed)
    )
    return make_frame(daily_columns.LATE, rows)


def refusals(events: Iterable[ev.Event], history: History) -> pd.DataFrame:
    """One row a parent, action and check that refused, of the events of the day."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event, parent_id, action in _refused(events):
        row = rows.setdefault(
            (parent_id, action, event.check),
            {
                "first": event.time_ns,
                "parent_id": parent_id,
                "local_symbol": symbol_of(history, parent_id),
                "action": action,
                "check": event.check,
                "times": 0,
            },
        )
        row |= {"last": event.time_ns, "times": row["times"] + 1, "message": event.message}
    return make_frame(daily_columns.REFUSALS, rows.values())


def _refused(events: Iterable[ev.Event]) -> Iterator[tuple[ev.ParentRefused | ev.ChildRefused, str, str]]:
    for event in events:
        if isinstance(event, ev.ParentRefused):
            yield event, event.parent_id, Action.PARENT.value
        elif isinstance(event, ev.ChildRefused):
            yield event, event.parent_id, event.action.value


def symbol_of(history: History, parent_id: str | None) -> str | None:
    """Month that a parent trades; None where the journal knows no such parent."""
    record = history.ledger.parents.get(parent_id or "")
    return None if record is None else record.plan.parent.contract.local_symbol


def messages_sent(events: Iterable[ev.Event]) -> int:
    """Order messages of the events of the day: places, modifies and cancels."""
    return sum(isinstance(event, ev.ChildSent | ev.CancelRequested) for event in events)
