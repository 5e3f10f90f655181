"""The ledger: how orders, parents, exposure and account follow from events, whatever comes twice, late or never."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.domain import events as ev
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, Quote
from hydra_nb.domain.orders import (
    Action,
    ChildOrder,
    OrderState,
    ParentOrder,
    ParentStatus,
    SliceStatus,
    Stage,
    Strategy,
)
from hydra_nb.domain.plan import ExecutionPlan, Ladder, PlannedSlice
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.ledger import Ledger

T0 = 1_772_550_000 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S
REF = "hy:J:P-0001:1:1"
OATS = FutureContract(
    con_id=101,
    symbol="ZO",
    local_symbol="ZOK6",
    name="Oats",
    exchange="CBOT",
    currency="USD",
    tick=Decimal("0.25"),
    multiplier=Decimal(5000),
    price_magnifier=100,
    contract_month="202605",
    last_trade_date=dt.date(2026, 5, 14),
    time_zone="America/Chicago",
)
LADDER = Ladder(mid_ns=300 * NS_PER_S, step_ns=150 * NS_PER_S, cross_ns=75 * NS_PER_S)
PLAN = ExecutionPlan(
    parent=ParentOrder(account="SIM1", contract=OATS, side=Side.BUY, lots=5, strategy=Strategy.TWAP),
    slices=tuple(
        PlannedSlice(number=n, lots=lots, offset_ns=0, earliest_ns=0, latest_ns=0, ladder=LADDER)
        for n, lots in ((1, 3), (2, 2))
    ),
    duration_ns=1200 * NS_PER_S,
    step=Decimal("0.001"),
    seed=1,
    participation=0.05,
    adv_lots=100.0,
    adv_source="bars",
    decision_mid=None,
    prediction=None,
    previewed_ns=T0,
)


def at(seconds: float) -> int:
    """Give a time so many seconds after the beginning."""
    return T0 + round(seconds * NS_PER_S)


CHILD = ChildOrder(
    order_ref=REF,
    order_id=101,
    parent_id="P-0001",
    slice=1,
    account="SIM1",
    contract=OATS,
    side=Side.BUY,
    lots=3,
    limit_price=Decimal("370.00"),
    expires_ns=at(310),
    stage=Stage.MID,
)
MODIFIED = replace(CHILD, limit_price=Decimal("370.25"), expires_ns=at(460), stage=Stage.STEP)


def submitted(parent_id: str = "P-0001", *, plan: ExecutionPlan = PLAN, seconds: float = 0) -> ev.ParentSubmitted:
    """Give the submission of a plan."""
    quote = Quote(con_id=101, time_ns=T0, bid=Decimal(369), ask=Decimal(371), bid_size=1, ask_size=1)
    return ev.ParentSubmitted(time_ns=at(seconds), parent_id=parent_id, plan=plan, quote=quote)


def reserved(child: ChildOrder = CHILD, *, action: Action = Action.PLACE) -> ev.ChildReserved:
    """Give the reservation of a place or modify."""
    return ev.ChildReserved(
        time_ns=at(0),
        action=action,
        child=child,
        client_id=1,
        content_hash=child.content_hash,
        quote=None,
        predicted_slippage=None,
        predictor_version=None,
    )


def sent(action: Action = Action.PLACE) -> ev.ChildSent:
    """Give the sending of a frame."""
    return ev.ChildSent(time_ns=at(1), order_ref=REF, action=action, content_hash="")


def failed(action: Action = Action.PLACE) -> ev.SendFailed:
    """Give a failure to send."""
    return ev.SendFailed(time_ns=at(1), order_ref=REF, action=action, reason="lost")


def status(word: str = "Submitted", *, perm_id: int = 7, seconds: float = 2) -> ev.OrderStatusReported:
    """Give an order status."""
    return ev.OrderStatusReported(
        time_ns=at(seconds),
        order_ref=REF,
        order_id=101,
        perm_id=perm_id,
        status=word,
        filled_lots=0,
        remaining_lots=3,
    )


def shown(child: ChildOrder = CHILD) -> ev.OpenOrderReported:
    """Give an open order with the terms of `child`."""
    return ev.OpenOrderReported(
        time_ns=at(2),
        order_ref=REF,
        order_id=101,
        perm_id=7,
        status="Submitted",
        lots=child.lots,
        limit_price=child.limit_price,
        expires_ns=child.expires_ns,
    )


def execution(lots: int, *, family: str = "a", revision: int = 1, price: str = "370.00") -> ev.ExecutionReported:
    """Give one revision of an execution."""
    return ev.ExecutionReported(
        time_ns=at(3),
        order_ref=REF,
        order_id=101,
        perm_id=7,
        exec_id=f"{family}.{revision:02d}",
        family=family,
        revision=revision,
        con_id=101,
        side=Side.BUY,
        lots=lots,
        price=Decimal(price),
        executed_ns=at(3),
        quote=None,
    )


def probed(*, still_open: bool = False, lots: int = 0, seconds: float = 20) -> ev.DeathProbed:
    """Give the answers about an order's death."""
    return ev.DeathProbed(time_ns=at(seconds), order_ref=REF, still_open=still_open, executed_lots=lots)


