"""Messages that could not be read: whatever they told is asked for again, and not without end."""

from pathlib import Path

from hydra_nb.domain.events import ExecutionReported, Reconciled
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.reconcile.reconciler import LOOKS
from hydra_nb.reconcile.rounds import WATCH_S
from hydra_nb.sim.framing import encode
from hydra_nb.sim.records import Executed
from tests.recovery.lives import Lives, in_lives
from tests.whole_stack import ScriptedExchange, Stack, WitnessCore, steady

POSITIONS, EXECUTIONS, UNREADABLE = 61, 7, encode([11, -1, 5])


class CutsRevisions(WitnessCore):
    """A gateway whose news of corrections and busts ends early, and which tells no fees of them."""

    def _route_execution(self, event: Executed) -> None:
        if event.execution.exec_id.endswith(".01"):
            super()._route_execution(event)
        else:
            self.sessions[0].send(UNREADABLE)


class CutsReplies(WitnessCore):
    """A gateway one line of whose executions can never be read."""

    is_cutting = False

    def receive(self, session: object, data: bytes, now_ns: int) -> None:
        """Before each reply, a line of nothing."""
        if self.is_cutting and data[4:].split(b"\0")[0] == str(EXECUTIONS).encode():
            session.send(UNREADABLE)  # type: ignore[attr-defined]
        super().receive(session, data, now_ns)  # type: ignore[arg-type]


async def _filled(lives: Lives) -> Stack:
    stack = await lives.open()
    preview = await stack.desk.preview("BUY", 2, "ZO", strategy="limit_patience")
    await stack.desk.submit(preview)
    await stack.until(lambda: stack.lots_filled() == 2)
    await stack.until(lambda: all(one.status.is_over for one in stack.manager.ledger.parents.values()))
    return stack


def test_a_bust_that_could_not_be_read_is_asked_for(tmp_path: Path) -> None:
    """Its order is over and no status speaks of it; that the position differs may be the work of others."""

    async def story(lives: Lives) -> None:
        stack = await _filled(lives)
        exchange = lives.core.exchange
        [fill, *_] = stack.executions()

        busted = exchange.interventions.revise(fill.exec_id, lots=0, price=fill.price, now_ns=exchange._now_ns)
        lives.core.report(busted, exchange._now_ns)
        await stack.sleep(WATCH_S + 10)

        [record] = stack.manager.ledger.orders.values()
        [parent] = stack.manager.ledger.parents.values()
        assert record.booked_lots == 2 - fill.lots
        assert parent.status is ParentStatus.FILLED
        assert [event.lots for event, _ in stack.steps if isinstance(event, ExecutionReported)][-1] == 0
        assert not stack.manager.ledger.locked
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=steady("370.00", "372.00")), core=CutsRevisions)


def test_what_was_missed_is_asked_for_once(tmp_path: Path) -> None:
    """The positions too, which come unasked; when all was told again nothing is asked any more."""

    async def story(lives: Lives) -> None:
        stack = await lives.open()
        asked = len(lives.core.heard(POSITIONS)), len(lives.core.heard(EXECUTIONS))
        await stack.sleep(2 * WATCH_S)
        assert (len(lives.core.heard(POSITIONS)), len(lives.core.heard(EXECUTIONS))) == asked

        lives.core.sessions[0].send(UNREADABLE)
        await stack.sleep(5 * WATCH_S)

        assert (len(lives.core.heard(POSITIONS)), len(lives.core.heard(EXECUTIONS))) == (asked[0] + 1, asked[1] + 1)
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=steady("370.00", "372.00")))


def test_a_line_that_can_never_be_read_is_not_asked_for_without_end(tmp_path: Path) -> None:
    """A newer gateway may tell in every reply what this version of the client cannot read."""

    async def story(lives: Lives) -> None:
        assert isinstance(lives.core, CutsReplies)
        lives.core.is_cutting = True
        stack = await lives.open()
        assert len(lives.core.heard(EXECUTIONS)) == LOOKS
        assert stack.manager.ledger.reconciled

        await stack.sleep(5 * WATCH_S)

        assert len(lives.core.heard(EXECUTIONS)) == LOOKS
        assert len(stack.journalled(Reconciled)) == 1
        await stack.desk.close()

    in_lives(story, folder=tmp_path, exchange=ScriptedExchange(script=steady("370.00", "372.00")), core=CutsReplies)
