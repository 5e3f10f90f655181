"""Rules that every frame is held against in the instant in which it is written to the socket."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.domain.market import ConnectionState, FeedType
from hydra_nb.ledger.records import ParentRecord
from tests.simulation.facts import NS_PER_S, Facts, Intent, Life
from tests.simulation.truth import CANCEL, PlaceFrame

MOST_FRAMES_A_SECOND = 45
GRACE_NS = 10 * NS_PER_S
START_TOLERANCE_NS = 20_000_000
FEED_MARGIN_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPlace:
    """A place or modify on its way out, with the durable intent that it uses up."""

    frame: PlaceFrame
    intent: Intent | None
    life: Life

    @property
    def parent(self) -> ParentRecord | None:
        """The parent by the ledger."""
        return self.life.ledger.parents.get(self.frame.parent_id)

    @property
    def is_new(self) -> bool:
        """Whether the intent is one to place."""
        return self.intent is not None and self.intent.action == "place"


PlaceRule = Callable[[Facts, SentPlace], str | None]


def durable_before_sent(_facts: Facts, sent: SentPlace) -> str | None:
    """1. No place or modify frame leaves without an earlier durable journal row of the same content hash."""
    if sent.intent is None:
        return f"{sent.frame.order_ref} left, and the disk has no unused row of its content"
    return None


def new_once(facts: Facts, sent: SentPlace) -> str | None:
    """2. An orderRef is sent as new at most once, across all crashes and restarts."""
    if sent.is_new and sent.frame.order_ref in facts.placed:
        return f"{sent.frame.order_ref} was sent as new a second time"
    return None


def one_name_for_ever(facts: Facts, sent: SentPlace) -> str | None:
    """3. (clientId, orderId) names one orderRef for ever, also when nextValidId rolls back."""
    frame = sent.frame
    name = facts.names.get((frame.client_id, frame.order_id), frame.order_ref)
    if name != frame.order_ref:
        return f"order id {frame.order_id} of client {frame.client_id} named {name}, now {frame.order_ref}"
    first = facts.placed.get(frame.order_ref)
    if first is not None and first.order_id != frame.order_id:
        return f"{frame.order_ref} went out with order ids {first.order_id} and {frame.order_id}"
    return None


def true_exposure(facts: Facts, sent: SentPlace) -> str | None:
    """5. Filled plus worst-case working lots never exceed the parent's lots: by the exchange's own account."""
    parent, frame = sent.parent, sent.frame
    if parent is None:
        return f"{frame.order_ref} belongs to no parent that the ledger knows"
    filled = facts.truth.filled_of(frame.parent_id)
    working = sum(facts.may_fill(ref) for ref in facts.refs_of(frame.parent_id) if ref != frame.order_ref)
    if frame.order_ref in facts.placed:
        working += max(facts.may_fill(frame.order_ref), 0)
    else:
        working += frame.lots or 0
    lots, excess = parent.plan.parent.lots, facts.truth.excess_of(frame.parent_id)
    if filled + working > lots + excess:
        return f"{frame.order_ref}: {filled} lots filled and {working} that may fill, of {lots} ordered"
    return None


def position_limit(facts: Facts, sent: SentPlace) -> str | None:
    """5. Filled plus worst-case working lots never exceed any limit: the position's, by the exchange's account."""
    if not sent.is_new or sent.parent is None:
        return None
    con_id, sign = sent.frame.con_id, 1 if sent.frame.side == "BUY" else -1
    position = facts.positions().get(con_id, 0)
    working = sum(
        facts.may_fill(ref)
        for ref, placed in facts.placed.items()
        if placed.con_id == con_id and placed.side == sent.frame.side and ref != sent.frame.order_ref
    )
    worst = abs(position + sign * (working + (sent.frame.lots or 0)))
    limit = sent.life.limits.max_position_lots
    if worst > limit and worst > abs(position):
        return f"{sent.frame.order_ref} makes {worst} lots of position possible, {limit} are allowed"
    return None


def predecessor_dead(facts: Facts, sent: SentPlace) -> str | None:
    """10. No replacement is sent before its predecessor is proven dead: nor before it is dead in truth."""
    if not sent.is_new:
        return None
    for ref in facts.refs_of(sent.frame.parent_id):
        other = facts.placed[ref]
        if other.slice_number != sent.frame.slice_number or ref == sent.frame.order_ref:
            continue
        record = sent.life.ledger.orders.get(ref)
        if record is None or not record.state.is_over:
            return f"{sent.frame.order_ref} follows {ref}, which is {record.state if record else 'forgotten'} with us"
        if facts.may_fill(ref):
            return f"{sent.frame.order_ref} follows {ref}, of which {facts.may_fill(ref)} lots may still fill"
    return None


def well_formed(_facts: Facts, sent: SentPlace) -> str | None:
    """11. Every frame: a finite price on the tick, whole positive lots, conId, account, tif and expiry, LMT."""
    frame, parent = sent.frame, sent.parent
    tick = parent.plan.parent.contract.tick if parent is not None else Decimal(0)
    wrong = [
        frame.order_type != "LMT" and f"order type {frame.order_type!r}",
        (frame.limit_price is None or not math.isfinite(frame.limit_price)) and "no finite price",
        bool(frame.limit_price is not None and tick and frame.limit_price % tick) and f"{frame.limit_price} off tick",
        (frame.lots is None or frame.lots <= 0) and "lots not whole and positive",
        frame.con_id <= 0 and "no conId",
        frame.account != sent.life.broker.account and f"account {frame.account!r}",
        frame.tif != "GTD" and f"tif {frame.tif!r}",
        frame.expires_ns is None and "no expiry",
        frame.side not in ("BUY", "SELL") and f"side {frame.side!r}",
    ]
    found = [words for words in wrong if words]
    return f"{frame.order_ref}: {', '.join(found)}" if found else None


def verdict_on_content(facts: Facts, sent: SentPlace) -> str | None:
    """12. Every sent order carries the gate's verdict on exactly that content."""
    if sent.intent is None:
        return None
    count, passed = facts.verdict_of(sent.intent)
    if not count or not passed:
        return f"{sent.frame.order_ref}: {count} checks written with its intent, all passed: {passed}"
    return None


