"""What befell the desk in a day: breaks, breakers, kills, limits, connection, calibrations, and what else went wrong.

Each is a fold of events from the journal's begin up to the day's end; what was over before the day is left out.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pandas as pd

from hydra_nb.analysis.audit_words import words_of
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.daily import columns
from hydra_nb.analysis.daily.day import TradingDay
from hydra_nb.analysis.daily.orders import symbol_of
from hydra_nb.analysis.history import History
from hydra_nb.domain import events as ev
from hydra_nb.domain.breakers import POSITION_BREAKERS, BreakerName, BreakerState
from hydra_nb.domain.market import CLOSED_BY_US, ConnectionState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal import JournalReading
from hydra_nb.reconcile.reconciler import AGREE
from hydra_nb.risk.limits import BOUNDS

KILL: Final = "kill"
ODD: Final = (
    ev.AckTimedOut,
    ev.BrokerErrorReported,
    ev.GlobalCancelAsked,
    ev.HeadExportFailed,
    ev.JournalContradicted,
    ev.LoopStalled,
    ev.ParentCancelAsked,
    ev.ParentInterrupted,
    ev.ParentPaused,
    ev.ParentResumed,
    ev.SendFailed,
    ev.TaskFailed,
)
"""Events that are no part of a quiet day and have no frame of their own."""

Row = dict[str, Any]


# Breaks


def breaks(reading: JournalReading, day: TradingDay) -> pd.DataFrame:
    """One row a contract that was locked, a difference that comparisons found, or lots held to be others' from then on.

    Comparisons that find the same in the same words are one row.
    """
    kinds = (ev.ContractLocked, ev.ContractUnlocked, ev.PositionAdopted, ev.Reconciled)
    rows: list[Row] = []
    locked: dict[int, Row] = {}
    differing: Row | None = None
    for _, event in reading.events(kinds=kinds):
        match event:
            case ev.ContractLocked():
                locked[event.con_id] = _break(event, "locked", symbol=event.local_symbol, message=event.reason)
                rows.append(locked[event.con_id])
            case ev.ContractUnlocked() if event.con_id in locked:
                _end(locked.pop(event.con_id), event, outcome=f"unlocked: {event.reason}")
            case ev.PositionAdopted():
                rows.append(_break(event, "adopted", symbol=event.local_symbol, message=event.reason))
                _end(rows[-1], event, outcome=f"{event.others_lots} lots are held to be others' from then on")
            case ev.Reconciled():
                agree = event.message.startswith(AGREE)
                if differing is not None and (agree or differing["message"] != event.message):
                    found = "agreement" if agree else "something else"
                    _end(differing, event, outcome=f"a later comparison found {found}")
                    differing = None
                if differing is None and not agree:
                    differing = _break(event, "differs", symbol=None, message=event.message)
                    rows.append(differing)
    return make_frame(columns.BREAKS, (row for row in rows if row["over"] is None or row["over"] >= day.since_ns))


def _break(event: ev.Event, kind: str, *, symbol: str | None, message: str) -> Row:
    return {
        "found": event.time_ns,
        "over": None,
        "kind": kind,
        "local_symbol": symbol,
        "message": message,
        "outcome": "stood at the end of the day",
    }


def _end(row: Row, event: ev.Event, *, outcome: str) -> None:
    row |= {"over": event.time_ns, "outcome": outcome}


# Breakers and kills


def halts(events: Iterable[ev.Event]) -> pd.DataFrame:
    """One row a trip, a re-arming, or a kill, of the events of the day."""
    return make_frame(columns.HALTS, (row for event in events if (row := _halt(event)) is not None))


def _halt(event: ev.Event) -> Row | None:
    row: Row = {"time": event.time_ns, "local_symbol": None, "breaker": None}
    match event:
        case ev.BreakerTripped():
            symbol = event.local_symbol or None
            return row | {"what": "tripped", "breaker": event.breaker, "local_symbol": symbol, "reason": event.reason}
        case ev.Rearmed():
            return row | {"what": "rearmed", "breaker": event.breaker, "reason": event.reason}
        case ev.Killed():
            return row | {"what": "killed", "breaker": KILL, "reason": event.reason}
    return None


def breakers(reading: JournalReading, day: TradingDay) -> pd.DataFrame:
    """One row a breaker as it stood at the day's end, and the kill switch; those of a position a row a contract."""
    closed: Row = {
        "local_symbol": None,
        "state": BreakerState.CLOSED,
        "since": None,
        "trips": 0,
        "observed": None,
        "limit": None,
        "unit": None,
        "reason": None,
    }
    rows: dict[tuple[str, str | None], Row] = {
        (name, None): {"breaker": name, **closed} for name in (*BreakerName, KILL) if name not in POSITION_BREAKERS
    }
    for _, event in reading.events(kinds=(ev.BreakerTripped, ev.Rearmed, ev.Killed)):
        if isinstance(event, ev.Rearmed):
            for (name, _symbol), row in rows.items():
                is_meant = event.breaker in (None, name) and row["state"] == BreakerState.TRIPPED
                if is_meant:
                    row |= {"state": BreakerState.REARMED, "since": event.time_ns, "reason": event.reason}
        elif isinstance(event, ev.Killed | ev.BreakerTripped):
            tripped = event if isinstance(event, ev.BreakerTripped) else None
            key = (KILL, None) if tripped is None else (tripped.breaker, tripped.local_symbol or None)
            row = rows.setdefault(key, {**closed, "breaker": key[0], "local_symbol": key[1]})
            row |= {"state": BreakerState.TRIPPED, "since": event.time_ns, "reason": event.reason}
            row["trips"] += day.holds(event.time_ns)
            if tripped is not None:
                row |= {"observed": tripped.observed, "limit": tripped.limit, "unit": tripped.unit}
    for name in POSITION_BREAKERS:
        if not any(breaker == name for breaker, _ in rows):
            rows[name, None] = {"breaker": name, **closed}
    order = [*BreakerName, KILL]
    return make_frame(
        columns.BREAKERS,
        sorted(rows.values(), key=lambda row: (order.index(row["breaker"]), row["local_symbol"] or "")),
    )


