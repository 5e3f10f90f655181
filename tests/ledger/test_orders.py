"""Child orders in the ledger: their states, their executions, their terms, whatever comes twice, late or never."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import (
    Action,
    OrderState,
)
from hydra_nb.ledger import Ledger

from .making import (
    CANCEL,
    CHILD,
    ERROR,
    GONE,
    HISTORIES,
    MODIFIED,
    REF,
    TIMED_OUT,
    at,
    execution,
    failed,
    fold,
    probed,
    reserved,
    sent,
    shown,
    status,
)

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


@pytest.mark.parametrize("broker_s", [None, 0, 310])
def test_an_expiry_is_proven_by_both_clocks(broker_s: int | None) -> None:
    """Ours may be ahead, and the broker's may tell a false time: until both are past it, the order may still live."""
    by_ours = probed(seconds=900)

    early = replace(by_ours, broker_ns=None if broker_s is None else at(broker_s))

    assert fold([sent(), status(), early]).orders[REF].state is OrderState.UNKNOWN
    assert fold([sent(), status(), replace(by_ours, time_ns=at(311))]).orders[REF].state is OrderState.UNKNOWN
    assert fold([sent(), status(), by_ours]).orders[REF].state is OrderState.DEAD


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


def test_an_order_seen_open_after_its_expiry_is_not_dead_by_its_expiry() -> None:
    """Both clocks must be wrong: whatever list leaves it out later, only the wire's own word ends it."""
    history = [sent(), status(), probed(seconds=320, still_open=True)]
    punctual = [sent(), status(), probed(seconds=300, still_open=True)]

    assert fold([*history, probed(seconds=400)]).orders[REF].state is OrderState.UNKNOWN
    assert fold([*history, status("Cancelled"), probed(seconds=400)]).orders[REF].state is OrderState.DEAD
    assert fold([*punctual, probed(seconds=400)]).orders[REF].state is OrderState.DEAD


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


def test_lots_that_only_the_list_of_completed_orders_calls_filled_hinder_the_proof() -> None:
    """Until their executions come, or a person explains them; and the list never ends an order by itself."""
    gone = [sent(), status(), probed(seconds=400, completed=2)]
    con_id = fold(gone).orders[REF].child.contract.con_id
    unlocked = ev.ContractUnlocked(time_ns=at(500), con_id=con_id, local_symbol="ZOH7", reason="on the statement")
    too_early = ev.ContractUnlocked(time_ns=at(3), con_id=con_id, local_symbol="ZOH7", reason="something else")

    assert fold(gone).orders[REF].state is OrderState.UNKNOWN
    assert fold([*gone, probed(seconds=410, completed=0)]).orders[REF].state is OrderState.DEAD
    assert fold([*gone, execution(2), probed(seconds=410, lots=2, completed=2)]).orders[REF].state is OrderState.DEAD
    assert fold([*gone, unlocked, probed(seconds=510, completed=2)]).orders[REF].state is OrderState.DEAD
    assert fold([too_early, *gone]).orders[REF].state is OrderState.UNKNOWN
    assert fold([sent(), status(), probed(completed=0)]).orders[REF].state is OrderState.UNKNOWN


def test_lots_that_only_a_status_called_filled_hinder_the_proof() -> None:
    """Neither the wire's word nor the expiry frees them, until their executions come or a person explains them."""
    cancelled = [sent(), status(filled=1), status("Cancelled", filled=1), probed()]
    expired = [sent(), status(filled=2), status(filled=1), probed(seconds=400)]
    con_id = fold(cancelled).orders[REF].child.contract.con_id
    unlocked = ev.ContractUnlocked(time_ns=at(500), con_id=con_id, local_symbol="ZOH7", reason="on the statement")

    assert fold(cancelled).orders[REF].state is OrderState.CANCEL_PENDING
    assert fold(cancelled).orders[REF].working_lots == 3
    assert fold([*cancelled, execution(1), probed(lots=1)]).orders[REF].state is OrderState.DEAD
    assert fold([*expired, execution(1), probed(lots=1, seconds=410)]).orders[REF].state is not OrderState.DEAD
    assert fold([*expired, execution(2), probed(lots=2, seconds=410)]).orders[REF].state is OrderState.DEAD
    assert fold([*expired, unlocked, probed(seconds=510)]).orders[REF].state is OrderState.DEAD


def test_after_a_bust_neither_a_status_nor_the_list_of_completed_orders_is_a_witness() -> None:
    """They may still count what was taken back."""
    busted = [sent(), status(filled=2), execution(2), execution(0, revision=2)]

    assert fold([*busted, probed(seconds=400)]).orders[REF].state is OrderState.DEAD
    assert fold([*busted, probed(seconds=400, completed=2)]).orders[REF].state is OrderState.DEAD