def fit_to_trade(facts: Facts, sent: SentPlace) -> str | None:
    """13. Nothing that adds risk is sent while disconnected, after 1100, unreconciled, killed."""
    life, ref = sent.life, sent.frame.order_ref
    if facts.servers_lost:
        return f"{ref} was sent after code 1100"
    if life.ledger.connection is not ConnectionState.UP:
        return f"{ref} was sent while the connection is {life.ledger.connection}"
    if not life.reconciled or not life.ledger.reconciled:
        return f"{ref} was sent before ledger and broker were reconciled"
    return None


def fit_to_price(facts: Facts, sent: SentPlace) -> str | None:
    """13. Nothing that adds risk is sent on a stale, delayed, crossed, halted or empty quote."""
    life, ref = sent.life, sent.frame.order_ref
    quote = life.broker.quote(sent.frame.con_id)
    if quote is None:
        return f"{ref} was sent without a quote"
    if (facts.desk_now_ns - quote.time_ns) / NS_PER_S > life.limits.max_quote_age_s:
        return f"{ref} was sent on a quote of {(facts.desk_now_ns - quote.time_ns) / NS_PER_S:.1f} s ago"
    then = sent.intent.quote if sent.intent is not None else None
    if then is None:
        return f"{ref} was approved without a quote"
    bid, ask = then["bid"], then["ask"]
    wrong = [
        then["feed"] != FeedType.LIVE.value and "delayed or frozen",
        then["halted"] and "halted",
        bid is not None and ask is not None and Decimal(bid) >= Decimal(ask) and "crossed",
        bid is None and ask is None and "empty",
        any(price is not None and not Decimal(price).is_finite() for price in (bid, ask)) and "not a number",
    ]
    found = [words for words in wrong if words]
    return f"{ref} was approved on a quote that was {', '.join(found)}" if found else None


