"""A TWAP divided by Almgren and Chriss on a desk: what is drawn, refused, recorded, checked, and worked."""

import dataclasses
import json
import math
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from hydra_nb.analysis import plots
from hydra_nb.analysis.columns_page import FRAMES
from hydra_nb.desk.arguments import How
from hydra_nb.desk.dividing import trading_day_s
from hydra_nb.domain.events import ParentSubmitted
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import BasketErrors, InvalidOrder
from hydra_nb.journal.codec import decode_event, encode_event
from hydra_nb.risk.limits import Limits
from tests.algos.making import make_plan
from tests.starting.test_words import RICE, contract
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

BOOK = steady("370.00", "372.00")
THIRTEEN: dict[str, Any] = {"strategy": "twap", "slices": 5, "duration": "50m", "seed": 3}
FRONT: dict[str, Any] = {**THIRTEEN, "schedule": "almgren_chriss"}


def market(**how: Any) -> ScriptedExchange:
    """Oats in a book that never changes, a point either side of 371."""
    return ScriptedExchange(script=BOOK, **how)


def lots_of(plan: Any) -> list[int]:
    """Lots by slice."""
    return [one.lots for one in plan.terms.slices]


def test_plans_in_even_slices_keep_their_ids() -> None:
    """As they were before lots could be divided otherwise: the same order sent again is known by its id."""
    plan = make_plan()

    assert plan.plan_id == "c50207b15ad25631"
    assert make_plan(7, slices=3, seed=2, limit=Decimal("371.25")).plan_id == "983258ccd0fe5c10"
    assert dataclasses.replace(plan, start_ns=plan.previewed_ns + 1).plan_id == "c9a3c4bbe0220167"


def test_only_the_lots_differ_from_even_slices_and_the_order_fills() -> None:
    """The same starts, windows and ladders from one seed; more lots early; all of them filled, and on record."""

    async def scenario(stack: Stack) -> None:
        even = await stack.desk.preview("BUY", 13, "ZO", **THIRTEEN)
        front = await stack.desk.preview("BUY", 13, "ZO", **FRONT, risk_aversion=2e-4)
        execution = await stack.desk.submit(front)
        await execution

        assert lots_of(even) == [3, 3, 3, 2, 2]
        assert lots_of(front) == [5, 3, 2, 2, 1]
        assert front.terms.slices == tuple(
            dataclasses.replace(one, lots=lots) for one, lots in zip(even.terms.slices, lots_of(front), strict=True)
        )
        assert (even.terms.trajectory, front.terms.trajectory.risk_aversion) == (None, 2e-4)
        assert any("Almgren and Chriss, with a risk aversion of 0.0002 per USD." in one for one in front.notices)
        assert execution.status is ParentStatus.FILLED
        assert execution.slices["filled_lots"].tolist() == [5, 3, 2, 2, 1]
        (submitted,) = stack.journalled(ParentSubmitted)
        assert submitted.plan == front.terms
        assert submitted.plan.plan_id == front.plan_id
        assert "by almgren_chriss, risk aversion 0.0002" in " ".join(stack.desk.audit(execution.parent_id).words)

    on_a_desk(scenario, exchange=market())


def test_the_id_tells_two_aversions_with_equal_lots_apart() -> None:
    """The name and the risk aversion are of what was shown."""

    async def scenario(stack: Stack) -> None:
        front = (await stack.desk.preview("BUY", 13, "ZO", **FRONT, risk_aversion=0)).terms
        other = dataclasses.replace(front, trajectory=dataclasses.replace(front.trajectory, risk_aversion=1e-9))

        assert [one.lots for one in front.slices] == [3, 3, 3, 2, 2]
        assert len({front.plan_id, other.plan_id, dataclasses.replace(front, trajectory=None).plan_id}) == 3

    on_a_desk(scenario, exchange=market())


def test_a_journal_from_before_reads_as_even_slices() -> None:
    """A record that knows of no trajectory has none."""
    event = ParentSubmitted(time_ns=1, parent_id="P-0001", plan=make_plan(), quote=None)
    before = json.loads(encode_event(event))
    del before["plan"]["trajectory"]

    assert decode_event("ParentSubmitted", json.dumps(before)) == event


def test_slices_without_lots_are_left_out_and_said() -> None:
    """So averse that all is done in two of five slices: the plan ends where the third would have begun."""

    async def scenario(stack: Stack) -> None:
        even = await stack.desk.preview("SELL", 13, "ZO", **THIRTEEN)
        front = await stack.desk.preview("SELL", 13, "ZO", **FRONT, risk_aversion=8e-3)

        assert lots_of(front) == [12, 1]
        assert front.terms.duration_ns == even.terms.slices[2].offset_ns
        assert any("leaves none for the last 3 of 5 slices" in one for one in front.notices)
        assert front.frontier(5).set_index("kind").loc["plan", "slices"] == 2

    on_a_desk(scenario, exchange=market())


