"""Frames hold what the journal says, in the columns and dtypes that notebooks rely on."""

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hydra_nb.analysis import frames
from hydra_nb.analysis.columns_page import columns_page
from hydra_nb.analysis.history import History
from hydra_nb.domain import events as ev
from hydra_nb.domain.board import Breaker
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus, Stage
from hydra_nb.domain.units import Side
from hydra_nb.errors import AnalysisError
from hydra_nb.journal import Journal, JournalReader
from hydra_nb.reconcile import Break
from hydra_nb.risk.verdict import Decision, WouldPass

from .story import ACCOUNT, OATS, PALLADIUM, START_NS, Story, ns, one_fill, plan_for, top

TIME, LOTS, TEXT, REAL, FLAG = "datetime64[ns, UTC]", "Int64", "str", "float64", "bool"
SCHEDULE = (
    "slice:LOTS start:TIME earliest:TIME latest:TIME lots:LOTS cumulative_lots:LOTS limit_mid:REAL limit_step:REAL "
    "limit_cross:REAL wait_mid_s:REAL wait_step_s:REAL wait_cross_s:REAL participation:REAL"
)
PROMISED = {
    "executions": "parent_id:TEXT submitted:TIME finished:TIME symbol:TEXT local_symbol:TEXT side:TEXT lots:LOTS "
    "filled_lots:LOTS shortfall_lots:LOTS strategy:TEXT status:TEXT average_price:REAL decision_mid:REAL "
    "arrival_mid:REAL slippage_bps:REAL slippage_cash:REAL commission:REAL currency:TEXT tag:TEXT plan_id:TEXT "
    "began:TIME",
    "slices": f"{SCHEDULE} parent_id:TEXT sent:TIME done:TIME filled_lots:LOTS carried_lots:LOTS average_price:REAL "
    "stage:TEXT expires:TIME messages:LOTS reason:TEXT status:TEXT",
    "decisions": "time:TIME parent_id:TEXT slice:LOTS action:TEXT check:TEXT allowed:FLAG observed:REAL limit:REAL "
    "unit:TEXT message:TEXT source:TEXT would_pass:REAL",
    "fills": "time:TIME received_time:TIME fill_id:TEXT parent_id:TEXT slice:LOTS stage:TEXT symbol:TEXT "
    "local_symbol:TEXT side:TEXT lots:LOTS price:REAL decision_mid:REAL arrival_mid:REAL order_mid:REAL bid:REAL "
    "ask:REAL slippage_ticks:REAL slippage_bps:REAL slippage_cash:REAL predicted_slippage_bps:REAL "
    "predicted_slippage:REAL predicted_slippage_ticks:REAL predicted_slippage_cash:REAL half_spread_ticks:REAL "
    "impact_scale_ticks:REAL predictor_version:TEXT commission:REAL currency:TEXT tick:REAL point_value:REAL "
    "latency_ms:REAL",
    "orders": "order_ref:TEXT parent_id:TEXT slice:LOTS order_id:LOTS perm_id:LOTS local_symbol:TEXT side:TEXT "
    "lots:LOTS filled_lots:LOTS working_lots:LOTS limit_price:REAL expires:TIME state:TEXT",
    "positions": "account:TEXT symbol:TEXT local_symbol:TEXT position:LOTS working_buy:LOTS working_sell:LOTS "
    "worst_long:LOTS worst_short:LOTS average_cost:REAL mid:REAL value:REAL currency:TEXT "
    "days_to_close_out:LOTS",
    "quotes": "time:TIME local_symbol:TEXT bid:REAL bid_size:REAL ask:REAL ask_size:REAL last:REAL last_size:REAL "
    "volume:REAL",
    "breakers": "breaker:TEXT state:TEXT observed:REAL limit:REAL unit:TEXT since:TIME reason:TEXT rearmed:TIME "
    "local_symbol:TEXT",
    "reconcile": "time:TIME kind:TEXT local_symbol:TEXT order_ref:TEXT ours:REAL brokers:REAL resolved:FLAG "
    "message:TEXT",
    "limits": "symbol:TEXT limit:TEXT value:REAL unit:TEXT default:REAL tighter:TEXT changed:TIME",
    "plan.schedule": SCHEDULE,
    "plan.risk": "time:TIME parent_id:TEXT slice:LOTS action:TEXT check:TEXT allowed:FLAG observed:REAL limit:REAL "
    "unit:TEXT message:TEXT source:TEXT would_pass:REAL",
    "plan.would_pass": "lots:LOTS price:REAL time:TIME",
    "plan.expected_cost": "slippage_ticks:REAL slippage_bps:REAL slippage_cash:REAL low_ticks:REAL high_ticks:REAL "
    "level:REAL cross_now_ticks:REAL commission:REAL currency:TEXT n_evidence:LOTS source:TEXT predictor_version:TEXT",
}
PASSED = Decision(
    check="max_lots",
    allowed=True,
    observed=2.0,
    limit=10.0,
    unit="lots",
    message="2 of 10 lots",
    source="limits",
)
CLOSED = Breaker(check="daily_loss", observed=None, limit=1.0, unit="USD", allowed=False)
BROKEN = Break(
    time_ns=START_NS,
    kind="position",
    local_symbol="ZOK6",
    order_ref="",
    ours=2.0,
    brokers=None,
    resolved=False,
    message="the broker reports none",
)


