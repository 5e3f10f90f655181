"""What stands between a strategy's wake and its order, held against the client library's own ``placeOrder``."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from ib_async import IB, LimitOrder
from pytest_benchmark.fixture import BenchmarkFixture

from hydra_nb.algos.actions import Propose
from hydra_nb.broker import translate
from hydra_nb.desk.connect import connect
from hydra_nb.desk.desk import Desk
from hydra_nb.domain.events import ChildReserved, ChildSent, ParentSubmitted, Woke
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action, ChildOrder
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.order_manager import ManagerCore
from hydra_nb.order_manager.snapshot import SnapshotTaker
from hydra_nb.risk.verdict import Approved
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop

from .figures import Figure, Turns, timed, timing

GOAL = CHECKS_GOAL = 1.0
ROUNDS = 400
PARENT = "P-0001"
OTHER_CLIENT = 9
FAR_BELOW = Decimal("0.9")  # of the bid: this buy order rests and never fills


@dataclass(kw_only=True)
class Turn:
    """A core that has a parent order to run, at the moment at which its first slice is due."""

    core: ManagerCore
    snapshots: SnapshotTaker
    woke: Woke
    order_id: int


class Floor:
    """A desk and a bare ib_async connection, both at one simulated gateway in virtual time."""

    def __init__(self, loop: VirtualLoop, *, desk: Desk, plan: ExecutionPlan, bare: IB) -> None:
        self.rooms = desk._rooms
        self.plan = plan
        self.bare = bare
        self._loop = loop
        self._desk = desk
        self._contract = translate.wire_contract(plan.parent.contract)
        self._resting: LimitOrder | None = None
        self._turn: Turn | None = None
        self._next_order_id = 1_000

    @property
    def quote(self) -> Quote:
        """The quote of now, with both sides."""
        quote = self.rooms.broker.quote(self.plan.parent.contract.con_id)
        assert quote is not None
        assert quote.mid is not None
        return quote

    def prepare(self) -> None:
        """Let a second pass, in which the last order is cancelled, and make a core with a slice that is due."""
        if self._resting is not None:
            self.bare.cancelOrder(self._resting)
        self._loop.run_until_complete(asyncio.sleep(1))
        now_ns, rooms = self.rooms.clock.now_ns(), self.rooms
        core = ManagerCore(journal_id=rooms.journal.journal_id)
        for _, event in rooms.journal.events():
            core.step(event, event.time_ns)
        core.step(ParentSubmitted(time_ns=now_ns, parent_id=PARENT, plan=self.plan, quote=self.quote), now_ns)
        snapshots = SnapshotTaker(ledger=core.ledger, broker=rooms.broker, journal=rooms.journal, clock=rooms.clock)
        for statistics in self._desk._statistics.values():
            snapshots.learn(statistics)
        snapshots.references.note(self.quote)
        snapshots.margins = rooms.manager.snapshots.margins
        self._next_order_id += 1
        woke = Woke(time_ns=now_ns, parent_id=PARENT, quote=self.quote)
        self._turn = Turn(core=core, snapshots=snapshots, woke=woke, order_id=self._next_order_id)

    def _child(self, turn: Turn) -> ChildOrder:
        """Let the core decide, and make the order that it proposes."""
        parent = self.plan.parent
        (proposal, *_) = turn.core.step(turn.woke, turn.woke.time_ns)
        assert isinstance(proposal, Propose)
        return ChildOrder(
            order_ref=proposal.order_ref,
            order_id=turn.order_id,
            parent_id=proposal.parent_id,
            slice=proposal.slice,
            account=parent.account,
            contract=parent.contract,
            side=parent.side,
            lots=proposal.lots,
            limit_price=proposal.limit_price,
            expires_ns=proposal.expires_ns,
            stage=proposal.stage,
        )

    def bring_before_the_gate(self) -> Callable[[], object]:
        """Prepare an order and its snapshot; what is given makes all checks of it."""
        self.prepare()
        assert self._turn is not None
        child = self._child(self._turn)
        snapshot = self._turn.snapshots.of_child(child, parent=self.plan.parent)
        gate = self.rooms.gate
        return lambda: gate.check(child, action=Action.PLACE, snapshot=snapshot)

    def work(self) -> LimitOrder:
        """From the wake to the order for the client library: decide, snapshot, gate, reserve, translate, note."""
        assert self._turn is not None
        turn, rooms, parent = self._turn, self.rooms, self.plan.parent
        now_ns = turn.woke.time_ns
        child = self._child(turn)
        verdict = rooms.gate.check(child, action=Action.PLACE, snapshot=turn.snapshots.of_child(child, parent=parent))
        assert isinstance(verdict, Approved)
        reserved = ChildReserved(
            time_ns=now_ns,
            action=Action.PLACE,
            child=child,
            client_id=rooms.broker.client_id,
            content_hash=verdict.content_hash,
            quote=turn.woke.quote,
            predicted_slippage=None,
            predictor_version=None,
        )
        turn.core.step(reserved, now_ns)
        rooms.gate.redeem(verdict, host_ns=rooms.clock.host_ns())
        translate.wire_contract(child.contract)
        order = translate.wire_order(child)
        turn.core.step(_sent(verdict, now_ns=now_ns), now_ns)
        return order

    def place(self) -> None:
        """The same order by the client library alone, at a price where it rests until it is cancelled."""
        tick = self.plan.parent.contract.tick
        price = (self.quote.mid or tick) * FAR_BELOW // tick * tick
        self._resting = LimitOrder("BUY", 1, float(price), account=self.plan.parent.account, tif="DAY")
        self.bare.placeOrder(self._contract, self._resting)


@pytest.fixture
def floor() -> Iterator[Floor]:
    """A floor on a loop that stands still while a benchmark measures."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    bare = IB()

    async def open_desk() -> tuple[Desk, ExecutionPlan]:
        desk = await connect(seed=2, speed="max", journal=":memory:")
        plan = await desk.preview("BUY", 20, "LBR", slices=20, duration="6h")
        await bare.connectAsync(SIM_HOST, 4002, clientId=OTHER_CLIENT)
        return desk, plan.terms

    desk, plan = loop.run_until_complete(open_desk())
    try:
        yield Floor(loop, desk=desk, plan=plan, bare=bare)
    finally:
        bare.disconnect()
        loop.run_until_complete(desk.close())
        loop.run_until_complete(asyncio.sleep(1))
        asyncio.set_event_loop(None)
        loop.close()


