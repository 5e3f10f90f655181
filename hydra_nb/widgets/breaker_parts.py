"""The pane of circuit breakers in the desk's view: pure functions from its board to HTML."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from hydra_nb.domain.board import Breaker
from hydra_nb.domain.breakers import POSITION_BREAKERS, BreakerName, BreakerState
from hydra_nb.widgets import numbers
from hydra_nb.widgets.parts import State, escape, title

MOST_SHOWN = 4
"""Rows that stand in the pane, one fewer beside a note; those of tripped breakers come first, and the others fold."""

_NAMES: dict[str, str] = {
    BreakerName.DAILY_LOSS: "Daily loss",
    BreakerName.DRAWDOWN: "Drawdown from peak",
    BreakerName.POSITION_SHARE: "Largest position",
    BreakerName.LAST_TRADE_LOSS: "Loss of last trade",
    BreakerName.POSITION_LOTS: "Lots of a position",
    BreakerName.CONSECUTIVE_REFUSALS: "Refusals in a row",
    BreakerName.REJECT_RATE: "Rejected messages",
    BreakerName.SLIPPAGE_BREACH: "Slippage of fills",
}
_COUNTED = frozenset({"lots", "refusals", "ticks"})
_SHORT_UNITS = {"% of peak equity": "% of peak"}

Table = Callable[[Sequence[Sequence[str]]], str]


def tripped_state(breakers: Sequence[Breaker]) -> State | None:
    """What a tripped breaker keeps from being sent; None where none is tripped."""
    tripped = [one for one in breakers if one.state is BreakerState.TRIPPED]
    if not tripped:
        return None
    stopping = [one for one in tripped if one.check not in POSITION_BREAKERS]
    if stopping:
        sentence = f"{_NAMES[stopping[0].check]} has tripped a breaker: nothing new is sent until you re-arm it."
        return State(words="✕ Breaker tripped", sentence=sentence, tone="bad")
    symbols = ", ".join(dict.fromkeys(one.local_symbol for one in tripped))
    sentence = f"The position has tripped a breaker: only orders that reduce it are sent in {symbols}."
    return State(words="▲ Breaker tripped", sentence=sentence, tone="warn")


def breakers_pane(breakers: Sequence[Breaker], *, time_zone: str, table: Table) -> str:
    """The circuit breakers with their use, and of those that tripped since when and why.

    Parameters
    ----------
    table
        Makes a table of the rows' cells.
    """
    tripped = sum(one.state is BreakerState.TRIPPED for one in breakers)
    unknown = sum(_is_unknown(one) for one in breakers)
    words = [f"{len(breakers) - tripped - unknown} closed"]
    words += [f"{tripped} tripped"] if tripped else []
    words += [f"{unknown} not known"] if unknown else []
    notes = [_note(one, time_zone=time_zone) for one in sorted(breakers, key=_newest_note) if one.since_ns is not None]
    ordered, room = sorted(breakers, key=_rank), MOST_SHOWN - bool(notes)
    shown, folded = ordered[:room], ordered[room:]
    first = f'<p class="hy-d-note" title="{notes[0][1]}">{notes[0][0]}</p>' if notes else ""
    rest = "".join(f'<p class="hy-d-notes">{html}</p>' for html, _ in notes)
    fold = ""
    if folded:
        inner = table([_cells(one) for one in folded]) + rest
        fold = f"<details><summary>Show the other {len(folded)}{_beside(folded)}</summary>{inner}</details>"
    return title("Breakers", note=", ".join(words)) + table([_cells(one) for one in shown]) + first + fold


def _beside(folded: Sequence[Breaker]) -> str:
    """What is to be known of the breakers that are folded away."""
    if all(one.state is not BreakerState.TRIPPED and not _is_unknown(one) for one in folded):
        return ", all closed"
    return ""


def _is_unknown(one: Breaker) -> bool:
    return one.state is not BreakerState.TRIPPED and one.observed is None and not one.allowed


def _rank(one: Breaker) -> int:
    if one.state is BreakerState.TRIPPED:
        return 0
    return 1 if _is_unknown(one) else 2


def _newest_note(one: Breaker) -> tuple[bool, int]:
    """Trips before re-armings, each newest first."""
    return one.state is not BreakerState.TRIPPED, -(one.since_ns or 0)


def _note(one: Breaker, *, time_zone: str) -> tuple[str, str]:
    """Since when a breaker is tripped, or re-armed, and why: as HTML, and as plain text for hovering."""
    when = numbers.clock_time(one.since_ns, time_zone=time_zone)
    if one.state is BreakerState.TRIPPED:
        words = f'Since {when}. {one.reason}. Say await desk.rearm("why", breaker="{one.check}").'
        return f'<b class="hy-bad">✕ {_NAMES[one.check]}</b> {escape(words)}', escape(words)
    words = f"Re-armed {when}: “{one.reason}”."
    return f'<b class="hy-good">✓ {_NAMES[one.check]}</b> {escape(words)}', escape(words)


def _cells(one: Breaker) -> list[str]:
    if one.state is BreakerState.TRIPPED:
        sign = '<b class="hy-bad">✕</b>'
    else:
        sign = '<b class="hy-warn">?</b>' if _is_unknown(one) else '<b class="hy-good">✓</b>'
    used = 0.0
    if one.observed is not None:
        used = min(1.0, max(0.0, one.observed / one.limit)) if one.limit else 1.0
    observed = None if one.observed is None else max(0.0, one.observed)
    return [
        f"{sign} {_NAMES[one.check]}",
        escape(_figure(observed, unit=one.unit)),
        f'<span class="hy-muted">of {escape(_figure(one.limit, unit=one.unit, limit=True))}</span>',
        f'<span class="hy-use"><i style="width:{used * 100:.0f}%"></i></span>',
    ]


def _figure(value: float | None, *, unit: str, limit: bool = False) -> str:
    unit = _SHORT_UNITS.get(unit, unit)
    if unit in _COUNTED:
        return f"{numbers.plain(value)} {unit}" if limit else numbers.plain(value)
    if unit.startswith("%") and limit:
        return f"{numbers.plain(value)}{numbers.THIN_SPACE}% {unit[1:].removeprefix(' of ')}"
    if unit.startswith("%"):
        return numbers.percent(None if value is None else value / 100, decimals=1)
    return numbers.cash(None if value is None else Decimal(str(value)), currency=unit, whole=True)
