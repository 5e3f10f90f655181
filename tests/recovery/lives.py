"""One market in virtual time, and the desks that trade on it one after the other."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import hydra_nb
from hydra_nb.algos.actions import CoreAction
from hydra_nb.domain.events import ChildReserved, Event
from hydra_nb.domain.orders import Action
from hydra_nb.journal import JournalReader
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.loop import VirtualLoop, run_virtual
from hydra_nb.sim.records import Commission, Execution, OrderTerms, SimSide, TimeInForce
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore, stand_behind

T = TypeVar("T")
SEED = 7


class HidesExecutions(ScriptedExchange):
    """A gateway whose executions are cut at midnight."""

    is_past_midnight = False

    def executions(self) -> list[tuple[Execution, Commission]]:
        """Nothing of yesterday."""
        return [] if self.is_past_midnight else super().executions()


class Lives:
    """Opens desks on one market, lets them die, and keeps what the disk held at that instant."""

    def __init__(self, loop: VirtualLoop, *, folder: Path, core: WitnessCore) -> None:
        self.loop = loop
        self.core = core
        self.folder = folder
        self.journal = folder / "first.sqlite"
        self._count = 0
        stand_behind(loop, core)

    async def open(self, *, latency_s: float = 0.0005, **how: Any) -> Stack:
        """Open a desk on the journal of the life before; the first one decides how far away the gateway is."""
        attach = self.loop.attach
        self.loop.attach = lambda core, **_: attach(core, latency_s=latency_s)  # type: ignore[method-assign]
        how = {"seed": SEED, "speed": "max", "journal": self.journal, **how}
        desk = await hydra_nb.connect(**how)
        gateway = self.loop._gateway
        assert gateway is not None
        self.loop.attach = lambda *_, **__: gateway  # type: ignore[method-assign]  the same market, its clock goes on
        stack = Stack(desk=desk, core=self.core, loop=self.loop)
        stack.manager.on_step = lambda event, actions: stack.steps.append((event, actions))
        return stack

    def keep_disk(self) -> Path:
        """Copy what is durable at this instant, as a process that is killed now would leave it."""
        self._count += 1
        kept = self.folder / f"life-{self._count}.sqlite"
        with (
            closing(sqlite3.connect(f"{self.journal.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(kept)) as copy,
        ):
            source.backup(copy)
        return kept

    async def kill(self, stack: Stack, *, kept: Path | None = None) -> None:
        """Let a desk vanish without another word to the market; the next one finds the disk as it was kept."""
        kept = self.keep_disk() if kept is None else kept
        for session in self.core.sessions:
            session.closed = True
        await stack.manager.tasks.close()
        await stack.desk.close("expire")
        self.journal = kept

    def keep_at(self, stack: Stack, holds: Callable[[Event], bool]) -> list[Path]:
        """Keep the disk when an event is folded for which something holds, the first time; the event is not on it."""
        kept: list[Path] = []

        def step(event: Event, actions: tuple[CoreAction, ...]) -> None:
            stack.steps.append((event, actions))
            if not kept and holds(event):
                kept.append(self.keep_disk())

        stack.manager.on_step = step
        return kept

    def of_others(
        self,
        like: Stack,
        *,
        side: SimSide,
        lots: int,
        price: str,
        order_ref: str = "",
        client_id: int = 9,
        con_id: int | None = None,
    ) -> None:
        """Have somebody else enter an order, as in the broker's own program; by default where the desk looks first."""
        con_id = next(iter(like.desk._contracts.values())).con_id if con_id is None else con_id
        top = self.core.exchange.top(con_id)
        assert top is not None
        terms = OrderTerms(
            client_id=client_id,
            order_id=10_000 + len(self.core.frames),
            account=like.desk.account,
            con_id=con_id,
            side=side,
            lots=lots,
            limit_price=Decimal(price),
            tif=TimeInForce.DAY,
            good_till_ns=None,
            order_ref=order_ref,
        )
        now_ns = like.desk.now_ns()
        self.core.report(self.core.exchange.submit(terms, now_ns), now_ns)


def in_lives(
    story: Callable[[Lives], Awaitable[T]], *, folder: Path, exchange: Exchange | None = None, core: Any = WitnessCore
) -> T:
    """Run a story of several desks on one market."""

    async def whole(loop: VirtualLoop) -> T:
        lives = Lives(loop, folder=folder, core=core(Exchange(seed=SEED) if exchange is None else exchange))
        return await story(lives)

    return run_virtual(whole)


def order_refs(journal: Path) -> list[str]:
    """OrderRefs that were ever reserved as new, in order."""
    with JournalReader.open(journal) as reader:
        reserved = [event for _, event in reader.events(kinds=[ChildReserved])]
    return [e.child.order_ref for e in reserved if isinstance(e, ChildReserved) and e.action is Action.PLACE]