def all_frames(story: Story, *, found: list[Break], made: tuple[Decision, ...]) -> dict[str, pd.DataFrame]:
    """Every frame of a story."""
    plan, quote = plan_for(OATS, 2), top(OATS, "370", "371")
    return {
        "executions": frames.executions(story.journal),
        "slices": frames.slices(story.journal),
        "decisions": frames.decisions(story.journal),
        "fills": frames.fills(story.journal),
        "orders": frames.orders(story.journal),
        "positions": frames.positions(story.journal, quotes={}),
        "quotes": frames.quotes(story.journal),
        "reconcile": frames.breaks(found),
        "limits": frames.limits(story.journal),
        "breakers": frames.breakers([CLOSED] * len(found)),
        "plan.schedule": frames.schedule(plan, start_ns=START_NS, quote=quote),
        "plan.risk": frames.decisions_frame(made, time_ns=START_NS),
        "plan.would_pass": frames.would_pass(WouldPass(lots=None, price=None, time_ns=None)),
        "plan.expected_cost": frames.expected_cost(plan, quote=None),
    }


def described(frame: pd.DataFrame) -> dict[str, str]:
    """Columns of a frame with their dtypes, in order."""
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def promised(name: str) -> dict[str, str]:
    """Columns of a frame with their dtypes, as promised to notebooks."""
    return {column: globals()[kind] for column, kind in (word.split(":") for word in PROMISED[name].split())}


@pytest.mark.parametrize("name", PROMISED)
def test_empty_and_full_frames_have_the_promised_columns(name: str) -> None:
    """Names, order and dtypes are the same whether there is a row or none."""
    full = one_fill(OATS, bid="370", ask="371", price="370.5")
    full.journal.append_decisions((PASSED,), time_ns=START_NS, parent_id="P-0001", slice=1, action=Action.PLACE)
    full.journal.append_quote(top(OATS, "370", "371"), "ZOK6")
    of_all = ev.LimitValue(symbol="*", limit="collar_ticks", value=40)
    full.tell(ev.LimitsOpened(time_ns=START_NS, values=(of_all,), who="somebody"))

    empty_frame = all_frames(Story(), found=[], made=())[name]
    full_frame = all_frames(full, found=[BROKEN], made=(PASSED,))[name]

    assert described(empty_frame) == promised(name)
    assert described(full_frame) == promised(name)
    assert len(full_frame) == 1
    assert list(full_frame.index) == [0]


def test_the_page_of_columns_is_the_generated_one() -> None:
    """The documentation says what the code does."""
    page = Path(__file__).parents[2] / "docs" / "columns.md"

    assert page.read_text(encoding="utf-8") == columns_page()


# Fills


