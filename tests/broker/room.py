"""A broker gateway with the real gate and journal, in front of the simulated gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from hydra_nb.broker.gateway import BrokerGateway
from hydra_nb.desk.clocks import LoopClock
from hydra_nb.domain.breakers import Conduct
from hydra_nb.domain.events import ChildReserved, Event
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.market import Quote
from hydra_nb.domain.orders import Action, ChildOrder, Stage
from hydra_nb.domain.units import NS_PER_S, Side
from hydra_nb.journal import Journal, Receipt
from hydra_nb.risk.gate import RiskGate
from hydra_nb.risk.limits import Limits
from hydra_nb.risk.snapshot import RiskSnapshot
from hydra_nb.risk.verdict import Approved
from hydra_nb.sim import replies
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.loop import SIM_HOST, VirtualGateway, VirtualLoop, run_virtual
from hydra_nb.sim.session import GatewayCore, Session

SEED = 7
_Kind = TypeVar("_Kind", bound=Event)


class RecordingCore(GatewayCore):
    """The simulated gateway, with a list of the bytes that came in.

    Mute, it reads and says nothing; and it `forgets` requests of the message ids given there.
    """

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.received: list[bytes] = []
        self.is_mute = False
        self.forgets: frozenset[bytes] = frozenset()

    def receive(self, session: Session, data: bytes, now_ns: int) -> None:
        """Take bytes down, and act on them."""
        self.received.append(data)
        if self.is_mute or data[4:].split(b"\0")[0] in self.forgets:
            return
        super().receive(session, data, now_ns)

    def frames(self, message_id: int) -> list[bytes]:
        """Frames of a kind, where each came in one piece, as they do in memory."""
        return [data[4:] for data in self.received if data[4:].split(b"\0")[0] == str(message_id).encode()]


@dataclass(kw_only=True)
class Room:
    """Everything that a test of the broker needs."""

    broker: BrokerGateway
    gate: RiskGate
    clock: LoopClock
    journal: Journal
    events: list[Event] = field(default_factory=list)
    quotes: list[tuple[Quote, FutureContract]] = field(default_factory=list)
    core: RecordingCore
    gateway: VirtualGateway | None = None

    def heard(self, kind: type[_Kind]) -> list[_Kind]:
        """Events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def hear(self, event: Event) -> None:
        """Journal an event and keep it."""
        self.journal.append(event)
        self.events.append(event)

    async def say(self, frames: bytes) -> None:
        """Have the gateway send frames of its own accord, and wait until they were heard."""
        self.core.sessions[0].send(frames)
        await self.broker.server_time_ns()

    async def error(self, req_id: int, code: int, message: str = "as scripted") -> None:
        """Have the gateway send an error message."""
        await self.say(replies.error(req_id, code=code, message=message, server_version=178))

    async def quoted(self, local_symbol: str = "ZOH7") -> FutureContract:
        """A contract with both sides of its quote showing."""
        contract = await self.broker.contract(local_symbol)
        self.broker.watch(contract)
        for _ in range(10_000):
            quote = self.broker.quote(contract.con_id)
            if quote is not None and quote.mid is not None:
                return contract
            await asyncio.sleep(0.05)
        raise AssertionError("no two-sided quote appeared")

    def child(self, contract: FutureContract, *, price: Decimal, lots: int = 1, **other: object) -> ChildOrder:
        """A buying child order with an order id of its own."""
        number = self.broker.reserve_order_id()
        fields: dict[str, object] = {
            "order_ref": f"hy:{self.journal.journal_id}:P-0001:1:{number}",
            "order_id": number,
            "parent_id": "P-0001",
            "slice": 1,
            "account": self.broker.account,
            "contract": contract,
            "side": Side.BUY,
            "lots": lots,
            "limit_price": price,
            "expires_ns": (self.clock.now_ns() // NS_PER_S + 3_600) * NS_PER_S,
            "stage": Stage.MID,
        }
        return ChildOrder(**{**fields, **other})  # type: ignore[arg-type]

    def approve(self, child: ChildOrder, *, action: Action = Action.PLACE) -> Approved:
        """The gate's approval, from a snapshot that no check minds."""
        verdict = self.gate.check(child, action=action, snapshot=self.snapshot(child))
        assert isinstance(verdict, Approved), [d.message for d in verdict.decisions if not d.allowed]
        return verdict

    async def receipt(self, approved: Approved) -> Receipt:
        """The journal's receipt of an approved child."""
        reserved = ChildReserved(
            time_ns=self.clock.now_ns(),
            action=approved.action,
            child=approved.child,
            client_id=self.broker.client_id,
            content_hash=approved.content_hash,
            quote=None,
            predicted_slippage=None,
            predictor_version=None,
        )
        return await self.journal.seal(self.journal.append(reserved), approved.content_hash)

    async def send(self, child: ChildOrder, *, action: Action = Action.PLACE) -> None:
        """Approve, record and place, then wait until the exchange has answered."""
        approved = self.approve(child, action=action)
        self.broker.place(approved, await self.receipt(approved))
        await asyncio.sleep(0.2)

    def snapshot(self, child: ChildOrder) -> RiskSnapshot:
        """The market as it is, and a desk with nothing at work."""
        quote = self.broker.quote(child.contract.con_id)
        state = self.broker.account_state()
        return RiskSnapshot(
            now_ns=self.clock.now_ns(),
            host_ns=self.clock.host_ns(),
            account=child.account,
            currency=state.currency,
            quote=quote,
            reference_mid=None if quote is None else quote.mid,
            reference_age_s=0.0,
            position_lots=self.broker.position(child.contract.con_id),
            working_buy_lots=0,
            working_sell_lots=0,
            parent_open_lots=child.lots,
            order_booked_lots=0,
            caller_limit=None,
            equity=state.equity,
            peak_equity=state.equity,
            day_start_equity=state.equity,
            last_parent_pnl=None,
            adv_lots=10_000.0,
            adv_source="test",
            caller_adv_lots=None,
            lots_today=0,
            connection=self.broker.state,
            reconciled=True,
            locked=None,
            killed=None,
            journal_healthy=True,
            clock_skew_s=self.broker.clock_skew_s(),
            messages_last_second=self.broker.messages_last_second(),
            equal_parent=None,
            conduct=Conduct(),
            breakers={},
        )


async def start_room(room: Room, *, next_order_id: int = 1) -> Room:
    """Let events flow."""
    await room.broker.start(
        journal=room.journal,
        sink=room.hear,
        quote_sink=lambda quote, contract: room.quotes.append((quote, contract)),
        next_order_id=next_order_id,
    )
    return room


def gateway_and_clock(*, client_id: int = 1, speed: float = 1.0) -> tuple[BrokerGateway, LoopClock, RiskGate]:
    """A broker gateway that is not connected."""
    clock = LoopClock(asyncio.get_running_loop(), speed=speed)
    gate = RiskGate(Limits(max_quote_age_s=3_600, max_reference_age_s=3_600, collar_ticks=1_000, collar_percent=10))
    return BrokerGateway(clock=clock, client_id=client_id, gate=gate), clock, gate


async def virtual_room(
    loop: VirtualLoop, *, seed: int, earlier: tuple[Event, ...], exchange: Exchange | None = None
) -> Room:
    """A started room in virtual time, whose journal knows earlier events."""
    core = RecordingCore(Exchange(seed=seed) if exchange is None else exchange)
    gateway = loop.attach(core)
    broker, clock, gate = gateway_and_clock()
    account = await broker.open(SIM_HOST, 4002)
    clock.anchor(await broker.server_time_ns())
    journal = Journal.open(":memory:", account=account, now_ns=clock.now_ns(), journal_id="test", inline=True)
    for event in earlier:
        journal.append(event)
    room = Room(broker=broker, gate=gate, clock=clock, journal=journal, core=core, gateway=gateway)
    return await start_room(room)


def in_virtual_time(
    scenario: Callable[[Room], Awaitable[None]],
    *,
    seed: int = SEED,
    earlier: tuple[Event, ...] = (),
    exchange: Exchange | None = None,
) -> Room:
    """Run a scenario in a virtual room from start to close."""

    async def whole(loop: VirtualLoop) -> Room:
        room = await virtual_room(loop, seed=seed, earlier=earlier, exchange=exchange)
        try:
            await scenario(room)
        finally:
            await room.broker.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return room

    return run_virtual(whole)


def bid_and_ask(room: Room, contract: FutureContract) -> tuple[Decimal, Decimal, int]:
    """Bid, ask and ask size now."""
    quote = room.broker.quote(contract.con_id)
    assert quote is not None
    assert quote.bid is not None
    assert quote.ask is not None
    return quote.bid, quote.ask, quote.ask_size