@pytest.mark.parametrize("lots", [1, 2, 7, 13, 60])
def test_even_slices_are_checked_by_their_number_and_others_by_their_largest(lots: int) -> None:
    """An even slice as large as the largest: of as many slices for even plans, of the fewest that do for others."""
    for slices in range(1, 21):
        plan = make_plan(lots, slices=slices)
        assert plan.slices_as_its_largest == len(plan.slices)
    for largest in range(math.ceil(lots / 2), lots):
        sizes = (largest, lots - largest)
        planned = tuple(dataclasses.replace(plan.slices[0], lots=size) for size in sizes)
        checked = dataclasses.replace(plan, slices=planned).slices_as_its_largest
        assert math.ceil(lots / checked) >= largest
        assert checked == 2 or math.ceil(lots / (checked + 1)) < largest


def test_the_whole_order_is_checked_by_its_largest_slice() -> None:
    """Twice three lots pass a limit of 8 an order, twice seven do not: the preview says so, and nothing is sent."""

    async def scenario(stack: Stack) -> None:
        even = await stack.desk.preview("BUY", 13, "ZO", **THIRTEEN)
        front = await stack.desk.preview("BUY", 13, "ZO", **FRONT, risk_aversion=4e-4)
        execution = await stack.desk.submit(front)
        await execution

        assert lots_of(front)[0] == 7
        assert even.passes
        assert front.risk.loc[~front.risk["allowed"], "check"].tolist() == ["order_lots"]
        assert execution.status is ParentStatus.REFUSED
        assert stack.core.placed() == []

    on_a_desk(scenario, exchange=market(), limits=Limits(max_lots_per_order=8))


def test_the_default_aversion_says_where_it_changes_nothing() -> None:
    """A millionth is of the paper's orders: 13 lots stay even, and the notice names the frontier."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 13, "ZO", **FRONT)

        assert plan.terms.trajectory.risk_aversion == 1e-6
        assert lots_of(plan) == [3, 3, 3, 2, 2]
        assert any("divides them evenly; plan.frontier() tells" in one for one in plan.notices)

    on_a_desk(scenario, exchange=market())


def test_an_order_that_is_small_enough_for_patience_is_not_divided() -> None:
    """`auto` chooses one order: a notice says that the schedule changes nothing; asked for outright it is refused."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 1, "ZO", schedule="almgren_chriss", adv=500)

        assert plan.strategy == "limit_patience"
        assert plan.terms.trajectory is None
        assert any("has no slices to divide it among. Say strategy='twap'" in one for one in plan.notices)
        with pytest.raises(InvalidOrder, match="a single slice has no frontier"):
            plan.frontier()
        with pytest.raises(InvalidOrder, match="'limit_patience' has none; say strategy='twap'"):
            await stack.desk.preview("BUY", 1, "ZO", schedule="almgren_chriss", strategy="limit_patience")

    on_a_desk(scenario, exchange=market())


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"schedule": "vwap"}, "schedule 'vwap' is unknown; say one of even, almgren_chriss"),
        ({"schedule": None}, "schedule None is unknown"),
        ({"risk_aversion": -1e-9}, "risk_aversion -1e-09 is outside 0 to 1000 1/cash"),
        ({"risk_aversion": 1001}, "is outside 0 to 1000"),
        ({"risk_aversion": float("nan")}, "risk_aversion nan is no number"),
        ({"risk_aversion": "1e-6"}, "is no number"),
        ({"risk_aversion": True}, "is no number"),
    ],
    ids=str,
)
def test_settings_that_are_none_are_refused(how: dict[str, Any], words: str) -> None:
    """Each with what may be said instead."""
    with pytest.raises(InvalidOrder, match=words):
        How.parse({**FRONT, **how})


def test_an_aversion_that_nothing_goes_by_is_refused() -> None:
    """Even slices have none: a setting is never dropped in silence."""

    async def scenario(stack: Stack) -> None:
        with pytest.raises(InvalidOrder, match=r"risk_aversion 1e-05 changes nothing .* schedule='almgren_chriss'"):
            await stack.desk.preview("BUY", 13, "ZO", **THIRTEEN, risk_aversion=1e-5)

    on_a_desk(scenario, exchange=market())


@pytest.mark.parametrize(
    ("ask", "bars", "how", "words"),
    [
        ("372.00", -1, {}, "the average daily volume is not known; say adv="),
        ("372.00", -1, {"adv": 500}, "the daily volatility is not known; preview again"),
        (None, None, {}, "the book does not show both sides"),
    ],
    ids=("volume", "volatility", "spread"),
)
def test_where_cost_or_risk_is_not_known_nothing_is_divided_evenly_in_silence(
    ask: str | None, bars: int | None, how: dict[str, Any], words: str
) -> None:
    """What is missing is named with its remedy; the frontier of even slices lacks it likewise."""

    async def scenario(stack: Stack) -> None:
        with pytest.raises(InvalidOrder, match=words):
            await stack.desk.preview("BUY", 3, "ZO", **FRONT, **how)
        even = await stack.desk.preview("BUY", 3, "ZO", **THIRTEEN, **how)
        with pytest.raises(InvalidOrder, match=words):
            even.frontier()

    on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", ask), volume=bars))