CANCEL = ev.CancelRequested(time_ns=at(4), order_ref=REF, reason="the ladder ended")
TIMED_OUT = ev.AckTimedOut(time_ns=at(11), order_ref=REF)
ERROR = ev.BrokerErrorReported(time_ns=at(5), order_ref=REF, code=201, message="rejected")
GONE = probed(seconds=312)  # the expiry and 2 s have passed

HISTORIES: dict[OrderState, Sequence[ev.Event]] = {
    OrderState.RESERVED: [],
    OrderState.SENT: [sent()],
    OrderState.WORKING: [sent(), status()],
    OrderState.CANCEL_PENDING: [sent(), status(), CANCEL],
    OrderState.UNKNOWN: [sent(), TIMED_OUT],
    OrderState.FILLED: [sent(), status(), execution(3, family="z")],
    OrderState.DEAD: [sent(), status(), status("Cancelled"), probed()],
}


def fold(events: Sequence[ev.Event]) -> Ledger:
    """Give a ledger of one parent, its first order reserved, and what came then."""
    ledger = Ledger()
    for event in [submitted(), reserved(), *events]:
        ledger.apply(event)
    return ledger


R, S, W, C, U, F, D = OrderState
TABLE = [
    # event, then the state that follows each of: reserved, sent, working, cancel pending, unknown, filled, dead
    ("sent", sent(), (S, S, W, C, U, F, D)),
    ("send failed", failed(), (D, D, U, U, D, F, D)),
    ("status Submitted", status(), (W, W, W, C, W, F, D)),
    ("status PendingSubmit", status("PendingSubmit"), (R, S, W, C, U, F, D)),
    ("status Filled", status("Filled"), (W, W, W, C, W, F, D)),
    ("status Cancelled", status("Cancelled"), (C, C, C, C, C, F, D)),
    ("status ApiCancelled", status("ApiCancelled"), (C, C, C, C, C, F, D)),
    ("status PendingCancel", status("PendingCancel"), (C, C, C, C, C, F, D)),
    ("status Inactive", status("Inactive"), (U, U, U, C, U, F, D)),
    ("open order", shown(), (W, W, W, C, W, F, D)),
    ("part filled", execution(1), (W, W, W, C, W, F, D)),
    ("all filled", execution(3), (F, F, F, F, F, F, F)),
    ("cancel requested", CANCEL, (C, C, C, C, C, F, D)),
    ("ack timed out", TIMED_OUT, (U, U, U, U, U, F, D)),
    ("error", ERROR, (R, S, W, C, U, F, D)),
    ("proven by the expiry", GONE, (D, D, D, D, D, F, D)),
    ("still open", probed(still_open=True, seconds=400), (W, W, W, C, W, F, D)),
    ("gone too early", probed(), (U, U, U, C, U, F, D)),
    ("gone with a fill unseen", probed(lots=1, seconds=400), (U, U, U, C, U, F, D)),
]


