"""Taking up a journal where its last process left it."""

from collections.abc import Callable

from hydra_nb.domain.events import ConnectionChanged, Event
from hydra_nb.domain.market import ConnectionState
from hydra_nb.journal import Journal
from hydra_nb.journal.collector import without_collector
from hydra_nb.order_manager import ManagerCore, OrderManager


def replay(journal: Journal, *, hear: Callable[[Event], None]) -> ManagerCore:
    """Fold a journal into a core of its own; what the core asked for then was done then, and is not done again.

    Parameters
    ----------
    hear
        Told every event as well, so that the journal is read once.
    """
    over, events = journal.events_to_recover()
    core = ManagerCore(journal_id=journal.journal_id, over=over)
    with without_collector():
        for event in events:
            core.step(event, event.time_ns)
            hear(event)
    core.forget_timers()
    return core


def begin_again(manager: OrderManager, *, journal: Journal, now_ns: int) -> None:
    """Journal that a process ended: its connection is gone, and its parents rest until a person decides.

    Those whose start is still to come wait on for it.

    To be called before anything of the broker is heard, so that no report finds a strategy that believes to be running.
    """
    last_ns = journal.last_time_ns()
    if last_ns is not None:
        # First of all, as any other event would find that the time of what was at work has passed.
        manager.interrupt_all(
            since_ns=last_ns, reason="the process that worked it ended: resume it, or abandon it, with the desk"
        )
    manager.set_timers()
    if manager.ledger.connection is not ConnectionState.DOWN:
        message = "the process that held it ended"
        manager.ingest(ConnectionChanged(time_ns=now_ns, state=ConnectionState.DOWN, message=message))
