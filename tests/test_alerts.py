"""Alerts of a whole desk: each matter is told once when it begins and once when it is over, and holds up nothing."""

import logging
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hydra_nb.desk.alerts import LOOK_S
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.events import (
    AlertCleared,
    AlertRaised,
    ConnectionChanged,
    ContractLocked,
    PositionReported,
    TaskFailed,
)
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager import alert_rules
from hydra_nb.order_manager.alert_book import CALM_S, INSTANT, QUIET_S
from hydra_nb.order_manager.alert_rules import DISCONNECTED_S, IDLE_DISCONNECTED_S, UNRECONCILED_S
from hydra_nb.risk.limits import Limits
from hydra_nb.sim import replies
from hydra_nb.sim.records import SimSide
from hydra_nb.sim.requests import OpenOrdersQuery
from tests.recovery.lives import Lives, in_lives
from tests.recovery.test_breaks import NeverExpires
from tests.recovery.test_cash import ACCOUNT_S, OtherBooks
from tests.simulation.host import Disk
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore, steady

OATS = steady("370.00", "372.00")
PAGE = Path(__file__).parent.parent / "docs" / "post-trade.md"
RESTS = {"strategy": "limit_patience", "limit": "369.00", "patience": 1200}
"""How an order is worked that rests for twenty minutes and does not fill."""


def live(story: Callable[[Lives], Awaitable[None]], folder: Path, **how: Any) -> None:
    """Run a story on a book that never changes."""
    in_lives(story, folder=folder, **{"exchange": ScriptedExchange(script=OATS), **how})


def told(stack: Stack, kind: AlertKind) -> list[AlertRaised | AlertCleared]:
    """What was journalled of a kind, in order."""
    events = [event for _, event in stack.desk._rooms.journal.events(kinds=[AlertRaised, AlertCleared])]
    return [event for event in events if isinstance(event, AlertRaised | AlertCleared) and event.kind is kind]


def raised_once(stack: Stack, kind: AlertKind) -> AlertRaised:
    """The one alert of a kind, which stands."""
    [raised] = told(stack, kind)
    assert isinstance(raised, AlertRaised)
    assert raised in stack.desk.alerts_raised
    return raised


def over_once(stack: Stack, kind: AlertKind) -> tuple[AlertRaised, AlertCleared]:
    """The one alert of a kind, and its end."""
    raised, cleared = told(stack, kind)
    assert isinstance(raised, AlertRaised)
    assert isinstance(cleared, AlertCleared)
    assert not [alert for alert in stack.desk.alerts_raised if alert.kind is kind]
    return raised, cleared


def say(stack: Stack, code: int, *, order_id: int = -1, message: str = "as scripted") -> None:
    """Have the gateway send an error message of its own accord."""
    for session in stack.core.sessions:
        session.send(replies.error(order_id, code=code, message=message, server_version=178))


async def resting(stack: Stack) -> Any:
    """An order in the market that does not fill."""
    execution = await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", **RESTS))
    await stack.until(lambda: execution.working_lots > 0 and not stack.desk.orders().empty)
    await stack.sleep(1)
    return execution


# Data and the link


class Mute(WitnessCore):
    """A gateway that can be told to send no ticks, not to new subscriptions either."""

    is_mute = False

    def route(self, event: Any) -> None:
        """Orders, and ticks unless it is mute."""
        if not (self.is_mute and type(event).__name__ in ("TopChanged", "Traded")):
            super().route(event)

    def _subscribe_ticks(self, session: Any, request: Any, now_ns: int) -> None:
        """Nothing comes of it while it is mute."""
        if not self.is_mute:
            super()._subscribe_ticks(session, request, now_ns)


