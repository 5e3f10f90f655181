"""What the report of a day tells: its frames and where the day lies in the journal, the account masked."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.daily import money, orders, standing
from hydra_nb.analysis.daily.columns import COLUMNS
from hydra_nb.analysis.daily.cycles import cycles
from hydra_nb.analysis.daily.day import Day, TradingDay, checked_day
from hydra_nb.analysis.daily.until import Until
from hydra_nb.analysis.history import History
from hydra_nb.analysis.plot_traces import records
from hydra_nb.analysis.report.facts import Link, Told, badge_of, masked
from hydra_nb.domain import events as ev
from hydra_nb.domain.accounts import mask_account
from hydra_nb.domain.instrument import ContractFacts, FutureContract
from hydra_nb.journal import JournalReading

NOBODY_TOLD: Mapping[str, ContractFacts] = {}
_OF_THE_DAY = (
    ev.SliceDelayed,
    ev.ParentRefused,
    ev.ChildRefused,
    ev.ChildSent,
    ev.CancelRequested,
    ev.BreakerTripped,
    ev.Rearmed,
    ev.Killed,
    ev.LimitsChanged,
    ev.CalibrationChanged,
    ev.ExecutionReported,
    *standing.ODD,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFacts:
    """One trading day.

    Attributes
    ----------
    day
        Which.
    journal_id
        Name of the journal.
    account
        The number, which is on no page.
    as_of_ns
        When the journal last told anything of the day, or before it; UTC nanoseconds.
    is_over
        Whether the journal tells of a later day.
    contracts
        Contracts of all orders of the journal, by local symbol.
    last
        The last row of the journal's events that the day knows; None where there is none.
    frames
        All that is known, by name, with the account masked; see `columns.COLUMNS`.
    """

    day: TradingDay
    journal_id: str
    account: str
    as_of_ns: int
    is_over: bool
    contracts: Mapping[str, FutureContract]
    last: Link | None
    frames: Mapping[str, Told]

    @property
    def masked_account(self) -> str:
        """The account as it is shown."""
        return mask_account(self.account)

    @property
    def badge(self) -> str:
        """``SIM``, ``PAPER`` or ``LIVE``."""
        return badge_of(self.account)

    @property
    def summary(self) -> dict[str, Any]:
        """The row of `summary`."""
        return records(self.frame("summary"))[0]

    def frame(self, name: str) -> pd.DataFrame:
        """A frame by its name."""
        return self.frames[name].frame


def gather(
    source: JournalReading | History,
    date: Day | None = None,
    *,
    facts: Mapping[str, ContractFacts] = NOBODY_TOLD,
    now_ns: int | None = None,
) -> DailyFacts:
    """Gather the facts of a day.

    Parameters
    ----------
    source
        The journal, live or at rest, or its `History`.
    date
        Which day; see `checked_day`.
    facts
        What a person told of contracts, by local symbol.
    now_ns
        Market time; None where nobody trades on the journal.

    Raises
    ------
    AnalysisError
        It is no day that the journal can tell of.
    """
    whole = source.reader if isinstance(source, History) else source
    first_ns, last_ns = _first_ns(whole), whole.last_time_ns()
    day = checked_day(date, first_ns=first_ns, last_ns=last_ns, now_ns=now_ns)
    is_over = last_ns is not None and last_ns >= day.until_ns
    # A day that goes on is as the journal stands, and that may be folded already.
    history = source if isinstance(source, History) and not is_over else History(Until(whole, day.until_ns))
    history.catch_up()
    as_of_ns = history.reader.last_time_ns() or day.since_ns
    found = _frames(history, day, facts=facts, as_of_ns=as_of_ns)
    account = whole.account
    return DailyFacts(
        day=day,
        journal_id=whole.journal_id,
        account=account,
        as_of_ns=as_of_ns,
        is_over=is_over,
        contracts={contract.local_symbol: contract for contract in history.contracts.values()},
        last=_last_link(history.reader, day),
        frames={
            name: masked(Told(columns=columns, frame=found[name]), account=account) for name, columns in COLUMNS.items()
        },
    )


def _frames(
    history: History, day: TradingDay, *, facts: Mapping[str, ContractFacts], as_of_ns: int
) -> dict[str, pd.DataFrame]:
    """All frames of a day, the account not masked yet."""
    reading = history.reader
    since_seq = reading.bulk.last_seq_before(day.since_ns)
    told = [event for _, event in reading.events(kinds=_OF_THE_DAY, after=since_seq) if day.holds(event.time_ns)]
    fills = frames.fills(history, since=day.since_ns, until=day.until_ns - 1)
    worked = orders.orders(history, fills, day)
    alerts = frames.alerts(reading)
    stood = alerts["cleared"].isna() | (alerts["cleared"] >= pd.Timestamp(day.since_ns, tz="UTC"))
    found = {
        "currencies": money.currencies(fills),
        "orders": worked,
        "slices": orders.slices(history, worked, day),
        "late": orders.late(told, history),
        "refusals": orders.refusals(told, history),
        "fills": fills,
        **money.costs(history, worked, fills),
        "positions": money.positions(history, day, facts=facts),
        "account": money.account(reading, day),
        "limits": standing.limit_changes(told),
        "breakers": standing.breakers(reading, day),
        "halts": standing.halts(told),
        "breaks": standing.breaks(reading, day),
        "alerts": alerts[stood],
        "connection": standing.connection(reading, day, as_of_ns=as_of_ns),
        "calibrations": standing.calibrations(told),
        "cycles": cycles(history, day),
        "events": standing.odd_events(told, history),
    }
    return found | {"summary": money.summary(found, day, messages=orders.messages_sent(told))}


def _first_ns(reading: JournalReading) -> int | None:
    """When a journal first told an event."""
    return next((event.time_ns for _, event in islice(reading.events(), 1)), None)


def _last_link(reading: JournalReading, day: TradingDay) -> Link | None:
    last = reading.bulk.last_seq_before(day.until_ns)
    return (
        next((Link(seq=row.seq, hash=row.hash) for row in reading.event_rows(after=last - 1)), None) if last else None
    )