def fed_live(facts: Facts, sent: SentPlace) -> str | None:
    """13. Nothing that adds risk is sent on a stale or delayed quote: by the frames of the feed alone."""
    ref, feed = sent.frame.order_ref, facts.feeds.of(sent.frame.con_id)
    if feed is None or feed.ticked_s is None:
        return f"{ref} was sent, and no quote has come on this connection"
    age_s = facts.now_s - feed.ticked_s
    if age_s > sent.life.limits.max_quote_age_s + FEED_MARGIN_S:
        return f"{ref} was sent {age_s:.1f} s after the last tick"
    approved_s = facts.now_s - (facts.desk_now_ns - sent.intent.time_ns) / NS_PER_S if sent.intent else facts.now_s
    if not feed.is_live and feed.changed_s < approved_s - FEED_MARGIN_S:
        return f"{ref} was sent on a feed that has not been live for {facts.now_s - feed.changed_s:.1f} s"
    return None


def none_after_kill(facts: Facts, sent: SentPlace) -> str | None:
    """14. After a kill is committed no place frame leaves (and by rule 13 no modify)."""
    if facts.killed or sent.life.ledger.killed is not None:
        return f"{sent.frame.order_ref} was sent although the desk is killed"
    return None


def none_after_a_press(facts: Facts, sent: SentPlace) -> str | None:
    """14. A kill holds until a re-arming that was asked for after it."""
    if facts.press_stands:
        return f"{sent.frame.order_ref} was sent although a person has killed, and nobody has re-armed since"
    return None


def none_while_tripped(facts: Facts, sent: SentPlace) -> str | None:
    """13. Nothing that adds risk is sent while a breaker is tripped; one of a position holds back its side alone."""
    for trip in facts.tripped.values():
        if trip.con_id is None or (trip.con_id == sent.frame.con_id and trip.side == sent.frame.side):
            return f"{sent.frame.order_ref} was sent although {trip.breaker} is tripped: {trip.reason}"
    return None


def overfill_ends_sending(_facts: Facts, sent: SentPlace) -> str | None:
    """4. A venue overfill halts: nothing more is sent of a parent one of whose orders filled more than its lots."""
    refs = sent.parent.order_refs if sent.parent is not None else ()
    overfilled = [ref for ref in refs if sent.life.ledger.orders[ref].overfilled]
    return f"{sent.frame.order_ref} was sent although {', '.join(overfilled)} was overfilled" if overfilled else None


def same_order(facts: Facts, sent: SentPlace) -> str | None:
    """5. A modify repeats contract, side and total lots, fills included, of the order that it modifies."""
    frame, first = sent.frame, facts.placed.get(sent.frame.order_ref)
    if first is None:
        return None
    was, now = (first.con_id, first.side, first.lots), (frame.con_id, frame.side, frame.lots)
    return f"{frame.order_ref} was placed as {was}, and is modified to {now}" if was != now else None


def within_callers_limit(_facts: Facts, sent: SentPlace) -> str | None:
    """5. No price passes the limit that the caller gave for the parent order."""
    limit = sent.parent.plan.parent.limit if sent.parent is not None else None
    price = sent.frame.limit_price
    if limit is None or price is None:
        return None
    passes = price > limit if sent.frame.side == "BUY" else price < limit
    return f"{sent.frame.order_ref} {sent.frame.side} at {price}, beyond the limit {limit}" if passes else None


def never_retreats(facts: Facts, sent: SentPlace) -> str | None:
    """20. The ladder of an order only moves toward the market: no modify steps back from the price before."""
    frame, before = sent.frame, facts.latest.get(sent.frame.order_ref)
    if before is None or before.limit_price is None or frame.limit_price is None:
        return None
    moved = frame.limit_price - before.limit_price
    retreats = moved < 0 if frame.side == "BUY" else moved > 0
    return f"{frame.order_ref} {frame.side} from {before.limit_price} to {frame.limit_price}" if retreats else None


