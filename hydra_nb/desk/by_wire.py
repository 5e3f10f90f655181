"""A path of a rehearsal by wire: a fresh desk through ib_async and the gateway in memory, in virtual time."""

import asyncio
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hydra_nb.desk.connect import IN_MEMORY, Arguments, open_rooms
from hydra_nb.desk.endpoint import Endpoint
from hydra_nb.desk.rooms import Rooms
from hydra_nb.domain.events import Event, TaskFailed
from hydra_nb.domain.instrument import ContractFacts
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import NS_PER_S, seconds_ns
from hydra_nb.errors import RehearsalFailed
from hydra_nb.order_manager.snapshot import SeenPrices
from hydra_nb.order_manager.tasks import wait_for_all
from hydra_nb.rehearsal.outcome import Ending, PathOutcome, outcome_at
from hydra_nb.rehearsal.script import Script, naming
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.faults.script import FaultScript
from hydra_nb.sim.loop import SIM_HOST, VirtualLoop, run_virtual
from hydra_nb.sim.seeds import stream
from hydra_nb.sim.session import GatewayCore
from hydra_nb.sim.world import World
from hydra_nb.sim.world_exchange import WorldExchange

LEAD_S = 60.0
"""Market seconds before the beginning of a path in which its desk connects, about: see `_lead_ns`."""
LEAST_WAIT_S = 5.0
"""Market seconds that the first quote may take."""
GIVEN_UP_S = 3_600.0
"""Market seconds after the end of a plan at which an order that is still not over is given up."""
ACCOUNT = "SIM0000000"
"""The account of every path; the desk's own never gets into one."""
COST = 4.0
"""How much dearer a path is than one of the direct driver, about."""

