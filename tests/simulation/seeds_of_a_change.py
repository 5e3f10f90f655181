"""Which seeds of the simulation every change must hold: five hundred sessions, some of them of later scenarios."""

import os

from tests.simulation.scenario import LATER_FROM_SEED, OVERLAP_FROM_SEED

COUNT = int(os.environ.get("HYDRA_NB_SEEDS", "420"))
FIRST = int(os.environ.get("HYDRA_NB_FIRST_SEED", "1"))
SEEDS = (
    *range(FIRST, FIRST + COUNT),
    *range(LATER_FROM_SEED, LATER_FROM_SEED + 40),
    *range(OVERLAP_FROM_SEED, OVERLAP_FROM_SEED + 40),
)
