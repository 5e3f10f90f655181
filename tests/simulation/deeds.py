"""What a person does, and what befalls the host, deed by deed."""

import asyncio
from dataclasses import replace
from typing import Any

from hydra_nb.sim.faults import Fault
from tests.simulation.rivals import Rival
from tests.simulation.scenario import Deed, ParentDraw
from tests.simulation.wall_clock import ZONES

SUBMIT_PATIENCE_S = 200.0
LAST_WORDS_S = 60.0
"""Virtual seconds that a program which was interrupted has for its ``finally`` blocks, before it is killed."""
LATE = 1_000
"""Number of the first parent that the scenario does not have."""
LOST_IN_SLEEP = 3
"""Of so many sleeps of the machine one costs the connection."""


class Deeds:
    """The deeds of a scenario, done at their times.

    Parameters
    ----------
    world
        In which they are done.
    """

    def __init__(self, world: Any) -> None:
        self._world = world

    async def follow(self) -> None:
        """Do all of them, each in a task of its own."""
        world, scenario = self._world, self._world.scenario
        submits = [
            Deed(at_s=parent.at_s, kind="submit", number=number) for number, parent in enumerate(scenario.parents)
        ]
        for deed in sorted([*submits, *scenario.deeds], key=lambda deed: deed.at_s):
            await world.until(deed.at_s)
            if world.loop.time() >= scenario.faulty_s + 1:
                return
            world.spawn(self._do_when(deed))

    async def _do_when(self, deed: Deed) -> None:
        world = self._world
        if deed.state is not None and deed.state not in world.checker.open_states():
            turn: asyncio.Future[None] = world.loop.create_future()
            world.waiting.append((deed.state, turn))
            await turn
        if world.is_healed:
            return
        if not await self._befalls(deed):
            await self._is_done(deed)

    # What befalls the host

    async def _befalls(self, deed: Deed) -> bool:
        """Do a deed of the host; tells whether it is one."""
        world = self._world
        match deed.kind:
            case "stall":
                world.count("loop stalled")
                world.loop.call_soon(self._stall, deed.amount)
            case "crash" if world.scenario.on_disk:
                world.down_s = deed.amount
                world.crash()
            case "crash_soon":
                world.down_s, world.armed = deed.amount, deed.number
            case "disk_full" | "disk_error" | "disk_busy":
                await self._disk_fails(deed)
            case "wall_clock":
                world.count("wall clock set")
                self._set_clock(lambda: world.wall.set_by(deed.amount))
            case "zone":
                world.count("zone changed")
                self._set_clock(lambda: world.wall.move_to(ZONES[deed.number % len(ZONES)]))
            case "sleep":
                world.count("machine asleep")
                self._sleep(deed)
            case "signal" if world.process is not None and world.process.alive:
                world.loop.interrupt(world.process, steps=deed.number % 20, then=lambda: self._signalled(deed))
            case "second_id":
                await self._second("second desk with the client id", client_id=world.process.client_id)
            case "second_journal" if world.scenario.on_disk:
                await self._second("second desk on the journal", journal=world.journal)
            case "wrong_account" if world.core._faults is not None:
                self._list_another(deed)
            case _:
                return False
        return True

    def _stall(self, seconds: float) -> None:
        if self._world.is_healed:
            return
        self._world.loop.jump(seconds)
        self._world.checker.stalled(seconds)

    def _set_clock(self, move: Any) -> None:
        """Set the clock on the wall, which must not be the clock of anybody who trades."""
        desk = self._world.desk
        before_ns = None if desk is None else desk.now_ns()
        move()
        if desk is not None and desk.now_ns() != before_ns:
            self._world.checker.violate(
                "0", "0. The desk keeps its time when the host's clock is set.", repr(before_ns)
            )

    def _sleep(self, deed: Deed) -> None:
        """Let the machine sleep: on one kind of host the loop's timers stand meanwhile, on the other they are due."""
        world = self._world
        if deed.number % LOST_IN_SLEEP == 0:
            for session in world.core.sessions:
                session.closed = session.was_reset = True
        if deed.number % 2:
            world.loop.call_soon(self._stall, deed.amount)
            return
        world.loop.suspend(deed.amount)
        # The rules count a feed's age in seconds of the loop, which has none of these.
        for feed in world.checker.facts.feeds._by_contract.values():
            feed.changed_s -= deed.amount
            feed.ticked_s = None if feed.ticked_s is None else feed.ticked_s - deed.amount

    def _signalled(self, deed: Deed) -> None:
        """A signal has come in running code: either the loop goes on, or the program ends in good order."""
        world = self._world
        world.count("interrupted in running code")
        if world.scenario.on_disk and deed.number % 2:
            world.spawn(self._end_program(deed))

    async def _end_program(self, deed: Deed) -> None:
        """End as ``asyncio.run`` does after a signal: all tasks are cancelled, and waited for."""
        world = self._world
        process, world.desk, world.down_s = world.process, None, deed.amount
        left = process.end_tasks()
        if left:
            await asyncio.wait(left, timeout=LAST_WORDS_S)
        if process is world.process:
            world.bury()

    async def _second(self, kind: str, **how: Any) -> None:
        """Start a second program while the desk is open."""
        world = self._world
        if world.desk is None or world.rival is not None:
            return
        states = world.states()
        settings = {"journal": ":memory:", "client_id": 2, "seed": world.scenario.market_seed, **how}
        world.rival = Rival(world)
        if await world.rival.connect(kind, **settings):
            world.count(kind, states=states)
        world.rival = None

    def _list_another(self, deed: Deed) -> None:
        """Restart the gateway with another account."""
        world = self._world
        listed = "another" if deed.number % 3 else "one more"
        parameters = {"duration_s": 2 * deed.amount, "listed": listed}
        injector, driver = world.core._faults, world.gateway._driver
        world.count("another account listed")
        driver.core.advance(driver.clock.now_ns())
        injector._arm(Fault(kind="wrong_account", parameters=parameters))
        driver._flush()
        driver._arm()

    async def _disk_fails(self, deed: Deed) -> None:
        world = self._world
        disk = world.disk
        if disk is None or world.checker.facts.life is None:
            return
        world.count(deed.kind)
        if deed.kind == "disk_busy" and disk.is_file:
            disk.occupy()
        elif deed.kind == "disk_error" and disk.is_file:
            disk.break_down()
        else:
            disk.fill_up()
        await asyncio.sleep(deed.amount)
        disk.heal()

    # What a person does

    async def _is_done(self, deed: Deed) -> None:
        world = self._world
        notebook = world.notebook
        parent_id = notebook.parents.get(deed.number)
        match deed.kind:
            case "submit":
                await world.opened(within_s=SUBMIT_PATIENCE_S)
                await world.tell(notebook.submit(world.scenario.parents[deed.number], deed.number))
            case "equal" if deed.number in notebook.plans:
                await world.tell(notebook.submit_again(deed.number))
            case "kill" if world.desk is not None:
                world.count("killed by a person")
                await world.tell(notebook.kill("enough"))
            case "kill_rearming" if world.desk is not None:
                await self._kill_rearming(deed)
            case "submit_closing" if world.desk is not None and world.scenario.on_disk:
                await self._submit_closing(deed)
            case "rearm" if world.desk is not None:
                await world.tell(notebook.rearm("again"))
            case "reconcile" if world.desk is not None:
                await world.tell(world.desk.reconcile())
            case "close" if world.desk is not None and world.scenario.on_disk:
                await self._close(working="expire" if deed.number % 2 else "cancel", down_s=deed.amount)
            case "interrupt" if world.process is not None:
                self._interrupt()
            case "pause" | "resume" | "cancel" if parent_id is not None and world.desk is not None:
                await world.tell(notebook.on_execution(parent_id, deed.kind))

    async def _kill_rearming(self, deed: Deed) -> None:
        """Kill, re-arm, and kill again before that has ended; then send an order, and re-arm for good."""
        world, notebook = self._world, self._world.notebook
        world.count("killed by a person")
        await world.tell(notebook.kill("enough"))
        world.spawn(world.tell(notebook.rearm("all is well")))
        await self._a_moment(deed)
        await world.tell(notebook.kill("it is not"))
        await world.tell(notebook.submit(self._late(deed), LATE + deed.number))
        await asyncio.sleep(deed.amount)
        await world.tell(notebook.rearm("now it is"))

    async def _submit_closing(self, deed: Deed) -> None:
        """Preview an order, close the desk, and send the order before that has ended."""
        world, desk, plans = self._world, self._world.desk, []

        async def preview() -> None:
            plans.append(await world.notebook.preview(self._late(deed)))

        await world.tell(preview())
        if not plans or world.desk is not desk:
            return
        world.spawn(self._close(working="cancel", down_s=deed.amount))
        await self._a_moment(deed)
        await world.tell(world.notebook.submit_closing(desk, plans[0]))

    async def _a_moment(self, deed: Deed) -> None:
        """Let some steps of the loop pass, and every other time a part of a second."""
        if deed.number % 2:
            await asyncio.sleep(deed.number % 7 / 10)
        for _ in range(5 + deed.number % 20):
            await asyncio.sleep(0)

    def _late(self, deed: Deed) -> ParentDraw:
        """One of the scenario's orders, as another one that begins at once."""
        drawn = self._world.scenario.parents[deed.number % len(self._world.scenario.parents)]
        return replace(drawn, how={**drawn.how, "tag": f"late {deed.number}"}, later_s=None)

    def _interrupt(self) -> None:
        """Somebody presses the stop button: the cell that waits gets a CancelledError, and nothing else does."""
        world = self._world
        world.count("cell interrupted")
        cells = world.process.cells if world.process is not None else []
        if cells:
            world.dice.choice(cells).cancel()

    async def _close(self, *, working: str, down_s: float) -> None:
        world = self._world
        if world.desk is None:
            return
        world.down_s = down_s
        world.count("desk closed")
        world.send_rival_away()
        await world.tell(world.desk.close(working=working))
        if world.desk is not None and not world.desk.is_open:
            world.checker.end()
            world.away.set()
