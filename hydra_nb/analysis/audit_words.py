"""Every event in words, for who has to account for an order: what was decided, sent, heard, and why."""

import dataclasses
import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.journal import DecisionRow

UNSHOWN = frozenset({"who"})
"""Fields with names of people, which are in the journal and on no screen."""

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HASH_SHOWN = 12


def words_of(event: ev.Event, contract: FutureContract | None) -> str:
    """One event in a sentence or two.

    Parameters
    ----------
    event
        Any; one that has no words of its own is told field by field.
    contract
        Of the parent whose life is told, for the decimals of prices; None will do for an event without any.
    """
    tell = _WORDS.get(type(event))
    text = _by_field(event) if tell is None else tell(event, contract)
    return " ".join(text.split())


def decision_words(row: DecisionRow) -> str:
    """One check of the gate in a sentence: what it saw, what was allowed, and what it said."""
    figures = ""
    if (row.observed, row.limit) != (None, None):
        figures = f" observed {_figure(row.observed)}, limit {_figure(row.limit)} {row.unit}".rstrip()
        figures += "." if row.would_pass is None else f"; {_figure(row.would_pass)} would pass."
    verdict = "passed" if row.allowed else "refused"
    return f"Check {row.check} {verdict}:{figures} {row.message} [{row.source}]"


def utc_text(time_ns: int) -> str:
    """UTC time to the microsecond, cut: ``2026-03-03T15:00:00.123456Z``."""
    return f"{_moment(time_ns):%Y-%m-%dT%H:%M:%S.%f}Z"


def local_text(time_ns: int, zone: dt.tzinfo) -> str:
    """The same in a zone, with its distance from UTC: ``2026-03-03T09:00:00.123456-06:00``."""
    return _moment(time_ns).astimezone(zone).isoformat(timespec="microseconds")


