"""``hydra-nb run``: the daily cycle of a file, without a notebook."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydra_nb.cli.program import BAD_USE, DONE, SHORT, app, complain, say
from hydra_nb.cli.tables import show
from hydra_nb.domain.accounts import mask_accounts

if TYPE_CHECKING:
    import pandas as pd

    from hydra_nb.desk.desk import Desk
    from hydra_nb.desk.runner.program_file import Program

COLUMNS = "cycle name day status orders filled_lots shortfall_lots slippage_cash commission message"
_WELL = ("done", "dry_run")


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line asks for."""

    program: "Program"
    connect: dict[str, Any]
    at: str | None
    calendar: str | None
    dry_run: bool
    catch_up: str
    once: bool
    reports: Path | None


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="Python file with a function targets(day), or orders(day).")],
    endpoint: Annotated[str, typer.Option(help="sim, paper, live, or host:port.")] = "sim",
    account: Annotated[str | None, typer.Option(help="Needed for a live account, and where there are several.")] = None,
    journal: Annotated[Path | None, typer.Option(help="SQLite file; one an account where none is given.")] = None,
    limits: Annotated[Path | None, typer.Option(help="TOML file of limits.")] = None,
    at: Annotated[str | None, typer.Option(help="Time at the exchange; default AT of the file, else 08:45.")] = None,
    calendar: Annotated[
        str | None, typer.Option(help="Future whose sessions are the days; default CALENDAR of the file, else ZO.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop after the preview.")] = False,
    catch_up: Annotated[str, typer.Option(help="skip, or run a time of today that has passed.")] = "skip",
    once: Annotated[bool, typer.Option("--once", help="Run today's cycle now, and end.")] = False,
    reports: Annotated[Path | None, typer.Option(help="Folder for the page of each day.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the simulated market.")] = None,
    speed: Annotated[str, typer.Option(help="Of the simulated market; max is virtual time.")] = "1",
    client_id: Annotated[int, typer.Option(help="Of the connection.")] = 1,
    confirm_live: Annotated[str | None, typer.Option(help="Last four characters of a live account.")] = None,
) -> None:
    """Ask the function of a file for targets once each trading day, and trade them.

    Ctrl-C, or SIGTERM, stops it and cancels what works; a second one does not wait for the end of the cancels. A live
    account also needs the environment variable HYDRA_NB_RUN_LIVE, its last four characters.
    """
    from hydra_nb.desk.runner.program_file import read_program
    from hydra_nb.sim.loop import run_virtual

    connect = {
        "endpoint": endpoint,
        "account": account,
        "client_id": client_id,
        "journal": journal,
        "limits": limits,
        "seed": seed,
        "speed": speed if speed == "max" else _number(speed),
        "confirm_live": confirm_live,
    }
    wishes = Wishes(
        program=read_program(file),
        connect=connect,
        at=at,
        calendar=calendar,
        dry_run=dry_run,
        catch_up=catch_up,
        once=once,
        reports=reports,
    )
    went_well = run_virtual(lambda _loop: _run(wishes)) if speed == "max" else asyncio.run(_run(wishes))
    raise typer.Exit(DONE if went_well else SHORT)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        complain(f"speed {text!r} is no number; 1 is real time, max virtual time")
        raise typer.Exit(BAD_USE) from None


async def _run(wishes: Wishes) -> bool:
    """Open a desk, run, close it; gives whether every cycle went well."""
    import hydra_nb

    desk = await hydra_nb.connect(**wishes.connect)
    stopping = Stopping()
    known: set[str] = set()
    asked_for: set[str] = set()
    try:
        with stopping.heeding_signals():
            known |= set(desk.cycles()["cycle"])
            try:
                asked_for |= await _cycles(desk, wishes, stopping=stopping)
            finally:
                await _close(desk, stopping=stopping)
    except asyncio.CancelledError:
        if not stopping.is_pressed_again:
            raise
        complain("Stopped without waiting: every order that still works ends by its expiry at the broker.")
    return _tell(desk.cycles(), before=known - asked_for)


async def _cycles(desk: "Desk", wishes: Wishes, *, stopping: "Stopping") -> set[str]:
    """Run today's cycle, and give its id, which may be an earlier one's; or those of all days until a signal comes."""
    import hydra_nb

    program = wishes.program
    runner = hydra_nb.Runner(
        desk,
        program.function,
        at=wishes.at or program.at,
        calendar=wishes.calendar or program.calendar,
        dry_run=wishes.dry_run,
        catch_up=wishes.catch_up,
        reports=wishes.reports,
        name=program.name,
        **program.how,
    )
    kind = "dry run, nothing is sent" if wishes.dry_run else "orders are sent"
    say(
        f"[bold]{desk.badge} {desk.masked_account}[/]  {program.name}: {runner.settings.at} by "
        f"{runner.settings.calendar}, {kind}; Ctrl-C ends it"
    )
    for left in runner.history().query("status == 'interrupted'").to_dict("records"):
        say(f"{left['cycle']} of {left['day']} was interrupted: {left['message']}")
    work: asyncio.Future[Any] = asyncio.ensure_future(runner.run_once() if wishes.once else runner.start().wait())
    pressed = asyncio.ensure_future(stopping.pressed.wait())
    await asyncio.wait({work, pressed}, return_when=asyncio.FIRST_COMPLETED)
    pressed.cancel()
    if not work.done():
        await runner.stop()
        say("stopped: no other cycle begins")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)  # it may have been told just now that it was stopped
        return set()
    row = work.result()
    return set() if row is None else set(row["cycle"])


async def _close(desk: "Desk", *, stopping: "Stopping") -> None:
    """Cancel what works and close; a second signal ends the wait, and the rest is done all the same."""
    busy = desk.busy_parents
    if busy:
        say(f"cancelling {', '.join(busy)}")
    closing = asyncio.ensure_future(desk.close("cancel"))
    stopping.closing = closing
    path = mask_accounts(str(await closing), account=desk.account)  # by default a journal has the name of its account
    say(f"closed; the journal is {path}")


def _tell(cycles: "pd.DataFrame", *, before: set[str]) -> bool:
    """Print the cycles of this run; gives whether nobody has to look at any."""
    told = cycles[~cycles["cycle"].isin(before)]
    if told.empty:
        say("no cycle was due")
        return True
    show("Cycles", told, COLUMNS)
    return bool(told["status"].isin(_WELL).all())


class Stopping:
    """What SIGINT and SIGTERM ask for: first an orderly end, then one that waits for nothing.

    Attributes
    ----------
    pressed
        Set by the first.
    closing
        What the second ends the wait for.
    """

    def __init__(self) -> None:
        self.pressed = asyncio.Event()
        self.closing: asyncio.Future[Any] | None = None
        self.is_pressed_again = False

    @contextlib.contextmanager
    def heeding_signals(self) -> Iterator[None]:
        """Hear both signals meanwhile; where the loop cannot hear them, Ctrl-C is as ever."""
        loop, heard = asyncio.get_running_loop(), []
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._press)
                heard.append(number)
        try:
            yield
        finally:
            for number in heard:
                loop.remove_signal_handler(number)

    def _press(self) -> None:
        if not self.pressed.is_set():
            self.pressed.set()
            return
        self.is_pressed_again = True
        if self.closing is not None:
            self.closing.cancel()
