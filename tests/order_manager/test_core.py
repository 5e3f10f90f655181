"""The manager's core in a plain loop with a toy exchange: how parents run, and how they end."""

from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest
from algos.making import OATS, PARENT_ID, START_NS, make_plan, steady_quote
from algos.toy_market import Faults, ToyDesk, replay

from hydra_nb.algos.actions import CancelChild, ProbeDeath, Propose
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, OrderState, ParentStatus, SliceStatus, Stage, Strategy
from hydra_nb.domain.units import NS_PER_S, Side


def proposals(desk: ToyDesk, action: Action) -> list[Propose]:
    """Give the proposals of one kind, in order."""
    return [asked for asked in desk.actions(Propose) if asked.action is action]


def slice_ends(desk: ToyDesk) -> list[tuple[SliceStatus, int, int]]:
    """Give status, filled and carried lots of the slices, by number."""
    ends = sorted(desk.events(ev.SliceFinished), key=lambda event: event.slice)
    return [(end.status, end.filled_lots, end.carried_lots) for end in ends]


def test_twap_that_fills_runs_to_its_end() -> None:
    """Every slice is placed at its drawn time with its planned lots, and the parent ends as filled."""
    desk = ToyDesk(make_plan(13), faults=Faults(fill=1.0))

    desk.run()

    assert desk.finished.status is ParentStatus.FILLED
    assert [asked.lots for asked in proposals(desk, Action.PLACE)] == [3, 3, 3, 2, 2]
    starts = [at - START_NS for at, asked in desk.asked if isinstance(asked, Propose) and asked.action is Action.PLACE]
    assert starts == [planned.offset_ns for planned in desk.plan.slices]
    assert slice_ends(desk) == [(SliceStatus.FILLED, lots, 0) for lots in (3, 3, 3, 2, 2)]
    assert desk.core.parent_view(PARENT_ID).filled_lots == 13
    assert desk.core.running == ()


def test_patience_walks_its_ladder_in_one_order() -> None:
    """One order is placed at mid, modified to the step and to the cross, cancelled and proven dead."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE))

    desk.run()

    asked = [(at, one) for at, one in desk.asked if isinstance(one, Propose)]
    assert [((at - START_NS) // NS_PER_S, one.action, one.stage) for at, one in asked] == [
        (0, Action.PLACE, Stage.MID),
        (300, Action.MODIFY, Stage.STEP),
        (450, Action.MODIFY, Stage.CROSS),
    ]
    assert [str(one.limit_price) for _, one in asked] == ["370.00", "370.25", "371.75"]
    assert [(one.expires_ns - START_NS) // NS_PER_S for _, one in asked] == [310, 460, 535]
    assert {(one.order_ref, one.lots) for _, one in asked} == {("hy:J:P-0001:1:1", 2)}
    assert len(desk.actions(CancelChild)) == 1
    assert len(desk.actions(ProbeDeath)) == 1
    # The start, two stages, the end, and 10 s after each frame that wants an answer; more would fill the journal.
    assert [round((woke.time_ns - START_NS) / NS_PER_S) for woke in desk.events(ev.Woke)] == [
        *(0, 10),
        *(300, 310),
        *(450, 460),
        525,
    ]
    assert desk.finished.status is ParentStatus.PARTIAL
    assert desk.finished.reason.startswith("0 of 2 lots filled")


def test_lots_of_a_dead_slice_are_carried_to_later_ones() -> None:
    """Unfilled lots go to the slices that have not started, up to twice their planned lots; the rest is shortfall."""
    desk = ToyDesk(make_plan(13))

    desk.run()

    # Planned 3, 3, 3, 2, 2: the first slice's 3 go to the next three, the second's 4 as 2, 1, 1, of the third's 6
    # only 1 has room under twice the planned lots.
    assert [asked.lots for asked in proposals(desk, Action.PLACE)] == [3, 4, 6, 4, 4]
    assert [end[2] for end in slice_ends(desk)] == [3, 4, 1, 0, 0]
    assert desk.finished.status is ParentStatus.PARTIAL
    assert desk.core.parent_view(PARENT_ID).shortfall_lots == 13


@pytest.mark.parametrize("side", list(Side))
def test_shortfall_and_fills_add_up(side: Side) -> None:
    """Filled lots and shortfall make the parent's lots, on either side."""
    desk = ToyDesk(make_plan(13, side=side), seed=3, faults=Faults(fill=0.6, partial=0.7))

    desk.run()

    view = desk.core.parent_view(PARENT_ID)
    assert 0 < view.filled_lots < 13
    assert view.filled_lots == desk.true_lots == 13 - view.shortfall_lots
    assert desk.core.ledger.booked_position(OATS.con_id) == side.sign * desk.true_lots
    assert view.due_lots == 13
    assert view.average_price is not None


