"""Checks of the desk: kill switch, journal, account, connection, clock, messages."""

import dataclasses
import datetime as dt
import math

import pytest

from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk import checks_desk, checks_traffic
from hydra_nb.risk.limits import Limits

from .making import OATS, make_case, make_snapshot


@pytest.mark.parametrize(
    ("check", "changes", "words", "transient"),
    [
        (checks_desk.kill_switch, {"killed": "fat finger"}, "Killed: fat finger", False),
        (checks_desk.kill_switch, {"killed": ""}, "Rearm", False),
        (checks_desk.journal_healthy, {"journal_healthy": False}, "journal", True),
        (checks_desk.contract_locked, {"locked": "an order nobody knows"}, "ZOK6 is locked: an order nobody", False),
        (checks_desk.account, {"account": "SIM7654321"}, "another account", False),
        (checks_desk.account, {"account": ""}, "another account", False),
        (checks_desk.currency, {"currency": "EUR", "exchange_rate": None}, "ZOK6 is in USD, the account in EUR", False),
        (checks_desk.currency, {"currency": "", "exchange_rate": None}, "unknown currency", False),
        (checks_desk.repeated_order, {"equal_parent": "P-0007"}, "P-0007", False),
        (checks_desk.connection, {"connection": ConnectionState.DOWN}, "No connection", True),
        (checks_desk.connection, {"connection": ConnectionState.DEGRADED}, "lost the broker's servers", True),
        (checks_desk.reconciled, {"reconciled": False}, "not reconciled", True),
    ],
)
def test_a_desk_that_may_not_trade_is_told_why(check, changes, words, transient):
    """Each fault refuses by its own check, with a remedy, and says whether waiting may cure it."""
    good, bad = make_case(), make_case(snapshot=make_snapshot(**changes))

    passed, refused = check(good), check(bad)

    assert passed.allowed
    assert not refused.allowed
    assert words in refused.message
    assert refused.transient is transient


def test_a_child_is_not_a_repetition_of_its_own_parent():
    """The parent that is running is the equal one of the day."""
    case = make_case(snapshot=make_snapshot(equal_parent="P-0001"))

    assert checks_desk.repeated_order(case).allowed
    assert not checks_desk.repeated_order(dataclasses.replace(case, parent_id=None)).allowed


def test_an_order_without_an_account_does_not_match_an_unknown_account():
    """Two unknowns are not equal."""
    case = make_case(snapshot=make_snapshot(account=""), account="")

    assert not checks_desk.account(case).allowed


def test_two_unknown_currencies_are_not_one():
    """As for the account."""
    case = make_case(snapshot=make_snapshot(currency=""), contract=dataclasses.replace(OATS, currency=""))

    assert not checks_desk.currency(case).allowed


@pytest.mark.parametrize(
    ("skew_s", "allowed"),
    [(0.0, True), (2.0, True), (-2.0, True), (2.01, False), (-2.01, False), (None, False), (math.nan, False)],
)
def test_clock_skew_is_bounded_on_both_sides(skew_s, allowed):
    """At the limit passes; unknown does not."""
    decision = checks_desk.clock_skew(make_case(snapshot=make_snapshot(clock_skew_s=skew_s)))

    assert decision.allowed is allowed
    assert decision.transient


@pytest.mark.parametrize(("sent", "allowed"), [(0, True), (39, True), (40, False)])
def test_the_message_itself_counts_in_its_second(sent, allowed):
    """With 39 sent the fortieth passes."""
    decision = checks_traffic.message_budget(make_case(snapshot=make_snapshot(messages_last_second=sent)))

    assert decision.allowed is allowed
    assert decision.observed == sent + 1
    assert decision.transient


@pytest.mark.parametrize(("messages", "allowed"), [(0, True), (20, True), (21, False), (-1, False)])
def test_a_plan_may_not_send_more_messages_than_a_parent_may(messages, allowed):
    """At the limit passes."""
    decision = checks_traffic.parent_messages(make_case(messages=messages, limits=Limits(max_messages_per_parent=20)))

    assert decision.allowed is allowed
    assert not decision.transient


@pytest.mark.parametrize(
    ("new_york", "allowed"),
    [
        ("2026-03-03T23:40:00-05:00", True),
        ("2026-03-03T23:40:01-05:00", False),
        ("2026-03-03T23:45:00-05:00", False),
        ("2026-07-03T23:49:59-04:00", False),
        ("2026-07-03T23:50:00-04:00", True),
        ("2026-03-03T10:00:00-05:00", True),
    ],
)
def test_nothing_is_sent_around_the_nightly_reset_of_the_gateway(new_york, allowed):
    """Five minutes before and after 23:45 in New York, in winter and in summer; waiting cures it."""
    now_ns = int(dt.datetime.fromisoformat(new_york).timestamp()) * NS_PER_S

    decision = checks_desk.gateway_reset(make_case(snapshot=make_snapshot(now_ns=now_ns)))

    assert decision.allowed is allowed
    assert decision.transient


def test_the_window_around_the_reset_reaches_over_midnight():
    """With half an hour of it, a minute past midnight is still near the reset."""
    now_ns = int(dt.datetime.fromisoformat("2026-03-04T00:01:00-05:00").timestamp()) * NS_PER_S
    wide = make_case(snapshot=make_snapshot(now_ns=now_ns), limits=Limits(reset_window_s=1_800))

    decision = checks_desk.gateway_reset(wide)

    assert not decision.allowed
    assert decision.observed == 960
    assert "wait until it is past" in decision.message