@pytest.mark.parametrize(
    ("contract", "side", "bid", "ask", "price", "ticks", "bps", "cash"),
    [
        (OATS, Side.BUY, "370", "371", "371", 2, 0.5 / 370.5 * 1e4, 50.0),  # cents: 0.5 / 100 × 5000 × 2
        (OATS, Side.SELL, "370", "371", "371", -2, -0.5 / 370.5 * 1e4, -50.0),
        (PALLADIUM, Side.BUY, "1000", "1002", "1001.5", 1, 0.5 / 1001 * 1e4, 100.0),  # dollars: 0.5 × 100 × 2
        (PALLADIUM, Side.SELL, "-2", "-1", "-2", 1, math.nan, 100.0),  # no basis points of a negative price
    ],
)
def test_slippage_is_a_cost_against_arrival(
    contract: FutureContract, side: Side, bid: str, ask: str, price: str, ticks: float, bps: float, cash: float
) -> None:
    """Paying above the mid, or selling below it, is positive, in ticks, basis points and cash of the contract."""
    story = one_fill(contract, side=side, bid=bid, ask=ask, price=price, lots=2)

    row = frames.fills(story.journal).iloc[0]

    assert row["slippage_ticks"] == ticks
    assert row["slippage_cash"] == cash
    np.testing.assert_allclose(row["slippage_bps"], bps)


def test_a_fill_carries_the_facts_of_its_time() -> None:
    """Mids at preview, arrival and order, the touch when received, stage, prediction and latency."""
    story, plan = Story(), plan_for(OATS, 3, mid="369.5")
    story.submitted("P-0001", plan, top(OATS, "370", "371"))
    ref = story.gated("P-0001", 1, plan=plan, price="370.5", quote=top(OATS, "370", "371"), at=1, predicted="0.741")
    story.sent(ref, at=1.25)
    story.filled(ref, "0001.01.01", 1, "370.5", at=3.5, quote=top(OATS, "370.25", "371"))
    story.gated("P-0001", 1, plan=plan, price="371", quote=top(OATS, "371", "372"), at=20, stage=Stage.STEP)
    story.filled(ref, "0002.01.01", 1, "370.5", at=20.1)
    story.sent(ref, at=20.25, action=Action.MODIFY)
    story.filled(ref, "0003.01.01", 1, "371", at=21, executed_at=19)

    fills = frames.fills(story.journal)

    assert list(fills["fill_id"]) == ["0001.01", "0002.01", "0003.01"]
    assert list(fills["stage"]) == ["mid", "mid", "step"]
    assert list(fills["order_mid"]) == [370.5, 370.5, 371.5]
    assert set(fills["decision_mid"]) == {369.5}
    assert set(fills["arrival_mid"]) == {370.5}
    assert list(fills["latency_ms"]) == [2250.0, 18850.0, 19750.0]
    assert fills["time"].iloc[2] == pd.Timestamp(ns(19), tz="UTC")
    assert fills["received_time"].iloc[0] == pd.Timestamp(ns(3.5), tz="UTC")
    first = fills.iloc[0]
    assert (first["bid"], first["ask"], first["parent_id"], first["slice"]) == (370.25, 371.0, "P-0001", 1)
    np.testing.assert_allclose(first["predicted_slippage_bps"], 0.741 / 370.5 * 1e4)
    np.testing.assert_allclose(first["predicted_slippage"], 0.741)
    np.testing.assert_allclose(first["predicted_slippage_ticks"], 0.741 / 0.25)
    np.testing.assert_allclose(first["predicted_slippage_cash"], 0.741 * 50)
    assert first["predictor_version"] == "sqrt-1"
    assert math.isnan(fills["predicted_slippage_bps"].iloc[2])
    assert math.isnan(fills["bid"].iloc[2])


