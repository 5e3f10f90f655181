"""One seed, lived through: the market, the lives of a desk in it, what a person does, what goes wrong, the verdict."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import hydra_nb
from hydra_nb.domain.orders import ParentStatus
from hydra_nb.errors import HydraError, InvariantBroken
from hydra_nb.risk.limits import Limits
from hydra_nb.sim.exchange import Exchange
from tests.simulation import gateway_faults, rules_audit, rules_end
from tests.simulation.checker import Checker
from tests.simulation.deeds import Deeds
from tests.simulation.facts import Life
from tests.simulation.host import Disk, close_files, crash_journal
from tests.simulation.notebook import Notebook
from tests.simulation.process import Killed, Process, WorldLoop, current_process
from tests.simulation.rivals import Rival
from tests.simulation.scenario import Scenario
from tests.simulation.truth import WitnessCore
from tests.simulation.wall_clock import WallClock

CLIENT_ID = 1
RETRY_S = 7.0
KILL_WAIT_S = 20.0
POLL_S = 5.0
MOST_LIVES = 40
LONGEST_END_S = 4 * 3600.0


class World:
    """Everything of one run.

    Parameters
    ----------
    scenario
        What the seed drew.
    loop
        Virtual time.
    folder
        Where the journal goes, if it goes to a file.
    """

    def __init__(self, scenario: Scenario, *, loop: WorldLoop, folder: Path) -> None:
        self.scenario = scenario
        self.loop = loop
        self.core = WitnessCore(Exchange(seed=scenario.market_seed), faults=gateway_faults.script(scenario))
        self.gateway = loop.stand(self.core)
        self.over = loop.create_future()
        self.checker = Checker(
            self.core.truth, exchange=self.core.exchange, clock=self._clock, on_violation=self._violated
        )
        self.happened: Counter[str] = Counter()
        self.host_faults: Counter[tuple[str, str]] = Counter()
        self.errors: Counter[str] = Counter()
        self.desk: Any = None
        self.journal = folder / "journal.sqlite" if scenario.on_disk else ":memory:"
        self.dice = random.Random(f"world {scenario.seed}")  # noqa: S311  repeatable, not secret
        self.process: Process | None = None
        self.disk: Disk | None = None
        self.notebook = Notebook(self)
        self.rival: Rival | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.away = asyncio.Event()
        self._healed = asyncio.Event()
        self.armed: int | None = None
        self.waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._reopens = True
        self.down_s = 1.0
        self.wall = WallClock(loop.elapsed)
        loop.set_exception_handler(self._unhandled)

    # The whole

    async def live(self) -> None:
        """From the opening of the first desk to the verdict."""
        story = self.loop.create_task(self._story())
        await asyncio.wait((story, self.over), return_when=asyncio.FIRST_COMPLETED)
        if story.done():
            story.result()

    async def _story(self) -> None:
        self.spawn(self._keep_alive())
        self.spawn(Deeds(self).follow())
        self.spawn(self._listen())
        await self.until(self.scenario.faulty_s)
        self._heal()
        healed_s = self.loop.time()
        await self._present()
        await self.until(healed_s + rules_end.EXPLAIN_S)
        await self._present()
        self._ask(*rules_end.EXPLAINED_RULES)
        await self.until(healed_s + rules_end.RESOLVE_S)
        self._ask(rules_end.orders_resolved)
        await self._let_end()
        await self._present()
        self._ask(*rules_end.SETTLED_RULES)
        for rule in (rules_end.frames_tell_all, rules_audit.lives_are_whole, rules_audit.frames_are_of_the_events):
            words = rule(self.desk, self.checker.facts.life)  # type: ignore[arg-type]
            if words is not None:
                self.checker.violate("22", (rule.__doc__ or "").strip(), words)
        await self._leave()

    def _heal(self) -> None:
        self.gateway.heal()
        self.loop.put_out_fuse()
        self.armed = None
        self.waiting.clear()
        if self.disk is not None:
            self.disk.heal()
        self._healed.set()

    async def _listen(self) -> None:
        """Ask now and then whether silence is noticed; twice, as a loop that was stalled hears late."""
        while True:
            await asyncio.sleep(POLL_S)
            self.checker.refresh()
            for rule in rules_end.LISTENING_RULES:
                life = self.checker.facts.life
                if life is not None and rule(self.checker.facts, life) is not None:
                    await asyncio.sleep(1)
                    self._ask(rule)

    @property
    def is_healed(self) -> bool:
        """Whether nothing goes wrong any more."""
        return self._healed.is_set()

    # Lives

    async def _keep_alive(self) -> None:
        """Open a desk, and another when it is gone."""
        for _ in range(MOST_LIVES):
            self.process = Process(self.loop, client_id=CLIENT_ID, ears=self.checker)
            self.spawn(self._open(self.process))
            self.away.clear()
            done = asyncio.ensure_future(self.away.wait())
            await asyncio.wait((done, self.process.died), return_when=asyncio.FIRST_COMPLETED)
            done.cancel()
            self.desk = None
            if not self._reopens:
                return
            # Who is away for longer than things go wrong is back when all has healed: liveness is of a desk.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.down_s):
                    await self._healed.wait()

    async def _open(self, process: Process) -> None:
        with contextlib.suppress(Killed):
            while self.desk is None:
                try:
                    desk = await process.run(self._connect())
                except (HydraError, asyncio.CancelledError, KeyboardInterrupt) as error:
                    if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                        raise  # the world ends; else the cell was interrupted, and is run again as after an error
                    self.errors[type(error).__name__] += 1
                    await asyncio.sleep(RETRY_S)
                    continue
                self.desk = desk
                await self._take_up()
                return  # where it was closed meanwhile, the next one is another program's

    async def _connect(self) -> Any:
        return await hydra_nb.connect(
            seed=self.scenario.market_seed,
            speed="max",
            journal=self.journal,
            client_id=CLIENT_ID,
            account=self.gateway.account,
            limits=Limits(**self.scenario.limits),
        )

    async def _take_up(self) -> None:
        """Resume or abandon what an earlier life left, as a person would."""
        desk = self.desk
        for parent_id in self._interrupted():
            if self.desk is not desk:
                return  # it died while the parent before was taken up; the next desk is asked anew
            goes_on = self.dice.random() < self.scenario.resumes
            await self.tell(self.desk.resume(parent_id) if goes_on else self.desk.abandon(parent_id))

    def _interrupted(self) -> list[str]:
        life = self.checker.facts.life
        parents = {} if life is None else life.ledger.parents
        return [one for one, parent in parents.items() if parent.status is ParentStatus.INTERRUPTED]

    async def opened(self, *, within_s: float) -> None:
        """Wait a while for a desk."""
        deadline_s = self.loop.time() + within_s
        while self.desk is None and self.loop.time() < deadline_s:  # noqa: ASYNC110  it may open, close, and open again
            await asyncio.sleep(1)

    async def _present(self) -> None:
        """Wait for a desk to be open."""
        await self.opened(within_s=rules_end.RESOLVE_S)
        if self.desk is None:
            self.checker.violate("L", "L. A desk opens once faults have healed.", f"errors: {dict(self.errors)}")
            await asyncio.Event().wait()  # the verdict has been spoken

    def send_rival_away(self) -> None:
        """End the second program, which the first one's end would let in."""
        if self.rival is not None:
            self.rival.process.kill()

    def manager_made(self, manager: Any, rooms: dict[str, Any]) -> Life:
        """A desk has opened its journal: its life begins for the checker."""
        life = Life.of(manager, rooms=rooms)
        if current_process() is not self.process:
            self.send_rival_away()  # the first desk is off the line just now, and the second one let in
            close_files(life.journal)
            return life
        self.disk = Disk(life.journal)
        if self.scenario.commit_s:
            self.disk.slow_down(commit_s=self.scenario.commit_s, dice=self.dice)
        self.checker.begin(life)
        return life

    def stepped(self, life: Life, event: Any, actions: Any) -> None:
        """An event was folded."""
        if life is not self.checker.facts.life:
            return
        self.checker.stepped(life, event, actions)
        if self.armed is not None and self.process is not None and getattr(event, "order_ref", None):
            self.loop.light_fuse(self.process, steps=self.armed, kill=self.crash)
            self.armed = None
        if self.waiting:
            # Who waits goes on at the very next step, while the order is what was waited for.
            states = self.checker.open_states()
            for state, turn in [one for one in self.waiting if one[0] in states]:
                self.waiting.remove((state, turn))
                turn.set_result(None)

    def crash(self) -> None:
        """Kill the process between two of its steps."""
        if self.process is not None and self.process.alive:
            self.count("process killed")
            self.bury()

    def bury(self) -> None:
        """End the process at once, and leave of its journal what the disk has."""
        process, life = self.process, self.checker.facts.life
        if process is None or not process.alive:
            return
        self.send_rival_away()
        process.kill()
        self.desk = None
        if life is not None:
            if self.disk is not None:
                self.disk.heal()
            self.checker.end()
            crash_journal(life.journal, dice=self.dice)

    # Cells of the notebook

    async def tell(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a cell of the notebook; errors that say what is wrong are what a person sees."""
        process = self.process
        if process is None or self.desk is None or not process.alive:
            work.close()
            return
        try:
            await process.run(work)
        except InvariantBroken as error:
            self.checker.violate("0", "0. Nothing unexpected is raised to a person.", repr(error))
        except HydraError as error:
            self.errors[type(error).__name__] += 1
        except (Killed, asyncio.CancelledError, KeyboardInterrupt):
            self.errors["cell ended"] += 1

    # After the healing

    async def _let_end(self) -> None:
        """Let the schedules run to their ends; what is paused or interrupted is taken up, or given up."""
        deadline_s = self.loop.time() + LONGEST_END_S
        while (life := self.checker.facts.life) is None or life.is_at_work:
            if self.loop.time() > deadline_s:
                self.checker.violate("L", "L. A TWAP ends or reports its shortfall.", "some never end")
                await asyncio.Event().wait()  # the verdict has been spoken
            if self.desk is not None:
                await self._take_up()
                for parent_id, parent in list(self.checker.facts.life.ledger.parents.items()):  # type: ignore[union-attr]
                    if parent.status is ParentStatus.PAUSED:
                        await self.tell(self.notebook.on_execution(parent_id, "resume"))
                self._ask(rules_end.parents_end, rules_end.orders_resolved)
            await asyncio.sleep(POLL_S)

    async def _leave(self) -> None:
        self._reopens = False
        if self.scenario.ends_by == "kill":
            await self.tell(self.notebook.kill("the end"))
            await asyncio.sleep(KILL_WAIT_S)
        elif self.scenario.ends_by == "close":
            await self.tell(self.desk.close())
            self.checker.end()
        left = self.core.truth.live_refs()
        if left and self.scenario.ends_by != "expire":
            self.checker.violate("L", "L. Kill reaches zero open own orders.", f"{', '.join(left)} live at the end")

    def _ask(self, *rules: rules_end.EndRule) -> None:
        self.checker.refresh()
        for rule in rules:
            life = self.checker.facts.life
            words = None if life is None else rule(self.checker.facts, life)
            if words is not None:
                sentence = (rule.__doc__ or "").split("\n")[0]
                self.checker.violate(sentence.split(".")[0], sentence, words)

    def leave(self) -> None:
        """The verdict is spoken: whatever desk is open still is left by its program, whose files are closed."""
        if self.checker.facts.life is not None:
            close_files(self.checker.facts.life.journal)

    # Small things

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something of the world itself, and hear of its failure."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_over)

    def _task_over(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self.checker.violate("0", "0. Nothing unexpected is raised to a person.", repr(task.exception()))

    async def until(self, at_s: float) -> None:
        """Wait for a time of the loop."""
        while self.loop.time() < at_s:  # noqa: ASYNC110  a timer may fire a touch early
            await asyncio.sleep(at_s - self.loop.time())

    def count(self, kind: str, *, states: frozenset[str] | None = None) -> None:
        """Note that something befell the host, while orders of ours were in these states; None for those of now."""
        self.happened[kind] += 1
        for state in self.states() if states is None else states:
            self.host_faults[kind, state] += 1

    def states(self) -> frozenset[str]:
        """States of the orders that are not over, as the ledger has them."""
        return frozenset(str(state) for state in self.checker.open_states()) or frozenset({"none"})

    def _clock(self) -> tuple[float, int, int]:
        now_ns, life = self.gateway.now_ns(), self.checker.facts.life
        return self.loop.time(), now_ns, now_ns if life is None else life.manager._clock.now_ns()

    def _violated(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _unhandled(self, _loop: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, KeyboardInterrupt):
            return  # a task that the signal met
        self.checker.violate("0", "0. Nothing is raised past a task's edge.", f"{context.get('message')}: {error!r}")
