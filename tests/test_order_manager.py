"""The manager on the whole stack: what it decides, and what of it reaches the exchange."""

import itertools
from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from hydra_nb.desk.execution import Execution
from hydra_nb.desk.plan import Plan
from hydra_nb.domain.events import ChildRefused, ChildReserved, ChildSent, SendFailed
from hydra_nb.domain.orders import Action, ParentStatus, SliceStatus, Strategy
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.records import OrderStatus
from hydra_nb.sim.wire_time import parse_time
from tests.whole_stack import ScriptedExchange, Stack, on_a_desk, steady

GRACE_NS = 10 * NS_PER_S
OATS = steady("370.00", "372.00")
WIDE = steady("95.0", "105.0")
BOTH = ["limit_patience", "twap"]
ROOMY = Limits(max_lots_per_parent=100, max_adv_percent=100, max_position_percent_of_equity=1_000)


def order_of(
    side: str,
    lots: int,
    symbol: str,
    *,
    exchange: ScriptedExchange | None = None,
    limits: Limits | None = None,
    seed: int = 7,
    **how: Any,
) -> tuple[Stack, Plan, Execution]:
    """Preview, submit and wait on a desk of its own; gives what there is to look at afterwards."""

    async def scenario(stack: Stack) -> tuple[Stack, Plan, Execution]:
        plan = await stack.desk.preview(side, lots, symbol, **how)
        return stack, plan, await (await stack.desk.submit(plan))

    return on_a_desk(scenario, exchange=exchange, limits=limits, seed=seed)


class TestRoutingDecision:
    """Below 1 % of the average daily volume one patient order, from 1 % on slices over time."""

    @pytest.mark.parametrize(
        ("lots", "strategy", "orders"),
        [(9, Strategy.LIMIT_PATIENCE, 1), (10, Strategy.TWAP, 5), (11, Strategy.TWAP, 5)],
        ids=["below", "at", "above"],
    )
    def test_the_brokers_volume_decides(self, lots: int, strategy: Strategy, orders: int) -> None:
        """9, 10 and 11 lots of a contract that trades 1000 a day."""
        stack, plan, execution = order_of("BUY", lots, "ZO", exchange=ScriptedExchange(script=OATS, volume=1_000))

        assert plan.participation == lots / 1_000
        assert plan.strategy is strategy
        assert execution.filled_lots == lots
        assert len(stack.orders()) == orders

    @pytest.mark.parametrize(
        ("adv", "strategy"), [(201, Strategy.LIMIT_PATIENCE), (200, Strategy.TWAP), (199, Strategy.TWAP)]
    )
    def test_the_callers_volume_decides_where_it_is_given(self, adv: float, strategy: Strategy) -> None:
        """2 lots of what the caller takes to be 201, 200 and 199 a day, whatever the broker's bars say."""
        _, plan, _ = order_of("BUY", 2, "ZO", exchange=ScriptedExchange(script=OATS, volume=1_000_000), adv=adv)

        assert plan.strategy is strategy
        assert plan.participation == 2 / adv

    @pytest.mark.parametrize("strategy", BOTH)
    def test_a_person_may_decide(self, strategy: str) -> None:
        """A strategy that was named is taken, on either side of 1 %."""
        for volume in (100, 100_000):
            exchange = ScriptedExchange(script=OATS, volume=volume)

            stack, plan, _ = order_of("BUY", 4, "ZO", exchange=exchange, strategy=strategy, slices=2)

            assert plan.strategy == strategy
            assert len(stack.orders()) == (1 if strategy == "limit_patience" else 2)