def test_a_modify_that_was_not_sent_leaves_the_terms() -> None:
    """A reservation that was released is no stage and no mid of a later fill."""
    story, plan = Story(), plan_for(OATS, 2)
    quote = top(OATS, "370", "371")
    story.submitted("P-0001", plan, quote)
    ref = story.gated("P-0001", 1, plan=plan, price="370.5", quote=quote, at=1)
    story.sent(ref, at=1)
    story.gated("P-0001", 1, plan=plan, price="371", quote=top(OATS, "371", "372"), at=20, stage=Stage.STEP)
    story.tell(ev.SendFailed(time_ns=ns(20), order_ref=ref, action=Action.MODIFY, reason="killed"))
    story.filled(ref, "0001.01.01", 2, "370.5", at=22)

    row = frames.fills(story.journal).iloc[0]

    assert (row["stage"], row["order_mid"]) == ("mid", 370.5)


@pytest.mark.parametrize("order", [("0001.01.01", "0001.01.02"), ("0001.01.02", "0001.01.01")])
def test_the_latest_correction_is_the_fill(order: tuple[str, str]) -> None:
    """One row a family, in whatever order its revisions came, with the time at which we first heard of it."""
    told = {"0001.01.01": (2, "371"), "0001.01.02": (1, "370.75")}
    story, plan = Story(), plan_for(OATS, 2)
    story.submitted("P-0001", plan, top(OATS, "370", "371"))
    ref = story.gated("P-0001", 1, plan=plan, price="371", quote=None, at=1)
    story.sent(ref, at=1)
    for at, exec_id in enumerate((*order, *order), 2):
        story.filled(ref, exec_id, *told[exec_id], at=at)

    fills, executions = frames.fills(story.journal), frames.executions(story.journal)

    assert list(fills["fill_id"]) == ["0001.01"]
    assert (fills["lots"].iloc[0], fills["price"].iloc[0]) == (1, 370.75)
    assert fills["received_time"].iloc[0] == pd.Timestamp(ns(2), tz="UTC")
    assert fills["slippage_cash"].iloc[0] == 12.5
    assert (executions["filled_lots"].iloc[0], executions["average_price"].iloc[0]) == (1, 370.75)


def test_a_bust_takes_the_fill_away() -> None:
    """A revision of zero lots leaves no row, and nothing in the parent's figures."""
    story = one_fill(OATS, bid="370", ask="371", price="371")
    story.charged("0001.01.01", "5.04", at=3)
    story.filled(story.ref("P-0001", 1), "0001.01.02", 0, "371", at=9)

    executions = frames.executions(story.journal).iloc[0]

    assert frames.fills(story.journal).empty
    assert executions["filled_lots"] == 0
    assert math.isnan(executions["average_price"])
    assert math.isnan(executions["commission"])
    assert frames.slices(story.journal)["filled_lots"].iloc[0] == 0


def test_commissions_find_their_fill_whatever_comes_first() -> None:
    """A commission before its execution, after it, and one of a correction; unknown until reported."""
    story, plan = Story(), plan_for(OATS, 4)
    story.submitted("P-0001", plan, top(OATS, "370", "371"))
    ref = story.gated("P-0001", 1, plan=plan, price="371", quote=None, at=1)
    story.sent(ref, at=1)
    story.charged("0001.01.01", "2.52", at=2)
    story.filled(ref, "0001.01.01", 1, "371", at=3)
    story.filled(ref, "0002.01.01", 1, "371", at=4)
    story.charged("0002.01.01", "2.50", at=5)
    story.filled(ref, "0002.01.02", 1, "370.75", at=6)
    story.charged("0002.01.02", "2.60", at=7)
    story.charged("0002.01.01", "2.50", at=8)
    story.filled(ref, "0003.01.01", 1, "371", at=9)

    fills = frames.fills(story.journal)

    assert list(fills["commission"].iloc[:2]) == [2.52, 2.60]
    assert math.isnan(fills["commission"].iloc[2])
    assert frames.executions(story.journal)["commission"].iloc[0] == 5.12


def test_executions_of_others_are_not_fills() -> None:
    """What other clients or a person traded in the account shows in no frame of fills."""
    story = one_fill(OATS, bid="370", ask="371", price="371")
    foreign = next(event for _, event in story.journal.events(kinds=(ev.ExecutionReported,)))
    assert isinstance(foreign, ev.ExecutionReported)
    fields = {name: getattr(foreign, name) for name in ev.ExecutionReported.__dataclass_fields__}

    story.tell(ev.ExecutionReported(**(fields | {"order_ref": "", "family": "0009.01", "exec_id": "0009.01.01"})))

    assert list(frames.fills(story.journal)["fill_id"]) == ["0001.01"]


