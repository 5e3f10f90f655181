"""DataFrames of a journal, live or at rest. Columns, dtypes and units: `hydra_nb.analysis.columns`.

Every function takes a journal, a reader, or a `History` of one, which saves folding the journal anew each time.
Filters, all optional: `parent_id`; `since` and `until`, both included, text such as ``"2027-01-12 14:30"`` or a moment
that `pandas.Timestamp` takes, without a time zone meaning UTC; `symbol`, of the future or of its month, in either case.
What cannot be one of them is an `AnalysisError`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hydra_nb.analysis import columns, patience_columns, slippage_columns
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.fill_frame import Wholes, fills_frame
from hydra_nb.analysis.history import History
from hydra_nb.analysis.limit_frames import limits
from hydra_nb.analysis.moments import Moment, filter_ns
from hydra_nb.analysis.plan_frames import decisions_frame, expected_cost, schedule, would_pass
from hydra_nb.analysis.quote_frame import QUOTE_FIELDS, quotes_frame
from hydra_nb.analysis.rows import alert_row, breaker_row, calibration_row, execution_row, position_row, slice_rows
from hydra_nb.analysis.stages import stage_rows
from hydra_nb.analysis.trading import Trading
from hydra_nb.analysis.trading_facts import ParentFacts
from hydra_nb.domain.board import Breaker
from hydra_nb.domain.events import AlertCleared, AlertRaised
from hydra_nb.domain.market import Quote
from hydra_nb.errors import AnalysisError
from hydra_nb.journal import JournalReading
from hydra_nb.journal.collector import without_collector
from hydra_nb.reconcile import Break

__all__ = [
    "alerts",
    "breakers",
    "breaks",
    "calibrations",
    "decisions",
    "decisions_frame",
    "executions",
    "expected_cost",
    "fills",
    "instruments",
    "limits",
    "orders",
    "positions",
    "quotes",
    "schedule",
    "slices",
    "stages",
    "would_pass",
]

Source = JournalReading | History

NOTHING_TOLD: Mapping[int, int] = MappingProxyType({})
_INSTRUMENT = [one.name for one in columns.INSTRUMENTS]
_MONTH = re.compile(r"[FGHJKMNQUVXZ]\d{1,2}")


def executions(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """One row a parent order, in order of submission; times filter by submission."""
    trading = _trading(source)
    wanted = _Filter.make(parent_id=parent_id, since=since, until=until, symbol=symbol)
    rows = (
        execution_row(parent, trading=trading)
        for parent in trading.parents.values()
        if wanted.parent(parent) and wanted.time(parent.submitted_ns)
    )
    return make_frame(columns.EXECUTIONS, rows)


def slices(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """One row a planned slice of every parent, with what became of it; times filter by the planned start."""
    trading = _trading(source)
    wanted = _Filter.make(parent_id=parent_id, since=since, until=until, symbol=symbol)
    rows = (
        row
        for parent in trading.parents.values()
        if wanted.parent(parent)
        for row in slice_rows(parent, trading=trading)
        if wanted.time(row["start"])
    )
    return make_frame(columns.SLICES, rows)


def stages(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """One row a stage of every child order that was sent, as it was worked; times filter by its begin."""
    history = _history(source)
    wanted = _Filter.make(parent_id=parent_id, since=since, until=until, symbol=symbol)
    parents = _trading(history).parents
    rows = (
        row
        for row in stage_rows(history, parent_id=parent_id)
        if row["parent_id"] in parents and wanted.parent(parents[row["parent_id"]]) and wanted.time(row["begun"])
    )
    return make_frame(patience_columns.STAGES, rows)


def decisions(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """One row a check of the gate, passed or not, in order."""
    wanted = _Filter.make(parent_id=parent_id, since=since, until=until, symbol=symbol)
    found = _reader(source).decisions_rows(parent_id=parent_id, since_ns=wanted.since_ns, until_ns=wanted.until_ns)
    if wanted.symbol is not None:
        parents = _trading(source).parents
        found = [row for row in found if row.parent_id in parents and wanted.parent(parents[row.parent_id])]
    rows = ({**row._asdict(), "time": row.time_ns} for row in found)
    return make_frame(columns.DECISIONS, rows)


def fills(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """One row a fill, latest correction applied, busts left out, as first received; times filter by `received_time`."""
    trading = _trading(source)
    wanted = _Filter.make(parent_id=parent_id, since=since, until=until, symbol=symbol)
    with without_collector():
        return fills_frame(trading, _places(trading, wanted))


def _places(trading: Trading, wanted: "_Filter") -> Wholes:
    """Places of the fills that are wanted, in order."""
    fills = trading.fills
    of_parent = None if wanted.parent_id is None else fills.by_parent.get(wanted.parent_id, [])
    places = np.arange(len(fills.families)) if of_parent is None else np.array(of_parent, dtype=np.int64)
    received_ns, lots = np.asarray(fills.received_ns)[places], np.asarray(fills.lots)[places]
    terms, of_terms = np.unique(np.asarray(fills.terms)[places], return_inverse=True)
    parents = [trading.parents.get(trading.terms[one].parent_id) for one in terms.tolist()]
    is_wanted = np.array([one is not None and wanted.parent(one) for one in parents], dtype=np.bool_)
    return places[(lots > 0) & is_wanted[of_terms] & wanted.times(received_ns)]


def orders(source: Source) -> pd.DataFrame:
    """One row a child order of the journal, as the ledger knows it now, in order of their reservation."""
    rows = (
        {
            "order_ref": record.order_ref,
            "parent_id": record.child.parent_id,
            "slice": record.child.slice,
            "order_id": record.child.order_id,
            "perm_id": max(record.perm_ids, default=None),
            "local_symbol": record.child.contract.local_symbol,
            "side": record.child.side,
            "lots": record.total_lots,
            "filled_lots": record.booked_lots,
            "working_lots": record.working_lots,
            "limit_price": record.terms.limit_price,
            "expires": record.expires_ns,
            "state": record.state,
        }
        for record in _history(source).ledger.orders.values()
    )
    return make_frame(columns.ORDERS, rows)


def positions(
    source: Source, *, quotes: Mapping[int, Quote], days_to_close_out: Mapping[int, int] = NOTHING_TOLD
) -> pd.DataFrame:
    """One row a contract with a position or with working orders of ours, by local symbol.

    Parameters
    ----------
    source
        The journal.
    quotes
        Top of the book now, by contract id; where it lacks one, mid and value are NaN.
    days_to_close_out
        Days until first notice, or the last trade, by contract id; where it lacks one, NA.
    """
    history = _history(source)
    ledger = history.ledger
    working = {record.child.contract.con_id for record in ledger.open_orders()}
    booked = {con_id for con_id in history.contracts if ledger.booked_position(con_id)}
    rows = [
        row
        for con_id in {*ledger.positions, *working, *booked}
        if (row := position_row(con_id, history=history, quote=quotes.get(con_id), days=days_to_close_out.get(con_id)))[
            "position"
        ]
        or con_id in working
    ]
    return make_frame(columns.POSITIONS, sorted(rows, key=lambda row: str(row["local_symbol"])))


def quotes(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """One row a change of the top of a watched book, in order; a parent's are those of its contract while it ran."""
    wanted = _Filter.make(parent_id=parent_id, since=since, until=until, symbol=symbol)
    bulk = _reader(source).bulk
    parent = None if parent_id is None else _trading(source).parents.get(parent_id)
    if parent_id is not None and parent is None:
        return quotes_frame([])
    symbols = None if wanted.symbol is None else [one for one in bulk.quoted_symbols() if _is_of(wanted.symbol, one)]
    begun_ns, ended_ns = (None, None) if parent is None else (parent.submitted_ns, parent.finished_ns)
    chunks = bulk.quotes_chunks(
        *QUOTE_FIELDS,
        since_ns=max((one for one in (wanted.since_ns, begun_ns) if one is not None), default=None),
        until_ns=min((one for one in (wanted.until_ns, ended_ns) if one is not None), default=None),
        con_id=None if parent is None else parent.plan.parent.contract.con_id,
        local_symbols=symbols,
    )
    return quotes_frame(chunks)


