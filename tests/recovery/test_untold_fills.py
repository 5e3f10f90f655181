"""Fills of which a status told, and whose executions were lost on the way."""

from pathlib import Path

from hydra_nb.domain.events import ExecutionReported
from hydra_nb.domain.orders import OrderState
from hydra_nb.reconcile.rounds import WATCH_S
from hydra_nb.sim.records import Executed
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, WitnessCore, steady


class LosesExecutions(WitnessCore):
    """A gateway whose news of executions is lost; questions it answers."""

    def _route_execution(self, event: Executed) -> None:
        """Say nothing."""


def test_a_late_fill_whose_execution_was_lost_is_asked_for(tmp_path: Path) -> None:
    """The order is over, so that nobody waits for it; its status tells more lots than were booked."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        execution = await stack.desk.submit(await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience"))
        await stack.until(lambda: len(stack.orders()) == 1)
        await execution.cancel()
        [dead] = stack.manager.ledger.orders.values()
        [perm_id] = dead.perm_ids
        exchange = lives.core.exchange

        lives.core.report(exchange.interventions.fill(perm_id, lots=2, now_ns=exchange._now_ns), exchange._now_ns)
        await stack.sleep(WATCH_S + 10)

        [record] = stack.manager.ledger.orders.values()
        assert dead.state is OrderState.DEAD
        assert (record.told_lots, record.booked_lots, record.late_fill) == (2, 2, True)
        assert not record.has_untold_fills
        assert sum(isinstance(event, ExecutionReported) for event, _ in stack.steps) == 1
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=steady("370.00", "372.00")), core=LosesExecutions)
