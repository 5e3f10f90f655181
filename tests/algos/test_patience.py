"""One slice of patience, decision by decision."""

from dataclasses import replace
from decimal import Decimal

import pytest

from algos.making import OATS, START_NS, steady_quote
from hydra_nb.algos import patience
from hydra_nb.algos.actions import CancelChild, CoreAction, ProbeDeath, Propose, Record
from hydra_nb.algos.prices import MarketMemory, MarketSight, look
from hydra_nb.algos.slice_state import Phase, SliceState, Terms
from hydra_nb.algos.twap import spread
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ChildOrder, OrderState, SliceStatus, Stage
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.ledger import OrderRecord

TERMS = Terms(
    parent_id="P-0001",
    ref_prefix="hy:J:P-0001",
    con_id=OATS.con_id,
    side=Side.BUY,
    tick=OATS.tick,
    step=Decimal("0.001"),
    limit=None,
    arrival_mid=Decimal(370),
)
REF = "hy:J:P-0001:1:1"


def at(seconds: float) -> int:
    """Give the market time so many seconds after the slice's start."""
    return START_NS + round(seconds * NS_PER_S)


def make_slice(**changes: object) -> SliceState:
    """Give a slice of 3 lots with the full ladder, that starts at 0 s."""
    state = SliceState(
        terms=TERMS,
        number=1,
        planned_lots=3,
        lots=3,
        start_ns=at(0),
        mid_end_ns=at(300),
        step_end_ns=at(450),
        end_ns=at(525),
    )
    return replace(state, **changes)  # type: ignore[arg-type]


def make_live(**changes: object) -> SliceState:
    """Give a slice whose order works at mid."""
    return make_slice(**{"phase": Phase.LIVE, "stage": Stage.MID, "price": Decimal(370), "sent": True, **changes})