def test_transient_refusals_are_tried_again_every_five_seconds_until_the_ladder_ends() -> None:
    """The gate is asked every 5 s, and nothing sent means refused, with the gate's words."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE), faults=Faults(refuse=1.0))

    desk.run()

    asked = [(at - START_NS) // NS_PER_S for at, one in desk.asked if isinstance(one, Propose)]
    assert asked == list(range(0, 525, 5))
    assert desk.finished.status is ParentStatus.REFUSED
    assert slice_ends(desk) == [(SliceStatus.REFUSED, 0, 0)]


def test_a_late_place_takes_the_stage_that_the_time_says() -> None:
    """An order that the gate let through at last is placed at the present stage."""
    desk = ToyDesk(
        make_plan(2, strategy=Strategy.LIMIT_PATIENCE),
        quote=lambda now_ns: steady_quote(now_ns) if now_ns >= START_NS + 320 * NS_PER_S else None,
    )

    desk.run()

    placed = [event for event in desk.events(ev.ChildReserved) if event.action is Action.PLACE]
    assert [event.child.stage for event in placed] == [Stage.STEP]


def test_a_hard_refusal_stops_the_parent_before_anything_was_sent() -> None:
    """The parent ends as refused at once, its other slices with it."""
    desk = ToyDesk(make_plan(13), faults=Faults(refuse_hard=1.0))

    desk.run()

    assert desk.finished.status is ParentStatus.REFUSED
    assert len(proposals(desk, Action.PLACE)) == 1
    assert slice_ends(desk) == [(SliceStatus.REFUSED, 0, 0)] * 5


def test_a_refused_parent_never_proposes() -> None:
    """A parent that the gate refused ends without an order."""
    desk = ToyDesk(make_plan(13))
    desk.at(START_NS - 1, lambda: desk.tell(ev.ParentRefused, parent_id=PARENT_ID, check="kill", message="killed"))

    desk.run()

    assert desk.actions(Propose) == []
    assert desk.finished.status is ParentStatus.REFUSED
    assert desk.finished.reason == "killed"


def test_no_price_at_all_proposes_nothing() -> None:
    """Without any quote since arrival there is no price to propose, and the slice is refused in the end."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE), quote=lambda _now_ns: None)

    desk.run()

    assert desk.actions(Propose) == []
    assert desk.finished.status is ParentStatus.REFUSED
    assert "no price" in desk.finished.reason


def test_without_a_usable_price_the_arrival_mid_lets_the_gate_say_why() -> None:
    """A book that emptied after arrival still gives a proposal, which the gate refuses."""
    desk = ToyDesk(
        make_plan(2, strategy=Strategy.LIMIT_PATIENCE),
        quote=lambda now_ns: steady_quote(now_ns) if now_ns == START_NS else None,
        faults=Faults(refuse=1.0),
    )

    desk.run()

    assert {asked.limit_price for asked in desk.actions(Propose)} == {Decimal("370.00")}


