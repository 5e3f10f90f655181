"""Checks of the limit price: tick, sign, the caller's limit, collars."""

from decimal import Decimal

import pytest

from hydra_nb.domain.units import Side
from hydra_nb.risk import checks_price
from hydra_nb.risk.limits import Limits

from .making import make_case, make_snapshot

ALL = (
    checks_price.price_on_tick,
    checks_price.price_sign,
    checks_price.caller_limit,
    checks_price.collar_ticks,
    checks_price.collar_percent,
)


@pytest.mark.parametrize("check", ALL)
@pytest.mark.parametrize("price", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity"), Decimal("sNaN")])
def test_a_price_that_is_no_number_is_refused_for_good(check, price):
    """By every check, and waiting does not cure it."""
    decision = check(make_case(price=price))

    assert not decision.allowed
    assert not decision.transient
    assert decision.would_pass is None


@pytest.mark.parametrize("check", ALL)
def test_no_price_is_refused_until_a_mid_is_known(check):
    """A parent has no price before its market has one."""
    decision = check(make_case(price=None))

    assert not decision.allowed
    assert decision.transient


@pytest.mark.parametrize("reference", [None, Decimal("NaN")])
@pytest.mark.parametrize("check", [checks_price.price_sign, checks_price.collar_ticks, checks_price.collar_percent])
def test_no_price_passes_against_an_unknown_mid(check, reference):
    """What is not known is refused, and may be waited for."""
    decision = check(make_case(snapshot=make_snapshot(reference_mid=reference)))

    assert not decision.allowed
    assert decision.transient


@pytest.mark.parametrize(
    ("price", "allowed", "would_pass"),
    [
        ("370", True, 370.0),
        ("370.25", True, 370.25),
        ("-0.25", True, -0.25),
        ("370.10", False, 370.0),
        ("370.2", False, 370.25),
    ],
)
def test_a_price_is_on_the_tick(price, allowed, would_pass):
    """Else the nearest that is."""
    decision = checks_price.price_on_tick(make_case(price=Decimal(price)))

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass


def test_a_price_off_tick_is_told_both_its_neighbours():
    """Value, limit, unit, remedy."""
    decision = checks_price.price_on_tick(make_case(price=Decimal("371.235")))

    assert decision.message == "Limit price 371.235 is off the 0.25 tick; nearest 371.00 or 371.25"


@pytest.mark.parametrize(
    ("price", "reference", "allowed"),
    [
        ("0.25", "370", True),
        ("0", "370", False),
        ("-0.25", "370", False),
        ("0", "30.00", True),
        ("-0.25", "30.25", False),
        ("-3.00", "-2.50", True),
        ("0.25", "-2.50", True),
    ],
)
def test_a_price_below_zero_needs_a_market_near_zero(price, reference, allowed):
    """120 ticks of 0.25 are 30: a mid above that is out of reach of zero."""
    decision = checks_price.price_sign(
        make_case(price=Decimal(price), snapshot=make_snapshot(reference_mid=Decimal(reference)))
    )

    assert decision.allowed is allowed


@pytest.mark.parametrize(
    ("side", "price", "limit", "allowed", "would_pass"),
    [
        (Side.BUY, "370", None, True, 370.0),
        (Side.BUY, "370", "370", True, 370.0),
        (Side.BUY, "370.25", "370", False, 370.0),
        (Side.BUY, "300", "370", True, 300.0),
        (Side.SELL, "370", "370", True, 370.0),
        (Side.SELL, "369.75", "370", False, 370.0),
        (Side.SELL, "400", "370", True, 400.0),
    ],
)
def test_the_callers_limit_is_never_passed(side, price, limit, allowed, would_pass):
    """On the order's own side; equal to it passes."""
    snapshot = make_snapshot(caller_limit=None if limit is None else Decimal(limit))

    decision = checks_price.caller_limit(make_case(side=side, price=Decimal(price), snapshot=snapshot))

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("price", "allowed", "would_pass", "observed"),
    [
        ("375", True, 375.0, 20),
        ("375.25", False, 375.0, 21),
        ("365", True, 365.0, 20),
        ("364.75", False, 365.0, 21),
        ("3700", False, 375.0, 13_320),
    ],
)
def test_the_collar_in_ticks_holds_on_both_sides(side, price, allowed, would_pass, observed):
    """20 ticks of 0.25 about 370, for BUY and SELL alike."""
    decision = checks_price.collar_ticks(make_case(side=side, price=Decimal(price), limits=Limits(collar_ticks=20)))

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass
    assert decision.observed == observed


def test_a_price_outside_the_collar_is_told_in_the_words_of_the_desk():
    """How far, how far it may be, and what would do."""
    decision = checks_price.collar_ticks(make_case(price=Decimal(376), limits=Limits(collar_ticks=20)))

    assert decision.message == "24 ticks above mid, 20 allowed: nearest 375.00"


def test_the_collar_about_a_mid_between_ticks_ends_on_a_tick():
    """Half a tick more does not fit."""
    case = make_case(
        price=Decimal(376), snapshot=make_snapshot(reference_mid=Decimal("370.125")), limits=Limits(collar_ticks=20)
    )

    assert checks_price.collar_ticks(case).would_pass == 375.0


def test_a_collar_without_a_tick_in_it_allows_no_price():
    """With the mid between two ticks, zero ticks away is nowhere."""
    case = make_case(snapshot=make_snapshot(reference_mid=Decimal("370.125")), limits=Limits(collar_ticks=0))

    decision = checks_price.collar_ticks(case)

    assert not decision.allowed
    assert decision.would_pass is None


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(
    ("reference", "price", "allowed", "would_pass"),
    [
        ("400", "406", True, 406.0),
        ("400", "406.25", False, 406.0),
        ("400", "394", True, 394.0),
        ("400", "393.75", False, 394.0),
        ("-400", "-406", True, -406.0),
        ("-400", "-406.25", False, -406.0),
        ("1", "1.25", True, 1.25),
        ("1", "1.50", False, 1.25),
        ("0", "-0.25", True, -0.25),
        ("0", "0.50", False, 0.25),
    ],
)
def test_the_collar_in_percent_holds_on_both_sides_and_at_any_sign(side, reference, price, allowed, would_pass):
    """1.5 % of 400 are 6; near zero one tick is always within."""
    case = make_case(side=side, price=Decimal(price), snapshot=make_snapshot(reference_mid=Decimal(reference)))

    decision = checks_price.collar_percent(case)

    assert decision.allowed is allowed
    assert decision.would_pass == would_pass