def test_a_contract_at_work_without_a_young_quote_is_told_until_quotes_have_come_for_a_while(tmp_path: Path) -> None:
    """Thirty seconds are allowed; a contract in which nothing is at work may be silent for as long as it likes."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.instrument("PA")
        execution = await resting(stack)
        contract = execution.parent.contract

        lives.core.is_mute = True  # type: ignore[attr-defined]
        quote = stack.desk.latest_quote(contract)
        assert quote is not None
        await stack.sleep(120)
        lives.core.is_mute = False  # type: ignore[attr-defined]
        back_ns = stack.desk.now_ns()
        await stack.sleep(200)

        raised, cleared = over_once(stack, AlertKind.STALE_DATA)
        assert (raised.subject, raised.parent_id) == (contract.local_symbol, execution.parent_id)
        assert 30 < (raised.time_ns - quote.time_ns) / NS_PER_S <= 30 + LOOK_S
        assert (cleared.time_ns - back_ns) / NS_PER_S >= CALM_S[AlertKind.STALE_DATA]
        await stack.desk.close()

    live(story, tmp_path, core=Mute)


def test_a_lost_link_is_told_after_fifteen_seconds_and_a_short_loss_never(tmp_path: Path) -> None:
    """With lots at risk it is critical; the silence of quotes behind it is no alert of its own."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await resting(stack)

        say(stack, 1100)
        await stack.sleep(DISCONNECTED_S - 1)
        say(stack, 1102)
        await stack.sleep(60)
        after_a_short_loss = told(stack, AlertKind.DISCONNECTED)
        say(stack, 1100)
        lost_ns = stack.desk.now_ns()
        await stack.sleep(60)
        say(stack, 1102)
        await stack.sleep(60)

        raised, cleared = over_once(stack, AlertKind.DISCONNECTED)
        assert after_a_short_loss == []
        assert raised.severity is Severity.CRITICAL
        assert "2 lots may still fill" in raised.sentence
        assert DISCONNECTED_S < (raised.time_ns - lost_ns) / NS_PER_S <= DISCONNECTED_S + LOOK_S
        assert (cleared.time_ns - lost_ns) / NS_PER_S >= 60 + CALM_S[AlertKind.DISCONNECTED]
        assert told(stack, AlertKind.STALE_DATA) == []
        await stack.desk.close()

    live(story, tmp_path)


def test_a_lost_link_wakes_nobody_for_five_minutes_while_nothing_is_at_work(tmp_path: Path) -> None:
    """Gateways restart themselves every night."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.instrument("ZO")
        say(stack, 1100)

        await stack.sleep(IDLE_DISCONNECTED_S - 1)
        early = told(stack, AlertKind.DISCONNECTED)
        await stack.sleep(1 + LOOK_S)

        assert early == []
        assert raised_once(stack, AlertKind.DISCONNECTED).severity is Severity.WARNING
        await stack.desk.close()

    live(story, tmp_path)


class NeverListsOrders(WitnessCore):
    """A gateway that can be told not to answer what is open."""

    is_silent = False

    def _answer(self, session: Any, request: Any, now_ns: int) -> None:
        """Everything but that."""
        if not (self.is_silent and isinstance(request, OpenOrdersQuery)):
            super()._answer(session, request, now_ns)


def test_a_link_on_which_nothing_can_be_compared_is_told(tmp_path: Path) -> None:
    """It is up and looks well, and nothing is sent."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.instrument("ZO")
        lives.core.is_silent = True  # type: ignore[attr-defined]
        for code in (1100, 1102):
            say(stack, code)
            await stack.sleep(2)
        back_ns = stack.journalled(ConnectionChanged)[-1].time_ns

        await stack.sleep(60)
        lives.core.is_silent = False  # type: ignore[attr-defined]
        await stack.sleep(60)

        raised, _ = over_once(stack, AlertKind.UNRECONCILED)
        assert UNRECONCILED_S < (raised.time_ns - back_ns) / NS_PER_S <= UNRECONCILED_S + LOOK_S
        await stack.desk.close()

    live(story, tmp_path, core=NeverListsOrders)


# Orders