class TestSlicingArithmetic:
    """The remainder goes to the first slices, and what the exchange gets are these lots."""

    @pytest.mark.parametrize(
        ("lots", "slices", "expected"),
        [
            (13, 5, [3, 3, 3, 2, 2]),
            (10, 5, [2, 2, 2, 2, 2]),
            (3, 5, [1, 1, 1]),
            (1, 5, [1]),
            (7, 1, [7]),
            (11, 4, [3, 3, 3, 2]),
        ],
    )
    def test_the_exchange_gets_the_lots_of_the_plan(self, lots: int, slices: int, expected: list[int]) -> None:
        """One order a slice, in order, none of zero, all of them together the parent."""
        stack, plan, execution = order_of(
            "BUY", lots, "ZO", exchange=ScriptedExchange(script=OATS), strategy="twap", slices=slices, limits=ROOMY
        )

        assert plan.schedule["lots"].tolist() == expected
        assert [order.terms.lots for order in stack.orders()] == expected
        assert plan.schedule["cumulative_lots"].iloc[-1] == lots == execution.filled_lots == stack.lots_filled()

    def test_each_slice_starts_when_the_plan_says(self) -> None:
        """Offsets count from the submission; an order leaves within a second of its slice's start."""
        stack, plan, execution = order_of("BUY", 13, "ZO", exchange=ScriptedExchange(script=OATS), strategy="twap")

        planned = [slot.offset_ns for slot in plan.terms.slices]
        started = [order.submitted_ns - stack.orders()[0].submitted_ns for order in stack.orders()]
        assert started == pytest.approx(planned, abs=NS_PER_S)
        assert execution.slices["start"].tolist() == [
            execution.slices["start"].iloc[0] + (start - plan.schedule["start"].iloc[0])
            for start in plan.schedule["start"]
        ]

    def test_what_a_slice_left_is_spread_over_the_rest_up_to_twice_the_planned(self) -> None:
        """A book without offers for a while: nothing is lost, and no order is above twice its slice."""

        def script(seconds: float) -> tuple[Any, Any]:
            # The cross reaches 10 steps from mid at most: the far offer is out of reach until the third slice.
            return ("370.00", 5), (("372.00" if seconds > 1_200 else "390.00"), 5)

        stack, plan, execution = order_of("BUY", 10, "ZO", exchange=ScriptedExchange(script=script), strategy="twap")

        planned = {slot.number: slot.lots for slot in plan.terms.slices}
        by_slice = {int(o.terms.order_ref.split(":")[3]): o.terms.lots for o in stack.orders()}
        assert max(by_slice.values()) > max(planned.values())
        assert all(lots <= 2 * planned[number] for number, lots in by_slice.items())
        assert execution.filled_lots == stack.lots_filled() == 10


class TestLimitOrdersOnly:
    """Whatever is asked for, the wire carries limit orders with a price, an expiry and a name."""

    @pytest.mark.parametrize("strategy", BOTH)
    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_every_frame_is_a_limit_order_with_expiry(self, strategy: str, side: str) -> None:
        """LMT and GTD, a price on tick, whole lots, the account, the contract id, and a name of ours."""
        stack, plan, _ = order_of(side, 6, "ZO", strategy=strategy, slices=3)

        frames = stack.core.placed()
        contract = plan.parent.contract
        assert frames
        for frame in frames:
            assert (frame.order_type, frame.tif, frame.action) == ("LMT", "GTD", side)
            assert Decimal(frame.limit_price) % contract.tick == 0
            assert Decimal(frame.quantity) == int(Decimal(frame.quantity)) > 0
            assert frame.contract.con_id == contract.con_id
            assert frame.account == stack.desk.account
            assert frame.order_ref.startswith(f"hy:{stack.desk._rooms.journal.journal_id}:P-0001:")
            assert not frame.what_if

    @pytest.mark.parametrize("strategy", BOTH)
    def test_no_expiry_is_later_than_the_grace_after_its_stage(self, strategy: str) -> None:
        """Ten seconds after the end of a stage the broker itself takes the order away."""
        stack, plan, _ = order_of(
            "BUY", 4, "PL", exchange=ScriptedExchange(script=WIDE), strategy=strategy, slices=2, limits=ROOMY
        )

        reserved = stack.journalled(ChildReserved)
        frames = stack.core.placed()
        submitted_ns = stack.desk._rooms.manager.ledger.parents["P-0001"].submitted_ns
        assert len(frames) == len(reserved) > 2
        for frame, event in zip(frames, reserved, strict=True):
            slot = plan.terms.slices[event.child.slice - 1]
            ladder = slot.ladder
            length_ns = {
                "mid": ladder.mid_ns,
                "step": ladder.mid_ns + ladder.step_ns,
                "cross": ladder.total_ns,
            }[event.child.stage]
            assert parse_time(frame.good_till) == event.child.expires_ns
            assert event.child.expires_ns <= submitted_ns + slot.offset_ns + length_ns + GRACE_NS
        assert all(o.completed_ns <= o.terms.good_till_ns for o in stack.orders() if o.completed_ns)
        assert {order.status for order in stack.orders()} == {OrderStatus.CANCELLED}

    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_no_frame_passes_the_callers_limit(self, side: str) -> None:
        """A limit between mid and touch is the price at which the ladder ends."""
        stack, _, execution = order_of(
            side, 2, "PL", exchange=ScriptedExchange(script=WIDE), limit="100.3" if side == "BUY" else "99.7"
        )

        worst = "100.3" if side == "BUY" else "99.7"
        assert stack.prices() == ["1E+2", "100.1" if side == "BUY" else "99.9", worst]
        assert (execution.filled_lots, execution.shortfall_lots) == (0, 2)


