"""Regret: bounds of what crossing, patience and TWAP would have cost on recorded quotes, worked by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra_nb.analysis.patience_columns import REGRET
from hydra_nb.analysis.regret import ALTERNATIVES, regret
from hydra_nb.errors import InvalidFrame

from .story import OATS

START = pd.Timestamp("2027-01-12 15:00", tz="UTC")
NAN = np.nan
INSTRUMENTS = {"ZOK6": OATS}
MOVED = "our own orders moved these quotes"


def at(seconds: float) -> pd.Timestamp:
    """A time by seconds after arrival."""
    return (START + pd.Timedelta(seconds=seconds)).as_unit("ns")


def quotes_of(*rows: tuple[float, ...]) -> pd.DataFrame:
    """Quotes by seconds, bid, ask, and where told bid size, ask size, last, its size, volume."""
    whole = [(*row, *(5, 5, NAN, NAN, NAN)[len(row) - 3 :]) for row in rows]
    names = ("bid", "ask", "bid_size", "ask_size", "last", "last_size", "volume")
    columns: dict[str, Any] = {name: [float(row[1 + n]) for row in whole] for n, name in enumerate(names)}
    times = pd.DatetimeIndex([at(row[0]) for row in whole], tz="UTC")
    return pd.DataFrame({"time": times, "local_symbol": "ZOK6", **columns})


def executions_of(
    *,
    side: str = "BUY",
    lots: int = 4,
    filled: int = 4,
    arrival: float = 371.0,
    over_s: float | None = 500,
    **more: Any,
) -> pd.DataFrame:
    """One parent of oats."""
    row = {
        "parent_id": "P-0001",
        "submitted": at(0),
        "finished": pd.NaT if over_s is None else at(over_s),
        "symbol": "ZO",
        "local_symbol": "ZOK6",
        "side": side,
        "lots": lots,
        "filled_lots": filled,
        "strategy": "limit_patience",
        "arrival_mid": arrival,
        **more,
    }
    return pd.DataFrame([row]).assign(finished=lambda frame: pd.to_datetime(frame["finished"], utc=True))


def fills_of(*rows: tuple[int, float]) -> pd.DataFrame:
    """Fills of the parent by lots and price."""
    return pd.DataFrame(
        {
            "parent_id": pd.Series(["P-0001"] * len(rows), dtype="str"),
            "lots": pd.array([lots for lots, _ in rows], dtype="Int64"),
            "price": [float(price) for _, price in rows],
        }
    )


def compared(
    quotes: pd.DataFrame,
    *,
    fills: tuple[tuple[int, float], ...] = ((4, 371.0),),
    how: dict[str, Any] | None = None,
    **order: Any,
) -> dict[str, dict[str, Any]]:
    """Rows of regret by alternative."""
    filled = sum(lots for lots, _ in fills)
    frame = regret(
        executions_of(filled=filled, **order), fills_of(*fills), quotes, instruments=INSTRUMENTS, **(how or {})
    )
    return {str(row["alternative"]): {str(k): v for k, v in row.items()} for row in frame.to_dict("records")}


def bounds(row: dict[str, Any]) -> tuple[float, ...]:
    """Filled lots and cost, each at the least and the most."""
    return tuple(row[name] for name in ("filled_low_lots", "filled_high_lots", "cost_low_ticks", "cost_high_ticks"))


EVERY_MINUTE = tuple((float(60 * minute), 370.0, 372.0) for minute in range(60))
"""A spread of 8 ticks that stands for an hour."""


def test_crossing_within_what_is_shown_costs_half_the_spread() -> None:
    """Five lots stand at the ask, four are wanted: 4 ticks, against an actual cost of none: regret of −4 surely."""
    row = compared(quotes_of(*EVERY_MINUTE))["cross_at_once"]

    assert bounds(row) == (4, 4, 4, 4)
    assert row["actual_ticks"] == 0
    assert (row["regret_low_ticks"], row["regret_high_ticks"]) == (-4, -4)
    assert row["lacks"] == MOVED


def test_beyond_what_is_shown_the_touch_is_the_least_and_nothing_the_most() -> None:
    """Eight lots of which five are shown: at least 4 ticks a lot, and who knows how much more."""
    row = compared(quotes_of(*EVERY_MINUTE), fills=((8, 371.25),), lots=8)["cross_at_once"]

    assert bounds(row)[:3] == (5, 8, 4)
    assert np.isnan(row["cost_high_ticks"])
    assert np.isnan(row["regret_low_ticks"])
    assert row["regret_high_ticks"] == 1 - 4
    assert row["lacks"].startswith("3 of 8 lots lie beyond those shown")


def test_what_stayed_open_is_valued_at_the_common_end() -> None:
    """Two of four lots filled at the mid; the others stand 4 ticks worse when it is over: 2 ticks a lot."""
    quotes = quotes_of((0, 370, 372), (490, 371, 373), (525, 371, 373))

    row = compared(quotes, fills=((2, 371.0),))["cross_at_once"]

    assert (row["actual_ticks"], row["end_mid"]) == (2, 372)
    assert row["regret_low_ticks"] == row["regret_high_ticks"] == 2 - 4


def test_patience_that_nobody_meets_crosses_in_the_end() -> None:
    """Mid 371, a step to 371.25, the ask at 372, where five are shown: all four lots, 4 ticks."""
    row = compared(quotes_of(*EVERY_MINUTE))["patience"]

    assert bounds(row) == (4, 4, 4, 4)
    assert row["lacks"] == MOVED


def test_patience_that_is_traded_through_surely_fills() -> None:
    """Three lots printed at 370.75 while it rested at 371: three surely at no cost; the fourth perhaps, or across."""
    through = ((30.0, 370.0, 372.0, 5, 5, 370.0, 1, 10), (40.0, 370.0, 372.0, 5, 5, 370.75, 3, 13))

    row = compared(quotes_of(EVERY_MINUTE[0], *through, *EVERY_MINUTE[1:]))["patience"]

    assert bounds(row) == (4, 4, 0, 1)


def test_patience_that_is_touched_may_have_filled_or_not() -> None:
    """Four lots printed at its price: all at no cost, or all across for 4 ticks."""
    touch = ((30.0, 370.0, 372.0, 5, 5, 370.0, 1, 10), (40.0, 370.0, 372.0, 5, 5, 371.0, 4, 14))

    row = compared(quotes_of(EVERY_MINUTE[0], *touch, *EVERY_MINUTE[1:]))["patience"]

    assert bounds(row) == (4, 4, 0, 4)


def test_patience_that_is_quoted_through_surely_fills_what_was_shown() -> None:
    """Two lots are offered at 370.5, below its 371, twice: that may be the same two."""
    lower = ((30.0, 370.0, 370.5, 5, 2), (40.0, 370.0, 372.0), (50.0, 370.0, 370.5, 5, 2), (55.0, 370.0, 372.0))

    row = compared(quotes_of(EVERY_MINUTE[0], *lower, *EVERY_MINUTE[1:]))["patience"]

    assert bounds(row) == (4, 4, 0, 2)


def test_size_shown_again_at_a_later_stage_may_be_the_same() -> None:
    """Two lots below its price at mid, and two at the step: two surely fill, the others perhaps not until the ask."""
    lower = [(30.0, 370.0, 370.5, 5, 2), (40.0, 370.0, 372.0), (330.0, 370.0, 370.5, 5, 2), (340.0, 370.0, 372.0)]

    row = compared(quotes_of(*sorted([*EVERY_MINUTE, *lower])))["patience"]

    assert bounds(row) == (4, 4, 0, 2)


def test_an_ask_at_its_price_is_a_touch_and_no_more() -> None:
    """Two lots are offered at 371, where it rests: who was first in the queue nobody knows."""
    touch = ((30.0, 370.0, 371.0, 5, 2), (40.0, 370.0, 372.0))

    row = compared(quotes_of(EVERY_MINUTE[0], *touch, *EVERY_MINUTE[1:]))["patience"]

    assert bounds(row) == (4, 4, 0, 4)


def test_order_and_alternative_are_valued_at_one_end_the_later_of_both() -> None:
    """The order was over after 500 s, patience after 525 s, and in between the mid went up by 2."""
    rows = compared(
        quotes_of(*EVERY_MINUTE[:8], (490, 370, 372), (510, 372, 374), (530, 376, 378)), fills=((2, 371.0),)
    )

    assert (rows["cross_at_once"]["end_mid"], rows["cross_at_once"]["actual_ticks"]) == (371, 0)
    assert (rows["patience"]["end_mid"], rows["patience"]["actual_ticks"]) == (373, 4)


def test_patience_without_an_end_to_cross_to_stays_open() -> None:
    """The ask leaves after a minute: nothing was touched, and what is left is valued at the mid last seen."""
    quotes = quotes_of(*EVERY_MINUTE[:2], *((second, 370.0, NAN) for second in range(90, 1_600, 60)))

    row = compared(quotes)["patience"]

    assert row["filled_low_lots"] == row["filled_high_lots"] == 0
    assert row["end_mid"] == 371  # that of 60 s, young enough at the end
    assert row["cost_low_ticks"] == row["cost_high_ticks"] == 0


@pytest.mark.parametrize(
    "trade",
    [
        (40.0, 370.0, 372.0, 5, 5, 371.75, 1, 13),  # two more traded, at prices that no row tells
        (40.0, 370.0, 372.0, 5, 5, 371.75, 1, 10),
    ],
)
def test_trades_whose_price_no_row_tells_may_have_been_ours(trade: tuple[float, ...]) -> None:
    """The volume grew by three and the last trade had one lot: perhaps the others filled us; else nothing did."""
    quotes = quotes_of((0.0, 370.0, 372.0, 5, 5, 372.0, 1, 10), trade, *EVERY_MINUTE[1:])

    row = compared(quotes)["patience"]

    assert bounds(row) == (4, 4, 0 if trade[-1] == 13 else 4, 4)


def test_the_first_trades_that_are_told_may_have_been_ours() -> None:
    """Of them nobody knows when they were."""
    quotes = quotes_of(EVERY_MINUTE[0], (40.0, 370.0, 372.0, 5, 5, 372.0, 3, 3), *EVERY_MINUTE[1:])

    assert bounds(compared(quotes)["patience"]) == (4, 4, 0, 4)


def test_our_own_bid_is_taken_out_of_the_market_that_patience_is_priced_by() -> None:
    """Without us the bid is at 370 and the step goes to 371.25; seen with our own 371 it would go to 371.75.

    Half a minute into the step four lots are offered at 371.5: through the one price, and not to the other.
    """
    rows = [(0.0, 370.0, 372.0), (1.0, 371.0, 372.0, 4, 5), (301.0, 371.25, 372.0, 4, 5), (330.0, 371.25, 371.5, 4, 4)]
    quotes = quotes_of(*rows, (340.0, 371.25, 372.0, 4, 5), (440.0, 371.25, 372.0, 4, 5), *EVERY_MINUTE[8:])
    stages = pd.DataFrame(
        {
            "order_ref": "a",
            "stage": ["mid", "step"],
            "local_symbol": "ZOK6",
            "side": "BUY",
            "lots": [4, 4],
            "filled_lots": [0, 0],
            "limit_price": [371.0, 371.25],
            "begun": [at(0.5), at(300.5)],
            "worked_s": [300.0, 150.0],
            "filled_at": "",
        }
    )

    with_us = regret(executions_of(), fills_of((4, 371)), quotes, instruments=INSTRUMENTS)
    without = regret(executions_of(), fills_of((4, 371)), quotes, stages=stages, instruments=INSTRUMENTS)

    costs = [
        tuple(frame.set_index("alternative").loc["patience", ["cost_low_ticks", "cost_high_ticks"]])
        for frame in (with_us, without)
    ]
    assert costs == [(3, 3), (4, 4)]


def test_a_crossed_market_is_no_price_to_cross_at_and_may_have_filled_what_rested() -> None:
    """What of it was real nobody knows: no cost of crossing at that moment, and a perhaps for patience."""
    at_arrival = compared(quotes_of((0, 372, 371), *EVERY_MINUTE[1:]))
    later = compared(quotes_of(EVERY_MINUTE[0], (30, 371, 370.5), (31, 370, 372), *EVERY_MINUTE[1:]))

    assert np.isnan(at_arrival["cross_at_once"]["cost_low_ticks"])
    assert at_arrival["cross_at_once"]["lacks"].startswith("nobody was quoted to cross to at 1 of 1 moments")
    assert bounds(later["patience"]) == (4, 4, 0, 4)


def test_silence_of_the_record_is_a_perhaps_and_said() -> None:
    """From 30 s to 1,000 s nothing was recorded: who knows what filled; its later stages cannot be priced."""
    quotes = quotes_of((0, 370, 372), (30, 370, 372), (1_000, 370, 372))

    row = compared(quotes, how={"tolerance": "60s"})["patience"]

    assert np.isnan(row["cost_low_ticks"])
    assert row["lacks"] == f"no quote to price its stage step by; {MOVED}"

    shorter = quotes_of((0, 370, 372), (290, 370, 372), *EVERY_MINUTE[5:])
    told = compared(shorter, how={"tolerance": "100s"})["patience"]

    assert bounds(told) == (4, 4, 0, 4)
    assert told["lacks"] == f"no quotes for 190 s of it; {MOVED}"


def test_a_twap_of_its_own_schedule_crosses_at_each_start() -> None:
    """Two slices of two lots, at half-spreads of 4 and 2 ticks, the mid having gone up by 2: 4 ticks each."""
    quotes = quotes_of((0, 370, 372), (200, 371, 372), (500, 371, 372))
    slices = pd.DataFrame(
        {
            "parent_id": "P-0001",
            "slice": [1, 2],
            "start": pd.DatetimeIndex([at(0), at(210)]),
            "lots": [2, 2],
            "wait_mid_s": 20.0,
            "wait_step_s": 10.0,
            "wait_cross_s": 5.0,
        }
    )

    frame = regret(
        executions_of(strategy="twap"), fills_of((4, 371)), quotes, slices, instruments=INSTRUMENTS
    ).set_index("alternative")

    assert frame.loc["twap", "cost_low_ticks"] == frame.loc["twap", "cost_high_ticks"] == 4
    assert frame.loc["twap", "quotes"] == 2


def test_a_twap_by_default_needs_quotes_for_as_long_as_it_lasts() -> None:
    """Four lots are four slices, 600 s apart; where the record ends sooner that is said."""
    whole = compared(quotes_of(*EVERY_MINUTE))["twap"]
    short = compared(quotes_of(*EVERY_MINUTE[:12]))["twap"]

    assert bounds(whole) == (4, 4, 4, 4)
    assert np.isnan(short["cost_low_ticks"])
    assert short["lacks"].startswith("nobody was quoted to cross to at 1 of 4 moments")


def test_an_order_of_patience_is_held_against_its_own_ladder() -> None:
    """Its stages were of 20, 10 and 5 s, so that the ask of after 35 s does not count."""
    quotes = quotes_of((0, 370, 372), (40, 371, 371.5), (500, 371, 371.5))
    slices = pd.DataFrame(
        {
            "parent_id": ["P-0001"],
            "slice": [1],
            "start": pd.DatetimeIndex([at(0)]),
            "lots": [4],
            "wait_mid_s": 20.0,
            "wait_step_s": 10.0,
            "wait_cross_s": 5.0,
        }
    )

    with_own = regret(executions_of(), fills_of((4, 371)), quotes, slices, instruments=INSTRUMENTS)
    without = regret(executions_of(), fills_of((4, 371)), quotes, instruments=INSTRUMENTS)

    costs = [frame.set_index("alternative").loc["patience", "cost_high_ticks"] for frame in (with_own, without)]
    assert costs == [4, 2]


@pytest.mark.parametrize(
    ("order", "quotes", "how", "words"),
    [
        ({}, quotes_of(*EVERY_MINUTE).iloc[:0], {}, "no quotes of ZOK6 were recorded"),
        ({"over_s": None}, quotes_of(*EVERY_MINUTE), {}, "it is not over yet"),
        ({"arrival": NAN}, quotes_of(*EVERY_MINUTE), {}, "there was no mid at its arrival"),
        ({}, quotes_of(*EVERY_MINUTE), {"instruments": None}, "the tick of ZOK6 is not told: give instruments"),
    ],
)
def test_what_cannot_be_known_is_nan_with_the_reason(
    order: dict[str, Any], quotes: pd.DataFrame, how: dict[str, Any], words: str
) -> None:
    """No quotes, an order at work, no arrival, no tick: three rows, and no number in them."""
    frame = regret(executions_of(**order), fills_of((4, 371)), quotes, **{"instruments": INSTRUMENTS, **how})

    assert frame["alternative"].tolist() == list(ALTERNATIVES)
    assert frame["lacks"].tolist() == [words] * 3
    assert frame.loc[:, "actual_ticks":"regret_high_ticks"].isna().all(axis=None)  # type: ignore[misc]


def test_fills_that_are_not_all_give_no_actual_cost() -> None:
    """Three lots of four are given: the alternative has its cost, the regret has none."""
    frame = regret(executions_of(), fills_of((3, 371)), quotes_of(*EVERY_MINUTE), instruments=INSTRUMENTS)

    row = frame.iloc[0]
    assert row["cost_low_ticks"] == 4
    assert np.isnan(row["regret_low_ticks"])
    assert "the fills given are not the 4 lots that were filled" in row["lacks"]


def test_ticks_may_come_from_a_frame() -> None:
    """Local symbol and tick are enough."""
    told = pd.DataFrame({"local_symbol": ["ZOK6"], "tick": [0.5]})

    frame = regret(executions_of(), fills_of((4, 371)), quotes_of(*EVERY_MINUTE), instruments=told)

    assert frame["cost_low_ticks"].iloc[0] == 2


PRICES = st.integers(-8, 8).map(lambda ticks: ticks * 0.25)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 3_000),
        PRICES,
        st.integers(1, 12),
        st.integers(1, 9),
        st.integers(1, 9),
        PRICES,
        st.integers(0, 4),
    ),
    min_size=3,
    max_size=25,
    unique_by=lambda row: row[0],
)


def drawn(rows: list[tuple[Any, ...]], *, base: float = 370.0) -> pd.DataFrame:
    """Quotes of drawn bids, spreads and prints; the volume grows with the prints, and arrival has a quote."""
    made, volume = [(0.0, base, base + 1, 3, 3, base, 1, 0.0)], 0.0
    for second, bid, spread, bid_lots, ask_lots, last, lots in sorted(rows):
        volume += lots
        made.append((second, base + bid, base + bid + spread * 0.25, bid_lots, ask_lots, base + last, lots, volume))
    return quotes_of(*made, (3_100.0, base, base + 1, 3, 3, base, 0, volume))


def mirrored(quotes: pd.DataFrame) -> pd.DataFrame:
    """The same market with all prices negative, and bids where asks were."""
    turned = quotes.assign(last=-quotes["last"])
    turned[["bid", "ask"]] = -quotes[["ask", "bid"]].to_numpy()
    turned[["bid_size", "ask_size"]] = quotes[["ask_size", "bid_size"]].to_numpy()
    return turned


NUMBERS = [one.name for one in REGRET if one.name.endswith(("_ticks", "_lots", "quotes"))]


@settings(max_examples=80, deadline=None)
@given(ROWS, st.integers(0, 4), PRICES, st.randoms(use_true_random=False))
def test_buys_and_sells_mirror_and_rows_may_come_in_any_order_and_twice(
    rows: list[Any], filled: int, paid: float, dice: Any
) -> None:
    """A sell in the market of turned prices costs what the buy does; shuffled and doubled quotes change nothing."""
    quotes, arrival, price = drawn(rows), 370.5, 370.5 + paid
    how: dict[str, Any] = {"instruments": INSTRUMENTS, "patience_s": 600}
    shuffled = pd.concat([quotes, quotes]).sample(frac=1, random_state=dice.randrange(1_000))
    order = executions_of(filled=filled, arrival=arrival)
    fills = fills_of((filled, price)) if filled else fills_of()

    bought = regret(order, fills, quotes, **how)
    again = regret(order, fills, shuffled, **how)
    sold = regret(
        order.assign(side="SELL", arrival_mid=-arrival), fills.assign(price=-fills["price"]), mirrored(quotes), **how
    )

    pd.testing.assert_frame_equal(again, bought)
    pd.testing.assert_frame_equal(sold[NUMBERS], bought[NUMBERS])
    assert sold["lacks"].tolist() == bought["lacks"].tolist()


@settings(max_examples=80, deadline=None)
@given(ROWS)
def test_bounds_are_in_order(rows: list[Any]) -> None:
    """The least is never above the most, in lots and in cost; regrets turn around."""
    frame = regret(executions_of(), fills_of((4, 371)), drawn(rows), instruments=INSTRUMENTS)

    assert (frame["filled_low_lots"] <= frame["filled_high_lots"]).all()
    assert (frame["filled_high_lots"] <= frame["lots"]).all()
    both = frame.dropna(subset=["cost_low_ticks", "cost_high_ticks"])
    assert (both["cost_low_ticks"] <= both["cost_high_ticks"] + 1e-9).all()
    assert (both["regret_low_ticks"] <= both["regret_high_ticks"] + 1e-9).all()


def test_nothing_gives_the_same_columns() -> None:
    """No parent, no row, and the same dtypes."""
    none = regret(executions_of().iloc[:0], fills_of(), quotes_of(*EVERY_MINUTE), instruments=INSTRUMENTS)
    some = regret(executions_of(), fills_of((4, 371)), quotes_of(*EVERY_MINUTE), instruments=INSTRUMENTS)

    assert none.empty
    for frame in (none, some):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {one.name: str(one.kind) for one in REGRET}


@pytest.mark.parametrize(
    ("order", "quotes", "words"),
    [
        (pd.concat([executions_of()] * 2), quotes_of(*EVERY_MINUTE), "1 parents are there more than once"),
        (executions_of().drop(columns="side"), quotes_of(*EVERY_MINUTE), "executions lack side"),
        (executions_of(), quotes_of(*EVERY_MINUTE).drop(columns="volume"), "quotes lack volume"),
        (
            executions_of(),
            quotes_of(*EVERY_MINUTE).assign(time=lambda q: q["time"].dt.tz_localize(None)),
            "time of quotes has no time zone",
        ),
    ],
)
def test_frames_that_would_give_a_wrong_number_are_refused(
    order: pd.DataFrame, quotes: pd.DataFrame, words: str
) -> None:
    """Parents there twice, columns that lack, times of any zone."""
    with pytest.raises(InvalidFrame, match=words):
        regret(order, fills_of((4, 371)), quotes, instruments=INSTRUMENTS)
