"""What position the gate counts with: the broker's word and our fills come by different ways, either may be ahead."""

from decimal import Decimal

import pytest

from hydra_nb.domain import events as ev
from hydra_nb.order_manager.snapshot import SnapshotTaker
from tests.ledger.making import CHILD, OATS, execution, fold, sent
from tests.order_manager.test_sequences import Broker

COMPARED = ev.Reconciled(time_ns=0, breaks=0, message="")


@pytest.mark.parametrize(
    ("others", "booked", "told", "span", "shown"),
    [
        (0, 0, 0, (0, 0), 0),
        (0, 0, 1, (0, 1), 0),  # the broker's word of a fill that no execution has told
        (0, 1, 1, (1, 1), 1),  # the execution came after it, and is not counted twice
        (0, 2, 1, (1, 2), 2),  # the broker's word is of before the second fill
        (-4, 2, -2, (-2, -2), -2),
        (-4, 2, -5, (-5, -2), -2),  # others traded, which the next comparison finds
    ],
)
def test_a_position_lies_between_the_brokers_word_and_our_fills(others, booked, told, span, shown):
    """Whoever buys counts with the most, whoever sells with the least."""
    adopted = ev.PositionAdopted(time_ns=0, con_id=OATS.con_id, local_symbol="ZOK6", others_lots=others, reason="")
    fills = [execution(booked)] if booked else []
    ledger = fold([sent(), COMPARED, adopted, *fills])
    broker = Broker()
    broker.told[OATS.con_id] = ev.PositionReported(
        time_ns=0, con_id=OATS.con_id, local_symbol="ZOK6", symbol="ZO", lots=told, average_cost=Decimal(0)
    )

    taker = SnapshotTaker(ledger=ledger, broker=broker, journal=broker, clock=broker)

    assert taker.span(OATS.con_id) == span
    assert taker.position(OATS.con_id) == shown
    assert taker.of_child(CHILD, parent=ledger.parents["P-0001"].plan.parent).position_lots == span[1]


def test_before_ledger_and_broker_were_compared_the_brokers_word_is_shown():
    """Nobody knows yet what of it is others'."""
    ledger, broker = fold([sent()]), Broker()
    broker.told[OATS.con_id] = ev.PositionReported(
        time_ns=0, con_id=OATS.con_id, local_symbol="ZOK6", symbol="ZO", lots=-7, average_cost=Decimal(0)
    )

    taker = SnapshotTaker(ledger=ledger, broker=broker, journal=broker, clock=broker)

    assert taker.position(OATS.con_id) == -7


def test_of_what_this_desk_does_not_trade_the_brokers_word_is_shown():
    """Others may trade it by hand at any time, and nobody compares at once."""
    ledger, broker = fold([sent(), COMPARED]), Broker()
    broker.told[999] = ev.PositionReported(
        time_ns=0, con_id=999, local_symbol="PAM6", symbol="PA", lots=3, average_cost=Decimal(0)
    )

    taker = SnapshotTaker(ledger=ledger, broker=broker, journal=broker, clock=broker)

    assert taker.position(999) == 3
    assert taker.span(999) == (0, 3)