def make_order(**changes: object) -> OrderRecord:
    """Give the order of the slice, acknowledged and working at mid until 310 s."""
    child = ChildOrder(
        order_ref=REF,
        order_id=101,
        parent_id="P-0001",
        slice=1,
        account="SIM1234567",
        contract=OATS,
        side=Side.BUY,
        lots=3,
        limit_price=Decimal(370),
        expires_ns=at(310),
        stage=Stage.MID,
    )
    order = OrderRecord(
        child=child,
        client_id=1,
        state=OrderState.WORKING,
        reserved_ns=at(0),
        sent_ns=at(0),
        acked_ns=at(0.1),
        last_status="Submitted",
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def wake(
    state: SliceState,
    seconds: float,
    *,
    order: OrderRecord | None = None,
    connection: ConnectionState = ConnectionState.UP,
    event: ev.Event | None = None,
) -> tuple[SliceState, tuple[CoreAction, ...]]:
    """Let the slice decide at a time, on a timer unless another event is given."""
    now_ns = at(seconds)
    sight: MarketSight | None = None
    if event is None:
        quote = steady_quote(now_ns)
        event = ev.Woke(time_ns=now_ns, parent_id="P-0001", quote=quote)
        sight = look(quote, side=Side.BUY, own={}, memory=MarketMemory(), now_ns=now_ns)
    return patience.decide(state, event, now_ns=now_ns, order=order, connection=connection, sight=sight)


@pytest.mark.parametrize(
    ("seconds", "stage", "price", "expires_s"),
    [
        (0, Stage.MID, "370.00", 310),
        (299.9, Stage.MID, "370.00", 310),
        (300, Stage.STEP, "370.25", 460),
        (450, Stage.CROSS, "371.75", 535),
        (524.9, Stage.CROSS, "371.75", 535),
    ],
)
def test_a_place_has_price_and_expiry_of_the_stage_that_the_time_says(
    seconds: float, stage: Stage, price: str, expires_s: int
) -> None:
    """The expiry is the end of the stage and 10 s, on a whole second."""
    state, (asked,) = wake(make_slice(), seconds)

    assert isinstance(asked, Propose)
    assert (asked.action, asked.lots, asked.order_ref) == (Action.PLACE, 3, REF)
    assert (asked.stage, str(asked.limit_price), asked.expires_ns) == (stage, price, at(expires_s))
    assert state.phase is Phase.LIVE


def test_an_expiry_is_floored_to_a_whole_second() -> None:
    """A ladder that ends between seconds expires at the second before its grace ends."""
    _, (asked,) = wake(make_slice(mid_end_ns=at(300.9)), 0)

    assert isinstance(asked, Propose)
    assert asked.expires_ns == at(310)


def test_only_a_timer_brings_a_price() -> None:
    """Any other event leaves the place to a timer that is due at once."""
    state, actions = wake(make_slice(), 1, event=ev.ParentResumed(time_ns=at(1), parent_id="P-0001"))

    assert actions == ()
    assert patience.wake_ns(state, order=None) == at(0)


@pytest.mark.parametrize(
    ("order", "connection", "seconds"),
    [
        (make_order(), ConnectionState.UP, 308.1),
        (make_order(), ConnectionState.DEGRADED, 300),
        (make_order(), ConnectionState.DOWN, 300),
        (make_order(state=OrderState.SENT, acked_ns=None, sent_ns=at(299)), ConnectionState.UP, 300),
        (make_order(state=OrderState.UNKNOWN), ConnectionState.UP, 300),
        (make_order(pending=make_order().child, modify_sent_ns=at(299)), ConnectionState.UP, 300),
    ],
    ids=["too late", "degraded", "down", "unacknowledged", "unknown", "modify unacknowledged"],
)
def test_what_stands_in_the_way_of_a_modify_skips_the_ladder(
    order: OrderRecord, connection: ConnectionState, seconds: float
) -> None:
    """Too close to the expiry, a bad connection, or anything unanswered: no modify, also not later."""
    state, actions = wake(make_live(), seconds, order=order, connection=connection)

    assert not any(isinstance(one, Propose) for one in actions)
    assert state.skip
    assert not any(isinstance(one, Propose) for one in wake(state, 305, order=make_order())[1])


def test_a_modify_extends_the_expiry_even_where_the_price_stays() -> None:
    """At 308 s there are still 2 s: the proposal repeats the total and moves the expiry."""
    order = make_order()
    order = replace(order, child=replace(order.child, limit_price=Decimal("371.50")))

    _, (asked,) = wake(make_live(price=Decimal("371.50")), 308, order=order)

    assert isinstance(asked, Propose)
    assert (asked.action, asked.lots, asked.limit_price) == (Action.MODIFY, 3, Decimal("371.50"))
    assert asked.expires_ns == at(460)


@pytest.mark.parametrize(
    "event",
    [
        ev.ChildRefused(
            time_ns=at(300),
            action=Action.MODIFY,
            parent_id="P-0001",
            slice=1,
            order_ref=REF,
            check="quote_age",
            transient=True,
            message="too old",
        ),
        ev.SendFailed(time_ns=at(300), order_ref=REF, action=Action.MODIFY, reason="lost"),
    ],
)
def test_a_refused_or_unsent_modify_leaves_the_order_alone(event: ev.Event) -> None:
    """The remaining stages are skipped; nothing is cancelled before the ladder's end or the expiry."""
    state, actions = wake(make_live(proposed=Action.MODIFY), 300, order=make_order(), event=event)

    assert actions == ()
    assert state.skip
    assert patience.wake_ns(state, order=make_order()) == at(312)


@pytest.mark.parametrize(("code", "skips"), [(201, True), (110, True), (399, False), (2109, False), (10349, False)])
def test_an_error_about_a_pending_modify_skips_the_ladder_but_a_notice_does_not(code: int, skips: bool) -> None:
    """Codes that accompany a living order are no refusal."""
    order = make_order(pending=make_order().child, modify_sent_ns=at(300))
    event = ev.BrokerErrorReported(time_ns=at(301), order_ref=REF, code=code, message="words")

    state, _ = wake(make_live(stage=Stage.STEP), 301, order=order, event=event)

    assert state.skip is skips


def test_an_error_without_a_pending_modify_changes_nothing() -> None:
    """No error code ends or freezes an order."""
    event = ev.BrokerErrorReported(time_ns=at(10), order_ref=REF, code=201, message="words")

    assert wake(make_live(), 10, order=make_order(), event=event) == (make_live(), ())


@pytest.mark.parametrize(
    "silent",
    [
        make_order(state=OrderState.SENT, acked_ns=None),
        make_order(pending=make_order().child, modify_sent_ns=at(0)),
    ],
    ids=["place", "modify"],
)
def test_silence_for_ten_seconds_is_recorded_and_asked_about(silent: OrderRecord) -> None:
    """Not at 9.9 s; at 10 s the order is doubted and the broker asked."""
    early = wake(make_live(), 9.9, order=silent)
    _, (doubted, asked) = wake(make_live(), 10, order=silent)

    assert early[1] == ()
    assert patience.wake_ns(early[0], order=silent) == at(10)
    assert doubted == Record(event=ev.AckTimedOut(time_ns=at(10), order_ref=REF))
    assert asked == ProbeDeath(order_ref=REF)


def test_a_status_of_filled_without_its_executions_is_asked_about() -> None:
    """Two seconds later the broker is asked, for its answer brings the executions."""
    order = make_order(last_status="Filled")
    state, actions = wake(make_live(), 10, order=order, event=ev.Rearmed(time_ns=at(10), reason=""))

    assert actions == ()
    assert patience.wake_ns(state, order=order) == at(12)
    assert wake(state, 12, order=order)[1] == (ProbeDeath(order_ref=REF),)


@pytest.mark.parametrize("order", [make_order(cancelled_perm_ids=frozenset({7})), make_order(last_status="Inactive")])
def test_an_order_that_the_broker_ended_early_is_proven_dead_and_not_placed_again(order: OrderRecord) -> None:
    """A cancelled one is asked about at once, an inactive one is cancelled first; both end the slice."""
    state, (asked,) = wake(make_live(), 20, order=order)
    ended, after = wake(state, 21, order=replace(order, state=OrderState.DEAD))

    assert asked == (
        ProbeDeath(order_ref=REF) if order.wire_cancelled else CancelChild(order_ref=REF, reason=state.reason)
    )
    assert after == ()
    assert (ended.phase, ended.outcome, ended.filled) == (Phase.DONE, SliceStatus.CANCELLED, 0)


def test_the_ladders_end_cancels_once_waits_and_cancels_once_more() -> None:
    """Cancel at the end; no answer in 10 s is recorded, cancelled again and asked about; no third cancel."""
    order = make_order()
    order = replace(order, child=replace(order.child, expires_ns=at(600)))
    first, cancels = wake(make_live(stage=Stage.CROSS), 525, order=order)
    silent, nothing = wake(first, 534, order=order)
    again, more = wake(silent, 535, order=order)
    _, last = wake(again, 545, order=order)

    assert cancels == (CancelChild(order_ref=REF, reason="the ladder ended"),)
    assert nothing == ()
    assert more == (
        Record(event=ev.AckTimedOut(time_ns=at(535), order_ref=REF)),
        CancelChild(order_ref=REF, reason="the ladder ended"),
        ProbeDeath(order_ref=REF),
    )
    assert last == ()


def test_unproven_death_is_asked_about_every_five_seconds_for_two_minutes() -> None:
    """Each answer that proves nothing is followed by a question 5 s later; at 120 s the slice is unknown."""
    order = make_order(state=OrderState.CANCEL_PENDING, cancelled_perm_ids=frozenset({7}))
    state, asked = wake(make_live(stage=Stage.CROSS), 525, order=order)
    answer = ev.DeathProbed(time_ns=at(526), order_ref=REF, still_open=True, executed_lots=0, broker_ns=at(526))
    state, nothing = wake(state, 526, order=order, event=answer)
    soon = wake(state, 530.9, order=order)[1]
    state, again = wake(state, 531, order=order)
    late, _ = wake(state, 645, order=replace(order, booked_lots=1))

    assert asked == again == (ProbeDeath(order_ref=REF),)
    assert nothing == soon == ()
    assert (late.phase, late.outcome, late.filled) == (Phase.DONE, SliceStatus.UNKNOWN, 1)


@pytest.mark.parametrize("broker_s", [388, 526], ids=["our clock ahead", "both clocks past it"])
@pytest.mark.parametrize("still_open", [False, True])
def test_an_order_seen_open_after_its_expiry_is_cancelled_after_all(*, still_open: bool, broker_s: float) -> None:
    """The broker ends an order by itself at its expiry, unless it is shown open past it by our clock: that is wrong."""
    order = make_order()
    order = replace(order, child=replace(order.child, expires_ns=at(520)))
    state, unasked = wake(make_live(stage=Stage.CROSS), 525, order=order)
    answer = ev.DeathProbed(
        time_ns=at(526), order_ref=REF, still_open=still_open, executed_lots=0, broker_ns=at(broker_s)
    )

    _, actions = wake(state, 526, order=order, event=answer)

    assert unasked == (ProbeDeath(order_ref=REF),)
    assert (CancelChild(order_ref=REF, reason="the ladder ended") in actions) is still_open


def test_nothing_is_cancelled_without_a_connection() -> None:
    """While down the cancel waits, and its expiry guards; while degraded it is tried."""
    stopped = patience.stop(make_live(), now_ns=at(20), reason="enough")
    waiting, held_back = wake(stopped, 20, order=make_order(), connection=ConnectionState.DOWN)
    _, tried = wake(waiting, 25, order=make_order(), connection=ConnectionState.DEGRADED)

    assert held_back == ()
    assert patience.wake_ns(waiting, order=make_order()) == at(25)
    assert tried == (CancelChild(order_ref=REF, reason="enough"),)


def test_a_failed_send_gets_a_new_name_and_five_seconds() -> None:
    """An orderRef is never sent as new twice, so the next attempt has the next one."""
    unsent = make_order(state=OrderState.DEAD, sent_ns=None, acked_ns=None)
    event = ev.SendFailed(time_ns=at(1), order_ref=REF, action=Action.PLACE, reason="the quote is too old")

    state, actions = wake(make_live(sent=False), 1, order=unsent, event=event)

    assert actions == ()
    assert (state.phase, state.order_ref) == (Phase.PLACING, "hy:J:P-0001:1:2")
    assert patience.wake_ns(state, order=None) == at(6)


def test_a_new_attempt_after_a_pause_is_not_itself_renewed() -> None:
    """The broker ending the second attempt ends the slice, as it would have ended the first."""
    paused, _ = wake(patience.pause(make_live()), 20, order=make_order())
    dead = make_order(state=OrderState.DEAD, booked_lots=1)
    held, _ = wake(paused, 21, order=dead)
    placed, (asked,) = wake(patience.resume(held, shift_ns=at(120) - at(20)), 120)

    assert held.phase is Phase.HELD
    assert isinstance(asked, Propose)
    assert (asked.lots, asked.order_ref, asked.expires_ns) == (2, "hy:J:P-0001:1:2", at(410))
    assert not placed.renew


@pytest.mark.parametrize(
    ("lots", "planned", "given", "left"),
    [
        (3, (3, 3, 2, 2), (1, 1, 1, 0), 0),
        (7, (3, 3, 2, 2), (2, 2, 2, 1), 0),
        (9, (3, 3, 2, 2), (3, 2, 2, 2), 0),
        (12, (3, 3, 2, 2), (3, 3, 2, 2), 2),
        (5, (1, 4), (1, 4), 0),
        (4, (), (), 4),
    ],
)
def test_carried_lots_are_spread_evenly_up_to_twice_the_planned(
    lots: int, planned: tuple[int, ...], given: tuple[int, ...], left: int
) -> None:
    """The first slices get the remainder; what finds no room stays in the pool."""
    waiting = tuple(make_slice(planned_lots=one, lots=one) for one in planned)

    after, pool = spread(lots, over=waiting)

    assert tuple(one.lots - one.planned_lots for one in after) == given
    assert pool == left
