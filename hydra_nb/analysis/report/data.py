"""The numbers of a report as a program reads them: one block of JSON on the page, and its SHA-256 beside it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from hydra_nb import __version__
from hydra_nb.analysis.columns import Column, Kind, make_frame
from hydra_nb.analysis.report.facts import Facts, Told
from hydra_nb.errors import AnalysisError

FORMAT: Final = "hydra_nb report 1"
BLOCK_ID: Final = "hydra-report"
DIGEST_NAME: Final = "hydra-report-sha256"

_BLOCK = re.compile(rf'<script type="application/json" id="{BLOCK_ID}">(.*?)</script>', re.DOTALL)
_DIGEST = re.compile(rf'<meta name="{DIGEST_NAME}" content="([0-9a-f]{{64}})">')
_UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a page says, read back.

    Attributes
    ----------
    parent_id, journal_id, plan_id
        Which order it is of.
    account
        Masked.
    as_of
        When the journal last told of it; of one that ran, the last time that it told at all.
    version
        Of the package that made the page.
    chain
        Number and hash of the order's first and last row in the journal.
    contract
        Identity, tick and value of what was traded.
    frames
        By name, with the columns that `hydra_nb.analysis.columns` describes.
    """

    parent_id: str
    journal_id: str
    plan_id: str
    account: str
    as_of: pd.Timestamp
    version: str
    chain: Mapping[str, Any]
    contract: Mapping[str, Any]
    frames: Mapping[str, pd.DataFrame]


def block_of(facts: Facts) -> str:
    """All that a report tells as JSON, in a form that may stand in HTML as it is."""
    contract = facts.contract
    told = {
        "format": FORMAT,
        "version": __version__,
        "parent_id": facts.parent_id,
        "journal_id": facts.journal_id,
        "plan_id": facts.plan.plan_id,
        "account": facts.account,
        "badge": facts.badge,
        "status": str(facts.record.status),
        "as_of": moment_text(facts.as_of_ns),
        "chain": {
            name: {"seq": link.seq, "hash": link.hash} for name, link in (("first", facts.first), ("last", facts.last))
        },
        "contract": {
            "con_id": contract.con_id,
            "symbol": contract.symbol,
            "local_symbol": contract.local_symbol,
            "name": contract.name,
            "exchange": contract.exchange,
            "currency": contract.currency,
            "tick": str(contract.tick),
            "multiplier": str(contract.multiplier),
            "price_magnifier": contract.price_magnifier,
            "contract_month": contract.contract_month,
            "last_trade_date": contract.last_trade_date.isoformat(),
            "time_zone": contract.time_zone,
        },
        "frames": {name: frame_as_json(one) for name, one in facts.frames.items()},
    }
    return safe_json(told)


def safe_json(value: Any) -> str:
    """A value as JSON that cannot end the element it stands in; what is no number is not among its values."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_UNSAFE)


def digest_of(block: str) -> str:
    """SHA-256 over a block as it stands on the page, in UTF-8; hexadecimal."""
    return hashlib.sha256(block.encode()).hexdigest()


def read_report(path: Path | str) -> Report:
    """Read the frames of a report back, once its data agree with their digest.

    The digest tells an accident, or a number that was changed by hand. Whoever changes both is found by making the
    report anew from the journal, which gives the same bytes.

    Raises
    ------
    AnalysisError
        The file is no report that this version can read, or its data were changed.
    OSError
        It cannot be read.
    """
    told = read_block(path, written=FORMAT)
    return Report(
        as_of=pd.Timestamp(told["as_of"]),
        frames={name: frame_from_json(one) for name, one in told["frames"].items()},
        **{name: told[name] for name in ("parent_id", "journal_id", "plan_id", "account", "version", "chain")},
        contract=told["contract"],
    )


def read_block(path: Path | str, *, written: str) -> dict[str, Any]:
    """The data of a page in a format, once they agree with their digest; raises as `read_report` does."""
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    block, digest = _BLOCK.search(text), _DIGEST.search(text)
    if block is None or digest is None:
        raise AnalysisError(f"{path} is not a report of hydra_nb")
    found = digest_of(block[1])
    if found != digest[1]:
        raise AnalysisError(
            f"the data of {path} were changed: their SHA-256 is {found[:12]}…, the page says {digest[1][:12]}…; make "
            f"the report anew from its journal"
        )
    told = json.loads(block[1])
    if told["format"] != written:
        raise AnalysisError(f"{path} is {told['format']!r}; this version of hydra_nb reads {written!r}")
    return cast("dict[str, Any]", told)


def moment_text(time_ns: int) -> str:
    """UTC time to the nanosecond: ``2026-03-03T15:00:00.123456789Z``."""
    return f"{np.datetime64(time_ns, 'ns')}Z"


def frame_as_json(told: Told) -> dict[str, Any]:
    """A frame with its columns, row by row; unknown is null."""
    listed = [_values(told.frame[one.name], one.kind) for one in told.columns]
    return {
        "columns": [{"name": one.name, "dtype": str(one.kind), "unit": one.unit} for one in told.columns],
        "rows": [list(row) for row in zip(*listed, strict=True)],
    }


def _values(column: pd.Series, kind: Kind) -> list[Any]:
    known = column.notna().tolist()
    if kind is Kind.TIME:
        values = [moment_text(time_ns) for time_ns in column.astype("int64").tolist()]
    elif kind is Kind.REAL:
        values = column.tolist()
        known = np.isfinite(column.to_numpy(dtype=np.float64)).tolist()
    else:
        values = column.tolist()
    return [value if is_known else None for value, is_known in zip(values, known, strict=True)]


def frame_from_json(told: Mapping[str, Any]) -> pd.DataFrame:
    """The frame that `frame_as_json` wrote."""
    columns = [
        Column(name=one["name"], kind=Kind(one["dtype"]), unit=one["unit"], meaning="") for one in told["columns"]
    ]
    times = {one.name for one in columns if one.kind is Kind.TIME}
    names = [one.name for one in columns]
    rows = [dict(zip(names, row, strict=True)) for row in told["rows"]]
    for row in rows:
        for name in times:
            row[name] = None if row[name] is None else int(np.datetime64(row[name].removesuffix("Z"), "ns").astype(int))
    return make_frame(columns, rows)
