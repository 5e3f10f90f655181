"""One plan by wire without faults and with them, path by path: what the faults cost."""

from concurrent.futures import Executor

from hydra_nb.errors import InvalidOrder
from hydra_nb.rehearsal.comparison import Comparison
from hydra_nb.rehearsal.market import Market
from hydra_nb.rehearsal.rehearse import Rehearsable, Way, must_be_market, must_be_plan, run_all, seed_of
from hydra_nb.rehearsal.running import Tell, draw_seeds
from hydra_nb.sim.faults.script import FaultScript


async def rehearse_faults(
    plan: Rehearsable,
    n: int = 1000,
    *,
    faults: FaultScript,
    market: Market | None = None,
    seed: int | None = None,
    executor: Executor | None = None,
    progress: bool | Tell = True,
) -> Comparison:
    """Rehearse a plan by wire without faults and with them, path by path from the same instant.

    Both begin with the same fresh desk, so that nothing but the faults is between them: the direct driver would take
    along what this desk holds, too.

    Parameters
    ----------
    faults
        What goes wrong on the wire; its times count from the submission.
    n, market, seed, executor, progress
        As of `rehearse`; `n` counts the paths of each.

    Returns
    -------
    Comparison
        First without faults, then with them: `compare` tells what they cost, and ``rehearsals[1].paths`` how many
        struck in each path.

    Raises
    ------
    InvalidOrder
        `faults` are none, or as for `rehearse` by wire.
    RehearsalFailed
        A path could not be run.
    """
    must_be_plan(plan, name="plan")
    if not isinstance(faults, FaultScript):
        raise InvalidOrder(f"faults={faults!r:.60} is no FaultScript of hydra_nb.sim.faults")
    must_be_market(market)
    way = Way(n=n, seed=seed, fidelity="wire", faults=faults, executor=executor, progress=progress)
    draw_seeds(way.n, seed=0)
    await plan.freshen()
    at_ns = plan.now_ns()
    staged = [plan.stage(market, at_ns=at_ns, fidelity=way.fidelity, faults=one) for one in (None, faults)]
    return Comparison(rehearsals=await run_all(staged, seed=seed_of(plan, way=way), way=way))