def test_a_parent_that_falls_a_slice_behind_is_told_once_until_it_ends(tmp_path: Path) -> None:
    """Nothing fills at its limit; three slices come due, and that is one alert."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        plan = await stack.desk.preview("BUY", 6, "ZO", strategy="twap", slices=3, duration="30m", limit="369.00")
        execution = await stack.desk.submit(plan)
        ladder = plan.schedule.iloc[0]
        due_s = float(ladder["wait_mid_s"] + ladder["wait_step_s"] + ladder["wait_cross_s"])

        await execution
        await stack.sleep(LOOK_S)

        raised, cleared = over_once(stack, AlertKind.BEHIND_SCHEDULE)
        assert execution.status is ParentStatus.PARTIAL
        assert 0 < (raised.time_ns - execution.submitted_ns) / NS_PER_S - due_s <= LOOK_S
        assert "is 2 lots behind: 2 are due, 0 filled" in raised.sentence
        assert cleared.time_ns >= execution.finished_ns
        await stack.desk.close()

    live(story, tmp_path)


def test_a_rejected_order_is_told_once_however_often_it_is_rejected(tmp_path: Path) -> None:
    """The broker's words are in it, and no account number is; it ends when the last rejection is five minutes old."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await resting(stack)
        [order] = stack.orders()
        account = stack.desk.account

        for _ in range(3):
            words = f"Order rejected - reason: margin of {account} and of DU7654321 is short"
            say(stack, 201, order_id=order.terms.order_id, message=words)
            await stack.sleep(10)
        assert account not in str((stack.desk.alerts_raised, stack.desk.status["alerts"]))
        assert raised_once(stack, AlertKind.REJECTION).parent_id == execution.parent_id
        say(stack, 10349, order_id=order.terms.order_id, message="TIF was set by a preset")
        last_ns = stack.desk.now_ns() - 10 * NS_PER_S
        await stack.sleep(QUIET_S + LOOK_S)

        raised, cleared = over_once(stack, AlertKind.REJECTION)
        assert raised.parent_id == execution.parent_id
        assert "code 201: Order rejected - reason: margin of SIM•••" in raised.sentence
        assert account not in raised.sentence
        assert "DU•••21" in raised.sentence
        assert QUIET_S - 1 < (cleared.time_ns - last_ns) / NS_PER_S <= QUIET_S + LOOK_S
        await stack.desk.close()

    live(story, tmp_path)


def test_an_order_that_the_gate_refuses_for_good_is_told(tmp_path: Path) -> None:
    """A refusal that time cures is not: it is tried again."""

    async def story(lives: Lives) -> None:
        stack = await lives.open(limits=Limits(max_lots_per_parent=3))
        refused = await stack.desk.execute("BUY", 4, "ZO", strategy="limit_patience")

        raised = raised_once(stack, AlertKind.REJECTION)

        assert refused.status is ParentStatus.REFUSED
        assert raised.parent_id == refused.parent_id
        assert "4 lots, 3 allowed" in raised.sentence
        await stack.desk.close()

    live(story, tmp_path)


def test_a_tripped_breaker_stands_until_a_person_re_arms_also_over_a_restart(tmp_path: Path) -> None:
    """Many orders refused by it are one alert."""

    async def story(lives: Lives) -> None:
        limits = Limits(max_parent_loss=50)
        stack = await lives.open(limits=limits)
        for side in ("BUY", "SELL"):  # a lot bought at 372 and sold at 370 cents loses 100 dollars
            await stack.desk.execute(side, 1, "ZO", strategy="limit_patience")
        for tag in ("one", "two", "three"):
            refused = await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience", tag=tag)
            assert refused.status is ParentStatus.REFUSED
        await stack.sleep(2 * QUIET_S)
        first = raised_once(stack, AlertKind.BREAKER)
        await lives.kill(stack)

        stack = await lives.open(limits=limits)
        again = raised_once(stack, AlertKind.BREAKER)
        await stack.desk.rearm("one bad trade")

        assert first == again
        assert (first.subject, first.severity) == ("last_trade_loss", Severity.CRITICAL)
        over_once(stack, AlertKind.BREAKER)
        await stack.desk.close()

    live(story, tmp_path)


