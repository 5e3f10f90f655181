"""Each rule at its limit, and one step over it; and what its sentence says."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager import alert_rules as rules

START_NS = 1_800_000_000 * NS_PER_S


def feed(*, allowed_s: float = 30.0, parent_ids: tuple[str, ...] = ("P-0001",)) -> rules.Feed:
    """Oats, whose quote was fresh at the start."""
    return rules.Feed(local_symbol="ZOH7", parent_ids=parent_ids, fresh_ns=START_NS, allowed_s=allowed_s)


def progress(*, due: int, filled: int, slice_lots: int = 3) -> rules.Progress:
    """Thirteen lots of oats in slices of three."""
    return rules.Progress(
        parent_id="P-0001",
        local_symbol="ZOH7",
        side=Side.BUY,
        lots=13,
        due_lots=due,
        filled_lots=filled,
        slice_lots=slice_lots,
    )


def disconnected(since_ns: int, *, now_ns: int) -> ev.AlertRaised | None:
    """With an order at work."""
    return rules.disconnected(since_ns, now_ns=now_ns, is_at_work=True, lots_at_risk=0)


def idle(since_ns: int, *, now_ns: int) -> ev.AlertRaised | None:
    """With nothing at work."""
    return rules.disconnected(since_ns, now_ns=now_ns, is_at_work=False, lots_at_risk=0)


def stale(since_ns: int, *, now_ns: int) -> ev.AlertRaised | None:
    """A quote that was fresh at the start."""
    assert since_ns == START_NS
    return rules.stale_data(feed(), now_ns=now_ns)


@pytest.mark.parametrize(
    ("rule", "limit_s", "kind", "severity"),
    [
        (stale, 30.0, AlertKind.STALE_DATA, Severity.WARNING),
        (disconnected, rules.DISCONNECTED_S, AlertKind.DISCONNECTED, Severity.CRITICAL),
        (idle, rules.IDLE_DISCONNECTED_S, AlertKind.DISCONNECTED, Severity.WARNING),
        (
            lambda since_ns, now_ns: rules.unreconciled(since_ns, now_ns=now_ns),
            rules.UNRECONCILED_S,
            AlertKind.UNRECONCILED,
            Severity.CRITICAL,
        ),
    ],
)
def test_a_time_that_equals_its_limit_raises_nothing_and_a_nanosecond_more_does(
    rule: Callable[..., ev.AlertRaised | None], limit_s: float, kind: AlertKind, severity: Severity
) -> None:
    """The limit itself is allowed, as everywhere in this house."""
    limit_ns = round(limit_s * NS_PER_S)

    at_the_limit = rule(START_NS, now_ns=START_NS + limit_ns)
    over_it = rule(START_NS, now_ns=START_NS + limit_ns + 1)

    assert at_the_limit is None
    assert over_it is not None
    assert (over_it.kind, over_it.severity) == (kind, severity)
    assert f"{limit_s:g} s are allowed" in over_it.sentence


def test_an_age_limit_of_a_fraction_of_a_second_is_kept_to_the_nanosecond() -> None:
    """Not rounded to whole seconds on the way."""
    short = feed(allowed_s=0.3)

    assert rules.stale_data(short, now_ns=START_NS + 300_000_000) is None
    assert rules.stale_data(short, now_ns=START_NS + 300_000_001) is not None


@pytest.mark.parametrize(
    ("due", "filled", "is_raised", "told"),
    [
        (3, 1, False, False),  # two behind, a slice is three
        (3, 0, False, True),  # a whole slice behind
        (6, 2, False, True),
        (6, 4, True, True),  # told before, and not caught up yet
        (6, 5, True, True),
        (6, 6, True, False),
        (6, 7, True, False),
        (0, 0, False, False),
    ],
)
def test_a_parent_is_behind_from_a_whole_slice_on_until_it_has_caught_up(
    due: int, filled: int, is_raised: bool, told: bool
) -> None:
    """Once it is told, a lot more or less does not take it back."""
    alert = rules.behind_schedule(progress(due=due, filled=filled), now_ns=START_NS, is_raised=is_raised)

    assert (alert is not None) is told
    if alert is not None:
        assert f"{due - filled} lot" in alert.sentence
        assert f"{due} are due, {filled} filled" in alert.sentence


def test_lots_at_risk_without_a_link_are_told() -> None:
    """And the alert is critical, and as early as with an order at work."""
    since_ns, now_ns = START_NS, START_NS + round(rules.DISCONNECTED_S * NS_PER_S) + 1

    alert = rules.disconnected(since_ns, now_ns=now_ns, is_at_work=False, lots_at_risk=3)

    assert alert is not None
    assert alert.severity is Severity.CRITICAL
    assert "3 lots may still fill until they expire" in alert.sentence


def child_refused(*, check: str, transient: bool) -> ev.ChildRefused:
    """A refusal of the gate."""
    return ev.ChildRefused(
        time_ns=START_NS,
        action=Action.PLACE,
        parent_id="P-0001",
        slice=2,
        order_ref="hy:x:P-0001:2:1",
        check=check,
        transient=transient,
        message="limit price is 130 ticks off the mid, 120 are allowed.",
    )


def test_a_refusal_for_good_is_an_alert_and_one_that_time_cures_is_none() -> None:
    """What is tried again in five seconds needs nobody."""
    for_good = rules.happened(child_refused(check="collar_ticks", transient=False), ledger=Ledger())
    for_now = rules.happened(child_refused(check="quote_age", transient=True), ledger=Ledger())

    assert for_now is None
    assert for_good is not None
    assert (for_good.kind, for_good.subject) == (AlertKind.REJECTION, "P-0001")
    assert "130 ticks off the mid, 120 are allowed. It ends short." in for_good.sentence


def test_a_breaker_is_told_by_its_trip() -> None:
    """By its name, and by the contract where it is about one: many orders that it refuses are one alert."""
    of_desk = ev.BreakerTripped(
        time_ns=START_NS, breaker="daily_loss", observed=10_001, limit=10_000, unit="USD", reason="Lost 10,001.00 USD"
    )
    of_contract = replace(of_desk, breaker="position_lots", reason="ZOH7 long. 60 lots", con_id=1, local_symbol="ZOH7")

    alert, other = (rules.breaker_tripped(trip, now_ns=START_NS) for trip in (of_desk, of_contract))

    assert (alert.kind, alert.subject, alert.severity) == (AlertKind.BREAKER, "daily_loss", Severity.CRITICAL)
    assert alert.sentence == (
        "Breaker daily_loss has tripped: Lost 10,001.00 USD. No order is sent. Once you have looked:"
        ' desk.rearm(reason, breaker="daily_loss").'
    )
    assert (other.subject, other.local_symbol) == ("position_lots ZOH7", "ZOH7")
    assert "60 lots. No order that adds to it is sent." in other.sentence


@pytest.mark.parametrize("check", ["kill_switch", "contract_locked", "daily_loss", "reject_rate", "position_lots"])
def test_what_a_standing_alert_explains_is_not_told_again(check: str) -> None:
    """The kill, the lock, or the breaker is an alert already; each order that it refuses would be one more."""
    assert rules.happened(child_refused(check=check, transient=False), ledger=Ledger()) is None


def test_an_error_about_no_order_of_ours_is_no_rejection() -> None:
    """Market data and foreign orders have errors of their own."""
    event = ev.BrokerErrorReported(time_ns=START_NS, order_ref=None, code=354, message="not subscribed")

    assert rules.happened(event, ledger=Ledger()) is None


@pytest.mark.parametrize(
    "alert",
    [
        rules.killed("wrong contract", now_ns=START_NS),
        rules.journal_failed(now_ns=START_NS),
        rules.unknown_order("P-0001", local_symbol="ZOH7", working_lots=2, now_ns=START_NS),
        rules.locked(
            ev.ContractLocked(time_ns=START_NS, con_id=1, local_symbol="ZOH7", order_ref=None, reason="others traded."),
            now_ns=START_NS,
        ),
    ],
    ids=lambda alert: alert.kind.value,
)
def test_what_halts_or_locks_is_critical(alert: ev.AlertRaised) -> None:
    """And its sentence ends with what a person can do, with one full stop."""
    assert alert.severity is Severity.CRITICAL
    assert alert.sentence.endswith(".")
    assert ".." not in alert.sentence.replace("...", "")


def test_a_cleared_alert_says_how_long_it_stood_and_what_it_was() -> None:
    """So that a message on a telephone is enough."""
    alert = rules.killed("wrong contract", now_ns=START_NS)

    over = rules.cleared(alert, now_ns=START_NS + 125 * NS_PER_S)

    assert (over.kind, over.subject) == (alert.kind, alert.subject)
    assert over.sentence == f"Over after 125 s: {alert.sentence}"
