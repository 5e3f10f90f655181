"""One path of a rehearsal: all that it needs but its seed, and how it is run."""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hydra_nb.algos.prices import MarketMemory
from hydra_nb.domain.instrument import ContractFacts
from hydra_nb.domain.market import MarketStatistics
from hydra_nb.domain.plan import ExecutionPlan
from hydra_nb.domain.units import Side
from hydra_nb.errors import RehearsalFailed
from hydra_nb.ledger import Ledger
from hydra_nb.order_manager.snapshot import SeenPrices
from hydra_nb.rehearsal.direct import DirectDesk
from hydra_nb.rehearsal.exchange_broker import LATENCY_NS
from hydra_nb.rehearsal.outcome import PathOutcome, outcome_of
from hydra_nb.rehearsal.standing import Standing
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.exchange import Exchange
from hydra_nb.sim.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A plan, the world that it is run in, and the desk as it stood; it can be pickled.

    Attributes
    ----------
    plan, world
        What is rehearsed, and where.
    limits, facts, statistics, seen
        What the gate holds orders against, and what the desk knows of its contracts.
    ledger, memories, standing
        What the desk has folded until now, what its parents remember of markets, and what its broker told.
    latency_ns
        Time that a message takes to the exchange.
    """

    plan: ExecutionPlan
    world: World
    limits: Limits
    facts: Mapping[str, ContractFacts]
    statistics: tuple[MarketStatistics, ...]
    seen: SeenPrices
    ledger: Ledger
    memories: Mapping[tuple[int, Side], MarketMemory]
    standing: Standing
    latency_ns: int = LATENCY_NS


def pack(script: Script) -> bytes:
    """Give a script as bytes, from which every path begins anew."""
    return pickle.dumps(script, protocol=pickle.HIGHEST_PROTOCOL)


def run_paths(packed: bytes, seeds: Sequence[int]) -> tuple[PathOutcome, ...]:
    """Run the paths of seeds, one after another; what an executor is given."""
    return tuple(run_anew(packed, seed=seed, run=run_path) for seed in seeds)


def run_anew(packed: bytes, *, seed: int, run: Callable[..., PathOutcome]) -> PathOutcome:
    """Run one path from bytes, by whatever runs it; `RehearsalFailed` names the seed where it cannot be run."""
    try:
        return run(pickle.loads(packed), seed=seed)  # noqa: S301  our own bytes
    except Exception as error:
        raise RehearsalFailed(f"the path of seed {seed} could not be run: {type(error).__name__}: {error}") from error


def run_path(script: Script, *, seed: int) -> PathOutcome:
    """Run one path; the script is used up.

    Parameters
    ----------
    seed
        Of the market; equal seeds give equal markets, whatever is traded in them, but for what the trades do.
    """
    desk = desk_of(script, seed=seed)
    desk.begin()
    desk.ask_margin(script.plan.parent)
    parent_id = desk.submit(script.plan, handed_ns=script.plan.previewed_ns)
    desk.finish(parent_id)
    desk.close()
    return outcome_of(desk, parent_id, seed)


def desk_of(script: Script, *, seed: int) -> DirectDesk:
    """Give the desk of a path before anything has happened on it; the script is used up."""
    desk = DirectDesk(
        Exchange(seed=seed, world=script.world),
        contract=script.plan.parent.contract,
        limits=script.limits,
        statistics=script.statistics,
        facts=script.facts,
        latency_ns=script.latency_ns,
        standing=script.standing,
        ledger=script.ledger,
        memories=script.memories,
    )
    desk.manager.snapshots.references.seen = script.seen
    return desk