def own_only(_facts: Facts, sent: SentPlace) -> str | None:
    """15. Orders of others are never changed: a place or modify names an order of this journal."""
    if not sent.frame.order_ref.startswith(sent.life.own_prefix):
        return f"order {sent.frame.order_id} went out as {sent.frame.order_ref!r}"
    return None


def as_planned(facts: Facts, sent: SentPlace) -> str | None:
    """20. The executed slice times and lots are the plan's, but for carried lots and reported faults."""
    parent, frame = sent.parent, sent.frame
    if parent is None or not sent.is_new:
        return None
    planned = parent.plan.slices[frame.slice_number - 1]
    due_ns = parent.begins_ns + planned.offset_ns + facts.shift_of(frame.parent_id)
    if facts.desk_now_ns < due_ns - START_TOLERANCE_NS:
        return f"{frame.order_ref} was sent {(due_ns - facts.desk_now_ns) / NS_PER_S:.2f} s before its slice starts"
    if frame.lots is not None and frame.lots > 2 * planned.lots:
        return f"{frame.order_ref} has {frame.lots} lots, more than twice the {planned.lots} planned"
    carried = sum(one.carried_lots for one in parent.slices)
    if frame.lots is not None and frame.lots > planned.lots + carried:
        return f"{frame.order_ref} has {frame.lots} lots, {planned.lots} planned and {carried} carried"
    return None


def expires_with_its_stage(facts: Facts, sent: SentPlace) -> str | None:
    """21. No resting order outlives its stage by more than the grace, even if the process is killed at any instant."""
    parent, frame = sent.parent, sent.frame
    if parent is None or frame.expires_ns is None:
        return None
    planned = parent.plan.slices[frame.slice_number - 1]
    started_ns = parent.begins_ns + planned.offset_ns + facts.shift_of(frame.parent_id)
    ladder, now_ns = planned.ladder, facts.desk_now_ns
    ends = [
        started_ns + ladder.mid_ns,
        started_ns + ladder.mid_ns + ladder.step_ns,
        started_ns + ladder.total_ns,
    ]
    # A timer may fire a touch before the stage's end; then the next stage is meant.
    stage_ends_ns = next((end for end in ends if now_ns < end - START_TOLERANCE_NS), ends[-1])
    if frame.expires_ns > stage_ends_ns + GRACE_NS:
        late_s = (frame.expires_ns - stage_ends_ns) / NS_PER_S
        return f"{frame.order_ref} expires {late_s:.1f} s after its stage's end"
    return None


PLACE_RULES: tuple[PlaceRule, ...] = (
    durable_before_sent,
    new_once,
    one_name_for_ever,
    true_exposure,
    position_limit,
    predecessor_dead,
    well_formed,
    verdict_on_content,
    fit_to_trade,
    fit_to_price,
    fed_live,
    none_after_kill,
    none_after_a_press,
    none_while_tripped,
    overfill_ends_sending,
    same_order,
    within_callers_limit,
    never_retreats,
    own_only,
    as_planned,
    expires_with_its_stage,
)


def paced(facts: Facts, _message: int | None) -> str | None:
    """18. At most 45 frames in any second."""
    if len(facts.frame_times) > MOST_FRAMES_A_SECOND:
        return f"{len(facts.frame_times)} frames within a second"
    return None


def cancels_first(facts: Facts, message: int | None) -> str | None:
    """18. No cancel waits behind anything that is not a cancel."""
    life = facts.life
    if life is None or message in (None, CANCEL):
        return None
    for ref, asked_s in life.cancels_owed.items():
        if asked_s < facts.now_s:
            return f"message {message} went out before the cancel of {ref}, asked for {facts.now_s - asked_s:.3f} s ago"
    return None


def names_own_order(facts: Facts, *, client_id: int, order_id: int) -> str | None:
    """15. Orders of others are never changed: a cancel names an order that we sent."""
    if (client_id, order_id) not in facts.names and not facts.is_reserved(client_id, order_id):
        return f"a cancel for order id {order_id}, which we never reserved"
    return None
