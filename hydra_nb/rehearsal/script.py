"""One path of a rehearsal: all that it needs but its seed, and how it is run."""

import contextlib
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

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


_CHANGED = ("seen", "ledger", "memories")
"""What a path changes; nothing writes into the rest, which all paths of a script may share."""


def pack(script: Script) -> bytes:
    """Give a script as bytes, from which every path begins anew."""
    values = {each.name: getattr(script, each.name) for each in fields(script)}
    changed = {name: values.pop(name) for name in _CHANGED}
    return _dumps(_Packed(shared=values, changed=_dumps(changed)))


def unpack(packed: bytes) -> Script:
    """Give a script anew."""
    return _anew(pickle.loads(packed))  # noqa: S301  our own bytes


def run_paths(packed: bytes, seeds: Sequence[int]) -> tuple[PathOutcome, ...]:
    """Run the paths of seeds, one after another; what an executor is given."""
    outcomes = []
    with naming(seeds[0]):
        held: _Packed = pickle.loads(packed)  # noqa: S301  our own bytes
    for seed in seeds:
        with naming(seed):
            outcomes.append(run_path(_anew(held), seed=seed))
    return tuple(outcomes)


@contextlib.contextmanager
def naming(seed: int) -> Iterator[None]:
    """Run one path inside of this, by whatever runs it: `RehearsalFailed` names the seed where it cannot be run."""
    try:
        yield
    except Exception as error:
        raise RehearsalFailed(f"the path of seed {seed} could not be run: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """What all paths of a script read, once, and as bytes what each changes: that alone is read anew for each."""

    shared: dict[str, Any]
    changed: bytes


def _anew(held: _Packed) -> Script:
    return Script(**held.shared, **pickle.loads(held.changed))  # noqa: S301  our own bytes


def _dumps(value: object) -> bytes:
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


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