def test_a_day_of_trading_is_as_long_as_the_sessions_of_most_trade_dates() -> None:
    """Oats trade 17 h 35 min of a date, also where the listing begins with half a date; nothing listed is unknown."""
    oats, rice = contract(days=5), contract(RICE, days=5)

    assert trading_day_s(oats) == (12 * 60 + 45 + 4 * 60 + 50) * 60
    assert trading_day_s(rice) == (2 * 60 + 4 * 60 + 50) * 60
    assert trading_day_s(dataclasses.replace(oats, sessions=())) is None


def test_rows_of_a_basket_may_be_divided_so() -> None:
    """As columns of their own, also as text out of a file; a wrong one is told by its column."""

    async def scenario(stack: Stack) -> None:
        rows = pd.DataFrame(
            {
                "instrument": ["ZO", "ZR"],
                "side": "BUY",
                "lots": 9,
                "strategy": "twap",
                "schedule": ["almgren_chriss", None],
                "risk_aversion": ["1e-3", None],
            }
        )
        basket = await stack.desk.preview_basket(rows)
        with pytest.raises(BasketErrors) as caught:
            await stack.desk.preview_basket(rows.assign(schedule=None))

        assert [plan.terms.trajectory is None for plan in basket.plans] == [False, True]
        assert caught.value.errors["column"].tolist() == ["risk_aversion"]

    on_a_desk(scenario)


def test_the_frontier_bounds_every_plan_of_the_order() -> None:
    """Cost rises and deviation falls with aversion; even slices cost what the plan's card says; no plan is below it."""

    async def scenario(stack: Stack) -> None:
        front = await stack.desk.preview("BUY", 15, "ZO", **FRONT, risk_aversion=2e-4)
        even = await stack.desk.preview("BUY", 15, "ZO", **THIRTEEN)
        found, of_even = front.frontier(), even.frontier()

        line = found[found["kind"] == "frontier"]
        assert [(name, str(kind)) for name, kind in found.dtypes.items()] == [
            (one.name, str(one.kind)) for one in FRAMES["plan.frontier"]
        ]
        assert (len(line), found["kind"].tolist()[-2:]) == (25, ["plan", "even"])
        assert line["risk_aversion"].iloc[0] == 0
        for column, rises in (("risk_aversion", True), ("expected_cost_cash", True), ("deviation_cash", False)):
            assert line[column].is_monotonic_increasing if rises else line[column].is_monotonic_decreasing
        assert line["first_slice_lots"].tolist()[:1] + line["first_slice_lots"].tolist()[-1:] == [3, 15]
        predicted = even.expected_cost["slippage_cash"].iloc[0]
        assert found.set_index("kind").loc["even", "expected_cost_cash"] == pytest.approx(predicted)
        assert line["expected_cost_cash"].iloc[0] == pytest.approx(predicted)
        for frame in (found, of_even):
            for row in frame[frame["kind"] != "frontier"].itertuples():
                worth = row.expected_cost_cash + line["risk_aversion"] * row.deviation_cash**2
                best = line["expected_cost_cash"] + line["risk_aversion"] * line["deviation_cash"] ** 2
                assert (worth >= best - 1e-6).all()
        assert of_even["risk_aversion"].iloc[-2:].tolist() == [0, 0]

    on_a_desk(scenario, exchange=market())


@pytest.mark.parametrize("n", [1, 0, -5, 2.5, True, 1_001, "25"])
def test_a_frontier_has_a_number_of_points(n: Any) -> None:
    """A whole one, from 2 to 1,000."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 13, "ZO", **THIRTEEN)
        with pytest.raises(InvalidOrder, match="points of a frontier"):
            plan.frontier(n)

    on_a_desk(scenario, exchange=market())


def test_the_figure_shows_the_frontier_and_marks_the_plan() -> None:
    """The line and both marks stand where the frame says, and tell it in words; nothing is said to be nothing."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 13, "ZO", **FRONT, risk_aversion=2e-4)
        frame = plan.frontier(7)

        figure = plan.plot_frontier(7, theme="dark")

        drawn = {one.name: one for one in figure.data}
        for kind, name in (("frontier", "efficient frontier"), ("plan", "this plan"), ("even", "even slices")):
            rows = frame[frame["kind"] == kind]
            assert list(drawn[name].x) == rows["deviation_cash"].tolist()
            assert list(drawn[name].y) == rows["expected_cost_cash"].tolist()
        assert drawn["this plan"].marker.symbol != drawn["even slices"].marker.symbol
        assert "this plan: risk aversion 0.0002, half-life" in drawn["this plan"].text[0]
        assert "5 lots in the first of 5 slices" in drawn["this plan"].text[0]
        assert drawn["efficient frontier"].text[0].startswith("efficient frontier: even<br>")
        assert figure.layout.yaxis.title.text == "expected cost, USD"
        nothing = plots.efficient_frontier(frame.iloc[:0])
        assert nothing.layout.annotations[0].text == "nothing to show yet"

    on_a_desk(scenario, exchange=market())
