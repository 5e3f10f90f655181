"""What one path of a rehearsal came to: small values that travel from the processes in which paths are run.

Nothing here knows a frame: a process that runs paths loads neither pandas nor numpy.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hydra_nb.analysis.stage_fold import OrderStages, fold_stages
from hydra_nb.domain import events as ev
from hydra_nb.domain.market import Quote
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvariantBroken, invariant
from hydra_nb.ledger import Ledger
from hydra_nb.ledger.records import ParentRecord
from hydra_nb.rehearsal.direct import DirectDesk
from hydra_nb.sim.exchange import Exchange

_OF_STAGES = (
    ev.ChildReserved,
    ev.ChildSent,
    ev.SendFailed,
    ev.OrderStatusReported,
    ev.OpenOrderReported,
    ev.BrokerErrorReported,
    ev.ExecutionReported,
)
_REFUSALS = (ev.ChildRefused, ev.ParentRefused)
Refusal = ev.ChildRefused | ev.ParentRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFill:
    """One fill of a path.

    `after_s` counts from the beginning of the order, as all times of an outcome do: from its submission, or from its
    start where it begins later. `slippage_ticks` is against the mid at that moment, a lot; positive is a cost, NaN
    where that mid was not known. `passive` tells that the exchange had it resting when it filled.
    """

    after_s: float
    lots: int
    slice: int
    stage: str
    passive: bool
    slippage_ticks: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutcome:
    """One stage that an order of a slice entered; `first_fill_s` counts from there, None where nothing filled in it."""

    slice: int
    stage: str
    entered_s: float
    open_lots: int
    filled_lots: int
    first_fill_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathOutcome:
    """What one path came to.

    Attributes
    ----------
    seed
        Of its market.
    status
        The parent's, in the end.
    refused_by
        The check that ended it, or let it send nothing; None where none did.
    filled_lots, shortfall_lots
        Lots booked, and those that were not filled.
    finished
        Whether every lot was filled.
    slippage_ticks, slippage_cash
        Of the filled lots against the arrival mid, a lot and in all; positive is a cost, NaN where nothing was filled
        or that mid was not known.
    commission
        Commission and fees of its fills.
    messages, refusals
        Order messages sent, and what the gate refused.
    passive_lots
        Filled lots that had rested.
    finished_s
        When it was over; 0 where that was before its beginning, as of an order that is refused before its start.
    fills, stages
        In order.
    opportunity_ticks
        What a lot without a fill missed: the mid when the order was over against the arrival mid; positive is a cost.
        NaN where either is not known, or where the order was refused as a whole, which never began.
    overfilled_lots
        Lots filled beyond the order, which only a fault does.
    faults
        How many faults struck.
    """

    seed: int
    status: str
    refused_by: str | None
    filled_lots: int
    shortfall_lots: int
    finished: bool
    slippage_ticks: float
    slippage_cash: float
    commission: float
    messages: int
    refusals: int
    passive_lots: int
    finished_s: float
    fills: tuple[PathFill, ...]
    stages: tuple[StageOutcome, ...]
    opportunity_ticks: float = math.nan
    overfilled_lots: int = 0
    faults: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Where a path stands when its order is over, or was given up, whoever drove it.

    `events` are those of the path in order, `quote` is the one of the contract now, `now_ns` market time.
    """

    ledger: Ledger
    events: Sequence[ev.Event]
    exchange: Exchange
    quote: Quote | None
    now_ns: int
    faults: int = 0


def outcome_of(desk: DirectDesk, parent_id: str, seed: int) -> PathOutcome:
    """What an order came to, of which the desk has just run the last step.

    Parameters
    ----------
    desk
        Nothing has happened on it since the order was over.
    parent_id
        The order.
    seed
        Of the market that it ran in.

    Raises
    ------
    InvariantBroken
        The order is not over, or fills of the record are not those of the ledger.
    """
    parent = desk.manager.ledger.parents[parent_id]
    if parent.finished_ns is None:
        raise InvariantBroken(f"{parent_id} is {parent.status}, not over")
    ending = Ending(
        ledger=desk.manager.ledger,
        events=desk.record.events,
        exchange=desk.broker.exchange,
        quote=desk.broker.quote(parent.plan.parent.contract.con_id),
        now_ns=parent.finished_ns,
    )
    return outcome_at(ending, parent_id, seed)


