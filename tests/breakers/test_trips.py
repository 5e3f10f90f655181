"""A breaker trips in the step in which its fact comes in, with orders at work or without, and nothing closes it."""

from pathlib import Path

import pytest

from hydra_nb import errors
from hydra_nb.domain.events import AccountReported, BreakerTripped, CancelRequested, ParentFinished
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager import ManagerCore
from hydra_nb.risk.limits import Limits
from tests.whole_stack import Script, ScriptedExchange, Side, Stack, on_a_desk, steady

FALLS_S = 1_100.0
RECOVERS_S = 3_000.0
TIGHT = Limits(max_daily_loss=1_000, collar_last_percent=10)
"""Two lots of oats that were bought at 372 cents have lost 2,000 dollars at 352."""


def falling(*, recovers_s: float = 1e9) -> Script:
    """Everything falls by twenty cents at once, and may come back."""

    def script(seconds: float) -> tuple[Side, Side]:
        if FALLS_S <= seconds < recovers_s:
            return ("350.00", 5), ("352.00", 5)
        return ("370.00", 5), ("372.00", 5)

    return script


def test_a_losing_market_trips_the_daily_loss_in_the_middle_of_a_twap() -> None:
    """In the step of the account's report: what rests is cancelled at once, nothing is sent, the parent says why."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 6, "ZO", strategy="limit_patience")
        plan = await stack.desk.preview("SELL", 10, "KE", strategy="twap", slices=5, duration="50m", jitter=0.0)
        execution = await stack.desk.submit(plan)
        resting = []
        stack.manager.on_step = lambda event, _: resting.extend(
            stack.exchange.open_orders() if isinstance(event, BreakerTripped) else ()
        )
        await execution

        (trip,), (order,) = stack.journalled(BreakerTripped), resting
        told, cancel = stack.journalled(AccountReported)[-1], stack.journalled(CancelRequested)[-1]
        assert (trip.breaker, trip.limit, trip.unit) == ("daily_loss", 1_000.0, "USD")
        assert trip.observed == float(stack.manager.ledger.day_start_equity - told.equity) > 1_000
        assert told.time_ns == trip.time_ns == cancel.time_ns
        assert cancel.order_ref == order.terms.order_ref
        assert stack.core.heard(3)[-1].time_ns < trip.time_ns
        assert stack.core.heard(4)[-1].time_ns < trip.time_ns + NS_PER_S
        assert stack.exchange.open_orders() == []
        assert execution.status is ParentStatus.PARTIAL
        assert (execution.filled_lots, stack.lots_filled()) == (2, 8)
        assert execution.reason == f"2 of 10 lots filled; breaker daily_loss tripped: {trip.reason}"
        assert execution.slices["status"].tolist() == ["filled", "cancelled", "refused", "refused", "refused"]
        assert set(execution.slices["reason"][1:]) == {f"breaker daily_loss tripped: {trip.reason}"}

    on_a_desk(scenario, exchange=ScriptedExchange(script=falling()), limits=TIGHT)


def test_it_trips_without_any_order_and_does_not_close_when_equity_recovers() -> None:
    """A position is held, and nobody asks the gate; when somebody does, all figures are in order again."""

    async def scenario(stack: Stack) -> None:
        bought = await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.sleep(RECOVERS_S)

        (trip,) = stack.journalled(BreakerTripped)
        plan = await stack.desk.preview("SELL", 2, "ZO", strategy="limit_patience")
        refused = await stack.desk.execute("SELL", 2, "ZO", strategy="limit_patience")

        assert bought.filled_lots == 2
        assert trip.time_ns < refused.submitted_ns - 60 * NS_PER_S
        assert float(stack.manager.ledger.day_start_equity - stack.manager.ledger.equity) < trip.limit
        risk = plan.risk.set_index("check").loc["daily_loss"]
        assert not risk["allowed"]
        assert (risk["observed"], risk["limit"]) == (trip.observed, trip.limit)
        assert refused.status is ParentStatus.REFUSED
        assert refused.reason.startswith(f"{trip.reason}: tripped 20")
        assert 'say await desk.rearm("why", breaker="daily_loss")' in refused.reason
        assert len(stack.journalled(BreakerTripped)) == 1
        assert stack.desk.status["breakers"] == {"daily_loss": trip.reason}

    on_a_desk(scenario, exchange=ScriptedExchange(script=falling(recovers_s=RECOVERS_S)), limits=TIGHT)


def test_it_stays_tripped_when_the_day_turns() -> None:
    """The loss of the day is nothing then, and a person still has to say so."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.until(lambda: bool(stack.journalled(BreakerTripped)))
        await stack.sleep(86_400)
        plan = await stack.desk.preview("SELL", 1, "ZO", strategy="limit_patience")

        row = stack.desk.breakers().set_index("breaker").loc["daily_loss"]
        assert stack.manager.ledger.day_start_equity == stack.manager.ledger.equity
        assert (row["state"], row["observed"]) == ("tripped", 0.0)
        assert not plan.risk.set_index("check").loc["daily_loss", "allowed"]

    on_a_desk(scenario, exchange=ScriptedExchange(script=falling()), limits=TIGHT)