class TestDelegationToTheGate:
    """Every order and every modify is the gate's to allow, and nothing gets past it."""

    @pytest.mark.parametrize("strategy", BOTH)
    def test_every_frame_is_what_the_gate_approved_and_the_journal_holds(self, strategy: str) -> None:
        """Reference, lots, price and expiry of each frame are those of an approved reservation, one for one."""
        stack, _, execution = order_of("BUY", 8, "ZO", strategy=strategy, slices=4, seed=11)

        reserved = stack.journalled(ChildReserved)
        unsent = Counter(event.order_ref for event in stack.journalled(SendFailed))
        frames = [(f.order_ref, int(f.quantity), Decimal(f.limit_price)) for f in stack.core.placed()]
        assert not unsent
        assert frames == [(e.child.order_ref, e.child.lots, e.child.limit_price) for e in reserved]
        assert [e.content_hash for e in stack.journalled(ChildSent)] == [e.child.content_hash for e in reserved]
        asked = execution.decisions[execution.decisions["action"] != "parent"]
        rounds = len(reserved) + len(stack.journalled(ChildRefused))
        assert len(asked) == rounds * len(asked["check"].unique())

    def test_the_gates_word_holds_where_the_manager_wants_to_go_on(self) -> None:
        """A position grows too dear between two slices: the manager asks, the gate refuses, nothing more is sent."""

        def script(seconds: float) -> tuple[Any, Any]:
            return (("370.00", 5), ("372.00", 5)) if seconds < 550 else (("500.00", 5), ("502.00", 5))

        stack, _, execution = order_of(
            "BUY",
            10,
            "ZO",
            exchange=ScriptedExchange(script=script),
            strategy="twap",
            limits=Limits(
                max_position_percent_of_equity=19,
                collar_last_percent=100,
                collar_settlement_percent=100,
                max_chase_percent=100,
            ),
        )

        refused = stack.journalled(ChildRefused)
        last_frame_ns = stack.core.heard(3)[-1].time_ns
        assert [event.check for event in refused] == ["position_share"]
        assert last_frame_ns < refused[0].time_ns
        assert execution.status is ParentStatus.PARTIAL
        assert execution.filled_lots == stack.lots_filled() == 6
        row = execution.decisions[~execution.decisions["allowed"]]
        assert row["check"].tolist() == ["position_share"]
        assert row["observed"].iloc[0] > row["limit"].iloc[0] == 19

    def test_a_modify_that_the_gate_refuses_leaves_the_order_at_its_price(self) -> None:
        """The market runs away between two stages; the order stays as it was gated, and dies with its expiry."""

        def script(seconds: float) -> tuple[Any, Any]:
            return (("95.0", 5), ("105.0", 5)) if seconds < 200 else (("95.0", 5), ("102.0", 5))

        stack, _, execution = order_of("BUY", 2, "PL", exchange=ScriptedExchange(script=script))

        [order] = stack.orders()
        refused = stack.journalled(ChildRefused)
        assert stack.prices() == ["1E+2"]
        assert [(event.action, event.check) for event in refused] == [(Action.MODIFY, "collar_percent")]
        assert order.status is OrderStatus.CANCELLED
        assert execution.filled_lots == 0


