"""Commands that read a journal: print it, export it, analyse it, prove it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hydra_nb.cli.program import BAD_USE, SHORT, TABLE_WIDTH, app, complain, say
from hydra_nb.cli.tables import export, give
from hydra_nb.errors import JournalUnreadable

if TYPE_CHECKING:
    from hydra_nb.journal import JournalReader

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
        damage = _damage_of(reader, parent=parent)
    columns = (
        "time parent_id slice stage local_symbol side lots price arrival_mid slippage_ticks slippage_cash currency"
    )
    give("Fills", frame, columns=columns, csv=csv, parquet=parquet)
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
        damage = _damage_of(reader, parent=parent)
    columns = "time parent_id slice action check allowed observed limit unit message"
    give("Risk decisions", frame, columns=columns, csv=csv, parquet=parquet)
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
            complain(str(error))
            raise typer.Exit(BAD_USE) from None
        damage = _damage_of(reader, parent=parent)
    columns = " ".join([*keys, _TCA_COLUMNS["group" if keys else level]])
    give("Transaction costs", frame, columns=columns, csv=csv, parquet=parquet, stacked=True)
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
        damage = damage_of(reader)
    found = SlippageReconciler(fills_frame, unit=unit, level=level, in_force=in_force)
    if refit:
        columns = "symbol n orders k_before k spread_factor_before spread_factor rmse_before rmse_held_out reason"
        give("Refit", found.refit().table, columns=columns, csv=csv, parquet=parquet)
    else:
        columns = (
            "symbol unit n orders mean_predicted mean_actual bias bias_low bias_high correlation multiplier reason"
        )
        give("Slippage", found.summary(), columns=columns, csv=csv, parquet=parquet)
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
        export(lambda: make_frame(AUDIT, found.rows).to_csv(csv, index=False))
    if as_lines:
        for row in found.rows:
            print(as_json(row))
    elif csv is None and found.rows:
        Console(width=TABLE_WIDTH, highlight=False).print(life_table(found))
    if found.warning is not None:
        complain(found.warning)
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
        complain(f"{warning} No report is made; hydra-nb audit {parent} gives what can be believed.")
        raise typer.Exit(SHORT)
    with JournalReader.open(journal) as reader:
        export(lambda: write_report(reader, parent, out, overwrite=overwrite))
    say(f"{out}: report of {parent}, {out.stat().st_size / 1e6:.1f} MB; it opens without a network.")


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
    say(found.title)
    if found.warning is not None:
        complain(found.warning)
        raise typer.Exit(SHORT)


def damage_of(reader: "JournalReader") -> str | None:
    """Which row of a journal was changed, added or taken out; None where its chain of hashes holds."""
    try:
        reader.verify()
    except JournalUnreadable as error:
        return str(error)
    return None


def _damage_of(reader: "JournalReader", *, parent: str | None) -> str | None:
    """The same; where the chain holds, a parent that is asked for must be one of those that the journal has."""
    from hydra_nb.analysis.audit import known_life

    damage = damage_of(reader)
    if damage is None and parent is not None:
        known_life(reader, parent)
    return damage


def _mind(damage: str | None) -> None:
    if damage is not None:
        complain(f"{damage}. What was given is what the file says now, which may not be what happened.")
        raise typer.Exit(SHORT)
