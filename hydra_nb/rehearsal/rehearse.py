"""Rehearse before you trade: a plan through the manager that will trade it, over many markets like the one shown."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal, Protocol, get_args, runtime_checkable

from hydra_nb.domain.orders import ParentOrder
from hydra_nb.errors import InvalidOrder, must_be_one_of
from hydra_nb.rehearsal.comparison import Comparison
from hydra_nb.rehearsal.market import Market, is_market
from hydra_nb.rehearsal.path_frames import Rehearsed
from hydra_nb.rehearsal.progress import shown
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.rehearsal.running import RunPaths, Tell, draw_seeds, run_scripts
from hydra_nb.rehearsal.script import run_paths
from hydra_nb.sim.faults.script import FaultScript

Fidelity = Literal["direct", "wire"]
"""What runs the paths: the direct driver, or a desk over ib_async and the gateway in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A plan ready to be rehearsed: what every path begins with, as bytes of one instant, and what is said of it.

    `run` is what runs its paths, `cost` how dear one is, where 1 is that of the direct driver.
    """

    packed: bytes
    rehearsed: Rehearsed
    run: RunPaths = run_paths
    cost: float = 1.0


@runtime_checkable
class Rehearsable(Protocol):
    """What can be rehearsed: a previewed plan."""

    @property
    def plan_id(self) -> str:
        """Hash of the plan's content."""
        ...

    @property
    def parent(self) -> ParentOrder:
        """What would be done."""
        ...

    @property
    def duration_s(self) -> float:
        """Market seconds from its beginning to the end of its last slice."""
        ...

    async def freshen(self) -> None:
        """Ask the broker what margin the order needs, where its last answer is old; nothing is placed."""
        ...

    def now_ns(self) -> int:
        """Market time on its desk."""
        ...

    def stage(
        self,
        market: Market | None,
        *,
        at_ns: int | None = None,
        longest_s: float | None = None,
        fidelity: Fidelity = "direct",
        faults: FaultScript | None = None,
    ) -> Staged:
        """Take the desk as it stands, and the market, or one that is assumed.

        Paths begin at `at_ns`, market time, or now, and last for `longest_s` market seconds, or as long as the plan.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How paths are to be run: so many, from a seed, by a driver, with faults, on an executor."""

    n: int
    seed: int | None = None
    fidelity: Fidelity = "direct"
    faults: FaultScript | None = None
    executor: Executor | None = None
    progress: bool | Tell = True

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        must_be_one_of(self.fidelity, get_args(Fidelity), name="fidelity")
        if not (self.seed is None or type(self.seed) is int):
            raise InvalidOrder(f"seed={self.seed!r:.60}; give a whole number, or None")
        if not isinstance(self.faults, FaultScript | None):
            raise InvalidOrder(f"faults={self.faults!r:.60} is no FaultScript of hydra_nb.sim.faults")
        if not isinstance(self.executor, Executor | None):
            raise InvalidOrder(f"executor={self.executor!r:.60} is no concurrent.futures.Executor; give one, or None")
        if self.faults is not None and self.fidelity != "wire":
            raise InvalidOrder("faults are those of a wire, and the direct driver has none: say fidelity='wire'")


