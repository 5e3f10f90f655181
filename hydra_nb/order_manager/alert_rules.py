"""Rules from what is seen now, or from an event, to alerts: each with its fact, its limit and its remedy in words.

They are pure and answer anew each time that they are asked; that a person hears of a thing once is the work of
`hydra_nb.order_manager.alert_book`. At its limit nothing is raised, the smallest step over it is.
"""

from dataclasses import dataclass

from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.breakers import BreakerName
from hydra_nb.domain.broker_codes import is_rejection
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.ledger import Ledger
from hydra_nb.risk.close_out import CloseOut

DISCONNECTED_S = 15.0
"""Market seconds without a link that need no person: the first attempt to connect again comes after ten."""
IDLE_DISCONNECTED_S = 300.0
"""The same while nothing is at work, so that nobody is woken by a gateway that restarts itself every night."""
UNRECONCILED_S = 30.0
"""Market seconds with a link, and without a comparison of ledger and broker, that need no person."""
CLOSE_OUT_SOON_DAYS = 3
"""Calendar days before first notice, or the last trade, from which a contract that is still held is critical."""
INSTANTS = (ev.ParentRefused, ev.ChildRefused, ev.BrokerErrorReported, ev.CycleEnded)
"""Events that `happened` makes an alert of."""

_TOLD_ELSEWHERE = frozenset({"kill_switch", "contract_locked", *BreakerName})  # their alerts stand already


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A contract at work: the latest time at which its quote was live and young, and how old it may grow."""

    local_symbol: str
    parent_ids: tuple[str, ...]
    fresh_ns: int
    allowed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A parent at work; `slice_lots` are those of its largest slice."""

    parent_id: str
    local_symbol: str
    side: Side
    lots: int
    due_lots: int
    filled_lots: int
    slice_lots: int


def stale_data(feed: Feed, *, now_ns: int) -> ev.AlertRaised | None:
    """A contract at work has had no live quote for longer than the gate allows."""
    old_ns = now_ns - feed.fresh_ns
    if old_ns <= round(feed.allowed_s * NS_PER_S):
        return None
    return _alert(
        AlertKind.STALE_DATA,
        now_ns=now_ns,
        subject=feed.local_symbol,
        local_symbol=feed.local_symbol,
        parent_id=feed.parent_ids[0] if len(feed.parent_ids) == 1 else None,
        sentence=(
            f"{feed.local_symbol} has had no live quote for {old_ns / NS_PER_S:.1f} s, {feed.allowed_s:g} s are"
            f" allowed: nothing new is sent for {', '.join(feed.parent_ids)}. Look at the gateway and its data"
            " subscription; it goes on by itself."
        ),
    )


def behind_schedule(progress: Progress, *, now_ns: int, is_raised: bool) -> ev.AlertRaised | None:
    """Lots of a whole slice, or more, have come due and are not filled; once told, until it has caught up."""
    behind = progress.due_lots - progress.filled_lots
    if behind < (1 if is_raised else progress.slice_lots):
        return None
    return _alert(
        AlertKind.BEHIND_SCHEDULE,
        now_ns=now_ns,
        subject=progress.parent_id,
        local_symbol=progress.local_symbol,
        parent_id=progress.parent_id,
        sentence=(
            f"{progress.parent_id} {progress.side} {progress.lots} {progress.local_symbol} is {_lots(behind)} behind:"
            f" {progress.due_lots} are due, {progress.filled_lots} filled; less than a slice of"
            f" {_lots(progress.slice_lots)} is allowed. Later slices take what they can, the rest is for you."
        ),
    )


def disconnected(since_ns: int, *, now_ns: int, is_at_work: bool, lots_at_risk: int) -> ev.AlertRaised | None:
    """The way to the broker's servers is down for longer than it takes to connect again."""
    allowed_s = DISCONNECTED_S if is_at_work or lots_at_risk else IDLE_DISCONNECTED_S
    if now_ns - since_ns <= round(allowed_s * NS_PER_S):
        return None
    rest = f"{_lots(lots_at_risk)} may still fill until they expire." if lots_at_risk else "Nothing of ours rests."
    return _alert(
        AlertKind.DISCONNECTED,
        now_ns=now_ns,
        severity=Severity.CRITICAL if is_at_work or lots_at_risk else Severity.WARNING,
        sentence=(
            f"No link to the broker for {(now_ns - since_ns) / NS_PER_S:.1f} s, {allowed_s:g} s are allowed: nothing"
            f" new is sent. {rest} Look at the gateway; the desk connects again by itself."
        ),
    )


