"""The self-test of a gateway: every row holds on the simulated one, and each fault turns the rows that it should."""

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from hydra_nb.analysis.month_columns import SELFTEST
from hydra_nb.cli import app
from hydra_nb.desk.selftest.trial import CHECKS, resting_price
from hydra_nb.domain.events import TaskFailed
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidOrder
from hydra_nb.risk.limits import Limits
from hydra_nb.sim import requests as ask
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.faults import Fault, FaultScript
from hydra_nb.sim.records import ExchangeEvent
from hydra_nb.sim.session import GatewayCore, Session
from tests.recovery.lives import Lives, in_lives
from tests.risk.making import OATS, make_quote
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore, on_a_desk, steady

PLACE, CANCEL = 3, 4
BOOK = steady("398.00", "402.00")


def verdicts(frame: pd.DataFrame) -> dict[str, bool | None]:
    """What does not hold, or was not tried, by check."""
    rows = zip(frame["check"], frame["holds"], strict=True)
    return {check: None if pd.isna(holds) else bool(holds) for check, holds in rows if pd.isna(holds) or not holds}


def message(frame: pd.DataFrame, check: str) -> str:
    """The words of one row."""
    return str(frame.set_index("check").loc[check, "message"])


def faulty(*faults: Fault) -> type[WitnessCore]:
    """A gateway with a fault script."""

    class Faulty(WitnessCore):
        def __init__(self, exchange: Exchange) -> None:
            GatewayCore.__init__(self, exchange, faults=FaultScript(faults=faults, seed=1))
            self.frames, self._numbers = [], {}

    return Faulty


def tried(
    folder: Path,
    *,
    exchange: Exchange | None = None,
    core: type[WitnessCore] = WitnessCore,
    after: Callable[[Stack], Awaitable[None]] | None = None,
    watch_s: float = 0.0,
    **how: Any,
) -> tuple[pd.DataFrame, Stack]:
    """Run the self-test on a gateway of a kind, and give its frame and the closed desk."""

    async def story(lives: Lives) -> tuple[pd.DataFrame, Stack]:
        stack = await lives.open(**how)
        if watch_s:
            await stack.desk.instrument("ZO")
            await stack.sleep(watch_s)
        frame = await stack.desk.selftest("ZO")
        if after is not None:
            await after(stack)
        assert stack.journalled(TaskFailed) == []
        await stack.desk.close()
        return frame, stack

    return in_lives(story, folder=folder, exchange=exchange, core=core)


def test_every_check_holds_on_the_simulated_gateway(tmp_path: Path) -> None:
    """With two orders of one lot, of which one expired by itself, and nothing left at work."""
    frame, stack = tried(tmp_path)

    assert verdicts(frame) == {}
    assert {one.name: str(frame[one.name].dtype) for one in SELFTEST} == {one.name: str(one.kind) for one in SELFTEST}
    assert frame["check"].is_unique
    assert frame["check"].str.startswith("contract ").sum() == 12
    assert frame["check"].tolist()[-len(CHECKS) :] == list(CHECKS)
    assert [(one.terms.lots, one.terms.order_ref.split(":")[2]) for one in stack.orders()] == [
        (1, "P-0001"),
        (1, "P-0002"),
    ]
    expired, cancelled = stack.orders()
    assert expired.completed_ns == expired.terms.good_till_ns
    assert cancelled.completed_ns is not None
    assert cancelled.terms.good_till_ns is not None
    assert cancelled.completed_ns < cancelled.terms.good_till_ns
    assert len(stack.core.heard(CANCEL)) == 1
    assert stack.executions() == []


def test_the_orders_are_ordinary_ones(tmp_path: Path) -> None:
    """Each with its decisions, its tag and its own end in the journal; the second test of a day sends its own."""

    async def again(stack: Stack) -> None:
        frame = await stack.desk.selftest("ZO")
        executions = stack.desk.executions()
        assert verdicts(frame) == {}
        assert executions["tag"].str.match(r"selftest (expiry|cancel) \d+").tolist() == [True] * 4
        assert executions["status"].tolist() == ["partial", "cancelled"] * 2
        assert executions["filled_lots"].sum() == 0
        placed = stack.desk.decisions().query("action == 'place'")
        assert placed["parent_id"].nunique() == 4
        assert placed["allowed"].all()

    tried(tmp_path, after=again)