def test_an_order_of_a_parent_that_ended_without_proof_is_told_until_its_contract_is_locked(tmp_path: Path) -> None:
    """Then the lock is the alert."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.execute("BUY", 1, "ZO", strategy="limit_patience", limit="369.00")
        raised = raised_once(stack, AlertKind.UNKNOWN_ORDER)

        await stack.until(lambda: bool(stack.desk.locked), within_s=600)

        assert execution.status is ParentStatus.NEEDS_HUMAN
        assert "1 lot may still fill" in raised.sentence
        over_once(stack, AlertKind.UNKNOWN_ORDER)
        raised_once(stack, AlertKind.BREAK)
        await stack.desk.close()

    live(story, tmp_path, exchange=NeverExpires(script=OATS))


# Ledger, cash, journal, kill


def test_a_trade_by_hand_rings_within_five_seconds_and_until_it_is_explained(tmp_path: Path) -> None:
    """From the frame that shows it to the alert; unlocking ends it."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await resting(stack)
        lives.of_others(stack, side=SimSide.BUY, lots=3, price="372.00")
        await stack.sleep(5)

        raised = raised_once(stack, AlertKind.BREAK)
        [locked], [moved] = stack.journalled(ContractLocked), stack.journalled(PositionReported)
        await stack.desk.unlock(locked.local_symbol, reason="a hedge by hand")

        assert raised.time_ns == locked.time_ns
        assert (raised.time_ns - moved.time_ns) / NS_PER_S <= 5
        assert f'desk.unlock("{locked.local_symbol}"' in raised.sentence
        over_once(stack, AlertKind.BREAK)
        await stack.desk.close()

    live(story, tmp_path)


def test_cash_that_differs_is_a_warning_until_it_agrees(tmp_path: Path) -> None:
    """Nothing is locked for it."""
    exchange = OtherBooks(script=OATS)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        exchange.more = Decimal(-40)
        await stack.sleep(ACCOUNT_S + 1)
        await stack.desk.reconcile()
        raised = raised_once(stack, AlertKind.CASH)
        exchange.more = Decimal(0)
        await stack.sleep(ACCOUNT_S + 1)

        await stack.desk.reconcile()

        assert (raised.severity, raised.subject) == (Severity.WARNING, "cash")
        assert "moved by -40.00 USD" in raised.sentence
        over_once(stack, AlertKind.CASH)
        assert not stack.desk.locked
        await stack.desk.close()

    live(story, tmp_path, exchange=exchange)


def test_a_journal_that_cannot_be_written_is_told_at_once_and_in_the_journal_later(tmp_path: Path) -> None:
    """The alert waits in memory with the rest; its words name no file."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        plan = await stack.desk.preview("BUY", 1, "ZO", **RESTS)
        disk = Disk(stack.desk._rooms.journal)
        disk.break_down()
        await stack.desk.submit(plan)
        await stack.sleep(2 * LOOK_S)

        raised = raised_once(stack, AlertKind.JOURNAL_FAILED)
        disk.heal()
        await stack.sleep(30)

        assert str(tmp_path) not in raised.sentence
        over_once(stack, AlertKind.JOURNAL_FAILED)
        assert stack.desk._rooms.journal.healthy
        await stack.desk.close()

    live(story, tmp_path)


def test_a_kill_is_told_until_it_is_re_armed_and_not_again_by_the_next_desk(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What an earlier process told stands, and nobody is called a second time."""
    caplog.set_level(logging.INFO, logger="hydra_nb")

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.kill("wrong contract")
        first = raised_once(stack, AlertKind.KILL)
        await lives.kill(stack)
        heard = len(rung(caplog))

        stack = await lives.open()
        await stack.sleep(60)

        assert raised_once(stack, AlertKind.KILL) == first
        assert len(rung(caplog)) == heard == 1
        await stack.desk.rearm("looked at it")
        over_once(stack, AlertKind.KILL)
        await stack.desk.close()

    live(story, tmp_path)