# Parents and slices


def told_in_full() -> Story:
    """A parent of 5 lots in two slices: 2 of 3 filled and 1 carried, then 2 of 3, and a short end."""
    story, plan, quote = Story(), plan_for(OATS, 3, 2, tag="hedge"), top(OATS, "370", "371")
    story.submitted("P-0001", plan, quote)
    ref = story.gated("P-0001", 1, plan=plan, price="370.5", quote=quote, at=0.5)
    story.sent(ref, at=1)
    story.filled(ref, "0001.01.01", 2, "370.5", at=2)
    story.tell(ev.CancelRequested(time_ns=ns(35), order_ref=ref, reason="end of the ladder"))
    story.slice_over("P-0001", 1, filled=2, carried=1, status=SliceStatus.PARTIAL, at=37)
    ref = story.gated("P-0001", 2, plan=plan, price="370.25", quote=quote, at=100, lots=3)
    story.sent(ref, at=100)
    story.gated("P-0001", 2, plan=plan, price="370.75", quote=quote, at=120, lots=3, stage=Stage.STEP)
    story.sent(ref, at=120, action=Action.MODIFY)
    story.filled(ref, "0002.01.01", 2, "370.75", at=125)
    story.slice_over("P-0001", 2, filled=2, carried=0, status=SliceStatus.PARTIAL, at=137)
    story.over("P-0001", status=ParentStatus.PARTIAL, at=137)
    return story


def test_a_parent_adds_up() -> None:
    """Filled and short make the whole; average, slippage and tag are the parent's."""
    story = told_in_full()

    row = frames.executions(story.journal).iloc[0]

    assert (row["lots"], row["filled_lots"], row["shortfall_lots"]) == (5, 4, 1)
    assert (row["status"], row["strategy"], row["side"], row["tag"]) == ("partial", "twap", "BUY", "hedge")
    assert (row["average_price"], row["arrival_mid"], row["slippage_cash"]) == (370.625, 370.5, 25.0)
    np.testing.assert_allclose(row["slippage_bps"], 0.125 / 370.5 * 1e4)
    assert (row["submitted"], row["finished"]) == (
        pd.Timestamp(ns(0), tz="UTC"),
        pd.Timestamp(ns(137), tz="UTC"),
    )
    assert row["slippage_cash"] == frames.fills(story.journal)["slippage_cash"].sum()


def test_a_running_parent_has_no_shortfall_yet() -> None:
    """Before its end nothing is given up, and there is no time of its end."""
    story = one_fill(OATS, bid="370", ask="371", price="371", lots=1)
    story.submitted("P-0002", plan_for(OATS, 4), top(OATS, "370", "371"), at=5)

    executions = frames.executions(story.journal)

    assert list(executions["status"]) == ["working", "scheduled"]
    assert list(executions["shortfall_lots"]) == [0, 0]
    assert executions["finished"].isna().all()


def test_slices_tell_schedule_and_outcome() -> None:
    """Times are absolute, gated limits replace indicative ones, carried lots are those given away."""
    story = told_in_full()

    slices = frames.slices(story.journal)

    assert list(slices["start"]) == [pd.Timestamp(ns(0), tz="UTC"), pd.Timestamp(ns(100), tz="UTC")]
    assert list(slices["earliest"]) == [pd.Timestamp(ns(0), tz="UTC"), pd.Timestamp(ns(90), tz="UTC")]
    assert list(slices["cumulative_lots"]) == [3, 5]
    assert list(slices["carried_lots"]) == [1, 0]
    assert list(slices["filled_lots"]) == [2, 2]
    assert list(slices["average_price"]) == [370.5, 370.75]
    assert list(slices["messages"]) == [2, 2]
    assert list(slices["stage"]) == ["mid", "step"]
    assert list(slices["limit_mid"]) == [370.5, 370.25]
    assert list(slices["limit_step"]) == [370.75, 370.75]
    assert list(slices["limit_cross"]) == [371.0, 371.0]
    assert list(slices["sent"]) == [pd.Timestamp(ns(1), tz="UTC"), pd.Timestamp(ns(100), tz="UTC")]
    assert list(slices["done"]) == [pd.Timestamp(ns(37), tz="UTC"), pd.Timestamp(ns(137), tz="UTC")]
    np.testing.assert_allclose(slices["participation"], [0.06, 0.04])


