"""What happened to a parent order, in words: from the events of its story to the lines of the log."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hydra_nb.domain import events as ev
from hydra_nb.domain.breakers import trip_words
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ParentOrder, ParentStatus, SliceStatus, Stage
from hydra_nb.domain.units import Side
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import escape, masked, time_cell

_DELAYED = "A busy cell delayed"
LINES_SHOWN = 5
"""Newest lines that always show, if they are short; the others fold."""

_LETTERS_A_ROW = 41
_ROW_PX, _GAP_PX, _FOLD_PX = 16, 4, 26
_ROOM_PX = 128  # beside five rows of the table of slices

_NOTICES = {202, *range(2100, 2170)}
"""Codes of news, not of faults: an order was cancelled, as its slice tells too; a data farm is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened: when, its sign, its words and tone, and how often in a row.

    Lines in a row with equal keys are one: the last, which counts the others unless it tells the same more fully.
    """

    time_ns: int
    sign: str
    words: str
    tone: str = "plain"
    key: str = ""
    counts: bool = True
    times: int = 1
    first_ns: int = 0


def lines(story: Iterable[ev.Event], parent: ParentOrder, *, checks: int) -> list[Line]:
    """The story of a parent as lines, newest first; the same refusal again and again is one line.

    Parameters
    ----------
    story
        Events in order of time.
    parent
        Whose they are.
    checks
        How many checks of the gate the parent order passed; 0 where that is not known.
    """
    told: list[Line] = []
    stages: dict[str, Stage] = {}
    refusals: set[str] = set()  # of the parent: its slices end with the same words
    for event in story:
        if isinstance(event, ev.ParentRefused):
            refusals.add(event.message)
        elif isinstance(event, ev.SliceFinished | ev.ParentFinished) and event.reason in refusals:
            continue
        if isinstance(event, ev.ChildReserved):
            stages[event.child.order_ref] = event.child.stage
            continue
        line = _line(event, parent, checks=checks, stages=stages)
        if line is None:
            continue
        line = replace(line, words=masked(line.words, parent=parent))
        if line.key and told and told[-1].key == line.key:
            before = told.pop()
            if line.counts:
                line = replace(line, times=before.times + 1, first_ns=before.first_ns or before.time_ns)
        told.append(line)
    return told[::-1]


def log_pane(told: Sequence[Line], *, time_zone: str) -> str:
    """The newest lines, the older ones folded."""
    room = _room(told)
    shown, older = told[:room], told[room:]
    fold = ""
    if older:
        fold = f"<details><summary>Show the other {len(older)}</summary>{_list(older, time_zone=time_zone)}</details>"
    return (
        '<section class="hy-pane" aria-label="What happened"><div class="hy-title"><b>What happened</b></div>'
        f"{_list(shown, time_zone=time_zone)}{fold}</section>"
    )


def _room(told: Sequence[Line]) -> int:
    """How many of the newest lines fit where five rows of slices stand beside them; at least one."""
    heights = [math.ceil(len(line.words) / _LETTERS_A_ROW) * _ROW_PX + _GAP_PX for line in told[:LINES_SHOWN]]
    if len(told) <= LINES_SHOWN and sum(heights) <= _ROOM_PX:
        return len(told)
    fitting = [count for count in range(1, len(heights) + 1) if sum(heights[:count]) <= _ROOM_PX - _FOLD_PX]
    return max(fitting, default=1)


def _list(told: Sequence[Line], *, time_zone: str) -> str:
    items = []
    for line in told:
        words = escape(line.words)
        if line.times > 1:
            since = escape(numbers.clock_time(line.first_ns, time_zone=time_zone))
            words += f' <span class="hy-muted">{line.times} times since {since}.</span>'
        items.append(
            f'<li><span class="hy-log-time">{time_cell(line.time_ns, time_zone=time_zone)}</span>'
            f'<span class="hy-{line.tone}" aria-hidden="true">{escape(line.sign)}</span><span>{words}</span></li>'
        )
    return f'<ol class="hy-log">{"".join(items)}</ol>'


def _line(event: ev.Event, parent: ParentOrder, *, checks: int, stages: dict[str, Stage]) -> Line | None:
    """One event in words; None for what a person need not read."""
    contract = parent.contract
    match event:
        case ev.ParentSubmitted():
            return _accepted(event, contract, checks=checks)
        case ev.ExecutionReported():
            return _filled(event, contract, stage=stages.get(event.order_ref))
        case ev.ChildRefused():
            what = "a new order" if event.action is Action.PLACE else "the next stage"
            again = " Asked again until the slice ends." if event.transient else ""
            return Line(
                time_ns=event.time_ns,
                sign="!" if event.transient else "✕",
                words=f"Slice {event.slice}: {what} was refused: {_sentence(event.message)}{again}",
                tone="warn" if event.transient else "bad",
                key=f"refused {event.slice} {event.action} {event.check}",
            )
        case ev.SliceDelayed():
            words = f"{ev.delay_words(event.slice, late_ns=event.late_ns)}."
            return Line(time_ns=event.time_ns, sign="!", words=words, tone="warn", key=f"delayed {event.slice}")
        case ev.SliceFinished():
            return _slice_over(event)
        case ev.ParentFinished():
            return _over(event)
        case ev.LimitsChanged():
            return _limit(event) if event.symbol in (contract.symbol, "*") else None
        case _:
            return _fault(event) or _gesture(event)


def _accepted(event: ev.ParentSubmitted, contract: FutureContract, *, checks: int) -> Line:
    mid = None if event.quote is None else event.quote.mid
    passed = f", {numbers.plural(checks, 'check')} pass{'es' if checks == 1 else ''}" if checks else ""
    words = f"Accepted{passed}. Arrival mid {numbers.mid_price(mid, decimals=contract.decimals)}."
    return Line(time_ns=event.time_ns, sign="✓", words=words, tone="good")


def _filled(event: ev.ExecutionReported, contract: FutureContract, *, stage: Stage | None) -> Line:
    """A fill, a correction of one, or its bust; the slice is in the order's name, the stage in its last terms."""
    price = numbers.price(event.price, decimals=contract.decimals)
    slice_words = f", slice {number}" if (number := _slice_of(event.order_ref)) else ""
    if event.lots == 0:
        words = f"The exchange broke a fill{slice_words}: its lots count as not filled."
        return Line(time_ns=event.time_ns, sign="!", words=words, tone="warn")
    if event.revision > 1:
        words = f"Corrected: {event.lots} at {price}{slice_words}."
        return Line(time_ns=event.time_ns, sign="!", words=words, tone="warn")
    at_stage = "" if stage is None else f", {stage}"
    verb = "Bought" if event.side is Side.BUY else "Sold"
    return Line(time_ns=event.time_ns, sign="●", words=f"{verb} {event.lots} at {price}{at_stage}{slice_words}.")


