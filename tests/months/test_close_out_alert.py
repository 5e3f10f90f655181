"""A contract that is held too long: told once, told again when it is near, over when it is flat, kept over restarts."""

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hydra_nb.domain import events as ev
from hydra_nb.domain.alerts import AlertKind, Severity
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager import alert_rules
from hydra_nb.order_manager.alert_book import AlertBook
from hydra_nb.risk.close_out import CloseOut, close_out_of
from hydra_nb.risk.limits import Limits
from hydra_nb.sim import requests as ask
from hydra_nb.sim.records import OrderTerms, SimSide, TimeInForce
from hydra_nb.sim.session import Session
from tests.months.test_choice import NOON_NS, TODAY, listed
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore


def window_of(days: int, *, notice: int | None = None) -> CloseOut:
    """Where a month stands that trades last in so many days."""
    first_notice = None if notice is None else TODAY + dt.timedelta(days=notice)
    return close_out_of(listed(days)[0], first_notice=first_notice, now_ns=NOON_NS, limits=Limits())


@pytest.mark.parametrize(
    ("days", "notice", "lots", "severity", "words"),
    [
        (21, None, 2, None, ""),  # the window begins at 20
        (20, None, 2, Severity.WARNING, "is held, +2, 20 days before its last trade on 2026-03-23, more than 20"),
        (20, None, 0, None, ""),
        (4, None, -3, Severity.WARNING, "is held, -3, 4 days before its last trade"),
        (3, None, -3, Severity.CRITICAL, "3 days before its last trade"),
        (1, None, 1, Severity.CRITICAL, "1 day before its last trade"),
        (-1, None, 1, Severity.CRITICAL, "1 day after its last trade"),
        (40, 4, 1, None, ""),  # of a notice that was told the window begins at 3
        (40, 3, 1, Severity.CRITICAL, "3 days before first notice on 2026-03-06, more than 3 are wanted"),
        (10, 30, 1, Severity.WARNING, "10 days before its last trade"),  # a notice after the last trade says nothing
    ],
)
def test_what_is_held_inside_its_window_is_an_alert(
    days: int, notice: int | None, lots: int, severity: Severity | None, words: str
) -> None:
    """At the gate's own limit, critical from three days on, with the remedy."""
    alert = alert_rules.close_out("ZOH6", lots=lots, window=window_of(days, notice=notice), now_ns=NOON_NS)

    assert (None if alert is None else alert.severity) is severity
    if alert is not None:
        assert words in alert.sentence
        assert "may liquidate it before that, unasked" in alert.sentence
        assert alert.sentence.endswith("Roll it or close it.")
        assert (alert.kind, alert.subject) == (AlertKind.CLOSE_OUT, "ZOH6")


def test_the_alert_is_told_again_once_when_it_is_worse() -> None:
    """And never when it is as bad as before, nor better; of other kinds a graver one is no news."""
    book = AlertBook()
    days = [20, 19, 4, 3, 2, 4, 3]

    told = []
    for now_ns, left in enumerate(days):
        alert = alert_rules.close_out("ZOH6", lots=1, window=window_of(left), now_ns=now_ns)
        assert alert is not None
        told += book.news([alert], now_ns=now_ns, ends_at_once=lambda _key: False)
    over = book.news([], now_ns=9, ends_at_once=lambda _key: False)

    assert [one.severity for one in told if isinstance(one, ev.AlertRaised)] == [Severity.WARNING, Severity.CRITICAL]
    assert [type(one) for one in over] == [ev.AlertCleared]
    assert "3 days before" in over[0].sentence


# On a desk


class Silent(WitnessCore):
    """A gateway that can be told not to answer for contract details."""

    is_silent = False

    def _answer(self, session: Session, request: ask.Request, now_ns: int) -> None:
        if not (self.is_silent and isinstance(request, ask.ContractDetailsQuery)):
            super()._answer(session, request, now_ns)


def live(
    story: Callable[[Lives], Awaitable[None]], folder: Path, *, core: Any = Silent, start: dt.time | None = None
) -> None:
    """Run a story of desks on one market."""
    in_lives(story, folder=folder, exchange=ScriptedExchange(start=start), core=core)


def of_others(lives: Lives, local_symbol: str, *, side: SimSide, lots: int) -> None:
    """Have somebody else trade a month on the account, at whatever it costs, as in the broker's own program."""
    core, [listing] = lives.core, [one for one in lives.core.exchange.listings if one.local_symbol == local_symbol]
    now_ns = core.exchange._now_ns
    core.exchange.watch(listing.con_id, now_ns)
    top = core.exchange.top(listing.con_id)
    assert top is not None
    away = 40 * listing.min_tick if side is SimSide.BUY else -40 * listing.min_tick
    terms = OrderTerms(
        client_id=9,
        order_id=10_000 + len(core.exchange.completed_orders()),
        account=core.exchange.account,
        con_id=listing.con_id,
        side=side,
        lots=lots,
        limit_price=(top.ask if side is SimSide.BUY else top.bid) + away,
        tif=TimeInForce.DAY,
        good_till_ns=None,
        order_ref="",
    )
    core.report(core.exchange.submit(terms, now_ns), now_ns)


