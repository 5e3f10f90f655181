"""Checks of size: lots, notional, share of volume, worst-case position."""

import dataclasses
import math
from decimal import Decimal

import pytest

from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import Side
from hydra_nb.risk import checks_size
from hydra_nb.risk.case import Case
from hydra_nb.risk.limits import Limits

from .making import make_case, make_child, make_parent, make_snapshot


@pytest.mark.parametrize(
    ("lots", "left", "allowed"),
    [
        (1, 1, True),
        (3, 1, True),
        (0, 0, False),
        (-1, -1, False),
        (3, 0, False),
        (3, -1, False),
        (3, 4, False),
        (2.0, 2.0, False),
        (True, 1, False),
        (math.nan, math.nan, False),
    ],
)
def test_lots_are_whole_positive_and_some_are_left(lots, left, allowed):
    """A float is not a number of lots, even where it is whole."""
    assert checks_size.lots_whole(make_case(lots=lots, open_lots=left)).allowed is allowed


@pytest.mark.parametrize(("lots", "allowed"), [(19, True), (20, True), (21, False)])
def test_lots_an_order_are_limited(lots, allowed):
    """At the limit passes; the limit is what would pass."""
    decision = checks_size.order_lots(make_case(order_lots=lots))

    assert decision.allowed is allowed
    assert decision.would_pass == 20


@pytest.mark.parametrize(("lots", "allowed"), [(50, True), (51, False)])
def test_lots_a_parent_are_limited(lots, allowed):
    """At the limit passes."""
    decision = checks_size.parent_lots(make_case(lots=lots))

    assert decision.allowed is allowed
    assert decision.would_pass == 50


@pytest.mark.parametrize(
    ("left", "allowed", "would_pass"), [(4, True, 4), (3, True, 3), (2, False, 2), (0, False, None), (-1, False, None)]
)
def test_a_child_holds_no_more_than_its_parent_has_left(left, allowed, would_pass):
    """Three lots need three left."""
    decision = checks_size.lots_left(make_case(snapshot=make_snapshot(parent_open_lots=left)))

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass


@pytest.mark.parametrize(
    ("limit", "allowed", "would_pass"), [(55_500.0, True, 3), (55_499.99, False, 2), (18_499.0, False, None)]
)
def test_the_notional_of_an_order_is_limited(limit, allowed, would_pass):
    """Three oats at 370 cents are 55,500 dollars: the magnifier counts once."""
    decision = checks_size.order_notional(make_case(limits=Limits(max_notional_per_order=limit)))

    assert decision.allowed is allowed
    assert decision.observed == 55_500
    assert decision.would_pass == would_pass


def test_a_negative_reference_has_the_notional_of_its_amount():
    """Below zero an order is not worth less than nothing."""
    case = make_case(
        snapshot=make_snapshot(reference_mid=Decimal(-370)), limits=Limits(max_notional_per_order=55_499.0)
    )

    assert not checks_size.order_notional(case).allowed


@pytest.mark.parametrize("unknown", [None, Decimal("NaN")])
@pytest.mark.parametrize("check", [checks_size.order_notional, checks_size.position_share])
def test_without_a_reference_nothing_can_be_valued(check, unknown):
    """Refused, and worth waiting for."""
    decision = check(make_case(snapshot=make_snapshot(reference_mid=unknown)))

    assert not decision.allowed
    assert decision.transient


@pytest.mark.parametrize(
    ("lots_today", "adv", "caller_adv", "allowed", "would_pass", "source"),
    [
        (0, 420.0, None, True, 21, "broker bars"),
        (18, 420.0, None, True, 3, "broker bars"),
        (19, 420.0, None, False, 2, "broker bars"),
        (21, 420.0, None, False, None, "broker bars"),
        (0, 420.0, 60.0, True, 3, "caller"),
        (0, 420.0, 59.0, False, 2, "caller"),
        (0, 59.0, 10_000.0, False, 2, "broker bars"),
        (0, 0.0, None, False, None, "broker bars"),
        (0, None, 10_000.0, True, 3, "caller"),
        (1, None, 10_000.0, False, 2, "caller"),
        (0, None, 59.0, False, 2, "caller"),
        (0, math.nan, 10_000.0, True, 3, "caller"),
        (0, None, None, False, None, "broker bars"),
        (0, None, math.nan, False, None, "broker bars"),
        (0, -5.0, -5.0, False, None, "broker bars"),
    ],
)
def test_the_share_of_volume_is_limited_by_the_smaller_figure(lots_today, adv, caller_adv, allowed, would_pass, source):
    """5 % of 420 lots are 21; a volume of the caller's alone allows three lots; no volume allows none."""
    snapshot = make_snapshot(lots_today=lots_today, adv_lots=adv, caller_adv_lots=caller_adv)

    decision = checks_size.volume_share(make_case(snapshot=snapshot))

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass
    assert decision.source == source
    assert not decision.transient


