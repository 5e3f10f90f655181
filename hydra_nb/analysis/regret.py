"""Regret: what crossing at once, patience, or a TWAP would have cost on the quotes that were recorded meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from hydra_nb.algos.schedule import SLICE_SPACING_NS, split_lots
from hydra_nb.analysis.alternatives import Clip, Outcome, crossing, even_clips, patience
from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.own_orders import OwnOrders
from hydra_nb.analysis.patience_columns import REGRET
from hydra_nb.analysis.tape import Tape
from hydra_nb.domain.instrument import FutureContract
from hydra_nb.domain.orders import Strategy
from hydra_nb.domain.plan import Ladder
from hydra_nb.domain.units import NS_PER_S, Side, seconds_ns
from hydra_nb.errors import InvalidFrame

ALTERNATIVES: Final = ("cross_at_once", "patience", "twap")

Instruments = Mapping[str, FutureContract] | pd.DataFrame
"""Contracts by symbol or local symbol, or a frame with columns ``local_symbol`` and ``tick``."""

_MOVED: Final = "our own orders moved these quotes"
_EXECUTIONS: Final = ("parent_id", "submitted", "finished", "symbol", "local_symbol", "side", "lots", "filled_lots")
_QUOTES: Final = ("time", "local_symbol", "bid", "bid_size", "ask", "ask_size", "last", "last_size", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """How the alternatives are worked."""

    ladder: Ladder
    step: Decimal
    twap_slices: int
    longest_ns: int

    @classmethod
    def of(cls, *, patience_s: float, step: float, twap_slices: int, tolerance: str) -> Self:
        """Read the settings of `regret`."""
        waits_ns = [seconds_ns(patience_s / share) for share in (1, 2, 4)]
        return cls(
            ladder=Ladder(mid_ns=waits_ns[0], step_ns=waits_ns[1], cross_ns=waits_ns[2]),
            step=Decimal(str(step)),
            twap_slices=twap_slices,
            longest_ns=int(pd.Timedelta(tolerance).as_unit("ns").value),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parent:
    """A parent order that is over, with its fills; `paid` is the sum over their lots, None where not all are given."""

    row: dict[str, Any]
    side: Side
    lots: int
    filled: int
    paid: float | None
    begun_ns: int
    finished_ns: int
    tick: Decimal
    arrival_mid: float
    slices: pd.DataFrame | None


def regret(
    executions: pd.DataFrame,
    fills: pd.DataFrame,
    quotes: pd.DataFrame,
    slices: pd.DataFrame | None = None,
    *,
    stages: pd.DataFrame | None = None,
    instruments: Instruments | None = None,
    tolerance: str = "10min",
    patience_s: float = 300.0,
    step: float = 0.001,
    twap_slices: int = 5,
) -> pd.DataFrame:
    """Cost of each parent order against what else might have been done, as bounds.

    Parameters
    ----------
    executions, fills, quotes, slices
        Frames with the columns of the desk's; with `slices` the alternatives follow the order's own schedule. Quotes
        are needed until the alternatives end, and may be in any order; those there twice count once.
    stages
        Our own orders, as in ``desk.stages()``: with them the prices of patience are those of the market without us.
    instruments
        Where the ticks are told; of a contract without one nothing can be said.
    tolerance
        A quote speaks for no longer than this.
    patience_s, step
        Length of the first stage of patience, of which the others last a half and a quarter, and the fraction of the
        price by which the second moves; the stages' own lengths in `slices` go before.
    twap_slices
        Of the TWAP, 600 s apart, of an order that has no such schedule of its own.

    Returns
    -------
    pandas.DataFrame
        Columns of ``regret`` in ``docs/columns.md``: a row a parent and alternative. ``lacks`` says in words what
        cannot be known, and where nothing can the numbers are NaN.

    Raises
    ------
    InvalidFrame
        A column is missing, times have no zone, or parents are there twice.

    Notes
    -----
    Costs are price less arrival mid, turned for sells, in ticks a lot, over all lots of the parent. Those without a
    fill are valued at the mid of one common end, the later of the order's and the alternative's, as in the shortfall
    of Perold, "The implementation shortfall: paper versus reality" (1988). *Crossing at once* takes the opposite touch
    at arrival. *Patience* is one order with the desk's own ladder. *TWAP* takes the opposite touch for each slice at
    its start. The caller's price limit is not in these frames and bounds none of them.
    """
    _must_be_sound(executions, fills, quotes)
    terms = _Terms.of(patience_s=patience_s, step=step, twap_slices=twap_slices, tolerance=tolerance)
    by_contract = dict(tuple(quotes.groupby("local_symbol", sort=False)))
    by_parent = dict(tuple(fills.groupby("parent_id", sort=False)))
    markets: dict[tuple[str, Side], tuple[Tape, OwnOrders]] = {}
    rows: list[dict[str, Any]] = []
    for row in executions.to_dict("records"):
        key, tick = (row["local_symbol"], Side(row["side"])), _tick(row, instruments)
        shown = by_contract.get(row["local_symbol"], quotes.iloc[:0])
        reason = _why_nothing(row, tick=tick, quotes=shown)
        told: dict[str, dict[str, Any]] = {}
        if tick is not None and not reason:
            if key not in markets:
                markets[key] = _market(shown, stages, local_symbol=key[0], side=key[1], longest_ns=terms.longest_ns)
            own = by_parent.get(row["parent_id"], fills.iloc[:0])
            told = _told(_parent(row, fills=own, slices=slices, tick=tick), *markets[key], terms=terms)
        rows += [_row(row, alternative=name, reason=reason, told=told.get(name, {})) for name in ALTERNATIVES]
    return make_frame(REGRET, rows)


def _told(parent: _Parent, tape: Tape, own: OwnOrders, *, terms: _Terms) -> dict[str, dict[str, Any]]:
    """What can be told of each alternative."""
    return {name: _compared(parent, tape, _outcome(name, parent, tape, own=own, terms=terms)) for name in ALTERNATIVES}


def _market(
    quotes: pd.DataFrame, stages: pd.DataFrame | None, *, local_symbol: str, side: Side, longest_ns: int
) -> tuple[Tape, OwnOrders]:
    """Quotes of a contract from one side, and what of ours rested there."""
    own = OwnOrders.none() if stages is None else OwnOrders.of(stages, local_symbol=local_symbol, side=side)
    return Tape.of(quotes, side=side, longest_ns=longest_ns), own


def _row(row: dict[Any, Any], *, alternative: str, reason: str, told: dict[str, Any]) -> dict[str, Any]:
    """One alternative of a parent; what is not told is unknown, for the reason."""
    empty = {one.name: row.get(one.name) for one in REGRET}
    return empty | {"alternative": alternative, "quotes": 0, "lacks": reason} | told


def _why_nothing(row: dict[Any, Any], *, tick: Decimal | None, quotes: pd.DataFrame) -> str:
    """Why nothing at all can be said of a parent; empty where something can."""
    if tick is None:
        return f"the tick of {row['local_symbol']} is not told: give instruments"
    if pd.isna(row["finished"]):
        return "it is not over yet"
    if pd.isna(row["arrival_mid"]):
        return "there was no mid at its arrival"
    return f"no quotes of {row['local_symbol']} were recorded" if quotes.empty else ""


def _outcome(alternative: str, parent: _Parent, tape: Tape, *, own: OwnOrders, terms: _Terms) -> Outcome:
    """What an alternative would have come to."""
    begin_ns = parent.begun_ns
    if alternative == "cross_at_once":
        return crossing(tape, [Clip(time_ns=begin_ns, lots=parent.lots)])
    if alternative == "twap":
        return crossing(tape, _twap_clips(parent, terms=terms))
    ladder = _own_ladder(parent) or terms.ladder
    return patience(tape, parent.lots, begin_ns=begin_ns, ladder=ladder, tick=parent.tick, step=terms.step, own=own)


def _twap_clips(parent: _Parent, *, terms: _Terms) -> tuple[Clip, ...]:
    """The parent's own schedule where it is a TWAP that the slices tell whole, else even slices 600 s apart."""
    own = parent.slices
    if own is not None and parent.row.get("strategy") == Strategy.TWAP and int(own["lots"].sum()) == parent.lots:
        starts = own["start"].astype("datetime64[ns, UTC]").astype("int64")
        return tuple(Clip(time_ns=int(at), lots=int(lots)) for at, lots in zip(starts, own["lots"], strict=True))
    sizes = split_lots(parent.lots, slices=terms.twap_slices)
    return even_clips(sizes, begin_ns=parent.begun_ns, apart_s=SLICE_SPACING_NS / NS_PER_S)