def test_a_pause_moves_the_slices_that_had_not_started() -> None:
    """Starts and jitter windows after a pause are later by its length; what had started stays."""
    story = Story()
    story.submitted("P-0001", plan_for(OATS, 1, 1, 1), top(OATS, "370", "371"))
    story.tell(ev.ParentPaused(time_ns=ns(50), parent_id="P-0001"))
    story.tell(ev.ParentResumed(time_ns=ns(80), parent_id="P-0001"))
    story.tell(ev.ParentPaused(time_ns=ns(220), parent_id="P-0001"))
    story.tell(ev.ParentResumed(time_ns=ns(225), parent_id="P-0001"))

    slices = frames.slices(story.journal)

    assert list(slices["start"]) == [pd.Timestamp(ns(at), tz="UTC") for at in (0, 130, 235)]
    assert list(slices["latest"] - slices["start"]) == [pd.Timedelta(seconds=10)] * 3
    assert list(slices["status"]) == ["planned"] * 3


def test_orders_are_the_ledgers() -> None:
    """One row an order with its latest gated terms and its worst case."""
    story = told_in_full()

    orders = frames.orders(story.journal)

    assert list(orders["slice"]) == [1, 2]
    assert list(orders["state"]) == ["cancel_pending", "working"]
    assert list(orders["lots"]) == [3, 3]
    assert list(orders["working_lots"]) == [1, 1]
    assert list(orders["limit_price"]) == [370.5, 370.75]
    assert list(orders["order_id"]) == [12, 13]
    assert list(orders["perm_id"]) == [9001, 9001]
    assert orders["expires"].iloc[1] == pd.Timestamp(ns(150), tz="UTC")


def test_positions_show_the_worst_case_and_value_in_cash() -> None:
    """Working lots widen the position, a mid values it, and the account is masked."""
    story = told_in_full()
    report = {"con_id": 101, "local_symbol": "ZOK6", "symbol": "ZO"}
    story.tell(ev.PositionReported(time_ns=ns(140), lots=-3, average_cost=Decimal("18531.25"), **report))
    other = {"con_id": 999, "local_symbol": "CCN6", "symbol": "CC", "lots": 2, "average_cost": Decimal(90)}
    story.tell(ev.PositionReported(time_ns=ns(140), **other))
    flat = {"con_id": 998, "local_symbol": "KCN6", "symbol": "KC", "lots": 0, "average_cost": Decimal(0)}
    story.tell(ev.PositionReported(time_ns=ns(140), **flat))

    positions = frames.positions(story.journal, quotes={101: top(OATS, "370", "371")}).set_index("local_symbol")

    assert list(positions.index) == ["CCN6", "ZOK6"]
    oats = positions.loc["ZOK6"]
    assert (oats["position"], oats["working_buy"], oats["working_sell"]) == (-3, 2, 0)
    assert (oats["worst_long"], oats["worst_short"]) == (-1, -3)
    assert (oats["mid"], oats["value"], oats["average_cost"]) == (370.5, -3 * 370.5 * 50, 18531.25)
    assert (oats["account"], oats["currency"], oats["symbol"]) == ("SIM•••QF", "USD", "ZO")
    assert math.isnan(positions.loc["CCN6", "value"])


# Filters