def _is_of(symbol: str, local_symbol: str) -> bool:
    """Whether a local symbol is `symbol`, or a month of it."""
    return local_symbol == symbol or _is_month_of(symbol, local_symbol)


def _is_month_of(symbol: str, local_symbol: str) -> bool:
    """Whether a local symbol is a month of `symbol`: the symbol, a month letter, and the year's last digits."""
    return bool(_MONTH.fullmatch(local_symbol.removeprefix(symbol))) and local_symbol.startswith(symbol)


def instruments(source: Source) -> pd.DataFrame:
    """One row a month that any parent of the journal traded, as the broker told its terms last; by local symbol."""
    contracts = sorted(_history(source).contracts.values(), key=lambda contract: contract.local_symbol)
    rows = ({name: getattr(contract, name) for name in _INSTRUMENT} for contract in contracts)
    return make_frame(columns.INSTRUMENTS, rows)


def alerts(
    source: Source,
    *,
    parent_id: str | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    symbol: str | None = None,
) -> pd.DataFrame:
    """One row an alert, those that stand and those that are over, in the order in which they were raised."""
    wanted = _Filter.make(parent_id=parent_id, since=since, until=until, symbol=symbol)
    rows: list[dict[str, Any]] = []
    standing: dict[tuple[str, str], dict[str, Any]] = {}
    for _, event in _reader(source).events(kinds=(AlertRaised, AlertCleared)):
        if isinstance(event, AlertRaised):
            rows.append(alert_row(event))
            standing[event.kind, event.subject] = rows[-1]
        elif isinstance(event, AlertCleared) and (event.kind, event.subject) in standing:
            standing.pop((event.kind, event.subject))["cleared"] = event.time_ns
    shown = (
        row
        for row in rows
        if wanted.time(row["time"])
        and parent_id in (None, row["parent_id"])
        and (wanted.symbol is None or _is_of(wanted.symbol, row["local_symbol"]))
    )
    return make_frame(columns.ALERTS, shown)


