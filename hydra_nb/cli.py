"""The command line; ``hydra-nb --help`` lists its commands.

Exit status: 0 done, 1 refused or short, 2 bad use. Heavy modules are imported by the command that needs them.
"""

import asyncio
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from hydra_nb.errors import HydraError, JournalUnreadable

if TYPE_CHECKING:
    import pandas as pd

    from hydra_nb.journal import JournalReader

DONE, SHORT, BAD_USE = 0, 1, 2
TABLE_WIDTH = 132

app = typer.Typer(
    name="hydra-nb",
    help="Execute orders in thin commodity futures. Start with: hydra-nb demo, or hydra-nb lab.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; errors of the tree are one sentence and exit status 2."""
    try:
        app()
    except HydraError as error:
        _complain(str(error))
        sys.exit(BAD_USE)


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
        _say(
            f"[bold]{desk.badge} {desk.masked_account}[/]  BUY {lots} {contract.name} {contract.local_symbol}, "
            f"{plan.strategy}, plan {plan.plan_id}"
        )
        _show(
            "Schedule", plan.schedule, "slice start lots cumulative_lots limit_mid limit_step limit_cross participation"
        )
        _show("Risk decisions", plan.risk, "check allowed observed limit unit message")
        execution = await (await desk.submit(plan))
        _show(
            "Fills",
            execution.fills,
            "time slice stage side lots price arrival_mid slippage_ticks slippage_cash commission",
        )
        _show(
            "Expected cost",
            plan.expected_cost,
            "slippage_ticks slippage_bps slippage_cash commission currency source n_evidence",
        )
        fees = execution.fills["commission"].sum()
        _say(
            f"{execution.status}: {execution.filled_lots} of {lots} lots at {execution.average_price:.4f}, arrival "
            f"{execution.arrival_mid:g}: {execution.slippage_ticks:+.1f} ticks a lot, {execution.slippage_cash:+,.2f} "
            f"{contract.currency}, fees {fees:,.2f}; {execution.messages_used} of "
            f"{execution.messages_budget} messages. "
            f"{execution.reason}"
        )
        return execution.filled_lots == lots


@app.command()
def lab(
    port: Annotated[int | None, typer.Option(help="Port of JupyterLab; its own choice where none is given.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Open JupyterLab on the tour notebook, which trades on the embedded simulated gateway."""
    if importlib.util.find_spec("jupyterlab") is None:
        _complain('JupyterLab is not installed; run: pip install "hydra_nb[lab]"')
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
    package = Path(__file__).parent
    checkout = package.parent / "notebooks" / "tour.ipynb"
    if checkout.exists():
        return checkout
    copy = Path.cwd() / "tour.ipynb"
    if not copy.exists():
        shutil.copy(package / "notebooks" / "tour.ipynb", copy)
    return copy


@app.command()
def gateway(
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.")] = 4002,
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
                listening=lambda: _say(f"{market.account} on 127.0.0.1:{market.port}, speed {speed:g}; Ctrl-C ends it")
            )
        )
    except KeyboardInterrupt:
        if faults is not None:
            _say(f"{len(market.fault_log)} faults struck")
        raise typer.Exit(DONE) from None
    except FaultScriptError as error:
        _complain(str(error))
        raise typer.Exit(BAD_USE) from None
    except (OSError, ValueError) as error:
        _complain(f"the gateway cannot run on port {port}: {error}")
        raise typer.Exit(BAD_USE) from None


JournalOption = Annotated[Path, typer.Option("--journal", help="The journal's SQLite file.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="Write a CSV file instead of a table.")]
ParquetOption = Annotated[Path | None, typer.Option("--parquet", help="Write a Parquet file (needs pyarrow).")]
ParentOption = Annotated[str | None, typer.Option("--parent", help="Of one parent order only, for instance P-0001.")]


@app.command()
def fills(
    journal: JournalOption,
    parent: ParentOption = None,
    csv: CsvOption = None,
    parquet: ParquetOption = None,
) -> None:
    """Print or export the fills of a journal, one row an execution."""
    from hydra_nb.analysis import frames
    from hydra_nb.journal import JournalReader

    with JournalReader.open(journal) as reader:
        frame = frames.fills(reader, parent_id=parent)
        damage = _damage(reader)
    columns = (
        "time parent_id slice stage local_symbol side lots price arrival_mid slippage_ticks slippage_cash currency"
    )
    _give("Fills", frame, columns=columns, csv=csv, parquet=parquet)
    _mind(damage)


@app.command()
def decisions(
    journal: JournalOption,
    parent: ParentOption = None,
    csv: CsvOption = None,
    parquet: ParquetOption = None,
) -> None:
    """Print or export the risk decisions of a journal, one row a check."""
    from hydra_nb.analysis import frames
    from hydra_nb.journal import JournalReader

    with JournalReader.open(journal) as reader:
        frame = frames.decisions(reader, parent_id=parent)
        damage = _damage(reader)
    columns = "time parent_id slice action check allowed observed limit unit message"
    _give("Risk decisions", frame, columns=columns, csv=csv, parquet=parquet)
    _mind(damage)


_TCA_COLUMNS = {
    "fill": "time parent_id stage local_symbol side lots price arrival_slippage_ticks effective_spread_ticks "
    "markout_1min_ticks trading_cash lacks",
    "slice": "parent_id slice local_symbol side lots filled_lots average_price arrival_slippage_ticks "
    "twap_slippage_ticks participation lacks",
    "parent": "parent_id local_symbol side lots filled_lots arrival_slippage_ticks delay_cash trading_cash "
    "opportunity_cash fees_cash shortfall_cash shortfall_bps lacks",
    "group": "parents fills filled_lots arrival_slippage_ticks effective_spread_ticks markout_1min_ticks trading_cash "
    "fees_cash lacks",
}


class Level(StrEnum):
    """What a row of transaction cost analysis is."""

    FILL = "fill"
    SLICE = "slice"
    PARENT = "parent"


@app.command()
def tca(
    journal: JournalOption,
    level: Annotated[Level, typer.Option(help="What a row is.")] = Level.PARENT,
    by: Annotated[str | None, typer.Option(help="Columns to group by instead, for instance symbol,side.")] = None,
    parent: ParentOption = None,
    csv: CsvOption = None,
    parquet: ParquetOption = None,
) -> None:
    """Print or export what the fills of a journal cost, and why: slippage, spreads, markouts, shortfall."""
    from hydra_nb.analysis.tca import journal_tca
    from hydra_nb.errors import InvalidFrame
    from hydra_nb.journal import JournalReader

    keys = [] if by is None else by.replace(",", " ").split()
    with JournalReader.open(journal) as reader:
        try:
            frame = journal_tca(reader, level=level.value, by=keys or None, parent_id=parent)
        except InvalidFrame as error:
            _complain(str(error))
            raise typer.Exit(BAD_USE) from None
        damage = _damage(reader)
    columns = " ".join([*keys, _TCA_COLUMNS["group" if keys else level]])
    _give("Transaction costs", frame, columns=columns, csv=csv, parquet=parquet, stacked=True)
    _mind(damage)


@app.command()
def slippage(
    journal: JournalOption,
    unit: Annotated[str, typer.Option(help="Unit of the figures: bps, ticks, price or cash.")] = "bps",
    level: Annotated[float, typer.Option(help="Confidence of the intervals.")] = 0.95,
    refit: Annotated[
        bool, typer.Option("--refit", help="Constants that the fills speak for, before and after.")
    ] = False,
    csv: CsvOption = None,
    parquet: ParquetOption = None,
) -> None:
    """Print or export how predicted slippage compares with what was paid, over all fills and by symbol."""
    from hydra_nb.analysis import frames
    from hydra_nb.analysis.history import History
    from hydra_nb.analysis.slippage import SlippageReconciler
    from hydra_nb.journal import JournalReader

    with JournalReader.open(journal) as reader:
        history = History(reader)
        fills_frame = frames.fills(history)
        in_force = {one: held for one in history.ledger.calibrations if (held := history.ledger.calibration(one))}
        damage = _damage(reader)
    found = SlippageReconciler(fills_frame, unit=unit, level=level, in_force=in_force)
    if refit:
        columns = "symbol n orders k_before k spread_factor_before spread_factor rmse_before rmse_held_out reason"
        _give("Refit", found.refit().table, columns=columns, csv=csv, parquet=parquet)
    else:
        columns = (
            "symbol unit n orders mean_predicted mean_actual bias bias_low bias_high correlation multiplier reason"
        )
        _give("Slippage", found.summary(), columns=columns, csv=csv, parquet=parquet)
    _mind(damage)


@app.command()
def audit(
    parent: Annotated[str, typer.Argument(help="Id of the parent order, for instance P-0001.")],
    journal: JournalOption,
    as_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
    csv: CsvOption = None,
) -> None:
    """Print the life of a parent order in order: every decision, frame, answer and fill, and what concerned the desk.

    The journal is verified first. Of a broken one the rows that can be believed are given, and the exit status is 1.
    """
    from hydra_nb.analysis.audit import as_json
    from hydra_nb.analysis.audit_report import examine_life, life_table
    from hydra_nb.analysis.columns import AUDIT, make_frame

    found = examine_life(journal, parent)
    if csv is not None:
        _export(lambda: make_frame(AUDIT, found.rows).to_csv(csv, index=False))
    if as_lines:
        for row in found.rows:
            print(as_json(row))
    elif csv is None and found.rows:
        Console(width=TABLE_WIDTH, highlight=False).print(life_table(found))
    if found.warning is not None:
        _complain(found.warning)
        raise typer.Exit(SHORT)


@app.command()
def report(
    parent: Annotated[str, typer.Argument(help="Id of the parent order, for instance P-0001.")],
    journal: JournalOption,
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace any file, not only its own.")] = False,
) -> None:
    """Write the whole life of a parent order as one HTML page that opens without a network; the account is masked.

    The journal is verified first. Of a broken one no report is made, and the exit status is 1.
    """
    from hydra_nb.analysis.audit_report import examine_life
    from hydra_nb.analysis.report import write_report
    from hydra_nb.journal import JournalReader

    warning = examine_life(journal, parent).warning
    if warning is not None:
        _complain(f"{warning} No report is made; hydra-nb audit {parent} gives what can be believed.")
        raise typer.Exit(SHORT)
    with JournalReader.open(journal) as reader:
        _export(lambda: write_report(reader, parent, out, overwrite=overwrite))
    _say(f"{out}: report of {parent}, {out.stat().st_size / 1e6:.1f} MB; it opens without a network.")


@app.command()
def verify(
    journal: JournalOption,
    heads: Annotated[
        Path | None, typer.Option("--heads", help="A copy of the heads kept elsewhere; else those beside the journal.")
    ] = None,
) -> None:
    """Verify a journal: its chain of hashes, its decisions, and the heads of its days that were exported.

    Exit status 1 says that something differs, or that there are no heads to compare with.
    """
    from hydra_nb.analysis.audit_report import examine_journal

    found = examine_journal(journal, heads=heads)
    _say(found.title)
    if found.warning is not None:
        _complain(found.warning)
        raise typer.Exit(SHORT)


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

    raise typer.Exit(DONE if kill_desks(journal, reason=reason, say=_say) else SHORT)


def _damage(reader: "JournalReader") -> str | None:
    """Which row of a journal was changed, added or taken out; None where its chain of hashes holds."""
    try:
        reader.verify()
    except JournalUnreadable as error:
        return str(error)
    return None


def _mind(damage: str | None) -> None:
    if damage is not None:
        _complain(f"{damage}. What was given is what the file says now, which may not be what happened.")
        raise typer.Exit(SHORT)


def _export(write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        _complain(f"the export cannot be written: {error}")
        raise typer.Exit(BAD_USE) from None


def _give(
    title: str, frame: "pd.DataFrame", *, columns: str, csv: Path | None, parquet: Path | None, stacked: bool = False
) -> None:
    if parquet is not None and importlib.util.find_spec("pyarrow") is None:
        _complain("Parquet needs pyarrow; run: pip install pyarrow, or use --csv")
        raise typer.Exit(BAD_USE)
    if csv is not None:
        _export(lambda: frame.to_csv(csv, index=False))
    if parquet is not None:
        _export(lambda: frame.to_parquet(parquet, index=False))
    if csv is None and parquet is None:
        _show(title, frame, columns, stacked=stacked)


def _say(text: str) -> None:
    Console(width=TABLE_WIDTH, highlight=False).print(text)


def _complain(text: str) -> None:
    Console(stderr=True, width=TABLE_WIDTH, highlight=False).print(text, style="red")


def _show(title: str, frame: "pd.DataFrame", columns: str, *, stacked: bool = False) -> None:
    """Print some columns of a frame; numbers to the right, what is unknown as a dash, `stacked` heads word by word."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    names = columns.split()
    for name in names:
        numeric = frame[name].dtype.kind in "fiu"
        head = name.replace("_", "\n") if stacked else name
        wraps = name in ("message", "lacks", "reason")
        table.add_column(head, justify="right" if numeric else "left", no_wrap=not wraps)
    for row in frame[names].itertuples(index=False):
        table.add_row(*[_cell(value) for value in row])
    console = Console(width=TABLE_WIDTH, highlight=False)
    console.print(table)
    console.print()


def _cell(value: object) -> str:
    import pandas as pd

    if value is None or (not isinstance(value, str) and pd.isna(value)):  # type: ignore[call-overload]  # any scalar
        return "–"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 100 else f"{value:,.2f}"
    return str(value)
