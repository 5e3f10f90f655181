"""What became of a cycle's basket: its status, and a sentence that names each row that a person should look at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hydra_nb.domain.events import CycleStatus
from hydra_nb.domain.orders import ParentStatus

_SHOWN = 5
"""How many rows a sentence names; all are in the frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a cycle ended, and why in words."""

    status: CycleStatus
    message: str


def verdict_of(basket: Any) -> Result:
    """What a dry run tells: whether the gate would let each order of a `BasketPlan` pass now."""
    refused = basket.rows[basket.rows["passes"].eq(False).fillna(value=False)]
    words = f"previewed {_orders(len(basket.plans))}, nothing was sent"
    if refused.empty:
        return Result(status=CycleStatus.DRY_RUN, message=words)
    told = _listed(f"{row['local_symbol']}: {row['message']}" for row in refused.to_dict("records"))
    return Result(status=CycleStatus.REFUSED, message=f"{words}; the gate would refuse {len(refused)}: {told}")


def result_of(execution: Any) -> Result:
    """How a `BasketExecution` ended that was waited for."""
    rows = execution.frame.to_dict("records")
    wanted = [row for row in rows if _lots(row["lots"])]
    odd = [row for row in wanted if row["status"] != ParentStatus.FILLED]
    filled, lots = (sum(_lots(row[name]) for row in wanted) for name in ("filled_lots", "lots"))
    words = f"{len(wanted) - len(odd)} of {_orders(len(wanted))} filled, {filled} of {lots} lots"
    if not odd:
        return Result(status=CycleStatus.DONE, message=words)
    told = _listed(f"{row['local_symbol']} {row['status']}: {row['reason']}" for row in odd)
    return Result(
        status=_status_of([str(row["status"]) for row in odd], filled_lots=filled), message=f"{words}; {told}"
    )


def _status_of(statuses: Sequence[str], *, filled_lots: int) -> CycleStatus:
    if ParentStatus.INTERRUPTED in statuses:
        return CycleStatus.INTERRUPTED
    if filled_lots == 0 and ParentStatus.REFUSED in statuses:
        return CycleStatus.REFUSED
    return CycleStatus.SHORT


def _lots(value: Any) -> int:
    return 0 if pd.isna(value) else int(value)


def _orders(count: int) -> str:
    return f"{count} order" if count == 1 else f"{count} orders"


def _listed(sentences: Iterable[str]) -> str:
    told = list(sentences)
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return "; ".join(told[:_SHOWN]) + more
