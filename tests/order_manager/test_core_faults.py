"""The manager's core under random faults: exposure, prices and sums hold, and every parent ends."""

from decimal import Decimal

from algos.making import PARENT_ID, make_plan, steady_quote
from algos.toy_market import Faults, ToyDesk, replay
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action, ParentStatus
from hydra_nb.domain.units import NS_PER_S, Side


class Watch:
    """What must hold after every event of a run."""

    def __init__(self) -> None:
        self.prices: dict[str, Decimal] = {}

    def __call__(self, desk: ToyDesk) -> None:
        """Look at exposure, prices and reports."""
        parent = desk.plan.parent
        view_lots = sum(order.booked_lots + order.working_lots for order in desk.core.ledger.orders.values())
        assert view_lots <= parent.lots, f"{view_lots} lots filled or working of {parent.lots}"
        assert desk.true_lots + sum(o.child.lots - o.filled for o in desk.orders.values() if o.open) <= parent.lots
        event = desk.journal[-1]
        if isinstance(event, ev.ChildReserved):
            child = event.child
            assert child.expires_ns % NS_PER_S == 0
            assert child.lots <= 2 * desk.plan.slices[child.slice - 1].lots
            before = self.prices.get(child.order_ref)
            assert before is None or (child.limit_price - before) * child.side.sign >= 0, "a price retreated"
            assert parent.limit is None or (parent.limit - child.limit_price) * child.side.sign >= 0
            self.prices[child.order_ref] = child.limit_price
            if event.action is Action.PLACE:
                same = [o for o in desk.orders.values() if o.child.slice == child.slice]
                assert not any(o.open for o in same), "a second order of a slice beside a living one"


chances = st.sampled_from([0.0, 0.0, 0.1, 0.5])


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    lots=st.integers(1, 30),
    slices=st.integers(1, 8),
    side=st.sampled_from(list(Side)),
    limit=st.sampled_from([None, Decimal("370.00")]),
    faults=st.builds(
        Faults,
        fill=st.sampled_from([0.0, 0.5, 1.0]),
        partial=chances,
        refuse=chances,
        refuse_hard=st.sampled_from([0.0, 0.0, 0.05]),
        send_failed=chances,
        place_lost=chances,
        ack_lost=chances,
        modify_refused=chances,
        modify_lost=chances,
        cancel_lost=chances,
        crossing_fill=chances,
        early_cancel=chances,
        execution_lost=chances,
        twice=chances,
        stall=st.sampled_from([0.0, 0.0, 0.05, 0.3]),
        late_report_s=st.sampled_from([0.0, 0.5, 12.0]),
    ),
    interruptions=st.lists(st.tuples(st.integers(0, 3000), st.sampled_from("prcd")), max_size=4),
)
def test_nothing_that_goes_wrong_breaks_a_promise(
    seed: int,
    lots: int,
    slices: int,
    side: Side,
    limit: Decimal | None,
    faults: Faults,
    interruptions: list[tuple[int, str]],
) -> None:
    """Under random faults exposure, prices and sums hold, the parent ends, and a replay agrees."""
    rng_quotes = {0: ("368.25", "371.75"), 1: ("368.25", "368.50"), 2: ("369.00", "374.00"), 3: ("366.00", "367.75")}
    desk = ToyDesk(
        make_plan(lots, slices=slices, side=side, seed=seed, limit=limit),
        seed=seed,
        faults=faults,
        check=Watch(),
        quote=lambda now_ns: steady_quote(
            now_ns, **dict(zip(("bid", "ask"), rng_quotes[now_ns // (200 * NS_PER_S) % 4], strict=True))
        ),
    )
    for at_s, what in interruptions:
        if what == "p":
            desk.tell_at(at_s, ev.ParentPaused, parent_id=PARENT_ID)
        elif what == "d":
            desk.tell_at(at_s, ev.ConnectionChanged, state=ConnectionState.DOWN, message="lost")
            desk.tell_at(at_s + 40, ev.ConnectionChanged, state=ConnectionState.UP, message="back")
        elif what == "c":
            desk.tell_at(at_s, ev.ParentCancelAsked, parent_id=PARENT_ID, reason="enough")
        desk.tell_at(at_s + 100, ev.ParentResumed, parent_id=PARENT_ID)

    desk.run()

    finished = desk.finished
    view = desk.core.parent_view(PARENT_ID)
    if finished.status is not ParentStatus.NEEDS_HUMAN:
        assert view.filled_lots == desk.true_lots
        assert view.filled_lots + view.shortfall_lots == lots
        assert all(record.state.is_over for record in desk.core.ledger.orders.values())
        assert (finished.status is ParentStatus.FILLED) == (view.filled_lots == lots)
    assert len(desk.events(ev.SliceFinished)) == len(desk.plan.slices)
    assert len(desk.events(ev.Woke)) < 250 * len(desk.plan.slices), "more timers than there is to do"
    assert replay(desk.journal)[1] == desk.asked