def test_all_checks_of_an_order_cost_less_than_the_client_library_alone(
    benchmark: BenchmarkFixture, note: Callable[[Figure], None], floor: Floor
) -> None:
    """The gate's checks and its seal, on a snapshot that is there, over a bare `placeOrder`."""
    turns, verdicts = Turns(), []

    def before() -> tuple[tuple[()], dict[str, object]]:
        check = floor.bring_before_the_gate()
        timed(floor.place, turns.bare)()
        return (), {"check": check}

    def look(check: Callable[[], object]) -> None:
        with timing(turns.ours):
            verdicts.append(check())

    benchmark.pedantic(look, setup=before, rounds=ROUNDS)

    assert all(isinstance(verdict, Approved) for verdict in verdicts)
    if benchmark.enabled:
        note(turns.figure("all checks of one order over ib.placeOrder, half is the stretch", goal=CHECKS_GOAL))


def _sent(approved: Approved, *, now_ns: int) -> ChildSent:
    return ChildSent(
        time_ns=now_ns,
        order_ref=approved.child.order_ref,
        action=approved.action,
        content_hash=approved.content_hash,
    )


def test_an_order_costs_no_more_than_the_client_library(
    benchmark: BenchmarkFixture, note: Callable[[Figure], None], floor: Floor
) -> None:
    """Gate, manager core and translation of one order; the gateway acknowledges every order of the other side."""
    turns = Turns()

    def before() -> None:
        floor.prepare()
        timed(floor.place, turns.bare)()

    benchmark.pedantic(timed(floor.work, turns.ours), setup=before, rounds=ROUNDS)

    floor.prepare()
    order = floor.work()
    below_mid = float(floor.quote.mid or 0) - order.lmtPrice
    assert 0 <= below_mid < float(floor.plan.parent.contract.tick)
    assert (order.action, order.totalQuantity, order.tif) == ("BUY", 1, "GTD")
    assert all(trade.orderStatus.status == "Cancelled" for trade in floor.bare.trades())
    if benchmark.enabled:
        note(turns.figure("gate, core and translation over ib.placeOrder", goal=GOAL))
