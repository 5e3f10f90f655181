"""Commands that trade, open a notebook, run the simulated gateway, or halt."""

import asyncio
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from hydra_nb.cli.program import BAD_USE, DONE, SHORT, app, complain, say
from hydra_nb.cli.tables import show

LAST_PORT = 65_535


def _port(port: int | None) -> int | None:
    """Refuse what is no port; the range of an option would take half of its help."""
    if port is not None and not 0 <= port <= LAST_PORT:
        raise typer.BadParameter(f"{port} is no port; give one from 0 to {LAST_PORT}")
    return port


@app.command()
def demo(
    seed: Annotated[int, typer.Option(help="Seed of the simulated market and of the plan.")] = 7,
    lots: Annotated[int, typer.Option(min=1, help="Lots of oats to buy.")] = 13,
    slices: Annotated[int, typer.Option(min=1, help="Slices of the TWAP.")] = 5,
    duration: Annotated[str, typer.Option(help="From submission to the end.")] = "50m",
) -> None:
    """Buy oats on the simulated gateway in virtual time: plan, risk decisions, fills, cost; no browser needed."""
    from hydra_nb.sim.loop import run_virtual

    complete = run_virtual(lambda _loop: _trade(seed=seed, lots=lots, slices=slices, duration=duration))
    raise typer.Exit(DONE if complete else SHORT)


async def _trade(*, seed: int, lots: int, slices: int, duration: str) -> bool:
    """Run the main job on a desk in virtual time and print it; gives whether every lot was filled."""
    import hydra_nb

    async with hydra_nb.connect(seed=seed, speed="max", journal=":memory:") as desk:
        plan = await desk.preview("BUY", lots, "ZO", slices=slices, duration=duration)
        contract = plan.parent.contract
        say(
            f"[bold]{desk.badge} {desk.masked_account}[/]  BUY {lots} {contract.name} {contract.local_symbol}, "
            f"{plan.strategy}, plan {plan.plan_id}"
        )
        show(
            "Schedule", plan.schedule, "slice start lots cumulative_lots limit_mid limit_step limit_cross participation"
        )
        show("Risk decisions", plan.risk, "check allowed observed limit unit message")
        execution = await (await desk.submit(plan))
        show(
            "Fills",
            execution.fills,
            "time slice stage side lots price arrival_mid slippage_ticks slippage_cash commission",
        )
        show(
            "Expected cost",
            plan.expected_cost,
            "slippage_ticks slippage_bps slippage_cash commission currency source n_evidence",
        )
        fees = execution.fills["commission"].sum()
        say(
            f"{execution.status}: {execution.filled_lots} of {lots} lots at {execution.average_price:.4f}, arrival "
            f"{execution.arrival_mid:g}: {execution.slippage_ticks:+.1f} ticks a lot, {execution.slippage_cash:+,.2f} "
            f"{contract.currency}, fees {fees:,.2f}; {execution.messages_used} of "
            f"{execution.messages_budget} messages. "
            f"{execution.reason}"
        )
        return execution.filled_lots == lots


@app.command()
def lab(
    port: Annotated[
        int | None, typer.Option(callback=_port, help="Port of JupyterLab; its own choice where none is given.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Open JupyterLab on the tour notebook, which trades on the embedded simulated gateway."""
    if importlib.util.find_spec("jupyterlab") is None:
        complain('JupyterLab is not installed; run: pip install "hydra_nb[lab]"')
        raise typer.Exit(BAD_USE)
    tour = _tour()
    # As the default address the tour opens in the browser, and is in the address printed where there is none.
    where = [f"--ServerApp.root_dir={tour.parent}", f"--LabApp.default_url=/lab/tree/{tour.name}"]
    words = [sys.executable, "-m", "jupyterlab", *where]
    words += [] if port is None else [f"--port={port}"]
    words += [] if browser else ["--no-browser"]
    # In a container there is often only root, and JupyterLab does not start for root unless it is told to.
    words += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    os.execv(sys.executable, words)  # noqa: S606  our own interpreter, with words that we wrote


def _tour() -> Path:
    """Find the tour: in the checkout, else a copy of the packaged one in the working directory."""
    package = Path(__file__).parent.parent
    checkout = package.parent / "notebooks" / "tour.ipynb"
    if checkout.exists():
        return checkout
    copy = Path.cwd() / "tour.ipynb"
    if not copy.exists():
        shutil.copy(package / "notebooks" / "tour.ipynb", copy)
    return copy


@app.command()
def gateway(
    port: Annotated[int, typer.Option(callback=_port, help="Port on loopback; 0 takes a free one.")] = 4002,
    seed: Annotated[int, typer.Option(help="Decides account, listed months, first day and order flow.")] = 7,
    speed: Annotated[float, typer.Option(help="Market seconds in one second; clients need the same speed.")] = 1.0,
    faults: Annotated[Path | None, typer.Option(help="A fault script (TOML): what goes wrong, and when.")] = None,
) -> None:
    """Run the simulated gateway for any client of the IB API, until interrupted."""
    from hydra_nb.sim.faults import FaultScript, FaultScriptError
    from hydra_nb.sim.gateway import SimulatedGateway

    try:
        script = None if faults is None else FaultScript.from_toml(faults)
        market = SimulatedGateway(seed=seed, speed=speed, port=port, faults=script)
        asyncio.run(
            market.serve(
                listening=lambda: say(f"{market.account} on 127.0.0.1:{market.port}, speed {speed:g}; Ctrl-C ends it")
            )
        )
    except KeyboardInterrupt:
        if faults is not None:
            say(f"{len(market.fault_log)} faults struck")
        raise typer.Exit(DONE) from None
    except FaultScriptError as error:
        complain(str(error))
        raise typer.Exit(BAD_USE) from None
    except (OSError, ValueError) as error:
        complain(f"the gateway cannot run on port {port}: {error}")
        raise typer.Exit(BAD_USE) from None


@app.command()
def kill(
    journal: Annotated[
        Path | None, typer.Option("--journal", help="One journal's SQLite file; without it, every desk that is open.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Kept with the kill, and shown.")] = "hydra-nb kill in a terminal",
) -> None:
    """Halt your open desks on this computer, busy or dead: own orders are cancelled, nothing is sent until re-armed.

    Exit status 1 says that something could not be confirmed.
    """
    from hydra_nb.desk.killing import kill_desks

    raise typer.Exit(DONE if kill_desks(journal, reason=reason, say=say) else SHORT)