def outcome_at(ending: Ending, parent_id: str, seed: int) -> PathOutcome:
    """What an order came to by the end of its path; where it was given up, by then.

    Lots, messages and fees are the ledger's, stages and refusals are read from the events. Whether a fill was passive
    the exchange tells, which knows what rested; a quote of ours would have to guess it.
    """
    parent = ending.ledger.parents[parent_id]
    finished_ns = ending.now_ns if parent.finished_ns is None else parent.finished_ns
    orders = _orders(ending.events, parent)
    passive = {fill.exec_id: fill.maker for fill, _ in ending.exchange.executions()}
    fills = tuple(_fills(orders, parent=parent, passive=passive))
    refusals = [event for event in ending.events if isinstance(event, _REFUSALS) and event.parent_id == parent_id]
    return PathOutcome(
        seed=seed,
        status=parent.status.value,
        refused_by=_refused_by(parent, refusals),
        filled_lots=parent.filled_lots,
        shortfall_lots=max(0, parent.plan.parent.lots - parent.filled_lots),
        finished=parent.filled_lots >= parent.plan.parent.lots,
        **_cost(orders, parent=parent),
        commission=_commission(ending.ledger, orders),
        messages=parent.messages,
        refusals=len(refusals),
        passive_lots=sum(fill.lots for fill in fills if fill.passive),
        finished_s=max(0.0, _after_s(finished_ns, parent)),
        fills=fills,
        stages=tuple(_stages(orders, parent=parent)),
        opportunity_ticks=_opportunity(ending.quote, parent, refusals),
        overfilled_lots=max(0, parent.filled_lots - parent.plan.parent.lots),
        faults=ending.faults,
    )


def _orders(events: Sequence[ev.Event], parent: ParentRecord) -> list[OrderStages]:
    """The orders of a parent, in the order in which they were reserved."""
    mine = frozenset(parent.order_refs)
    folded = fold_stages(event for event in events if isinstance(event, _OF_STAGES))
    return [order for ref, order in folded.items() if ref in mine]


def _after_s(time_ns: int, parent: ParentRecord) -> float:
    return (time_ns - parent.begins_ns) / NS_PER_S


def _ticks(difference: Decimal, *, parent: ParentRecord) -> float:
    """A price less the arrival mid as a cost in ticks."""
    order = parent.plan.parent
    return float(order.side.sign * difference / order.contract.tick)


def _fills(orders: Sequence[OrderStages], *, parent: ParentRecord, passive: Mapping[str, bool]) -> Iterator[PathFill]:
    """Fills in order of their time; what was busted is none."""
    told = sorted(
        (
            (order.first[family].time_ns, stage.terms.child.slice, stage.terms.child.stage.value, order.latest[family])
            for order in orders
            for stage in order.stages
            for family in stage.families
        ),
        key=lambda fill: fill[0],
    )
    arrival = parent.arrival_mid
    for time_ns, number, stage, execution in told:
        if execution.lots:
            yield PathFill(
                after_s=_after_s(time_ns, parent),
                lots=execution.lots,
                slice=number,
                stage=stage,
                passive=passive[execution.exec_id],
                slippage_ticks=math.nan if arrival is None else _ticks(execution.price - arrival, parent=parent),
            )


def _stages(orders: Sequence[OrderStages], *, parent: ParentRecord) -> Iterator[StageOutcome]:
    for order in orders:
        open_lots = order.stages[-1].terms.child.lots if order.stages else 0
        for stage in order.stages:
            filled = order.lots(stage)
            times_ns = [order.first[family].time_ns for family in stage.families if order.latest[family].lots]
            yield StageOutcome(
                slice=stage.terms.child.slice,
                stage=stage.terms.child.stage.value,
                entered_s=_after_s(stage.begun_ns, parent),
                open_lots=max(0, open_lots),
                filled_lots=filled,
                first_fill_s=(min(times_ns) - stage.begun_ns) / NS_PER_S if times_ns else None,
            )
            open_lots -= filled


def _cost(orders: Sequence[OrderStages], *, parent: ParentRecord) -> dict[str, float]:
    """Slippage of all fills, in exact decimals up to the last division."""
    contract, arrival = parent.plan.parent.contract, parent.arrival_mid
    executions = [execution for order in orders for execution in order.latest.values()]
    lots = sum(execution.lots for execution in executions)
    invariant(lots == parent.filled_lots, f"the record tells {lots} filled lots, the ledger {parent.filled_lots}")
    if arrival is None or not lots:
        return {"slippage_ticks": math.nan, "slippage_cash": math.nan}
    paid = sum((execution.price * execution.lots for execution in executions), start=Decimal(0)) - arrival * lots
    return {
        "slippage_ticks": _ticks(paid / lots, parent=parent),
        "slippage_cash": float(contract.cash(parent.plan.parent.side.sign * paid, lots=1)),
    }


def _commission(ledger: Ledger, orders: Sequence[OrderStages]) -> float:
    """Fees of all fills; NaN where the broker did not tell those of one."""
    ids = [execution.exec_id for order in orders for execution in order.latest.values() if execution.lots]
    if any(exec_id not in ledger.commissions for exec_id in ids):
        return math.nan
    return float(sum((ledger.commissions[exec_id].commission for exec_id in ids), start=Decimal(0)))


def _refused_by(parent: ParentRecord, refusals: Sequence[Refusal]) -> str | None:
    """The check whose words stand in the reason of the end; the ledger keeps the words alone."""
    return next((one.check for one in reversed(refusals) if one.message and one.message in parent.reason), None)


def _opportunity(quote: Quote | None, parent: ParentRecord, refusals: Sequence[Refusal]) -> float:
    has_begun = not any(isinstance(one, ev.ParentRefused) for one in refusals)
    if quote is None or quote.mid is None or parent.arrival_mid is None or not has_begun:
        return math.nan
    return _ticks(quote.mid - parent.arrival_mid, parent=parent)