def _slice_of(order_ref: str) -> str:
    """Number of the slice in an orderRef, ``hy:{journal}:{parent}:{slice}:{attempt}``; empty where it has none."""
    parts = order_ref.split(":")
    return parts[-2] if len(parts) >= 2 and parts[-2].isdigit() else ""


def _slice_over(event: ev.SliceFinished) -> Line | None:
    """The end of a slice that did not fill; a filled one shows by its fills, a cancelled one by what cancelled it."""
    if event.status in (SliceStatus.FILLED, SliceStatus.CANCELLED):
        return None
    if event.reason.startswith(_DELAYED):
        words, key = _sentence(event.reason), f"delayed {event.slice}"
        return Line(time_ns=event.time_ns, sign="!", words=words, tone="warn", key=key, counts=False)
    carried = f" {numbers.plural(event.carried_lots, 'lot')} added to later slices." if event.carried_lots else ""
    words = {
        SliceStatus.PARTIAL: f"Slice {event.slice} ended short, {event.filled_lots} filled",
        SliceStatus.MISSED: f"Slice {event.slice} was missed",
        SliceStatus.REFUSED: f"Slice {event.slice} sent nothing",
        SliceStatus.UNKNOWN: f"Slice {event.slice}: its order's state is unknown",
    }[event.status]
    tone = "bad" if event.status is SliceStatus.UNKNOWN else "warn"
    sign = "?" if event.status is SliceStatus.UNKNOWN else "▲"
    return Line(time_ns=event.time_ns, sign=sign, words=f"{words}: {_sentence(event.reason)}{carried}", tone=tone)


