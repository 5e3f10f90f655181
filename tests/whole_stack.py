"""A desk, and everything under it down to the simulated exchange, in virtual time; with the exchange's own truth."""

import dataclasses
import datetime as dt
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import hydra_nb
from hydra_nb.algos.actions import CoreAction
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import Event
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.order_manager import OrderManager
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.book import Book, Entry, Owner
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.flow import Flow, FlowParameters
from hydra_nb.sim.framing import decode
from hydra_nb.sim.instruments import Month
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from hydra_nb.sim.market import Market
from hydra_nb.sim.messages import parse
from hydra_nb.sim.records import DailyBar, ExchangeEvent, Execution, OrderView, SimSide
from hydra_nb.sim.requests import PlaceOrder
from hydra_nb.sim.session import GatewayCore, Session

SEED = 7
OWN = "hy:"
SERVER_VERSION = 178

T = TypeVar("T")
Kind = TypeVar("Kind", bound=Event)
Side = tuple[str, int] | None
"""A touch: price in the quoted unit and lots; None where the side is empty."""
Script = Callable[[float], tuple[Side, Side]]
"""Seconds of market time since the start to the bid and the ask that are to stand."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Bytes that reached the gateway: when, on which connection, what."""

    time_ns: int
    session: int
    data: bytes

    @property
    def message_id(self) -> int | None:
        """Number of the message; None for the greeting. In memory every frame comes in one piece."""
        head = self.data[4:].split(b"\0")[0]
        return int(head) if head.isdigit() else None


class WitnessCore(GatewayCore):
    """The simulated gateway, which takes down what it is sent."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.frames: list[Frame] = []
        self._numbers: dict[int, int] = {}

    def receive(self, session: Session, data: bytes, now_ns: int) -> None:
        """Take the bytes down and act on them."""
        number = self._numbers.setdefault(id(session), len(self._numbers) + 1)
        self.frames.append(Frame(time_ns=now_ns, session=number, data=data))
        super().receive(session, data, now_ns)

    def heard(self, message_id: int) -> list[Frame]:
        """Frames of one kind; of kind 3 those that place or modify, not those that only ask for margin."""
        return [frame for frame in self.frames if frame.message_id == message_id and not _only_asks(frame)]

    def placed(self) -> list[PlaceOrder]:
        """Every place and modify that came in, in order."""
        return [_read(frame) for frame in self.heard(3)]


def _read(frame: Frame) -> PlaceOrder:
    request = parse(decode(frame.data[4:]), server_version=SERVER_VERSION)
    assert isinstance(request, PlaceOrder)
    return request


def _only_asks(frame: Frame) -> bool:
    return frame.message_id == 3 and _read(frame).what_if


class ScriptedFlow(Flow):
    """Shows the touch that a script says, anew every second unless it is quiet, and takes nothing."""

    def __init__(
        self, parameters: FlowParameters, *, script: Script, tick: Decimal, start_ns: int, is_quiet: bool = False
    ) -> None:
        super().__init__(parameters, dice=random.Random(0), fair_ticks=0)  # noqa: S311  never drawn from
        self._script = script
        self._tick = tick
        self._start_ns = start_ns
        self._is_quiet = is_quiet
        self._shown: list[int] = []
        self._beat = 0

    def open(self, book: Book, *, now_ns: int) -> None:
        """Show the first quotes."""
        self._show(book, now_ns)

    def close(self, book: Book) -> None:
        """Take the quotes away."""
        for key in self._shown:
            book.cancel(key)
        self._shown = []

    def wait_ns(self, *, busy: bool) -> int:  # noqa: ARG002  at all hours alike
        """One second."""
        return NS_PER_S

    def act(self, book: Book, *, now_ns: int, busy: bool) -> list[Entry]:  # noqa: ARG002  at all hours alike
        """Show the quotes again, with a lot more or less, so that the feed never falls silent; or leave them be."""
        return [] if self._is_quiet else self._show(book, now_ns)

    def note_trade(self, side: SimSide, *, lots: int) -> None:
        """A script does not follow trades."""

    def _show(self, book: Book, now_ns: int) -> list[Entry]:
        self.close(book)
        self._beat ^= 1
        entries = []
        touches = self._script((now_ns - self._start_ns) / NS_PER_S)
        for side, touch in zip((SimSide.BUY, SimSide.SELL), touches, strict=True):
            if touch is not None:
                price, lots = touch
                key = self._next_key()
                ticks = int(Decimal(price) / self._tick)
                entries.append(book.enter(key, owner=Owner.FLOW, side=side, price_ticks=ticks, lots=lots + self._beat))
                self._shown.append(key)
        return entries


class ScriptedExchange(Exchange):
    """A market whose touch, volume and opening hours a test decides; everything else is as ever.

    Parameters
    ----------
    script
        What stands in the book, for every contract.
    volume
        Lots of each daily bar; None leaves the simulated ones, a negative number gives no bars at all.
    start
        Chicago time of day at which the market clock starts; None is 09:00, when all is open.
    is_quiet
        Whether the touch of the script's beginning stands for ever, and nothing happens but by our orders.
    """

    def __init__(
        self,
        *,
        seed: int = SEED,
        script: Script | None = None,
        volume: int | None = None,
        start: dt.time | None = None,
        is_quiet: bool = False,
    ) -> None:
        super().__init__(seed=seed)
        self._script = script
        self._volume = volume
        self._is_quiet = is_quiet
        if start is not None:
            self.start_ns += ((start.hour - 9) * 3600 + start.minute * 60) * NS_PER_S
            self._now_ns = self.start_ns

    def _activate(self, con_id: int, events: list[ExchangeEvent]) -> Market:
        known = con_id in self._markets
        if not known and self._script is not None:
            month = self._settle_near_the_script(con_id)
            market = self._markets[con_id] = Market(month, seed=self.seed)
            tick = month.listing.min_tick
            market._flow = ScriptedFlow(
                market._flow.parameters,
                script=self._script,
                tick=tick,
                start_ns=self.start_ns,
                is_quiet=self._is_quiet,
            )
            self._await_session(con_id, self._now_ns, events)
        return super()._activate(con_id, events)

    def _settle_near_the_script(self, con_id: int) -> Month:
        """The last settlement is the script's first mid, where it has one, so that the price is one story."""
        month = self._months[con_id]
        bid, ask = self._script(0.0) if self._script is not None else (None, None)
        if bid is not None and ask is not None:
            ticks = int((Decimal(bid[0]) + Decimal(ask[0])) / 2 / month.listing.min_tick)
            month = self._months[con_id] = dataclasses.replace(month, settlement_ticks=ticks)
        return month

    def daily_bars(self, con_id: int, days: int, now_ns: int) -> list[DailyBar]:
        """Give the bars, with the volume of this test."""
        bars = super().daily_bars(con_id, days, now_ns)
        if self._volume is None:
            return bars
        return [] if self._volume < 0 else [dataclasses.replace(bar, volume=self._volume) for bar in bars]