class TestRefusedOrders:
    """For both strategies a refusal is a result in words: nothing raises, nothing is sent."""

    @pytest.mark.parametrize("strategy", BOTH)
    def test_a_whole_order_over_a_limit_ends_refused(self, strategy: str) -> None:
        """Lots above the limit: the execution says which check, and the exchange never heard of it."""
        stack, plan, execution = order_of("BUY", 60, "ZO", strategy=strategy)

        assert not plan.passes
        assert execution.status is ParentStatus.REFUSED
        assert execution.reason
        assert (execution.filled_lots, execution.working_lots, execution.shortfall_lots) == (0, 0, 60)
        assert stack.core.placed() == []
        assert stack.orders() == []
        refusing = execution.decisions[~execution.decisions["allowed"]]
        assert "parent_lots" in refusing["check"].tolist()
        assert refusing.set_index("check").loc["parent_lots", "would_pass"] == 50
        assert stack.desk.executions()["status"].tolist() == ["refused"]

    @pytest.mark.parametrize("strategy", BOTH)
    def test_would_pass_names_lots_that_do_pass(self, strategy: str) -> None:
        """The number that preview gives is allowed by every check, and one more is not."""

        async def scenario(stack: Stack) -> None:
            plan = await stack.desk.preview("BUY", 60, "ZO", strategy=strategy)
            lots = int(plan.would_pass["lots"].iloc[0])

            assert (await stack.desk.preview("BUY", lots, "ZO", strategy=strategy)).passes
            assert not (await stack.desk.preview("BUY", lots + 1, "ZO", strategy=strategy)).passes

        on_a_desk(scenario)

    @pytest.mark.parametrize("strategy", BOTH)
    def test_a_passing_obstacle_is_tried_again_until_it_is_gone(self, strategy: str) -> None:
        """An empty book for the first 46 s: refused every 5 s, then sent in the same slice."""

        def script(seconds: float) -> tuple[Any, Any]:
            return (None, None) if seconds < 46 else (("370.00", 5), ("372.00", 5))

        stack, plan, execution = order_of(
            "BUY", 4, "ZO", exchange=ScriptedExchange(script=script), strategy=strategy, slices=2
        )

        assert not plan.passes
        assert execution.status is ParentStatus.FILLED
        assert execution.filled_lots == stack.lots_filled() == 4
        refused = stack.journalled(ChildRefused)
        assert len(refused) > 3
        assert all(event.transient for event in refused)
        gaps_s = [(b.time_ns - a.time_ns) / NS_PER_S for a, b in itertools.pairwise(refused)]
        assert all(gap >= 5 for gap in gaps_s)

    @pytest.mark.parametrize("strategy", BOTH)
    def test_an_empty_book_is_waited_for_however_far_the_market_is_from_its_settlement(self, strategy: str) -> None:
        """Without a mid the price is formed from the settlement, outside the collar; with the next quote it is not."""

        def script(seconds: float) -> tuple[Any, Any]:
            if 60 <= seconds < 90:
                return None, None
            return (("370.00", 5), ("372.00", 5)) if seconds < 10 else (("376.00", 5), ("378.00", 5))

        async def scenario(stack: Stack) -> Execution:
            await stack.desk.instrument("ZO")
            await stack.sleep(65)
            plan = await stack.desk.preview("SELL", 2, "ZO", strategy=strategy, slices=2)
            refusing = {decision.check for decision in plan.decisions if not decision.allowed}
            assert {"quote_sane", "collar_percent"} <= refusing
            execution = await (await stack.desk.submit(plan))
            assert execution.filled_lots == stack.lots_filled() == 2
            return execution

        execution = on_a_desk(scenario, exchange=ScriptedExchange(script=script))

        assert execution.status is ParentStatus.FILLED
        assert execution.average_price >= 376

    @pytest.mark.parametrize("strategy", BOTH)
    def test_an_obstacle_that_stays_ends_in_a_shortfall(self, strategy: str) -> None:
        """The book empties after preview: each slice ends refused, and all lots are short."""

        def script(seconds: float) -> tuple[Any, Any]:
            return (("370.00", 5), ("372.00", 5)) if seconds < 20 else (None, None)

        async def scenario(stack: Stack) -> Execution:
            plan = await stack.desk.preview("BUY", 4, "ZO", strategy=strategy, slices=2)
            await stack.sleep(120)
            return await (await stack.desk.submit(plan))

        execution = on_a_desk(scenario, exchange=ScriptedExchange(script=script))

        assert execution.status is ParentStatus.REFUSED
        assert (execution.filled_lots, execution.shortfall_lots) == (0, 4)
        assert set(execution.slices["status"]) == {SliceStatus.REFUSED}
        assert execution.slices["reason"].str.contains("refused").all()


