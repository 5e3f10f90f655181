"""What a tripped breaker lets pass, whatever it reads by now, and what its refusal says."""

from decimal import Decimal
from typing import Any

import pytest

from hydra_nb.domain.breakers import POSITION_BREAKERS, BreakerName, stops
from hydra_nb.domain.events import BreakerTripped
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import Side
from hydra_nb.risk import RiskGate
from hydra_nb.risk.checks import CHECKS, PARENT_CHECKS, Cure
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Approved, Refused

from .making import NOW_NS, OATS, make_case, make_child, make_parent, make_snapshot

STOPPING = [name for name in BreakerName if name not in POSITION_BREAKERS]
FUNCTIONS = {check.name: check.function for check in CHECKS}
FLAT, LONG, SHORT = 0, 60, -60


def tripped(breaker: str, **changes: Any) -> BreakerTripped:
    """A trip of a minute ago, at 12 where 10 are allowed."""
    terms = {
        "time_ns": NOW_NS,
        "breaker": breaker,
        "observed": 12.0,
        "limit": 10.0,
        "unit": "cats",
        "reason": "12 cats",
    }
    return BreakerTripped(**(terms | changes))


def of_position(breaker: str, side: Side) -> BreakerTripped:
    """A trip of a position of oats on one side."""
    return tripped(breaker, con_id=OATS.con_id, local_symbol="ZOK6", side=side)


@pytest.mark.parametrize("breaker", STOPPING)
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("position", [FLAT, LONG, SHORT])
def test_a_tripped_breaker_refuses_every_order(breaker: str, side: Side, position: int) -> None:
    """Also one that would reduce, with figures that are all in order by now, and hard: no waiting cures it."""
    snapshot = make_snapshot(breakers={breaker: tripped(breaker)}, position_lots=position)

    verdict = RiskGate(Limits(max_position_lots=100, max_position_percent_of_equity=1e4)).check(
        make_child(side=side), action=Action.PLACE, snapshot=snapshot
    )

    assert isinstance(verdict, Refused)
    assert [one.check for one in verdict.decisions if not one.allowed] == [breaker]
    assert not verdict.transient


@pytest.mark.parametrize("breaker", STOPPING)
def test_its_refusal_tells_the_trip_and_what_it_reads_now_and_what_to_do(breaker: str) -> None:
    """Observed and limit are those of the trip; the sentence adds since when, the figure of now, and the remedy."""
    decision = FUNCTIONS[breaker](make_case(snapshot=make_snapshot(breakers={breaker: tripped(breaker)})))

    assert (decision.observed, decision.limit, decision.unit) == (12.0, 10.0, "cats")
    assert decision.message.startswith("12 cats: tripped 2026-03-03 15:00:00 UTC")
    assert decision.message.endswith(f'; once you know why, say await desk.rearm("why", breaker="{breaker}")')
    assert decision.would_pass is None


def test_its_refusal_tells_a_loss_that_has_been_made_good() -> None:
    """The breaker does not close by itself."""
    snapshot = make_snapshot(equity=Decimal(1_002_000), breakers={"daily_loss": tripped("daily_loss")})

    decision = FUNCTIONS["daily_loss"](make_case(snapshot=snapshot))

    assert not decision.allowed
    assert "UTC, now -2,000 USD;" in decision.message


@pytest.mark.parametrize("breaker", sorted(POSITION_BREAKERS))
@pytest.mark.parametrize(
    ("position", "side", "lots", "working", "allowed", "would_pass"),
    [
        (LONG, Side.SELL, 60, 0, True, 60),
        (LONG, Side.SELL, 61, 0, False, 60),
        (LONG, Side.SELL, 50, 10, True, 50),
        (LONG, Side.SELL, 51, 10, False, 50),
        (LONG, Side.BUY, 1, 0, False, None),
        (SHORT, Side.BUY, 60, 0, True, 60),
        (SHORT, Side.BUY, 61, 0, False, 60),
        (SHORT, Side.SELL, 1, 0, False, None),
        (FLAT, Side.BUY, 1, 0, False, None),
        (FLAT, Side.SELL, 1, 0, False, None),
    ],
)
def test_a_tripped_position_breaker_lets_pass_what_reduces_until_flat(
    breaker: str, position: int, side: Side, lots: int, working: int, allowed: bool, would_pass: int | None
) -> None:
    """Counted worst case: what works on the same side may fill too. The position may be within its limits by now."""
    snapshot = make_snapshot(
        position_lots=position,
        working_buy_lots=working,
        working_sell_lots=working,
        breakers={breaker: of_position(breaker, Side.BUY)},
    )

    decision = FUNCTIONS[breaker](make_case(snapshot=snapshot, side=side, open_lots=lots, lots=lots))

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass
    assert not decision.transient
    if not allowed:
        assert decision.message.endswith(". Until then only orders that reduce the position pass")


def test_a_tripped_breaker_passes_no_other_lots_no_other_price_and_no_later_time() -> None:
    """What would pass is nothing, as a person is asked for."""
    gate, snapshot = RiskGate(Limits()), make_snapshot(breakers={"drawdown": tripped("drawdown")})

    found = gate.would_pass(
        make_parent(), snapshot=snapshot, first_price=Decimal(370), worst_price=Decimal(370), messages=4
    )

    assert (found.lots, found.price, found.time_ns) == (None, None, None)


def test_a_tripped_position_breaker_would_pass_the_lots_that_reduce() -> None:
    """Of a parent order too."""
    snapshot = make_snapshot(position_lots=4, breakers={"position_lots": of_position("position_lots", Side.BUY)})

    found = RiskGate(Limits()).would_pass(
        make_parent(side=Side.SELL), snapshot=snapshot, first_price=Decimal(370), worst_price=Decimal(370), messages=4
    )

    assert found.lots == 4


def test_every_breaker_has_a_check_that_a_person_or_fewer_lots_cure() -> None:
    """For parents and children alike, so that nothing is resubmitted by itself."""
    by_name = {check.name: check for check in PARENT_CHECKS}

    assert {by_name[name].cure for name in STOPPING} == {Cure.PERSON}
    assert {by_name[name].cure for name in POSITION_BREAKERS} == {Cure.LOTS}


def test_without_a_trip_the_gate_passes_as_ever() -> None:
    """The reverse of all above."""
    verdict = RiskGate(Limits()).check(make_child(), action=Action.PLACE, snapshot=make_snapshot())

    assert isinstance(verdict, Approved)


@pytest.mark.parametrize(
    ("trip", "con_id", "side", "stopped"),
    [
        (tripped("daily_loss"), 1, Side.BUY, True),
        (tripped("daily_loss"), 1, Side.SELL, True),
        (of_position("position_lots", Side.BUY), OATS.con_id, Side.BUY, True),
        (of_position("position_lots", Side.BUY), OATS.con_id, Side.SELL, False),
        (of_position("position_lots", Side.BUY), 1, Side.BUY, False),
    ],
)
def test_a_trip_stops_what_its_check_would_refuse(trip: BreakerTripped, con_id: int, side: Side, stopped: bool) -> None:
    """All orders; or of one contract those that add."""
    assert stops(trip, con_id=con_id, side=side) is stopped
