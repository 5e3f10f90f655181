"""The gate: every check is made, what passes is sealed, and only the sealed object is redeemed, once."""

import copy
import dataclasses
import datetime as dt
import pickle
from decimal import Decimal

import pytest

from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.market import ConnectionState
from hydra_nb.domain.orders import Action
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.errors import InvariantBroken, SendRefused
from hydra_nb.risk import Approved, Limits, Refused, RiskGate
from hydra_nb.risk.checks import CHECKS, Applies, Cure
from hydra_nb.risk.gate import MAX_APPROVALS
from hydra_nb.risk.snapshot import MarginTold

from .making import EXPOSURE, HOST_NS, NOW_NS, OATS, make_child, make_parent, make_quote, make_snapshot


def approve(gate: RiskGate, *, host_ns: int = HOST_NS) -> Approved:
    """Approval of a good child."""
    approved = gate.check(make_child(), action=Action.PLACE, snapshot=make_snapshot(host_ns=host_ns))
    assert isinstance(approved, Approved)
    return approved


@pytest.mark.parametrize("action", [Action.PLACE, Action.MODIFY])
def test_a_good_child_is_approved_with_every_decision(action):
    """A modify passes the same checks as a new order."""
    child = make_child()

    approved = RiskGate(Limits()).check(child, action=action, snapshot=make_snapshot())

    assert isinstance(approved, Approved)
    assert approved.child is child
    assert approved.action is action
    assert approved.content_hash == child.content_hash
    assert [d.check for d in approved.decisions] == [c.name for c in CHECKS if c.applies is not Applies.PARENT]
    assert all(decision.allowed for decision in approved.decisions)


RESET_NS = NOW_NS + (13 * 60 + 45) * 60 * NS_PER_S
"""23:45 in New York, on the day of the snapshots."""

BAD_SNAPSHOTS = {
    "kill_switch": {"killed": "by hand"},
    "journal_healthy": {"journal_healthy": False},
    "account": {"account": "SIM7"},
    "currency": {"currency": "EUR", "exchange_rate": None},
    "repeated_order": {"equal_parent": "P-0009"},
    "connection": {"connection": ConnectionState.DOWN},
    "reconciled": {"reconciled": False},
    "clock_skew": {"clock_skew_s": None},
    "session_open": {"now_ns": OATS.sessions[0].close_ns},
    "quote_sane": {"quote": make_quote(halted=True)},
    "quote_age": {"quote": make_quote(time_ns=0)},
    "reference_age": {"reference_age_s": None},
    "daily_loss": {"day_start_equity": None},
    "drawdown": {"peak_equity": Decimal(2_000_000)},
    "last_trade_loss": {"last_parent_pnl": Decimal(-5_001)},
    "consecutive_refusals": {"conduct": Conduct(refusals_in_row=11)},
    "reject_rate": {"conduct": Conduct(messages=10, rejected_messages=3)},
    "slippage_breach": {"conduct": Conduct(fills=10, slippage_ticks=16.0, predicted_ticks=1.0)},
    "lots_whole": {"order_booked_lots": 3},
    "contract_locked": {"locked": "a fill that nobody knows"},
    "gateway_reset": {"now_ns": RESET_NS},
    "lots_left": {"parent_open_lots": 2},
    "order_notional": {"reference_mid": None},
    "volume_share": {"adv_lots": None},
    "position_lots": {"position_lots": 48},
    "position_share": {"equity": Decimal(100_000)},
    "price_sign": {"reference_mid": None},
    "caller_limit": {"caller_limit": Decimal("369.75")},
    "collar_ticks": {"reference_mid": Decimal("400.25")},
    "collar_percent": {"reference_mid": Decimal("376")},
    "message_budget": {"messages_last_second": 40},
    "loop_lag": {"loop_lag_ms": 1_001.0},
    "session_left": {"now_ns": OATS.sessions[0].close_ns - 29 * NS_PER_S},
    "contract_month": {"now_ns": NOW_NS + 100 * 86_400 * NS_PER_S},
    "spread_width": {"usual_spread_ticks": 2.0},
    "day_notional": {"notional_today": 2_000_000.0},
    "displayed_share": {"quote": make_quote(ask=Decimal(370), ask_size=1)},
    "close_out": {"notice_date": dt.date(2026, 3, 6)},
    "symbol_position": {"exposure": dataclasses.replace(EXPOSURE, symbol_position_lots=73)},
    "gross_exposure": {"exposure": dataclasses.replace(EXPOSURE, others_notional=2_000_000.0)},
    "equity_at_risk": {"exposure": dataclasses.replace(EXPOSURE, others_at_risk=100_000.0)},
    "margin": {"margin": MarginTold(lots=3, before=499_999.0, change=5_000.0)},
    "collar_last": {"quote": make_quote(last=Decimal(350))},
    "collar_settlement": {"quote": make_quote(settlement=Decimal(330))},
    "daily_limit": {"quote": make_quote(settlement=Decimal(360)), "daily_limit": Decimal(5)},
    "chase": {"arrival_mid": Decimal(360)},
    "self_match": {"opposite_price": Decimal(370)},
    "active_orders": {"active_orders": 15},
    "parent_messages": {"parent_messages": 200},
    "one_modify": {"modify_pending": True},
}
LIMITS = Limits(max_displayed_percent=200)
PASSED_BY = {"active_orders": Action.MODIFY, "one_modify": Action.PLACE}
"""A modify adds no order, and a place changes none."""


