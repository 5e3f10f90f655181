"""What is not known of other positions, or of one's own, is refused for now, and not for good."""

import dataclasses
import datetime as dt

import pytest

from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import Side
from hydra_nb.risk.checks_contract import close_out
from hydra_nb.risk.checks_exposure import equity_at_risk, gross_exposure
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.verdict import Refused

from .making import EXPOSURE, OATS, make_case, make_child, make_snapshot

UNKNOWN = dataclasses.replace(EXPOSURE, others_notional=None, others_at_risk=None)
TODAY = dt.date(2026, 3, 3)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize("check", [gross_exposure, equity_at_risk])
def test_other_positions_without_a_value_are_waited_for(check):
    """The words name a quote and a rate of exchange, of which one will come."""
    decision = check(make_case(snapshot=make_snapshot(exposure=UNKNOWN)))

    assert not decision.allowed
    assert decision.transient
    assert (decision.observed, decision.would_pass) == (None, None)
    assert "wait for a quote of each, or a rate of exchange" in decision.message


@pytest.mark.parametrize("check", [gross_exposure, equity_at_risk, close_out])
def test_positions_that_were_not_told_are_waited_for(check):
    """After a connection was lost nothing is known for a moment, and the order goes on when it is."""
    contract = dataclasses.replace(OATS, last_trade_date=TODAY + 5 * DAY)
    child = make_child(contract=contract, side=Side.SELL)

    verdict = RiskGate(Limits()).check(
        child, action=Action.PLACE, snapshot=make_snapshot(position_lots=None, exposure=None)
    )

    assert isinstance(verdict, Refused)
    [decision] = [one for one in verdict.decisions if one.check == check.__name__]
    assert not decision.allowed
    assert "position is not known" in decision.message
    assert verdict.transient, [one.check for one in verdict.decisions if not one.allowed and not one.transient]


class TestCloseOut:
    """The window before the last trade, or before a first notice day that a person has told."""

    @pytest.mark.parametrize("days", [0, 1, 19, 20, 21, 22, 60])
    @pytest.mark.parametrize("limit", [0, 1, 20, 21])
    def test_the_window_begins_so_many_days_before_the_last_trade(self, days, limit):
        """With as many days left as the limit it is closed; with one more it is open."""
        contract = dataclasses.replace(OATS, last_trade_date=TODAY + days * DAY)
        case = dataclasses.replace(make_case(limits=Limits(close_out_days=limit)), contract=contract)

        decision = close_out(case)

        assert decision.allowed is (days > limit)
        assert (decision.observed, decision.limit, decision.source) == (days, limit, "contract details")

    @pytest.mark.parametrize(("days", "allowed"), [(4, True), (3, False), (0, False), (-1, False), (-30, False)])
    def test_a_notice_day_that_is_told_takes_the_place_of_the_last_trade(self, days, allowed):
        """Three days before it, on it, and after it; by the limit of the notice alone."""
        snapshot = make_snapshot(notice_date=TODAY + days * DAY)

        decision = close_out(make_case(snapshot=snapshot))

        assert decision.allowed is allowed
        assert (decision.observed, decision.limit, decision.source) == (days, 3, "contract facts")
        assert allowed or "before first notice" in decision.message

    @pytest.mark.parametrize("later", [0, 1, 40])
    def test_a_notice_that_does_not_come_before_the_last_trade_shortens_nothing(self, later):
        """Then the window of the last trade holds, as if no notice had been told."""
        contract = dataclasses.replace(OATS, last_trade_date=TODAY + 20 * DAY)
        snapshot = make_snapshot(notice_date=contract.last_trade_date + later * DAY)
        case = dataclasses.replace(make_case(snapshot=snapshot), contract=contract)

        decision = close_out(case)

        assert not decision.allowed
        assert (decision.observed, decision.limit) == (20, 20)

    @pytest.mark.parametrize(
        ("now", "days"),
        [("2026-03-03T23:59:59-06:00", 21), ("2026-03-04T00:00:00-06:00", 20), ("2026-03-04T05:59:59+00:00", 21)],
    )
    def test_days_are_those_of_the_exchange(self, now, days):
        """The window closes at midnight in Chicago, which is six in the morning by UTC."""
        contract = dataclasses.replace(OATS, last_trade_date=TODAY + 21 * DAY)
        now_ns = int(dt.datetime.fromisoformat(now).timestamp()) * 1_000_000_000
        case = dataclasses.replace(make_case(snapshot=make_snapshot(now_ns=now_ns)), contract=contract)

        decision = close_out(case)

        assert decision.observed == days
        assert decision.allowed is (days > 20)

    @pytest.mark.parametrize(
        ("position", "working", "left"), [(5, 0, 5), (5, 2, 3), (5, 5, None), (5, 7, None), (0, 0, None), (-5, 0, None)]
    )
    def test_inside_it_only_what_reduces_passes(self, position, working, left):
        """A long position, less what works already to close it; and what would open one is refused."""
        contract = dataclasses.replace(OATS, last_trade_date=TODAY + DAY)
        snapshot = make_snapshot(position_lots=position, working_sell_lots=working)
        case = dataclasses.replace(make_case(snapshot=snapshot), contract=contract, side=Side.SELL)

        decisions = {lots: close_out(dataclasses.replace(case, open_lots=lots)) for lots in range(1, 9)}

        assert [lots for lots, one in decisions.items() if one.allowed] == list(range(1, (left or 0) + 1))
        assert {one.would_pass for one in decisions.values() if not one.allowed} == {left}
        assert not any(one.transient for one in decisions.values())


class TestRateOfExchange:
    """An account in another currency than the contract's needs the broker's rate."""

    @pytest.mark.parametrize(
        "away", [{"connection": ConnectionState.DOWN}, {"connection": ConnectionState.DEGRADED}, {"reconciled": False}]
    )
    def test_a_rate_that_went_with_the_connection_is_waited_for(self, away):
        """Rates are told again when it is back; a lost link stops no order for good."""
        snapshot = make_snapshot(currency="EUR", exchange_rate=None, **away)

        verdict = RiskGate(Limits()).check(make_child(), action=Action.PLACE, snapshot=snapshot)

        assert isinstance(verdict, Refused)
        assert "currency" in {one.check for one in verdict.decisions if not one.allowed}
        assert verdict.transient, [one.check for one in verdict.decisions if not one.allowed and not one.transient]

    def test_a_rate_that_the_broker_does_not_tell_refuses_for_good(self):
        """With all else known, waiting would not bring it: a person is to hold some of that currency."""
        snapshot = make_snapshot(currency="EUR", exchange_rate=None)

        verdict = RiskGate(Limits()).check(make_child(), action=Action.PLACE, snapshot=snapshot)

        assert isinstance(verdict, Refused)
        assert (verdict.decisive.check, verdict.transient) == ("currency", False)