def unreconciled(since_ns: int, *, now_ns: int) -> ev.AlertRaised | None:
    """The link is up, and ledger and broker are not compared, or differ in something that names no contract."""
    if now_ns - since_ns <= round(UNRECONCILED_S * NS_PER_S):
        return None
    return _alert(
        AlertKind.UNRECONCILED,
        now_ns=now_ns,
        severity=Severity.CRITICAL,
        sentence=(
            f"Ledger and broker have not been compared for {(now_ns - since_ns) / NS_PER_S:.1f} s,"
            f" {UNRECONCILED_S:g} s are allowed: nothing is sent. Look at desk.breaks, then desk.reconcile()."
        ),
    )


def locked(lock: ev.ContractLocked, *, now_ns: int) -> ev.AlertRaised:
    """A contract is locked: what ledger and broker disagree on is in the words of the lock."""
    reason = _without_dot(lock.reason).removeprefix(f"{lock.local_symbol}: ")
    return _alert(
        AlertKind.BREAK,
        now_ns=now_ns,
        severity=Severity.CRITICAL,
        subject=lock.local_symbol,
        local_symbol=lock.local_symbol,
        sentence=(
            f"{lock.local_symbol} is locked, nothing is sent in it: {reason}. Once you have looked:"
            f' desk.unlock("{lock.local_symbol}", reason=...).'
        ),
    )


def unknown_order(parent_id: str, *, local_symbol: str, working_lots: int, now_ns: int) -> ev.AlertRaised:
    """A parent has ended while an order of its own may still fill."""
    return _alert(
        AlertKind.UNKNOWN_ORDER,
        now_ns=now_ns,
        severity=Severity.CRITICAL,
        subject=parent_id,
        local_symbol=local_symbol,
        parent_id=parent_id,
        sentence=(
            f"{parent_id} has ended and the end of its order in {local_symbol} is not proven: {_lots(working_lots)} may"
            " still fill. Look it up in the broker's own program, then desk.reconcile()."
        ),
    )


def cash_differs(kind: str, *, local_symbol: str, message: str, now_ns: int) -> ev.AlertRaised:
    """Fees or results are not what the broker tells; nothing is locked for it."""
    return _alert(
        AlertKind.CASH,
        now_ns=now_ns,
        subject=f"{kind} {local_symbol}".strip(),
        local_symbol=local_symbol,
        sentence=f"{_capital(_without_dot(message))}. Trading goes on.",
    )


def close_out(local_symbol: str, *, lots: int, window: CloseOut, now_ns: int) -> ev.AlertRaised | None:
    """A contract is held so near to first notice, or to its last trade, that the gate lets nobody enter it any more."""
    if not window.is_inside or lots == 0:
        return None
    is_near = window.days <= CLOSE_OUT_SOON_DAYS
    return _alert(
        AlertKind.CLOSE_OUT,
        now_ns=now_ns,
        severity=Severity.CRITICAL if is_near else Severity.WARNING,
        subject=local_symbol,
        local_symbol=local_symbol,
        sentence=(
            f"{local_symbol} is held, {lots:+d}, {_days(window.days)} {window.event} on {window.ends}, more than"
            f" {window.limit} are wanted: only what reduces passes. Where it delivers physically the broker may"
            " liquidate it before that, unasked, and leaves your orders at work. Roll it or close it."
        ),
    )


def _days(days: int) -> str:
    if days < 0:
        return f"{-days} day after" if days == -1 else f"{-days} days after"
    return f"{days} day before" if days == 1 else f"{days} days before"


def journal_failed(*, now_ns: int) -> ev.AlertRaised:
    """The journal cannot be written; what exactly fails names files, and stands in `desk.status`."""
    return _alert(
        AlertKind.JOURNAL_FAILED,
        now_ns=now_ns,
        severity=Severity.CRITICAL,
        sentence=(
            "The journal cannot be written: nothing is sent but cancels until it can. Make room on its disk; the desk"
            " tries again by itself."
        ),
    )


def killed(reason: str, *, now_ns: int) -> ev.AlertRaised:
    """The kill switch is on."""
    return _alert(
        AlertKind.KILL,
        now_ns=now_ns,
        severity=Severity.CRITICAL,
        sentence=(
            f"Killed: “{_without_dot(reason)}”. Own orders are being cancelled, nothing new is sent."
            " Once all is clear: desk.rearm(reason)."
        ),
    )


