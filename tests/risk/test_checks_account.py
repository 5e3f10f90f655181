"""Circuit breakers: loss of the day, drawdown, loss of the last trade."""

from decimal import Decimal

import pytest

from hydra_nb.risk import checks_account
from hydra_nb.risk.limits import Limits

from .making import make_case, make_snapshot

LIMITS = Limits(max_daily_loss=10_000.10, max_drawdown_percent=5.0, max_parent_loss=500.0)


@pytest.mark.parametrize(
    ("equity", "start", "allowed"),
    [
        ("1000000", "1000000", True),
        ("1010000", "1000000", True),
        ("989999.90", "1000000", True),
        ("989999.89", "1000000", False),
        ("-5000.10", "5000", True),
        ("-5000.11", "5000", False),
    ],
)
def test_the_loss_of_the_day_trips_beyond_its_limit(equity, start, allowed):
    """To the cent; a gain passes."""
    snapshot = make_snapshot(equity=Decimal(equity), day_start_equity=Decimal(start))

    decision = checks_account.daily_loss(make_case(limits=LIMITS, snapshot=snapshot))

    assert decision.allowed is allowed
    assert decision.observed == float(Decimal(start) - Decimal(equity))
    assert not decision.transient


@pytest.mark.parametrize(
    ("equity", "peak", "allowed"),
    [("100", "100", True), ("95", "100", True), ("94.99", "100", False), ("-1", "100", False)],
)
def test_the_drawdown_trips_beyond_its_limit(equity, peak, allowed):
    """In percent of the peak."""
    snapshot = make_snapshot(equity=Decimal(equity), peak_equity=Decimal(peak))

    decision = checks_account.drawdown(make_case(limits=LIMITS, snapshot=snapshot))

    assert decision.allowed is allowed
    assert decision.observed == pytest.approx(100 - float(equity))
    assert not decision.transient


@pytest.mark.parametrize(
    ("pnl", "allowed"), [("250", True), ("0", True), ("-500", True), ("-500.01", False), ("NaN", False)]
)
def test_the_loss_of_the_last_trade_trips_beyond_its_limit(pnl, allowed):
    """A gain passes, a loss at the limit too."""
    snapshot = make_snapshot(last_parent_pnl=Decimal(pnl))

    decision = checks_account.last_trade_loss(make_case(limits=LIMITS, snapshot=snapshot))

    assert decision.allowed is allowed
    assert not decision.transient


def test_before_the_first_closing_trade_nothing_is_lost():
    """None is not an unknown here, and the decision says what it means."""
    decision = checks_account.last_trade_loss(make_case(snapshot=make_snapshot(last_parent_pnl=None)))

    assert decision.allowed
    assert decision.message == "No order has closed lots yet"


@pytest.mark.parametrize("unknown", [None, Decimal("NaN"), Decimal("Infinity")])
@pytest.mark.parametrize(
    ("check", "name"),
    [
        (checks_account.daily_loss, "equity"),
        (checks_account.daily_loss, "day_start_equity"),
        (checks_account.drawdown, "equity"),
        (checks_account.drawdown, "peak_equity"),
    ],
)
def test_an_unknown_account_value_refuses_and_may_be_waited_for(check, name, unknown):
    """The broker tells them a moment after connecting."""
    decision = check(make_case(snapshot=make_snapshot(**{name: unknown})))

    assert not decision.allowed
    assert decision.observed is None
    assert decision.transient
    assert "not known" in decision.message


def test_a_peak_that_is_not_positive_has_no_drawdown():
    """A share of nothing is not known."""
    snapshot = make_snapshot(equity=Decimal(-5), peak_equity=Decimal(0))

    assert not checks_account.drawdown(make_case(snapshot=snapshot)).allowed


def test_a_refusal_holds_value_limit_unit_and_remedy():
    """In the words of a trader."""
    snapshot = make_snapshot(equity=Decimal(975_000))

    decision = checks_account.daily_loss(make_case(snapshot=snapshot))

    assert decision.message == (
        "Lost 25,000.00 USD today, 10,000.00 allowed: "
        'once you know why, say await desk.rearm("why", breaker="daily_loss")'
    )