class TestPriceAdjustment:
    """Mid, a step of 0.1 %, then the touch or 1 %: what the exchange was told, price by price."""

    @pytest.mark.parametrize("symbol", ["PL", "HE"], ids=["dollars", "cents"])
    @pytest.mark.parametrize(
        ("side", "prices"),
        [("BUY", ["1E+2", "100.1", "101"]), ("SELL", ["1E+2", "99.9", "99"])],
    )
    def test_the_step_and_the_one_percent_price_of_100(self, symbol: str, side: str, prices: list[str]) -> None:
        """100.0, then 100.1 up or 99.9 down, then 101.0 or 99.0, where the touch is further away."""
        stack, plan, execution = order_of(side, 2, symbol, exchange=ScriptedExchange(script=WIDE))

        assert stack.prices() == prices
        assert plan.schedule.loc[0, ["limit_mid", "limit_step", "limit_cross"]].tolist() == [
            float(price) for price in prices
        ]
        assert any("short of the opposite touch" in notice for notice in plan.notices)
        assert execution.filled_lots == 0
        [order] = stack.orders()
        assert str(order.terms.limit_price.normalize()) == prices[-1]

    def test_the_same_quote_in_cents_and_in_dollars_is_other_money(self) -> None:
        """One lot a point higher costs 400 USD in hogs (40,000 lb in cents), 50 USD in platinum."""
        cash = {}
        for symbol in ("HE", "PL"):
            exchange = ScriptedExchange(script=steady("99.0", "101.0"))

            _, _, execution = order_of("BUY", 1, symbol, exchange=exchange)

            assert (execution.arrival_mid, execution.average_price) == (100.0, 101.0)
            cash[symbol] = execution.slippage_cash
        assert cash == {"HE": pytest.approx(400.0), "PL": pytest.approx(50.0)}

    @pytest.mark.parametrize(
        ("side", "later", "prices"),
        [
            ("BUY", (("95.0", 5), ("102.8", 5)), ["1E+2", "100.1", "100.1"]),
            ("SELL", (("97.2", 5), ("105.0", 5)), ["1E+2", "99.9", "99.9"]),
        ],
    )
    def test_prices_never_retreat(self, side: str, later: tuple[Any, Any], prices: list[str]) -> None:
        """The market moves our way after the second stage; where the cap would lie behind us the price is kept."""

        def script(seconds: float) -> tuple[Any, Any]:
            return (("95.0", 5), ("105.0", 5)) if seconds < 400 else later

        stack, _, _ = order_of(side, 2, "PL", exchange=ScriptedExchange(script=script))

        assert stack.prices() == prices

    @pytest.mark.parametrize(
        ("side", "book", "step", "prices"),
        [
            # The step of 1 % would reach 101.0; the touch is 100.5.
            ("BUY", ("99.5", "100.5"), 0.01, ["1E+2", "100.4", "100.5"]),
            ("SELL", ("99.5", "100.5"), 0.01, ["1E+2", "99.6", "99.5"]),
            # Already one tick short at mid: the step has nowhere to go, only the expiry moves.
            ("BUY", ("99.9", "100.1"), 0.001, ["1E+2", "1E+2", "100.1"]),
            ("SELL", ("99.9", "100.1"), 0.001, ["1E+2", "1E+2", "99.9"]),
        ],
    )
    def test_the_step_stays_one_tick_short_of_the_touch(
        self, side: str, book: tuple[str, str], step: float, prices: list[str]
    ) -> None:
        """Only the last stage crosses, and then it fills at the touch."""
        stack, _, execution = order_of(side, 2, "PL", exchange=ScriptedExchange(script=steady(*book)), step=step)

        assert stack.prices() == prices
        assert execution.status is ParentStatus.FILLED
        assert {str(fill.price.normalize()) for fill in stack.executions()} == {prices[-1]}
        assert execution.fills["stage"].unique().tolist() == ["cross"]

    def test_the_step_moves_one_tick_where_a_thousandth_is_less(self) -> None:
        """0.10 of 100.00 is four ticks of butter, and less than one of oats."""
        for symbol, expected in (("CB", "100.1"), ("ZO", "100.25")):
            stack, _, _ = order_of(
                "BUY", 1, symbol, exchange=ScriptedExchange(script=WIDE), strategy="limit_patience", limits=ROOMY
            )

            assert stack.prices()[1] == expected

    def test_our_own_order_does_not_move_the_mid_that_it_is_measured_from(self) -> None:
        """We are the whole bid from the first stage on, and the step is still 0.1 % of the others' mid."""
        stack, _, _ = order_of("BUY", 2, "PL", exchange=ScriptedExchange(script=WIDE))

        tops = stack.desk.quotes()["bid"].unique().tolist()
        assert {95.0, 100.0, 100.1}.issubset(tops)
        assert stack.prices() == ["1E+2", "100.1", "101"]

    @pytest.mark.parametrize(("side", "mid"), [("BUY", "371"), ("SELL", "371")])
    def test_the_order_of_one_parent_does_not_hide_the_market_from_the_next(self, side: str, mid: str) -> None:
        """The first is the whole touch; the second still knows the one behind it, and joins at mid."""

        async def scenario(stack: Stack) -> list[str]:
            first = await stack.desk.submit(await stack.desk.preview(side, 2, "ZO", strategy="limit_patience"))
            await stack.sleep(60)
            plan = await stack.desk.preview(side, 2, "ZO", strategy="limit_patience", tag="second")
            second = await stack.desk.submit(plan)
            await stack.sleep(60)
            assert (first.working_lots, second.working_lots) == (2, 2)
            return stack.prices()

        assert on_a_desk(scenario, exchange=ScriptedExchange(script=OATS)) == [mid, mid]