def told_twice() -> Story:
    """Oats at the start and palladium an hour later, each with a fill, a decision and a quote."""
    story = one_fill(OATS, bid="370", ask="371", price="371")
    story.over("P-0001", status=ParentStatus.FILLED, at=10)
    plan, quote = plan_for(PALLADIUM, 1), top(PALLADIUM, "1000", "1002", time_ns=ns(3600))
    story.submitted("P-0002", plan, quote, at=3600)
    ref = story.gated("P-0002", 1, plan=plan, price="1001", quote=quote, at=3601)
    story.sent(ref, at=3601)
    story.filled(ref, "0002.01.01", 1, "1001", at=3602)
    for parent_id, contract, at in (("P-0001", OATS, 0), ("P-0002", PALLADIUM, 3600)):
        story.journal.append_decisions((PASSED,), time_ns=ns(at), parent_id=parent_id, slice=1, action=Action.PLACE)
        story.journal.append_quote(top(contract, "370", "371", time_ns=ns(at)), contract.local_symbol)
    story.journal.append_quote(top(OATS, "370", "371", time_ns=ns(60)), "ZOK6")
    return story


FRAMES_WITH_FILTERS = {
    "executions": frames.executions,
    "slices": frames.slices,
    "decisions": frames.decisions,
    "fills": frames.fills,
    "quotes": frames.quotes,
}


@pytest.mark.parametrize("name", FRAMES_WITH_FILTERS)
@pytest.mark.parametrize(
    "filters",
    [
        {"parent_id": "P-0001"},
        {"symbol": "ZO", "until": ns(59)},
        {"symbol": "ZOK6", "until": pd.Timestamp(ns(59), tz="UTC")},
        {"symbol": " zo", "until": ns(59)},
        {"symbol": "zok6 ", "until": ns(59)},
        {"until": "2026-03-03 15:00:59"},
        {"since": "2026-03-03 09:00-06:00", "until": "2026-03-03 15:00:59+00:00"},
        {"since": pd.Timestamp("2026-03-03 15:00").to_pydatetime(), "until": np.datetime64("2026-03-03T15:00:02")},
    ],
    ids=str,
)
def test_filters_leave_the_first_order_alone(name: str, filters: dict[str, object]) -> None:
    """Parent, symbol or month, and times with or without a zone, each part the two orders."""
    story = told_twice()

    whole, filtered = FRAMES_WITH_FILTERS[name](story.journal), FRAMES_WITH_FILTERS[name](story.journal, **filters)

    assert len(filtered) == 1
    assert len(whole) == (3 if name == "quotes" else 2)
    pd.testing.assert_frame_equal(filtered, whole.head(1))


@pytest.mark.parametrize("name", FRAMES_WITH_FILTERS)
@pytest.mark.parametrize(
    "filters", [{"parent_id": "P-0009"}, {"symbol": "HE"}, {"since": "2027-01-01"}, {"until": "2020-01-01"}], ids=str
)
def test_filters_that_match_nothing_give_an_empty_frame(name: str, filters: dict[str, str]) -> None:
    """An empty frame has the columns and dtypes of a full one."""
    story = told_twice()

    filtered = FRAMES_WITH_FILTERS[name](story.journal, **filters)

    assert filtered.empty
    assert described(filtered) == promised(name)


@pytest.mark.parametrize("name", FRAMES_WITH_FILTERS)
@pytest.mark.parametrize(
    "given",
    ["yesterday", "today", "03.02.2026", "3/2/2026", "2026-02-30", "09:30", "", "2300-01-01", True, pd.NaT, [1]],
    ids=repr,
)
def test_what_is_no_time_is_refused_with_how_to_write_one(name: str, given: object) -> None:
    """Neither is the month guessed, nor does the clock of the host decide."""
    with pytest.raises(AnalysisError, match=r"^since=.* is no time; write it as '2027-01-12 14:30', which is UTC"):
        FRAMES_WITH_FILTERS[name](Story().journal, since=given)
    with pytest.raises(AnalysisError, match=r"^until="):
        FRAMES_WITH_FILTERS[name](Story().journal, until=given)


def test_what_is_no_symbol_is_refused() -> None:
    """A list is none."""
    with pytest.raises(AnalysisError, match=r"symbol=\['ZO'\] is none; write it as 'ZO'"):
        frames.fills(Story().journal, symbol=["ZO"])  # type: ignore[arg-type]


