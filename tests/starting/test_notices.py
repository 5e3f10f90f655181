"""What a plan says in words of hours in which it cannot be worked, and of settings that it leaves aside."""

from typing import Any

import pytest

from hydra_nb.domain.orders import ParentStatus
from tests.starting.test_begin import market
from tests.whole_stack import Stack, on_a_desk


def notices_of(lots: int, **how: Any) -> str:
    """The notices of a buy at nine in Chicago; oats close at 13:20 and open again at 19:00."""
    told: list[str] = []

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", lots, "ZO", **how)
        told.append(" ".join(plan.notices))

    on_a_desk(scenario, exchange=market())
    return told[0]


def test_lots_that_no_slice_is_left_for_are_told_before_they_are_missed() -> None:
    """Of eight hours from nine on the last three begin after the close: what the notice says is what comes."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 13, "ZO", strategy="twap", slices=5, duration="8h", seed=3, jitter=0.0)
        starts = plan.schedule["start"].dt.tz_convert("America/Chicago")
        closed = starts[starts.dt.hour >= 13]
        lots = int(plan.schedule.loc[closed.index, "lots"].sum())
        assert (len(closed), lots) == (2, 4)

        [notice] = [one for one in plan.notices if "closed" in one]
        execution = await stack.desk.submit(plan)
        await execution

        assert plan.passes
        first = f"{closed.iloc[0]:%a %Y-%m-%d %H:%M:%S %Z}"
        assert notice.startswith(
            f"2 of 5 slices come while ZOK7 is closed, the first {first}: nothing is sent then, and"
        )
        assert "for the last 4 lots no slice is left. A duration of at most 15569 s stays within the session" in notice
        assert (execution.status, execution.shortfall_lots) == (ParentStatus.PARTIAL, 4)

    on_a_desk(scenario, exchange=market())


def test_lots_of_a_break_that_later_slices_take_are_no_shortfall() -> None:
    """Half a day from noon on ends in the evening session, which takes what the break has left."""
    told = notices_of(13, strategy="twap", slices=6, duration="12h", seed=3, jitter=0.0)

    assert "slices come while ZOK7 is closed" in told
    assert "nothing is sent then, and later slices take their lots." in told


def test_a_plan_within_its_session_says_nothing_of_hours() -> None:
    """Nor does one that is cut to what the session leaves."""
    assert "closed" not in notices_of(4, strategy="twap", slices=4, duration="2h")
    assert "closed" not in notices_of(4, strategy="twap", slices=4, duration="8h", overrun="shorten")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"slices": 7, "duration": "50m"}, "slices=7 and a duration of 3000 s are left aside"),
        ({"slices": 7}, "slices=7 is left aside"),
        ({"duration": 3_000}, "a duration of 3000 s is left aside"),
        ({"strategy": "limit_patience", "slices": 2}, "slices=2 is left aside"),
        ({}, None),
        ({"slices": 1}, None),
        ({"duration": "5m"}, None),  # less than its patience: that holds
        ({"strategy": "twap", "slices": 3, "duration": "50m"}, None),
    ],
)
def test_settings_of_slices_that_an_order_without_slices_leaves_aside_are_told(
    how: dict[str, Any], words: str | None
) -> None:
    """Three of 420 lots are worked with patience; whoever has asked for slices learns how to have them."""
    told = notices_of(3, **how)

    assert ("left aside" in told) == (words is not None)
    if words is not None:
        assert f"worked as one, with patience: {words}. Say strategy='twap' to have slices." in told