def test_re_arming_with_a_reason_closes_it_and_begins_the_loss_anew() -> None:
    """Orders leave again, and the same loss does not trip it a second time."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.until(lambda: bool(stack.journalled(BreakerTripped)))
        equity = stack.manager.ledger.equity

        await stack.desk.rearm("a slip of the feed", breaker="daily_loss")
        sold = await stack.desk.execute("SELL", 1, "ZO", strategy="limit_patience", tag="out")

        row = stack.desk.breakers().set_index("breaker").loc["daily_loss"]
        assert stack.manager.ledger.day_start_equity == equity
        assert (row["state"], row["reason"]) == ("rearmed", "a slip of the feed")
        assert row["since"] == row["rearmed"]
        assert sold.status is not ParentStatus.REFUSED
        assert stack.core.heard(3)[-1].time_ns > row["since"].value
        assert stack.desk.status["breakers"] == {}

    on_a_desk(scenario, exchange=ScriptedExchange(script=falling()), limits=TIGHT)


def test_one_breaker_is_re_armed_and_the_others_stay() -> None:
    """Both trip on the same fall; each needs its own word, or one word for all."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.until(lambda: len(stack.journalled(BreakerTripped)) == 2)

        await stack.desk.rearm("seen", breaker="drawdown")
        still = list(stack.desk.status["breakers"])
        plan = await stack.desk.preview("SELL", 1, "ZO")
        await stack.desk.rearm("all seen")

        assert {trip.breaker for trip in stack.journalled(BreakerTripped)} == {"daily_loss", "drawdown"}
        assert still == ["daily_loss"]
        assert plan.risk.set_index("check").loc["drawdown", "allowed"]
        assert stack.desk.status["breakers"] == {}

    limits = Limits(max_daily_loss=1_000, max_drawdown_percent=0.1)
    on_a_desk(scenario, exchange=ScriptedExchange(script=falling()), limits=limits)


