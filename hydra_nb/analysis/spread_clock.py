"""The spread clock: how wide a market is, and for how much of the time it shows, by weekday and hour of its exchange.

From the quotes that were recorded while working, or from the broker's bars of bid and ask. A quiet market that nobody
watched is not recorded, and nothing is said of it.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from hydra_nb.analysis.columns import make_frame
from hydra_nb.analysis.patience_columns import SPREAD_CLOCK, WINDOW
from hydra_nb.analysis.plot_tables import quote_lives, spread_facts
from hydra_nb.domain.units import NS_PER_S
from hydra_nb.errors import InvalidFrame

HOUR_S: Final = 3_600.0
HOURS: Final = 24
LEAST_RECORDED_S: Final = 1_800.0
"""An hour counts as known from half an hour of records on."""
NOT_TOLD: Final = -1.0
"""What the broker tells of a side that never showed."""


def spread_clock(quotes: pd.DataFrame, *, time_zone: str, tick: Decimal | float) -> pd.DataFrame:
    """Spread and quoted share by weekday and hour of the exchange, from recorded quotes.

    Each quote counts for the time for which it stood: until the next of its contract, at most ten minutes, what is
    longer not being recorded. One that stood over the full hour counts in both. Quotes that are there twice stood for
    no time.

    Parameters
    ----------
    quotes
        Frame with the columns of ``desk.quotes()``, of one contract or of several of one tick; in any order.
    time_zone
        IANA name of the exchange's zone. In an hour that its clocks show twice both count, in one that they skip none.
    tick
        Smallest price step.

    Returns
    -------
    pandas.DataFrame
        Columns of ``spread_clock`` in ``docs/columns.md``, one row a weekday and hour that was recorded, in order.
        Spreads that are not positive are those of a locked or crossed market, which nobody can trade at: its time is
        recorded, and not quoted.

    Raises
    ------
    InvalidFrame
        A column is missing, times lack a zone or are unknown, or the tick is not positive.
    """
    _must_have(quotes, "time", "local_symbol", "bid", "ask", what="quotes")
    lives = quote_lives(quotes)
    spread = (lives["ask"] - lives["bid"]) / _positive(tick)
    return _clock(lives["time"], spread, lives["stood_s"], time_zone=time_zone, source="quotes")


def from_bid_ask_bars(
    bars: pd.DataFrame, *, time_zone: str, tick: Decimal | float, bar_s: float | None = None
) -> pd.DataFrame:
    """The same clock from the broker's BID_ASK bars of one contract.

    Of such a bar ``open`` is the time average of the bid and ``close`` that of the ask, ``low`` the smallest bid and
    ``high`` the largest ask (Interactive Brokers, "TWS API: historical bar data, whatToShow"). Each bar gives one
    spread, the average within it; the median is one of bars, and wide moments within a bar do not show in it. For times
    without a bar nobody knows whether the market was closed or empty: they are not recorded, and the quoted share
    is one of the bars' own time, and may be too high.

    Parameters
    ----------
    bars
        Columns ``date``, ``open``, ``high``, ``low`` and ``close``, one row a bar, in any order.
    time_zone, tick
        As in `spread_clock`.
    bar_s
        Length of a bar, at most an hour; None takes the smallest distance between two.

    Returns
    -------
    pandas.DataFrame
        As `spread_clock`.

    Raises
    ------
    InvalidFrame
        As in `spread_clock`; or bars are there twice, overlap, are longer than an hour, or are no BID_ASK bars.
    """
    _must_have(bars, "date", "open", "high", "low", "close", what="bars")
    ordered = bars.sort_values("date", kind="stable")
    apart_s = ordered["date"].diff().dt.total_seconds().iloc[1:]
    if (apart_s == 0).any():
        raise InvalidFrame(f"{int((apart_s == 0).sum())} bars are there twice; give those of one contract, each once")
    length_s = apart_s.min() if bar_s is None else bar_s
    if not ordered.empty and not 0 < length_s <= HOUR_S:
        raise InvalidFrame(f"bars of {length_s} s: give bar_s, the length of a bar, at most {HOUR_S:,.0f} s")
    if (apart_s < length_s).any():
        raise InvalidFrame(f"{int((apart_s < length_s).sum())} bars begin before the one before them is over")
    both = (ordered["open"] != NOT_TOLD) & (ordered["close"] != NOT_TOLD)
    outside = both & ((ordered["low"] > ordered["open"]) | (ordered["close"] > ordered["high"]))
    if outside.any():
        raise InvalidFrame(f"{int(outside.sum())} bars are none of BID_ASK: an average lies outside low and high")
    spread = ((ordered["close"] - ordered["open"]) / _positive(tick)).where(both)
    stood_s = pd.Series(float(length_s), index=ordered.index)
    return _clock(ordered["date"], spread, stood_s, time_zone=time_zone, source="bars")


def suggest_window(
    clock: pd.DataFrame,
    *,
    hours: int = 2,
    least_quoted: float = 0.5,
    least_recorded_s: float = LEAST_RECORDED_S,
    weekdays: Sequence[int] | None = None,
) -> pd.DataFrame:
    """The hours on end in which crossing half the spread is expected to cost least, with what that rests on.

    Weekdays are taken together, as an hour of one weekday alone is soon the best by chance; of many windows the best is
    still likelier to have been lucky than another, so that less than ``saved_ticks`` is to be hoped for.

    Parameters
    ----------
    clock
        What `spread_clock` or `from_bid_ask_bars` gave.
    hours
        Length of the window, 1 to 24.
    least_quoted
        Share of its recorded time in which both sides must have shown.
    least_recorded_s
        Seconds of records that each of its hours must have.
    weekdays
        Only these, Monday is 1; None takes all that are recorded.

    Returns
    -------
    pandas.DataFrame
        Columns of ``suggest_window`` in ``docs/columns.md``; one row. Where there is no window its numbers are unknown
        and ``reason`` says why.

    Raises
    ------
    InvalidFrame
        A column is missing, or `hours` is no number of hours.
    """
    _must_have(clock, *(one.name for one in SPREAD_CLOCK), what="clock")
    if not 1 <= hours <= HOURS:
        raise InvalidFrame(f"a window of {hours} hours; 1 to {HOURS} can be asked for")
    wanted = clock if weekdays is None else clock[clock["weekday"].isin(list(weekdays))]
    days = " ".join(str(day) for day in sorted(wanted["weekday"].unique()))
    by_hour = _by_hour(wanted)
    candidates = [
        found
        for start in range(HOURS)
        if (found := _window(by_hour, [(start + at) % HOURS for at in range(hours)], least_s=least_recorded_s))
        is not None
    ]
    quoted = [found for found in candidates if found["quoted_share"] >= least_quoted and found["quoted_s"] > 0]
    if not quoted:
        return make_frame(WINDOW, [_none(days, candidates, hours, least_quoted, least_recorded_s)])
    best = min(quoted, key=lambda found: (round(found["half_spread_ticks"], 9), found["from_hour"]))
    usual = (by_hour["spread_s"].sum() / by_hour["quoted_s"].sum()) / 2
    reason = (
        f"{best['half_spread_ticks']:.2f} ticks against {usual:.2f} over all recorded hours; "
        f"{best['recorded_s'] / HOUR_S:.1f} h recorded, its least recorded hour on {best['days']} days; "
        f"the best of {len(quoted)} windows"
    )
    return make_frame(
        WINDOW, [{**best, "weekdays": days, "saved_ticks": usual - best["half_spread_ticks"], "reason": reason}]
    )


def _by_hour(clock: pd.DataFrame) -> pd.DataFrame:
    """Sums over the weekdays of each hour: recorded and quoted seconds, spread times quoted seconds, days."""
    quoted_s = clock["quoted_share"] * clock["recorded_s"]
    sums = pd.DataFrame(
        {
            "hour": clock["hour"].astype("int64"),
            "recorded_s": clock["recorded_s"],
            "quoted_s": quoted_s,
            "spread_s": (clock["mean_ticks"] * quoted_s).fillna(0.0),
            "days": clock["days"].astype("int64"),
        }
    )
    return sums.groupby("hour").sum().reindex(range(HOURS), fill_value=0)


def _window(by_hour: pd.DataFrame, hours: Sequence[int], *, least_s: float) -> dict[str, Any] | None:
    """Facts of one window; None where one of its hours has too few records."""
    inside = by_hour.loc[list(hours)]
    if (inside["recorded_s"] < least_s).any() or (inside["recorded_s"] <= 0).any():
        return None
    recorded_s, quoted_s = float(inside["recorded_s"].sum()), float(inside["quoted_s"].sum())
    return {
        "from_hour": hours[0],
        "to_hour": (hours[-1] + 1) % HOURS,
        "half_spread_ticks": float(inside["spread_s"].sum()) / quoted_s / 2 if quoted_s > 0 else np.nan,
        "quoted_share": quoted_s / recorded_s,
        "quoted_s": quoted_s,
        "recorded_s": recorded_s,
        "days": int(inside["days"].min()),
    }


def _none(
    days: str, candidates: Sequence[dict[str, Any]], hours: int, least_quoted: float, least_recorded_s: float
) -> dict[str, Any]:
    """The row that says why there is no window."""
    if candidates:
        most = max(found["quoted_share"] for found in candidates)
        reason = f"both sides showed for at most {most:.0%} of a window of {hours} h; {least_quoted:.0%} are asked for"
    else:
        reason = f"too little recorded: no {hours} h on end have {least_recorded_s / 60:,.0f} min each"
    return {one.name: None for one in WINDOW} | {"weekdays": days, "reason": reason}


# The arithmetic of both sources


def _clock(times: pd.Series, spread: pd.Series, stood_s: pd.Series, *, time_zone: str, source: str) -> pd.DataFrame:
    """Rows by weekday and hour of spreads, in ticks, that stood for so long from each time on."""
    tradable = spread.where(spread > 0)
    parts = pd.concat(_by_full_hour(times, tradable, stood_s, time_zone=time_zone), ignore_index=True)
    rows = []
    for (weekday, hour), cell in parts.groupby(["weekday", "hour"], sort=True):
        facts = spread_facts(cell["spread"], cell["stood_s"])
        recorded_s, quoted_s = float(cell["stood_s"].sum()), float(facts["two_sided_s"] or 0.0)
        rows.append(
            {
                "weekday": weekday,
                "hour": hour,
                "median_ticks": facts["median"],
                "mean_ticks": facts["mean"],
                "quoted_share": quoted_s / recorded_s,
                "recorded_s": recorded_s,
                "days": cell["date"].nunique(),
                "n": int((cell["spread"].notna() & cell["begins"]).sum()),
                "source": source,
            }
        )
    return make_frame(SPREAD_CLOCK, rows)


def _by_full_hour(times: pd.Series, spread: pd.Series, stood_s: pd.Series, *, time_zone: str) -> Iterator[pd.DataFrame]:
    """What stood for some time, parted where the exchange's clocks strike the hour; none stands over two such."""
    local = times.dt.tz_convert(time_zone)
    seconds = (local.dt.minute * 60 + local.dt.second).astype("int64")
    left_ns = (3_600 - seconds) * NS_PER_S - local.dt.microsecond * 1_000 - local.dt.nanosecond
    first_s = np.minimum(stood_s, left_ns / NS_PER_S)
    for begin, part_s, begins in (
        (local, first_s, True),
        ((times + pd.to_timedelta(left_ns, unit="ns")).dt.tz_convert(time_zone), stood_s - first_s, False),
    ):
        part = pd.DataFrame(
            {
                "weekday": begin.dt.day_of_week + 1,
                "hour": begin.dt.hour,
                "date": begin.dt.date,
                "spread": spread,
                "stood_s": part_s,
                "begins": begins,
            }
        )
        yield part[part_s > 0]


def _must_have(frame: pd.DataFrame, *names: str, what: str) -> None:
    """Refuse a frame without its columns, or with times that are unknown or could be of any zone."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise InvalidFrame(f"{what} lack {', '.join(missing)}")
    for name in {"time", "date"} & set(names):
        if not isinstance(frame[name].dtype, pd.DatetimeTZDtype):
            raise InvalidFrame(f"{name} of {what} has no time zone; use .dt.tz_localize")
        if frame[name].isna().any():
            raise InvalidFrame(f"{int(frame[name].isna().sum())} {what} have no {name}; leave them out")


def _positive(tick: Decimal | float) -> float:
    if not float(tick) > 0:
        raise InvalidFrame(f"tick {tick} is not positive")
    return float(tick)
