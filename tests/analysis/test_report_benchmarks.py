"""What the fills of an order are measured by: benchmarks from the journal, and the mean of mids over an interval."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra_nb.analysis.report.benchmarks import time_weighted_mid
from hydra_nb.analysis.report.facts import gather
from hydra_nb.domain.units import NS_PER_S, Side

from .report_story import told
from .story import START_NS, ns


def test_benchmarks_are_paid_against_each_reference() -> None:
    """One lot at 370.5 and two at 371: a point in all over arrival, 50 USD a point; TWAP of 20 s, 120 s and 20 s."""
    held = gather(told().journal, "P-0001").frame("report.benchmarks").set_index("benchmark")

    assert held["slippage_cash"].round(6).to_dict() == {
        "arrival": 50.0,
        "decision": 50.0,
        "order": 50.0,
        "interval TWAP": pytest.approx((1112.5 - 3 * held.loc["interval TWAP", "price"]) * 50),
    }
    twap = (30 * 370.5 + 120 * 371.5 + 20 * 373) / 170
    assert held.loc["interval TWAP", "price"] == pytest.approx(twap)
    assert held.loc["arrival", "slippage_ticks"] == pytest.approx(4 / 3)
    assert held.loc["arrival", "slippage_bps"] == pytest.approx(1 / 3 / 370.5 * 1e4)
    assert "known for 100.0" in held.loc["interval TWAP", "words"]


def test_what_a_buy_pays_a_sell_gains() -> None:
    """The same fills on the other side have every cost with the other sign."""
    bought, sold = (gather(told(side=side).journal, "P-0001").frame("report.benchmarks") for side in Side)

    for unit in ("ticks", "bps", "cash"):
        assert sold[f"slippage_{unit}"].tolist() == pytest.approx([-cost for cost in bought[f"slippage_{unit}"]])


def quotes_of(*rows: tuple[float, float | None, float | None]) -> pd.DataFrame:
    """Quotes at seconds after the start."""
    frame = pd.DataFrame(rows, columns=["time", "bid", "ask"])
    times = pd.to_datetime([ns(seconds) for seconds in frame["time"]], utc=True)
    return frame.assign(time=times, bid_size=1.0, ask_size=1.0).astype({"bid": "float64", "ask": "float64"})


def test_a_mid_counts_for_as_long_as_both_sides_show() -> None:
    """Ten of forty seconds have no ask, ten are crossed: of the rest the mean, and that half is known."""
    quotes = quotes_of((-5, 10, 12), (10, 10, None), (20, 12, 12), (30, 14, 16))

    mid, share = time_weighted_mid(quotes, begin_ns=START_NS, end_ns=ns(40))

    assert (mid, share) == (13.0, 0.5)


def test_a_quote_speaks_for_ten_minutes_at_most() -> None:
    """What stood for an hour is taken for known for ten minutes only; where nothing is known the mid is NaN."""
    mid, share = time_weighted_mid(quotes_of((0, 10, 12)), begin_ns=START_NS, end_ns=ns(3_600))
    unknown = time_weighted_mid(quotes_of((-3_600, 10, 12)), begin_ns=START_NS, end_ns=ns(60))

    assert (mid, share) == (11.0, pytest.approx(1 / 6))
    assert np.isnan(unknown[0])
    assert unknown[1] == 0.0


@given(
    rows=st.lists(st.tuples(st.integers(-100, 200), st.integers(1, 50), st.none() | st.integers(1, 50)), min_size=1),
    length_s=st.integers(1, 150),
)
def test_a_mean_of_mids_lies_between_them(rows: list[tuple[int, int, int | None]], length_s: int) -> None:
    """For quotes in any order, one-sided and crossed ones among them; and no more than all of the time is known."""
    quotes = quotes_of(*rows)

    mid, share = time_weighted_mid(quotes, begin_ns=START_NS, end_ns=START_NS + length_s * NS_PER_S)

    mids = [(bid + ask) / 2 for _, bid, ask in rows if ask is not None and bid < ask]
    assert 0 <= share <= 1
    assert np.isnan(mid) == (share == 0)
    assert np.isnan(mid) or min(mids) - 1e-9 <= mid <= max(mids) + 1e-9