def _own_ladder(parent: _Parent) -> Ladder | None:
    """The ladder of an order that was worked with patience itself; None of any other."""
    if parent.slices is None or parent.slices.empty or parent.row.get("strategy") != Strategy.LIMIT_PATIENCE:
        return None
    first = parent.slices.iloc[0]
    mid_ns, step_ns, cross_ns = (seconds_ns(float(first[f"wait_{stage}_s"])) for stage in ("mid", "step", "cross"))
    return Ladder(mid_ns=mid_ns, step_ns=step_ns, cross_ns=cross_ns)


def _compared(parent: _Parent, tape: Tape, outcome: Outcome) -> dict[str, Any]:
    """What an alternative would have cost, and the regret."""
    sign, arrival = parent.side.sign, parent.arrival_mid
    end_ns = max(parent.finished_ns, outcome.ended_ns)
    seen = tape.last_mid(end_ns)
    end_mid = np.nan if seen is None else seen[0]
    ticks = 1 / float(parent.tick) / parent.lots
    left = parent.lots - parent.filled
    actual = np.nan
    if parent.paid is not None:
        actual = sign * (parent.paid - parent.filled * arrival + (left * (end_mid - arrival) if left else 0.0)) * ticks
    low, high = _costs(outcome, end=sign * end_mid, arrival=sign * arrival)
    low, high = low * ticks, high * ticks
    lacks = [*outcome.lacks]
    if seen is None and (left or any(lot.may_stay for lot in outcome.lots or ())):
        lacks.append("no mid was recorded at the common end, at which lots without a fill are valued")
    if parent.paid is None:
        lacks.append(f"the fills given are not the {parent.filled} lots that were filled")
    if parent.filled:
        lacks.append(_MOVED)
    rows = tape.between(parent.begun_ns, end_ns)
    return {
        "end_mid": end_mid,
        "actual_ticks": actual,
        "filled_low_lots": outcome.surely,
        "filled_high_lots": outcome.maybe,
        "cost_low_ticks": low,
        "cost_high_ticks": high if np.isfinite(high) else None,
        "regret_low_ticks": actual - high if np.isfinite(high) else None,
        "regret_high_ticks": actual - low,
        "quotes": rows.stop - rows.start,
        "lacks": "; ".join(lacks),
    }


