"""A plan, an execution and a desk made by hand: the ports of the domain, filled with figures that the tests know."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import ipywidgets
import pandas as pd
import plotly.graph_objects as go

from hydra_nb.domain.events import AlertRaised, Event
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import ConnectionState, MarketStatistics, Quote
from hydra_nb.domain.orders import OrderState, ParentOrder, ParentStatus, Stage, Strategy
from hydra_nb.domain.ports import RestingOrder
from hydra_nb.domain.rehearsal_ports import RehearsalPort
from hydra_nb.domain.units import Side
from hydra_nb.errors import InvalidOrder, UnknownInstrument

DAY = "2027-01-12"
NOW = pd.Timestamp(f"{DAY} 14:56:31", tz="UTC")  # 08:56:31 in Chicago

OATS = FutureContract(
    con_id=101,
    symbol="ZO",
    local_symbol="ZOH7",
    name="Oats",
    exchange="CBOT",
    currency="USD",
    tick=Decimal("0.25"),
    multiplier=Decimal("5000"),
    price_magnifier=100,
    contract_month="202703",
    last_trade_date=pd.Timestamp("2027-03-12").date(),
    time_zone="America/Chicago",
)


def utc(text: str) -> pd.Timestamp:
    """A time of the day of the samples, UTC; empty text is not a time."""
    return pd.Timestamp(f"{DAY} {text}", tz="UTC") if text else pd.NaT


def frame(rows: list[dict[str, Any]], columns: str) -> pd.DataFrame:
    """Rows as a frame in the contract's dtypes; `columns` is ``name:kind``, kinds ``t l f s b``."""
    kinds = dict(word.split(":") for word in columns.split())
    dtypes = {"t": "datetime64[ns, UTC]", "l": "Int64", "f": "float64", "s": "str", "b": "bool"}
    made = pd.DataFrame(rows, columns=list(kinds))
    return made.astype({name: dtypes[kind] for name, kind in kinds.items()})


SCHEDULE_COLUMNS = (
    "slice:l start:t earliest:t latest:t lots:l cumulative_lots:l limit_mid:f limit_step:f limit_cross:f "
    "wait_mid_s:f wait_step_s:f wait_cross_s:f participation:f"
)
SLICES_COLUMNS = (
    f"{SCHEDULE_COLUMNS} parent_id:s sent:t done:t filled_lots:l carried_lots:l average_price:f stage:s expires:t "
    "messages:l reason:s status:s"
)
RISK_COLUMNS = (
    "time:t parent_id:s slice:l action:s check:s allowed:b observed:f limit:f unit:s message:s source:s would_pass:f"
)
COST_COLUMNS = (
    "slippage_ticks:f slippage_bps:f slippage_cash:f low_ticks:f high_ticks:f level:f cross_now_ticks:f commission:f "
    "currency:s n_evidence:l source:s predictor_version:s"
)
FILLS_COLUMNS = "time:t fill_id:s slice:l stage:s side:s lots:l price:f commission:f currency:s"
QUOTES_COLUMNS = "time:t local_symbol:s bid:f bid_size:f ask:f ask_size:f last:f last_size:f volume:f"

_STARTS = (
    ("15:00:00", "15:00:00", "15:00:00", 3),
    ("15:25:41", "15:19:12", "15:28:48", 3),
    ("15:46:20", "15:43:12", "15:52:48", 3),
    ("16:14:05", "16:07:12", "16:16:48", 2),
    ("16:33:48", "16:31:12", "16:40:48", 2),
)


def schedule_rows(*, waits: tuple[float, float, float] = (300, 150, 75)) -> list[dict[str, Any]]:
    """Thirteen lots of oats in five slices."""
    total, made = 0, []
    for number, (start, earliest, latest, lots) in enumerate(_STARTS, start=1):
        total += lots
        made.append(
            {
                "slice": number,
                "start": utc(start),
                "earliest": utc(earliest),
                "latest": utc(latest),
                "lots": lots,
                "cumulative_lots": total,
                "limit_mid": 370.0,
                "limit_step": 370.25,
                "limit_cross": 371.75,
                "wait_mid_s": waits[0],
                "wait_step_s": waits[1],
                "wait_cross_s": waits[2],
                "participation": lots / 420,
            }
        )
    return made


def check(name: str, *, allowed: bool = True, message: str = "Within the limit", **figures: Any) -> dict[str, Any]:
    """One row of the gate's dry run."""
    figures = {"observed": None, "limit": None, "unit": "", "would_pass": None} | figures
    return {
        "time": NOW,
        "action": "parent",
        "check": name,
        "allowed": allowed,
        "message": message,
        "source": "x",
    } | figures