def breaks(found: Iterable[Break]) -> pd.DataFrame:
    """One row a difference between ledger and broker."""
    rows = (
        {
            "time": one.time_ns,
            "kind": one.kind,
            "local_symbol": one.local_symbol,
            "order_ref": one.order_ref,
            "ours": one.ours,
            "brokers": one.brokers,
            "resolved": one.resolved,
            "message": one.message,
        }
        for one in found
    )
    return make_frame(columns.RECONCILE, rows)


def calibrations(source: Source) -> pd.DataFrame:
    """One row a symbol whose predictions rest on own fills, as in force, by symbol."""
    accepted = sorted(_history(source).ledger.calibrations.items())
    rows = (calibration_row(one, one.calibration) for _, one in accepted if one.calibration is not None)
    return make_frame(slippage_columns.CALIBRATIONS, rows)


def breakers(shown: Iterable[Breaker]) -> pd.DataFrame:
    """One row a circuit breaker, as a desk tells of them now."""
    return make_frame(columns.BREAKERS, (breaker_row(one) for one in shown))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """What a caller wants to see; None leaves it open."""

    parent_id: str | None
    since_ns: int | None
    until_ns: int | None
    symbol: str | None

    @classmethod
    def make(
        cls, *, parent_id: str | None, since: Moment | None, until: Moment | None, symbol: str | None
    ) -> "_Filter":
        """Read the moments and the symbol."""
        return cls(
            parent_id=parent_id,
            since_ns=filter_ns(since, name="since"),
            until_ns=filter_ns(until, name="until"),
            symbol=None if symbol is None else as_listed(symbol),
        )

    def parent(self, parent: ParentFacts) -> bool:
        """Whether a parent is wanted, its times aside."""
        contract = parent.plan.parent.contract
        return (self.parent_id is None or parent.parent_id == self.parent_id) and (
            self.symbol is None or self.symbol in (contract.symbol, contract.local_symbol)
        )

    def time(self, time_ns: int) -> bool:
        """Whether a time is wanted."""
        return (self.since_ns is None or time_ns >= self.since_ns) and (
            self.until_ns is None or time_ns <= self.until_ns
        )

    def times(self, times_ns: Wholes) -> NDArray[np.bool_]:
        """Whether each time is wanted."""
        wanted = np.ones(len(times_ns), dtype=np.bool_)
        if self.since_ns is not None:
            wanted &= times_ns >= self.since_ns
        if self.until_ns is not None:
            wanted &= times_ns <= self.until_ns
        return wanted


def as_listed(symbol: str) -> str:
    """A symbol as the broker lists it, of which a person may type ``"zo "``, as in a preview.

    Raises
    ------
    AnalysisError
        It is no text.
    """
    if not isinstance(symbol, str):
        raise AnalysisError(f"symbol={symbol!r} is none; write it as 'ZO', or 'ZOK7' for one month")
    return symbol.strip().upper()


def _reader(source: Source) -> JournalReading:
    return source.reader if isinstance(source, History) else source


def _history(source: Source) -> History:
    """The history of a source, up to date."""
    history = source if isinstance(source, History) else History(source)
    history.catch_up()
    return history


def _trading(source: Source) -> Trading:
    """Parents, slices and fills of a source, up to date."""
    trading = source.trading if isinstance(source, History) else Trading(source)
    trading.catch_up()
    return trading
