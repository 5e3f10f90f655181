"""The state of an execution as its view says it: sign, words, one sentence, and what a person can do now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import OrderState, ParentStatus, SliceStatus
from hydra_nb.domain.ports import ExecutionPort
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import age, clock, escape, ladder_s, masked

PAUSE, RESUME, CANCEL, FILLS, AGAIN, RECONCILE = "pause", "resume", "cancel", "fills", "again", "reconcile"
"""What a view offers: the last three stand alone, in states that have nothing more to pause or to cancel."""

TELLS_LINK = frozenset({ParentStatus.SCHEDULED, ParentStatus.WORKING, ParentStatus.PAUSED})
"""Statuses whose state tells a lost link, and what it means for the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands around an execution: times in UTC nanoseconds, `quote_ns` None before the first quote.

    `slices` are the rows of its frame, read once for all that is drawn of them.
    """

    now_ns: int
    quote_ns: int | None
    slices: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownState:
    """What header and foot say: `words` and `sentence` are HTML, in which ages go on counting."""

    words: str
    sentence: str
    tone: str
    actions: tuple[str, ...]
    role: str = "status"


def shown_state(execution: ExecutionPort, around: Surroundings) -> ShownState:
    """The state to show: what a person must know first comes first."""
    status = execution.status
    if status.is_over:
        return _over(execution)
    if status is ParentStatus.INTERRUPTED:
        sentence = f"{_dot(_reason(execution))} {_at_risk(execution)} Nothing new is sent until you resume."
        return _made("? Interrupted", sentence, tone="bad", actions=(RESUME, CANCEL))
    if execution.unlinked_since_ns is not None:
        return _unlinked(execution, around, since_ns=execution.unlinked_since_ns)
    if status is ParentStatus.PAUSED:
        return _paused(execution, around)
    if around.quote_ns is not None and around.now_ns - around.quote_ns > execution.quote_age_allowed_s * NS_PER_S:
        return _stale(execution, around, quote_ns=around.quote_ns)
    return _at_work(execution, around)


def _made(words: str, sentence: str, *, tone: str, actions: tuple[str, ...]) -> ShownState:
    """A state of plain text."""
    plain = escape(" ".join(sentence.split()))
    return ShownState(words=escape(words), sentence=plain, tone=tone, actions=actions)


def _at_work(execution: ExecutionPort, around: Surroundings) -> ShownState:
    """Scheduled or working: when the order in the market expires, or when the next comes."""
    resting = execution.resting
    if any(order.state is OrderState.UNKNOWN for order in resting):
        sentence = f"An order did not answer, and is asked about. {_at_risk(execution)}"
        return _made("? Waiting for an answer", sentence, tone="warn", actions=(PAUSE, CANCEL))
    if resting:
        until = _clock(execution, max(order.expires_ns for order in resting))
        one = len(resting) == 1
        words = "The order in the market expires" if one else f"The {len(resting)} orders in the market expire"
        return _made("► Working", f"{words} at the broker at {until}.", tone="plain", actions=(PAUSE, CANCEL))
    waiting = [row for row in around.slices if row["status"] == SliceStatus.PLANNED]
    if waiting:
        at = numbers.clock_time(waiting[0]["start"], time_zone=execution.parent.contract.time_zone)
        sentence = f"Nothing is in the market; slice {numbers.lots(waiting[0]['slice'])} starts at {at}."
    else:
        sentence = "Nothing is in the market now."
    scheduled = execution.status is ParentStatus.SCHEDULED
    return _made("○ Scheduled" if scheduled else "► Working", sentence, tone="plain", actions=(PAUSE, CANCEL))


def _paused(execution: ExecutionPort, around: Surroundings) -> ShownState:
    """What is left, and where the end moves to while it stands."""
    since_ns = execution.standing_since_ns or around.now_ns
    left = max(0, execution.parent.lots - execution.filled_lots - execution.working_lots)
    market = (
        f"{numbers.plural(execution.working_lots, 'lot')} still being pulled from the market"
        if execution.working_lots
        else "No lot is in the market"
    )
    verb = "is" if left == 1 else "are"
    before = f"By you. {market}, {numbers.lots(left)} {verb} left. "
    if around.now_ns < execution.begins_ns:
        zone_name = numbers.zone_name(execution.begins_ns, time_zone=_zone(execution))
        begins = f"{_clock(execution, execution.begins_ns)} {zone_name}"  # it stands still, unlike an end that moves
        return _made_paused(execution, since_ns, sentence=escape(f"{before}Resuming before {begins} moves nothing."))
    before += "Resuming moves the end by the pause"
    end_ns = planned_end_ns(around.slices)
    moving = "."
    if end_ns is not None:
        # A pause before the start of an order that begins later moves nothing.
        moved_ns = max(0, around.now_ns - max(since_ns, execution.begins_ns))
        end = clock(end_ns + moved_ns, time_zone=_zone(execution))
        moving = f", to {end} now."
    return _made_paused(execution, since_ns, sentence=escape(before) + moving)


def _made_paused(execution: ExecutionPort, since_ns: int, *, sentence: str) -> ShownState:
    words = escape(f"❚❚ Paused {_clock(execution, since_ns)}")
    return ShownState(words=words, sentence=sentence, tone="warn", actions=(RESUME, CANCEL))


def _stale(execution: ExecutionPort, around: Surroundings, *, quote_ns: int) -> ShownState:
    """The quote is too old to send on."""
    old = age((around.now_ns - quote_ns) / NS_PER_S)
    sentence = f"{numbers.plain(execution.quote_age_allowed_s)} s allowed. Nothing new is sent; {_stays(execution)}."
    return ShownState(
        words=f"! Quote {old} old",
        sentence=escape(sentence),
        tone="warn",
        actions=(PAUSE, CANCEL),
    )


def _stays(execution: ExecutionPort) -> str:
    """The lots that rest at the broker meanwhile."""
    resting = execution.resting
    lots = sum(order.lots for order in resting)
    if not lots:
        return "no lot is in the market"
    until = _clock(execution, max(order.expires_ns for order in resting))
    return f"{numbers.plural(lots, 'lot')} {'stays' if lots == 1 else 'stay'} in the market until {until}"


def _unlinked(execution: ExecutionPort, around: Surroundings, *, since_ns: int) -> ShownState:
    """No way to the broker, or from there on to its servers: what may still happen there."""
    gone = age((around.now_ns - since_ns) / NS_PER_S)
    paused = "Paused. " if execution.status is ParentStatus.PAUSED else ""
    is_down = execution.connection is ConnectionState.DOWN
    words = "✕ No link to broker" if is_down else "✕ The broker lost its link"
    way = "is sent first when the link returns" if is_down else "goes out at once, and counts once it is answered"
    rest = f" {paused}Nothing new is sent. {_at_risk(execution)} A cancel {way}."
    gestures = (RESUME, CANCEL) if execution.status is ParentStatus.PAUSED else (PAUSE, CANCEL)
    return ShownState(
        words=words,
        sentence=f"For {gone}.{escape(rest)}",
        tone="bad",
        actions=gestures,
        role="alert",
    )


def _at_risk(execution: ExecutionPort) -> str:
    """The lots that may still fill, and until when."""
    resting = execution.resting
    lots = sum(order.lots for order in resting)
    if not lots:
        return "No lot of it is in the market."
    verb = "it" if lots == 1 else "them"
    until = _clock(execution, max(order.expires_ns for order in resting))
    return f"{numbers.plural(lots, 'lot')} may still fill; the broker expires {verb} at {until}."


def _over(execution: ExecutionPort) -> ShownState:
    """How it ended, and what can follow."""
    status, lots = execution.status, execution.parent.lots
    done, of = numbers.lots(execution.filled_lots), numbers.lots(lots)
    at = "" if execution.finished_ns is None else f"{_clock(execution, execution.finished_ns)}."
    short = numbers.lots(execution.shortfall_lots)
    if status is ParentStatus.FILLED:
        return _made(f"✓ Filled {done} of {of}", f"{at} {cost_words(execution)}", tone="good", actions=(FILLS,))
    if status is ParentStatus.NEEDS_HUMAN:
        sentence = (
            f"{_dot(_reason(execution))} {numbers.plural(execution.working_lots, 'lot')} "
            f"count{'s' if execution.working_lots == 1 else ''} as working. Check the broker's screen."
        )
        return _made("? State unknown", sentence, tone="bad", actions=(RECONCILE,))
    if status is ParentStatus.REFUSED:
        sentence = f"{_dot(_reason(execution))} Nothing was sent."
        return _made("✕ Refused", sentence, tone="bad", actions=(AGAIN,))
    proof = "Nothing is working: every order is proven dead." if execution.messages_used else "Nothing was ever sent."
    filled = f" {cost_words(execution)}" if execution.filled_lots else ""
    if status is ParentStatus.CANCELLED:
        words = f"■ Cancelled, {done} of {of}"
        return _made(words, f"{at} {_why(execution)}{proof}{filled}", tone="warn", actions=(AGAIN,))
    return _made(
        f"▲ Short {short} of {of}",
        f"{_window(execution)}{_why(execution)}{proof}{filled}",
        tone="warn",
        actions=(AGAIN,),
    )


def _window(execution: ExecutionPort) -> str:
    """When the schedule of a parent that fell short had ended."""
    end_ns = execution.finished_ns
    return "" if end_ns is None else f"The window ended {_clock(execution, end_ns)}. "


def _why(execution: ExecutionPort) -> str:
    """The reason behind the count of lots, which stands elsewhere already."""
    reason = _reason(execution)
    _, _, why = reason.partition("lots filled")
    why = why.lstrip("; ") if why or "lots filled" in reason else reason
    return f"{_dot(why[:1].upper() + why[1:])} " if why else ""


def cost_words(execution: ExecutionPort) -> str:
    """Average price, ticks a lot against arrival, cash and fees, as a sentence."""
    contract = execution.parent.contract
    ticks = numbers.number(execution.slippage_ticks)
    average = numbers.average_price(execution.average_price, decimals=contract.decimals)
    if ticks is None:
        return f"Average {average}; the mid at arrival is not known."
    against = "over" if (ticks >= 0) == (execution.parent.side.sign > 0) else "under"
    cash = numbers.cash(abs(execution.slippage_cash), currency=contract.currency)
    told = "better than arrival" if ticks < 0 else f"{against} arrival"
    fees = fees_words(execution)
    return f"Average {average}, {numbers.ticks(abs(ticks))} ticks a lot {told}: {cash}, and fees of {fees}."


def fees_words(execution: ExecutionPort) -> str:
    """The fees that were reported, and how many fills still wait for theirs."""
    fees = [numbers.number(fee) for fee in execution.fills["commission"]]
    known = [fee for fee in fees if fee is not None]
    cash = numbers.cash(sum(known) if known else None, currency=execution.parent.contract.currency)
    return cash if len(known) == len(fees) else f"{cash}, {len(fees) - len(known)} to come"


def planned_end_ns(slices: Sequence[dict[str, Any]]) -> int | None:
    """When the last ladder ends by the schedule as it stands, UTC nanoseconds; None without a schedule."""
    ends = [
        start.value + round(ladder_s(row) * NS_PER_S)
        for row in slices
        if (start := numbers.moment(row["start"])) is not None
    ]
    return max(ends, default=None)


def _reason(execution: ExecutionPort) -> str:
    return masked(execution.reason, parent=execution.parent)


def _zone(execution: ExecutionPort) -> str:
    return execution.parent.contract.time_zone


def _clock(execution: ExecutionPort, time_ns: int) -> str:
    return numbers.clock_time(time_ns, time_zone=_zone(execution))


def _dot(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