PASSING = [
    check("position_lots", observed=17, limit=20, unit="lots"),
    check("volume_share", observed=3.1, limit=5, unit="% of ADV"),
    check("order_notional", observed=244_400, limit=400_000, unit="USD"),
    check("parent_lots", observed=13, limit=25, unit="lots"),
    check("quote_age", observed=0.4, limit=5, unit="s"),
    check("daily_loss", observed=0, limit=3, unit="% of equity"),
    check("session_open", message="The session is open until 13:20"),
]
COLLAR = check(
    "collar_ticks",
    allowed=False,
    observed=24,
    limit=20,
    unit="ticks",
    message="24 ticks above mid, 20 allowed: a limit of 375.00 or lower",
    would_pass=375.0,
)


def quotes_before() -> pd.DataFrame:
    """Half an hour of oats, one quote a minute, 14 ticks wide, 4 lots offered."""
    times = pd.date_range(end=NOW, periods=30, freq="min")
    rows = [
        {
            "time": time,
            "local_symbol": "ZOH7",
            "bid": 368.25 + (at % 3) / 4,
            "bid_size": 3,
            "ask": 371.75 + (at % 3) / 4,
            "ask_size": 4,
        }
        for at, time in enumerate(reversed(times))
    ]
    return frame(rows[::-1], QUOTES_COLUMNS)


