"""Fills of a stage, as the column ``filled_at`` of ``desk.stages()`` tells them."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from hydra_nb.errors import InvalidFrame


def told(fills: Iterable[tuple[int, float]]) -> str:
    """Lots and seconds of fills as one text, such as ``2@13.400000 1@60.000000``."""
    return " ".join(f"{lots}@{time_s:.6f}" for lots, time_s in fills)


def fills_of_stage(row: Mapping[Any, Any]) -> list[tuple[int, float]]:
    """Lots and seconds, from its begin, of each fill of a stage.

    Parameters
    ----------
    row
        A row of ``desk.stages()``. Without ``filled_at``, as in frames from elsewhere, its first and last fill must be
        one.

    Raises
    ------
    InvalidFrame
        The row contradicts itself, or does not tell when its lots filled.
    """
    filled = int(row["filled_lots"])
    if not pd.isna(row.get("filled_at")):
        pairs = [one.split("@") for one in str(row["filled_at"]).split()]
        fills = [(int(lots), float(time_s)) for lots, time_s in pairs]
        if sum(lots for lots, _ in fills) != filled:
            raise InvalidFrame(f"{row['order_ref']}, {row['stage']}: filled_at does not tell the {filled} filled lots")
        return fills
    if filled == 0:
        return []
    first_s, last_s = row.get("first_fill_s"), row.get("last_fill_s")
    if first_s is None or last_s is None or not first_s == last_s:
        raise InvalidFrame(
            f"{row['order_ref']}, {row['stage']}: filled_at is missing, and its lots filled at more times"
        )
    return [(filled, float(first_s))]