def _over(event: ev.ParentFinished) -> Line:
    sign, tone = {
        ParentStatus.FILLED: ("✓", "good"),
        ParentStatus.REFUSED: ("✕", "bad"),
        ParentStatus.NEEDS_HUMAN: ("?", "bad"),
    }.get(event.status, ("▲", "warn"))
    short = event.status is ParentStatus.PARTIAL
    words = "Short" if short else str(event.status).replace("_", " ").capitalize()
    return Line(time_ns=event.time_ns, sign=sign, words=f"{words}: {_sentence(event.reason)}", tone=tone)


def _limit(event: ev.LimitsChanged) -> Line:
    """Another limit, of this symbol or of all; who changed it is in the journal only, as outputs are saved."""
    old, new = ("none" if value is None else numbers.plain(value) for value in (event.old, event.new))
    whose = "" if event.symbol == "*" else f" of {event.symbol}"
    why = f": {_sentence(event.reason)}" if event.reason else "."
    return Line(time_ns=event.time_ns, sign="!", words=f"Limit {event.limit}{whose}, {old} → {new}{why}", tone="warn")


def _fault(event: ev.Event) -> Line | None:
    """Faults of the broker, of the link, of ourselves."""
    match event:
        case ev.ParentRefused():
            return Line(time_ns=event.time_ns, sign="✕", words=f"Refused: {_sentence(event.message)}", tone="bad")
        case ev.SendFailed():
            words = f"An order{_of_slice(event.order_ref)} could not be sent: {_sentence(event.reason)}"
            return Line(time_ns=event.time_ns, sign="✕", words=words, tone="bad")
        case ev.AckTimedOut():
            words = f"No answer about the order{_of_slice(event.order_ref)}: its state is unknown, its lots count."
            return Line(time_ns=event.time_ns, sign="?", words=words, tone="bad", key=f"unanswered {event.order_ref}")
        case ev.BrokerErrorReported() if event.code not in _NOTICES:
            words = f"The broker said {event.code}: {_sentence(event.message)}"
            return Line(time_ns=event.time_ns, sign="!", words=words, tone="warn", key=words)
        case ev.TaskFailed():
            # Only its kind: the text of an unforeseen error may name what no screen may show.
            words = f"An unexpected error ({event.error.partition(':')[0]}) halted the order. See the journal."
            return Line(time_ns=event.time_ns, sign="✕", words=words, tone="bad")
        case ev.ConnectionChanged(state=ConnectionState.UP):
            return Line(time_ns=event.time_ns, sign="✓", words="The link to the broker is up.", tone="good", key="up")
        case ev.ConnectionChanged():
            down = event.state is ConnectionState.DOWN
            words = "The link to the broker is down." if down else "The broker has lost its own link or its data."
            return Line(time_ns=event.time_ns, sign="✕", words=words, tone="bad", key=f"link {event.state}")
        case ev.ContractLocked():
            words = f"{event.local_symbol} is locked: {_sentence(event.reason)}"
            return Line(time_ns=event.time_ns, sign="✕", words=words, tone="bad", key=words)
        case ev.BreakerTripped():
            words = trip_words(event)
            words = _sentence(f"{words[:1].upper()}{words[1:]}")
            return Line(time_ns=event.time_ns, sign="✕", words=words, tone="bad")
    return None


def _gesture(event: ev.Event) -> Line | None:
    """What a person did."""
    match event:
        case ev.ParentBegan():
            return Line(time_ns=event.time_ns, sign="►", words="Its start has come.")
        case ev.ParentPaused():
            return Line(time_ns=event.time_ns, sign="❚❚", words="Paused by hand.", tone="warn")
        case ev.ParentResumed():
            return Line(time_ns=event.time_ns, sign="►", words="Resumed; what is left moved by the time it stood.")
        case ev.ParentInterrupted():
            return Line(time_ns=event.time_ns, sign="?", words=f"Interrupted: {_sentence(event.reason)}", tone="bad")
        case ev.ParentCancelAsked():
            return Line(time_ns=event.time_ns, sign="■", words=f"Cancel: {_sentence(event.reason)}", tone="warn")
        case ev.Killed():
            return Line(time_ns=event.time_ns, sign="■", words=f"Killed: {_sentence(event.reason)}", tone="bad")
        case ev.Rearmed():
            return Line(time_ns=event.time_ns, sign="✓", words=f"Re-armed: {_sentence(event.reason)}", tone="good")
    return None


def _of_slice(order_ref: str) -> str:
    number = _slice_of(order_ref)
    return f" of slice {number}" if number else ""


def _sentence(text: str) -> str:
    """Text with a full stop."""
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