def test_a_callers_volume_alone_is_called_the_callers():
    """Also where it came in by the broker's place."""
    snapshot = make_snapshot(adv_lots=10_000.0, adv_source="caller", caller_adv_lots=10_000.0, lots_today=1)

    decision = checks_size.volume_share(make_case(snapshot=snapshot))

    assert not decision.allowed
    assert "is the caller's" in decision.message


def test_volume_of_simulated_bars_is_called_so():
    """Nobody takes it for a real figure."""
    decision = checks_size.volume_share(make_case(snapshot=make_snapshot(adv_source="simulated bars")))

    assert decision.source == "simulated bars"


@pytest.mark.parametrize(
    ("side", "position", "buys", "sells", "allowed", "would_pass"),
    [
        (Side.BUY, 0, 0, 0, True, 10),
        (Side.BUY, 7, 0, 0, True, 3),
        (Side.BUY, 4, 3, 0, True, 3),
        (Side.BUY, 5, 3, 0, False, 2),
        (Side.BUY, 5, 3, 9, False, 2),
        (Side.BUY, 10, 0, 0, False, None),
        (Side.BUY, -30, 0, 0, True, 40),
        (Side.BUY, -30, 39, 0, False, 1),
        (Side.SELL, 30, 0, 0, True, 40),
        (Side.SELL, -7, 9, 0, True, 3),
        (Side.SELL, -5, 0, 3, False, 2),
        (Side.SELL, 0, 0, 8, False, 2),
    ],
)
def test_the_position_is_counted_worst_case(side, position, buys, sells, allowed, would_pass):
    """What works on the order's side counts as filled, what works against it as not; what reduces passes."""
    snapshot = make_snapshot(position_lots=position, working_buy_lots=buys, working_sell_lots=sells)
    case = make_case(snapshot=snapshot, side=side, limits=Limits(max_position_lots=10))

    decision = checks_size.position_lots(case)

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass


@pytest.mark.parametrize("check", [checks_size.position_lots, checks_size.position_share])
def test_an_unknown_position_is_refused(check):
    """Not taken for flat."""
    decision = check(make_case(snapshot=make_snapshot(position_lots=None)))

    assert not decision.allowed
    assert decision.transient


@pytest.mark.parametrize(
    ("equity", "position", "allowed", "would_pass"),
    [
        ("111000", 0, True, 3),
        ("110999", 0, False, 2),
        ("222000", 3, True, 3),
        ("222000", 4, False, 2),
        ("111000", -3, True, 6),
        ("0", 0, False, None),
        ("-100", -3, True, 3),
        ("-100", -2, False, 2),
    ],
)
def test_the_position_is_a_limited_share_of_equity(equity, position, allowed, would_pass):
    """Three oats are half of 111,000 dollars; what ends flat or less passes at any equity."""
    snapshot = make_snapshot(equity=Decimal(equity), position_lots=position)

    decision = checks_size.position_share(make_case(snapshot=snapshot))

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass
    assert not decision.transient


def test_an_unknown_equity_bounds_nothing_and_is_refused():
    """Also an order that would reduce: its share is not known."""
    decision = checks_size.position_share(make_case(snapshot=make_snapshot(equity=None, position_lots=-9)))

    assert not decision.allowed
    assert decision.transient


def test_a_modify_counts_what_is_left_of_its_order_once():
    """Of three lots one is booked, and stands in the position and in the lots of the day."""
    snapshot = make_snapshot(order_booked_lots=1, position_lots=8, lots_today=8, parent_open_lots=3)
    limits = Limits(max_position_lots=10, max_adv_percent=2.4)

    case = Case.of_child(make_child(), action=Action.MODIFY, snapshot=snapshot, limits=limits)

    assert checks_size.position_lots(case).observed == 10
    assert checks_size.position_lots(case).allowed
    assert checks_size.volume_share(case).allowed
    assert checks_size.lots_left(case).allowed


@pytest.mark.parametrize(("lots", "slices", "order_lots"), [(13, 1, 13), (13, 5, 6), (40, 5, 16), (3, 5, 2), (1, 5, 1)])
def test_of_a_sliced_parent_the_largest_order_is_twice_a_slice(lots, slices, order_lots):
    """A slice may work what the one before left, up to twice its own lots."""
    case = Case.of_parent(
        make_parent(),
        lots=lots,
        slices=slices,
        price=Decimal(370),
        messages=0,
        snapshot=make_snapshot(),
        limits=Limits(),
    )

    assert case.order_lots == order_lots
    assert case.open_lots == lots


def test_a_share_that_misses_a_lot_by_rounding_alone_has_it():
    """10 % of 30 lots are three, whatever binary fractions make of it."""
    assert checks_size.whole_lots(0.1 * 3 * 10) == 3
    assert checks_size.whole_lots(2.9999999) == 2
    assert checks_size.whole_lots(-0.5) == -1


def test_a_zero_reference_leaves_the_limits_in_lots():
    """Notional has no meaning at zero, and does not divide by it."""
    case = make_case(snapshot=make_snapshot(reference_mid=Decimal(0)))

    assert checks_size.order_notional(case).allowed
    assert checks_size.position_share(case).allowed
    assert not checks_size.position_lots(dataclasses.replace(case, open_lots=51)).allowed
