"""Parents, exposure, account and desk in the ledger."""

from dataclasses import replace
from decimal import Decimal

from hydra_nb.domain import events as ev
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import (
    Action,
    ParentStatus,
    SliceStatus,
    Stage,
)
from hydra_nb.domain.units import Side
from hydra_nb.ledger import Ledger, Traded

from .making import CANCEL, DAY_NS, MODIFIED, PLAN, REF, at, execution, fold, reserved, sent, status, submitted


def no_rate(_currency: str) -> None:
    """No rate of exchange is known."""


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
    assert (ledger.last_order_id(1), ledger.last_order_id(2)) == (101, 0)


def test_what_was_traded_in_a_day_follows_corrections_and_stays_in_the_day_of_the_execution() -> None:
    """Lots and points by contract and UTC day: doubled, corrected, overtaken and busted."""
    told = [sent(), execution(2), execution(2), execution(1, revision=2), execution(2)]

    ledger = fold(told)
    busted = fold([*told, execution(0, revision=3)])

    assert ledger.traded_on(at(3)) == {101: Traded(lots=1, points=Decimal("370.00"))}
    assert ledger.traded_on(at(3) + DAY_NS) == {}
    assert busted.traded_on(at(3)) == {101: Traded(lots=0, points=Decimal(0))}


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
    ledger = fold([account(100, time_ns=at(0)), sent(), fee, execution(2)])
    before = ledger.last_parent_pnl(no_rate)
    ledger.apply(finished)
    after = ledger.last_parent_pnl(no_rate)
    opening = fold([account(100, time_ns=at(0)), sent(), replace(fee, realised_pnl=None), execution(2), finished])
    ledger.apply(ev.Rearmed(time_ns=at(10), reason="seen"))

    assert (before, after) == (None, Decimal(-300))
    assert opening.last_parent_pnl(no_rate) is None
    assert ledger.last_parent_pnl(no_rate) is None


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