def test_an_unknown_filter_is_refused() -> None:
    """A mistyped filter is an error and not the whole frame."""
    with pytest.raises(TypeError, match="parent"):
        frames.fills(Story().journal, parent="P-0001")  # type: ignore[call-arg]


# Sources


def test_a_history_grows_with_its_journal() -> None:
    """A history that is asked again shows what came since, the same as a fresh reading."""
    story = one_fill(OATS, bid="370", ask="371", price="371", lots=1)
    history = History(story.journal)
    before = frames.fills(history)
    plan = plan_for(OATS, 2)
    story.submitted("P-0002", plan, None, at=10)
    ref = story.gated("P-0002", 1, plan=plan, price="371", quote=None, at=11)
    story.sent(ref, at=11)
    story.filled(ref, "0005.01.01", 2, "371", at=12)

    after = frames.fills(history)

    assert list(before["fill_id"]) == ["0001.01"]
    pd.testing.assert_frame_equal(after, frames.fills(story.journal))
    pd.testing.assert_frame_equal(frames.executions(history), frames.executions(story.journal))
    assert math.isnan(after["slippage_ticks"].iloc[1])


def test_a_journal_at_rest_gives_the_frames_of_the_live_one(tmp_path: Path) -> None:
    """Yesterday's file is read by the same code as today's desk."""
    live = Journal.open(tmp_path / "j.sqlite", account=ACCOUNT, now_ns=START_NS, inline=True)
    for _, event in told_in_full().journal.events():
        live.append(event)
    shown = [frames.fills(live), frames.slices(live), frames.executions(live), frames.orders(live)]

    live.close()

    with JournalReader.open(tmp_path / "j.sqlite") as reader:
        read = [frames.fills(reader), frames.slices(reader), frames.executions(reader), frames.orders(reader)]
    for one, other in zip(shown, read, strict=True):
        pd.testing.assert_frame_equal(one, other)


# Plans


def test_a_schedule_counts_from_its_start_with_indicative_limits() -> None:
    """Prices are on tick and follow one another toward the market; without a quote they are unknown."""
    plan, quote = plan_for(OATS, 3, 3, 2), top(OATS, "370", "371")

    shown = frames.schedule(plan, start_ns=ns(7), quote=quote)
    blind = frames.schedule(plan, start_ns=ns(7), quote=None)

    assert list(shown["start"]) == [pd.Timestamp(ns(at), tz="UTC") for at in (7, 107, 207)]
    assert list(shown["lots"]) == [3, 3, 2]
    assert list(shown["cumulative_lots"]) == [3, 6, 8]
    assert set(zip(shown["limit_mid"], shown["limit_step"], shown["limit_cross"], strict=True)) == {
        (370.5, 370.75, 371.0)
    }
    assert set(shown["wait_mid_s"]) == {20.0}
    assert blind[["limit_mid", "limit_step", "limit_cross"]].isna().all(axis=None)


def test_expected_cost_is_unknown_without_a_prediction() -> None:
    """What crossing now would cost is known from the quote alone; nothing else is made up."""
    plan = plan_for(OATS, 3)

    row = frames.expected_cost(plan, quote=top(OATS, "370", "371")).iloc[0]

    assert row["cross_now_ticks"] == 2.0
    assert math.isnan(row["slippage_ticks"])
    assert math.isnan(row["low_ticks"])
    assert row["n_evidence"] == 0
    assert row["commission"] > 0


@pytest.mark.parametrize(("symbol", "rows"), [("ZO", 2), ("ZOK6", 1), ("Z", 0), ("ZOK", 0)])
def test_quotes_of_a_symbol_are_found_before_its_first_order(symbol: str, rows: int) -> None:
    """A bare symbol means all its months, a local symbol one, and part of a symbol none."""
    story = Story()
    for local_symbol in ("ZOK6", "ZON6", "KEK6"):
        story.journal.append_quote(top(OATS, "370", "371", time_ns=ns(0)), local_symbol)

    found = frames.quotes(story.journal, symbol=symbol)

    assert len(found) == rows