@pytest.mark.parametrize("check", list(BAD_SNAPSHOTS))
@pytest.mark.parametrize("action", [Action.PLACE, Action.MODIFY])
def test_each_check_alone_refuses_a_child(check, action):
    """None of them is forgotten by the gate, for new orders and for modifies; nothing is sealed."""
    gate = RiskGate(LIMITS)

    refused = gate.check(make_child(), action=action, snapshot=make_snapshot(**BAD_SNAPSHOTS[check]))
    if PASSED_BY.get(check) is action:
        assert isinstance(refused, Approved)
        return

    assert isinstance(refused, Refused)
    assert check in [decision.check for decision in refused.decisions if not decision.allowed]
    assert not gate._seals


def test_the_checks_that_a_snapshot_cannot_fail_are_known():
    """What is missing above is held by the type of a child order, or by the limits."""
    of_children = {check.name for check in CHECKS if check.applies is not Applies.PARENT}

    assert of_children - set(BAD_SNAPSHOTS) == {"order_lots", "price_on_tick"}


def test_too_many_lots_refuse_a_child():
    """The limit of lots an order."""
    refused = RiskGate(Limits()).check(
        make_child(lots=21), action=Action.PLACE, snapshot=make_snapshot(parent_open_lots=50)
    )

    assert isinstance(refused, Refused)
    assert [decision.check for decision in refused.decisions if not decision.allowed] == [
        "order_lots",
        "order_notional",
    ]


def test_an_off_tick_price_that_slipped_into_a_child_is_refused():
    """The type holds it, and the gate does not rely on the type."""
    child = make_child()
    object.__setattr__(child, "limit_price", Decimal("370.10"))

    refused = RiskGate(Limits()).check(child, action=Action.PLACE, snapshot=make_snapshot())

    assert isinstance(refused, Refused)
    assert refused.decisive.check == "price_on_tick"


def test_a_hard_refusal_decides_before_a_transient_one():
    """It is what stops the parent, wherever it stands in the table."""
    snapshot = make_snapshot(reconciled=False, position_lots=48)

    refused = RiskGate(Limits()).check(make_child(), action=Action.PLACE, snapshot=snapshot)

    assert isinstance(refused, Refused)
    assert refused.decisive.check == "position_lots"
    assert not refused.transient


def test_transient_refusals_alone_are_transient():
    """A slice waits for them, and the first one speaks."""
    snapshot = make_snapshot(reconciled=False, messages_last_second=40)

    refused = RiskGate(Limits()).check(make_child(), action=Action.PLACE, snapshot=snapshot)

    assert isinstance(refused, Refused)
    assert refused.decisive.check == "reconciled"
    assert refused.transient


UNKNOWN = {
    "quote": None,
    "reference_mid": None,
    "reference_age_s": None,
    "position_lots": None,
    "equity": None,
    "peak_equity": None,
    "day_start_equity": None,
    "adv_lots": None,
    "clock_skew_s": None,
    "exchange_rate": None,
    "notional_today": None,
    "exposure": None,
    "margin": None,
}