def _moment(time_ns: int) -> dt.datetime:
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).replace(microsecond=rest_ns // 1000)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.10g}"


def _quote(quote: Quote | None, contract: FutureContract, *, now_ns: int) -> str:
    """A quote with the sizes of its sides and its age."""
    if quote is None:
        return "no quote"
    bid, ask = ("–" if side is None else contract.format_price(side) for side in (quote.bid, quote.ask))
    kind = "" if quote.feed == "live" else f", {quote.feed}"
    halted = ", halted" if quote.halted else ""
    return f"quote {bid} × {ask} ({quote.bid_size} × {quote.ask_size}), {quote.age_s(now_ns):.3f} s old{kind}{halted}"


def _seal(seal: ev.DecisionsSeal | None) -> str:
    return "" if seal is None else f"; rests on decisions {seal.first} to {seal.last}"


def _order(order_ref: str) -> str:
    """Slice and attempt of an orderRef of ours, ``hy:{journal}:{parent}:{slice}:{attempt}``; else the whole name."""
    parts = order_ref.split(":")
    own = len(parts) == 5 and parts[0] == "hy"
    return f"Slice {parts[3]}, order {parts[4]}" if own else f"Order {order_ref or 'without a name'}"


# What a person or the manager decided


def _submitted(event: ev.ParentSubmitted, contract: FutureContract) -> str:
    plan, parent = event.plan, event.plan.parent
    lots = ", ".join(str(planned.lots) for planned in plan.slices)
    slices = f"{len(plan.slices)} slice{'s' if len(plan.slices) > 1 else ''} of {lots} lots"
    limit = "no limit of the caller" if parent.limit is None else f"never past {contract.format_price(parent.limit)}"
    volume = (
        "volume unknown" if plan.adv_lots is None else f"{plan.participation:.2%} of {plan.adv_lots:,.0f} lots a day"
    )
    divided = "" if plan.trajectory is None else f" by almgren_chriss, risk aversion {plan.trajectory.risk_aversion:g}"
    start = "" if plan.start_ns is None else f" from {utc_text(plan.start_ns)}"
    tag = "" if parent.tag is None else f", tag {parent.tag!r}"
    rehearsed = None if plan.prediction is None else plan.prediction.rehearsed
    expected = "" if rehearsed is None else f"; cost expected by a {rehearsed.source}"
    return (
        f"Submitted: {parent.side} {parent.lots} {contract.local_symbol} ({contract.name}, {contract.exchange}, id "
        f"{contract.con_id}), {parent.strategy}, {slices}{divided} over "
        f"{plan.duration_ns / NS_PER_S:,.0f} s{start}, {limit}{tag}; {volume} ({plan.adv_source}); plan "
        f"{plan.plan_id} of {utc_text(plan.previewed_ns)}{expected}; "
        f"{_quote(event.quote, contract, now_ns=event.time_ns)}{_seal(event.decisions)}."
    )


def _woke(event: ev.Woke, contract: FutureContract) -> str:
    return f"Timer of the strategy; {_quote(event.quote, contract, now_ns=event.time_ns)}."


def _reserved(event: ev.ChildReserved, contract: FutureContract) -> str:
    child = event.child
    predicted = (
        "no prediction"
        if event.predicted_slippage is None
        else f"predicted slippage {event.predicted_slippage:.6g} a lot ({event.predictor_version})"
    )
    return (
        f"{_order(child.order_ref)}: {event.action} approved and reserved: {child.side} {child.lots} at "
        f"{contract.format_price(child.limit_price)}, {child.stage}, expires {utc_text(child.expires_ns)}, order id "
        f"{child.order_id} of client {event.client_id}; {_quote(event.quote, contract, now_ns=event.time_ns)}; "
        f"{predicted}; content {event.content_hash[:_HASH_SHOWN]}{_seal(event.decisions)}."
    )


def _refused(event: ev.ChildRefused, _contract: FutureContract) -> str:
    again = "it may pass later" if event.transient else "nothing cures it"
    return (
        f"{_order(event.order_ref)}: {event.action} refused by check {event.check}, {again}: "
        f"{event.message}{_seal(event.decisions)}."
    )


def _sent(event: ev.ChildSent, _contract: FutureContract) -> str:
    content = event.content_hash[:_HASH_SHOWN]
    return f"{_order(event.order_ref)}: {event.action} frame handed to the socket, content {content}."


def _slice_over(event: ev.SliceFinished, _contract: FutureContract) -> str:
    lots = f"{event.filled_lots} lots filled, {event.carried_lots} carried to later slices"
    return f"Slice {event.slice} over, {event.status}: {lots}: {event.reason}"


# What the broker reported


def _status(event: ev.OrderStatusReported, _contract: FutureContract) -> str:
    lots = f"{event.filled_lots} filled, {event.remaining_lots} remain"
    return f"{_order(event.order_ref)}: the broker says {event.status}, {lots}; permanent id {event.perm_id}."


def _open_order(event: ev.OpenOrderReported, contract: FutureContract) -> str:
    expires = "no expiry" if event.expires_ns is None else f"expires {utc_text(event.expires_ns)}"
    price = contract.format_price(event.limit_price)
    return (
        f"{_order(event.order_ref)}: the broker holds it as {event.status}, {event.lots} lots at {price}, {expires}; "
        f"permanent id {event.perm_id}."
    )


def _executed(event: ev.ExecutionReported, contract: FutureContract) -> str:
    what = f"{event.side} {event.lots} at {contract.format_price(event.price)}"
    if event.lots == 0:
        verb = "bust, its lots count as not filled"
    elif event.revision > 1:
        verb = f"correction, now {what}"
    else:
        verb = f"fill, {what}"
    return (
        f"{_order(event.order_ref)}: {verb}; execution {event.exec_id} of {utc_text(event.executed_ns)} (the broker's "
        f"time, whole seconds); {_quote(event.quote, contract, now_ns=event.time_ns)}."
    )


def _charged(event: ev.CommissionReported, _contract: FutureContract) -> str:
    pnl = "" if event.realised_pnl is None else f", realised P&L {event.realised_pnl:,.2f}"
    return f"Commission {event.commission:,.2f} {event.currency} for execution {event.exec_id}{pnl}."


def _probed(event: ev.DeathProbed, _contract: FutureContract) -> str:
    shown = "the broker shows it open" if event.still_open else "the broker shows it open no more"
    broker = "" if event.broker_ns is None else f", at {utc_text(event.broker_ns)} of its own clock"
    completed = "" if event.completed_lots is None else f", {event.completed_lots} in its list of completed orders"
    return f"{_order(event.order_ref)}: probed: {shown}, {event.executed_lots} lots executed{completed}{broker}."


def _account(event: ev.AccountReported, _contract: FutureContract) -> str:
    figures = {"equity": event.equity, "realised": event.realised_pnl, "unrealised": event.unrealised_pnl}
    told = ", ".join(f"{name} {'unknown' if v is None else format(v, ',.2f')}" for name, v in figures.items())
    return f"Account, in {event.currency or 'an unknown currency'}: {told}."


def _clock(event: ev.ClockMeasured, _contract: FutureContract) -> str:
    return (
        f"Clock measured: the broker's is between {event.low_s:+.3f} and {event.high_s:+.3f} s ahead of ours, which is "
        f"off by {event.skew_s:.3f} s at the least."
    )


_Tell = Callable[[Any, Any], str]
_WORDS: dict[type[ev.Event], _Tell] = {
    ev.ParentSubmitted: _submitted,
    ev.ParentRefused: lambda e, _: f"Refused as a whole by check {e.check}: {e.message}",
    ev.Woke: _woke,
    ev.ChildReserved: _reserved,
    ev.ChildRefused: _refused,
    ev.ChildSent: _sent,
    ev.SendFailed: lambda e, _: (
        f"{_order(e.order_ref)}: {e.action} was certainly not sent, reservation released: {e.reason}"
    ),
    ev.CancelRequested: lambda e, _: f"{_order(e.order_ref)}: cancel handed to the socket: {e.reason}",
    ev.AckTimedOut: lambda e, _: f"{_order(e.order_ref)}: no answer in time, its state is unknown and its lots count.",
    ev.LoopStalled: lambda e, _: f"The event loop was held up for {(e.time_ns - e.since_ns) / NS_PER_S:.3f} s.",
    ev.SliceDelayed: lambda e, _: f"{ev.delay_words(e.slice, late_ns=e.late_ns)}.",
    ev.SliceFinished: _slice_over,
    ev.ParentFinished: lambda e, _: f"Over, {e.status}: {e.reason}",
    ev.ParentBegan: lambda e, contract: f"Its start has come; {_quote(e.quote, contract, now_ns=e.time_ns)}.",
    ev.ParentPaused: lambda _e, _: "Paused by a person.",
    ev.ParentResumed: lambda _e, _: "Resumed by a person.",
    ev.ParentInterrupted: lambda e, _: f"Interrupted, standing since {utc_text(e.since_ns)}: {e.reason}",
    ev.ParentCancelAsked: lambda e, _: f"Cancel asked for: {e.reason}",
    ev.Killed: lambda e, _: f"Killed: {e.reason}",
    ev.GlobalCancelAsked: lambda _e, _: "The broker was asked to cancel all orders of the account.",
    ev.Rearmed: lambda e, _: f"Re-armed: {e.reason}",
    ev.ContractLocked: lambda e, _: f"{e.local_symbol} locked: {e.reason}",
    ev.ContractUnlocked: lambda e, _: f"{e.local_symbol} unlocked: {e.reason}",
    ev.PositionAdopted: lambda e, _: f"{e.others_lots} lots of {e.local_symbol} held to be others': {e.reason}",
    ev.CalibrationChanged: lambda e, _: (
        f"Slippage of {e.symbol} predicted by "
        f"{'the assumed constants' if e.calibration is None else e.calibration.version} from here on: {e.reason}"
    ),
    ev.BasketSubmitted: lambda e, _: (
        f"Basket {e.basket_id} handed over: "
        + ", ".join(f"row {one.row} {one.parent_id or 'nothing'}" for one in e.rows)
    ),
    ev.TaskFailed: lambda e, _: f"Unexpected error in {e.where}: {e.error}",
    ev.ConnectionChanged: lambda e, _: f"Connection {e.state}: {e.message}",
    ev.OrderStatusReported: _status,
    ev.OpenOrderReported: _open_order,
    ev.ExecutionReported: _executed,
    ev.CommissionReported: _charged,
    ev.BrokerErrorReported: lambda e, _: (
        f"{_order(e.order_ref) if e.order_ref else 'The broker'}: code {e.code}: {e.message}"
    ),
    ev.DeathProbed: _probed,
    ev.PositionReported: lambda e, _: (
        f"The broker's position of {e.local_symbol}: {e.lots} lots at {e.average_cost:,.2f}."
    ),
    ev.AccountReported: _account,
    ev.Reconciled: lambda e, _: f"Reconciled, {e.breaks} breaks hold up the desk: {e.message}",
    ev.ClockMeasured: _clock,
    ev.HeadExportFailed: lambda e, _: f"The day's head could not be exported: {e.reason}",
    ev.JournalContradicted: lambda e, _: f"The journal is not what was exported of it: {e.reason}",
}
"""Words by kind; a kind that is not here is told by `_by_field`."""


def _by_field(event: ev.Event) -> str:
    name = _WORD.sub(" ", type(event).__name__).capitalize()
    fields = [field.name for field in dataclasses.fields(event) if field.name not in {"time_ns", *UNSHOWN}]
    told = ", ".join(f"{field.replace('_', ' ')} {getattr(event, field)}" for field in fields)
    return f"{name}: {told}" if told else f"{name}."
