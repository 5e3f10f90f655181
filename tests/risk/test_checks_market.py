"""Checks of the market: session, quote, reference."""

import math
from decimal import Decimal

import pytest

from hydra_nb.domain.market import FeedType
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk import checks_market
from hydra_nb.risk.limits import Limits

from .making import NOW_NS, OATS, OPENS_NS, make_case, make_quote, make_snapshot


@pytest.mark.parametrize(
    ("now_ns", "allowed"),
    [
        (OATS.sessions[0].open_ns - 1, False),
        (OATS.sessions[0].open_ns, True),
        (OATS.sessions[0].close_ns - 1, True),
        (OATS.sessions[0].close_ns, False),
        (OPENS_NS, True),
    ],
)
def test_orders_pass_only_in_a_listed_session(now_ns, allowed):
    """Sessions are half open."""
    decision = checks_market.session_open(make_case(snapshot=make_snapshot(now_ns=now_ns)))

    assert decision.allowed is allowed
    assert decision.transient


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"feed": FeedType.DELAYED}, "delayed, not live"),
        ({"feed": FeedType.FROZEN}, "frozen, not live"),
        ({"feed": FeedType.DELAYED_FROZEN}, "delayed and frozen"),
        ({"halted": True}, "halted"),
        ({"con_id": 102}, "another contract"),
        ({"bid": Decimal("372.00")}, "crossed"),
        ({"bid": Decimal("371.75")}, "locked"),
        ({"bid": None, "ask": None}, "Both sides"),
        ({"bid_size": 0, "ask_size": 0}, "Both sides"),
        ({"bid": None, "ask_size": 0}, "Both sides"),
        ({"bid_size": -1}, "negative size"),
        ({"ask": Decimal("NaN")}, "no number"),
        ({"bid": Decimal("-Infinity")}, "no number"),
    ],
)
def test_a_quote_that_cannot_be_traded_on_is_refused(changes, words):
    """Delayed, frozen, halted, crossed, locked, empty, or of another contract."""
    decision = checks_market.quote_sane(make_case(snapshot=make_snapshot(quote=make_quote(**changes))))

    assert not decision.allowed
    assert words in decision.message
    assert decision.transient


def test_no_quote_passes_no_check_of_quotes():
    """Unknown is refused by each."""
    case = make_case(snapshot=make_snapshot(quote=None))

    assert not checks_market.quote_sane(case).allowed
    assert not checks_market.quote_age(case).allowed


@pytest.mark.parametrize(
    "changes", [{}, {"bid": None}, {"ask_size": 0}, {"bid": Decimal("-2.00"), "ask": Decimal("-1.00")}]
)
def test_a_live_quote_with_a_side_passes(changes):
    """One side may be empty, as the reference has an age limit of its own; prices may be negative."""
    assert checks_market.quote_sane(make_case(snapshot=make_snapshot(quote=make_quote(**changes)))).allowed


@pytest.mark.parametrize(("age_s", "allowed"), [(0, True), (30, True), (30.001, False), (-2, True), (-2.001, False)])
def test_a_quote_is_young(age_s, allowed):
    """At the limit passes; one from the future passes as far as clocks may differ."""
    quote = make_quote(time_ns=NOW_NS - round(age_s * NS_PER_S))

    decision = checks_market.quote_age(make_case(snapshot=make_snapshot(quote=quote)))

    assert decision.allowed is allowed
    assert decision.observed == pytest.approx(age_s)
    assert decision.transient


@pytest.mark.parametrize(
    ("both_sides", "age_s", "allowed"),
    [
        (True, 1.0, True),
        (True, 600.0, True),
        (True, 600.1, False),
        (False, 60.0, True),
        (False, 60.1, False),
        (False, -2.1, False),
        (True, None, False),
        (True, math.nan, False),
    ],
)
def test_a_reference_is_younger_where_a_side_is_empty(both_sides, age_s, allowed):
    """Where both sides show, an old reference means that one of them is ours alone."""
    quote = make_quote() if both_sides else make_quote(ask=None)

    decision = checks_market.reference_age(make_case(snapshot=make_snapshot(quote=quote, reference_age_s=age_s)))

    assert decision.allowed is allowed
    assert decision.transient


@pytest.mark.parametrize("reference", [None, Decimal("NaN")])
def test_an_unknown_reference_is_refused_whatever_its_age(reference):
    """An age without a price is the age of nothing."""
    decision = checks_market.reference_age(make_case(snapshot=make_snapshot(reference_mid=reference)))

    assert not decision.allowed


def test_the_ages_allowed_are_those_of_the_limits():
    """No age is written in the code."""
    limits = Limits(max_quote_age_s=0.5, max_own_touch_age_s=0.5)
    case = make_case(limits=limits)

    assert not checks_market.quote_age(case).allowed
    assert not checks_market.reference_age(case).allowed
