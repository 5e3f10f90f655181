"""Rehearse before you trade: a plan through the manager that will trade it, over many markets like the one shown."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

from hydra_nb.domain.orders import ParentOrder
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

    @property
    def parent(self) -> ParentOrder:
        """What would be done."""
        ...

    async def freshen(self) -> None:
        """Ask the broker what margin the order needs, where its last answer is old; nothing is placed."""
        ...

    def now_ns(self) -> int:
        """Market time on its desk."""
        ...

    def stage(self, market: ThinMarket | None, *, at_ns: int | None = None) -> Staged:
        """Take the desk as it stands, and the market, or one that is assumed, beginning at a market time, or now."""
        ...


async def rehearse(
    plans: Sequence[Rehearsable],
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
        There is no plan, they are not of one contract, side, start and volume, or `n` is no number of paths.
    RehearsalFailed
        A path could not be run.
    """
    first = _checked(plans, market)
    drawn_from = int(first.plan_id, 16) if seed is None else seed
    seeds = draw_seeds(n, seed=drawn_from)
    for one in plans:
        await one.freshen()
    at_ns = first.now_ns()
    staged = [one.stage(market, at_ns=at_ns) for one in plans]
    if len({one.rehearsed.world for one in staged}) > 1:
        raise InvalidOrder(
            "these plans would begin in different markets: give them the same start=, and the same adv= or a market="
        )
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


def _checked(plans: Sequence[Rehearsable], market: object) -> Rehearsable:
    """Refuse what cannot be rehearsed together, before anything is run; gives the first."""
    if not isinstance(plans, Sequence) or not plans:
        raise InvalidOrder("give a list of at least one plan; of a single one, `await plan.rehearse()`")
    if not isinstance(market, ThinMarket | None):
        raise InvalidOrder(f"market={market!r:.60} is no ThinMarket; of a calibration it is ThinMarket.of(frame)")
    first = plans[0]
    for one in plans[1:]:
        if (one.parent.contract.con_id, one.parent.side) != (first.parent.contract.con_id, first.parent.side):
            raise InvalidOrder(
                f"{one.parent.side} {one.parent.contract.local_symbol} and {first.parent.side} "
                f"{first.parent.contract.local_symbol} share no markets; rehearse plans of one contract and side"
            )
    return first