class NoTimedExpiry(ScriptedExchange):
    """A broker that lets an order work on beyond its expiry."""

    def _expire(self, perm_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        """Nothing ends."""


class Early(ScriptedExchange):
    """A broker that ends an order ten seconds before its time."""

    def _schedule(self, time_ns: int, due: Any, subject: int) -> None:
        super()._schedule(time_ns - (10 * NS_PER_S if due == self._expire else 0), due, subject)

    def _expire(self, perm_id: int, now_ns: int, events: list[ExchangeEvent]) -> None:
        order = self._clearing.find_live(perm_id)
        if order is not None and order.expires_ns - now_ns == 10 * NS_PER_S:
            self._cancel(order, now_ns, events)


def test_an_expiry_that_is_not_kept_is_found_and_the_order_cancelled(tmp_path: Path) -> None:
    """The one thing that all else rests on when a kernel dies."""
    frame, stack = tried(tmp_path, exchange=NoTimedExpiry(script=BOOK))

    assert verdicts(frame) == {"order_expires": False}
    assert "after a dead kernel this order would work on" in message(frame, "order_expires")
    assert stack.exchange.open_orders() == []
    assert len(stack.core.heard(CANCEL)) == 2


def test_an_expiry_that_comes_early_is_found(tmp_path: Path) -> None:
    """To the second means neither later nor sooner."""
    frame, _ = tried(tmp_path, exchange=Early(script=BOOK))

    assert verdicts(frame)["order_expires"] is False
    assert frame.set_index("check").loc["order_expires", "observed"] == "-9.50 s from its expiry"


NOT_TRIED = dict.fromkeys(["order_expires", "order_modified", "order_cancelled"])
FAULTS: dict[str, tuple[tuple[Fault, ...], dict[str, bool | None], str, str]] = {
    "read-only": (
        (Fault(kind="read_only", parameters={"duration_s": 600.0}),),
        {"order_taken": False, **NOT_TRIED},
        "order_taken",
        "Turn off Read-Only API",
    ),
    "delayed data": (
        (Fault(kind="quotes_delayed", at_s=1.0, parameters={"duration_s": 600.0}),),
        {"market_data": False, **dict.fromkeys(CHECKS)},
        "market_data",
        "subscribe to CBOT",
    ),
    "empty books": (
        (Fault(kind="quotes_empty", at_s=1.0, parameters={"duration_s": 600.0}),),
        {"two_sided_quote": False, **dict.fromkeys(CHECKS)},
        "two_sided_quote",
        "A side is missing",
    ),
    "a clock that is off": (
        (Fault(kind="clock_jump", at_s=5.0, parameters={"duration_s": 600.0, "offset_s": 90.0}),),
        {"clock_skew": False, **dict.fromkeys(CHECKS)},
        "clock_skew",
        "set this computer's clock",
    ),
    "executions without end": (
        (Fault(kind="executions_without_end", at_s=5.0),),
        {"executions": False},
        "executions",
        "did not answer the request for executions",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_its_own_rows_and_no_others(name: str, tmp_path: Path) -> None:
    """What stops orders is told once, with its remedy; the orders that it stops were not tried."""
    faults, expected, check, words = FAULTS[name]

    frame, stack = tried(tmp_path, core=faulty(*faults), watch_s=15.0)

    assert verdicts(frame) == expected
    assert words in message(frame, check)
    assert stack.exchange.open_orders() == []
    assert stack.executions() == []


class NoWhatIfs(WitnessCore):
    """A gateway that is read-only for questions about margin too."""

    def handle(self, session: Session, request: ask.Request, now_ns: int) -> None:
        """Refuse whatever is written like an order."""
        if isinstance(request, ask.PlaceOrder):
            session.error(request.order_id, 321, "The API interface is currently in Read-Only mode.")
        else:
            super().handle(session, request, now_ns)


def test_a_gateway_that_is_read_only_for_questions_too_is_told_as_such(tmp_path: Path) -> None:
    """Then the gate knows no margin, and nothing is sent that could be refused."""
    frame, stack = tried(tmp_path, core=NoWhatIfs)

    assert verdicts(frame) == {"what_if_margin": False, **dict.fromkeys(CHECKS)}
    assert message(frame, "what_if_margin").startswith("Turn off Read-Only API")
    assert "margin" in message(frame, "order_taken")
    assert stack.core.placed() == []


class Deaf(WitnessCore):
    """A gateway that takes no cancel."""

    def handle(self, session: Session, request: ask.Request, now_ns: int) -> None:
        """Everything but that."""
        if not isinstance(request, ask.CancelOrder):
            super().handle(session, request, now_ns)


def test_an_order_that_cannot_be_taken_back_is_told_with_its_name(tmp_path: Path) -> None:
    """Where the expiry is kept it ends all the same, and the end says so."""
    frame, stack = tried(tmp_path, core=Deaf)

    assert verdicts(frame) == {"order_cancelled": False}
    assert "Orders cannot be taken back" in message(frame, "order_cancelled")
    assert stack.exchange.open_orders() == []


def test_an_order_that_nothing_ends_is_left_to_a_person_by_name(tmp_path: Path) -> None:
    """No second order is sent beside it."""
    frame, stack = tried(tmp_path, exchange=NoTimedExpiry(script=BOOK), core=Deaf)

    assert verdicts(frame) == {
        "order_expires": False,
        "order_modified": None,
        "order_cancelled": None,
        "nothing_left": False,
    }
    [left] = stack.exchange.open_orders()
    assert left.terms.order_ref in frame.set_index("check").loc["nothing_left", "observed"]
    assert "no second is sent" in message(frame, "order_modified")


class OtherTerms(ScriptedExchange):
    """A broker that lists two contracts on other terms than we think."""

    def __init__(self) -> None:
        super().__init__(script=BOOK)
        changes: dict[str, dict[str, Any]] = {
            "ZO": {"price_magnifier": 1},
            "PL": {"multiplier": "100"},
            "HE": {"min_tick": Decimal("0.05")},
            "DA": {"time_zone": "America/New_York"},
            "CB": {"symbol": "XB"},
        }
        self.listings = tuple(dataclasses.replace(one, **changes.get(one.symbol, {})) for one in self.listings)


def test_terms_that_differ_from_our_table_are_named(tmp_path: Path) -> None:
    """A magnifier that is wrong makes every value a hundred times too large."""
    frame, _ = tried(tmp_path, exchange=OtherTerms())

    found = verdicts(frame)
    assert {check: holds for check, holds in found.items() if check.startswith("contract")} == {
        "contract ZO": False,
        "contract PL": False,
        "contract DA": False,
        "contract CB": None,
    }
    assert "magnifier 1, 100 in our table" in message(frame, "contract ZO")
    assert "PLJ7: multiplier 100, 50 in our table" in message(frame, "contract PL")
    assert "time zone America/New_York, America/Chicago in our table" in message(frame, "contract DA")
    assert "the broker lists no future 'CB'" in message(frame, "contract CB")


def falling(seconds: float) -> Any:
    """A market that comes down to the orders of the test after a while."""
    return BOOK(seconds) if seconds < 12 else (("380.00", 5), ("381.00", 5))


def test_what_fills_is_told_and_never_traded_back(tmp_path: Path) -> None:
    """The position is the person's; no second order goes out, and none on the other side."""
    frame, stack = tried(tmp_path, exchange=ScriptedExchange(script=falling))

    assert verdicts(frame) == {
        "order_expires": None,
        "order_modified": None,
        "order_cancelled": None,
        "position_kept": False,
    }
    assert "yours to close" in message(frame, "position_kept")
    assert [(fill.side, fill.lots) for fill in stack.executions()] == [("BUY", 1)]
    assert {request.action for request in stack.core.placed()} == {"BUY"}


@pytest.mark.parametrize("after_s", [2.0, 12.0, 29.0, 36.0, 45.0])
def test_an_interrupt_cancels_what_the_test_has_at_work(after_s: float, tmp_path: Path) -> None:
    """Whenever it comes: while the first order is left alone, between the two, or while the second rests."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        cell = asyncio.ensure_future(stack.desk.selftest("ZO"))
        await stack.sleep(after_s)
        cell.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cell
        await stack.sleep(2)

        assert stack.exchange.open_orders() == []
        assert stack.desk.busy_parents == ()
        assert stack.executions() == []
        assert stack.orders()
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=BOOK))


def test_a_closed_market_is_no_failure(tmp_path: Path) -> None:
    """What needs a session is not tried, and says when to."""
    frame, stack = tried(tmp_path, exchange=ScriptedExchange(start=dt.time(14, 30)))

    assert verdicts(frame) == {"two_sided_quote": None, **dict.fromkeys(CHECKS)}
    assert "between sessions: try then" in message(frame, "two_sided_quote")
    assert stack.core.placed() == []


def test_a_refusal_of_the_gate_is_its_reason_and_nothing_is_sent(tmp_path: Path) -> None:
    """The test has no way around it."""
    frame, stack = tried(tmp_path, limits=Limits(max_notional_per_order=1))

    assert verdicts(frame) == dict.fromkeys(CHECKS)
    assert "The gate refuses it, nothing was sent" in message(frame, "order_taken")
    assert stack.core.placed() == []


def test_a_live_account_gets_no_order(tmp_path: Path) -> None:
    """Only what asks is tried there, whatever the caller says; its number shows nowhere."""
    exchange = Exchange(seed=7)
    exchange.account = "U1234567"

    frame, stack = tried(tmp_path, exchange=exchange, account="U1234567", confirm_live="4567")

    assert verdicts(frame) == {"account_kind": None, **dict.fromkeys(CHECKS)}
    assert "this test sends no order" in message(frame, "order_taken")
    assert stack.core.heard(PLACE) == []
    assert "U1234567" not in frame.to_string()


def test_without_orders_only_questions_are_asked() -> None:
    """As before the first order of an account."""

    async def scenario(stack: Stack) -> tuple[pd.DataFrame, int]:
        frame = await stack.desk.selftest("ZOK7", place_orders=False)
        return frame, len(stack.core.heard(PLACE))

    frame, placed = on_a_desk(scenario)

    assert verdicts(frame) == dict.fromkeys(CHECKS)
    assert placed == 0


def test_a_symbol_that_nobody_lists_ends_the_test_of_the_market() -> None:
    """The rows before it are there all the same; what is no symbol is an error."""

    async def scenario(stack: Stack) -> pd.DataFrame:
        with pytest.raises(InvalidOrder, match="names no future"):
            await stack.desk.selftest("")
        return await stack.desk.selftest("ZQQ")

    frame = on_a_desk(scenario)

    assert verdicts(frame) == {"month": False}
    assert frame["check"].tolist()[-1] == "month"


@pytest.mark.parametrize(("bid", "ask"), [("398.00", "402.00"), ("300.00", "500.00"), ("-4.00", "-2.00")])
def test_the_price_rests_below_the_bid_and_is_on_the_tick(bid: str, ask: str) -> None:
    """Inside the collar where the spread leaves room; else the gate says no."""
    quote = make_quote(bid=Decimal(bid), ask=Decimal(ask))

    price = resting_price(quote, contract=OATS, limits=Limits())

    assert price is not None
    assert price < Decimal(bid)
    assert OATS.is_on_tick(price)


def test_without_two_sides_there_is_no_price() -> None:
    """Nothing is guessed."""
    contract: FutureContract = OATS

    assert resting_price(None, contract=contract, limits=Limits()) is None
    assert resting_price(make_quote(bid=None, bid_size=0), contract=contract, limits=Limits()) is None


# On the command line


def test_the_command_prints_the_frame_and_ends_well() -> None:
    """On the simulated gateway, in virtual time."""
    result = CliRunner().invoke(app, ["selftest"])

    assert result.exit_code == 0, result.output
    assert "32 of 32 checks hold." in result.output
    for check in CHECKS:
        assert check in result.output


def test_the_command_ends_with_1_where_something_was_not_tried() -> None:
    """And says why, in a line of its own."""
    result = CliRunner().invoke(app, ["selftest", "--no-orders"])

    assert result.exit_code == 1
    assert "26 of 32 checks hold." in result.output
    assert "order_taken: not tried. place_orders=False: only an order tells" in result.output


def test_an_unattended_parent_is_woken_again() -> None:
    """What came due meanwhile is done at once, and no stall is told: nothing was late."""

    async def scenario(stack: Stack) -> tuple[str, str, int]:
        execution = await stack.desk.submit(
            await stack.desk.preview("BUY", 1, "ZO", strategy="limit_patience", patience=20, limit="394.00")
        )
        await stack.until(lambda: execution.working_lots > 0)
        with stack.manager.unattended(execution.parent_id):
            await stack.sleep(25)
            meanwhile = len(stack.core.placed())
        await stack.sleep(2)
        return str(execution.status), str(stack.orders()[0].status), meanwhile

    status, order, placed = on_a_desk(scenario, exchange=ScriptedExchange(script=BOOK))

    assert (status, order, placed) == (ParentStatus.WORKING, "Submitted", 1)