def test_a_missed_slice_is_carried_and_never_placed() -> None:
    """A loop that was stalled over a whole ladder gives that slice's lots to later ones."""
    plan = make_plan(13)
    desk = ToyDesk(plan)
    resumed_ns = START_NS + plan.slices[2].offset_ns - 1
    timer = desk._wake_at
    desk._wake_at = lambda parent_id, time_ns: timer(  # type: ignore[method-assign]
        parent_id, time_ns if time_ns == START_NS else max(time_ns, resumed_ns)
    )

    desk.run()

    ends = slice_ends(desk)
    assert ends[1] == (SliceStatus.MISSED, 0, 4)
    assert [asked.slice for asked in proposals(desk, Action.PLACE)] == [1, 3, 4, 5]


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (ev.ParentCancelAsked, ParentStatus.CANCELLED),
        (ev.Killed, ParentStatus.CANCELLED),
        (ev.TaskFailed, ParentStatus.CANCELLED),
    ],
)
def test_whatever_halts_a_parent_cancels_what_rests_and_places_no_more(
    event: type[ev.Event], status: ParentStatus
) -> None:
    """Cancel, kill and an unexpected error end a parent once its order is proven dead."""
    desk = ToyDesk(make_plan(13))
    fields = {
        ev.ParentCancelAsked: {"parent_id": PARENT_ID, "reason": "enough"},
        ev.Killed: {"reason": "enough"},
        ev.TaskFailed: {"parent_id": PARENT_ID, "where": "timer", "error": "enough"},
    }[event]
    desk.tell_at(100, event, **fields)

    desk.run()

    assert desk.finished.status is status
    assert "enough" in desk.finished.reason
    assert len(proposals(desk, Action.PLACE)) == 1
    assert [order.state for order in desk.core.ledger.orders.values()] == [OrderState.DEAD]
    assert [end[0] for end in slice_ends(desk)] == [SliceStatus.CANCELLED] * 5
    assert desk.finished.time_ns < START_NS + 102 * NS_PER_S


def test_a_proposal_that_fails_on_its_way_ends_the_parent_at_once() -> None:
    """An error between proposal and reservation leaves nothing to wait for."""
    desk = ToyDesk(make_plan(13))
    desk._gate = lambda _asked: desk.tell(  # type: ignore[method-assign]
        ev.TaskFailed, parent_id=PARENT_ID, where="Propose", error="KeyError: 1"
    )

    desk.run()

    assert desk.finished.status is ParentStatus.CANCELLED
    assert desk.finished.time_ns == START_NS
    assert [end[0] for end in slice_ends(desk)] == [SliceStatus.CANCELLED] * 5


def test_a_pause_cancels_and_a_resume_places_the_leaves_anew_and_shifts_the_rest() -> None:
    """After a pause of 1000 s a second attempt works the leaves, and every later start is 1000 s later."""
    plan = make_plan(13)
    desk = ToyDesk(plan)
    desk.tell_at(100, ev.ParentPaused, parent_id=PARENT_ID)
    desk.tell_at(1100, ev.ParentResumed, parent_id=PARENT_ID)

    desk.run()

    placed = [
        ((at - START_NS) / NS_PER_S, one.order_ref, one.lots, one.stage)
        for at, one in desk.asked
        if isinstance(one, Propose) and one.action is Action.PLACE
    ]
    assert placed[0][1:] == ("hy:J:P-0001:1:1", 3, Stage.MID)
    assert placed[1] == (1100.0, "hy:J:P-0001:1:2", 3, Stage.MID)
    assert placed[2][0] == pytest.approx(1000 + plan.slices[1].offset_ns / NS_PER_S)
    assert desk.core.ledger.parents[PARENT_ID].status is ParentStatus.PARTIAL


def test_a_paused_parent_sends_nothing_until_it_is_cancelled() -> None:
    """Pause, then cancel: no order after the pause."""
    desk = ToyDesk(make_plan(13))
    desk.tell_at(100, ev.ParentPaused, parent_id=PARENT_ID)
    desk.tell_at(5000, ev.ParentCancelAsked, parent_id=PARENT_ID, reason="enough")

    desk.run()

    assert len(proposals(desk, Action.PLACE)) == 1
    assert desk.finished.status is ParentStatus.CANCELLED


def test_an_order_that_never_dies_needs_a_person_after_120_seconds() -> None:
    """While the broker shows the order as open its lots stay reserved; then the parent halts."""
    desk = ToyDesk(make_plan(13), faults=Faults(never_dead=True))

    desk.run()

    assert desk.finished.status is ParentStatus.NEEDS_HUMAN
    first_end = desk.plan.slices[0].ends_ns
    assert desk.finished.time_ns - START_NS - first_end >= 120 * NS_PER_S
    assert slice_ends(desk)[0][0] is SliceStatus.UNKNOWN
    probes = [at for at, one in desk.asked if isinstance(one, ProbeDeath) and one.order_ref.endswith(":1:1")]
    gaps = [later - earlier for earlier, later in pairwise(probes)]
    assert min(gaps) >= 5 * NS_PER_S