# The connection


def connection(reading: JournalReading, day: TradingDay, *, as_of_ns: int) -> pd.DataFrame:
    """One row a loss of the connection; that a desk opens without one, or closes it with itself, is no loss."""
    rows: list[Row] = []
    lost: Row | None = None
    was_up = False
    for _, event in reading.events(kinds=(ev.ConnectionChanged,)):
        if not isinstance(event, ev.ConnectionChanged):
            continue
        if event.state is ConnectionState.UP or event.message == CLOSED_BY_US:
            was_up = event.state is ConnectionState.UP
            if lost is not None:
                lost["back"], lost = event.time_ns, None
        elif lost is not None:
            if event.state is ConnectionState.DOWN:
                lost["state"] = event.state
        elif was_up:
            lost = {"lost": event.time_ns, "back": None, "state": event.state, "message": event.message}
            rows.append(lost)
    shown = [row for row in rows if row["back"] is None or row["back"] >= day.since_ns]
    for row in shown:
        end_ns = as_of_ns if row["back"] is None else row["back"]
        row["down_s"] = max(0, end_ns - max(row["lost"], day.since_ns)) / NS_PER_S
    return make_frame(columns.CONNECTION, shown)


# What people changed


def limit_changes(events: Iterable[ev.Event]) -> pd.DataFrame:
    """One row a limit that became another, of the events of the day."""
    rows = (
        {
            "time": event.time_ns,
            "symbol": event.symbol,
            "limit": event.limit,
            "old": event.old,
            "new": event.new,
            "unit": BOUNDS[event.limit].unit if event.limit in BOUNDS else None,
            "change": _direction(event),
            "reason": event.reason,
            "who": event.who,
        }
        for event in events
        if isinstance(event, ev.LimitsChanged)
    )
    return make_frame(columns.LIMIT_CHANGES, rows)


def _direction(event: ev.LimitsChanged) -> str:
    bounds = BOUNDS.get(event.limit)
    if bounds is None or event.old is None or event.new is None or event.old == event.new:
        return "other"
    return "tightened" if bounds.is_tighter(event.new, than=event.old) else "loosened"


def calibrations(events: Iterable[ev.Event]) -> pd.DataFrame:
    """One row a calibration of the slippage formula that was accepted or dropped, of the events of the day."""
    rows = (
        {
            "time": event.time_ns,
            "symbol": event.symbol,
            "version": None if held is None else held.version,
            "k": None if held is None else held.k,
            "spread_factor": None if held is None else held.spread_factor,
            "n": None if held is None else held.n_fills,
            "reason": event.reason,
            "who": event.who,
        }
        for event in events
        if isinstance(event, ev.CalibrationChanged)
        for held in (event.calibration,)
    )
    return make_frame(columns.CALIBRATIONS, rows)


# The rest


def odd_events(events: Iterable[ev.Event], history: History) -> pd.DataFrame:
    """One row an event that is no part of a quiet day and stands nowhere else, corrections of earlier fills too."""
    return make_frame(columns.EVENTS, _odd(events, history))


def _odd(events: Iterable[ev.Event], history: History) -> Iterator[Row]:
    for event in events:
        is_correction = isinstance(event, ev.ExecutionReported) and event.revision > 1
        if not (is_correction or isinstance(event, ODD)):
            continue
        order = history.ledger.orders.get(getattr(event, "order_ref", None) or "")
        parent_id = getattr(event, "parent_id", None) if order is None else order.child.parent_id
        yield {
            "time": event.time_ns,
            "kind": type(event).__name__,
            "parent_id": parent_id,
            "local_symbol": symbol_of(history, parent_id),
            "words": words_of(event, None if order is None else order.child.contract),
        }