def _costs(outcome: Outcome, *, end: float, arrival: float) -> tuple[float, float]:
    """Least and most cost of all lots together, in price units; NaN where unknown, endless where nothing bounds it."""
    if outcome.lots is None:
        return np.nan, np.nan
    low = high = 0.0
    for lot in outcome.lots:
        ways = [edge for edge in (lot.low, lot.high) if not np.isnan(edge)] + ([end] if lot.may_stay else [])
        low, high = low + float(np.min(ways)) - arrival, high + float(np.max(ways)) - arrival
    return low, high


# The frames


def _parent(row: dict[Any, Any], *, fills: pd.DataFrame, slices: pd.DataFrame | None, tick: Decimal) -> _Parent:
    """A parent of the executions with its own fills and slices."""
    filled = int(row["filled_lots"])
    is_whole = int(fills["lots"].sum()) == filled
    own = None if slices is None else slices[slices["parent_id"] == row["parent_id"]].sort_values("slice")
    return _Parent(
        row={str(name): value for name, value in row.items()},
        side=Side(row["side"]),
        lots=int(row["lots"]),
        filled=filled,
        paid=float((fills["price"] * fills["lots"].astype("float64")).sum()) if is_whole else None,
        begun_ns=_ns(row.get("began", row["submitted"])),
        finished_ns=_ns(row["finished"]),
        arrival_mid=float(row["arrival_mid"]),
        tick=tick,
        slices=own,
    )


def _ns(time: Any) -> int:
    return int(pd.Timestamp(time).as_unit("ns").value)


def _tick(row: dict[Any, Any], instruments: Instruments | None) -> Decimal | None:
    """Tick of a parent's contract; None where nobody tells it."""
    if instruments is None:
        return None
    if isinstance(instruments, pd.DataFrame):
        told = instruments.loc[instruments["local_symbol"] == row["local_symbol"], "tick"]
        return None if told.empty else Decimal(str(told.iloc[0]))
    contract = instruments.get(row["local_symbol"]) or instruments.get(row["symbol"])
    return None if contract is None else contract.tick


def _must_be_sound(executions: pd.DataFrame, fills: pd.DataFrame, quotes: pd.DataFrame) -> None:
    """Refuse frames from which a wrong number would come."""
    for frame, names, what in (
        (executions, (*_EXECUTIONS, "arrival_mid"), "executions"),
        (fills, ("parent_id", "lots", "price"), "fills"),
        (quotes, _QUOTES, "quotes"),
    ):
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise InvalidFrame(f"{what} lack {', '.join(missing)}")
        for name in {"time", "submitted", "finished"} & set(names):
            if not isinstance(frame[name].dtype, pd.DatetimeTZDtype):
                raise InvalidFrame(f"{name} of {what} has no time zone; use .dt.tz_localize")
    twice = int(executions["parent_id"].duplicated().sum())
    if twice:
        raise InvalidFrame(f"{twice} parents are there more than once; use executions.drop_duplicates('parent_id')")
    if "fill_id" in fills.columns and fills["fill_id"].duplicated().any():
        raise InvalidFrame(f"{int(fills['fill_id'].duplicated().sum())} fills are there more than once")
    if quotes["time"].isna().any():
        raise InvalidFrame(f"{int(quotes['time'].isna().sum())} quotes have no time; leave them out")
