"""The stages of each child order as it was worked: what lay in the market, for how long, what filled and what ended it.

A stage begins when its order, or the modify that began it, was handed to the socket; it ends with the last lot, with
the next stage, or with the order. A modify that the broker refused began nothing: the stage before it goes on. Fills
count with their latest correction, in the stage in which they were first reported.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import pandas as pd

from hydra_nb.analysis.history import History
from hydra_nb.analysis.stage_fills import told
from hydra_nb.analysis.stage_fold import FOLDED, OrderStages, StageFacts, fold_stages
from hydra_nb.domain.orders import OrderState
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.ledger import OrderRecord


def stage_rows(history: History, *, parent_id: str | None = None) -> Iterator[dict[str, Any]]:
    """Rows of ``stages``, by column, in the order in which the orders were reserved.

    Parameters
    ----------
    history
        The journal, folded until now.
    parent_id
        Only stages of this parent.
    """
    now_ns = history.reader.last_time_ns() or 0
    events = (event for _, event in history.reader.events(kinds=FOLDED, parent_id=parent_id))
    for order_ref, order in fold_stages(events).items():
        record = history.ledger.orders.get(order_ref)
        if record is not None:
            yield from _rows(order, record=record, now_ns=now_ns)


def _rows(order: OrderStages, *, record: OrderRecord, now_ns: int) -> Iterator[dict[str, Any]]:
    """One row a stage of an order."""
    open_lots = order.stages[-1].terms.child.lots if order.stages else 0
    for stage, following in zip_longest(order.stages, order.stages[1:]):
        filled = sorted((order.first[one].time_ns, order.latest[one].lots) for one in stage.families)
        fills = [(time_ns, lots) for time_ns, lots in filled if lots > 0]  # a bust filled nothing
        lots = sum(one for _, one in fills)
        ended_ns, ended_by = _end(
            order, record=record, following=following, last_ns=fills[-1][0] if 0 < open_lots <= lots else None
        )
        if fills and ended_ns is not None:
            ended_ns = max(ended_ns, fills[-1][0])  # a fill may be told after the cancel
        seen_ns = ended_ns if ended_ns is not None else now_ns if ended_by == "working" else order.heard_ns
        yield _row(stage, fills=fills, open_lots=max(0, open_lots)) | {
            "ended": ended_ns,
            "worked_s": max(0, seen_ns - stage.begun_ns) / NS_PER_S,
            "ended_by": ended_by,
        }
        open_lots -= lots


def _end(
    order: OrderStages, *, record: OrderRecord, following: StageFacts | None, last_ns: int | None
) -> tuple[int | None, str]:
    """When a stage ended, None where it works or nobody knows, and by what; `last_ns` is when its last lot filled."""
    if last_ns is not None:
        return last_ns, "filled"
    if following is not None:
        return following.begun_ns, "next_stage"
    if record.state is OrderState.FILLED:  # and a part of it was busted since
        return max(one.time_ns for one in order.first.values()), "filled"
    expired = order.cancel_asked_ns is None and (order.gone_ns is None or order.gone_ns >= record.expires_ns)
    if order.gone_ns is not None and (record.state.is_over or record.state is OrderState.CANCEL_PENDING):
        return min(order.gone_ns, record.expires_ns), "expired" if expired else "cancelled"
    if record.state.is_over:  # its expiry, by both clocks, proved it dead
        return record.expires_ns, "expired" if expired else "cancelled"
    return None, "unknown" if record.state is OrderState.UNKNOWN else "working"


def _row(stage: StageFacts, *, fills: list[tuple[int, int]], open_lots: int) -> dict[str, Any]:
    """What is known of a stage without its end."""
    child, quote = stage.terms.child, stage.terms.quote
    contract = child.contract
    begun = pd.Timestamp(stage.begun_ns, unit="ns", tz="UTC").tz_convert(contract.time_zone)
    waits_s = [(time_ns - stage.begun_ns) / NS_PER_S for time_ns, _ in fills]
    spread = None
    if quote is not None and quote.mid is not None and quote.bid is not None and quote.ask is not None:
        spread = float((quote.ask - quote.bid) / contract.tick)
    return {
        "parent_id": child.parent_id,
        "slice": child.slice,
        "stage": child.stage,
        "order_ref": child.order_ref,
        "symbol": contract.symbol,
        "local_symbol": contract.local_symbol,
        "side": child.side,
        "lots": open_lots,
        "filled_lots": sum(lots for _, lots in fills),
        "limit_price": child.limit_price,
        "begun": stage.begun_ns,
        "first_fill_s": waits_s[0] if fills else None,
        "last_fill_s": waits_s[-1] if fills else None,
        "filled_at": told((lots, wait_s) for (_, lots), wait_s in zip(fills, waits_s, strict=True)),
        "spread_ticks": spread,
        "weekday": begun.isoweekday(),
        "hour": begun.hour,
    }