async def rehearse(
    plans: Sequence[Rehearsable],
    n: int = 1000,
    *,
    seed: int | None = None,
    market: Market | None = None,
    fidelity: Fidelity = "direct",
    faults: FaultScript | None = None,
    executor: Executor | None = None,
    progress: bool | Tell = True,
) -> Comparison:
    """Rehearse several plans in the same markets, path by path.

    Parameters
    ----------
    plans
        Previewed plans of one contract and side, at least one; the others are compared with the first.
    n
        Markets.
    seed
        What the markets are drawn from; None takes it from the first plan, so that it gives the same answer from the
        same screen at the same instant.
    market
        The market to trade in: a `ThinMarket`, `SantaFeMarket`, `QueueReactiveMarket`, `TapeMarket`, `ImpactedMarket`,
        or any other `hydra_nb.rehearsal.market.Market`. None makes a `ThinMarket` of what the desk knows.
    fidelity
        ``"direct"`` runs manager, gate and ledger on the exchange core itself; ``"wire"`` a fresh desk through ib_async
        and the gateway in memory, which takes about four times as long, see ``docs/rehearsal.md``.
    faults
        What goes wrong on the wire; its times count from the submission.
    executor
        Where the paths run, any `concurrent.futures.Executor`; None takes all processors of this machine.
    progress
        Whether a bar is shown; or what is called with the paths done and all there are.

    Raises
    ------
    InvalidOrder
        There is no plan, they are not of one contract, side, start and volume, `n` is no number of paths, or the market
        is none of this contract, or not for so long; or the gate refuses a plan now that is to go by wire.
    RehearsalFailed
        A path could not be run.
    """
    way = Way(n=n, seed=seed, fidelity=fidelity, faults=faults, executor=executor, progress=progress)
    _check(plans, market)
    staged = await stage_all([(one, market) for one in plans], way=way)
    if len({one.rehearsed.world for one in staged}) > 1:
        raise InvalidOrder(
            "these plans would begin in different markets: give them the same start=, and the same adv= or a market="
        )
    return Comparison(rehearsals=await run_all(staged, seed=seed_of(plans[0], way=way), way=way))


async def stage_all(plans: Sequence[tuple[Rehearsable, Market | None]], *, way: Way) -> list[Staged]:
    """Take desk and market for each plan at one instant; `InvalidOrder` where one cannot be rehearsed."""
    draw_seeds(way.n, seed=0)
    for one, _ in plans:
        await one.freshen()
    at_ns = plans[0][0].now_ns()
    longest_s = max(one.duration_s for one, _ in plans)
    return [
        one.stage(market, at_ns=at_ns, longest_s=longest_s, fidelity=way.fidelity, faults=way.faults)
        for one, market in plans
    ]


async def run_all(staged: Sequence[Staged], *, seed: int, way: Way) -> tuple[Rehearsal, ...]:
    """Run all of them on the same seeds."""
    first = staged[0]
    with shown(way.progress) as tell:
        outcomes = await run_scripts(
            [one.packed for one in staged],
            seeds=draw_seeds(way.n, seed=seed),
            duration_s=max(one.rehearsed.duration_s for one in staged),
            executor=way.executor,
            tell=tell,
            run=first.run,
            cost=first.cost,
        )
    return tuple(
        Rehearsal(rehearsed=one.rehearsed, seed=seed, outcomes=paths)
        for one, paths in zip(staged, outcomes, strict=True)
    )


def seed_of(plan: Rehearsable, *, way: Way) -> int:
    """The seed that was given, or that of the plan."""
    return int(plan.plan_id, 16) if way.seed is None else way.seed


def must_be_plan(value: object, *, name: str) -> None:
    """Refuse what is no previewed plan."""
    if isinstance(value, type) or not isinstance(value, Rehearsable):
        raise InvalidOrder(f"{name}={value!r:.60} is no plan; give what `await desk.preview(...)` gave")


def must_be_market(value: object) -> None:
    """Refuse what is neither a market nor None."""
    if value is not None and not is_market(value):
        raise InvalidOrder(
            f"market={value!r:.60} is no ThinMarket, SantaFeMarket, QueueReactiveMarket, TapeMarket or "
            "ImpactedMarket; of a calibration it is ThinMarket.of(frame), of recorded quotes "
            "TapeMarket.of(frame, contract)"
        )


def _check(plans: Sequence[Rehearsable], market: object) -> None:
    """Refuse what cannot be rehearsed together, before anything is run."""
    if not isinstance(plans, Sequence) or not plans:
        raise InvalidOrder("give a list of at least one plan; of a single one, `await plan.rehearse()`")
    for place, one in enumerate(plans):
        must_be_plan(one, name=f"plans[{place}]")
    must_be_market(market)
    first = plans[0]
    for one in plans[1:]:
        if (one.parent.contract.con_id, one.parent.side) != (first.parent.contract.con_id, first.parent.side):
            raise InvalidOrder(
                f"{one.parent.side} {one.parent.contract.local_symbol} and {first.parent.side} "
                f"{first.parent.contract.local_symbol} share no markets; rehearse plans of one contract and side"
            )