@dataclass(kw_only=True)
class Stack:
    """A desk and what a test may look at: the wire, the exchange, the core's steps."""

    desk: Desk
    core: WitnessCore
    loop: VirtualLoop
    steps: list[tuple[Event, tuple[CoreAction, ...]]] = field(default_factory=list)

    @property
    def exchange(self) -> Exchange:
        """The market itself."""
        return self.core.exchange

    @property
    def manager(self) -> OrderManager:
        """The desk's manager."""
        return self.desk._rooms.manager

    def orders(self) -> list[OrderView]:
        """All orders of ours that the exchange ever accepted, in the order of their ids."""
        known = [*self.exchange.open_orders(), *self.exchange.completed_orders()]
        return sorted((o for o in known if o.terms.order_ref.startswith(OWN)), key=lambda o: o.terms.order_id)

    def executions(self) -> list[Execution]:
        """All fills of ours that the exchange made."""
        return [fill for fill, _ in self.exchange.executions() if fill.order_ref.startswith(OWN)]

    def lots_filled(self) -> int:
        """Lots of ours that the exchange traded."""
        return sum(fill.lots for fill in self.executions())

    def journalled(self, kind: type[Kind]) -> list[Kind]:
        """Events of one kind, in order."""
        return [event for _, event in self.desk._rooms.journal.events(kinds=[kind]) if isinstance(event, kind)]

    def prices(self) -> list[str]:
        """Limit prices of the place and modify frames, in the order in which they came in."""
        return [str(Decimal(request.limit_price).normalize()) for request in self.core.placed()]

    async def sleep(self, seconds: float) -> None:
        """Let market time pass."""
        await self.desk._rooms.clock.sleep(seconds)

    async def until(self, holds: Callable[[], bool], *, within_s: float = 3600) -> None:
        """Let market time pass until something is true."""
        for _ in range(int(within_s * 2)):
            if holds():
                return
            await self.sleep(0.5)
        raise AssertionError(f"not so within {within_s} s of market time")


def stand_behind(loop: VirtualLoop, core: GatewayCore) -> None:
    """Have the next desk of this loop meet `core` instead of a gateway of its own."""
    attach = loop.attach

    def attach_this(_fresh: GatewayCore, **how: Any) -> Any:
        return attach(core, **how)

    loop.attach = attach_this  # type: ignore[method-assign]


def on_a_desk(
    scenario: Callable[[Stack], Awaitable[T]],
    *,
    seed: int = SEED,
    exchange: Exchange | None = None,
    limits: Limits | None = None,
    journal: str | Path = ":memory:",
    **how: Any,
) -> T:
    """Run a scenario on a desk in virtual time, from connecting to closing."""

    async def whole(loop: VirtualLoop) -> T:
        core = WitnessCore(Exchange(seed=seed) if exchange is None else exchange)
        stand_behind(loop, core)
        async with hydra_nb.connect(seed=seed, speed="max", journal=journal, limits=limits, **how) as desk:
            stack = Stack(desk=desk, core=core, loop=loop)
            stack.manager.on_step = lambda event, actions: stack.steps.append((event, actions))
            return await scenario(stack)

    return run_virtual(whole)


def steady(bid: str | None, ask: str | None, *, lots: int = 5) -> Script:
    """A book that never changes."""
    touches = (None if bid is None else (bid, lots)), (None if ask is None else (ask, lots))
    return lambda _seconds: touches
