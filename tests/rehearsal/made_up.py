"""Outcomes drawn from a seed, as rehearsals are made of."""

import math
import random
from typing import Any

from hydra_nb.domain.units import Side
from hydra_nb.rehearsal.outcome import PathFill, PathOutcome, StageOutcome
from hydra_nb.rehearsal.path_frames import Rehearsed
from hydra_nb.rehearsal.rehearsal import Rehearsal

LOTS = 4
EVERY_S = 600.0
"""Four lots in as many slices, each ten minutes after the last."""


def rehearsed(**changes: Any) -> Rehearsed:
    """Buy four lots of oats."""
    told: dict[str, Any] = {
        "label": "patient",
        "side": Side.BUY,
        "lots": LOTS,
        "local_symbol": "ZOH7",
        "currency": "USD",
        "tick": 0.25,
        "tick_value_cash": 12.5,
        "duration_s": 2400.0,
        "slices": 4,
        "messages_budget": 16,
        "patience_s": 300.0,
        "predicted_ticks": 2.0,
        "model": "a market that was made up",
        "leaves_out": "Everything.",
    }
    return Rehearsed(**(told | changes))


def fill(**changes: Any) -> PathFill:
    """One lot at mid, two ticks above arrival, after a minute."""
    told: dict[str, Any] = {
        "after_s": 60.0,
        "lots": 1,
        "slice": 1,
        "stage": "mid",
        "passive": True,
        "slippage_ticks": 2.0,
    }
    return PathFill(**(told | changes))


def stage(**changes: Any) -> StageOutcome:
    """One lot at mid that did not fill."""
    told: dict[str, Any] = {
        "slice": 1,
        "stage": "mid",
        "entered_s": 0.0,
        "open_lots": 1,
        "filled_lots": 0,
        "first_fill_s": None,
    }
    return StageOutcome(**(told | changes))


def outcome(seed: int, *fills: PathFill, **changes: Any) -> PathOutcome:
    """A path that filled so; its own figures follow from that unless they are told."""
    lots = sum(one.lots for one in fills)
    ticks = sum(one.lots * one.slippage_ticks for one in fills) / lots if lots else math.nan
    told: dict[str, Any] = {
        "seed": seed,
        "status": "filled" if lots == LOTS else "partial",
        "refused_by": None,
        "filled_lots": lots,
        "shortfall_lots": LOTS - lots,
        "finished": lots == LOTS,
        "slippage_ticks": ticks,
        "slippage_cash": ticks * lots * 12.5,
        "commission": 2.5 * lots,
        "messages": 4,
        "refusals": 0,
        "passive_lots": sum(one.lots for one in fills if one.passive),
        "finished_s": max([one.after_s for one in fills], default=2400.0) if lots == LOTS else 2400.0,
        "fills": fills,
        "stages": (),
        "opportunity_ticks": 8.0,
    }
    return PathOutcome(**(told | changes))


def refused(seed: int) -> PathOutcome:
    """A path whose order the gate refused as a whole."""
    return outcome(
        seed,
        status="refused",
        refused_by="max_lots",
        messages=0,
        refusals=1,
        finished_s=0.0,
        opportunity_ticks=math.nan,
    )


def drawn(seed: int, *, chance: float = 0.9, bonus_ticks: float = 0.0) -> PathOutcome:
    """A path in the market of a seed: each lot fills with a chance, at the market's drift and a little noise."""
    dice = random.Random(f"market {seed}")  # noqa: S311
    drift = dice.gauss(0.0, 6.0)
    fills, stages = [], []
    for number in range(1, LOTS + 1):
        luck, noise, wait_s = dice.random(), dice.gauss(0.0, 1.0), dice.uniform(1.0, 299.0)
        entered_s = (number - 1) * EVERY_S
        is_filled = luck < chance
        ticks = drift * number / LOTS + noise - bonus_ticks
        if is_filled:
            fills.append(fill(after_s=entered_s + wait_s, slice=number, slippage_ticks=ticks, passive=noise < 0))
        stages.append(
            stage(
                slice=number,
                entered_s=entered_s,
                filled_lots=int(is_filled),
                first_fill_s=wait_s if is_filled else None,
            )
        )
    return outcome(seed, *fills, stages=tuple(stages), opportunity_ticks=drift)


def rehearsal(*outcomes: PathOutcome, seed: int = 7, **changes: Any) -> Rehearsal:
    """A rehearsal of these outcomes."""
    return Rehearsal(rehearsed=rehearsed(**changes), seed=seed, outcomes=outcomes)