class TestZeroAdv:
    """No volume, or none known: slices over time, and the gate says what is allowed."""

    def test_a_contract_that_did_not_trade_is_refused_with_the_figure(self) -> None:
        """5 % of nothing is nothing; participation counts the day as one lot."""
        stack, plan, execution = order_of("BUY", 2, "ZO", exchange=ScriptedExchange(script=OATS, volume=0))

        assert plan.strategy is Strategy.TWAP
        assert plan.participation == 2.0
        assert execution.status is ParentStatus.REFUSED
        assert stack.core.placed() == []
        row = plan.risk.set_index("check").loc["volume_share"]
        assert not row["allowed"]

    def test_where_nobody_tells_a_volume_the_remedy_is_said(self) -> None:
        """Neither the broker nor the caller: slices, a refusal, and how to go on."""
        stack, plan, execution = order_of("BUY", 1, "ZO", exchange=ScriptedExchange(script=OATS, volume=-1))

        assert plan.strategy is Strategy.TWAP
        assert np.isnan(plan.participation)
        assert execution.status is ParentStatus.REFUSED
        assert "adv=" in execution.reason
        assert stack.core.placed() == []

    @pytest.mark.parametrize(("lots", "status"), [(3, ParentStatus.FILLED), (4, ParentStatus.REFUSED)])
    def test_the_callers_volume_alone_allows_a_few_lots(self, lots: int, status: ParentStatus) -> None:
        """`adv=` decides the routing; the gate allows the 3 lots of an unknown volume, and says whose figure it is."""
        exchange = ScriptedExchange(script=OATS, volume=-1)

        stack, plan, execution = order_of("BUY", lots, "ZO", exchange=exchange, adv=1_000_000)

        assert plan.strategy is Strategy.LIMIT_PATIENCE
        assert execution.status is status
        assert stack.lots_filled() == (3 if status is ParentStatus.FILLED else 0)
        assert plan.risk.set_index("check").loc["volume_share", "source"] == "caller"

    def test_a_caller_who_says_zero_gets_slices(self) -> None:
        """`adv=0` is a figure too: every lot is all of it."""
        _, plan, _ = order_of("BUY", 2, "ZO", exchange=ScriptedExchange(script=OATS, volume=1_000), adv=0)

        assert plan.strategy is Strategy.TWAP
        assert plan.participation == 2.0