def told(stack: Stack) -> list[ev.AlertRaised | ev.AlertCleared]:
    """Alerts of this kind, in order."""
    events = [event for _, event in stack.desk._rooms.journal.events(kinds=[ev.AlertRaised, ev.AlertCleared])]
    return [
        event
        for event in events
        if isinstance(event, ev.AlertRaised | ev.AlertCleared) and event.kind is AlertKind.CLOSE_OUT
    ]


def details_asked(stack: Stack) -> int:
    """How often contract details were asked for."""
    return len(stack.core.heard(9))


def test_a_position_that_nobody_looked_up_is_warned_of_and_the_warning_ends_when_it_is_flat(tmp_path: Path) -> None:
    """Its details are asked for once; the frame of positions counts the days, and the desk lists the alert."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        of_others(lives, "ZOH7", side=SimSide.BUY, lots=2)
        of_others(lives, "ZOK7", side=SimSide.BUY, lots=1)
        await stack.sleep(30)
        raised, positions, asked = told(stack), stack.desk.positions(), details_asked(stack)
        standing = [alert.sentence for alert in stack.desk.alerts_raised]
        await stack.sleep(600)
        of_others(lives, "ZOH7", side=SimSide.SELL, lots=2)
        await stack.sleep(30)

        assert [type(one) for one in raised] == [ev.AlertRaised]
        assert raised[0].local_symbol == "ZOH7"
        assert "is held, +2, 10 days before its last trade on 2027-03-12" in raised[0].sentence
        assert standing == [raised[0].sentence]
        assert positions.set_index("local_symbol")["days_to_close_out"].to_dict() == {"ZOH7": 10, "ZOK7": 73}
        assert asked == details_asked(stack) == 2
        assert [type(one) for one in told(stack)] == [ev.AlertRaised, ev.AlertCleared]
        assert stack.journalled(ev.TaskFailed) == []
        await stack.desk.close()

    live(story, tmp_path)


def test_a_new_day_needs_no_event(tmp_path: Path) -> None:
    """The desk looks at its calendar by itself: after midnight the same position is critical, and told once more."""
    facts = tmp_path / "facts.csv"
    facts.write_text("local_symbol,first_notice\nZOH7,2027-03-06\n", encoding="utf-8")

    async def story(lives: Lives) -> None:
        stack = await lives.open(contract_facts=facts, limits=Limits(notice_days=5))
        of_others(lives, "ZOH7", side=SimSide.SELL, lots=1)
        await stack.sleep(180)

        first, second = told(stack)
        assert isinstance(first, ev.AlertRaised)
        assert isinstance(second, ev.AlertRaised)
        assert (first.severity, second.severity) == (Severity.WARNING, Severity.CRITICAL)
        assert "4 days before first notice" in first.sentence
        assert "3 days before first notice" in second.sentence
        midnight = pd.Timestamp("2027-03-03", tz="America/Chicago").value
        assert 0 <= second.time_ns - midnight <= 10 * NS_PER_S
        assert [alert for alert in stack.desk.alerts_raised if alert.kind is AlertKind.CLOSE_OUT] == [second]
        assert stack.desk.alerts()["severity"].tolist() == ["warning", "critical"]
        await stack.desk.close()

    live(story, tmp_path, start=dt.time(23, 58))


def test_a_warning_goes_on_over_a_restart_and_a_silent_broker(tmp_path: Path) -> None:
    """A desk that does not know its contract yet neither ends the alert nor tells it again."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        of_others(lives, "ZOH7", side=SimSide.BUY, lots=2)
        await stack.sleep(30)
        await stack.desk.close()

        lives.core.is_silent = True  # type: ignore[attr-defined]
        stack = await lives.open()
        await stack.sleep(120)
        silent = told(stack)
        lives.core.is_silent = False  # type: ignore[attr-defined]
        await stack.sleep(400)
        answered = stack.desk._held.contract(stack.desk._rooms.broker.positions()[0].con_id)  # type: ignore[index]
        of_others(lives, "ZOH7", side=SimSide.SELL, lots=2)
        await stack.sleep(30)

        assert [type(one) for one in silent] == [ev.AlertRaised]
        assert answered is not None
        assert [type(one) for one in told(stack)] == [ev.AlertRaised, ev.AlertCleared]
        await stack.desk.close()

    live(story, tmp_path)


def test_what_the_broker_lists_no_future_for_is_asked_for_once(tmp_path: Path) -> None:
    """A share on the account is nobody's contract month."""

    class Shares(WitnessCore):
        def _answer(self, session: Session, request: ask.Request, now_ns: int) -> None:
            if isinstance(request, ask.ContractDetailsQuery):
                session.error(request.req_id, 200, "No security definition has been found for the request")
            else:
                super()._answer(session, request, now_ns)

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        of_others(lives, "ZOH7", side=SimSide.BUY, lots=2)
        await stack.sleep(1200)

        assert details_asked(stack) == 1
        assert told(stack) == []
        assert stack.desk.positions()["days_to_close_out"].isna().all()
        await stack.desk.close()

    live(story, tmp_path, core=Shares)
