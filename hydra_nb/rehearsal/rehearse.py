"""Rehearse before you trade: a plan through the manager that will trade it, over many markets like the one shown."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from hydra_nb.errors import InvalidOrder
from hydra_nb.rehearsal.comparison import Comparison
from hydra_nb.rehearsal.path_frames import Rehearsed
from hydra_nb.rehearsal.progress import shown
from hydra_nb.rehearsal.rehearsal import Rehearsal
from hydra_nb.rehearsal.running import Tell, draw_seeds, run_scripts
from hydra_nb.rehearsal.worlds import ThinMarket


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A plan ready to be rehearsed: what every path begins with, as bytes of one instant, and what is said of it."""

    packed: bytes
    rehearsed: Rehearsed


class Rehearsable(Protocol):
    """What can be rehearsed: a previewed plan."""

    @property
    def plan_id(self) -> str:
        """Hash of the plan's content."""
        ...

    def stage(self, market: ThinMarket | None) -> Staged:
        """Take the desk as it stands now, and the market, or one that is assumed."""
        ...


async def rehearse(
    plans: Sequence[Any],
    n: int = 1000,
    *,
    seed: int | None = None,
    market: ThinMarket | None = None,
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
        What the markets are drawn from; None takes it from the first plan, so that it gives the same answer each time.
    market
        The market to trade in; None makes it of what the desk knows, see `hydra_nb.rehearsal.worlds.assumed_market`.
    executor
        Where the paths run, any `concurrent.futures.Executor`; None takes all processors of this machine.
    progress
        Whether a bar is shown; or what is called with the paths done and all there are.

    Raises
    ------
    InvalidOrder
        There is no plan, or `n` is no number of paths.
    RehearsalFailed
        A path could not be run.
    """
    if not plans:
        raise InvalidOrder("there is no plan to rehearse; give at least one")
    first: Rehearsable = plans[0]
    drawn_from = int(first.plan_id, 16) if seed is None else seed
    seeds = draw_seeds(n, seed=drawn_from)
    staged = [one.stage(market) for one in plans]
    longest_s = max(one.rehearsed.duration_s for one in staged)
    with shown(progress) as tell:
        outcomes = await run_scripts(
            [one.packed for one in staged], seeds=seeds, duration_s=longest_s, executor=executor, tell=tell
        )
    return Comparison(
        rehearsals=tuple(
            Rehearsal(rehearsed=one.rehearsed, seed=drawn_from, outcomes=paths)
            for one, paths in zip(staged, outcomes, strict=True)
        )
    )
