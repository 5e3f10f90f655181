"""Baskets as CSV files, which a spreadsheet may have had in its hands."""

import csv
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hydra_nb.desk.basket.reading import (
    COLUMNS,
    REAL_COLUMNS,
    SETTINGS,
    WHOLE_COLUMNS,
    Request,
    real_number,
    whole_number,
)
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.errors import InvalidOrder

ROW = "row"
"""The column of labels."""

_QUOTE = "'"
_LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", _QUOTE)
"""What a spreadsheet may take for the beginning of a formula; and our own sign, so that it can be taken off again."""


def write_basket(path: Path | str, rows: Sequence[tuple[Request, FutureContract]]) -> Path:
    """Write what was asked for; columns that no row has are left out."""
    cells = [_cells(request, contract) for request, contract in rows]
    names = [name for name in (ROW, *COLUMNS) if any(row.get(name) is not None for row in cells)]
    path = Path(path)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_written(row.get(name)) for name in names] for row in cells)
    return path


def _cells(request: Request, contract: FutureContract) -> dict[str, Any]:
    return {
        ROW: request.label,
        "instrument": contract.local_symbol,
        "side": None if request.side is None else str(request.side),
        "lots": request.lots,
        "target": request.target,
        **{name: request.how.get(name) for name in SETTINGS},
    }


def _written(value: Any) -> str:
    """A cell: numbers as they are, text that would come alive behind a quote."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    text = str(value)
    is_text = isinstance(value, str)
    return f"{_QUOTE}{text}" if is_text and text.startswith(_LIVE) else text


def read_basket(path: Path | str) -> pd.DataFrame:
    """Read a basket that `BasketPlan.to_csv` or a person wrote, for `Desk.preview_basket`.

    Spaces around cells and names are dropped, and so are empty lines and columns; names may be in capitals. What is
    wrong with a cell is said at the preview, by the label in column ``row``, else by the number of the line.

    Returns
    -------
    pandas.DataFrame
        Whole numbers as Int64 and others as float64 where a column has nothing else; text elsewhere.

    Raises
    ------
    InvalidOrder
        The file is empty, is no text, or has a line with more cells than names.
    OSError
        It cannot be read.
    """
    names: list[str] = []
    labels: list[Any] = []
    lines: list[list[str | None]] = []
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for cells in reader:
                read = [_read(cell) for cell in cells]
                if not any(cell is not None for cell in read):
                    continue
                if not names:
                    names = [(cell or "").lower() for cell in read]
                    continue
                if any(cell is not None for cell in read[len(names) :]):
                    raise InvalidOrder(
                        f"{path}, line {reader.line_num}: {len(read)} cells under {len(names)} names: is a comma in a "
                        "cell that is not quoted?"
                    )
                labels.append(reader.line_num)
                lines.append([*read, *[None] * len(names)][: len(names)])
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidOrder(f"{path} is no CSV file in UTF-8: {error}; save it as one") from error
    if not names:
        raise InvalidOrder(f"{path} is empty: the first line names the columns, such as instrument,side,lots")
    return _frame(names, lines, labels=labels)


def _frame(names: Sequence[str], lines: Sequence[Sequence[str | None]], *, labels: Sequence[int]) -> pd.DataFrame:
    """The columns that hold, or name, something; the column of labels becomes the index."""
    columns = [[line[at] for line in lines] for at in range(len(names))]
    kept = [at for at, name in enumerate(names) if name or any(cell is not None for cell in columns[at])]
    index = pd.Index(labels)
    if list(names).count(ROW) == 1:
        told = columns[names.index(ROW)]
        index = pd.Index([str(line) if cell is None else cell for cell, line in zip(told, labels, strict=True)])
        kept = [at for at in kept if names[at] != ROW]
    frame = pd.concat([_column(names[at], columns[at]) for at in kept], axis=1) if kept else pd.DataFrame()
    return frame.set_axis(index, axis=0)


def _column(name: str, cells: Sequence[str | None]) -> pd.Series:
    """A column of numbers, where it is one and every cell of it reads as such; else of text."""
    try:
        if name in WHOLE_COLUMNS:
            numbers = [None if cell is None else whole_number(cell, what=name) for cell in cells]
            return pd.Series(pd.array(numbers, dtype="Int64"), name=name)
        if name in REAL_COLUMNS:
            reals = [float("nan") if cell is None else real_number(cell, what=name) for cell in cells]
            return pd.Series(reals, name=name, dtype="float64")
    except (InvalidOrder, OverflowError):
        pass  # said at the preview, with its row
    return pd.Series(list(cells), name=name, dtype="str")


def _read(cell: str) -> str | None:
    text = cell.strip()
    if text.startswith(_QUOTE) and text[1:].startswith(_LIVE):
        text = text[1:]
    return text or None
