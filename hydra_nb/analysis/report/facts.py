"""What a report tells: the frames of one parent order and where it stands in the journal, the account masked.

A report is given to others. A hash over a content that holds the account number, the rest of which stands on the page,
would tell the number to whoever tries them all: those of child orders and of single events are left out here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hydra_nb import cost
from hydra_nb.analysis import columns, frames
from hydra_nb.analysis.audit import Life, find_life, rows_of
from hydra_nb.analysis.columns import Column, Kind, make_frame
from hydra_nb.analysis.history import History
from hydra_nb.analysis.report.benchmarks import benchmarks
from hydra_nb.analysis.report.columns import BENCHMARKS, TERMS
from hydra_nb.analysis.tca import journal_tca
from hydra_nb.analysis.tca.columns import PARENT_LEVEL
from hydra_nb.broker import access
from hydra_nb.domain import events as ev
from hydra_nb.domain.accounts import mask_account, mask_accounts
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.journal import JournalReading
from hydra_nb.ledger import ParentRecord

QUOTES_BEFORE = pd.Timedelta(minutes=10)
"""How long before the submission the quotes begin: what the market was like when the order came."""

AUDIT = tuple(one for one in columns.AUDIT if one.name not in ("facts", "hash"))
_CONTENT = re.compile(r"[,;] content [0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A frame and what its columns are."""

    columns: tuple[Column, ...]
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A row of the journal's events: its number and its link in the chain of hashes."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One parent order.

    Attributes
    ----------
    account
        Masked.
    badge
        ``SIM``, ``PAPER`` or ``LIVE``.
    arrival
        The quote at submission; None where there was none.
    as_of_ns
        When the journal last told of it; of one that runs, the last time that it tells at all. UTC nanoseconds.
    first, last
        Its first and its last row in the journal.
    frames
        All that is known, by the name of the frame; see `hydra_nb.analysis.columns`.
    """

    parent_id: str
    journal_id: str
    account: str
    badge: str
    record: ParentRecord
    arrival: Quote | None
    as_of_ns: int
    first: Link
    last: Link
    frames: Mapping[str, Told]

    @property
    def until_ns(self) -> int:
        """When it was over; of one that runs, as of when all this is. UTC nanoseconds."""
        return self.as_of_ns if self.record.finished_ns is None else self.record.finished_ns

    @property
    def plan(self) -> ExecutionPlan:
        """What was submitted."""
        return self.record.plan

    @property
    def contract(self) -> FutureContract:
        """What was traded."""
        return self.record.plan.parent.contract

    @property
    def execution(self) -> dict[str, Any]:
        """The row of `executions`."""
        return dict(self.frames["executions"].frame.iloc[0])

    def frame(self, name: str) -> pd.DataFrame:
        """A frame by its name; of one that there is not, nothing is known."""
        return self.frames[name].frame


def gather(source: JournalReading | History, parent_id: str) -> Facts:
    """Gather the facts of a parent.

    Parameters
    ----------
    source
        The journal, live or at rest, or its `History`.
    parent_id
        Whose.

    Raises
    ------
    InvalidOrder
        The journal has no such parent; the message lists those that it has.
    """
    history = source if isinstance(source, History) else History(source)
    reading = history.reader
    life = find_life(reading, parent_id)
    history.catch_up()
    record, account = history.ledger.parents[parent_id], reading.account
    rows = list(rows_of(reading, life, decisions=reading.decisions_rows(parent_id=parent_id)))
    found = _frames(history, life, rows=rows, record=record)
    own = [row for row in rows if row["about"] == "parent" and row["hash"] is not None]
    if record.finished_ns is not None:
        as_of_ns = max(record.finished_ns, own[-1]["time"])
    else:
        as_of_ns = max([*(row["time"] for row in rows), *found["quotes"].frame["time"].astype("int64")])
    held = benchmarks(dict(found["tca.parent"].frame.iloc[0]), contract=record.plan.parent.contract)
    found["report.benchmarks"] = Told(columns=BENCHMARKS, frame=held)
    return Facts(
        parent_id=parent_id,
        journal_id=reading.journal_id,
        account=mask_account(account),
        badge=badge_of(account),
        record=record,
        arrival=history.arrivals[parent_id],
        as_of_ns=int(as_of_ns),
        first=Link(seq=own[0]["seq"], hash=own[0]["hash"]),
        last=Link(seq=own[-1]["seq"], hash=own[-1]["hash"]),
        frames={name: masked(told, account=account) for name, told in found.items()},
    )


def badge_of(account: str) -> str:
    """``SIM``, ``PAPER`` or ``LIVE``."""
    return "SIM" if access.is_simulated(account) else "PAPER" if access.is_paper(account) else "LIVE"


def _frames(history: History, life: Life, *, rows: list[dict[str, Any]], record: ParentRecord) -> dict[str, Told]:
    """All frames of a parent, the account not masked yet."""
    parent_id, plan, contract = record.parent_id, record.plan, record.plan.parent.contract
    arrival = history.arrivals[parent_id]
    submitted = pd.Timestamp(record.submitted_ns, tz="UTC")
    finished = None if record.finished_ns is None else pd.Timestamp(record.finished_ns, tz="UTC")
    quotes = frames.quotes(history, symbol=contract.local_symbol, since=submitted - QUOTES_BEFORE, until=finished)
    orders = frames.orders(history)
    limits = frames.limits(history, through=life.first)
    audit = [{**row, "words": _CONTENT.sub("", row["words"])} for row in rows]
    return {
        "executions": Told(columns=columns.EXECUTIONS, frame=frames.executions(history, parent_id=parent_id)),
        "plan.schedule": Told(
            columns=columns.SCHEDULE, frame=frames.schedule(plan, start_ns=record.begins_ns, quote=arrival)
        ),
        "plan.expected_cost": Told(columns=columns.EXPECTED_COST, frame=frames.expected_cost(plan, quote=arrival)),
        "slices": Told(columns=columns.SLICES, frame=frames.slices(history, parent_id=parent_id)),
        "orders": Told(columns=columns.ORDERS, frame=orders[orders["parent_id"] == parent_id]),
        "report.terms": Told(columns=TERMS, frame=_terms(history.reader, record)),
        "decisions": Told(columns=columns.DECISIONS, frame=frames.decisions(history, parent_id=parent_id)),
        "fills": Told(columns=columns.FILLS, frame=frames.fills(history, parent_id=parent_id)),
        "tca.parent": Told(columns=PARENT_LEVEL, frame=journal_tca(history, level="parent", parent_id=parent_id)),
        "quotes": Told(columns=columns.QUOTES, frame=quotes),
        "limits": Told(columns=columns.LIMITS, frame=limits[limits["symbol"].isin(["*", contract.symbol])]),
        "alerts": Told(
            columns=columns.ALERTS, frame=_alerts(history, record=record, submitted=submitted, finished=finished)
        ),
        "audit": Told(columns=AUDIT, frame=make_frame(AUDIT, audit)),
    }


def _alerts(
    history: History, *, record: ParentRecord, submitted: pd.Timestamp, finished: pd.Timestamp | None
) -> pd.DataFrame:
    """Alerts of the parent, and those of its contract and of the whole desk that stood while it ran."""
    told = frames.alerts(history)
    symbol = record.plan.parent.contract.local_symbol
    own = told["parent_id"] == record.parent_id  # some of them are raised by its end, and after it
    common = told["parent_id"].isna() & told["local_symbol"].fillna("").isin(["", symbol])
    stood = told["cleared"].isna() | (told["cleared"] >= submitted)
    if finished is not None:
        stood &= told["time"] <= finished
    return told[own | (common & stood)]


def _terms(reading: JournalReading, record: ParentRecord) -> pd.DataFrame:
    """One row a place or modify that the gate approved: what was to be sent, on which quote, and when it left."""
    kinds = (ev.ChildReserved, ev.ChildSent)
    rows: list[dict[str, Any]] = []
    waiting: dict[tuple[str, str], dict[str, Any]] = {}
    for _, event in reading.events(kinds=kinds, parent_id=record.parent_id):
        if isinstance(event, ev.ChildReserved):
            child, quote = event.child, event.quote
            rows.append(
                {
                    "time": event.time_ns,
                    "sent": None,
                    "slice": child.slice,
                    "order_ref": child.order_ref,
                    "action": event.action,
                    "stage": child.stage,
                    "lots": child.lots,
                    "limit_price": child.limit_price,
                    "bid": None if quote is None else quote.bid,
                    "ask": None if quote is None else quote.ask,
                    "expires": child.expires_ns,
                    "predicted_slippage_ticks": cost.in_ticks(event.predicted_slippage, contract=child.contract),
                }
            )
            waiting[child.order_ref, event.content_hash] = rows[-1]
        elif isinstance(event, ev.ChildSent) and (event.order_ref, event.content_hash) in waiting:
            waiting.pop((event.order_ref, event.content_hash))["sent"] = event.time_ns
    return make_frame(TERMS, rows)


def masked(told: Told, *, account: str) -> Told:
    """The frame with the account, and whatever else looks like one, masked in all of its texts."""
    frame = told.frame.reset_index(drop=True)
    for one in told.columns:
        if one.kind is Kind.TEXT:
            hidden = frame[one.name].map(lambda text: mask_accounts(text, account=account), na_action="ignore")
            frame[one.name] = hidden.astype("str")
    return Told(columns=told.columns, frame=frame)
