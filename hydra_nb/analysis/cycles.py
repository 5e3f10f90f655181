"""The daily cycles of runners, folded from a journal: what there was on which day, and what became of its orders."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hydra_nb.analysis import frames
from hydra_nb.analysis.columns import columns_of, make_frame
from hydra_nb.analysis.history import History
from hydra_nb.domain.events import CycleBegan, CycleEnded, CycleOrdered, CycleStatus, Event
from hydra_nb.domain.values import replace
from hydra_nb.journal import JournalReading

CYCLES = columns_of("""
cycle          | TEXT |      | Id of the cycle
name           | TEXT |      | Name of its runner
day            | TEXT |      | Trade date, YYYY-MM-DD; a session of the evening counts for the day after
dry_run        | FLAG |      | Whether it was to stop after the preview
began          | TIME |      | When it began; NaT where it did not
ended          | TIME |      | When it was over; NaT while it runs, and where its process ended
status | TEXT | | running, done, short, refused, failed, skipped, missed, interrupted, dry_run
basket_id      | TEXT |      | Its basket; missing where nothing was to be sent
orders         | LOTS |      | Orders of its basket
filled_lots    | LOTS | lots | Lots of its orders booked so far, also after it ended
shortfall_lots | LOTS | lots | Lots of its orders that will not be filled any more
slippage_cash  | REAL | cash | Of its fills against arrival; positive is a cost; NaN where one lacks or currencies vary
commission     | REAL | cash | Commission and fees reported so far; NaN where currencies differ
currency       | TEXT |      | Currency of both; missing where its contracts have several
message        | TEXT |      | What happened, in words, with what a person can do
""")

FRAMES = {"cycles": CYCLES}

_KINDS = (CycleBegan, CycleOrdered, CycleEnded)
_LEFT = "the process ended while it ran, before anything was sent; no other begins that day"
_LEFT_WITH_ORDERS = (
    "the process ended while it ran; to go on with its orders: await desk.basket({basket_id!r}).resume(), to end"
    " them: .cancel()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRecord:
    """What the journal tells of one cycle; `status` is None while nothing tells its end."""

    cycle_id: str
    name: str
    day: dt.date
    dry_run: bool
    began_ns: int | None = None
    due_ns: int | None = None
    ended_ns: int | None = None
    status: CycleStatus | None = None
    basket_id: str | None = None
    orders: int = 0
    message: str = ""

    @property
    def left_words(self) -> str:
        """What is said of it where its process ended."""
        return _LEFT if self.basket_id is None else _LEFT_WITH_ORDERS.format(basket_id=self.basket_id)


class CycleBook:
    """A fold of the events of cycles, carried on as the journal grows.

    Attributes
    ----------
    records
        By id, in the order in which they came.
    """

    def __init__(self, reader: JournalReading) -> None:
        self.records: dict[str, CycleRecord] = {}
        self._reader = reader
        self._last_seq = 0
        self._given = 0

    def catch_up(self) -> None:
        """Fold what was journalled since the last time."""
        for seq, event in self._reader.events(kinds=_KINDS, after=self._last_seq):
            self._fold(event)
            self._last_seq = seq

    def of_day(self, day: dt.date, *, name: str, dry_run: bool) -> list[CycleRecord]:
        """Cycles of a runner on a day, real or dry."""
        self.catch_up()
        wanted = (name, day, dry_run)
        return [one for one in self.records.values() if (one.name, one.day, one.dry_run) == wanted]

    def begun(self, day: dt.date, *, name: str, dry_run: bool) -> CycleRecord | None:
        """The cycle that has begun on a day, whatever became of it; None where none has."""
        found = self.of_day(day, name=name, dry_run=dry_run)
        return next((one for one in reversed(found) if one.began_ns is not None), None)

    def left(self, *, name: str, running: Collection[str]) -> list[CycleRecord]:
        """Cycles of a runner that began, and of which neither an end is told nor that they run."""
        self.catch_up()
        return [
            one
            for one in self.records.values()
            if one.name == name and one.status is None and one.cycle_id not in running
        ]

    def next_id(self) -> str:
        """Id for a new cycle, given once only, as a cycle may wait long before the journal tells of it."""
        self.catch_up()
        # The highest and not the count: one that was given to a cycle whose process ended may be told nowhere.
        self._given = max(self._given, *map(_number_of, self.records), 0) + 1
        return f"C-{self._given:04d}"

    def _fold(self, event: Event) -> None:
        match event:
            case CycleBegan() if event.cycle_id in self.records:
                return  # a day that has begun is never forgotten for another
            case CycleBegan():
                self.records[event.cycle_id] = CycleRecord(
                    cycle_id=event.cycle_id,
                    name=event.name,
                    day=event.day,
                    dry_run=event.dry_run,
                    began_ns=event.time_ns,
                    due_ns=event.due_ns,
                )
            case CycleOrdered():
                known = self.records[event.cycle_id]
                self.records[event.cycle_id] = replace(known, basket_id=event.basket_id, orders=event.orders)
            case CycleEnded():
                known = self.records.get(event.cycle_id) or CycleRecord(
                    cycle_id=event.cycle_id, name=event.name, day=event.day, dry_run=event.dry_run
                )
                self.records[event.cycle_id] = replace(
                    known,
                    ended_ns=event.time_ns,
                    status=event.status,
                    basket_id=event.basket_id,
                    orders=event.orders,
                    message=event.message,
                )


def _number_of(cycle_id: str) -> int:
    digits = cycle_id.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0


def cycles(
    source: JournalReading | History,
    *,
    name: str | None = None,
    cycle_id: str | None = None,
    running: Collection[str] = (),
    book: CycleBook | None = None,
) -> pd.DataFrame:
    """One row a cycle, in the order in which they came.

    Parameters
    ----------
    source
        A journal, a reader, or a `History`.
    name
        Of the runner; None is all.
    cycle_id
        One cycle only.
    running
        Ids of the cycles at work; any other that has begun and not ended was left by its process.
    book
        A fold of the same journal, which saves making one.
    """
    history = source if isinstance(source, History) else History(source)
    known = CycleBook(history.reader) if book is None else book
    known.catch_up()
    wanted = [one for one in known.records.values() if name in (None, one.name) and cycle_id in (None, one.cycle_id)]
    if not any(one.basket_id for one in wanted):
        return make_frame(CYCLES, (_row(one, running=running, orders=_NO_ORDERS) for one in wanted))
    history.catch_up()
    table = frames.executions(history)
    return make_frame(
        CYCLES, (_row(one, running=running, orders=_orders_of(one, history=history, table=table)) for one in wanted)
    )


_NO_ORDERS: Mapping[str, Any] = {
    "filled_lots": 0,
    "shortfall_lots": 0,
    "slippage_cash": None,
    "commission": None,
    "currency": None,
}


def _row(record: CycleRecord, *, running: Collection[str], orders: Mapping[str, Any]) -> dict[str, Any]:
    status, message = record.status, record.message
    if status is None:
        is_running = record.cycle_id in running
        status = CycleStatus.RUNNING if is_running else CycleStatus.INTERRUPTED
        message = "" if is_running else record.left_words
    return {
        "cycle": record.cycle_id,
        "name": record.name,
        "day": record.day.isoformat(),
        "dry_run": record.dry_run,
        "began": record.began_ns,
        "ended": record.ended_ns,
        "status": status.value,
        "basket_id": record.basket_id,
        "orders": record.orders,
        "message": message,
        **orders,
    }


def _orders_of(record: CycleRecord, *, history: History, table: pd.DataFrame) -> Mapping[str, Any]:
    """What became of the parents of a cycle's basket, of which the fills may still come."""
    own = table[table["parent_id"].isin(list(_parents_of(record, history=history)))]
    if own.empty:
        return _NO_ORDERS
    currencies = own["currency"].unique()
    sums = len(currencies) == 1
    return {
        "filled_lots": int(own["filled_lots"].sum()),
        "shortfall_lots": int(own["shortfall_lots"].sum()),
        "slippage_cash": own.loc[own["filled_lots"] > 0, "slippage_cash"].sum(skipna=False) if sums else None,
        "commission": own["commission"].sum() if sums else None,
        "currency": currencies[0] if sums else None,
    }


def _parents_of(record: CycleRecord, *, history: History) -> Iterator[str]:
    """Ids of the parents that stand for the rows of its basket; an id given anew after a crash is another's."""
    basket = None if record.basket_id is None or record.dry_run else history.ledger.baskets.get(record.basket_id)
    for row in () if basket is None else basket.rows:
        parent = history.ledger.parents.get(row.parent_id or "")
        if parent is not None and parent.plan.plan_id == row.plan_id:
            yield parent.parent_id