@pytest.mark.parametrize("name", list(UNKNOWN))
def test_nothing_unknown_passes_silently(name):
    """A child and a parent are refused for each single unknown, with a message that says so."""
    snapshot = make_snapshot(**{name: UNKNOWN[name]})
    gate = RiskGate(Limits())

    child = gate.check(make_child(), action=Action.PLACE, snapshot=snapshot)
    parent = gate.verdict(
        gate.check_parent(
            make_parent(), snapshot=snapshot, first_price=Decimal(370), worst_price=Decimal(372), messages=20, slices=5
        )
    )

    for refused in (child, parent):
        assert isinstance(refused, Refused)
        assert "not known" in refused.decisive.message or refused.decisive.message.startswith("No ")


def test_every_unknown_of_a_snapshot_is_tried():
    """The fields that may be None: those above, and those where None is an answer and not an unknown."""
    optional = {field.name for field in dataclasses.fields(make_snapshot()) if "None" in str(field.type)}

    answers = {"last_parent_pnl", "caller_adv_lots", "killed", "locked", "equal_parent", "caller_limit"}
    answers |= {"arrival_mid", "daily_volatility", "usual_spread_ticks", "notice_date", "daily_limit", "loop_lag_ms"}
    answers |= {"opposite_price", "begins_ns"}
    assert optional - set(UNKNOWN) == answers


def test_a_parent_is_not_sealed():
    """Only children go on the wire."""
    with pytest.raises(InvariantBroken):
        RiskGate(Limits()).check(make_child(), action=Action.PARENT, snapshot=make_snapshot())


def test_an_approval_is_redeemed_once():
    """The second time is refused, and says why."""
    gate = RiskGate(Limits())
    approved = approve(gate)

    gate.redeem(approved, host_ns=HOST_NS + 1)

    with pytest.raises(SendRefused, match="redeemed before"):
        gate.redeem(approved, host_ns=HOST_NS + 2)


@pytest.mark.parametrize("age_ns", [0, 2 * NS_PER_S])
def test_an_approval_lives_two_seconds(age_ns):
    """To the nanosecond."""
    gate = RiskGate(Limits())
    approved = approve(gate)

    gate.redeem(approved, host_ns=HOST_NS + age_ns)

    with pytest.raises(SendRefused):
        gate.redeem(approved, host_ns=HOST_NS + age_ns)


@pytest.mark.parametrize("age_ns", [2 * NS_PER_S + 1, -1])
def test_an_approval_out_of_its_time_is_refused_and_spent(age_ns):
    """Too old, or from a clock that ran back; and a second try within the time is too late."""
    gate = RiskGate(Limits())
    approved = approve(gate)

    with pytest.raises(SendRefused, match="0 to 2 s allowed"):
        gate.redeem(approved, host_ns=HOST_NS + age_ns)

    with pytest.raises(SendRefused):
        gate.redeem(approved, host_ns=HOST_NS)


FORGERIES = {
    "replaced": dataclasses.replace,
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
    "pickled": lambda approved: pickle.loads(pickle.dumps(approved)),  # noqa: S301 – our own bytes
    "made by hand": lambda approved: Approved(
        child=approved.child,
        action=approved.action,
        content_hash=approved.content_hash,
        decisions=approved.decisions,
    ),
}


@pytest.mark.parametrize("forgery", list(FORGERIES))
def test_a_forged_approval_is_refused(forgery):
    """Equal content is not enough; and the true one is not spent by the attempt."""
    gate = RiskGate(Limits())
    approved = approve(gate)
    forged = FORGERIES[forgery](approved)

    with pytest.raises(SendRefused, match="not one that the gate holds"):
        gate.redeem(forged, host_ns=HOST_NS)

    gate.redeem(approved, host_ns=HOST_NS)


