"""What the fills of an order are measured by, on its page."""

import pytest

from hydra_nb.analysis.report.facts import gather
from hydra_nb.domain.units import Side

from .report_story import told


def test_benchmarks_are_paid_against_each_reference() -> None:
    """One lot at 370.5 and two at 371: a point in all over arrival, 50 USD a point; TWAP of 20 s, 120 s and 20 s."""
    held = gather(told().journal, "P-0001").frame("report.benchmarks").set_index("benchmark")

    assert held["slippage_cash"].round(6).dropna().to_dict() == {
        "decision": 50.0,
        "arrival": 50.0,
        "order": 50.0,
        "interval TWAP": pytest.approx((1112.5 - 3 * held.loc["interval TWAP", "price"]) * 50),
    }
    assert held.loc["interval VWAP", "lots"] == 0  # nothing was printed
    twap = (30 * 370.5 + 120 * 371.5 + 20 * 373) / 170
    assert held.loc["interval TWAP", "price"] == pytest.approx(twap)
    assert held.loc["arrival", "slippage_ticks"] == pytest.approx(4 / 3)
    assert held.loc["arrival", "slippage_bps"] == pytest.approx(1 / 3 / 370.5 * 1e4)
    assert held.loc[["decision", "arrival"], "slippage_ticks"].tolist() == pytest.approx([4 / 3, 4 / 3])


def test_what_a_buy_pays_a_sell_gains() -> None:
    """The same fills on the other side have every cost with the other sign."""
    bought, sold = (gather(told(side=side).journal, "P-0001").frame("report.benchmarks") for side in Side)

    for unit in ("ticks", "bps", "cash"):
        assert sold[f"slippage_{unit}"].tolist() == pytest.approx(
            [-cost for cost in bought[f"slippage_{unit}"]], nan_ok=True
        )