@pytest.mark.parametrize(("event", "after"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table_of_order_states(event: ev.Event, after: tuple[OrderState, ...]) -> None:
    """Every event in every state leads where the table says."""
    for (state, history), expected in zip(HISTORIES.items(), after, strict=True):
        assert fold(history).orders[REF].state is state

        assert fold([*history, event]).orders[REF].state is expected, f"from {state}"


def test_death_needs_the_word_the_open_orders_and_the_executions() -> None:
    """Cancelled alone frees no lot; with both answers it does."""
    cancelled = [sent(), status(), status("Cancelled")]

    assert fold(cancelled).orders[REF].working_lots == 3
    assert fold([*cancelled, probed(still_open=True)]).orders[REF].working_lots == 3
    assert fold([*cancelled, probed(lots=1)]).orders[REF].working_lots == 3
    assert fold([*cancelled, execution(1), probed(lots=1)]).orders[REF].state is OrderState.DEAD
    assert fold([*cancelled, probed()]).orders[REF].working_lots == 0


def test_every_perm_id_must_be_cancelled() -> None:
    """A modify in an outage can leave two living orders behind one name."""
    two = [sent(), status(perm_id=7), status(perm_id=8), status("Cancelled", perm_id=7)]

    assert not fold(two).orders[REF].wire_cancelled
    assert fold([*two, probed()]).orders[REF].state is not OrderState.DEAD
    assert fold([*two, status("Cancelled", perm_id=8), probed()]).orders[REF].state is OrderState.DEAD


def test_no_error_code_ends_an_order() -> None:
    """Whatever the code, the lots stay reserved."""
    for code in (103, 104, 105, 110, 161, 201, 202, 399, 2102, 10147, 10148, 10349):
        ledger = fold([sent(), status(), replace(ERROR, code=code)])

        assert ledger.working(101) == (3, 0)


def test_executions_are_booked_by_the_latest_revision_of_their_family() -> None:
    """Twice, corrected, corrected before the original, busted: the sum is that of the latest revisions."""
    booked = {
        "twice": [execution(2), execution(2)],
        "corrected": [execution(1), execution(2, revision=2)],
        "correction first": [execution(2, revision=2), execution(1)],
        "two families": [execution(1), execution(1, family="b", price="371.00")],
        "busted": [execution(3), execution(0, revision=2), execution(2, family="b")],
    }
    for name, events in booked.items():
        ledger = fold([sent(), *events])

        assert ledger.orders[REF].booked_lots == 2, name
        assert ledger.booked_position(101) == 2
        assert ledger.parents["P-0001"].filled_lots == 2
        assert ledger.parents["P-0001"].slices[0].filled_lots == 2
    assert fold(booked["two families"]).orders[REF].average_price == Decimal("370.50")


def test_a_fill_on_a_finished_order_is_booked_and_flagged() -> None:
    """Neither dropped nor silent; more than the total is an overfill."""
    late = fold([*HISTORIES[OrderState.DEAD], execution(1)]).orders[REF]
    over = fold([sent(), execution(3), execution(1, family="b")]).orders[REF]

    assert (late.booked_lots, late.late_fill, late.overfilled) == (1, True, False)
    assert (over.booked_lots, over.late_fill, over.overfilled) == (4, True, True)


def test_an_execution_before_its_status_acknowledges_the_order() -> None:
    """The order of reports is not to be relied on."""
    first = fold([sent(), execution(1), status()]).orders[REF]
    second = fold([sent(), status(), execution(1)]).orders[REF]

    assert (first.state, first.booked_lots, first.working_lots) == (second.state, 1, 2)
    assert fold([sent(), execution(1)]).orders[REF].acked_ns == at(3)


def test_a_modify_is_pending_until_the_broker_shows_its_terms() -> None:
    """An old open order or a status acknowledges nothing; the longer expiry counts meanwhile."""
    history = [sent(), status(), reserved(MODIFIED, action=Action.MODIFY), sent(Action.MODIFY)]
    pending = fold([*history, shown(CHILD), status()]).orders[REF]
    taken = fold([*history, shown(MODIFIED)]).orders[REF]
    unsent = fold([*history[:-1], failed(Action.MODIFY)]).orders[REF]

    assert (pending.child, pending.pending, pending.terms) == (CHILD, MODIFIED, MODIFIED)
    assert (pending.expires_ns, pending.working_lots, pending.state) == (at(460), 3, OrderState.WORKING)
    assert (taken.child, taken.pending) == (MODIFIED, None)
    assert (unsent.child, unsent.pending, unsent.expires_ns) == (CHILD, None, at(310))


def test_the_expiry_of_a_pending_modify_delays_the_proof_of_death() -> None:
    """An order whose modify was not answered may live until the later of both expiries."""
    history = [sent(), status(), reserved(MODIFIED, action=Action.MODIFY), sent(Action.MODIFY)]

    assert fold([*history, GONE]).orders[REF].state is not OrderState.DEAD
    assert fold([*history, probed(seconds=462)]).orders[REF].state is OrderState.DEAD


def test_messages_and_slices_are_counted() -> None:
    """Frames, names, stage and times of a slice follow from its orders."""
    ledger = fold([sent(), status(), reserved(MODIFIED, action=Action.MODIFY), sent(Action.MODIFY), CANCEL])
    parent = ledger.parents["P-0001"]

    assert ledger.orders[REF].messages == parent.messages == parent.slices[0].messages == 3
    assert parent.slices[0].order_refs == parent.order_refs == (REF,)
    assert (parent.slices[0].stage, parent.slices[0].expires_ns) == (Stage.STEP, at(460))
    assert (parent.slices[0].sent_ns, parent.slices[0].status) == (at(1), SliceStatus.WORKING)
    assert parent.slices[1].status is SliceStatus.PLANNED


def test_status_of_a_parent_follows_its_life() -> None:
    """Scheduled, working, paused, working again, and its end, which nothing changes any more."""
    seen = []
    ledger = Ledger()
    for event in [
        submitted(),
        reserved(),
        ev.ParentPaused(time_ns=at(2), parent_id="P-0001"),
        ev.ParentResumed(time_ns=at(3), parent_id="P-0001"),
        ev.SliceFinished(
            time_ns=at(4),
            parent_id="P-0001",
            slice=1,
            filled_lots=0,
            carried_lots=2,
            status=SliceStatus.PARTIAL,
            reason="over",
        ),
        ev.ParentFinished(time_ns=at(5), parent_id="P-0001", status=ParentStatus.PARTIAL, reason="short"),
        ev.ParentFinished(time_ns=at(6), parent_id="P-0001", status=ParentStatus.FILLED, reason="twice"),
        ev.ParentPaused(time_ns=at(7), parent_id="P-0001"),
    ]:
        ledger.apply(event)
        seen.append(ledger.parents["P-0001"].status.value)

    assert seen == ["scheduled", "working", "paused", "working", "working", "partial", "partial", "partial"]
    parent = ledger.parents["P-0001"]
    assert (parent.reason, parent.finished_ns, parent.arrival_mid) == ("short", at(5), Decimal(370))
    assert (parent.slices[0].carried_lots, parent.slices[0].done_ns) == (2, at(4))


def test_exposure_leaves_out_what_is_asked_about() -> None:
    """Working lots by side, own lots by price, and open lots of the parent."""
    ledger = fold([sent(), status(), execution(1)])

    assert ledger.working(101) == (2, 0)
    assert ledger.working(101, without=REF) == (0, 0)
    assert ledger.working(102) == (0, 0)
    assert ledger.own_lots(101, side=Side.BUY) == {Decimal("370.00"): 2}
    assert ledger.own_lots(101, side=Side.SELL) == {}
    assert ledger.parent_open_lots("P-0001") == 2
    assert ledger.parent_open_lots("P-0001", without=REF) == 4
    assert ledger.booked_since(101, since_ns=at(3)) == 1
    assert ledger.booked_since(101, since_ns=at(4)) == 0
    assert (ledger.last_order_id(1), ledger.last_order_id(2)) == (101, 0)


def test_equal_parents_of_one_day_are_found() -> None:
    """The same plan always, an equal order on the same UTC day, not after a refusal that sent nothing."""
    again = replace(PLAN, seed=2, previewed_ns=at(60))
    tagged = replace(again, parent=replace(PLAN.parent, tag="second"))
    ledger = fold([])
    refused = Ledger()
    refused.apply(submitted())
    refused.apply(ev.ParentRefused(time_ns=at(1), parent_id="P-0001", check="max_lots", message="too many"))

    assert ledger.equal_parent(PLAN, now_ns=at(2) + DAY_NS) == "P-0001"
    assert ledger.equal_parent(again, now_ns=at(60)) == "P-0001"
    assert ledger.equal_parent(again, now_ns=at(60) + DAY_NS) is None
    assert ledger.equal_parent(tagged, now_ns=at(60)) is None
    assert refused.equal_parent(again, now_ns=at(60)) is None
    assert refused.equal_parent(PLAN, now_ns=at(60)) == "P-0001"


def test_profit_of_the_last_finished_parent_that_closed_lots() -> None:
    """Commissions before their execution count, those of opening trades tell none, a rearm forgets."""
    fee = ev.CommissionReported(
        time_ns=at(2), exec_id="a.01", commission=Decimal(2), currency="USD", realised_pnl=Decimal(-300)
    )
    finished = ev.ParentFinished(time_ns=at(9), parent_id="P-0001", status=ParentStatus.PARTIAL, reason="")
    ledger = fold([sent(), fee, execution(2)])
    before = ledger.last_parent_pnl
    ledger.apply(finished)
    after = ledger.last_parent_pnl
    opening = fold([sent(), replace(fee, realised_pnl=None), execution(2), finished])
    ledger.apply(ev.Rearmed(time_ns=at(10), reason="seen"))

    assert (before, after) == (None, Decimal(-300))
    assert opening.last_parent_pnl is None
    assert ledger.last_parent_pnl is None


def test_equity_peak_and_day_start() -> None:
    """The peak is the highest, the day's start the first of the UTC day; a rearm begins both anew."""
    ledger = Ledger()
    for seconds, equity in ((0, 100), (1, 120), (2, 90)):
        ledger.apply(account(equity, time_ns=at(seconds)))
    first_day = (ledger.equity, ledger.peak_equity, ledger.day_start_equity)
    ledger.apply(account(95, time_ns=at(0) + DAY_NS))
    second_day = (ledger.equity, ledger.peak_equity, ledger.day_start_equity)
    ledger.apply(account(80, time_ns=at(1) + DAY_NS))
    ledger.apply(ev.Killed(time_ns=at(2) + DAY_NS, reason="drawdown"))
    killed = ledger.killed
    ledger.apply(ev.Rearmed(time_ns=at(3) + DAY_NS, reason="seen"))

    assert first_day == (90, 120, 100)
    assert second_day == (95, 120, 95)
    assert killed == "drawdown"
    assert (ledger.killed, ledger.peak_equity, ledger.day_start_equity) == (None, 80, 80)


def account(equity: int, *, time_ns: int) -> ev.AccountReported:
    """Give an account report."""
    return ev.AccountReported(
        time_ns=time_ns, currency="USD", equity=Decimal(equity), realised_pnl=None, unrealised_pnl=None
    )


def test_a_new_connection_must_be_reconciled_again() -> None:
    """Breaks do not reconcile, and any change of the connection undoes it."""
    ledger = Ledger()
    seen = []
    for event in [
        ev.ConnectionChanged(time_ns=at(0), state=ConnectionState.UP, message=""),
        ev.Reconciled(time_ns=at(1), breaks=1, message=""),
        ev.Reconciled(time_ns=at(2), breaks=0, message=""),
        ev.ConnectionChanged(time_ns=at(3), state=ConnectionState.UP, message="1102"),
    ]:
        ledger.apply(event)
        seen.append(ledger.reconciled)

    assert seen == [False, False, True, False]
    assert ledger.connection is ConnectionState.UP


def test_orders_of_others_are_never_counted() -> None:
    """Reports under a name that was never reserved change nothing."""
    ledger = Ledger()
    for event in (status(), shown(), execution(3), ERROR, probed(), CANCEL, sent(), failed(), TIMED_OUT):
        ledger.apply(event)

    assert ledger.orders == {}
    assert ledger.booked_position(101) == 0


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), shuffled=st.randoms(use_true_random=False))
def test_reports_in_any_order_and_any_number_book_the_same(seed: int, shuffled: random.Random) -> None:
    """Executions and their revisions, shuffled and repeated among other reports, sum to the latest revisions."""
    draw = random.Random(seed)  # noqa: S311  a test's own dice
    latest: dict[str, int] = {}
    reports: list[ev.Event] = [status(), status("Cancelled"), CANCEL, ERROR]
    for family in "abc":
        for revision in range(1, draw.randint(1, 3) + 1):
            latest[family] = draw.randint(0, 2)
            reports.append(execution(latest[family], family=family, revision=revision))
    reports += draw.choices(reports, k=5)
    shuffled.shuffle(reports)

    ledger = fold([sent(), *reports])

    assert ledger.orders[REF].booked_lots == ledger.booked_position(101) == sum(latest.values())
    assert ledger.orders[REF].overfilled or sum(latest.values()) <= 3