@pytest.mark.parametrize(
    ("reason", "breaker", "words"),
    [
        ("seen", "drawdown", "'drawdown' is not tripped; tripped: daily_loss"),
        ("seen", "dayly_loss", r"'dayly_loss' is no breaker \(daily_loss, drawdown, .*\); tripped: daily_loss"),
        ("  ", "daily_loss", "re-arming needs a reason"),
        ("", None, "re-arming needs a reason"),
    ],
)
def test_what_cannot_be_re_armed_is_said_and_changes_nothing(reason: str, breaker: str | None, words: str) -> None:
    """A name with a slip, a breaker that is closed, no reason."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.until(lambda: bool(stack.journalled(BreakerTripped)))

        with pytest.raises(errors.InvalidOrder, match=words):
            await stack.desk.rearm(reason, breaker=breaker)

        assert list(stack.desk.status["breakers"]) == ["daily_loss"]

    on_a_desk(scenario, exchange=ScriptedExchange(script=falling()), limits=TIGHT)


def test_a_breaker_is_re_armed_while_the_desk_stays_killed() -> None:
    """The kill is another matter, and needs another word."""

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.until(lambda: bool(stack.journalled(BreakerTripped)))
        await stack.desk.kill("drill")

        await stack.desk.rearm("seen", breaker="daily_loss")
        killed, held_back = stack.desk.killed, stack.desk._rooms.broker.halt.is_set
        await stack.desk.rearm("drill over")

        assert (killed, held_back) == ("drill", True)
        assert stack.desk.killed is None
        assert not stack.desk._rooms.broker.halt.is_set

    on_a_desk(scenario, exchange=ScriptedExchange(script=falling()), limits=TIGHT)


def test_an_order_on_its_way_to_the_disk_is_not_sent_after_a_trip() -> None:
    """The breaker trips between approval and wire; the last look holds it back."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience")
        equity = stack.manager.ledger.equity
        seal = stack.desk._rooms.journal.seal

        async def seal_late(*args: object) -> object:
            receipt = await seal(*args)  # type: ignore[arg-type]
            now_ns = stack.desk.now_ns()
            stack.manager.ingest(
                AccountReported(
                    time_ns=now_ns, currency="USD", equity=equity - 1_001, realised_pnl=None, unrealised_pnl=None
                )
            )
            return receipt

        stack.desk._rooms.journal.seal = seal_late  # type: ignore[assignment]
        execution = await (await stack.desk.submit(plan))

        assert stack.core.heard(3) == []
        assert execution.status is ParentStatus.REFUSED
        assert "breaker daily_loss tripped" in execution.reason

    on_a_desk(scenario, exchange=ScriptedExchange(script=steady("370.00", "372.00")), limits=TIGHT)


def test_the_loss_of_a_trade_trips_when_its_result_is_told() -> None:
    """With the end of the parent that closed lots, or with a commission that comes after it."""

    def script(seconds: float) -> tuple[Side, Side]:
        return (("370.00", 5), ("372.00", 5)) if seconds < 600 else (("350.00", 5), ("352.00", 5))

    async def scenario(stack: Stack) -> None:
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        await stack.sleep(600)
        sold = await stack.desk.execute("SELL", 2, "ZO", strategy="limit_patience")
        await stack.sleep(5)

        (trip,) = stack.journalled(BreakerTripped)
        ended = stack.journalled(ParentFinished)[-1]
        lost = -float(stack.manager.ledger.last_parent_pnl(lambda _currency: None))
        assert sold.status is ParentStatus.FILLED
        assert (trip.breaker, trip.observed) == ("last_trade_loss", lost)
        assert lost > 1_500
        assert 0 <= trip.time_ns - ended.time_ns < NS_PER_S
        assert (await stack.desk.execute("BUY", 1, "ZO", tag="again")).status is ParentStatus.REFUSED

    on_a_desk(
        scenario, exchange=ScriptedExchange(script=script), limits=Limits(max_parent_loss=1_500, collar_last_percent=10)
    )


def test_the_journal_replays_to_the_same_state_and_the_same_actions(tmp_path: Path) -> None:
    """A plain loop over the events stops the parent in the same step, without limits or a broker."""

    async def scenario(stack: Stack) -> None:
        plan = await stack.desk.preview("BUY", 10, "ZO", strategy="twap", slices=5, duration="50m")
        await (await stack.desk.submit(plan))
        await stack.desk.rearm("seen", breaker="daily_loss")

        journal = stack.desk._rooms.journal
        core = ManagerCore(journal_id=journal.journal_id)
        told = [(event, core.step(event, event.time_ns)) for _, event in journal.events()]

        assert told[-len(stack.steps) :] == stack.steps
        book, again = stack.manager.ledger.breakers, core.ledger.breakers
        assert again.tripped == book.tripped
        assert again.rearmed == book.rearmed
        assert again.conduct(stack.desk.now_ns()) == book.conduct(stack.desk.now_ns())
        assert core.ledger.parents == stack.manager.ledger.parents

    on_a_desk(scenario, exchange=ScriptedExchange(script=falling()), limits=TIGHT, journal=tmp_path / "j.sqlite")