_ARGUMENTS = Arguments(
    endpoint="sim",
    account=None,
    client_id=1,
    journal=IN_MEMORY,
    limits=None,
    contract_facts=None,
    seed=None,
    speed="max",
    confirm_live=None,
    alert_command=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireScript:
    """A plan, the world that it is run in, what a fresh desk is told of it, and what goes wrong; it can be pickled."""

    plan: ExecutionPlan
    world: World
    limits: Limits
    facts: Mapping[str, ContractFacts]
    statistics: tuple[MarketStatistics, ...]
    seen: SeenPrices
    faults: FaultScript | None


def pack_for_wire(script: Script, *, faults: FaultScript | None) -> bytes:
    """Give as bytes what a fresh desk can be told of a script: no ledger, no standing, and not the account."""
    parent = replace(script.plan.parent, account=ACCOUNT)
    wired = WireScript(
        plan=replace(script.plan, parent=parent),
        world=replace(script.world, account=ACCOUNT),
        limits=script.limits,
        facts=script.facts,
        statistics=script.statistics,
        seen=script.seen,
        faults=faults,
    )
    return pickle.dumps(wired, protocol=pickle.HIGHEST_PROTOCOL)


def run_wire_paths(packed: bytes, seeds: Sequence[int]) -> tuple[PathOutcome, ...]:
    """Run the paths of seeds, one after another; what an executor is given."""
    outcomes = []
    for seed in seeds:
        with naming(seed):
            outcomes.append(run_wire_path(pickle.loads(packed), seed=seed))  # noqa: S301  our own bytes
    return tuple(outcomes)


def run_wire_path(script: WireScript, *, seed: int) -> PathOutcome:
    """Run one path on a loop of its own; the script is used up.

    The desk connects before the path begins, so that its market opens, and the order is handed over, when they are by
    the direct driver, but for the way of one message.
    """
    return run_virtual(lambda loop: _path(loop, script, seed=seed))


async def _path(loop: VirtualLoop, script: WireScript, *, seed: int) -> PathOutcome:
    lead_ns = _lead_ns(script.world.start_ns)
    lead_s = lead_ns / NS_PER_S
    world = replace(script.world, start_ns=script.world.start_ns - lead_ns)
    faults = None if script.faults is None else _faults_of(script.faults, seed=seed, lead_s=lead_s)
    core = GatewayCore(WorldExchange(seed=seed, world=world), faults=faults)
    loop.attach(core)
    rooms = await open_rooms(_ARGUMENTS, endpoint=_endpoint(), limits=script.limits, facts=script.facts, make=_bare)
    try:
        events: list[Event] = []
        rooms.manager.observers.append(events.append)
        for known in script.statistics:
            rooms.manager.snapshots.learn(known)
        rooms.manager.snapshots.references.seen = script.seen
        await asyncio.sleep(lead_s - loop.time())
        parent_id = await _handed_over(rooms, script.plan)
        await _over(rooms, parent_id)
        _refuse_failures(events)
        plan = rooms.manager.ledger.parents[parent_id].plan
        ending = Ending(
            ledger=rooms.manager.ledger,
            events=events,
            exchange=core.exchange,
            quote=rooms.broker.quote(plan.parent.contract.con_id),
            now_ns=rooms.clock.now_ns(),
            faults=len(core.fault_log),
        )
        return outcome_at(ending, parent_id, seed)
    finally:
        await rooms.manager.stop()
        await rooms.broker.close()
        rooms.journal.close()


async def _handed_over(rooms: Rooms, plan: ExecutionPlan) -> str:
    """Watch the contract, ask what margin the order needs, as a preview does, and submit it; gives its parent's id."""
    manager, broker, contract = rooms.manager, rooms.broker, plan.parent.contract
    broker.watch(contract)
    told = asyncio.Event()
    silence = manager.subscribe(told.set)
    deadline_ns = rooms.clock.now_ns() + seconds_ns(LEAST_WAIT_S)
    while broker.quote(contract.con_id) is None and rooms.clock.now_ns() < deadline_ns:
        told.clear()
        await wait_for_all([_heard(told)], timeout_s=LEAST_WAIT_S)
    silence()
    await manager.snapshots.margins.refresh(contract, side=plan.parent.side, lots=plan.parent.lots)
    return await manager.submit(plan, handed_ns=plan.previewed_ns)


async def _over(rooms: Rooms, parent_id: str) -> None:
    """Wait until the order is over, or what can be waited for."""
    now_ns, plan = rooms.clock.now_ns(), rooms.manager.ledger.parents[parent_id].plan
    planned_ns = plan.begins_ns(now_ns) - now_ns + plan.duration_ns
    await wait_for_all([rooms.manager.wait(parent_id)], timeout_s=planned_ns / NS_PER_S + GIVEN_UP_S)


async def _heard(told: asyncio.Event) -> None:
    await told.wait()


def _refuse_failures(events: Sequence[Event]) -> None:
    """Raise where something in the manager failed: what a path comes to afterwards says nothing of the plan."""
    for event in events:
        if isinstance(event, TaskFailed):
            raise RehearsalFailed(f"an unexpected error in {event.where}: {event.error}")


def _lead_ns(start_ns: int) -> int:
    """How long before the beginning the market's clock starts: such that it starts at half a second.

    The gateway tells whole seconds, and a desk takes the middle of one for the instant of the answer: so its clock is
    right, instead of half a second ahead of the direct driver's.
    """
    return seconds_ns(LEAD_S) + (start_ns - NS_PER_S // 2) % NS_PER_S


def _faults_of(script: FaultScript, *, seed: int, lead_s: float) -> FaultScript:
    """The faults of one path: at times that count from its beginning, by dice of its own."""
    return replace(
        script,
        faults=tuple(replace(one, at_s=one.at_s + lead_s) for one in script.faults),
        seed=stream(script.seed, "faults of a path", seed).getrandbits(62),
        heal_s=None if script.heal_s is None else script.heal_s + lead_s,
        from_s=script.from_s + lead_s,
    )


def _endpoint() -> Endpoint:
    return Endpoint(host=SIM_HOST, port=0, embedded=True, speed=1.0, is_virtual=True, stop=_nothing)


def _nothing() -> None:
    """The gateway ends with its loop."""


def _bare(rooms: Rooms) -> Rooms:
    """No desk stands in them: nobody looks on."""
    return rooms