@dataclass(frozen=True)
class HandPlan:
    """A plan as a test wants it."""

    parent: ParentOrder
    plan_id: str = "7c1f09ae55aa0011"
    participation: float = 13 / 420
    checks: list[dict[str, Any]] = field(default_factory=lambda: list(PASSING))
    waits: tuple[float, float, float] = (300, 150, 75)
    cost: dict[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    valid_until: pd.Timestamp = NOW + pd.Timedelta(seconds=300)
    quotes: pd.DataFrame = field(default_factory=quotes_before)
    rehearsing: Callable[..., Awaitable[RehearsalPort]] | None = None

    async def rehearse(self, n: int = 1000, **how: Any) -> RehearsalPort:
        """What the test wants a rehearsal to do."""
        assert self.rehearsing is not None, "nothing was to be rehearsed"
        return await self.rehearsing(self, n, **how)

    @property
    def strategy(self) -> Strategy:
        """The strategy of the parent."""
        return self.parent.strategy

    @property
    def passes(self) -> bool:
        """Whether all rows of `checks` are allowed."""
        return all(row["allowed"] for row in self.checks)

    @property
    def schedule(self) -> pd.DataFrame:
        """Five slices, with `waits`."""
        return frame(schedule_rows(waits=self.waits), SCHEDULE_COLUMNS)

    @property
    def risk(self) -> pd.DataFrame:
        """The rows of `checks`."""
        return frame(self.checks, RISK_COLUMNS)

    @property
    def would_pass(self) -> pd.DataFrame:
        """Thirteen lots at 375.00, now."""
        return frame([{"lots": 13, "price": 375.0, "time": NOW}], "lots:l price:f time:t")

    @property
    def expected_cost(self) -> pd.DataFrame:
        """The figures of oats, changed by `cost`."""
        row = {
            "slippage_ticks": 5.4,
            "slippage_bps": 36.5,
            "slippage_cash": 877.5,
            "low_ticks": 2.1,
            "high_ticks": 9.0,
            "level": 0.8,
            "cross_now_ticks": 7.0,
            "commission": 32.76,
            "currency": "USD",
            "n_evidence": 0,
            "source": "simulated",
            "predictor_version": "half-spread-1",
        }
        return frame([row | self.cost], COST_COLUMNS)

    def plot(self) -> go.Figure:
        """No picture is needed here."""
        return go.Figure()


def order(**changes: Any) -> ParentOrder:
    """Thirteen lots of oats to buy, changed as asked."""
    parent = ParentOrder(
        account="SIM0007QF", contract=OATS, side=Side.BUY, lots=13, strategy=Strategy.TWAP, tag="roll-hedge"
    )
    return replace(parent, **changes)


def running_slices() -> pd.DataFrame:
    """The slices of a parent at work in its fourth slice."""
    states = (
        (3, 0, 370.0833, "step", 2, "", "filled"),
        (2, 1, 371.375, "cross", 4, "1 lot given to later slices", "partial"),
        (4, 0, 370.875, "step", 2, "", "filled"),
        (1, 0, 369.75, "mid", 1, "", "working"),
        (0, 0, None, None, 0, "", "planned"),
    )
    names = ("filled_lots", "carried_lots", "average_price", "stage", "messages", "reason", "status")
    rows = [row | dict(zip(names, state, strict=True)) for row, state in zip(schedule_rows(), states, strict=True)]
    return frame(rows, SLICES_COLUMNS)


def running_fills() -> pd.DataFrame:
    """Ten lots in seven fills."""
    fills = (
        ("15:02:12", 1, "mid", 2, 370.0),
        ("15:06:30", 1, "step", 1, 370.25),
        ("15:28:02", 2, "mid", 1, 370.5),
        ("15:33:40", 2, "cross", 1, 372.25),
        ("15:48:55", 3, "mid", 2, 370.75),
        ("15:52:10", 3, "step", 2, 371.0),
        ("16:16:22", 4, "mid", 1, 369.75),
    )
    rows = [
        {
            "time": utc(time),
            "fill_id": f"F{number}",
            "slice": at,
            "stage": stage,
            "side": "BUY",
            "lots": lots,
            "price": price,
            "commission": 2.52 * lots,
            "currency": "USD",
        }
        for number, (time, at, stage, lots, price) in enumerate(fills)
    ]
    return frame(rows, FILLS_COLUMNS)


def running_quotes() -> pd.DataFrame:
    """A quote a minute, 14 ticks wide, that wanders by a tick or two around 370.00."""
    rng = random.Random(7)  # noqa: S311  the quotes are to be the same in every run
    rows, mid = [], 370.0
    for minute in range(81):
        mid = min(371.5, max(368.5, mid + 0.25 * rng.choice((-2, -1, 0, 1, 2))))
        half = 0.25 * rng.choice((6, 7, 8))
        time = utc("14:56:44") + pd.Timedelta(minutes=minute)
        rows.append({"time": time, "local_symbol": "ZOH7", "bid": mid - half, "ask": mid + half})
    return frame(rows, QUOTES_COLUMNS)


def resting_order(**changes: Any) -> RestingOrder:
    """One lot of the fourth slice, at mid."""
    order = RestingOrder(
        slice=4,
        stage=Stage.MID,
        lots=1,
        limit_price=Decimal("369.75"),
        expires_ns=int(utc("16:19:20").value),
        state=OrderState.WORKING,
    )
    return replace(order, **changes)


@dataclass
class HandExecution:
    """A parent order as it runs, or as it ended."""

    parent: ParentOrder
    parent_id: str = "P-0412"
    status: ParentStatus = ParentStatus.WORKING
    reason: str = ""
    filled_lots: int = 10
    working_lots: int = 1
    due_lots: int = 9
    shortfall_lots: int = 0
    arrival_mid: float = 370.0
    average_price: float = 370.625
    slippage_ticks: float = 2.5
    slippage_cash: float = 312.5
    messages_used: int = 9
    messages_budget: int = 20
    slices: pd.DataFrame = field(default_factory=running_slices)
    fills: pd.DataFrame = field(default_factory=running_fills)
    decisions: pd.DataFrame = field(default_factory=lambda: frame(list(PASSING), RISK_COLUMNS))
    quotes: pd.DataFrame = field(default_factory=running_quotes)
    submitted_ns: int = field(default_factory=lambda: int(utc("14:56:44").value))
    later_ns: int = 0
    finished_ns: int | None = None
    standing_since_ns: int | None = None
    connection: ConnectionState = ConnectionState.UP
    unlinked_since_ns: int | None = None
    quote_age_allowed_s: float = 5.0
    revision: int = 1
    story: list[Event] = field(default_factory=list)
    slice_lots: dict[int, int] = field(default_factory=lambda: {4: 2, 5: 2})
    resting: list[RestingOrder] = field(default_factory=lambda: [resting_order()])
    gestures: list[str] = field(default_factory=list)

    def view(self) -> ipywidgets.HTML:
        """Something to be shown."""
        return ipywidgets.HTML(value=f"the view of {self.parent_id}")

    @property
    def begins_ns(self) -> int:
        """When it begins."""
        return self.submitted_ns + self.later_ns

    async def pause(self) -> None:
        """Note it."""
        self.gestures.append("pause")

    async def resume(self) -> None:
        """Note it."""
        self.gestures.append("resume")

    async def cancel(self) -> None:
        """Note it."""
        self.gestures.append("cancel")


@dataclass
class HandDesk:
    """A desk in memory: it draws `next_plan`, notes what is submitted, and runs gestures as tasks of the loop."""

    badge: str = "SIM"
    masked_account: str = "SIM•••7QF"
    killed: str | None = None
    now: pd.Timestamp = NOW
    checks: list[dict[str, Any]] = field(default_factory=lambda: list(PASSING))
    previews: list[dict[str, Any]] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)
    preview_gate: asyncio.Event | None = None
    submit_error: Exception | None = None
    execution: HandExecution | None = None
    bid: Decimal = Decimal("368.25")
    quoted: pd.Timestamp | None = None  # when the quote was told; None is now
    position: int | None = 4
    is_connected: bool = True
    speed: float = 1.0
    killed_ns: int | None = None
    kill_progress: tuple[int, int] | None = None
    kill_address: str | None = None
    kill_command: str = "hydra-nb kill"
    cancelled_everything: int = 0
    alerts_raised: tuple[AlertRaised, ...] = ()
    turn_to_draw: asyncio.Lock = field(default_factory=asyncio.Lock)
    rehearsing: Callable[..., Awaitable[RehearsalPort]] | None = None

    def now_ns(self) -> int:
        """The time that the test set."""
        return int(self.now.value)

    def latest_quote(self, contract: FutureContract) -> Quote | None:
        """Oats, quoted at `bid` and 371.75."""
        return Quote(
            con_id=contract.con_id,
            time_ns=self.now_ns() if self.quoted is None else int(self.quoted.value),
            bid=self.bid,
            bid_size=3,
            ask=Decimal("371.75"),
            ask_size=4,
        )

    async def instrument(self, what: str) -> FutureContract:
        """Oats, and nothing else."""
        if what not in ("ZO", "ZOH7"):
            raise UnknownInstrument(f"no future is listed under {what!r}; give a symbol such as 'ZO'")
        return OATS

    def known_instruments(self) -> tuple[str, ...]:
        """Oats, and its month."""
        return ("ZO  Oats, CBOT", "ZOH7  Oats Mar 2027, CBOT")

    def position_lots(self, _: FutureContract) -> int | None:
        """What the test holds."""
        return self.position

    def adv_lots(self, _: FutureContract) -> float | None:
        """Volume of oats."""
        return 420.0

    async def statistics(self, contract: FutureContract) -> MarketStatistics:
        """Volume and volatility of oats."""
        return MarketStatistics(
            con_id=contract.con_id, adv_lots=420.0, daily_volatility=0.02, days=20, source="simulated bars"
        )

    def confirms_account(self, last_four: str) -> bool:
        """The account ends so."""
        return last_four == "07QF"

    async def preview(self, side: str, lots: int, instrument: Any, **how: Any) -> HandPlan:
        """Note the call, wait for `preview_gate` where there is one, draw a plan."""
        self.previews.append({"side": side, "lots": lots, "instrument": instrument} | how)
        if self.preview_gate is not None:
            await self.preview_gate.wait()
        contract = await self.instrument(instrument)
        parent = order(contract=contract, side=Side(side), lots=lots, limit=how["limit"], tag=how["tag"])
        valid_until = self.now + pd.Timedelta(seconds=300)
        return HandPlan(
            parent=parent,
            plan_id=f"{len(self.previews):016x}",
            checks=self.checks,
            valid_until=valid_until,
            rehearsing=self.rehearsing,
        )

    async def submit(self, plan: HandPlan) -> HandExecution:
        """Note the plan; fail where the test wants it."""
        await asyncio.sleep(0)
        self.submitted.append(plan.plan_id)
        if self.submit_error is not None:
            raise self.submit_error
        self.execution = HandExecution(
            parent=plan.parent, parent_id=f"P-{len(self.submitted):04d}", submitted_ns=self.now_ns()
        )
        return self.execution

    async def kill(self, reason: str) -> None:
        """Take the reason down."""
        self.killed = reason

    async def rearm(self, reason: str) -> None:
        """Forget the kill, for any reason that is one."""
        self.killed = None if reason else self.killed

    async def cancel_everything(self, confirmation: str) -> None:
        """Count the global cancels that were confirmed."""
        if confirmation != "ALL":
            raise InvalidOrder("confirm it with ALL")
        self.cancelled_everything += 1

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run as a task of the loop, and keep it."""
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Keep the listener until it is taken back."""
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def tell(self) -> None:
        """Say that something changed."""
        for listener in self.listeners:
            listener()

    async def settle(self) -> list[BaseException]:
        """Wait for all gestures; give the failures that a desk would journal."""
        results = await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        return [result for result in results if isinstance(result, BaseException)]
