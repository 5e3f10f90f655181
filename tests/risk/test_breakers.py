"""What each breaker reads, when it is over its limit, what its trip says, and what a screen shows of it."""

import dataclasses
from decimal import Decimal

import pytest

from hydra_nb.domain.breakers import BreakerName, BreakerState, Conduct
from hydra_nb.domain.events import BreakerTripped, Rearmed
from hydra_nb.domain.units import Side
from hydra_nb.risk.breakers import READINGS, Reading, position_readings, position_trip, trip
from hydra_nb.risk.breakers_shown import Exposure, shown_breakers
from hydra_nb.risk.checks_account import daily_loss, drawdown, last_trade_loss
from hydra_nb.risk.checks_conduct import consecutive_refusals, reject_rate, slippage_breach
from hydra_nb.risk.limits import Limits

from .making import NOW_NS, OATS, make_case, make_snapshot

LIMITS = Limits(max_daily_loss=10_000.10, max_drawdown_percent=5.0, max_parent_loss=500.0)
PALLADIUM = dataclasses.replace(
    OATS, con_id=202, symbol="PA", local_symbol="PAM6", tick=Decimal("0.50"), multiplier=Decimal(100), price_magnifier=1
)
"""One point is 100 USD, and the price is in dollars."""


def conduct(**changes: object) -> Conduct:
    """Enough messages and fills to be judged, all of them good, but for `changes`."""
    told = {"messages": 20, "fills": 10, "slippage_ticks": 2.0, "predicted_ticks": 2.0}
    return Conduct(**(told | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("breaker", "changes", "observed", "is_over"),
    [
        ("daily_loss", {"equity": Decimal("989999.90")}, 10_000.10, False),
        ("daily_loss", {"equity": Decimal("989999.89")}, 10_000.11, True),
        ("daily_loss", {"equity": Decimal(1_010_000)}, -10_000.0, False),
        ("daily_loss", {"equity": None}, None, False),
        ("drawdown", {"equity": Decimal(950_000)}, 5.0, False),
        ("drawdown", {"equity": Decimal("949999.99")}, 5.000001, True),
        ("drawdown", {"peak_equity": Decimal(0)}, None, False),
        ("last_trade_loss", {"last_parent_pnl": Decimal(-500)}, 500.0, False),
        ("last_trade_loss", {"last_parent_pnl": Decimal("-500.01")}, 500.01, True),
        ("last_trade_loss", {"last_parent_pnl": None}, 0.0, False),
        ("consecutive_refusals", {"conduct": conduct(refusals_in_row=10)}, 10, False),
        ("consecutive_refusals", {"conduct": conduct(refusals_in_row=11)}, 11, True),
        ("reject_rate", {"conduct": conduct(messages=20, rejected_messages=4)}, 20.0, False),
        ("reject_rate", {"conduct": conduct(messages=20, rejected_messages=5)}, 25.0, True),
        ("reject_rate", {"conduct": conduct(messages=199, rejected_messages=40)}, 100 * 40 / 199, True),
        ("reject_rate", {"conduct": conduct(messages=10, rejected_messages=10)}, 100.0, True),
        ("reject_rate", {"conduct": conduct(messages=9, rejected_messages=9)}, None, False),
        ("slippage_breach", {"conduct": conduct(slippage_ticks=20.0)}, 20.0, False),  # 5 × 2 predicted + 10
        ("slippage_breach", {"conduct": conduct(slippage_ticks=20.025)}, 20.025, True),  # 0.25 of a tick on ten lots
        ("slippage_breach", {"conduct": conduct(slippage_ticks=-50.0)}, -50.0, False),
        ("slippage_breach", {"conduct": conduct(slippage_ticks=90.0, fills=9)}, None, False),
        ("slippage_breach", {"conduct": conduct(slippage_ticks=10.0, predicted_ticks=0.0)}, 10.0, False),
        ("slippage_breach", {"conduct": conduct(slippage_ticks=10.1, predicted_ticks=0.0)}, 10.1, True),
    ],
)
def test_a_breaker_is_over_beyond_its_limit(
    breaker: str, changes: dict[str, object], observed: float | None, is_over: bool
) -> None:
    """At the limit it is not, one step on it is; what is not known, or too little to judge, is no trip."""
    reading = READINGS[BreakerName(breaker)](make_snapshot(**changes), LIMITS)

    assert reading.observed == (observed if observed is None else pytest.approx(observed, rel=1e-12))
    assert reading.is_over is is_over


@pytest.mark.parametrize("lots", [3, -3])
@pytest.mark.parametrize(
    ("contract", "mid", "equity", "is_over"),
    [
        (OATS, "370", "111000", False),  # 3 × 370 cents × 50 = 55,500 dollars, half of it
        (OATS, "370", "110999", True),
        (PALLADIUM, "1000", "600000", False),  # 3 × 1,000 dollars × 100
        (PALLADIUM, "1000", "599999", True),
        (OATS, "-370", "110999", True),  # a negative price is worth as much
        (OATS, None, "1", False),
        (OATS, "370", "0", False),
    ],
)
def test_a_position_is_held_against_equity_by_its_notional(contract, mid, equity, is_over, lots):  # type: ignore[no-untyped-def]
    """Long or short, in cents or dollars; without a mid or equity nothing is known."""
    readings = position_readings(
        contract,
        Limits(),
        lots=lots,
        mid=None if mid is None else Decimal(mid),
        rate=Decimal(1),
        equity=Decimal(equity),
    )

    assert readings[BreakerName.POSITION_SHARE].is_over is is_over


@pytest.mark.parametrize(("lots", "is_over"), [(50, False), (51, True), (-50, False), (-51, True), (0, False)])
def test_a_position_is_held_against_its_lots(lots: int, is_over: bool) -> None:
    """On either side, whatever it is worth."""
    readings = position_readings(OATS, Limits(), lots=lots, mid=None, rate=None, equity=None)

    assert readings[BreakerName.POSITION_LOTS].is_over is is_over


def test_a_trip_tells_value_limit_and_unit_and_leaves_the_remedy_to_the_check() -> None:
    """In one sentence without a colon, which parts it from what is to be done."""
    tripped = trip(BreakerName.DAILY_LOSS, Reading(10_250.0, 10_000.0, "USD"), time_ns=NOW_NS)
    short = position_trip(BreakerName.POSITION_LOTS, Reading(60, 50, "lots"), contract=OATS, lots=-60, time_ns=NOW_NS)

    assert tripped.reason == "Lost 10,250.00 USD today, 10,000.00 allowed"
    assert (tripped.observed, tripped.limit, tripped.unit, tripped.con_id) == (10_250.0, 10_000.0, "USD", None)
    assert short.reason == "ZOK6 short. A position of 60 lots, 50 allowed"
    assert (short.con_id, short.local_symbol, short.side) == (OATS.con_id, "ZOK6", Side.SELL)
    assert all(":" not in trip(name, Reading(2.0, 1.0, "x"), time_ns=0).reason for name in READINGS)


@pytest.mark.parametrize("equity", ["1000000", "989999.90", "989999.89", "950000", "949999", "NaN"])
@pytest.mark.parametrize("pnl", ["250", "-500", "-500.01", "NaN"])
@pytest.mark.parametrize("fared", [conduct(), conduct(refusals_in_row=11, rejected_messages=7, slippage_ticks=99.0)])
def test_a_screen_agrees_with_the_checks_of_the_gate(equity: str, pnl: str, fared: Conduct) -> None:
    """Use and verdict are those of the checks, at the limit, beyond it, and where nothing is known."""
    snapshot = make_snapshot(equity=Decimal(equity), last_parent_pnl=Decimal(pnl), conduct=fared)
    case = make_case(limits=LIMITS, snapshot=snapshot)

    shown = {one.check: one for one in shown_breakers(snapshot, LIMITS, exposures=(), tripped={}, rearmed={})}

    for check in (daily_loss, drawdown, last_trade_loss, consecutive_refusals, reject_rate, slippage_breach):
        decision = check(case)
        assert (shown[decision.check].observed, shown[decision.check].allowed) == (decision.observed, decision.allowed)
        assert shown[decision.check].limit == decision.limit
    assert [one.check for one in shown.values()] == list(BreakerName)


@pytest.mark.parametrize(
    ("values", "observed", "allowed"),
    [
        ([Decimal(500_000), Decimal(2)], 50.0, True),
        ([Decimal(2), Decimal(500_001)], 50.0001, False),
        ([Decimal(500_000), None], None, False),
        ([], 0.0, True),
    ],
)
def test_the_largest_position_is_a_share_of_equity(
    values: list[Decimal | None], observed: float | None, allowed: bool
) -> None:
    """In percent; not known where one of them has no mid."""
    exposures = [Exposure(symbol="ZO", local_symbol=f"Z{i}", lots=i, value=value) for i, value in enumerate(values)]

    shown = shown_breakers(make_snapshot(), Limits(), exposures=exposures, tripped={}, rearmed={})

    share = next(one for one in shown if one.check == "position_share")
    assert share.observed == (observed if observed is None else pytest.approx(observed))
    assert share.allowed is allowed


def test_a_screen_tells_state_since_and_reason() -> None:
    """A trip outweighs what the breaker reads by now; a re-armed one has the words of the person; others are closed."""
    tripped = trip(BreakerName.DAILY_LOSS, Reading(10_250.0, 10_000.0, "USD"), time_ns=NOW_NS)
    rearmed = Rearmed(time_ns=NOW_NS + 5, reason="a slip of the feed")
    long = position_trip(BreakerName.POSITION_LOTS, Reading(60, 50, "lots"), contract=OATS, lots=60, time_ns=NOW_NS)
    exposures = [
        Exposure(symbol="ZO", local_symbol="ZOK6", lots=55, value=Decimal(1)),
        Exposure(symbol="KE", local_symbol="KEK6", lots=70, value=Decimal(1)),
    ]

    shown = {
        one.check: one
        for one in shown_breakers(
            make_snapshot(),
            Limits(),
            exposures=exposures,
            tripped={("daily_loss", None): tripped, ("position_lots", OATS.con_id): long},
            rearmed={("drawdown", None): rearmed, ("daily_loss", None): dataclasses.replace(rearmed, time_ns=3)},
        )
    }

    loss, fall, lots = shown["daily_loss"], shown["drawdown"], shown["position_lots"]
    assert (loss.state, loss.observed, loss.allowed) == (BreakerState.TRIPPED, 0.0, False)
    assert (loss.since_ns, loss.reason, loss.rearmed_ns) == (NOW_NS, tripped.reason, 3)
    assert (fall.state, fall.since_ns, fall.reason) == (BreakerState.REARMED, NOW_NS + 5, "a slip of the feed")
    assert fall.allowed
    assert (lots.state, lots.local_symbol, lots.observed) == (BreakerState.TRIPPED, "ZOK6", 55)
    assert shown["reject_rate"].state is BreakerState.CLOSED
    assert (shown["reject_rate"].since_ns, shown["reject_rate"].reason) == (None, "")


def test_of_a_position_breaker_each_contract_that_tripped_has_a_row() -> None:
    """Each waits for the same re-arming."""
    trips = {
        ("position_lots", contract.con_id): BreakerTripped(
            time_ns=NOW_NS,
            breaker="position_lots",
            observed=60.0,
            limit=50.0,
            unit="lots",
            reason="60 lots",
            con_id=contract.con_id,
            local_symbol=contract.local_symbol,
            side=Side.BUY,
        )
        for contract in (OATS, PALLADIUM)
    }

    shown = shown_breakers(make_snapshot(), Limits(), exposures=(), tripped=trips, rearmed={})

    rows = [one.local_symbol for one in shown if one.check == "position_lots"]
    assert rows == ["ZOK6", "PAM6"]
    assert len(shown) == len(BreakerName) + 1
