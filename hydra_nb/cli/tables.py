"""Frames as tables in a terminal, and as files."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from hydra_nb.cli.program import BAD_USE, TABLE_WIDTH, complain

if TYPE_CHECKING:
    import pandas as pd


def export(write: Callable[[], object]) -> None:
    """Write a file; where it cannot be, say so and end with the status for bad use."""
    try:
        write()
    except OSError as error:
        complain(f"the export cannot be written: {error}")
        raise typer.Exit(BAD_USE) from None


def give(
    title: str, frame: "pd.DataFrame", *, columns: str, csv: Path | None, parquet: Path | None, stacked: bool = False
) -> None:
    """Export a frame whole where a file is named, else print these columns of it."""
    if parquet is not None and importlib.util.find_spec("pyarrow") is None:
        complain("Parquet needs pyarrow; run: pip install pyarrow, or use --csv")
        raise typer.Exit(BAD_USE)
    if csv is not None:
        export(lambda: frame.to_csv(csv, index=False))
    if parquet is not None:
        export(lambda: frame.to_parquet(parquet, index=False))
    if csv is None and parquet is None:
        show(title, frame, columns, stacked=stacked)


def show(title: str, frame: "pd.DataFrame", columns: str, *, stacked: bool = False) -> None:
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
