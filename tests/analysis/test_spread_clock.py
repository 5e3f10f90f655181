"""The spread clock: spreads and quoted share by weekday and hour of the exchange, and the window that follows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.analysis.patience_columns import SPREAD_CLOCK, WINDOW
from hydra_nb.analysis.plot_tables import spread_table
from hydra_nb.analysis.spread_clock import from_bid_ask_bars, spread_clock, suggest_window
from hydra_nb.errors import InvalidFrame

START = pd.Timestamp("2027-01-12 15:00", tz="UTC")  # a Tuesday, 09:00 in Chicago
CHICAGO = "America/Chicago"
TICK = 0.25
NAN = np.nan


def quotes_of(*rows: tuple[float, float, float], start: pd.Timestamp = START, symbol: str = "ZOH7") -> pd.DataFrame:
    """Quotes by seconds since the start, bid and ask."""
    return pd.DataFrame(
        {
            "time": pd.DatetimeIndex([start + pd.Timedelta(seconds=second) for second, _, _ in rows]).as_unit("ns"),
            "local_symbol": symbol,
            "bid": [float(bid) for _, bid, _ in rows],
            "ask": [float(ask) for _, _, ask in rows],
        }
    )


def bars_of(*rows: tuple[float, float, float], start: pd.Timestamp = START, apart_s: float = 1_800) -> pd.DataFrame:
    """BID_ASK bars by average bid, average ask, and by how much the extremes lie outside."""
    return pd.DataFrame(
        {
            "date": pd.DatetimeIndex([start + pd.Timedelta(seconds=at * apart_s) for at in range(len(rows))]),
            "open": [bid for bid, _, _ in rows],
            "close": [ask for _, ask, _ in rows],
            "low": [bid - more for bid, _, more in rows],
            "high": [ask + more for _, ask, more in rows],
        }
    )


def clock_of(
    mean: dict[int, float], *, quoted: float = 1.0, recorded_s: float = 3_600, weekday: int = 2
) -> pd.DataFrame:
    """A clock of one weekday by the mean spread of its hours."""
    rows = [
        {
            "weekday": weekday,
            "hour": hour,
            "median_ticks": ticks,
            "mean_ticks": ticks,
            "quoted_share": quoted,
            "recorded_s": recorded_s,
            "days": 3,
            "n": 10,
            "source": "quotes",
        }
        for hour, ticks in mean.items()
    ]
    return pd.DataFrame(rows).astype({"weekday": "Int64", "hour": "Int64", "days": "Int64", "n": "Int64"})


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    """Columns with their dtypes."""
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def test_an_hour_worked_by_hand() -> None:
    """Four ticks for 300 s, twelve for 100 s, a side empty for 100 s: median 4, mean 6, quoted for four fifths."""
    clock = spread_clock(
        quotes_of((0, 370, 371), (300, 370, 373), (400, 370, NAN), (500, 370, 371)), time_zone=CHICAGO, tick=TICK
    )

    (row,) = clock.to_dict("records")
    assert (row["weekday"], row["hour"], row["days"], row["n"], row["source"]) == (2, 9, 1, 2, "quotes")
    assert (row["median_ticks"], row["mean_ticks"]) == (4, 6)
    assert (row["quoted_share"], row["recorded_s"]) == (0.8, 500)


def test_a_quote_over_the_full_hour_counts_in_both() -> None:
    """From 09:58 to 10:05, two minutes here and five there; it began in one of them."""
    clock = spread_clock(quotes_of((58 * 60, 370, 371), (65 * 60, 370, 371)), time_zone=CHICAGO, tick=TICK)

    assert clock["hour"].tolist() == [9, 10]
    assert clock["recorded_s"].tolist() == [120, 300]
    assert clock["n"].tolist() == [1, 0]


def test_the_full_hour_is_struck_to_the_nanosecond() -> None:
    """Half a second before it and half a second after."""
    clock = spread_clock(quotes_of((3_599.5, 370, 371), (3_600.5, 370, 371)), time_zone=CHICAGO, tick=TICK)

    assert clock["recorded_s"].tolist() == [0.5, 0.5]


def test_what_nobody_watched_is_not_recorded() -> None:
    """A quote speaks for ten minutes; the last of a contract, and the night after it, for none."""
    clock = spread_clock(quotes_of((0, 370, 371), (50_000, 370, 371)), time_zone=CHICAGO, tick=TICK)

    assert clock["hour"].tolist() == [9]
    assert clock["recorded_s"].tolist() == [600]


def test_a_locked_or_crossed_market_is_recorded_but_not_quoted() -> None:
    """Nobody can trade inside it, and no spread of zero or less enters the mean."""
    clock = spread_clock(
        quotes_of((0, 370, 371), (100, 371, 371), (200, 372, 371), (300, 370, 371)), time_zone=CHICAGO, tick=TICK
    )

    assert clock["mean_ticks"].tolist() == [4]
    assert clock["quoted_share"].tolist() == pytest.approx([1 / 3])


def test_one_sided_hours_have_no_spread() -> None:
    """NaN, with a quoted share of zero; no error."""
    clock = spread_clock(quotes_of((0, 370, NAN), (60, 370, NAN)), time_zone=CHICAGO, tick=TICK)

    assert clock[["median_ticks", "mean_ticks"]].isna().all(axis=None)
    assert clock["quoted_share"].tolist() == [0]


def test_the_hours_are_those_of_the_exchange_also_when_its_clocks_change() -> None:
    """15:30 UTC is 09:30 in Chicago the week before 14 March 2027, 10:30 the week after; the night it skips 02:00."""
    winter = pd.Timestamp("2027-03-12 15:30", tz="UTC")
    summer = pd.Timestamp("2027-03-15 15:30", tz="UTC")
    night = pd.Timestamp("2027-03-14 07:59", tz="UTC")  # 01:59 in Chicago, a minute before 03:00
    parts = [quotes_of((0, 370, 371), (120, 370, 371), start=start) for start in (winter, summer, night)]

    clock = spread_clock(pd.concat(parts), time_zone=CHICAGO, tick=TICK)

    assert list(zip(clock["weekday"], clock["hour"], strict=True)) == [(1, 10), (5, 9), (7, 1), (7, 3)]
    assert clock["recorded_s"].iloc[2:].tolist() == [60, 60 + 600]  # the last of the night speaks for ten minutes


def test_an_hour_that_clocks_show_twice_holds_two_hours() -> None:
    """On 7 November 2027, 01:00 to 02:00 in Chicago lasts 7,200 s."""
    start = pd.Timestamp("2027-11-07 06:00", tz="UTC")
    every_minute = quotes_of(*((minute * 60, 370, 371) for minute in range(121)), start=start)

    clock = spread_clock(every_minute, time_zone=CHICAGO, tick=TICK)

    assert clock["hour"].tolist() == [1]
    assert clock["recorded_s"].tolist() == [7_200]


SECONDS = st.lists(
    st.tuples(st.integers(0, 20_000), st.sampled_from([370.0, 370.5, NAN]), st.sampled_from([371.0, 373.0, NAN])),
    min_size=2,
    max_size=20,
    unique_by=lambda row: row[0],
)


@settings(max_examples=60, deadline=None)
@given(SECONDS, st.randoms(use_true_random=False))
def test_order_and_copies_of_rows_are_of_no_matter_and_no_second_is_lost(rows: list[Any], dice: Any) -> None:
    """Shuffled, or with every row twice, it is the same clock; its seconds are those of the table by hour."""
    quotes = quotes_of(*rows)
    shuffled = quotes.sample(frac=1, random_state=dice.randrange(1_000))

    clock = spread_clock(quotes, time_zone=CHICAGO, tick=TICK)

    pd.testing.assert_frame_equal(spread_clock(shuffled, time_zone=CHICAGO, tick=TICK), clock)
    pd.testing.assert_frame_equal(spread_clock(pd.concat([quotes, quotes]), time_zone=CHICAGO, tick=TICK), clock)
    table = spread_table(quotes, time_zone=CHICAGO, tick=TICK)
    assert clock["recorded_s"].sum() == pytest.approx(table["seen_s"].sum())
    assert (clock["quoted_share"] * clock["recorded_s"]).sum() == pytest.approx(table["two_sided_s"].sum())
    assert clock["n"].sum() <= table["quotes"].sum()


def test_bars_give_the_same_frame() -> None:
    """Two bars of half an hour with averages of 4 and 8 ticks, one without an ask; then none, which says nothing."""
    clock = from_bid_ask_bars(bars_of((370, 371, 0.5), (370, 372, 1), (370, -1, 0)), time_zone=CHICAGO, tick=TICK)

    nine, ten = clock.to_dict("records")
    assert (nine["hour"], nine["mean_ticks"], nine["quoted_share"], nine["recorded_s"]) == (9, 6, 1, 3_600)
    assert (nine["n"], nine["days"], nine["source"]) == (2, 1, "bars")
    assert (ten["hour"], ten["quoted_share"], ten["recorded_s"]) == (10, 0, 1_800)
    assert dtypes(clock) == {one.name: str(one.kind) for one in SPREAD_CLOCK}


@pytest.mark.parametrize(
    ("bars", "words"),
    [
        (bars_of((370, 371, 0), (370, 371, 0), apart_s=86_400), "bars of 86400.0 s"),
        (bars_of((370, 371, 0)), "bars of nan s"),
        (bars_of((370, 371, -0.25), (370, 371, 0)), "1 bars are none of BID_ASK"),
        (pd.concat([bars_of((370, 371, 0), (370, 371, 0))] * 2), "2 bars are there twice"),
        (bars_of((370, 371, 0), (370, 371, 0)).drop(columns="high"), "bars lack high"),
    ],
)
def test_bars_that_would_give_a_wrong_clock_are_refused(bars: pd.DataFrame, words: str) -> None:
    """Bars of days, one bar of unknown length, bars of trades, bars there twice, a column that lacks."""
    with pytest.raises(InvalidFrame, match=words):
        from_bid_ask_bars(bars, time_zone=CHICAGO, tick=TICK)


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (lambda q: q.assign(time=q["time"].dt.tz_localize(None)), "no time zone"),
        (lambda q: q.drop(columns="ask"), "quotes lack ask"),
        (lambda q: q.assign(time=[q["time"].iloc[0], pd.NaT]), "1 quotes have no time"),
    ],
)
def test_quotes_that_would_give_a_wrong_clock_are_refused(spoilt: Any, words: str) -> None:
    """Times of any zone, or of none."""
    with pytest.raises(InvalidFrame, match=words):
        spread_clock(spoilt(quotes_of((0, 370, 371), (60, 370, 371))), time_zone=CHICAGO, tick=TICK)


def test_a_tick_must_be_positive() -> None:
    """A spread in ticks of zero would be endless."""
    with pytest.raises(InvalidFrame, match="tick 0 is not positive"):
        spread_clock(quotes_of((0, 370, 371)), time_zone=CHICAGO, tick=0)


def test_nothing_gives_the_same_columns() -> None:
    """Empty in, empty out; a window of nothing says that too little is recorded."""
    clock = spread_clock(quotes_of((0, 370, 371)).iloc[:0], time_zone=CHICAGO, tick=TICK)
    of_bars = from_bid_ask_bars(bars_of((370, 371, 0)).iloc[:0], time_zone=CHICAGO, tick=TICK)
    window = suggest_window(clock)

    assert clock.empty
    assert dtypes(clock) == dtypes(of_bars) == {one.name: str(one.kind) for one in SPREAD_CLOCK}
    assert dtypes(window) == {one.name: str(one.kind) for one in WINDOW}
    assert window["reason"].tolist() == ["too little recorded: no 2 h on end have 30 min each"]
    assert window.drop(columns=["reason", "weekdays"]).isna().all(axis=None)


def test_the_window_is_where_crossing_costs_least() -> None:
    """Hours of 8, 4, 2 and 6 ticks: from the second to the third, half of 3, against half of 5 over all."""
    (window,) = suggest_window(clock_of({9: 8, 10: 4, 11: 2, 12: 6})).to_dict("records")

    assert (window["from_hour"], window["to_hour"]) == (10, 12)
    assert (window["half_spread_ticks"], window["saved_ticks"]) == (1.5, 1.0)
    assert (window["quoted_share"], window["recorded_s"], window["days"], window["weekdays"]) == (1, 7_200, 3, "2")
    assert window["reason"] == (
        "1.50 ticks against 2.50 over all recorded hours; 2.0 h recorded, its least recorded hour on 3 days; "
        "the best of 3 windows"
    )


def test_hours_count_by_the_time_that_was_quoted() -> None:
    """Nine tenths of the quoted time at 2 ticks, a tenth at 12, over two weekdays: a mean of 3."""
    monday = clock_of({9: 2}, recorded_s=9_000, weekday=1)
    tuesday = clock_of({9: 12}, quoted=0.5, recorded_s=2_000, weekday=2)

    (window,) = suggest_window(pd.concat([monday, tuesday]), hours=1).to_dict("records")
    (of_tuesday,) = suggest_window(pd.concat([monday, tuesday]), hours=1, weekdays=[2]).to_dict("records")

    assert window["half_spread_ticks"] == 1.5
    assert (window["weekdays"], window["days"]) == ("1 2", 6)
    assert (of_tuesday["half_spread_ticks"], of_tuesday["weekdays"]) == (6, "2")


def test_a_window_may_go_over_midnight_but_over_no_gap() -> None:
    """23:00 to 01:00 is on end; 11 and 13 are not."""
    over = suggest_window(clock_of({0: 2, 11: 1, 13: 1, 23: 2})).iloc[0]

    assert (over["from_hour"], over["to_hour"]) == (23, 1)


def test_no_window_says_why() -> None:
    """Too little recorded, or too seldom quoted: its numbers are unknown."""
    short = suggest_window(clock_of({9: 2, 10: 2}, recorded_s=600)).iloc[0]
    silent = suggest_window(clock_of({9: 2, 10: 2}, quoted=0.3)).iloc[0]

    assert short["reason"] == "too little recorded: no 2 h on end have 30 min each"
    assert silent["reason"] == "both sides showed for at most 30% of a window of 2 h; 50% are asked for"
    assert pd.isna(short["from_hour"])
    assert np.isnan(silent["half_spread_ticks"])


def test_a_window_of_no_hours_cannot_be_asked_for() -> None:
    """One to a day's hours."""
    with pytest.raises(InvalidFrame, match="a window of 0 hours"):
        suggest_window(clock_of({9: 2}), hours=0)