def breaker_tripped(trip: ev.BreakerTripped, *, now_ns: int) -> ev.AlertRaised:
    """A circuit breaker has tripped, and waits for a person."""
    stopped = "No order that adds to it" if trip.con_id is not None else "No order"
    return _alert(
        AlertKind.BREAKER,
        now_ns=now_ns,
        severity=Severity.CRITICAL,
        subject=f"{trip.breaker} {trip.local_symbol}".strip(),
        local_symbol=trip.local_symbol,
        sentence=(
            f"Breaker {trip.breaker} has tripped: {_without_dot(trip.reason)}. {stopped} is sent. Once you have looked:"
            f' desk.rearm(reason, breaker="{trip.breaker}").'
        ),
    )


def delivery_failed(trouble: str, *, now_ns: int) -> ev.AlertRaised:
    """Alerts did not get where they were to be handed to."""
    return _alert(
        AlertKind.DELIVERY,
        now_ns=now_ns,
        sentence=f"An alert was not handed on: {_without_dot(trouble)}. Alerts still show here and in desk.alerts().",
    )


def happened(event: ev.Event, *, ledger: Ledger) -> ev.AlertRaised | None:
    """The alert of something that happens in an instant: a rejection, a refusal for good, a day that went wrong."""
    match event:
        case ev.CycleEnded():
            return None if event.status.is_well else _cycle(event)
        case ev.ParentRefused() | ev.ChildRefused() if event.check in _TOLD_ELSEWHERE:
            return None
        case ev.ParentRefused():
            words = f"{event.parent_id} was refused: {_without_dot(event.message)}. Nothing was sent."
            return _rejection(event.parent_id, ledger=ledger, now_ns=event.time_ns, sentence=words)
        case ev.ChildRefused(transient=False):
            words = f"{event.parent_id} stops, the gate refused an order of slice {event.slice}: {event.message}"
            return _rejection(
                event.parent_id, ledger=ledger, now_ns=event.time_ns, sentence=f"{_without_dot(words)}. It ends short."
            )
        case ev.BrokerErrorReported() if is_rejection(event.code):
            record = ledger.orders.get(event.order_ref or "")
            if record is None:
                return None
            words = f"The broker refused an order of {record.child.parent_id}, code {event.code}: {event.message}"
            return _rejection(
                record.child.parent_id,
                ledger=ledger,
                now_ns=event.time_ns,
                sentence=f"{_without_dot(words)}. What it leaves goes to later slices; look at the message first.",
            )
    return None


def cleared(alert: ev.AlertRaised, *, now_ns: int) -> ev.AlertCleared:
    """What is told once the matter of an alert is over."""
    return ev.AlertCleared(
        time_ns=now_ns,
        kind=alert.kind,
        subject=alert.subject,
        local_symbol=alert.local_symbol,
        parent_id=alert.parent_id,
        sentence=f"Over after {(now_ns - alert.time_ns) / NS_PER_S:.0f} s: {alert.sentence}",
    )


def _cycle(event: ev.CycleEnded) -> ev.AlertRaised:
    kind = "dry run" if event.dry_run else "cycle"
    sentence = f"The {kind} {event.cycle_id} of {event.name}, {event.day}, is {event.status}: {event.message}"
    return _alert(
        AlertKind.CYCLE,
        now_ns=event.time_ns,
        subject=event.cycle_id,
        sentence=f"{_without_dot(sentence)}. See desk.cycles().",
    )


def _rejection(parent_id: str, *, ledger: Ledger, now_ns: int, sentence: str) -> ev.AlertRaised:
    parent = ledger.parents.get(parent_id)
    return _alert(
        AlertKind.REJECTION,
        now_ns=now_ns,
        subject=parent_id,
        local_symbol="" if parent is None else parent.plan.parent.contract.local_symbol,
        parent_id=parent_id,
        sentence=sentence,
    )


def _alert(
    kind: AlertKind,
    *,
    now_ns: int,
    sentence: str,
    severity: Severity = Severity.WARNING,
    subject: str = "",
    local_symbol: str = "",
    parent_id: str | None = None,
) -> ev.AlertRaised:
    return ev.AlertRaised(
        time_ns=now_ns,
        kind=kind,
        subject=subject,
        severity=severity,
        local_symbol=local_symbol,
        parent_id=parent_id,
        sentence=sentence,
    )


def _lots(count: int) -> str:
    return f"{count} lot" if count == 1 else f"{count} lots"


def _without_dot(text: str) -> str:
    """Text of others in one line, to stand before a full stop."""
    return " ".join(text.split()).rstrip(".")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
