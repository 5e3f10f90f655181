"""Rules that are asked once faults have healed, and at the very end."""

from collections.abc import Callable

import pandas as pd

from hydra_nb.domain.alerts import AlertKind
from hydra_nb.domain.events import AlertCleared, AlertRaised
from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.domain.orders import OrderState, ParentStatus
from hydra_nb.errors import JournalError
from hydra_nb.ledger import Ledger
from tests.simulation.facts import NS_PER_S, Facts, Life
from tests.simulation.rules_audit import journal_is_proven
from tests.simulation.rules_recovery import recovery_gives_the_state

RESOLVE_S = 120
EXPLAIN_S = 60
PROOF_S = 60
TWO_HEARTBEATS_S = 20.0
_OURS = (OrderState.RESERVED, OrderState.SENT)
_UNCLEAR = (*_OURS, OrderState.CANCEL_PENDING, OrderState.UNKNOWN)

EndRule = Callable[[Facts, Life], str | None]


def orders_resolved(facts: Facts, life: Life) -> str | None:
    """L. Every order is terminal or `needs_human` within 120 virtual seconds of the healing, or works as planned.

    What we asked for is answered in that time. Of an order of whose end no word was heard (the broker alone said
    something unclear, or nothing answered the cancel of a pause) only the expiry proves the death: it is waited for, by
    both clocks, and a minute more. What nothing explains is with a person: the parent, or a contract that is locked.
    """
    now_ns = min(facts.now_ns, facts.desk_now_ns)
    for record in life.ledger.open_orders():
        parent = life.ledger.parents.get(record.child.parent_id)
        needs_human = parent is not None and parent.status is ParentStatus.NEEDS_HUMAN
        if needs_human or record.child.contract.con_id in life.ledger.locked:
            continue
        asked_ns = max(record.reserved_ns, record.sent_ns or 0, record.cancel_requested_ns or 0)
        said_by_us = record.state in _OURS or record.cancel_requested_ns is not None
        said_by_us = said_by_us and record.order_ref not in facts.held
        if said_by_us and record.state in _UNCLEAR and facts.desk_now_ns - asked_ns > RESOLVE_S * NS_PER_S:
            return f"{record.order_ref} is {record.state} {RESOLVE_S} s after all has healed"
        if now_ns > record.expires_ns + PROOF_S * NS_PER_S:
            return f"{record.order_ref} is {record.state} {PROOF_S} s after its expiry"
    return None


def silence_noticed(facts: Facts, life: Life) -> str | None:
    """L. A half-open connection is noticed within two heartbeats.

    One heartbeat until the time is asked for, and half of one until the answer is missed; a loop that stands still asks
    nothing, so that its stalls do not count.
    """
    silent_s = facts.now_s - facts.last_heard_s
    if facts.line_up and life.broker.state is ConnectionState.UP and silent_s > TWO_HEARTBEATS_S:
        return f"not a byte was heard for {silent_s:.1f} s, and the connection counts as up"
    return None


def loss_noticed(facts: Facts, life: Life) -> str | None:
    """L. One-way loss is noticed within two heartbeats, like a half-open connection: whoever hears nothing.

    Where the gateway reads nothing its ticks still come, and only an answer that is missed tells. Stalls do not count.
    """
    if facts.lost_since_s is None or life.broker.state is not ConnectionState.UP:
        return None
    lost_s = facts.now_s - facts.lost_since_s
    return (
        f"one side has heard nothing for {lost_s:.1f} s, and the connection counts as up"
        if (lost_s > TWO_HEARTBEATS_S)
        else None
    )


def quotes_come_again(facts: Facts, life: Life) -> str | None:
    """L. After 1101 quotes come again within 60 virtual seconds of the healing, of each watched contract that is open.

    Each must have been asked for since the subscriptions were lost, and a tick must have come of it.
    """
    if life.broker.state is not ConnectionState.UP:
        return f"the connection is {life.broker.state} after all has healed"
    for con_id in sorted(facts.feeds.watched):
        if facts.exchange.is_open(con_id, facts.now_ns) and not facts.feeds.has_come_again(con_id):
            return f"contract {con_id} is watched, and its quotes have not come again"
    return None


def positions_explained(facts: Facts, life: Life) -> str | None:
    """L. Positions are explained within 60 virtual seconds of the healing: our part of them is what we booked."""
    ours: dict[int, int] = {}
    for order in facts.truth.orders.values():
        for view in list(order.views.values())[:1]:
            sign = 1 if view.terms.side == "BUY" else -1
            ours[view.terms.con_id] = ours.get(view.terms.con_id, 0) + sign * order.filled_lots
    for con_id, lots in ours.items():
        if life.ledger.booked_position(con_id) != lots:
            return f"contract {con_id}: {lots} lots are ours in truth, {life.ledger.booked_position(con_id)} booked"
    return None


def quotes_live(facts: Facts, life: Life) -> str | None:
    """L. Quotes that are fed again are taken for live again."""
    for con_id in {record.child.contract.con_id for record in life.ledger.orders.values()}:
        top, quote = facts.exchange.top(con_id), life.broker.quote(con_id)
        if top is None or top.bid is None or top.ask is None or not facts.exchange.is_open(con_id, facts.now_ns):
            continue
        if life.broker.state is ConnectionState.UP and quote is not None and quote.feed is not FeedType.LIVE:
            return f"contract {con_id}: the exchange shows {top.bid} to {top.ask}, the desk a {quote.feed} quote"
    return None


