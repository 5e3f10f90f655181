"""What must hold after every life, whatever befell it: against the exchange's truth, the wire and the disk."""

from collections import Counter
from collections.abc import Iterator

from hydra_nb.domain.events import ChildReserved, ChildSent, TaskFailed
from hydra_nb.domain.orders import Action, ParentStatus
from hydra_nb.journal import JournalReader
from hydra_nb.ledger import Ledger
from hydra_nb.sim.records import Execution
from tests.crash_points.life import LOTS, SLICES, Run, Told

OWN = "hy:"
ENDS = (ParentStatus.FILLED, ParentStatus.PARTIAL, ParentStatus.CANCELLED)


def judge(run: Run) -> list[str]:
    """Everything that is wrong with a run, in words; nothing where all is well."""
    if run.told is None:
        return [*run.raised, "the notebook told nothing"]
    wrong = [*run.raised]
    wrong += [f"{ref} came to the gateway before its intent was on the disk" for ref in run.undurable]
    with JournalReader.open(run.journal) as reader:
        reader.verify()
        events = [event for _, event in reader.events()]
    ledger = Ledger()
    for event in events:
        ledger.apply(event)
    reserved = [event for event in events if isinstance(event, ChildReserved)]
    sent = [event for event in events if isinstance(event, ChildSent)]
    wrong += [f"{event.where}: {event.error}" for event in events if isinstance(event, TaskFailed)]
    wrong += _of_lots(run, run.told)
    wrong += _of_fills(run, run.told)
    wrong += _of_names(run, reserved=reserved, sent=sent)
    record = ledger.parents.get(run.told.parent_id)
    if record is None or (record.status, record.filled_lots) != (run.told.status, run.told.filled_lots):
        wrong.append(f"the disk holds another end than the desk told: {record and record.status}")
    return wrong


def _of_lots(run: Run, told: Told) -> Iterator[str]:
    true_lots = sum(fill.lots for fill in own_fills(run))
    if true_lots > LOTS:
        yield f"overfilled: {true_lots} of {LOTS}"
    if told.filled_lots != true_lots:
        yield f"{told.filled_lots} lots booked, {true_lots} filled"
    if told.filled_lots + told.shortfall_lots != LOTS:
        yield f"{told.filled_lots} filled and {told.shortfall_lots} short are not {LOTS}"
    if told.status not in ENDS:
        yield f"ended as {told.status}"
    if (told.status is ParentStatus.FILLED) != (true_lots == LOTS):
        yield f"{told.status} with {true_lots} of {LOTS} lots"
    if told.breaks:
        yield f"{told.breaks} breaks at the end"
    if told.locked:
        yield f"locked at the end: {told.locked}"
    if told.working_lots:
        yield "orders are not over at the end"
    resting = [order for order in run.core.exchange.open_orders() if order.terms.order_ref.startswith(OWN)]
    if resting:
        yield f"{len(resting)} orders rest in the market at the end"
    burst = max((int(float(request.quantity)) for request in run.core.placed()), default=0)
    if burst > 2 * LOTS // SLICES:
        yield f"an order of {burst} lots, where a slice has {LOTS // SLICES}"


def _of_fills(run: Run, told: Told) -> Iterator[str]:
    true = sorted(
        (one.exec_id.rpartition(".")[0], int(one.order_ref.split(":")[3]), one.lots, float(one.price))
        for one in own_fills(run)
    )
    if sorted(told.fills) != true:
        yield f"fills told {told.fills}, made {true}"


def _of_names(run: Run, *, reserved: list[ChildReserved], sent: list[ChildSent]) -> Iterator[str]:
    """Every order on the wire is one of the journal, under one name and one number, and new once."""
    on_wire = Counter(
        (one.order_ref, one.order_id, int(float(one.quantity)), float(one.limit_price)) for one in run.core.placed()
    )
    intended = Counter(
        (one.child.order_ref, one.child.order_id, one.child.lots, float(one.child.limit_price)) for one in reserved
    )
    for one, times in (on_wire - intended).items():
        yield f"{one} came to the gateway {times} times more than intended"
    yield from _not_once("reserved as new", (e.child.order_ref for e in reserved if e.action is Action.PLACE))
    yield from _not_once("sent as new", (e.order_ref for e in sent if e.action is Action.PLACE))
    pairs = {(request.order_ref, request.order_id) for request in run.core.placed()}
    yield from _not_once("given several numbers", (ref for ref, _ in pairs))
    yield from _not_once("given to several orders", (f"order id {number}" for _, number in pairs))


def _not_once(what: str, names: Iterator[str]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{name} {what}, {times} times"


def own_fills(run: Run) -> list[Execution]:
    """Fills of ours that the exchange made."""
    return [fill for fill, _ in run.core.exchange.executions() if fill.order_ref.startswith(OWN)]
