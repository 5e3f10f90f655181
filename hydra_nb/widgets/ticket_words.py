"""What a ticket says in each of its phases: sign and words, one sentence, and the order as a sentence."""

from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.ports import DeskPort, ExecutionPort, PlanPort
from hydra_nb.domain.units import Side
from hydra_nb.widgets import numbers
from hydra_nb.widgets.arming import Arming, Phase, Terms, range_words, reach
from hydra_nb.widgets.parts import State, badge, clock, countdown, escape, masked, rows, side_words, state_words
from hydra_nb.widgets.plan_parts import order_sentence, refusal_reason
from hydra_nb.widgets.ticket_risk import all_pass, refusals

LAST_FOUR = "LIVE, real money: the account's last four characters"
CHANGED = State(words="◌ Quoting", sentence="The order changed while its plan was drawn. Preview again.")
NO_PLAN = "There is no plan to send: preview first."
NOT_ARMED = "Nothing was sent: arm the plan first."
INTERRUPTED = "Interrupted on the way: desk.executions() tells whether it was taken. Interrupt does not stop trading."
_FIXED = {
    Phase.EMPTY: State(words="○ Empty", sentence="Pick a contract, a side and lots."),
    Phase.QUOTING: State(
        words="◌ Quoting", sentence="Preview draws the schedule and asks the risk gate. Nothing is sent."
    ),
    Phase.DRAWING: State(words="◌ Drawing", sentence="The schedule is being drawn. Nothing is sent."),
    Phase.EXPIRED: State(
        words="○ Expired", sentence="This plan is 5 minutes old; prices have moved on. Preview again.", tone="warn"
    ),
    Phase.SENDING: State(words="◌ Sending", sentence="The plan is handed to the desk."),
}
_SENT = {
    ParentStatus.SCHEDULED: State(words="✓ Sent {sent}", sentence="is scheduled from {begins} on", tone="good"),
    ParentStatus.WORKING: State(words="✓ Sent {sent}", sentence="is at work", tone="good"),
    ParentStatus.PAUSED: State(
        words="❚❚ Sent {sent}, paused", sentence="is paused: nothing new is sent until you resume it", tone="warn"
    ),
    ParentStatus.INTERRUPTED: State(
        words="? Sent {sent}, interrupted",
        sentence="was interrupted: nothing new is sent until you resume it",
        tone="bad",
    ),
    ParentStatus.FILLED: State(words="✓ Sent {sent}", sentence="is over: filled", tone="good"),
    ParentStatus.PARTIAL: State(words="▲ Sent {sent}, short", sentence="is over: partial", tone="warn"),
    ParentStatus.CANCELLED: State(words="■ Sent {sent}, cancelled", sentence="is over: cancelled", tone="warn"),
    ParentStatus.NEEDS_HUMAN: State(
        words="? Sent {sent}, state unknown", sentence="is over, the state of its order is unknown", tone="bad"
    ),
}
"""What became of a parent that was sent, and what it does; a refused one was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWords:
    """What a ticket says of a plan, put together once: a ticket is drawn twice a second.

    Attributes
    ----------
    order
        The order as one sentence.
    passes, refusal
        That all checks pass, and what refuses first; one of them empty.
    refused_fields
        The fields of which a check would allow another value.
    terms
        What arming needs to know.
    """

    order: str
    passes: str
    refusal: str
    refused_fields: frozenset[str]
    terms: Terms


def plan_words(plan: PlanPort, *, quote: Quote | None) -> PlanWords:
    """Read a plan once."""
    uses = [one.use for one in refusals(plan, quote=quote)]
    return PlanWords(
        order=order_sentence(plan),
        passes=f"{all_pass(len(plan.risk))} The plan is frozen as shown; Arm allows sending." if plan.passes else "",
        refusal="" if plan.passes else refusal_reason(plan).rstrip("."),
        refused_fields=frozenset(use.field for use in uses if use is not None),
        terms=_terms(plan),
    )


def _terms(plan: PlanPort) -> Terms:
    """The plan as arming sees it: the collars and the age of a quote are those that the gate told with its checks."""
    parent, quotes = plan.parent, plan.quotes[["bid", "ask"]].dropna()
    contract = parent.contract
    limits = {row["check"]: numbers.number(row["limit"]) for row in rows(plan.risk)}
    mid = None
    if len(quotes):
        mid = (Decimal(repr(float(quotes["bid"].iloc[-1]))) + Decimal(repr(float(quotes["ask"].iloc[-1])))) / 2
    return Terms(
        plan_id=plan.plan_id,
        passes=plan.passes,
        valid_until_ns=int(plan.valid_until.value),
        side=parent.side,
        lots=parent.lots,
        limit=parent.limit,
        contract=contract,
        mid=mid,
        reach=reach(
            mid=mid, tick=contract.tick, ticks=limits.get("collar_ticks"), percent=limits.get("collar_percent")
        ),
        max_quote_age_s=limits.get("quote_age"),
    )


def ticket_state(arming: Arming, words: PlanWords | None) -> State:
    """The state of a ticket that has not sent its plan."""
    phase = arming.phase
    if phase in _FIXED:
        return _FIXED[phase]
    if phase is Phase.PLANNED and words is not None:
        return State(words="○ Planned", sentence=arming.why or words.passes)
    if phase is Phase.REFUSED and words is not None:
        return State(words="✕ Refused", sentence=f"Arm is off: {words.refusal}. Nothing has been sent.", tone="bad")
    if phase is Phase.ARMED and words is not None:
        return State(words="◆ Armed", sentence=_armed_sentence(words.terms), tone="warn")
    if phase is Phase.DISARMED:
        return State(words="○ Planned", sentence=arming.why, tone="warn")
    return State(words="✕ Not possible", sentence=arming.why, tone="bad")


def _armed_sentence(terms: Terms) -> str:
    """What would disarm it."""
    bounds = terms.mid_range
    if bounds is None:
        return "Any change, an old quote, or a lost link disarms."
    return f"Any change, or a mid outside {range_words(*bounds, decimals=terms.contract.decimals)}, disarms."


def sent_state(execution: ExecutionPort, *, sent_ns: int, again: bool) -> State:
    """The state of a ticket whose plan the desk took; `again` where the desk gave an earlier order back."""
    zone, name = execution.parent.contract.time_zone, execution.parent_id
    when = numbers.clock_time(sent_ns, time_zone=zone)
    if execution.status is ParentStatus.REFUSED:
        why = masked(execution.reason, parent=execution.parent).rstrip(".")
        sentence = f"Parent {name} was refused: {why}. Nothing was sent; make a new plan."
        return State(words=f"✕ Refused {when}", sentence=sentence, tone="bad")
    told = _SENT[execution.status]
    if again:
        sentence = f"Already sent at {when} as {name}; nothing was sent."
    else:
        doing = told.sentence.format(begins=numbers.clock_time(execution.begins_ns, time_zone=zone))
        sentence = f"Parent {name} {doing}. This plan cannot be sent a second time."
    return State(words=told.words.format(sent=when), sentence=sentence, tone=told.tone)


def header(desk: DeskPort, *, contract: FutureContract | None, typed: str, state: State, armed_s: float | None) -> str:
    """The line over the ticket: account, contract, state, time. `armed_s` are the seconds that arming lasts on."""
    zone = "UTC" if contract is None else contract.time_zone
    if contract is None:
        named = f'<span class="hy-name">{escape(typed)}</span>'
    else:
        tick = numbers.price(contract.tick, decimals=contract.decimals)
        facts = (
            f"{contract.local_symbol} · {contract.exchange} · {numbers.quote_unit(contract)}"
            f" · tick {tick} = {numbers.cash(contract.tick_value, currency=contract.currency)}"
        )
        name = f"{contract.name} {numbers.contract_month(contract.contract_month)}"
        named = (
            f'<span class="hy-name">{escape(name)}</span>'
            f'<span class="hy-muted hy-optional hy-clip">{escape(facts)}</span>'
        )
    shown = state_words(state)
    if armed_s is not None:
        left = countdown(armed_s, in_seconds=True)
        shown = f'<span class="hy-state hy-{state.tone}">{escape(state.words)}, {left} left</span>'
    return (
        f'<div class="hy-head">{badge(desk.badge)}{named}<span class="hy-right">{shown}'
        f'<span class="hy-muted">{clock(desk.now_ns(), time_zone=zone)}</span>'
        f'<span class="hy-muted">{escape(desk.masked_account)}</span></span></div>'
    )


def foot(state: State, *, side: Side | None, lots: int, contract: FutureContract | None, order: str) -> str:
    """The side block, the order as one sentence, and the state's sentence, as a region that is announced."""
    block = ""
    if side is not None:
        code = "" if contract is None else f" {contract.local_symbol}"
        block = f'<span class="hy-side">{escape(side_words(side, lots) + code)}</span>'
    lead, dot, rest = order.partition(". ")
    first = f"<b>{escape(lead)}{dot}</b>{escape(rest)}<br>" if order else f"<b>{escape(state.words)}</b><br>"
    tone = f"hy-{state.tone}" if state.tone in ("bad", "warn") else "hy-muted"
    return (
        f'<div class="hy-say" role="status" aria-live="polite">{block}<span>{first}'
        f'<span class="{tone}">{escape(state.sentence)}</span></span></div>'
    )