def booked_is_true(facts: Facts, life: Life) -> str | None:
    """16. Recovery and reconciliation give the state of a run that was not disturbed: every true fill is booked."""
    for ref, true in facts.truth.orders.items():
        record = life.ledger.orders.get(ref)
        if record is None:
            return f"{ref} was at the exchange, and the ledger has forgotten it"
        if record.booked_lots != true.filled_lots:
            return f"{ref}: {record.booked_lots} lots booked, {true.filled_lots} filled in truth"
        if true.is_live and record.state.is_over:
            return f"{ref} is {record.state} with us and lives at the exchange"
    return None


def journal_tells_all(_facts: Facts, life: Life) -> str | None:
    """17. Replaying the journal gives the ledger in memory; the journal's hash chain verifies."""
    try:
        life.journal.verify()
    except JournalError as error:
        return str(error)
    told = Ledger()
    for _, event in life.journal.events():
        told.apply(event)
    for name in ("orders", "parents", "positions", "killed", "reconciled", "connection", "equity", "peak_equity"):
        if getattr(told, name) != getattr(life.ledger, name):
            return f"the ledger's {name} are not those of its journal"
    return None


def alerts_told_once(_facts: Facts, life: Life) -> str | None:
    """22. An alert is told once until it is over, over all lives; a lock and a kill stand as alerts while they last."""
    standing: set[tuple[str, str]] = set()
    for _, event in life.journal.events(kinds=[AlertRaised, AlertCleared]):
        key = (event.kind, event.subject)
        if isinstance(event, AlertRaised) is (key in standing):
            return f"{type(event).__name__} of {key} comes twice"
        standing ^= {key}
    wanted = {(AlertKind.BREAK, locked.local_symbol) for locked in life.ledger.locked.values()}
    wanted |= set() if life.ledger.killed is None else {(AlertKind.KILL, "")}
    held = {key for key in standing if key[0] in (AlertKind.BREAK, AlertKind.KILL)}
    return None if wanted == held else f"{sorted(held)} stand as alerts, {sorted(wanted)} are the case"


def fees_known(_facts: Facts, life: Life) -> str | None:
    """22. Every report of fees that arrived is known by its execution, whatever came first."""
    lost = sorted(life.fees_told - set(life.ledger.commissions))
    return f"the fees of {', '.join(lost)} were told, and are not in the ledger" if lost else None


def parents_end(facts: Facts, life: Life) -> str | None:
    """L. A TWAP ends or reports its shortfall."""
    for parent_id, parent in life.ledger.parents.items():
        if parent.status.is_over or parent.status in (ParentStatus.PAUSED, ParentStatus.INTERRUPTED):
            continue
        ends_ns = parent.begins_ns + parent.plan.duration_ns + facts.shift_of(parent_id)
        if facts.desk_now_ns > ends_ns + (RESOLVE_S + 30) * NS_PER_S:
            return f"{parent_id} is {parent.status} after its schedule has ended"
    return None


LISTENING_RULES: tuple[EndRule, ...] = (silence_noticed, loss_noticed)
"""Asked all the time."""

EXPLAINED_RULES: tuple[EndRule, ...] = (positions_explained, quotes_come_again)
"""Asked 60 virtual seconds after the healing."""

SETTLED_RULES: tuple[EndRule, ...] = (
    quotes_live,
    booked_is_true,
    journal_tells_all,
    journal_is_proven,
    fees_known,
    alerts_told_once,
    parents_end,
    recovery_gives_the_state,
)
"""Asked when all parents are over."""


def frames_tell_all(desk: object, life: Life) -> str | None:
    """22. Refusals, shortfalls and faults are all visible in the frames that a person gets."""
    executions: pd.DataFrame = desk.executions()  # type: ignore[attr-defined]
    fills: pd.DataFrame = desk.fills()  # type: ignore[attr-defined]
    slices: pd.DataFrame = desk.slices()  # type: ignore[attr-defined]
    told = {row.parent_id: row for row in executions.itertuples()}
    if set(told) != set(life.ledger.parents):
        return f"executions tell of {sorted(told)}, the ledger of {sorted(life.ledger.parents)}"
    for parent_id, parent in life.ledger.parents.items():
        row, booked = told[parent_id], sum(life.ledger.orders[ref].booked_lots for ref in parent.order_refs)
        if int(row.filled_lots) != booked:
            return f"{parent_id}: {row.filled_lots} lots in the frame of executions, {booked} booked"
        if parent.status.is_over and int(row.shortfall_lots) != max(0, parent.plan.parent.lots - booked):
            lots = parent.plan.parent.lots
            return f"{parent_id}: a shortfall of {row.shortfall_lots} lots told, {booked} of {lots} booked"
        if row.status != parent.status:
            return f"{parent_id} is told to be {row.status}, and is {parent.status}"
        if int(fills.loc[fills["parent_id"] == parent_id, "lots"].sum()) != booked:
            return f"{parent_id}: the fills told do not sum to the {booked} lots booked"
        if parent.status.is_over and parent.status is not ParentStatus.FILLED and not parent.reason:
            return f"{parent_id} is {parent.status}, and no reason is told"
        mine = slices[slices["parent_id"] == parent_id]
        if int(mine["filled_lots"].sum()) != booked or len(mine) != len(parent.plan.slices):
            return f"{parent_id}: its slices tell of {int(mine['filled_lots'].sum())} lots, {booked} are booked"
    return None
