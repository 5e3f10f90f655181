"""The gate looks at all rows together: what comes first, what counts, what would pass, and what a refusal stops."""

from typing import Any

import pandas as pd
import pytest

from hydra_nb import Limits
from hydra_nb.domain.events import ParentRefused, ParentSubmitted
from hydra_nb.domain.orders import ParentStatus
from tests.baskets.market import CalmExchange, bought, targets, twelve
from tests.whole_stack import Stack, on_a_desk

HOW: dict[str, Any] = {"strategy": "twap", "slices": 2, "duration": "40m"}


def frame(*rows: tuple[str, str, int], **columns: Any) -> pd.DataFrame:
    """Rows of instrument, side and lots."""
    return pd.DataFrame(list(rows), columns=["instrument", "side", "lots"]).assign(**columns)


def refusing(risk: pd.DataFrame, row: str) -> set[str]:
    """Checks that refuse a row."""
    return set(risk.loc[(risk["row"] == row) & ~risk["allowed"], "check"])


@pytest.mark.parametrize(
    ("limits", "check"),
    [
        (Limits(max_position_lots=5), "position_lots"),
        (Limits(max_position_lots_per_symbol=5), "symbol_position"),
        (Limits(max_gross_percent_of_equity=11), "gross_exposure"),
        (Limits(max_equity_at_risk_percent=0.55), "equity_at_risk"),
        (Limits(max_notional_per_day=110_000), "day_notional"),
        (Limits(max_margin_percent_of_equity=0.9), "margin"),
        (Limits(max_parents_at_work=1), "parents_at_work"),
        (Limits(max_adv_percent=1.0), "volume_share"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_limit_of_the_whole_counts_the_rows_before(limits: Limits, check: str) -> None:
    """Two equal rows that pass alone: the second is refused beside the first, by the same check, also when handed over.

    What was shown at preview is what is journalled for the order.
    """

    async def scenario(stack: Stack) -> None:
        basket = await stack.desk.preview_basket(frame(("ZO", "BUY", 3), ("ZO", "BUY", 3), tag=["a", "b"]), **HOW)
        first, second = basket.rows.to_dict("records")

        execution = await stack.desk.submit(basket)
        told = execution.executions[1].decisions

        assert (first["passes"], first["alone"]) == (True, True)
        assert (second["passes"], second["alone"]) == (False, True), second
        assert refusing(basket.risk, "1") == {check}
        assert [one.status for one in execution.executions] == ["scheduled", "refused"]
        assert set(told.loc[~told["allowed"], "check"]) == {check}
        assert [one.check for one in stack.journalled(ParentRefused)] == [check]
        columns = ["check", "allowed", "observed", "limit", "message"]
        shown = basket.risk.loc[basket.risk["row"] == "1", columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(told[columns].reset_index(drop=True), shown)
        await execution.cancel()

    on_a_desk(scenario, exchange=CalmExchange(), limits=limits)


def test_what_parents_at_work_still_have_to_do_counts_as_well() -> None:
    """A single order is looked at beside what rests alone; a basket beside all that is planned."""

    async def scenario(stack: Stack) -> None:
        going = await stack.desk.submit(await stack.desk.preview("BUY", 4, "ZO", **HOW))
        alone = await stack.desk.preview("BUY", 2, "ZO", tag="alone", **HOW)
        basket = await stack.desk.preview_basket(frame(("ZO", "BUY", 2)), **HOW)

        assert alone.passes
        assert refusing(basket.risk, "0") == {"position_lots"}
        assert basket.rows.loc[0, "would_pass"] == 1
        exposure = basket.exposure.set_index("local_symbol")
        assert exposure.loc["ZOK7", ["position", "working_buy", "planned_buy", "worst_long"]].tolist() == [0, 4, 0, 4]
        await going.cancel()

    on_a_desk(scenario, exchange=CalmExchange(), limits=Limits(max_position_lots=5))


def test_what_reduces_goes_first_and_frees_nothing_before_it_has_filled() -> None:
    """Short 4 of ZO: buying them back is the first order; the room that it makes is not given to KE."""

    async def scenario(stack: Stack) -> None:
        await bought(stack, -4)
        rows = frame(("KE", "BUY", 2), ("ZO", "BUY", 4), ("ZR", "BUY", 1))
        basket = await stack.desk.preview_basket(rows, **HOW)
        execution = await stack.desk.submit(basket)

        assert basket.rows["order"].tolist() == [2, 1, 3]
        assert basket.rows["reduces"].tolist() == [False, True, False]
        assert basket.rows["passes"].tolist() == [False, True, False]
        assert refusing(basket.risk, "0") == refusing(basket.risk, "2") == {"gross_exposure"}
        assert [one.plan.parent.contract.symbol for one in stack.journalled(ParentSubmitted)][1:] == ["ZO", "KE", "ZR"]
        assert execution.frame["status"].tolist() == ["refused", "scheduled", "refused"]
        await execution.cancel()

    on_a_desk(scenario, exchange=CalmExchange(), limits=Limits(max_gross_percent_of_equity=8.5))


@pytest.mark.parametrize(
    ("on_refusal", "statuses", "parents"),
    [
        ("continue", ["scheduled", "refused", "scheduled"], 3),
        ("stop", ["scheduled", "refused", "not_sent"], 2),
    ],
)
def test_a_refusal_stops_those_after_it_only_where_it_is_asked_to(
    on_refusal: str, statuses: list[str], parents: int
) -> None:
    """The row that was refused is an order of the journal either way; what was sent goes on."""

    async def scenario(stack: Stack) -> None:
        basket = await stack.desk.preview_basket(frame(("ZO", "BUY", 2), ("KE", "BUY", 6), ("ZR", "SELL", 2)), **HOW)
        execution = await stack.desk.submit(basket, on_refusal=on_refusal)

        assert execution.frame["status"].tolist() == statuses
        assert len(stack.journalled(ParentSubmitted)) == parents
        assert execution.submitted.on_refusal == on_refusal
        reason = execution.frame["reason"].iloc[2]
        assert reason == ("" if on_refusal == "continue" else "not sent, as row 1 was refused and on_refusal is stop")
        assert execution.status is ParentStatus.SCHEDULED
        await execution.cancel("that will do")
        assert execution.executions[0].status is ParentStatus.CANCELLED

    on_a_desk(scenario, exchange=CalmExchange(), limits=Limits(max_position_lots=5))


def test_a_basket_that_is_refused_throughout_trips_no_breaker_but_the_next_one_does() -> None:
    """What was at work goes on; the rows beyond what the breaker allows say why they were refused."""

    async def scenario(stack: Stack) -> None:
        desk = stack.desk
        going = await desk.submit(await desk.preview("BUY", 2, "ZO", **HOW))
        basket = await desk.preview_basket(twelve(lots=[5] * 12, tag="first"), **HOW)
        execution = await desk.submit(basket)
        counts = execution.frame["status"].value_counts().to_dict()
        last = execution.frame["reason"].iloc[-1]
        tripped = desk.status["breakers"]

        await desk.submit(await desk.preview_basket(twelve(lots=[5] * 12, tag="second"), **HOW))

        assert counts == {"not_sent": 8, "refused": 4}
        assert "position_lots" in last
        assert "kept back, as more refusals in a row would trip a breaker" in last
        assert tripped == {}
        assert list(desk.status["breakers"]) == ["consecutive_refusals"]
        await going

    limits = Limits(max_position_lots=4, max_consecutive_refusals=4)
    on_a_desk(scenario, exchange=CalmExchange(), limits=limits)


def test_a_target_beyond_limits_is_a_refusal_with_the_largest_that_would_pass() -> None:
    """It is no error: from long 3, at most 5."""

    async def scenario(stack: Stack) -> None:
        await bought(stack, 3)
        basket = await stack.desk.preview_basket(targets(12), **HOW)
        row = basket.rows.iloc[0]

        assert not basket.passes
        assert refusing(basket.risk, "0") == {"position_lots"}
        assert (row["lots"], row["would_pass"], row["largest_target"]) == (9, 2, 5)
        assert "The largest target that would pass is +5" in row["message"]
        execution = await stack.desk.submit(basket)
        assert execution.status is ParentStatus.REFUSED
        assert execution.frame["shortfall_lots"].tolist() == [9]

    on_a_desk(scenario, exchange=CalmExchange(), limits=Limits(max_position_lots=5))


def test_costs_messages_and_exposure_add_up() -> None:
    """The totals are the sums of the rows; four messages a slice, all first slices in one minute."""

    async def scenario(stack: Stack) -> None:
        basket = await stack.desk.preview_basket(twelve(), **HOW)
        cost, exposure = basket.expected_cost, basket.exposure

        assert cost["row"].iloc[-1] == exposure["local_symbol"].iloc[-1] == "total"
        for frame, name in ((cost, "slippage_base"), (cost, "commission_base"), (exposure, "notional")):
            assert frame[name].iloc[-1] == pytest.approx(frame[name].iloc[:-1].sum())
        assert exposure["margin"].iloc[-1] == pytest.approx(exposure["margin"].iloc[:-1].sum())
        assert exposure["worst_long"].sum() == 12
        assert exposure["worst_short"].sum() == -12
        assert basket.messages_budget == 12 * 2 * 4
        assert 12 <= basket.messages_per_minute <= 24
        assert len(basket.schedule) == 24
        assert basket.valid_until == min(plan.valid_until for plan in basket.plans)

    on_a_desk(scenario, exchange=CalmExchange())
