"""What is kept of orders from one look at the exposure to the next: nothing that has changed."""

import dataclasses
import random
from decimal import Decimal

import pytest

from hydra_nb.domain import events as ev
from hydra_nb.domain.orders import Action, ChildOrder, Stage
from hydra_nb.domain.units import Side
from hydra_nb.order_manager import exposure
from tests.ledger.making import OATS, T0, at, reserved

from .test_exposure import DOLLARS, JULY, PALLADIUM, Told

SEED = 5


def test_who_looks_all_day_sees_what_a_fresh_look_sees() -> None:
    """After every order, change of price, fill and end, in whatever order they come."""
    dice, told = random.Random(SEED), Told()  # noqa: S311  the story of a test
    kept, at_work = told.exposures, list[ChildOrder]()
    for step in range(300):
        deed = dice.choice(("work", "work", "modify", "fill", "end")) if at_work else "work"
        if deed == "work":
            side, price = dice.choice(list(Side)), f"{dice.randrange(300, 500)}.00"
            at_work.append(told.work(dice.choice((OATS, JULY, PALLADIUM)), side, dice.randrange(1, 5), price))
        elif deed == "modify":
            place = dice.randrange(len(at_work))
            price = Decimal(dice.randrange(300, 500))
            at_work[place] = dataclasses.replace(at_work[place], limit_price=price, stage=Stage.STEP)
            told.ledger.apply(reserved(at_work[place], action=Action.MODIFY))
        elif deed == "fill":
            child = at_work.pop(dice.randrange(len(at_work)))
            told.fill(child, dice.randrange(1, child.lots + 1), "400.00", seconds=3 + step / 10)
        else:
            _never_sent(told, at_work.pop())

        for side in Side:
            looks = [one.of(OATS, side=side, account=DOLLARS, without=None) for one in (kept, told.exposures)]
            assert looks[0] == looks[1], f"seed {SEED}, step {step}: {deed}"
        days = [one.notional_today(T0, account=DOLLARS, without=None) for one in (kept, told.exposures)]
        assert days[0] == days[1], f"seed {SEED}, step {step}: {deed}"


def _never_sent(told: Told, child: ChildOrder) -> None:
    failed = ev.SendFailed(time_ns=at(2), order_ref=child.order_ref, action=Action.PLACE, reason="a test")
    told.ledger.apply(failed)


def test_orders_that_did_not_change_are_not_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else two hundred orders that come due at one instant would have each other worked out forty thousand times."""
    told = Told()
    for number in range(50):
        told.work(OATS, Side.BUY, 1, f"{300 + number}.00")
    kept, worked_out = told.exposures, list[str]()
    work_out = exposure._Open.of

    def counted(record: exposure.OrderRecord) -> exposure._Open:
        worked_out.append(record.order_ref)
        return work_out(record)

    monkeypatch.setattr(exposure._Open, "of", counted)
    for _ in range(3):
        kept.of(OATS, side=Side.BUY, account=DOLLARS, without=None)
        kept.notional_today(T0, account=DOLLARS, without=None)
    one_more = told.work(OATS, Side.BUY, 1, "400.00")
    kept.of(OATS, side=Side.BUY, account=DOLLARS, without=None)

    assert len(worked_out) == 51
    assert worked_out[-1] == one_more.order_ref
