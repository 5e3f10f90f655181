"""The command that tries out a gateway."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hydra_nb.cli.program import DONE, SHORT, app, say
from hydra_nb.cli.tables import show

if TYPE_CHECKING:
    import pandas as pd

SIMULATED = "sim"


@app.command()
def selftest(
    endpoint: Annotated[str, typer.Option(help="sim, paper, or host:port of a gateway.")] = SIMULATED,
    symbol: Annotated[str, typer.Option(help="What quotes, margin and orders are tried in.")] = "ZO",
    orders: Annotated[bool, typer.Option(help="Send two orders of one lot that rest, and end them.")] = True,
    client_id: Annotated[int, typer.Option(help="Id of the connection; one that nobody else uses.")] = 1,
) -> None:
    """Try what a trader should know of a gateway before trusting it: clock, replies, contracts, data, margin, expiry.

    Exit status 1 says that something does not hold, or could not be tried. A live account is not opened here.
    """
    from hydra_nb.sim.loop import run_virtual

    trial = partial(_tried, endpoint, symbol=symbol, orders=orders, client_id=client_id)
    found = run_virtual(lambda _loop: trial()) if endpoint == SIMULATED else asyncio.run(trial())
    show("Self-test", found, "check holds expected observed")
    for row in found[~found["holds"].fillna(False)].itertuples():
        say(f"{row.check}: {row.observed}. {row.message}".rstrip())
    holds = int(found["holds"].fillna(False).sum())
    say(f"{holds} of {len(found)} checks hold.")
    raise typer.Exit(DONE if holds == len(found) else SHORT)


async def _tried(endpoint: str, *, symbol: str, orders: bool, client_id: int) -> "pd.DataFrame":
    """Open a desk, have it try its gateway, and close it."""
    import hydra_nb

    market: dict[str, Any] = {"speed": "max", "journal": ":memory:"} if endpoint == SIMULATED else {}
    async with hydra_nb.connect(endpoint, client_id=client_id, **market) as desk:
        return await desk.selftest(symbol, place_orders=orders)
