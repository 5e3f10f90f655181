"""Reads what contract details do not carry from a file that a person keeps: notice days and daily price limits."""

import csv
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from hydra_nb.domain.instrument import ContractFacts
from hydra_nb.errors import LimitsError

COLUMNS = ("local_symbol", "first_notice", "daily_limit", "settles")


def read_contract_facts(path: Path | str) -> Mapping[str, ContractFacts]:
    """Read a CSV file of facts about contracts.

    Parameters
    ----------
    path
        A file with the columns ``local_symbol`` (``ZOH7``), ``first_notice`` (``2027-02-26``), ``daily_limit``
        (points of the quoted price by which it may leave the settlement in one day) and ``settles`` (``13:15``, at the
        exchange). All but the first may be empty, or left out.

    Returns
    -------
    Mapping of str to ContractFacts
        By local symbol.

    Raises
    ------
    LimitsError
        The file cannot be read, or a line says nothing that can be understood; the message names file and line.
    """
    path = Path(path)
    facts: dict[str, ContractFacts] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _must_know(reader.fieldnames, path=path)
            for row in reader:
                where = f"{path}:{reader.line_num}"
                if None in row:
                    raise LimitsError(f"{where}: more fields than columns; write {', '.join(COLUMNS)}")
                symbol = _local_symbol(row["local_symbol"], where=where)
                if symbol in facts:
                    raise LimitsError(f"{where}: local_symbol {symbol!r} has a line already; keep one of them")
                facts[symbol] = ContractFacts(
                    first_notice=_date(row.get("first_notice"), where=where),
                    daily_limit=_points(row.get("daily_limit"), where=where),
                    settles=_time(row.get("settles"), where=where),
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LimitsError(f"contract facts {path} cannot be read: {error}; give the path of a CSV file") from error
    if not facts:
        raise LimitsError(f"contract facts {path} name no contract; leave the argument out where there is none")
    return facts


def _must_know(names: object, *, path: Path) -> None:
    told = tuple(names) if isinstance(names, list) else ()
    unknown = [name for name in told if name not in COLUMNS]
    if "local_symbol" not in told or unknown or len(set(told)) < len(told):
        raise LimitsError(
            f"{path}:1: the columns are {', '.join(map(repr, told)) or 'none'}; write {', '.join(COLUMNS)}"
        )


def _local_symbol(text: str | None, *, where: str) -> str:
    """A symbol without its month would match no contract, and what was told of it would hold nothing back."""
    symbol = (text or "").strip().upper()
    if not any(letter.isdigit() for letter in symbol):
        raise LimitsError(f"{where}: local_symbol {symbol!r} names no month of a contract; write it as ZOH7")
    return symbol


def _date(text: str | None, *, where: str) -> dt.date | None:
    if not (text or "").strip():
        return None
    try:
        return dt.date.fromisoformat(str(text).strip())
    except ValueError as error:
        raise LimitsError(f"{where}: first_notice {text!r} is no date; write it as 2027-02-26") from error


def _time(text: str | None, *, where: str) -> dt.time | None:
    if not (text or "").strip():
        return None
    try:
        time = dt.time.fromisoformat(str(text).strip())
    except ValueError as error:
        raise LimitsError(f"{where}: settles {text!r} is no time; write it as 13:15") from error
    if time.tzinfo is not None:
        raise LimitsError(f"{where}: settles {text!r} names a zone; write the time at the exchange, as 13:15")
    return time


def _points(text: str | None, *, where: str) -> Decimal | None:
    if not (text or "").strip():
        return None
    try:
        points = Decimal(str(text).strip())
    except InvalidOperation:
        points = Decimal("NaN")
    if not points.is_finite() or points <= 0:
        raise LimitsError(f"{where}: daily_limit {text!r} is no number of points above 0; write it as 20.00")
    return points