def test_an_approval_of_another_gate_is_refused():
    """Other limits are no limits."""
    approved = approve(RiskGate(Limits()))

    with pytest.raises(SendRefused, match="not one that the gate holds"):
        RiskGate(Limits()).redeem(approved, host_ns=HOST_NS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: object.__setattr__(a, "child", make_child(lots=4)), "exchanged"),
        (lambda a: object.__setattr__(a, "child", make_child()), "exchanged"),
        (lambda a: object.__setattr__(a, "action", Action.MODIFY), "exchanged"),
        (lambda a: object.__setattr__(a, "content_hash", make_child(lots=4).content_hash), "changed after"),
        (lambda a: object.__setattr__(a.child, "lots", 4), "changed after"),
        (lambda a: object.__setattr__(a.child, "limit_price", Decimal(371)), "changed after"),
        (lambda a: object.__setattr__(a.child, "side", Side.SELL), "changed after"),
        (lambda a: object.__setattr__(a.child, "expires_ns", 1), "changed after"),
    ],
)
def test_an_approval_whose_order_was_changed_is_refused(change, words):
    """Frozen objects can be changed by force; the table of the gate cannot be reached through them."""
    gate = RiskGate(Limits())
    approved = approve(gate)

    change(approved)

    with pytest.raises(SendRefused, match=words):
        gate.redeem(approved, host_ns=HOST_NS)


def test_approvals_that_nobody_redeems_are_dropped_by_age():
    """At the next check after their life; a young one stays."""
    gate = RiskGate(Limits())
    old, young = approve(gate), approve(gate, host_ns=HOST_NS + 1)

    approve(gate, host_ns=HOST_NS + 2 * NS_PER_S + 1)

    assert len(gate._seals) == 2
    with pytest.raises(SendRefused, match="not one that the gate holds"):
        gate.redeem(old, host_ns=HOST_NS)
    gate.redeem(young, host_ns=HOST_NS + 2)


def test_approvals_are_bounded_in_number():
    """Where the clock stands, the oldest goes."""
    gate = RiskGate(Limits())
    oldest = approve(gate)

    for _ in range(MAX_APPROVALS):
        approve(gate)

    assert len(gate._seals) == MAX_APPROVALS
    with pytest.raises(SendRefused, match="not one that the gate holds"):
        gate.redeem(oldest, host_ns=HOST_NS)


def test_the_demo_order_passes_whole():
    """13 oats over five slices on an account of a million, by the default limits."""
    gate = RiskGate(Limits())

    decisions = gate.check_parent(
        make_parent(),
        snapshot=make_snapshot(),
        first_price=Decimal(370),
        worst_price=Decimal("373.50"),
        messages=20,
        slices=5,
    )

    assert gate.verdict(decisions) is None
    assert [d.check for d in decisions] == [c.name for c in CHECKS if c.applies is not Applies.CHILD]


def test_both_prices_of_a_parent_are_checked():
    """The decision tells of the one that is refused."""
    gate = RiskGate(Limits())
    prices = {"first_price": Decimal(300), "worst_price": Decimal(372)}

    decisions = gate.check_parent(make_parent(), snapshot=make_snapshot(), messages=20, slices=5, **prices)

    refused = gate.verdict(decisions)
    assert refused is not None
    assert refused.decisive.check == "collar_ticks"
    assert refused.decisive.observed == 280


def test_a_parent_that_repeats_another_is_refused_for_good():
    """It names the earlier one."""
    gate = RiskGate(Limits())

    decisions = gate.check_parent(
        make_parent(),
        snapshot=make_snapshot(equal_parent="P-0001"),
        first_price=Decimal(370),
        worst_price=Decimal(370),
        messages=20,
        slices=5,
    )

    refused = gate.verdict(decisions)
    assert refused is not None
    assert refused.decisive.check == "repeated_order"
    assert not refused.transient


def test_decisions_say_of_themselves_what_the_table_says_of_their_check():
    """Name, source and transience of a decision are those of the documented check."""
    gate = RiskGate(Limits())
    by_name = {check.name: check for check in CHECKS}

    decisions = {d.check: d for d in approve(gate).decisions}
    decisions |= {
        d.check: d
        for d in gate.check_parent(
            make_parent(), snapshot=make_snapshot(), first_price=Decimal(370), worst_price=Decimal(370), messages=4
        )
    }

    assert set(decisions) == set(by_name)
    for name, decision in decisions.items():
        assert decision.source == by_name[name].source
        assert decision.transient is (by_name[name].cure is Cure.TIME)


def test_a_check_of_a_child_is_quick(benchmark):
    """It stands between a decision and the wire; measured with --benchmark-enable."""
    gate, child, snapshot = RiskGate(Limits()), make_child(), make_snapshot()

    verdict = benchmark(lambda: gate.check(child, action=Action.PLACE, snapshot=snapshot))

    assert isinstance(verdict, Approved)