def test_a_lost_place_is_doubted_and_its_lots_wait_for_the_expiry() -> None:
    """No answer for 10 s makes an order unknown; only its expiry and a probe free its lots."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE), faults=Faults(place_lost=1.0))

    desk.run()

    (first, *_) = desk.events(ev.AckTimedOut)
    assert 10 <= (first.time_ns - START_NS) / NS_PER_S < 10.1
    assert proposals(desk, Action.MODIFY) == []
    assert (desk.finished.time_ns - START_NS) / NS_PER_S >= 312
    assert desk.finished.status is ParentStatus.PARTIAL


def test_a_refused_modify_leaves_the_order_until_its_expiry() -> None:
    """The remaining stages are skipped, and the order ends with its first expiry."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE), faults=Faults(modify_refused=1.0))

    desk.run()

    assert len(proposals(desk, Action.MODIFY)) == 1
    assert desk.actions(CancelChild) == []
    assert 310 <= (desk.finished.time_ns - START_NS) / NS_PER_S < 315


def test_no_modify_while_the_connection_is_degraded() -> None:
    """At the stage's end the ladder is skipped, for a modify in an outage may leave two orders."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE))
    desk.tell_at(290, ev.ConnectionChanged, state=ConnectionState.DEGRADED, message="1100")
    desk.tell_at(305, ev.ConnectionChanged, state=ConnectionState.UP, message="1102")

    desk.run()

    assert proposals(desk, Action.MODIFY) == []
    assert desk.finished.status is ParentStatus.PARTIAL


def test_a_lost_cancel_is_sent_once_more_and_the_order_then_expires() -> None:
    """It is sent again while the order is seen to live; the expiry and a probe end it."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE), faults=Faults(cancel_lost=1.0))

    desk.run()

    assert len(desk.actions(CancelChild)) == 1  # the expiry comes 10 s after the ladder's end
    assert desk.finished.status is ParentStatus.PARTIAL
    assert [order.state for order in desk.core.ledger.orders.values()] == [OrderState.DEAD]


def test_lost_cancels_are_repeated_while_the_order_is_seen_to_live() -> None:
    """A cancelled parent whose order has long to live keeps at it, at most every 10 s, until it is gone."""
    desk = ToyDesk(make_plan(2, strategy=Strategy.LIMIT_PATIENCE), faults=Faults(cancel_lost=1.0))
    desk.tell_at(20, ev.ParentCancelAsked, parent_id=PARENT_ID, reason="enough")
    desk.at(START_NS + 75 * NS_PER_S, lambda: setattr(desk.faults, "cancel_lost", 0.0))

    desk.run()

    cancels = [at for at, one in desk.asked if isinstance(one, CancelChild)]
    assert min(later - earlier for earlier, later in pairwise(cancels)) >= 10 * NS_PER_S
    assert desk.finished.status is ParentStatus.CANCELLED
    assert (desk.finished.time_ns - START_NS) / NS_PER_S < 100


def test_an_order_that_the_broker_ends_early_is_not_placed_again_in_its_slice() -> None:
    """Each slice places once; lots are carried."""
    desk = ToyDesk(make_plan(13), faults=Faults(early_cancel=1.0))

    desk.run()

    assert Counter(asked.slice for asked in proposals(desk, Action.PLACE)) == Counter(range(1, 6))


def test_a_fill_after_proven_death_halts_the_parent() -> None:
    """The fill is booked, and a person is needed."""
    desk = ToyDesk(make_plan(13))
    death_s = desk.plan.slices[0].ends_ns / NS_PER_S + 3

    def fill_late() -> None:
        order = desk.orders["hy:J:P-0001:1:1"]
        assert not order.open
        order.open = True
        desk._fill(order)

    desk.at(START_NS + round(death_s * NS_PER_S), fill_late)

    desk.run()

    assert desk.core.ledger.orders["hy:J:P-0001:1:1"].late_fill
    assert desk.core.parent_view(PARENT_ID).filled_lots == 3
    assert desk.finished.status is ParentStatus.NEEDS_HUMAN
    assert len(proposals(desk, Action.PLACE)) <= 2


def test_the_same_events_give_the_same_actions() -> None:
    """A finished run replayed through a fresh core asks for the same at the same times, and folds the same ledger."""
    desk = ToyDesk(make_plan(13), seed=5, faults=Faults(fill=0.7, partial=0.5, refuse=0.2, crossing_fill=0.3))
    desk.run()

    core, asked = replay(desk.journal)

    assert asked == desk.asked
    assert core.ledger.orders == desk.core.ledger.orders
    assert core.ledger.parents == desk.core.ledger.parents