def rung(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log was told of alerts."""
    return [record.getMessage() for record in caplog.records if record.name == "hydra_nb.alerts"]


def test_a_break_that_the_last_comparison_finds_is_still_told(tmp_path: Path) -> None:
    """Somebody traded a moment before the desk was closed: the person is called all the same."""
    heard: list[str] = []

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 2, "ZO", strategy="limit_patience")
        stack.desk.on_alert(lambda alert: heard.append(alert.kind))
        lives.of_others(stack, side=SimSide.SELL, lots=1, price="370.00")

        await stack.desk.close()

        assert list(stack.desk.alerts()["kind"]) == ["break"]

    live(story, tmp_path)

    assert heard == ["break"]


# What they are for the rest of the house


def test_alerts_are_rows_of_a_frame_which_filters(tmp_path: Path) -> None:
    """Raised and over, with the columns and dtypes of the page."""

    async def story(lives: Lives) -> None:
        stack = await lives.open(limits=Limits(max_lots_per_parent=3))
        empty = stack.desk.alerts()
        refused = await stack.desk.execute("BUY", 4, "ZO", strategy="limit_patience")
        await stack.sleep(1)
        await stack.desk.kill("enough")
        await stack.desk.rearm("go on")

        alerts = stack.desk.alerts()

        assert empty.dtypes.to_dict() == alerts.dtypes.to_dict()
        assert list(alerts["kind"]) == ["rejection", "kill"]
        assert list(alerts["severity"]) == ["warning", "critical"]
        assert pd.isna(alerts["cleared"].iloc[0])
        assert alerts["cleared"].iloc[1] >= alerts["time"].iloc[1]
        assert list(stack.desk.alerts(parent_id=refused.parent_id)["kind"]) == ["rejection"]
        assert list(stack.desk.alerts(symbol="ZO")["kind"]) == ["rejection"]
        assert list(stack.desk.alerts(since=alerts["time"].iloc[1])["kind"]) == ["kill"]
        assert stack.desk.status["alerts"] == tuple(alerts["message"].iloc[:1])
        await stack.desk.close()

    live(story, tmp_path)


def test_an_alert_about_a_parent_wakes_no_strategy(tmp_path: Path) -> None:
    """It names the parent, for the journal's sake; the core does nothing about it."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await resting(stack)
        [order] = stack.orders()

        say(stack, 201, order_id=order.terms.order_id)
        await stack.sleep(QUIET_S + 20)

        about = [actions for event, actions in stack.steps if isinstance(event, AlertRaised | AlertCleared)]
        assert about == [(), ()]
        await stack.desk.close()

    live(story, tmp_path)


def test_a_rule_that_fails_is_journalled_once_and_trading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts watch; they are no part of what they watch."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        monkeypatch.setattr(alert_rules, "behind_schedule", broken)

        execution = await stack.desk.execute("BUY", 4, "ZO", strategy="twap", slices=2, duration="20m")

        assert execution.status is ParentStatus.FILLED
        [failed] = stack.journalled(TaskFailed)
        assert (failed.parent_id, failed.where) == (None, "alerts")
        await stack.desk.close()

    live(story, tmp_path)


def test_a_calm_desk_tells_nothing(tmp_path: Path) -> None:
    """An order is worked and filled, a link is lost and back, and nobody is called."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        await stack.desk.execute("BUY", 4, "ZO", strategy="twap", slices=2, duration="20m")
        for code in (1100, 1102):
            say(stack, code)
            await stack.sleep(5)
        await stack.sleep(600)

        assert stack.desk.alerts().empty
        await stack.desk.close()

    live(story, tmp_path)


@pytest.mark.skipif(not PAGE.exists(), reason="the pages of the project are read from a checkout")
def test_the_page_lists_every_kind_with_the_limits_of_the_code() -> None:
    """A person who reads why an alarm rang, and when it will end, reads what is so."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    raised = {kind: words for kind, words, _, _ in rows}
    over = {kind: words for kind, _, words, _ in rows}

    assert list(raised) == [kind.value for kind in AlertKind]
    assert f"over {DISCONNECTED_S:g} s, for over {IDLE_DISCONNECTED_S:g} s while nothing" in raised["disconnected"]
    assert f"over {UNRECONCILED_S:g} s" in raised["unreconciled"]
    assert all(f"{QUIET_S:g} s after the last time" in over[kind] for kind in INSTANT)
    for kind in AlertKind:
        words = over[kind]
        assert f"{CALM_S[kind]:g} s" in words if kind in CALM_S else kind in INSTANT or " s" not in words
    assert f"every {LOOK_S:g} s of market time" in PAGE.read_text(encoding="utf-8")
